//! What happens between a plan and its apply, or while it is applied: hands, time, and listings that lag behind.

use crate::support::*;
use aws_xregion_sync::model::id::SnapshotId;
use aws_xregion_sync::model::job::SyncJob;
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::provider::sandbox::{Sandbox, World};

/// A database with copies of the days before its newest snapshot, or of that, too.
fn copied(days: std::ops::Range<i64>) -> World {
    let mut world = empty_world();
    add_automated(&mut world, "db", days_ago(0));
    for day in days {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    world
}

fn database_job() -> [SyncJob; 1] {
    [snapshot_job("sync_db", "db", 2)]
}

/// The copy of four that `retain: 2` deletes.
fn doomed() -> SnapshotId {
    SnapshotId::from("rds-db-2026-01-12-05-10")
}

fn is_there(sandbox: &Sandbox, id: &SnapshotId) -> bool {
    sandbox.world().snapshot(&west(), id).is_some()
}

#[test]
fn law_5_an_old_plan_deletes_no_copy_of_a_database_that_was_made_anew_since() {
    let sandbox = Sandbox::new(copied(0..4));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned), [doomed()]);
    sandbox.edit(|world| {
        let mut newer = our_copy(world, "db", days_ago(-1));
        newer.instance_created = Some(days_ago(0));
        world.add_manual_snapshot(&west(), newer);
    });
    let results = apply(&sandbox, &planned, &jobs);
    let result = &results[0].actions[0];
    assert_eq!(result.outcome, ActionOutcome::Stale);
    let detail = result.detail.as_deref().expect("a difference");
    assert!(detail.contains("database of"), "{detail}");
    assert!(is_there(&sandbox, &doomed()));
}

#[test]
fn law_5_an_old_plan_deletes_nothing_while_it_cannot_be_told_which_database_is_the_present_one() {
    // The newest copy does not say when its database was made; its source does, if it is there.
    for (source_says, outcome) in [
        (None, ActionOutcome::Stale),
        (Some(days_ago(0)), ActionOutcome::Stale),
        (Some(days_ago(365)), ActionOutcome::Done),
    ] {
        let sandbox = Sandbox::new(copied(0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(|world| {
            let mut newer = our_copy(world, "db", days_ago(-1));
            newer.instance_created = None;
            world.add_manual_snapshot(&west(), newer);
            if source_says.is_some() {
                let source = add_automated(world, "db", days_ago(-1));
                let source = world.snapshot_mut(&east(), &source).expect("it");
                source.instance_created = source_says;
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        let found = results[0].actions[0].outcome;
        assert_eq!(found, outcome, "{source_says:?}: {results:?}");
        let kept = outcome == ActionOutcome::Stale;
        assert_eq!(is_there(&sandbox, &doomed()), kept, "{source_says:?}");
        // The planner sees it no other way.
        let anew = deletions(&plan(&sandbox, &jobs));
        assert!(!kept || !anew.contains(&doomed()), "{source_says:?}");
    }
}

#[test]
fn a_source_that_is_gone_has_nothing_to_be_tagged() {
    let (mut world, mut jobs) = (copied(1..5), database_job().to_vec());
    add_image(&mut world, "ami-0a", "web", "Web");
    jobs.push(ami_job("sync_web", "Web"));
    let sandbox = Sandbox::new(world);
    let planned = plan(&sandbox, &jobs);
    no_failures(&apply(&sandbox, &planned, &jobs));
    sandbox.edit(|world| {
        let here = world.region_mut(&east()).expect("the source");
        here.snapshots.clear();
        here.images.clear();
    });
    let results = apply(&sandbox, &planned, &jobs);
    no_failures(&results);
    for (result, planned) in results.iter().zip(&planned.jobs) {
        assert_eq!(result.warnings, planned.warnings);
        let done = |a: &aws_xregion_sync::model::result::ActionResult| {
            a.outcome == ActionOutcome::AlreadyDone
        };
        assert!(result.actions.iter().all(done), "{result:?}");
        let tag = &result.actions[1];
        assert_eq!(tag.detail.as_deref(), Some("the source is gone"));
    }
}
