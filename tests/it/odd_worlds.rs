//! Unusual worlds, and changes between plan and apply that make an action stale.

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::planfile;
use aws_xregion_sync::provider::sandbox::{Sandbox, WorldArtifact};
use jiff::SignedDuration;

use crate::laws::worlds::{NONE, copied, written};
use crate::support::*;

#[test]
fn a_database_is_the_same_despite_a_fraction_of_a_second() {
    let mut world = copied("db", 0..0);
    for day in 1..5 {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        copy.parent_created = copy
            .parent_created
            .map(|time| time + SignedDuration::from_millis(417));
        world.add_snapshot(&west(), copy);
    }
    let jobs = [snapshot_job("sync_db", "db", 2)];
    assert_eq!(deletions(&plan(&Sandbox::new(world), &jobs)).len(), 2);
}

#[test]
fn a_copy_that_is_being_deleted_is_not_in_progress() {
    let mut world = empty_world();
    add_automated(&mut world, "db", days_ago(1));
    for day in 1..4 {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    let mut going = our_copy(&mut world, "db", days_ago(0));
    going.state = state("deleting");
    world.add_snapshot(&west(), going);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    assert_eq!(deletions(&plan(&Sandbox::new(world), &jobs)), NONE);
}

#[test]
fn a_copy_without_room_for_a_tag_is_named_in_a_warning() {
    let mut world = copied("db", 0..0);
    let mut full = our_copy(&mut world, "db", days_ago(0));
    full.tags = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    let full = world.add_snapshot(&west(), full);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = plan(&sandbox, &jobs);
    assert!(
        job(&planned, "sync_db")
            .warnings
            .iter()
            .any(|w| w.contains(full.as_str()) && w.contains("no room"))
    );
    no_failures(&apply(&sandbox, &planned, &jobs));
}

#[test]
fn an_image_of_another_owner_is_no_copy_though_the_source_s_tag_names_it() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    let mut public = WorldArtifact::image("ami-0f", &"999999999999".into(), "web", days_ago(9));
    public.public = true;
    world.add_image(&west(), public);
    let source = world
        .image_mut(&east(), &"ami-0a".into())
        .expect("the source");
    let tag = "20260115051000+0000 / ami-0f";
    source.tags.insert("Sync-us-west-1", tag);
    let planned = plan(&Sandbox::new(world), &[ami_job("sync_web", "Web")]);
    assert_eq!(planned.summary.copy, 1);
}

#[test]
fn another_account_in_the_middle_of_an_apply_stops_it() {
    let sandbox = Sandbox::new(copied("db", 0..0));
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        world.accounts = vec!["999999999999".into()];
        let source = world.region_mut(&east()).expect("the source");
        let mut theirs = source.snapshots[0].clone();
        theirs.account = "999999999999".into();
        source.snapshots.push(theirs);
    });
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(
        results[0].actions[0].outcome,
        ActionOutcome::Stale,
        "{results:?}"
    );
    assert_eq!(written(&sandbox), 0);
}

#[test]
fn a_source_that_has_changed_since_the_plan_is_not_copied() {
    let source = ArtifactId::from("rds:db-2026-01-15-05-10");
    for what in ["state", "time", "gone"] {
        let sandbox = Sandbox::new(copied("db", 0..0));
        let jobs = [snapshot_job("sync_db", "db", 2)];
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(
            |world| match (what, world.snapshot_mut(&east(), &source).expect("it")) {
                ("state", snapshot) => snapshot.state = state("deleting"),
                ("time", snapshot) => snapshot.data_time = Some(days_ago(3)),
                _ => world
                    .region_mut(&east())
                    .expect("the source")
                    .snapshots
                    .clear(),
            },
        );
        let results = apply(&sandbox, &planned, &jobs);
        assert_eq!(
            results[0].actions[0].outcome,
            ActionOutcome::Stale,
            "{what}: {results:?}"
        );
        assert_eq!(written(&sandbox), 0, "{what}");
    }
    for what in ["state", "time"] {
        let mut world = empty_world();
        add_image(&mut world, "ami-0a", "web", "Web");
        let sandbox = Sandbox::new(world);
        let jobs = [ami_job("sync_web", "Web")];
        let planned = plan(&sandbox, &jobs);
        sandbox.edit(|world| {
            let image = world.image_mut(&east(), &"ami-0a".into()).expect("it");
            if what == "state" {
                image.state = state("failed");
            } else {
                image.created = Some(days_ago(5));
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        assert_eq!(
            results[0].actions[0].outcome,
            ActionOutcome::Stale,
            "{what}: {results:?}"
        );
        assert_eq!(written(&sandbox), 0, "{what}");
    }
}

#[test]
fn an_invalid_plan_is_refused_though_its_digest_is_right() {
    let sandbox = Sandbox::new(copied("db", 1..5));
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let valid = plan(&sandbox, &jobs);
    let forge = |change: fn(&mut SavedPlan)| {
        let mut forged = valid.clone();
        change(&mut forged);
        let value = serde_json::to_value(&forged).expect("JSON");
        forged.digest = planfile::digest(&value).expect("a digest");
        planfile::read(planfile::to_text(&forged).expect("JSON").as_bytes())
    };
    assert!(forge(|_| {}).is_ok());
    let refused = |change: fn(&mut SavedPlan)| {
        let problem = forge(change).expect_err("refused");
        let why = "it is not a plan that xrs would make";
        assert!(problem.message.starts_with(why), "{problem}");
    };
    refused(|plan| plan.jobs[0].actions.reverse());
    refused(|plan| plan.jobs[0].source = None);
    refused(|plan| {
        for action in &mut plan.jobs[0].actions {
            if let Action::Delete(deletion) = action {
                deletion.expects.kept.clear();
            }
        }
    });
}
