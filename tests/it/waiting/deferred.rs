//! Copies that wait for a slot because of AWS's limit of concurrent copies: which ones count, which is next, and how often AWS is
//! asked.

use aws_xregion_sync::provider::sandbox::{CallRecord, Copying};

use super::*;

/// Waits for at most a day, with a fault from the moment when the first copy is deferred.
#[track_caller]
fn with_fault(planned: &Planned, fault: &Fault) -> Vec<SyncResult> {
    let add = |world: &mut World| world.faults.push(fault.clone());
    planned.changed_at(is_deferred, up_to(86_400), add)
}

fn throttled_in(region: Region, times: Option<u32>) -> Fault {
    in_region(&region, fault("DescribeDBSnapshots", "Throttling", times))
}

/// Waits to the end. The apply must not fail, and must leave nothing to do.
#[track_caller]
fn succeeds(planned: &Planned) {
    no_failures(&planned.wait(Wait::ToTheEnd));
    planned.assert_nothing_to_do();
}

fn limited(number: usize, limit: usize) -> Planned {
    planned_in(number, |world| {
        world.quotas.snapshot_copies_in_flight = limit
    })
}

/// Returns when the last copy was requested.
fn last_asked(planned: &Planned, call: &str) -> i64 {
    let calls = planned.calls(call);
    seconds_after_start(calls.last().expect("a copy").at)
}

fn refused(planned: &Planned) -> Vec<CallRecord> {
    let mut calls = planned.calls("CopyDBSnapshot");
    calls.retain(|call| call.error.is_some());
    calls
}

#[test]
fn copies_beyond_the_limit_are_not_requested() {
    let planned = planned(23);
    let results = planned.apply();
    let (deferred, _) = failed_and_others(&results);
    assert_eq!(deferred.len(), 3);
    for result in deferred {
        let mut outcomes = outcomes(result).into_iter();
        assert_eq!(outcomes.next(), Some(ActionOutcome::Deferred));
        assert!(outcomes.all(|outcome| outcome == ActionOutcome::Skipped));
        let error = &result.errors[0];
        assert_says(&error.message, "limit of 20 concurrent copies");
        assert_help(error, "--wait");
        assert_eq!(result.deleted_resources, []);
    }
    let asked = planned.calls("CopyDBSnapshot");
    assert!(asked.iter().all(|call| call.error.is_none()));
    assert_eq!(asked.len(), 20);

    // Copies of an earlier apply count too.
    let (world, more) = databases(24, 1..4);
    planned.sandbox.edit(|here| {
        for region in [east(), west()] {
            let there = world.region(&region).expect("a region").snapshots.iter();
            let new = there.filter(|s| s.parent == Some(ParentId::from("db23")));
            let here = here.region_mut(&region).expect("a region");
            here.snapshots.extend(new.cloned());
        }
    });
    let planned = Planned {
        jobs: more,
        ..planned
    };
    let planned = planned.again();
    let results = planned.apply();
    assert_eq!(failed_and_others(&results).0.len(), 4);
    let asked = planned.calls("CopyDBSnapshot").len();
    assert_eq!(asked, 20, "as many as the first time");

    let planned = planned.again();
    no_failures(&planned.wait(Wait::ToTheEnd));
    for n in 0..24 {
        let copies = copies_of(&planned.sandbox.world(), &format!("db{n}"));
        assert_eq!(copies.len(), 3);
    }
}

#[test]
fn slots_that_are_free_again_are_used_before_copies_are_deferred() {
    // A copy finishes sooner than the calls of an apply.
    planned_in(23, |world| world.copy_seconds = 5).succeeds();
}

#[test]
fn copies_that_are_deferred_are_made_by_applying_again() {
    let planned = limited(4, 3);
    let results = planned.apply();
    let (deferred, _) = failed_and_others(&results);
    assert_eq!(deferred.len(), 1);
    assert_help(&deferred[0].errors[0], "apply");
    let message = "is deferred: AWS accepts no more copies at the moment";
    assert_says(&deferred[0].errors[0].message, message);
    wait_for_copies(&planned.sandbox);
    planned.succeeds();
    planned.assert_nothing_to_do();
}

#[test]
fn copies_that_aws_refuses_start_when_others_have_finished() {
    for (limit, number) in [(5, 6), (1, 8), (3, 23)] {
        let planned = limited(number, limit);
        let deferred = Mutex::new(0);
        let results = planned.watched(Wait::ToTheEnd, &|event| {
            *deferred.lock().expect("no panic") += usize::from(is_deferred(&event));
        });
        no_failures(&results);
        assert_eq!(deferred.into_inner().expect("no panic"), number - limit);
        for result in &results {
            assert!(outcomes(result).iter().all(|o| *o == ActionOutcome::Done));
            assert_eq!(result.deleted_resources.len(), 1);
        }
        planned.assert_nothing_to_do();
        let refused = refused(&planned).len();
        assert!(refused < 30 * number / limit, "{refused} copies refused");
    }
}

#[test]
fn images_that_aws_refuses_start_when_others_have_finished() {
    let mut world = empty_world();
    world.quotas.image_copies_in_flight = 2;
    let jobs = add_images(&mut world, 5);
    let planned = Planned::new(world, jobs);
    succeeds(&planned);
    let mut world = planned.sandbox.world();
    assert_eq!(destination(&mut world).images.len(), 5);
}

#[test]
fn copies_that_still_wait_at_the_limit_are_deferred() {
    let planned = limited(2, 1);
    let results = planned.wait(up_to(100));
    let copies: Vec<ActionOutcome> = results.iter().map(|result| outcomes(result)[0]).collect();
    assert_eq!(copies, [ActionOutcome::Done, ActionOutcome::Deferred]);
    results.iter().for_each(|result| kept_all(&planned, result));
}

#[test]
fn law_7_copies_that_can_no_longer_be_read_hold_up_no_others() {
    let denied = fault("DescribeDBSnapshots", "AccessDenied", Some(1));
    let results = with_fault(&planned(25), &in_region(&west(), denied));
    let (failed, well) = failed_and_others(&results);
    assert_eq!((failed.len(), well.len()), (20, 5), "{results:?}");
    for result in failed {
        assert_says(&result.errors[0].message, "failed to read the state");
    }
}

#[test]
fn a_read_with_a_transient_error_is_retried_before_the_copy() {
    for (times, is_too_long) in [(Some(2), false), (None, true)] {
        let planned = planned(22);
        // While jobs wait for copies, sources are read only before a copy is started or deleted.
        let results = with_fault(&planned, &throttled_in(east(), times));
        let failed = results.iter().any(SyncResult::failed);
        assert_eq!(failed, is_too_long, "{results:?}");
        assert!(planned.seconds() < 2 * 3600, "{} s", planned.seconds());
    }
}

#[test]
fn when_aws_accepts_copies_again_all_of_them_start() {
    let mut world = empty_world();
    world.copy_seconds = 7_200;
    let jobs = add_images(&mut world, 60);
    let planned = Planned::new(world, jobs);
    // The first ones, and the next two that are tried.
    let times = u32::try_from(PARALLELISM + 2).expect("a number");
    let refusals = fault("CopyImage", "ResourceLimitExceeded", Some(times));
    planned.sandbox.edit(|world| world.faults.push(refusals));
    no_failures(&planned.wait(Wait::ToTheEnd));
    assert!(last_asked(&planned, "CopyImage") < 900);
}

#[test]
fn law_7_earlier_copies_that_could_not_be_read_do_not_count_forever() {
    for code in ["Throttling", "AccessDenied"] {
        // Each has a copy in progress and a newer snapshot to be copied.
        let planned = planned(20);
        planned.apply_but_deletions();
        planned.sandbox.edit(|world| {
            for n in 0..20 {
                add_automated(world, &format!("db{n}"), days_ago(-1));
            }
        });
        let once = fault("DescribeDBSnapshots", code, Some(1));
        no_failures(&with_fault(&planned.again(), &in_region(&west(), once)));
    }
}

#[test]
fn earlier_copies_still_count_after_a_read_has_failed() {
    let planned = planned(22);
    assert_eq!(failed_and_others(&planned.apply()).0.len(), 2);
    let planned = planned.again();
    no_failures(&with_fault(&planned, &throttled_in(west(), Some(1))));
    let refused = refused(&planned).len();
    assert!(refused <= 2, "{refused} copies refused");
}

fn europe() -> Region {
    Region::from("eu-west-1")
}

/// Adds databases in another source region, each with a copy to make.
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
    let (mut world, jobs) = databases(60, 1..4);
    let europe_jobs = databases_of_europe(&mut world, 5);
    // After the copies that start at once, before those of two more rounds.
    let jobs = [&jobs[..20], &europe_jobs, &jobs[20..]].concat();
    let planned = Planned::new(world, jobs);
    no_failures(&with_fault(&planned, &throttled_in(europe(), Some(1))));
    let mut made = planned.sandbox.world();
    let made = &mut destination(&mut made).snapshots;
    made.retain(|s| s.created > Some(start()));
    made.sort_by_key(|s| s.created);
    assert_eq!(made.len(), 65);
    let is_of_europe = |s: &WorldArtifact| {
        s.parent
            .as_ref()
            .is_some_and(|id| id.as_str().starts_with("eu"))
    };
    let last = made.iter().rposition(is_of_europe);
    assert!(last.is_some_and(|last| last < 45), "{last:?}");
}

#[test]
fn law_7_a_region_that_does_not_answer_holds_up_no_copies_of_others() {
    let (mut world, healthy) = databases(10, 1..4);
    let jobs = [databases_of_europe(&mut world, 60), healthy].concat();
    let planned = Planned::new(world, jobs);
    let is_first = AtomicBool::new(true);
    let healthy_done = Mutex::new(None);
    let results = planned.watched(up_to(86_400), &|event| match event {
        Event::CopyDeferred { .. } if is_first.swap(false, Ordering::Relaxed) => {
            let throttled = throttled_in(europe(), None);
            planned.sandbox.edit(|world| world.faults.push(throttled));
        }
        Event::ActionFinished { job, .. }
            if is_copied(&event) && job.as_str().starts_with("sync_db") =>
        {
            *healthy_done.lock().expect("no panic") = Some(planned.seconds());
        }
        _ => {}
    });
    let (failed, _) = failed_and_others(&results);
    let is_of_europe = |result: &&SyncResult| result.name.as_str().starts_with("sync_eu");
    assert!(failed.iter().all(is_of_europe));
    assert_eq!(failed.len(), 40);
    // As soon as the first copies, which take ten minutes, have finished.
    let after = healthy_done.into_inner().expect("no panic");
    assert!(after.is_some_and(|seconds| seconds < 1000), "{after:?}");
}

#[test]
fn after_a_refusal_copies_are_tried_one_at_a_time_and_half_a_minute_apart() {
    let planned = planned_in(12, |world| {
        world.quotas.snapshot_copies_in_flight = 2;
        // Someone else's copy takes one of the two slots for a day.
        let mut other = our_copy(world, "theirs", days_ago(0));
        other.state = state("creating");
        other.copying = Some(Copying {
            since: start(),
            until: start() + SignedDuration::from_hours(24),
            fails: None,
        });
        world.add_snapshot(&west(), other);
    });
    succeeds(&planned);
    let refused = refused(&planned);
    // All but one are tried before the first refusal is known.
    let later = refused.get(11..).expect("the first ones");
    for two in later.windows(2) {
        let gap = two[1].at.duration_since(two[0].at);
        assert!(gap.as_secs() >= 30, "{gap:?} between two refusals");
    }
    assert!(!later.is_empty(), "copies of others may finish");
}

#[test]
fn the_limit_that_aws_names_applies_from_then_on() {
    let planned = limited(12, 2);
    succeeds(&planned);
    // All but two are tried before the first refusal is known, and none is refused afterwards.
    assert_eq!(refused(&planned).len(), 10);
}

#[test]
fn reads_are_frequent_again_when_a_copy_has_started() {
    let planned = limited(2, 1);
    succeeds(&planned);
    let mut copies = planned.calls("CopyDBSnapshot");
    copies.retain(|call| call.error.is_none());
    let second = copies.last().expect("the second copy").at;
    let mut reads = planned.calls("DescribeDBSnapshots");
    reads.retain(|call| {
        let after = call.at.duration_since(second).as_secs();
        call.region == west() && (1..20).contains(&after)
    });
    assert!(reads.len() >= 3, "reads within 20 s");
}

#[test]
fn law_7_the_only_slot_is_not_kept_for_a_region_that_does_not_answer() {
    let (mut world, healthy) = databases(21, 1..4);
    let silent = databases_of_europe(&mut world, 2);
    let jobs = [&healthy[..20], &silent, &healthy[20..]].concat();
    world.copy_seconds = 7_200;
    let planned = Planned::new(world, jobs);
    planned.changed_at(is_deferred, up_to(1_200), |world| {
        world.faults.push(throttled_in(europe(), None));
        // One of the twenty finishes soon.
        let soon = world.now + SignedDuration::from_secs(60);
        copying(world).copying.as_mut().expect("a copy").until = soon;
    });
    // And not after ten minutes without an answer.
    let after = last_asked(&planned, "CopyDBSnapshot");
    assert!((60..300).contains(&after), "{after}");
}

#[test]
fn copies_from_another_region_take_no_slot() {
    let eu = Region::from("eu-west-1");
    let (mut world, mut jobs) = databases(2, 1..2);
    world.quotas.snapshot_copies_in_flight = 1;
    let of_eu = database(&mut world, "db1");
    world.add_region(&eu).databases.push(of_eu.clone());
    world.add_snapshot(&eu, WorldArtifact::automated(&of_eu, days_ago(0)));
    jobs[1].source_region = eu;
    jobs[1].has_shared_parent_name = true;
    Planned::new(world, jobs).succeeds();
}
