//! An apply that is interrupted, loses its credentials, or reaches AWS's limits.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::*;

/// A world with databases, each with a copy to make and two to delete.
fn planned(number: usize) -> Planned {
    let (world, jobs) = databases(number, 1..5);
    Planned::new(world, jobs)
}

/// Checks the detail of a job's first action, which is shown after its id and outcome and must not repeat them.
fn assert_detail(result: &SyncResult, start: &str) {
    let detail = result.actions[0].detail.as_deref().expect("a detail");
    assert!(detail.starts_with(start), "{detail}");
}

#[test]
fn after_an_interrupt_no_action_starts_and_everything_is_reported() {
    let planned = planned(20);
    let (stop, finished) = (AtomicBool::new(false), AtomicBool::new(false));
    let results = planned.stopped(&stop, Wait::No, &|event| match event {
        Event::ActionFinished { .. } => stop.store(true, Ordering::Relaxed),
        Event::JobFinished(_) => finished.store(true, Ordering::Relaxed),
        Event::ActionStarted { .. } | Event::CopyDeferred { .. } | Event::CopyProgress { .. } => {}
    });

    assert!(finished.into_inner());
    assert_eq!(results.len(), 20);
    let outcomes_of_all = results.iter().flat_map(outcomes);
    let done = outcomes_of_all.filter(|outcome| *outcome == ActionOutcome::Done);
    let done = done.count();
    let written = writes(&planned.sandbox).len();
    assert_eq!(done, written, "what was running is finished and reported");
    assert!((1..=PARALLELISM).contains(&done), "{done} were started");
    let untouched = results.last().expect("a result");
    assert!(untouched.failed());
    assert_says(&untouched.errors[0].message, "interrupted");
    let mut outcomes = outcomes(untouched).into_iter();
    assert!(outcomes.all(|outcome| outcome == ActionOutcome::Skipped));

    // Applied again, it ends as if there had been no interrupt.
    planned.succeeds();
    for n in 0..20 {
        let copies = copies_of(&planned.sandbox.world(), &format!("db{n}"));
        assert_eq!(copies.len(), 3);
    }
}

#[test]
fn after_credentials_have_expired_no_more_calls_are_made_with_them() {
    let planned = planned(150);
    let before = planned.sandbox.calls().len();
    planned.sandbox.edit(|world| {
        let account = world.default_account();
        world.expired_credentials.push(account);
    });
    for result in planned.apply() {
        assert!(result.failed());
        let aws = result.errors[0].aws.as_ref().expect("AWS's own words");
        assert_says(&aws.code, "Expired");
    }
    let asked = planned.sandbox.calls().len() - before;
    // A hundred jobs are observed together, and one round of reads is enough.
    assert!(asked <= 1 + 2 * 100 + 3 * PARALLELISM, "{asked} calls");
    assert_eq!(writes(&planned.sandbox).len(), 0);
}

#[test]
fn the_limit_of_concurrent_copies_is_known_by_every_spelling_of_its_code() {
    let of_snapshots = "Cannot copy more than 20 snapshots across regions";
    for (call, code, message) in [
        ("CopyImage", "Client.ResourceLimitExceeded", "Too many"),
        ("CopyDBSnapshot", "SnapshotQuotaExceededFault", of_snapshots),
    ] {
        let (mut world, mut jobs) = databases(1, 1..5);
        jobs.extend(add_images(&mut world, 1));
        world.faults.push(Fault::new(call, code, message, None));
        let planned = Planned::new(world, jobs);
        let copies = planned.apply();
        let mut copies = copies.iter().map(|result| outcomes(result)[0]);
        assert!(copies.any(|outcome| outcome == ActionOutcome::Deferred));
        planned.sandbox.edit(|world| world.faults.clear());
        planned.succeeds();
    }
}

#[test]
fn a_copy_does_not_adopt_another_snapshot_that_has_its_id() {
    let stale = planned(1);
    stale.sandbox.edit(|world| {
        let mut other = our_copy(world, "db0", days_ago(0));
        other.copied_from = None;
        other.data_time = Some(days_ago(20));
        other.tags.clear();
        world.add_snapshot(&west(), other);
    });
    // The listing lags behind and does not show it, so AWS says that the id is in use.
    let failed = planned(1);
    let code = "DBSnapshotAlreadyExists";
    let taken = Fault::new("CopyDBSnapshot", code, "Cannot create the snapshot", None);
    failed.sandbox.edit(|world| world.faults.push(taken));
    let held =
        "id of the copy: expected free, found held by a snapshot made in that region (available)";
    let says = "the plan is stale: id of the copy";
    let refused = "CopyDBSnapshot in us-west-1: DBSnapshotAlreadyExists: ";
    for (planned, outcome, detail, message) in [
        (stale, ActionOutcome::Stale, held, says),
        (
            failed,
            ActionOutcome::Failed,
            refused,
            "sync_db0/copy failed",
        ),
    ] {
        let results = planned.apply();
        assert_eq!(outcomes(&results[0])[0], outcome, "{results:?}");
        // The detail is shown after the action's id and outcome, and must not repeat them.
        assert_detail(&results[0], detail);
        assert_says(&results[0].errors[0].message, message);
        assert_eq!(results[0].deleted_resources, []);
    }
}

#[test]
fn a_copy_that_is_disabled_while_it_is_waited_for_is_there() {
    let (sandbox, jobs) = one_image();
    let planned = Planned::new(sandbox.world(), jobs);
    let results = planned.watched(Wait::ToTheEnd, &|event| {
        if let Event::CopyProgress { .. } = event {
            planned.sandbox.edit(|world| {
                let here = world.region_mut(&west()).expect("the destination");
                (here.images[0].state, here.images[0].copying) = (state("disabled"), None);
            });
        }
    });
    no_failures(&results);
    let waited = planned
        .sandbox
        .world()
        .now
        .duration_since(start())
        .as_secs();
    assert!(waited < 60, "{waited} s, and a copy takes 600");
}
