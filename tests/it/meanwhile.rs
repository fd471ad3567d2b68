//! What others change between a plan and its apply, or while it is applied.

use std::sync::atomic::AtomicBool;

use aws_xregion_sync::executor::{self, Event, Options, Wait};
use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::{Arn, ArtifactId};
use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::{ActionOutcome, ActionResult, SyncResult};
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox, WorldArtifact};
use aws_xregion_sync::sync_types::SyncJob;

use crate::laws::worlds::{NONE, copied, database_job, images_in_destination, one_image, written};
use crate::support::*;

/// Applies a plan; somebody changes something before each action.
fn apply_with(
    provider: &dyn Provider,
    plan: &SavedPlan,
    jobs: &[SyncJob],
    change: impl Fn(&Action) + Sync,
) -> Vec<SyncResult> {
    let (callers, stop) = (callers(jobs), AtomicBool::new(false));
    let options = Options {
        parallelism: PARALLELISM,
        wait: Wait::No,
        stop: &stop,
    };
    let on_event = |event: Event<'_>| {
        if let Event::ActionStarted { action, .. } = event {
            change(action);
        }
    };
    block_on(executor::apply(
        provider, plan, &callers, None, options, &on_event,
    ))
}

/// The copy of four that a job with `max_snapshots_to_retain: 2` deletes.
fn to_delete() -> ArtifactId {
    ArtifactId::from("rds-db-2026-01-12-05-10")
}

#[test]
fn a_copy_that_somebody_else_deletes_is_already_deleted() {
    for word in ["deleting", "deleted"] {
        let sandbox = Sandbox::new(copied("db", 0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(|world| {
            world.snapshot_mut(&west(), &to_delete()).expect("it").state = state(word);
        });
        let results = apply(&sandbox, &planned, &jobs);
        no_failures(&results);
        let outcome = results[0].actions[0].outcome;
        assert_eq!(outcome, ActionOutcome::AlreadyDone, "{word}");
        assert_eq!(written(&sandbox), 0, "{word}");
    }
}

#[test]
fn the_second_of_two_deletions_reads_what_has_become_of_the_copy() {
    // What somebody does between the observation and the deletion; `None` removes the copy.
    for (found, outcome) in [
        (None, ActionOutcome::AlreadyDone),
        (Some("deleting"), ActionOutcome::AlreadyDone),
        (Some("modifying"), ActionOutcome::Failed),
    ] {
        let sandbox = Sandbox::new(copied("db", 0..4));
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        let results = apply_with(&sandbox, &planned, &jobs, |_| {
            sandbox.edit(|world| {
                let code = "InvalidDBSnapshotState";
                let refused = Fault::new("DeleteDBSnapshot", code, "being deleted", Some(1));
                world.faults.push(refused);
                match found {
                    Some(word) => {
                        world.snapshot_mut(&west(), &to_delete()).expect("it").state = state(word);
                    }
                    None => {
                        let here = world.region_mut(&west()).expect("the destination");
                        here.snapshots.retain(|snapshot| snapshot.id != to_delete());
                    }
                }
            });
        });
        assert_eq!(results[0].actions[0].outcome, outcome, "{found:?}");
        assert_eq!(results[0].deleted_resources, NONE);
    }
}

#[test]
fn a_copy_that_is_being_deleted_is_made_again_with_the_next_id() {
    let mut world = copied("db", 0..2);
    let going = ArtifactId::from("rds-db-2026-01-15-05-10");
    world.snapshot_mut(&west(), &going).expect("it").state = state("deleting");
    let sandbox = Sandbox::new(world);
    let jobs = database_job();
    let results = sync(&sandbox, &jobs);
    assert_eq!(
        created(&results[0]),
        Some("rds-db-2026-01-15-05-10-us-east-1")
    );
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn another_copy_counts_beside_one_that_is_being_deleted() {
    let mut world = copied("db", 0..0);
    let mut going = our_copy(&mut world, "db", days_ago(0));
    going.id = ArtifactId::from(format!("{}-us-east-1", going.id));
    going.state = state("deleting");
    world.add_snapshot(&west(), going);
    let bare = add_copy_of_the_gem(&mut world, "db");
    world.snapshot_mut(&west(), &bare).expect("it").state = state("creating");
    let planned = plan(&Sandbox::new(world), &database_job());
    assert_eq!(
        actions(&planned),
        ["sync_db/tag-copy", "sync_db/tag-source"]
    );
    let observed = planned.jobs[0].observed.as_ref().expect("an observation");
    let newest = observed.newest_copy.as_ref().expect("a copy");
    assert_eq!(newest.id, bare);
}

#[test]
fn a_copy_that_has_changed_is_not_tagged_and_neither_is_its_source() {
    type Change = fn(&mut WorldArtifact);
    let changes: [(&str, Change); 4] = [
        ("fails", |copy| copy.state = state("failed")),
        ("is being deleted", |copy| copy.state = state("deleting")),
        ("states no time", |copy| {
            copy.data_time = None;
        }),
        ("has lost what tells its source", |copy| {
            (copy.copied_from, copy.data_time) = (None, None);
            copy.created = Some(days_ago(0));
        }),
    ];
    for (what, change) in changes {
        let mut world = copied("db", 0..0);
        let bare = add_copy_of_the_gem(&mut world, "db");
        let sandbox = Sandbox::new(world);
        let jobs = database_job();
        let planned = plan(&sandbox, &jobs);
        assert_eq!(
            actions(&planned),
            ["sync_db/tag-copy", "sync_db/tag-source"]
        );
        sandbox.edit(|world| change(world.snapshot_mut(&west(), &bare).expect("it")));
        let results = apply(&sandbox, &planned, &jobs);
        let outcomes: Vec<ActionOutcome> = results[0].actions.iter().map(|a| a.outcome).collect();
        assert_eq!(
            outcomes,
            [ActionOutcome::Stale, ActionOutcome::Skipped],
            "{what}"
        );
        assert_eq!(written(&sandbox), 0, "{what}");
    }
}

#[test]
fn a_copy_that_is_gone_is_not_named_on_its_source() {
    for how in ["removed", "deregistered"] {
        let (sandbox, jobs) = one_image();
        sandbox.edit(|world| {
            let owner = world.default_account();
            let mut bare = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0));
            bare.copied_from = Some(Arn::of_image(&east(), &"ami-0a".into()));
            world.add_image(&west(), bare);
            let source = world.image_mut(&east(), &"ami-0a".into());
            let tag = "20260114051000+0000 / ami-0b";
            source.expect("it").tags.insert("Sync-us-west-1", tag);
        });
        let planned = plan(&sandbox, &jobs);
        assert_eq!(
            actions(&planned),
            ["sync_web/tag-copy", "sync_web/tag-source"]
        );
        sandbox.edit(|world| {
            let here = world.region_mut(&west()).expect("the destination");
            match how {
                "removed" => here.images.clear(),
                word => here.images[0].state = state(word),
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        let outcomes: Vec<ActionOutcome> = results[0].actions.iter().map(|a| a.outcome).collect();
        assert_eq!(
            outcomes,
            [ActionOutcome::Stale, ActionOutcome::Skipped],
            "{how}"
        );
        assert_eq!(written(&sandbox), 0, "{how}");
    }
}

#[test]
fn a_source_that_is_gone_is_not_tagged() {
    let (mut world, mut jobs) = (copied("db", 1..5), database_job().to_vec());
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
        let done = |a: &ActionResult| a.outcome == ActionOutcome::AlreadyDone;
        assert!(result.actions.iter().all(done), "{result:?}");
        let tag = &result.actions[1];
        assert_eq!(tag.detail.as_deref(), Some("the source is gone"));
    }
}

#[test]
fn a_throttled_read_of_the_new_image_is_made_again() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    let results = apply_with(&sandbox, &planned, &jobs, |action| {
        if matches!(action, Action::Copy(_)) {
            let throttled = Fault::new("DescribeImages", "Throttling", "Rate exceeded", Some(2));
            sandbox.edit(|world| world.faults.push(throttled));
        }
    });
    no_failures(&results);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Done);
    assert_eq!(images_in_destination(&sandbox).len(), 1);
}
