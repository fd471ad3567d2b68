//! Changes that others make between a plan and its apply, or during an apply.

use crate::support::*;

fn planned(world: World) -> Planned {
    Planned::new(world, database_job())
}

/// The one of four copies that a job with `max_snapshots_to_retain: 2` deletes.
fn to_delete() -> ArtifactId {
    ArtifactId::from("rds-db-2026-01-12-05-10")
}

#[test]
fn a_copy_that_someone_else_deletes_is_already_deleted() {
    for word in ["deleting", "deleted"] {
        let planned = planned(copied("db", 0..4));
        let sandbox = &planned.sandbox;
        sandbox.edit(|world| copy_mut(world, &to_delete()).state = state(word));
        let outcome = outcomes(&planned.succeeds()[0])[0];
        assert_eq!(outcome, ActionOutcome::AlreadyDone, "{word}");
        assert_eq!(written(sandbox), 0, "{word}");
    }
}

fn is_started(event: &Event<'_>) -> bool {
    matches!(event, Event::ActionStarted { .. })
}

fn is_copy_started(event: &Event<'_>) -> bool {
    matches!(event, Event::ActionStarted { action, .. } if action.name() == ActionName::Copy)
}

#[test]
fn the_second_of_two_deletions_reads_what_has_become_of_the_copy() {
    // What someone does between the observation and the deletion; `None` removes the copy.
    for (found, outcome) in [
        (None, ActionOutcome::AlreadyDone),
        (Some("deleting"), ActionOutcome::AlreadyDone),
        (Some("modifying"), ActionOutcome::Failed),
    ] {
        let planned = planned(copied("db", 0..4));
        let results = planned.changed_at(is_started, Wait::No, |world| {
            let code = "InvalidDBSnapshotState";
            let refused = Fault::new("DeleteDBSnapshot", code, "being deleted", Some(1));
            world.faults.push(refused);
            match found {
                Some(word) => copy_mut(world, &to_delete()).state = state(word),
                None => destination(world).snapshots.retain(|s| s.id != to_delete()),
            }
        });
        assert_eq!(outcomes(&results[0])[0], outcome, "{found:?}");
        assert_eq!(results[0].deleted_resources, NONE);
    }
}

#[test]
fn a_copy_that_is_being_deleted_is_made_again_with_the_next_id() {
    let mut world = copied("db", 0..2);
    let going = ArtifactId::from("rds-db-2026-01-15-05-10");
    copy_mut(&mut world, &going).state = state("deleting");
    let planned = planned(world);
    let results = planned.succeeds();
    let next = "rds-db-2026-01-15-05-10-us-east-1";
    assert_eq!(created(&results[0]), Some(next));
    planned.assert_nothing_to_do();
}

/// Adds a copy without a sync tag, as the gem left them.
fn add_bare_copy(world: &mut World, word: &str) -> ArtifactId {
    let bare = add_copy_of_the_gem(world, "db");
    copy_mut(world, &bare).state = state(word);
    bare
}

const TAGS: [&str; 2] = ["sync_db/tag-copy", "sync_db/tag-source"];

#[test]
fn a_second_copy_counts_while_the_first_is_being_deleted() {
    let mut world = copied("db", 0..0);
    let mut going = our_copy(&mut world, "db", days_ago(0));
    going.id = ArtifactId::from(format!("{}-us-east-1", going.id));
    going.state = state("deleting");
    world.add_snapshot(&west(), going);
    let bare = add_bare_copy(&mut world, "creating");
    let plan = planned(world).plan;
    assert_eq!(actions(&plan), TAGS);
    let observed = plan.jobs[0].observed.as_ref().expect("an observation");
    let newest = observed.newest_copy.as_ref().expect("a copy");
    assert_eq!(newest.id, bare);
}

/// Checks that tags are not written if the world changes after the plan.
#[track_caller]
fn assert_not_tagged(planned: &Planned, change: impl FnOnce(&mut World)) {
    planned.sandbox.edit(change);
    let expected = [ActionOutcome::Stale, ActionOutcome::Skipped];
    assert_eq!(outcomes(&planned.apply()[0]), expected);
    assert_eq!(written(&planned.sandbox), 0);
}

#[test]
fn a_copy_that_has_changed_is_not_tagged_and_neither_is_its_source() {
    let changes: [fn(&mut WorldArtifact); 4] = [
        |copy| copy.state = state("failed"),
        |copy| copy.state = state("deleting"),
        |copy| copy.data_time = None,
        // It has lost what identifies its source.
        |copy| {
            (copy.copied_from, copy.data_time) = (None, None);
            copy.created = Some(days_ago(0));
        },
    ];
    for change in changes {
        let mut world = copied("db", 0..0);
        let bare = add_bare_copy(&mut world, "available");
        let planned = planned(world);
        assert_eq!(actions(&planned.plan), TAGS);
        assert_not_tagged(&planned, |world| change(copy_mut(world, &bare)));
    }
}

#[test]
fn a_copy_that_is_gone_is_not_named_on_its_source() {
    let changes: [fn(&mut World); 2] = [
        |world| destination(world).images.clear(),
        |world| destination(world).images[0].state = state("deregistered"),
    ];
    for change in changes {
        let (sandbox, jobs) = one_image();
        let mut world = sandbox.world();
        let owner = world.default_account();
        let mut bare = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0));
        bare.copied_from = Some(Arn::of_image(&east(), &"ami-0a".into()));
        world.add_image(&west(), bare);
        let source = world.image_mut(&east(), &"ami-0a".into());
        let tag = "20260114051000+0000 / ami-0b";
        source.expect("it").tags.insert("Sync-us-west-1", tag);
        let planned = Planned::new(world, jobs);
        let expected = ["sync_web/tag-copy", "sync_web/tag-source"];
        assert_eq!(actions(&planned.plan), expected);
        assert_not_tagged(&planned, change);
    }
}

#[test]
fn a_source_that_is_gone_is_not_tagged() {
    let (mut world, mut jobs) = (copied("db", 1..5), database_job().to_vec());
    add_image(&mut world, "ami-0a", "web", "Web");
    jobs.push(ami_job("sync_web", "Web"));
    let planned = Planned::new(world, jobs);
    planned.succeeds();
    planned.sandbox.edit(|world| {
        let here = source(world);
        here.snapshots.clear();
        here.images.clear();
    });
    for (result, planned) in planned.succeeds().iter().zip(&planned.plan.jobs) {
        assert_eq!(result.warnings, planned.warnings);
        let mut outcomes = outcomes(result).into_iter();
        assert!(outcomes.all(|outcome| outcome == ActionOutcome::AlreadyDone));
        let tag = &result.actions[1];
        assert_eq!(tag.detail.as_deref(), Some("the source is gone"));
    }
}

#[test]
fn a_throttled_read_of_the_new_image_is_retried() {
    let (sandbox, jobs) = one_image();
    let planned = Planned::new(sandbox.world(), jobs);
    let results = planned.changed_at(is_copy_started, Wait::No, |world| {
        let throttled = Fault::new("DescribeImages", "Throttling", "Rate exceeded", Some(2));
        world.faults.push(throttled);
    });
    no_failures(&results);
    assert_eq!(outcomes(&results[0])[0], ActionOutcome::Done);
    assert_eq!(images_in_destination(&planned.sandbox).len(), 1);
}
