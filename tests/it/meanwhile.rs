//! What happens between a plan and its apply, or while it is applied: hands, time, and listings that lag behind.

use crate::support::*;
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
