//! Copies that wait for a slot because of AWS's limit of concurrent copies: which count, which is next, how often AWS is asked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_xregion_sync::executor::{Event, Wait};
use aws_xregion_sync::model::action::ActionName;
use aws_xregion_sync::model::ids::{ParentId, Region};
use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::{ActionOutcome, SyncResult};
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox, World, WorldArtifact, WorldDatabase};
use aws_xregion_sync::sync_types::SyncJob;
use jiff::SignedDuration;

use super::{
    apply_but_deletions, databases, fault, fault_in, kept_all, outcomes, up_to, wait, watched,
};
use crate::support::*;

/// Waits for a day at most, with a fault from when the first copy is deferred.
fn with_fault(
    sandbox: &Sandbox,
    plan: &SavedPlan,
    jobs: &[SyncJob],
    fault: &Fault,
) -> Vec<SyncResult> {
    let is_first = AtomicBool::new(true);
    let on_event = |event: Event<'_>| {
        if let Event::CopyDeferred { .. } = event
            && is_first.swap(false, Ordering::Relaxed)
        {
            sandbox.edit(|world| world.faults.push(fault.clone()));
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(sandbox, plan, jobs, up_to(86_400), &stop, &on_event);
    assert!(!is_first.into_inner(), "no copy was deferred");
    results
}

#[test]
fn copies_beyond_the_limit_wait_without_asking_for_them() {
    let (world, jobs) = databases(23);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let results = apply(&sandbox, &planned, &jobs);
    let deferred: Vec<&SyncResult> = results.iter().filter(|result| result.failed()).collect();
    assert_eq!(deferred.len(), 3);
    for result in deferred {
        assert_eq!(result.actions[0].outcome, ActionOutcome::Deferred);
        let error = &result.errors[0];
        assert!(
            error.message.contains("limit of 20 concurrent copies"),
            "{error}"
        );
        assert!(
            error
                .help
                .as_deref()
                .is_some_and(|help| help.contains("--wait"))
        );
        assert_eq!(result.deleted_resources, []);
    }
    let asked = sandbox.calls();
    let asked = asked.iter().filter(|call| call.call == "CopyDBSnapshot");
    assert!(asked.clone().all(|call| call.error.is_none()));
    assert_eq!(asked.count(), 20);

    // Copies of an earlier apply count, too.
    let (world, more) = databases(24);
    let more = more[23..].to_vec();
    sandbox.edit(|here| {
        for region in [east(), west()] {
            let there = world.region(&region).expect("a region").snapshots.clone();
            let there = there
                .into_iter()
                .filter(|s| s.parent == Some(ParentId::from("db23")));
            here.region_mut(&region)
                .expect("a region")
                .snapshots
                .extend(there);
        }
    });
    let all = [jobs.clone(), more].concat();
    let again = apply(&sandbox, &plan(&sandbox, &all), &all);
    assert_eq!(again.iter().filter(|result| result.failed()).count(), 4);
    let asked = sandbox.calls();
    let asked = asked.iter().filter(|call| call.call == "CopyDBSnapshot");
    assert_eq!(asked.count(), 20, "as many as the first time");

    let planned = plan(&sandbox, &all);
    no_failures(&wait(&sandbox, &planned, &all, Wait::ToTheEnd));
    for n in 0..24 {
        assert_eq!(copies_of(&sandbox.world(), &format!("db{n}")).len(), 3);
    }
}

#[test]
fn slots_that_are_free_again_are_used_before_copies_are_deferred() {
    let (mut world, jobs) = databases(23);
    // Less than the calls of an apply take.
    world.copy_seconds = 5;
    let sandbox = Sandbox::new(world);
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
}

#[test]
fn copies_that_aws_refuses_start_when_others_have_finished() {
    for (limit, number) in [(5, 6), (1, 8), (3, 23)] {
        let (mut world, jobs) = databases(number);
        world.quotas.snapshot_copies_in_flight = limit;
        let sandbox = Sandbox::new(world);
        let planned = plan(&sandbox, &jobs);
        let deferred = Mutex::new(0);
        let on_event = |event: Event<'_>| {
            if let Event::CopyDeferred { .. } = event {
                *deferred.lock().expect("no panic") += 1;
            }
        };
        let stop = AtomicBool::new(false);
        let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
        no_failures(&results);
        assert_eq!(deferred.into_inner().expect("no panic"), number - limit);
        for result in &results {
            assert!(outcomes(result).iter().all(|o| *o == ActionOutcome::Done));
            assert_eq!(result.deleted_resources.len(), 1);
        }
        assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
        let refused = sandbox.calls();
        let refused = refused.iter().filter(|call| call.error.is_some()).count();
        assert!(refused < 30 * number / limit, "{refused} copies refused");
    }
}

#[test]
fn images_that_aws_refuses_start_when_others_have_finished() {
    let mut world = empty_world();
    world.quotas.image_copies_in_flight = 2;
    let jobs: Vec<SyncJob> = (0..5)
        .map(|n| {
            let name = format!("web{n}");
            add_image(&mut world, &format!("ami-0{n}"), &name, &name);
            ami_job(&format!("sync_{name}"), &name)
        })
        .collect();
    let sandbox = Sandbox::new(world);
    no_failures(&wait(
        &sandbox,
        &plan(&sandbox, &jobs),
        &jobs,
        Wait::ToTheEnd,
    ));
    let world = sandbox.world();
    assert_eq!(
        world.region(&west()).expect("the destination").images.len(),
        5
    );
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn copies_that_still_wait_at_the_limit_are_deferred() {
    let (mut world, jobs) = databases(2);
    world.quotas.snapshot_copies_in_flight = 1;
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let results = wait(&sandbox, &planned, &jobs, up_to(100));
    let copies: Vec<ActionOutcome> = results.iter().map(|result| outcomes(result)[0]).collect();
    assert_eq!(copies, [ActionOutcome::Done, ActionOutcome::Deferred]);
    results.iter().for_each(|result| kept_all(&sandbox, result));
}

#[test]
fn law_7_copies_that_can_no_longer_be_read_hold_up_no_others() {
    let (world, jobs) = databases(25);
    let sandbox = Sandbox::new(world);
    let denied = fault_in(west(), "DescribeDBSnapshots", "AccessDenied", Some(1));
    let results = with_fault(&sandbox, &plan(&sandbox, &jobs), &jobs, &denied);
    let (failed, well): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.failed());
    assert_eq!((failed.len(), well.len()), (20, 5), "{results:?}");
    assert!(failed.iter().all(|result| {
        result.errors[0]
            .message
            .contains("failed to read the state")
    }));
}

#[test]
fn a_read_that_fails_at_the_moment_is_made_again_before_the_copy() {
    for (times, is_too_long) in [(Some(2), false), (None, true)] {
        let (world, jobs) = databases(22);
        let sandbox = Sandbox::new(world);
        // While copies are waited for, sources are read only before a copy starts or one is deleted.
        let throttled = fault_in(east(), "DescribeDBSnapshots", "Throttling", times);
        let results = with_fault(&sandbox, &plan(&sandbox, &jobs), &jobs, &throttled);
        let failed = results.iter().filter(|result| result.failed()).count();
        assert_eq!(failed > 0, is_too_long, "{results:?}");
        let hours = sandbox.world().now.duration_since(start()).as_hours();
        assert!(hours < 2, "{hours} h");
    }
}

#[test]
fn when_aws_accepts_copies_again_all_of_them_start() {
    let mut world = empty_world();
    world.copy_seconds = 7_200;
    let mut jobs = Vec::new();
    for n in 0..60 {
        let name = format!("app {n}");
        add_image(&mut world, &format!("ami-{n:017}"), &name, &name);
        jobs.push(ami_job(&format!("sync_{n}"), &name));
    }
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    // The first ones, and the next two that are tried.
    let times = u32::try_from(PARALLELISM + 2).expect("a number");
    let refusals = fault("CopyImage", "ResourceLimitExceeded", Some(times));
    sandbox.edit(|world| world.faults.push(refusals));
    no_failures(&wait(&sandbox, &planned, &jobs, Wait::ToTheEnd));
    let calls = sandbox.calls();
    let last = calls.iter().rfind(|call| call.call == "CopyImage");
    let after = last.map(|last| last.at.duration_since(start()).as_secs());
    assert!(after.is_some_and(|seconds| seconds < 900), "{after:?}");
}

/// Databases, each with a copy in progress and a newer snapshot to be copied.
fn databases_with_copies_in_progress(number: usize) -> (Sandbox, Vec<SyncJob>) {
    let (world, jobs) = databases(number);
    let sandbox = Sandbox::new(world);
    no_failures(&apply_but_deletions(
        &sandbox,
        &plan(&sandbox, &jobs),
        &jobs,
    ));
    sandbox.edit(|world| {
        for n in 0..number {
            add_automated(world, &format!("db{n}"), days_ago(-1));
        }
    });
    (sandbox, jobs)
}

#[test]
fn law_7_earlier_copies_that_could_not_be_read_do_not_count_for_ever() {
    for code in ["Throttling", "AccessDenied"] {
        let (sandbox, jobs) = databases_with_copies_in_progress(20);
        let once = fault_in(west(), "DescribeDBSnapshots", code, Some(1));
        let planned = plan(&sandbox, &jobs);
        no_failures(&with_fault(&sandbox, &planned, &jobs, &once));
    }
}

#[test]
fn earlier_copies_still_count_after_a_read_has_failed() {
    let (world, jobs) = databases(22);
    let sandbox = Sandbox::new(world);
    let first = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    assert_eq!(first.iter().filter(|result| result.failed()).count(), 2);
    let planned = plan(&sandbox, &jobs);
    let once = fault_in(west(), "DescribeDBSnapshots", "Throttling", Some(1));
    no_failures(&with_fault(&sandbox, &planned, &jobs, &once));
    let calls = sandbox.calls();
    let asked = calls.iter().filter(|call| call.call == "CopyDBSnapshot");
    let refused = asked.filter(|call| call.error.is_some()).count();
    assert!(refused <= 2, "{refused} copies refused");
}

fn europe() -> Region {
    Region::from("eu-west-1")
}

/// Databases of another source region, each with a copy to make.
fn databases_of_europe(world: &mut World, number: usize) -> Vec<SyncJob> {
    world.quotas.manual_snapshots = 1000;
    world.add_region(&europe());
    let jobs = (0..number).map(|n| {
        let name = format!("eu{n}");
        let database = WorldDatabase::new(&name, &world.default_account(), days_ago(365));
        world.add_snapshot(&europe(), WorldArtifact::automated(&database, days_ago(0)));
        SyncJob {
            source_region: europe(),
            ..snapshot_job(&format!("sync_{name}"), &name, 2)
        }
    });
    jobs.collect()
}

#[test]
fn jobs_of_a_region_that_answers_again_are_next() {
    let (mut world, jobs) = databases(60);
    let europe_jobs = databases_of_europe(&mut world, 5);
    // After those that start at once, before those of two more rounds.
    let jobs = [&jobs[..20], &europe_jobs, &jobs[20..]].concat();
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let once = fault_in(europe(), "DescribeDBSnapshots", "Throttling", Some(1));
    no_failures(&with_fault(&sandbox, &planned, &jobs, &once));
    let order: Vec<String> = {
        let world = sandbox.world();
        let there = world.region(&west()).expect("the destination");
        let mut made: Vec<_> = there
            .snapshots
            .iter()
            .filter(|s| s.created > Some(start()))
            .collect();
        made.sort_by_key(|s| s.created);
        made.iter()
            .filter_map(|s| s.parent.as_ref())
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(order.len(), 65);
    let last = order
        .iter()
        .rposition(|database| database.starts_with("eu"));
    assert!(last.is_some_and(|last| last < 45), "{order:?}");
}

#[test]
fn law_7_a_region_that_does_not_answer_holds_up_no_copies_of_others() {
    let (mut world, healthy) = databases(10);
    let jobs = [databases_of_europe(&mut world, 60), healthy].concat();
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let is_first = AtomicBool::new(true);
    let healthy_done = Mutex::new(None);
    let on_event = |event: Event<'_>| match event {
        Event::CopyDeferred { .. } if is_first.swap(false, Ordering::Relaxed) => {
            let throttled = fault_in(europe(), "DescribeDBSnapshots", "Throttling", None);
            sandbox.edit(|world| world.faults.push(throttled));
        }
        Event::ActionFinished { job, result }
            if result.action == ActionName::Copy && job.as_str().starts_with("sync_db") =>
        {
            *healthy_done.lock().expect("no panic") = Some(sandbox.world().now);
        }
        _ => {}
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, up_to(86_400), &stop, &on_event);
    let failed = results.iter().filter(|result| result.failed());
    assert!(
        failed
            .clone()
            .all(|r| r.name.as_str().starts_with("sync_eu"))
    );
    assert_eq!(failed.count(), 40);
    // As soon as the first copies, which take ten minutes, have finished.
    let done = healthy_done.into_inner().expect("no panic");
    let after = done.map(|done| done.duration_since(start()).as_secs());
    assert!(after.is_some_and(|seconds| seconds < 1000), "{after:?}");
}

#[test]
fn after_a_refusal_copies_are_tried_one_at_a_time_and_half_a_minute_apart() {
    let (mut world, jobs) = databases(12);
    world.quotas.snapshot_copies_in_flight = 2;
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    no_failures(&wait(&sandbox, &planned, &jobs, Wait::ToTheEnd));
    let calls = sandbox.calls();
    let asked = calls.iter().filter(|call| call.call == "CopyDBSnapshot");
    let refused: Vec<_> = asked.filter(|call| call.error.is_some()).collect();
    // All but two are tried before the first refusal is known.
    let later = refused.get(10..).expect("the first ones");
    let gaps = later
        .windows(2)
        .map(|two| two[1].at.duration_since(two[0].at));
    for gap in gaps {
        assert!(gap.as_secs() >= 30, "{gap:?} between two refusals");
    }
    assert!(!later.is_empty(), "copies of others may finish");
}

#[test]
fn reads_are_frequent_again_when_a_copy_has_started() {
    let (mut world, jobs) = databases(2);
    world.quotas.snapshot_copies_in_flight = 1;
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    no_failures(&wait(&sandbox, &planned, &jobs, Wait::ToTheEnd));
    let calls = sandbox.calls();
    let second = calls
        .iter()
        .rfind(|call| call.call == "CopyDBSnapshot" && call.error.is_none())
        .expect("the second copy");
    let reads = calls.iter().filter(|call| {
        call.call == "DescribeDBSnapshots"
            && call.region == west()
            && call.at > second.at
            && call.at.duration_since(second.at).as_secs() < 20
    });
    assert!(reads.count() >= 3, "reads within 20 s");
}

#[test]
fn law_7_the_only_slot_is_not_kept_for_a_region_that_does_not_answer() {
    let (mut world, healthy) = databases(21);
    let silent = databases_of_europe(&mut world, 2);
    let jobs = [&healthy[..20], &silent, &healthy[20..]].concat();
    world.copy_seconds = 7_200;
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let is_first = AtomicBool::new(true);
    let on_event = |event: Event<'_>| {
        if let Event::CopyDeferred { .. } = event
            && is_first.swap(false, Ordering::Relaxed)
        {
            let throttled = fault_in(europe(), "DescribeDBSnapshots", "Throttling", None);
            sandbox.edit(|world| {
                world.faults.push(throttled);
                // One of the twenty finishes soon.
                let soon = world.now + SignedDuration::from_secs(60);
                let there = world.region_mut(&west()).expect("the destination");
                let mut copying = there
                    .snapshots
                    .iter_mut()
                    .filter_map(|s| s.copying.as_mut());
                copying.next().expect("a copy").until = soon;
            });
        }
    };
    let stop = AtomicBool::new(false);
    watched(&sandbox, &planned, &jobs, up_to(1_200), &stop, &on_event);
    let calls = sandbox.calls();
    let last = calls.iter().rfind(|call| call.call == "CopyDBSnapshot");
    let after = last.map(|last| last.at.duration_since(start()).as_secs());
    // And not after ten minutes without an answer.
    assert!(
        after.is_some_and(|seconds| (60..300).contains(&seconds)),
        "{after:?}"
    );
}
