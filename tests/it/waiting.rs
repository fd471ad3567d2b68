//! Waiting until copies are available: what ends the wait, and what follows.

mod deferred;
mod reads;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;

use crate::support::*;

/// A world with databases, each with a copy to make and one to delete.
fn planned(number: usize) -> Planned {
    planned_in(number, |_| {})
}

fn planned_in(number: usize, change: impl FnOnce(&mut World)) -> Planned {
    let (mut world, jobs) = databases(number, 1..4);
    change(&mut world);
    Planned::new(world, jobs)
}

fn fault(call: &str, code: &str, times: Option<u32>) -> Fault {
    Fault::new(call, code, "for the moment", times)
}

/// Returns a copy in progress.
fn copying(world: &mut World) -> &mut WorldArtifact {
    let mut copies = destination(world).snapshots.iter_mut();
    copies.find(|s| s.copying.is_some()).expect("a copy")
}

fn set_state(copy: &mut WorldArtifact, word: &str) {
    (copy.state, copy.copying) = (state(word), None);
}

type Change = fn(&mut World);

/// Checks that nothing was deleted, and that the job says so.
#[track_caller]
fn kept_all(planned: &Planned, result: &SyncResult) {
    assert!(result.failed(), "{result:?}");
    assert_eq!(result.deleted_resources, []);
    let last = outcomes(result).pop();
    assert_eq!(last, Some(ActionOutcome::Skipped), "{result:?}");
    assert_eq!(planned.calls("DeleteDBSnapshot"), []);
}

/// Checks that each database has its new copy, which is available, and two others.
#[track_caller]
fn copied_all(planned: &Planned) {
    for job in &planned.jobs {
        if let Some(database) = job.rules.parent() {
            let copies = copies_of(&planned.sandbox.world(), database.as_str());
            assert_eq!(copies.len(), 3);
            assert!(copies.iter().all(|copy| copy.state.is_available()));
        }
    }
}

#[test]
fn old_copies_are_deleted_when_the_new_ones_are_available() {
    let (mut world, mut jobs) = databases(3, 1..4);
    add_image(&mut world, "ami-0a", "web", "web");
    jobs.push(ami_job("sync_web", "web"));
    let planned = Planned::new(world, jobs);
    let seen = Mutex::new(Vec::new());
    let results = planned.watched(Wait::ToTheEnd, &|event| {
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
    });
    no_failures(&results);
    copied_all(&planned);
    assert!(planned.seconds() >= 600);

    let calls = planned.sandbox.calls();
    let first = calls.iter().find(|call| call.call == "DeleteDBSnapshot");
    let last_copy = calls.iter().rfind(|call| call.call.starts_with("Copy"));
    let waited = first
        .zip(last_copy)
        .map(|(first, last)| first.at.duration_since(last.at).as_secs());
    assert!(waited.is_some_and(|seconds| seconds >= 590), "{waited:?}");
    // With pauses that grow from half a second to a minute, there are about twenty reads in ten minutes, of the copies only, with
    // all databases in one read. The source is read three times: to plan, to copy and to delete.
    let reads = planned.calls("DescribeDBSnapshots");
    let reads_of = |region| reads.iter().filter(|call| call.region == region).count();
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
        let is_seen = seen.iter().any(|seen| seen.starts_with(line));
        assert!(is_seen, "{line}: {seen:?}");
    }
}

#[test]
fn the_limit_ends_the_wait_and_not_the_copy() {
    let planned = planned(1);
    let results = planned.wait(up_to(300));
    kept_all(&planned, &results[0]);
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Done);
    assert!(results[0].created_resource.is_some());
    let error = &results[0].errors[0];
    assert_says(&error.message, "still in progress (creating, ");
    assert_says(&error.message, "5 min");
    assert_help(error, "--wait");
    assert!((300..330).contains(&planned.seconds()));

    // AWS continues to copy, and the same plan can be applied again to finish the rest.
    let again = planned.wait(Wait::ToTheEnd);
    no_failures(&again);
    assert_eq!(outcomes(&again[0])[0], ActionOutcome::AlreadyDone);
    assert_eq!(again[0].deleted_resources.len(), 1);
    assert_eq!(planned.calls("CopyDBSnapshot").len(), 1);
    planned.assert_nothing_to_do();
}

#[test]
fn law_5_a_new_plan_deletes_only_when_the_copy_of_an_earlier_run_is_available() {
    let planned = planned(2);
    let kept_all_after_a_minute = |planned: &Planned| {
        let results = planned.wait(up_to(60));
        results.iter().for_each(|result| kept_all(planned, result));
    };
    kept_all_after_a_minute(&planned);
    let planned = planned.again();
    assert_eq!(deletions(&planned.plan).len(), 2, "and no copy");
    let actions = actions(&planned.plan);
    assert!(actions.iter().all(|id| id.contains("/delete/")));

    kept_all_after_a_minute(&planned);
    no_failures(&planned.wait(Wait::ToTheEnd));
    assert!(planned.seconds() >= 600);
    copied_all(&planned);
}

#[test]
fn law_5_nothing_is_deleted_while_the_copy_is_in_an_unknown_state() {
    let planned = planned(1);
    planned.wait(up_to(60));
    let change = |world: &mut World| set_state(copying(world), "incompatible-restore");
    planned.sandbox.edit(change);
    let planned = planned.again();
    assert_eq!(deletions(&planned.plan).len(), 1);
    kept_all(&planned, &planned.wait(up_to(86_400))[0]);
}

#[test]
fn law_5_nothing_is_deleted_when_the_copy_of_an_earlier_run_fails() {
    let planned = planned_in(1, fail_next_copy);
    planned.wait(up_to(60));
    let planned = planned.again();
    assert_eq!(deletions(&planned.plan).len(), 1);
    let finished = Mutex::new(0);
    let results = planned.watched(Wait::ToTheEnd, &|event| {
        if let Event::ActionFinished { .. } = event {
            *finished.lock().expect("no panic") += 1;
        }
    });
    kept_all(&planned, &results[0]);
    assert_says(&results[0].errors[0].message, "its state is failed");
    assert_eq!(finished.into_inner().expect("no panic"), 1, "told once");
}

#[test]
fn a_copy_that_fails_before_its_tag_ends_its_job_once() {
    let planned = planned_in(1, |world| {
        // It has failed when the tag of its source is due.
        world.copy_seconds = 30;
        fail_next_copy(world);
    });
    let told = Mutex::new(0);
    let results = planned.watched(Wait::ToTheEnd, &|event| {
        if let Event::ActionFinished { .. } = event {
            *told.lock().expect("no panic") += 1;
        }
        if is_copied(&event) {
            let later = SignedDuration::from_secs(90);
            planned.sandbox.edit(|world| world.advance(later));
        }
    });
    kept_all(&planned, &results[0]);
    assert_eq!(results[0].errors.len(), 1, "{results:?}");
    let told = told.into_inner().expect("no panic");
    assert_eq!(told, planned.plan.jobs[0].actions.len());
}

#[test]
fn a_newer_copy_that_makes_the_planned_one_unnecessary_is_waited_for() {
    let planned = planned(1);
    let older = planned.plan.clone();
    let sandbox = &planned.sandbox;
    sandbox.edit(|world| add_automated(world, "db0", days_ago(-1)));
    let planned = planned.again();
    planned.apply_but_deletions();
    let planned = Planned {
        plan: older,
        ..planned
    };
    let results = planned.wait(up_to(60));
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::AlreadyDone);
    kept_all(&planned, &results[0]);
}

#[test]
fn a_copy_that_fails_or_is_gone_ends_its_job_at_once() {
    let results = planned_in(2, fail_next_copy).wait(Wait::ToTheEnd);
    let (failed, well) = failed_and_others(&results);
    assert_eq!((failed.len(), well.len()), (1, 1), "{results:?}");
    assert_eq!(failed[0].deleted_resources, []);
    assert_says(&failed[0].errors[0].message, "its state is failed");
    assert_eq!(well[0].deleted_resources.len(), 1);

    let changes: [(Change, &str); 2] = [
        (
            |world| set_state(copying(world), "deleting"),
            "its state is deleting",
        ),
        (
            |world| destination(world).snapshots.retain(|s| s.copying.is_none()),
            "is gone",
        ),
    ];
    for (change, expected) in changes {
        let planned = planned(1);
        let results = planned.changed_at(is_progress, Wait::ToTheEnd, change);
        kept_all(&planned, &results[0]);
        assert_says(&results[0].errors[0].message, expected);
        assert!(planned.seconds() < 400, "{expected}");
    }
}

#[test]
fn a_used_up_quota_of_snapshots_is_not_waited_for() {
    for wait in [Wait::No, Wait::ToTheEnd] {
        let planned = planned_in(1, |_| {});
        planned
            .sandbox
            .edit(|world| world.quotas.manual_snapshots = 3);
        let results = planned.wait(wait);
        assert_eq!(outcomes(&results[0])[0], ActionOutcome::Failed);
        let aws = results[0].errors[0].aws.as_ref().expect("AWS's own words");
        assert_eq!(aws.code, "SnapshotQuotaExceeded");
        assert_says(&aws.message, "manual snapshots");
        assert!(planned.seconds() < 30);
    }
}

#[test]
fn an_interrupt_ends_the_wait_within_a_second() {
    let planned = planned_in(2, |world| world.quotas.snapshot_copies_in_flight = 1);
    let stop = AtomicBool::new(false);
    let results = planned.stopped(&stop, Wait::ToTheEnd, &|event| {
        if is_progress(&event) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    for result in &results {
        kept_all(&planned, result);
        assert_says(&result.errors[0].message, "interrupted");
    }
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Done);
    assert_eq!(outcomes(&results[1])[0], ActionOutcome::Skipped);
    assert!(planned.seconds() < 60);
}
