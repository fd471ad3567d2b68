//! Worlds and moments made to break a law: twins, lookalikes, half a world that does not answer, and hands that
//! change things between plan and apply.

use std::sync::Arc;

use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::{Region, ArtifactId};
use aws_xregion_sync::model::plan::Outcome;
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::planfile::{self, PlanFileError};
use aws_xregion_sync::provider::sandbox::{Fault, Sandbox, World, WorldArtifact};
use jiff::SignedDuration;

use crate::support::*;

const NONE: [ArtifactId; 0] = [];

/// A database with its newest snapshot copied, and the copies of so many days before.
fn copied(days: std::ops::Range<i64>) -> World {
    let mut world = empty_world();
    add_automated(&mut world, "db", days_ago(0));
    for day in days {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    world
}

fn in_region(region: &Region, mut fault: Fault) -> Fault {
    fault.region = Some(region.clone());
    fault
}

fn wrote(sandbox: &Sandbox) -> usize {
    sandbox
        .calls()
        .iter()
        .filter(|call| call.write && call.error.is_none())
        .count()
}

#[test]
fn law_5_copies_made_by_hand_never_push_out_ours() {
    // Copied within the destination, tags and all: AWS states no source, and the name is not one of ours.
    for (days, retain) in [(0..1, 0), (0..3, 2)] {
        let mut world = copied(days);
        let mut by_hand = our_copy(&mut world, "db", days_ago(0));
        by_hand.id = ArtifactId::from("save-for-audit");
        by_hand.copied_from = None;
        world.add_manual_snapshot(&west(), by_hand);
        let jobs = [snapshot_job("sync_db", "db", retain)];
        assert_eq!(
            deletions(&plan(&Sandbox::new(world), &jobs)),
            NONE,
            "{retain} to retain"
        );
    }
}

#[test]
fn law_3_an_untagged_twin_of_a_tagged_copy_changes_nothing() {
    let mut world = copied(0..1);
    let mut twin = our_copy(&mut world, "db", days_ago(0));
    twin.id = ArtifactId::from(format!("{}-us-east-1", twin.id));
    twin.tags.clear();
    world.add_manual_snapshot(&west(), twin);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 0)];
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn law_5_an_earlier_database_is_told_though_the_newest_copy_does_not_say_when_its_own_was_made() {
    let mut world = copied(0..0);
    for day in 4..10 {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        copy.parent_created = Some(days_ago(700));
        world.add_manual_snapshot(&west(), copy);
    }
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 1)];
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
    sandbox.edit(|world| {
        for copy in &mut world
            .region_mut(&west())
            .expect("the destination")
            .snapshots
        {
            if copy.state.as_str() == "creating" {
                copy.parent_created = None;
            }
        }
    });
    assert_eq!(deletions(&plan(&sandbox, &jobs)), NONE);
}

#[test]
fn a_fraction_of_a_second_makes_no_other_database() {
    let mut world = copied(0..0);
    for day in 1..5 {
        let mut copy = our_copy(&mut world, "db", days_ago(day));
        copy.parent_created = copy
            .parent_created
            .map(|time| time + SignedDuration::from_millis(417));
        world.add_manual_snapshot(&west(), copy);
    }
    let jobs = [snapshot_job("sync_db", "db", 2)];
    assert_eq!(deletions(&plan(&Sandbox::new(world), &jobs)).len(), 2);
}

#[test]
fn a_copy_on_its_way_out_is_none_on_its_way_in() {
    let mut world = empty_world();
    add_automated(&mut world, "db", days_ago(1));
    for day in 1..4 {
        add_our_copy(&mut world, "db", days_ago(day));
    }
    let mut dying = our_copy(&mut world, "db", days_ago(0));
    dying.state = state("deleting");
    world.add_manual_snapshot(&west(), dying);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    assert_eq!(deletions(&plan(&Sandbox::new(world), &jobs)), NONE);
}

#[test]
fn a_copy_that_has_no_room_for_a_tag_is_named_and_fails_nothing() {
    let mut world = copied(0..0);
    let mut full = our_copy(&mut world, "db", days_ago(0));
    full.tags = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    let full = world.add_manual_snapshot(&west(), full);
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
    source.tags.insert(
        "Sync-us-west-1".to_owned(),
        "20260115051000+0000 / ami-0f".to_owned(),
    );
    let planned = plan(&Sandbox::new(world), &[ami_job("sync_web", "Web")]);
    assert_eq!(planned.summary.copy_image, 1);
}

#[test]
fn law_6_a_throttle_on_one_of_two_jobs_for_a_database_lets_the_other_delete_nothing() {
    let sandbox = Sandbox::new(copied(0..6));
    let mut second = snapshot_job("sync_second", "db", 0);
    second.client_config = Arc::new(ClientConfig {
        max_attempts: Some(2),
        ..ClientConfig::default()
    });
    let jobs = [snapshot_job("sync_first", "db", 10), second];
    assert_eq!(
        job(&plan(&sandbox, &jobs), "sync_second").outcome,
        Outcome::Failed
    );
    let throttle = Fault::new(
        "DescribeDBSnapshots",
        "Throttling",
        "Rate exceeded",
        Some(1),
    );
    sandbox.edit(|world| world.faults.push(throttle));
    assert_eq!(deletions(&plan(&sandbox, &jobs)), NONE);
}

#[test]
fn law_7_a_region_that_is_not_enabled_fails_its_own_jobs_in_whatever_order() {
    let milan = Region::from("eu-south-1");
    let mut world = copied(0..0);
    world.add_region(&milan).enabled = false;
    add_automated(&mut world, "other", days_ago(0));
    let sandbox = Sandbox::new(world);
    let mut to_milan = snapshot_job("sync_to_milan", "db", 2);
    to_milan.destination_region = milan;
    let sound = snapshot_job("sync_other", "other", 2);
    for jobs in [[to_milan.clone(), sound.clone()], [sound, to_milan]] {
        let planned = plan(&sandbox, &jobs);
        assert_eq!(job(&planned, "sync_to_milan").outcome, Outcome::Failed);
        assert_eq!(job(&planned, "sync_other").outcome, Outcome::Changes);
    }
}

#[test]
fn law_7_credentials_that_are_no_good_in_one_region_are_used_in_the_others() {
    let milan = Region::from("eu-south-1");
    let mut world = copied(0..0);
    world.add_region(&milan);
    add_automated(&mut world, "other", days_ago(0));
    let sandbox = Sandbox::new(world);
    let mut to_milan = snapshot_job("sync_to_milan", "db", 2);
    to_milan.destination_region = milan.clone();
    let jobs = [to_milan, snapshot_job("sync_other", "other", 2)];
    let planned = plan(&sandbox, &jobs);
    let refused = Fault::new(
        "DescribeDBSnapshots",
        "InvalidClientTokenId",
        "The security token is invalid",
        None,
    );
    sandbox.edit(|world| world.faults.push(in_region(&milan, refused)));
    let results = apply(&sandbox, &planned, &jobs);
    assert!(results[0].failed());
    no_failures(&results[1..]);
}

#[test]
fn law_10_what_waits_for_a_refused_action_is_not_done() {
    let mut world = copied(0..0);
    let mut bare = our_copy(&mut world, "db", days_ago(0));
    bare.tags.clear();
    world.add_manual_snapshot(&west(), bare);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&planned),
        ["sync_db/tag-copy", "sync_db/tag-source"]
    );
    let refused = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
    sandbox.edit(|world| world.faults.push(in_region(&west(), refused)));
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].actions[1].outcome, ActionOutcome::Skipped);
    assert_eq!(wrote(&sandbox), 0);
}

#[test]
fn law_10_a_job_that_is_not_done_in_one_wave_has_no_later_one() {
    let mut world = copied(1..5);
    let mut bare = our_copy(&mut world, "db", days_ago(0));
    bare.tags.clear();
    world.add_manual_snapshot(&west(), bare);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(
        deletions(&planned).len(),
        2,
        "they wait for no action of their own"
    );
    let refused = Fault::new("AddTagsToResource", "AccessDenied", "no", Some(1));
    sandbox.edit(|world| world.faults.push(in_region(&west(), refused)));
    let results = apply(&sandbox, &planned, &jobs);
    assert_eq!(results[0].deleted_resources, Vec::<String>::new());
    assert_eq!(wrote(&sandbox), 0);
}

#[test]
fn another_account_in_the_middle_of_an_apply_stops_it() {
    let sandbox = Sandbox::new(copied(0..0));
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
    assert_eq!(wrote(&sandbox), 0);
}

/// What somebody may do between plan and apply to the copy that is to be deleted, or to one that is kept.
type Hand = fn(&mut World, doomed: &ArtifactId, kept: &ArtifactId);

#[test]
fn law_5_whatever_changes_about_a_doomed_or_a_kept_copy_the_deletion_is_not_made() {
    let hands: [(&str, Hand); 9] = [
        ("to be kept", |world, doomed, _| {
            let copy = world.snapshot_mut(&west(), doomed).expect("it");
            copy.tags.insert("Sync-Keep".to_owned(), "yes".to_owned());
        }),
        ("tag gone", |world, doomed, _| {
            world
                .snapshot_mut(&west(), doomed)
                .expect("it")
                .tags
                .clear()
        }),
        ("another tag", |world, doomed, _| {
            let copy = world.snapshot_mut(&west(), doomed).expect("it");
            copy.tags.insert(
                "Sync-From-us-east-1".to_owned(),
                "20260101000000+0000 / rds:other".to_owned(),
            );
        }),
        ("another source", |world, doomed, _| {
            let copy = world.snapshot_mut(&west(), doomed).expect("it");
            copy.copied_from = Some("arn:aws:rds:us-east-1:123456789012:snapshot:rds:other".into());
        }),
        ("another state", |world, doomed, _| {
            world.snapshot_mut(&west(), doomed).expect("it").state = state("modifying");
        }),
        ("another time", |world, doomed, _| {
            world
                .snapshot_mut(&west(), doomed)
                .expect("it")
                .data_time = Some(days_ago(40));
        }),
        ("a kept one gone", |world, _, kept| {
            let here = world.region_mut(&west()).expect("the destination");
            here.snapshots.retain(|snapshot| snapshot.id != *kept);
        }),
        ("a kept one not available", |world, _, kept| {
            world.snapshot_mut(&west(), kept).expect("it").state = state("failed");
        }),
        ("a kept one of another time", |world, _, kept| {
            world
                .snapshot_mut(&west(), kept)
                .expect("it")
                .data_time = Some(days_ago(41));
        }),
    ];
    for (what, hand) in hands {
        let sandbox = Sandbox::new(copied(0..4));
        let jobs = [snapshot_job("sync_db", "db", 2)];
        let planned = plan(&sandbox, &jobs);
        let doomed = deletions(&planned);
        assert_eq!(doomed, [ArtifactId::from("rds-db-2026-01-12-05-10")]);
        sandbox.edit(|world| {
            hand(
                world,
                &doomed[0],
                &ArtifactId::from("rds-db-2026-01-14-05-10"),
            )
        });
        let results = apply(&sandbox, &planned, &jobs);
        assert_eq!(
            results[0].actions[0].outcome,
            ActionOutcome::Stale,
            "{what}"
        );
        assert!(
            copies_of(&sandbox.world(), "db")
                .iter()
                .any(|copy| copy.id == doomed[0]),
            "{what}"
        );
        assert_eq!(wrote(&sandbox), 0, "{what}");
    }
}

#[test]
fn copies_are_not_made_of_a_source_that_is_no_longer_the_one_that_was_planned() {
    let source = ArtifactId::from("rds:db-2026-01-15-05-10");
    for what in ["state", "time", "gone"] {
        let sandbox = Sandbox::new(copied(0..0));
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
        assert_eq!(wrote(&sandbox), 0, "{what}");
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
                image.created = days_ago(5);
            }
        });
        let results = apply(&sandbox, &planned, &jobs);
        assert_eq!(
            results[0].actions[0].outcome,
            ActionOutcome::Stale,
            "{what}: {results:?}"
        );
        assert_eq!(wrote(&sandbox), 0, "{what}");
    }
}

#[test]
fn law_9_a_copy_that_vanished_altogether_is_made_again_with_the_next_token() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    let sandbox = Sandbox::new(world);
    let jobs = [ami_job("sync_web", "Web")];
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
    let first = sandbox
        .world()
        .region(&west())
        .expect("the destination")
        .images[0]
        .id
        .clone();
    sandbox.edit(|world| {
        world
            .region_mut(&west())
            .expect("the destination")
            .images
            .clear()
    });
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    no_failures(&results);
    assert_ne!(results[0].created_resource.as_ref().map(ArtifactId::as_str), Some(first.as_str()));
    assert_eq!(
        sandbox
            .world()
            .region(&west())
            .expect("the destination")
            .images
            .len(),
        1
    );
}

#[test]
fn law_9_a_copy_asked_for_with_other_tags_meanwhile_is_adopted() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    let sandbox = Sandbox::new(world);
    let jobs = [ami_job("sync_web", "Web")];
    let one = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        let source = world
            .image_mut(&east(), &"ami-0a".into())
            .expect("the source");
        source.tags.insert("Team".to_owned(), "web".to_owned());
    });
    let two = plan(&sandbox, &jobs);
    assert_ne!(one.digest, two.digest);
    let (first, second) = block_on(async {
        let (callers, stop) = (callers(&jobs), std::sync::atomic::AtomicBool::new(false));
        let options = aws_xregion_sync::executor::Options {
            parallelism: 1,
            wait: aws_xregion_sync::executor::Wait::No,
            stop: &stop,
        };
        let apply = |plan| {
            aws_xregion_sync::executor::apply(&sandbox, plan, &callers, None, options, &|_| {})
        };
        futures::future::join(apply(&one), apply(&two)).await
    });
    no_failures(&first);
    no_failures(&second);
    let made = first
        .iter()
        .chain(&second)
        .filter(|result| result.created_resource.is_some())
        .count();
    assert_eq!(made, 1);
    assert_eq!(
        sandbox
            .world()
            .region(&west())
            .expect("the destination")
            .images
            .len(),
        1
    );
}

#[test]
fn a_plan_that_xrs_would_not_make_is_refused_though_its_digest_is_right() {
    let sandbox = Sandbox::new(copied(1..5));
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let sound = plan(&sandbox, &jobs);
    let forge = |change: fn(&mut aws_xregion_sync::model::plan::SavedPlan)| {
        let mut forged = sound.clone();
        change(&mut forged);
        forged.digest = planfile::digest(&serde_json::to_value(&forged).expect("JSON"));
        planfile::read(planfile::to_text(&forged).as_bytes())
    };
    assert!(forge(|_| {}).is_ok());
    assert!(matches!(
        forge(|plan| plan.jobs[0].actions.reverse()),
        Err(PlanFileError::Unsound { .. })
    ));
    assert!(matches!(
        forge(|plan| plan.jobs[0].source = None),
        Err(PlanFileError::Unsound { .. })
    ));
    let nothing_kept = forge(|plan| {
        for action in &mut plan.jobs[0].actions {
            if let aws_xregion_sync::model::action::Action::Delete(deletion) = action {
                deletion.expects.kept.clear();
            }
        }
    });
    assert!(matches!(nothing_kept, Err(PlanFileError::Unsound { .. })));
}
