//! Waiting until copies are available: what ends the wait, and what follows.

mod deferred;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_xregion_sync::executor::{self, Event, Options, Wait};
use aws_xregion_sync::model::action::{ActionName, Stage};
use aws_xregion_sync::model::ids::Region;
use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::{ActionOutcome, SyncResult};
use aws_xregion_sync::provider::sandbox::{FailNextCopy, Fault, Sandbox, World};
use aws_xregion_sync::sync_types::SyncJob;
use jiff::SignedDuration;

use crate::support::*;

/// Databases, each with a copy to make and one to delete.
fn databases(number: usize) -> (World, Vec<SyncJob>) {
    let mut world = empty_world();
    world.quotas.manual_snapshots = 10 * number;
    let jobs = (0..number).map(|n| {
        let name = format!("db{n}");
        add_automated(&mut world, &name, days_ago(0));
        for day in 1..4 {
            add_our_copy(&mut world, &name, days_ago(day));
        }
        snapshot_job(&format!("sync_{name}"), &name, 2)
    });
    let jobs = jobs.collect();
    (world, jobs)
}

fn wait(sandbox: &Sandbox, plan: &SavedPlan, jobs: &[SyncJob], wait: Wait) -> Vec<SyncResult> {
    watched(sandbox, plan, jobs, wait, &AtomicBool::new(false), &|_| {})
}

fn watched(
    sandbox: &Sandbox,
    plan: &SavedPlan,
    jobs: &[SyncJob],
    wait: Wait,
    stop: &AtomicBool,
    on_event: executor::OnEvent<'_>,
) -> Vec<SyncResult> {
    let options = Options {
        parallelism: PARALLELISM,
        wait,
        stop,
    };
    block_on(executor::apply(
        sandbox,
        plan,
        &callers(jobs),
        None,
        options,
        on_event,
    ))
}

fn up_to(seconds: i64) -> Wait {
    Wait::UpTo(SignedDuration::from_secs(seconds))
}

fn fault(call: &str, code: &str, times: Option<u32>) -> Fault {
    Fault::new(call, code, "for the moment", times)
}

fn fault_in(region: Region, call: &str, code: &str, times: Option<u32>) -> Fault {
    let mut fault = fault(call, code, times);
    fault.region = Some(region);
    fault
}

/// Returns what became of each action of a job.
fn outcomes(result: &SyncResult) -> Vec<ActionOutcome> {
    result.actions.iter().map(|action| action.outcome).collect()
}

/// Checks that nothing was deleted, and that the job says so.
fn kept_all(sandbox: &Sandbox, result: &SyncResult) {
    assert!(result.failed(), "{result:?}");
    assert_eq!(result.deleted_resources, []);
    assert_eq!(
        result.actions.last().map(|action| action.outcome),
        Some(ActionOutcome::Skipped),
        "{result:?}"
    );
    let deletes = sandbox.calls();
    assert!(deletes.iter().all(|call| call.call != "DeleteDBSnapshot"));
}

#[test]
fn old_copies_are_deleted_when_the_new_ones_are_available() {
    let (mut world, mut jobs) = databases(3);
    add_image(&mut world, "ami-0a", "web", "web");
    jobs.push(ami_job("sync_web", "web"));
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let seen = Mutex::new(Vec::new());
    let on_event = |event: Event<'_>| {
        let line = match event {
            Event::CopyProgress {
                job,
                state,
                percent,
                ..
            } => format!("{job} {state} {percent:?}"),
            Event::JobFinished(result) => format!("{} finished", result.name),
            _ => return,
        };
        seen.lock().expect("no panic").push(line);
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    no_failures(&results);
    let world = sandbox.world();
    for n in 0..3 {
        let copies = copies_of(&world, &format!("db{n}"));
        assert_eq!(copies.len(), 3);
        assert!(copies.iter().all(|copy| copy.state.is_available()));
    }
    assert!(world.now.duration_since(start()).as_secs() >= 600);

    let calls = sandbox.calls();
    let first = calls.iter().find(|call| call.call == "DeleteDBSnapshot");
    let last_copy = calls.iter().rfind(|call| call.call.starts_with("Copy"));
    let waited = first
        .zip(last_copy)
        .map(|(first, last)| first.at.duration_since(last.at).as_secs());
    assert!(waited.is_some_and(|seconds| seconds >= 590), "{waited:?}");
    // Pauses that grow from half a second to a minute make some twenty reads in ten minutes: of the copies only, all databases
    // in one. The source is read three times: to plan, to copy and to delete.
    let reads_of = |region| {
        let reads = calls
            .iter()
            .filter(|call| call.call == "DescribeDBSnapshots");
        reads.filter(|call| call.region == region).count()
    };
    assert!((15..30).contains(&reads_of(west())), "{}", reads_of(west()));
    assert_eq!(reads_of(east()), 3);

    let seen = seen.into_inner().expect("no panic");
    for line in [
        "sync_db0 creating Some(",
        "sync_db2 available",
        "sync_web pending None",
        "sync_web available",
        "sync_web finished",
        "sync_db0 finished",
    ] {
        assert!(
            seen.iter().any(|seen| seen.starts_with(line)),
            "{line}: {seen:?}"
        );
    }
}

#[test]
fn the_limit_ends_the_wait_and_not_the_copy() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let results = wait(&sandbox, &planned, &jobs, up_to(300));
    kept_all(&sandbox, &results[0]);
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Done);
    assert!(results[0].created_resource.is_some());
    let error = &results[0].errors[0];
    assert!(
        error.message.contains("still in progress (creating, "),
        "{error}"
    );
    assert!(error.message.contains("5 min"), "{error}");
    assert!(
        error
            .help
            .as_deref()
            .is_some_and(|help| help.contains("--wait"))
    );
    let length = sandbox.world().now.duration_since(start()).as_secs();
    assert!((300..330).contains(&length), "{length}");

    // AWS goes on copying, and the same plan can be applied again for the rest.
    let again = wait(&sandbox, &planned, &jobs, Wait::ToTheEnd);
    no_failures(&again);
    assert_eq!(outcomes(&again[0])[0], ActionOutcome::AlreadyDone);
    assert_eq!(again[0].deleted_resources.len(), 1);
    let copies = sandbox.calls();
    let copies = copies.iter().filter(|call| call.call == "CopyDBSnapshot");
    assert_eq!(copies.count(), 1);
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn law_5_a_new_plan_deletes_only_when_the_copy_of_an_earlier_run_is_available() {
    let (world, jobs) = databases(2);
    let sandbox = Sandbox::new(world);
    let results = wait(&sandbox, &plan(&sandbox, &jobs), &jobs, up_to(60));
    results.iter().for_each(|result| kept_all(&sandbox, result));
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned).len(), 2, "and no copy");
    assert!(actions(&planned).iter().all(|id| id.contains("/delete/")));

    let results = wait(&sandbox, &planned, &jobs, up_to(60));
    results.iter().for_each(|result| kept_all(&sandbox, result));
    no_failures(&wait(&sandbox, &planned, &jobs, Wait::ToTheEnd));
    assert!(sandbox.world().now.duration_since(start()).as_secs() >= 600);
    for n in 0..2 {
        let copies = copies_of(&sandbox.world(), &format!("db{n}"));
        assert_eq!(copies.len(), 3);
        assert!(copies.iter().all(|copy| copy.state.is_available()));
    }
}

#[test]
fn law_5_nothing_is_deleted_while_the_copy_is_in_an_unknown_state() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    wait(&sandbox, &plan(&sandbox, &jobs), &jobs, up_to(60));
    sandbox.edit(|world| {
        let here = world.region_mut(&west()).expect("the destination");
        let copy = here.snapshots.iter_mut().find(|s| s.copying.is_some());
        let copy = copy.expect("the copy");
        (copy.state, copy.copying) = (state("incompatible-restore"), None);
    });
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned).len(), 1);
    let results = wait(&sandbox, &planned, &jobs, up_to(86_400));
    kept_all(&sandbox, &results[0]);
}

#[test]
fn law_5_nothing_is_deleted_when_the_copy_of_an_earlier_run_fails() {
    let (mut world, jobs) = databases(1);
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    wait(&sandbox, &plan(&sandbox, &jobs), &jobs, up_to(60));
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned).len(), 1);
    let finished = Mutex::new(Vec::new());
    let on_event = |event: Event<'_>| {
        if let Event::ActionFinished { result, .. } = event {
            finished.lock().expect("no panic").push(result.id.clone());
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    kept_all(&sandbox, &results[0]);
    assert!(results[0].errors[0].message.contains("its state is failed"));
    assert_eq!(
        finished.into_inner().expect("no panic").len(),
        1,
        "reported once"
    );
}

#[test]
fn a_copy_that_fails_before_its_tag_ends_its_job_once() {
    let (mut world, jobs) = databases(1);
    // It has failed when the tag of its source is due.
    world.copy_seconds = 30;
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let finished = Mutex::new(Vec::new());
    let on_event = |event: Event<'_>| {
        if let Event::ActionFinished { result, .. } = event {
            finished
                .lock()
                .expect("no panic")
                .push(result.id.to_string());
            if result.action == ActionName::Copy {
                sandbox.edit(|world| world.advance(SignedDuration::from_secs(90)));
            }
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    kept_all(&sandbox, &results[0]);
    assert_eq!(results[0].errors.len(), 1, "{results:?}");
    let told = finished.into_inner().expect("no panic");
    assert_eq!(told.len(), planned.jobs[0].actions.len(), "{told:?}");
}

#[test]
fn a_newer_copy_that_makes_the_planned_one_unnecessary_is_waited_for() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    sandbox.edit(|world| add_automated(world, "db0", days_ago(-1)));
    let newer = plan(&sandbox, &jobs);
    no_failures(&apply_but_deletions(&sandbox, &newer, &jobs));
    let results = wait(&sandbox, &planned, &jobs, up_to(60));
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::AlreadyDone);
    kept_all(&sandbox, &results[0]);
}

/// Applies the copies and tags of a plan, without its deletions.
fn apply_but_deletions(sandbox: &Sandbox, plan: &SavedPlan, jobs: &[SyncJob]) -> Vec<SyncResult> {
    let mut plan = plan.clone();
    for job in &mut plan.jobs {
        job.actions
            .retain(|action| action.stage() != Stage::Deletions);
    }
    apply(sandbox, &plan, jobs)
}

#[test]
fn a_copy_that_fails_or_is_gone_ends_its_job_at_once() {
    let (mut world, jobs) = databases(2);
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let results = wait(&sandbox, &planned, &jobs, Wait::ToTheEnd);
    let (failed, well): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.failed());
    assert_eq!((failed.len(), well.len()), (1, 1), "{results:?}");
    assert_eq!(failed[0].deleted_resources, []);
    assert!(failed[0].errors[0].message.contains("its state is failed"));
    assert_eq!(well[0].deleted_resources.len(), 1);

    for gone in [false, true] {
        let (world, jobs) = databases(1);
        let sandbox = Sandbox::new(world);
        let planned = plan(&sandbox, &jobs);
        let on_event = |event: Event<'_>| {
            if let Event::CopyProgress { .. } = event {
                sandbox.edit(|world| {
                    let here = world.region_mut(&west()).expect("the destination");
                    let copying = here.snapshots.iter_mut().find(|s| s.copying.is_some());
                    if let Some(copy) = copying.filter(|_| !gone) {
                        (copy.state, copy.copying) = (state("deleting"), None);
                    }
                    here.snapshots.retain(|s| s.copying.is_none());
                });
            }
        };
        let stop = AtomicBool::new(false);
        let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
        kept_all(&sandbox, &results[0]);
        let expected = if gone {
            "is gone"
        } else {
            "its state is deleting"
        };
        assert!(
            results[0].errors[0].message.contains(expected),
            "{results:?}"
        );
        let length = sandbox.world().now.duration_since(start()).as_secs();
        assert!(length < 400, "{length} s");
    }
}

#[test]
fn a_used_up_quota_of_snapshots_is_not_waited_for() {
    let (mut world, jobs) = databases(1);
    world.quotas.manual_snapshots = 3;
    let sandbox = Sandbox::new(world);
    let results = wait(&sandbox, &plan(&sandbox, &jobs), &jobs, Wait::ToTheEnd);
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Failed);
    assert!(sandbox.world().now.duration_since(start()).as_secs() < 30);
}

#[test]
fn an_interrupt_ends_the_wait_within_a_second() {
    let (mut world, jobs) = databases(2);
    world.quotas.snapshot_copies_in_flight = 1;
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let stop = AtomicBool::new(false);
    let on_event = |event: Event<'_>| {
        if let Event::CopyProgress { .. } = event {
            stop.store(true, Ordering::Relaxed);
        }
    };
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    for result in &results {
        kept_all(&sandbox, result);
        assert!(
            result.errors[0].message.contains("interrupted"),
            "{result:?}"
        );
    }
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Done);
    assert_eq!(outcomes(&results[1])[0], ActionOutcome::Skipped);
    assert!(sandbox.world().now.duration_since(start()).as_secs() < 60);
}

#[test]
fn law_6_reads_that_fail_at_the_moment_are_made_again() {
    for code in ["Throttling", "InternalFailure"] {
        let (world, jobs) = databases(1);
        let sandbox = Sandbox::new(world);
        let planned = plan(&sandbox, &jobs);
        let on_event = |event: Event<'_>| {
            if let Event::ActionFinished { result, .. } = event
                && result.action == ActionName::TagSource
            {
                let faults = fault("DescribeDBSnapshots", code, Some(12));
                sandbox.edit(|world| world.faults.push(faults));
            }
        };
        let stop = AtomicBool::new(false);
        let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
        no_failures(&results);
        assert_eq!(results[0].deleted_resources.len(), 1);
    }
}

#[test]
fn law_6_reads_that_keep_failing_end_the_wait_and_nothing_is_deleted() {
    // Throttling may pass and ends the wait after ten minutes; the others end it at once.
    for (code, lengths) in [
        ("AccessDenied", 0..60),
        ("ExpiredToken", 0..60),
        ("Throttling", 600..720),
    ] {
        let (world, jobs) = databases(2);
        let sandbox = Sandbox::new(world);
        let planned = plan(&sandbox, &jobs);
        let on_event = |event: Event<'_>| {
            if let Event::ActionFinished { result, .. } = event
                && result.action == ActionName::TagSource
            {
                let faults = fault("DescribeDBSnapshots", code, None);
                sandbox.edit(|world| world.faults = vec![faults]);
            }
        };
        let stop = AtomicBool::new(false);
        let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
        for result in &results {
            kept_all(&sandbox, result);
            let aws = result.errors[0].aws.as_ref().expect("AWS's own words");
            assert_eq!(aws.code, code);
        }
        let length = sandbox.world().now.duration_since(start()).as_secs();
        assert!(lengths.contains(&length), "{code}: {length} s");
    }
}

#[test]
fn a_job_whose_credentials_have_expired_is_not_waited_for() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let on_event = |event: Event<'_>| {
        if let Event::ActionFinished { result, .. } = event
            && result.action == ActionName::Copy
        {
            let faults = fault("AddTagsToResource", "ExpiredToken", Some(1));
            sandbox.edit(|world| world.faults.push(faults));
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    kept_all(&sandbox, &results[0]);
    assert!(
        results[0].errors[0]
            .message
            .contains("credentials have expired")
    );
    assert!(sandbox.world().now.duration_since(start()).as_secs() < 60);
}

#[test]
fn law_5_another_snapshot_with_the_id_of_the_copy_is_not_taken_for_it() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let on_event = |event: Event<'_>| {
        if let Event::CopyProgress { copy, .. } = event {
            sandbox.edit(|world| {
                let here = world.region_mut(&west()).expect("the destination");
                let ours = here.snapshots.iter_mut().find(|s| s.id.as_str() == copy);
                let ours = ours.expect("the copy");
                ours.tags.clear();
                (ours.state, ours.copying) = (state("available"), None);
                (ours.copied_from, ours.data_time) = (None, Some(days_ago(40)));
            });
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, Wait::ToTheEnd, &stop, &on_event);
    kept_all(&sandbox, &results[0]);
    let error = &results[0].errors[0].message;
    assert!(error.contains("another snapshot has its id"), "{error}");
}

#[test]
fn law_6_an_image_is_waited_for_while_its_source_region_does_not_answer_and_a_read_fails() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "web");
    world.copy_seconds = 7_200;
    let jobs = [ami_job("sync_web", "web")];
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let is_first = AtomicBool::new(true);
    let on_event = |event: Event<'_>| {
        if let Event::CopyProgress { .. } = event
            && is_first.swap(false, Ordering::Relaxed)
        {
            let gone = fault_in(east(), "DescribeImages", "RequestTimeout", None);
            let throttled = fault_in(west(), "DescribeImages", "Throttling", Some(1));
            sandbox.edit(|world| world.faults.extend([gone, throttled]));
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, up_to(86_400), &stop, &on_event);
    no_failures(&results);
    assert!(!is_first.into_inner(), "the copy was observed in progress");
}

#[test]
fn an_unknown_state_is_waited_for_an_hour() {
    let (world, jobs) = databases(1);
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let on_event = |event: Event<'_>| {
        if let Event::CopyProgress { copy, .. } = event {
            sandbox.edit(|world| {
                let here = world.region_mut(&west()).expect("the destination");
                let ours = here.snapshots.iter_mut().find(|s| s.id.as_str() == copy);
                let ours = ours.expect("the copy");
                (ours.state, ours.copying) = (state("incompatible-restore"), None);
            });
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, up_to(86_400), &stop, &on_event);
    kept_all(&sandbox, &results[0]);
    let help = results[0].errors[0].help.as_deref();
    assert!(
        help.is_some_and(|help| help.contains("has failed or is deleted")),
        "{help:?}"
    );
    let error = &results[0].errors[0].message;
    assert!(
        error.contains("its state is incompatible-restore"),
        "{error}"
    );
    let length = sandbox.world().now.duration_since(start());
    assert!((60..70).contains(&length.as_mins()), "{length:?}");
}

#[test]
fn an_image_is_waited_for_when_its_source_can_no_longer_be_read() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "web");
    let jobs = [ami_job("sync_web", "web")];
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    let on_event = |event: Event<'_>| {
        if let Event::ActionFinished { result, .. } = event
            && result.action == ActionName::Copy
        {
            let denied = fault_in(east(), "DescribeImages", "UnauthorizedOperation", None);
            sandbox.edit(|world| {
                world.faults.push(denied);
                // The observation is too old for the tag of the source.
                world.advance(SignedDuration::from_secs(90));
            });
        }
    };
    let stop = AtomicBool::new(false);
    let results = watched(&sandbox, &planned, &jobs, up_to(86_400), &stop, &on_event);
    no_failures(&results);
    assert_eq!(results[0].warnings.len(), 1, "about the tag: {results:?}");
}
