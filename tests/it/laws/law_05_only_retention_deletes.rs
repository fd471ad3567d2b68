//! Law 5: only the retention rules delete anything: only our own copies, never the newest available one, never more than planned.
//!
//! Tests of what else keeps images are in `law_05_images_in_use_stay.rs`. More tests are in `waiting.rs` (deletions that wait for a
//! copy), `simulation.rs` (histories) and `moto/snapshots.rs` (pages),
//! and next to the code in `model/invariants.rs` and `provider/aws`.

use std::collections::BTreeSet;

use aws_xregion_sync::model::sync_tag::SyncTag;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

/// A source that no job has.
const OTHER_SOURCE: &str = "arn:aws:rds:us-east-1:123456789012:snapshot:rds:other";

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_5_only_the_retention_rules_delete(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        for round in 0..2 {
            let before = sandbox.world();
            let planned = plan(&sandbox, &jobs);
            let results = apply(&sandbox, &planned, &jobs);
            let after = sandbox.world();
            let allowed: BTreeSet<ArtifactId> = deletions(&planned).into_iter().collect();
            let reported: BTreeSet<&ArtifactId> =
                results.iter().flat_map(|result| &result.deleted_resources).collect();
            for (n, database) in recipe.databases.iter().enumerate() {
                let name = format!("db{n}");
                let gone = gone(&before, &after, &name);
                prop_assert!(gone.iter().all(|copy| allowed.contains(&copy.id)), "round {}: not planned", round);
                prop_assert!(gone.iter().all(|copy| reported.contains(&copy.id)), "round {}: not reported", round);
                if let Err(breach) = check_retention(&copies_of(&before, &name), &gone, database.retain) {
                    prop_assert!(false, "round {}: {}", round, breach);
                }
            }
            wait_for_copies(&sandbox);
        }
    }
}

/// Returns the copies of a database that an apply has deleted.
fn gone(before: &World, after: &World, name: &str) -> Vec<WorldArtifact> {
    let left: BTreeSet<ArtifactId> = copies_of(after, name)
        .into_iter()
        .map(|copy| copy.id)
        .collect();
    let mut gone = copies_of(before, name);
    gone.retain(|copy| !left.contains(&copy.id));
    gone
}

/// Returns the time in a readable sync tag.
fn tag_time(copy: &WorldArtifact) -> Option<Timestamp> {
    SyncTag::find(&copy.tags, "Sync-From-us-east-1").map(|tag| tag.time)
}

/// Returns the time that retention compares, if the copy counts. A copy that the gem left without a tag counts too: AWS states what
/// it is.
fn counted_time(copy: &WorldArtifact) -> Option<Timestamp> {
    let is_stated = copy.copied_from.is_some() && copy.id.as_str().starts_with("rds-");
    tag_time(copy).or(copy.data_time.filter(|_| is_stated))
}

/// Checks what an apply has deleted against an independent, naive restatement of the retention rules.
fn check_retention(
    before: &[WorldArtifact],
    gone: &[WorldArtifact],
    retain: u32,
) -> Result<(), String> {
    let available: Vec<&WorldArtifact> = before
        .iter()
        .filter(|copy| copy.state.is_available() && counted_time(copy).is_some())
        .collect();
    let newest = available.iter().max_by_key(|copy| counted_time(copy));
    // The newest copy of all, no matter who made it, shows which database of that name is the current one.
    let current_parent = before
        .iter()
        .filter(|copy| !copy.state.is_gone())
        .filter(|copy| copy.copied_from.is_some() || tag_time(copy).is_some())
        .max_by_key(|copy| (copy.data_time.or(tag_time(copy)), copy.id.clone()));
    for copy in gone {
        let id = &copy.id;
        let time = tag_time(copy).ok_or(format!("{id} had no readable sync tag for this job"))?;
        if copy.tags.contains_key("Sync-Keep") {
            return Err(format!("{id} was to be kept"));
        }
        if !["available", "failed"].contains(&copy.state.as_str()) {
            return Err(format!("{id} was {}", copy.state));
        }
        let source = copy.copied_from.as_ref();
        if source.is_some_and(|arn| !arn.as_str().starts_with("arn:aws:rds:us-east-1:")) {
            return Err(format!("{id} came from another region"));
        }
        let newest = newest.ok_or(format!("{id} was deleted, and nothing was available"))?;
        if *id == newest.id {
            return Err(format!("{id} was the newest available copy"));
        }
        let is_newer = |other: &&&WorldArtifact| counted_time(other) > Some(time);
        let newer = available.iter().filter(is_newer).count();
        let wanted = usize::try_from(retain).unwrap_or(usize::MAX).max(1);
        if copy.state.is_available() && newer < wanted {
            return Err(format!(
                "{id} was deleted with {newer} newer copies, of {wanted} to retain"
            ));
        }
        // All databases here were created a year before the start, except earlier ones of the same name.
        let is_earlier = copy.parent_created == Some(days_ago(900));
        if is_earlier
            && current_parent.is_some_and(|other| other.parent_created != copy.parent_created)
        {
            return Err(format!("{id} was of an earlier database"));
        }
    }
    Ok(())
}

#[test]
fn law_5_copies_made_by_hand_never_push_out_ours() {
    // Copied within the destination, with all tags: AWS states no source, and the id is not one of ours.
    for (days, retain) in [(0..1, 0), (0..3, 2)] {
        let mut world = copied("db", days);
        let mut by_hand = our_copy(&mut world, "db", days_ago(0));
        by_hand.id = ArtifactId::from("save-for-audit");
        by_hand.copied_from = None;
        world.add_snapshot(&west(), by_hand);
        let jobs = [snapshot_job("sync_db", "db", retain)];
        let planned = plan(&Sandbox::new(world), &jobs);
        assert_eq!(deletions(&planned), NONE, "{retain} to retain");
    }
}

#[test]
fn law_5_copies_of_an_earlier_database_are_kept_though_the_newest_copy_does_not_state_its_own() {
    let mut world = copied("db", 0..0);
    for day in 4..10 {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        copy.parent_created = Some(days_ago(700));
        world.add_snapshot(&west(), copy);
    }
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 1)];
    sync(&sandbox, &jobs);
    sandbox.edit(|world| {
        let mut copies = destination(world).snapshots.iter_mut();
        let made = copies.find(|copy| copy.state.is_being_copied());
        made.expect("the copy").parent_created = None;
    });
    assert_eq!(deletions(&plan(&sandbox, &jobs)), NONE);
}

/// Returns the one of four copies that a plan of [`database_job`] deletes.
fn oldest() -> ArtifactId {
    ArtifactId::from("rds-db-2026-01-12-05-10")
}

/// Returns a copy that this plan keeps.
fn kept() -> ArtifactId {
    ArtifactId::from("rds-db-2026-01-14-05-10")
}

/// Changes the world between a plan that deletes the oldest copy and its apply, and returns the outcome of the deletion.
fn outcome_after(change: impl FnOnce(&mut World)) -> (ActionOutcome, Sandbox) {
    let sandbox = Sandbox::new(copied("db", 0..4));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned), [oldest()]);
    sandbox.edit(change);
    let results = apply(&sandbox, &planned, &jobs);
    (results[0].actions[0].outcome, sandbox)
}

#[track_caller]
fn assert_not_deleted(change: impl FnOnce(&mut World)) {
    let (outcome, sandbox) = outcome_after(change);
    assert_eq!(outcome, ActionOutcome::Stale);
    assert!(sandbox.world().snapshot(&west(), &oldest()).is_some());
    assert_eq!(written(&sandbox), 0);
}

#[test]
fn law_5_a_changed_copy_is_not_deleted() {
    let changes: [fn(&mut WorldArtifact); 6] = [
        |copy| copy.tags.insert("Sync-Keep", "yes"),
        |copy| copy.tags.clear(),
        |copy| {
            let value = "20260101000000+0000 / rds:other";
            copy.tags.insert("Sync-From-us-east-1", value);
        },
        |copy| copy.copied_from = Some(OTHER_SOURCE.into()),
        |copy| copy.state = state("modifying"),
        |copy| copy.data_time = Some(days_ago(40)),
    ];
    for change in changes {
        assert_not_deleted(|world| change(copy_mut(world, &oldest())));
    }
}

#[test]
fn law_5_nothing_is_deleted_if_a_kept_copy_has_changed() {
    let changes: [fn(&mut WorldArtifact); 3] = [
        |copy| copy.state = state("failed"),
        |copy| copy.data_time = Some(days_ago(41)),
        // Now it is a copy of something else, and someone wants to keep it.
        |copy| {
            copy.tags.insert("Sync-Keep", "yes");
            copy.copied_from = Some(OTHER_SOURCE.into());
        },
    ];
    for change in changes {
        assert_not_deleted(|world| change(copy_mut(world, &kept())));
    }
    assert_not_deleted(|world| {
        destination(world)
            .snapshots
            .retain(|copy| copy.id != kept())
    });
}

#[test]
fn law_5_an_old_plan_deletes_no_copy_of_a_database_that_was_recreated_since() {
    let sandbox = Sandbox::new(copied("db", 0..4));
    let jobs = database_job();
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned), [oldest()]);
    sandbox.edit(|world| {
        let mut newer = our_copy(world, "db", days_ago(-1));
        newer.parent_created = Some(days_ago(0));
        world.add_snapshot(&west(), newer);
    });
    let results = apply(&sandbox, &planned, &jobs);
    let result = &results[0].actions[0];
    assert_eq!(result.outcome, ActionOutcome::Stale);
    let detail = result.detail.as_deref().expect("a difference");
    assert!(detail.contains("database"), "{detail}");
    assert!(sandbox.world().snapshot(&west(), &oldest()).is_some());
}

#[test]
fn law_5_an_old_plan_deletes_nothing_while_the_current_database_is_unknown() {
    // The newest copy does not state when its database was created; its source does, if it is there.
    for (stated, expected) in [
        (None, ActionOutcome::Stale),
        (Some(days_ago(0)), ActionOutcome::Stale),
        (Some(days_ago(365)), ActionOutcome::Done),
    ] {
        let (outcome, sandbox) = outcome_after(|world| {
            let mut newer = our_copy(world, "db", days_ago(-1));
            newer.parent_created = None;
            world.add_snapshot(&west(), newer);
            if stated.is_some() {
                let source = add_automated(world, "db", days_ago(-1));
                let source = world.snapshot_mut(&east(), &source).expect("it");
                source.parent_created = stated;
            }
        });
        assert_eq!(outcome, expected, "{stated:?}");
        let is_kept = outcome == ActionOutcome::Stale;
        let is_there = sandbox.world().snapshot(&west(), &oldest()).is_some();
        assert_eq!(is_there, is_kept, "{stated:?}");
        // A new plan has the same result.
        let planned = deletions(&plan(&sandbox, &database_job()));
        assert!(!is_kept || !planned.contains(&oldest()), "{stated:?}");
    }
}

#[test]
fn law_5_a_copy_of_something_else_that_is_to_be_kept_pushes_out_none_of_ours() {
    let mut world = copied("db", 0..3);
    for day in 0..3 {
        // AWS states a different source from the one in the sync tag.
        let mut other = our_copy(&mut world, "db", days_ago(day)).tag("Sync-Keep", "yes");
        other.id = ArtifactId::from(format!("{}-by-hand", other.id));
        other.copied_from = Some(OTHER_SOURCE.into());
        world.add_snapshot(&west(), other);
    }
    let planned = plan(&Sandbox::new(world), &database_job());
    assert_eq!(deletions(&planned), NONE);
}

#[test]
fn law_5_copies_of_a_backup_tool_under_our_names_are_neither_tagged_nor_deleted() {
    for tag in [None, Some("BackupTool")] {
        let sandbox = Sandbox::new(copied("db", 0..0));
        let jobs = [snapshot_job("sync_db", "db", 0)];
        for night in 0..6 {
            sandbox.edit(|world| {
                let taken = days_ago(-night);
                world.now = taken + SignedDuration::from_hours(2);
                let source =
                    ArtifactId::from(format!("rds:db-{}", taken.strftime("%Y-%m-%d-%H-%M")));
                if world.snapshot(&east(), &source).is_none() {
                    add_automated(world, "db", taken);
                }
                let mut copy = our_copy(world, "db", taken);
                copy.tags.clear();
                copy.tags.extend(tag.map(|key| (key, "nightly")));
                world.add_snapshot(&west(), copy);
            });
            let planned = plan(&sandbox, &jobs);
            let copy = deletions(&planned);
            assert_eq!((copy, actions(&planned)), (Vec::new(), Vec::new()));
            let warnings = job(&planned, "sync_db").warnings.join("\n");
            let command = "aws rds add-tags-to-resource --region us-west-1 --resource-name arn:aws:rds:us-west-1:";
            assert!(warnings.contains(command), "{warnings}");
            no_failures(&apply(&sandbox, &planned, &jobs));
        }
        assert_eq!(copies_of(&sandbox.world(), "db").len(), 6);
        assert_eq!(written(&sandbox), 0);
    }
}

#[test]
fn law_5_a_copy_that_is_handed_over_is_ours() {
    let mut world = copied("db", 0..0);
    let mut copy = our_copy(&mut world, "db", days_ago(0));
    let tags = std::mem::take(&mut copy.tags);
    let copy = world.add_snapshot(&west(), copy);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let warnings = job(&plan(&sandbox, &jobs), "sync_db").warnings.join("\n");
    // The tag in the command is the one that xrs adds to its own copies.
    let (key, value) = tags.iter().next().expect("the sync tag");
    let tag = format!("'Key={key},Value={value}'");
    assert!(warnings.ends_with(&tag), "{warnings}");
    sandbox.edit(|world| world.snapshot_mut(&west(), &copy).expect("it").tags = tags.clone());
    assert_eq!(job(&plan(&sandbox, &jobs), "sync_db").warnings.len(), 0);
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn law_5_copies_of_an_earlier_database_are_deleted_after_a_time_once_the_current_one_has_a_copy() {
    // Three old copies of the earlier database, and one from last week; the current database is a day old.
    let mut world = copied("db", 0..0);
    for day in [50, 45, 40, 7] {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        copy.parent_created = Some(days_ago(700));
        world.add_snapshot(&west(), copy);
    }
    let mut jobs = [snapshot_job("sync_db", "db", 2)];
    let mut options = options_of(&jobs[0]);
    options.retain_earlier_databases = Some(SignedDuration::from_hours(24 * 30));
    jobs[0].rules = std::sync::Arc::new(options);
    let sandbox = Sandbox::new(world);
    assert_eq!(
        deletions(&plan(&sandbox, &jobs)),
        NONE,
        "the current one has no copy"
    );
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    let planned = plan(&sandbox, &jobs);
    let expected = ["2025-11-26", "2025-12-01", "2025-12-06"];
    let expected = expected.map(|day| ArtifactId::from(format!("rds-db-{day}-05-10")));
    assert_eq!(deletions(&planned), expected);
    assert_says(
        &job(&planned, "sync_db").warnings.join("\n"),
        "rds-db-2026-01-08-05-10",
    );
    // What a plan says about the database must still hold.
    sandbox.edit(|world| {
        let copy = world.snapshot_mut(&west(), &expected[0]).expect("it");
        copy.parent_created = Some(days_ago(699));
    });
    let results = apply(&sandbox, &planned, &jobs);
    let outcomes = outcomes(&results[0]);
    assert_eq!(outcomes[0], ActionOutcome::Stale);
    assert_eq!(outcomes[1..], [ActionOutcome::Done, ActionOutcome::Done]);
    assert_eq!(copies_of(&sandbox.world(), "db").len(), 3);
}

fn options_of(job: &SyncJob) -> DbSnapshotOptions {
    let rules: &dyn std::any::Any = &*job.rules;
    rules
        .downcast_ref::<DbSnapshotOptions>()
        .expect("a database job")
        .clone()
}
