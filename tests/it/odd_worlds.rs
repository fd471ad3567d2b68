//! Unusual worlds, and changes between plan and apply that make an action stale.

use aws_xregion_sync::planfile;
use jiff::SignedDuration;

use crate::support::*;

fn planned(world: World) -> Planned {
    Planned::new(world, database_job())
}

#[test]
fn a_database_is_the_same_despite_a_fraction_of_a_second() {
    let mut world = copied("db", 0..0);
    for day in 1..5 {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        let created = copy.parent_created.expect("a time");
        copy.parent_created = Some(created + SignedDuration::from_millis(417));
        world.add_snapshot(&west(), copy);
    }
    assert_eq!(deletions(&planned(world).plan).len(), 2);
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
    assert_eq!(deletions(&planned(world).plan), NONE);
}

#[test]
fn a_copy_without_room_for_a_tag_is_named_in_a_warning() {
    let mut world = copied("db", 0..0);
    let full = add_copy_of_the_gem(&mut world, "db");
    let tags = (0..50).map(|n| (format!("k{n}"), String::new()));
    world.snapshot_mut(&west(), &full).expect("it").tags = tags.collect();
    let planned = planned(world);
    let mut warnings = planned.plan.jobs[0].warnings.iter();
    assert!(warnings.any(|w| w.contains(full.as_str()) && w.contains("no room")));
    planned.succeeds();
}

#[test]
fn an_image_of_another_owner_is_no_copy_though_the_source_s_tag_names_it() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    let mut public = WorldArtifact::image("ami-0f", &"999999999999".into(), "web", days_ago(9));
    public.public = true;
    world.add_image(&west(), public);
    let tag = "20260115051000+0000 / ami-0f";
    let source = image_mut(&mut world, "ami-0a");
    source.tags.insert("Sync-us-west-1", tag);
    let planned = Planned::new(world, [ami_job("sync_web", "Web")]);
    assert_eq!(planned.plan.summary.copy, 1);
}

/// Checks that the copy is not made if the world changes after the plan.
#[track_caller]
fn assert_stale(planned: &Planned, change: impl FnOnce(&mut World)) {
    planned.sandbox.edit(change);
    let results = planned.apply();
    assert_eq!(
        outcomes(&results[0])[0],
        ActionOutcome::Stale,
        "{results:?}"
    );
    assert_eq!(written(&planned.sandbox), 0);
}

#[test]
fn another_account_in_the_middle_of_an_apply_stops_it() {
    assert_stale(&planned(copied("db", 0..0)), |world| {
        world.accounts = vec!["999999999999".into()];
        let snapshots = &mut source(world).snapshots;
        let mut theirs = snapshots[0].clone();
        theirs.account = "999999999999".into();
        snapshots.push(theirs);
    });
}

#[test]
fn a_source_that_has_changed_since_the_plan_is_not_copied() {
    let of_snapshots: [fn(&mut World); 3] = [
        |world| source(world).snapshots[0].state = state("deleting"),
        |world| source(world).snapshots[0].data_time = Some(days_ago(3)),
        |world| source(world).snapshots.clear(),
    ];
    for change in of_snapshots {
        assert_stale(&planned(copied("db", 0..0)), change);
    }
    let of_images: [fn(&mut World); 2] = [
        |world| image_mut(world, "ami-0a").state = state("failed"),
        |world| image_mut(world, "ami-0a").created = Some(days_ago(5)),
    ];
    for change in of_images {
        let mut world = empty_world();
        add_image(&mut world, "ami-0a", "web", "Web");
        assert_stale(&Planned::new(world, [ami_job("sync_web", "Web")]), change);
    }
}

#[test]
fn an_invalid_plan_is_refused_though_its_digest_is_right() {
    let valid = planned(copied("db", 1..5)).plan;
    let forge = |change: fn(&mut SavedPlan)| {
        let mut forged = valid.clone();
        change(&mut forged);
        let value = serde_json::to_value(&forged).expect("JSON");
        forged.digest = planfile::digest(&value).expect("a digest");
        planfile::read(planfile::to_text(&forged).expect("JSON").as_bytes())
    };
    assert!(forge(|_| {}).is_ok());
    let nothing_kept = |plan: &mut SavedPlan| {
        for action in &mut plan.jobs[0].actions {
            if let Action::Delete(deletion) = action {
                deletion.expects.kept.clear();
            }
        }
    };
    let forgeries: [fn(&mut SavedPlan); 3] = [
        |plan| plan.jobs[0].actions.reverse(),
        |plan| plan.jobs[0].source = None,
        nothing_kept,
    ];
    for change in forgeries {
        let problem = forge(change).expect_err("refused");
        let why = "it is not a plan that xrs would make";
        assert!(problem.message.starts_with(why), "{problem}");
    }
}
