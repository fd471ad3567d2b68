//! Scenarios on the sandbox: what happens to a database or an image over days, and what people and the gem left.

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::{Arn, ArtifactId};
use aws_xregion_sync::model::plan::Outcome;
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{Sandbox, WorldArtifact};
use jiff::SignedDuration;

use crate::laws::worlds::{NONE, both_types, copied};
use crate::support::*;

fn ids_of_copies(sandbox: &Sandbox) -> Vec<ArtifactId> {
    let copies = copies_of(&sandbox.world(), "mydatabase").into_iter();
    copies.map(|copy| copy.id).collect()
}

/// Lets time pass until the next automated snapshot, and takes it.
fn next_day(sandbox: &Sandbox, day: i64) {
    sandbox.edit(|world| {
        let next = days_ago(-day);
        world.now = next + SignedDuration::from_mins(50);
        add_automated(world, "mydatabase", next);
    });
}

#[test]
fn six_days_of_retention_keep_two_copies_beside_the_one_being_made() {
    let world = copied("mydatabase", 0..0);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let mut copies_at_evening = Vec::new();
    for day in 0..6 {
        let results = sync(&sandbox, &jobs);
        assert!(
            results[0].created_resource.is_some(),
            "day {day}: a copy is made every day"
        );
        assert_nothing_to_do(&sandbox, &jobs);
        wait_for_copies(&sandbox);
        assert_nothing_to_do(&sandbox, &jobs);
        copies_at_evening.push(copies_of(&sandbox.world(), "mydatabase").len());
        next_day(&sandbox, day + 1);
    }
    assert_eq!(copies_at_evening, [1, 2, 3, 3, 3, 3]);
    let left = ids_of_copies(&sandbox);
    for day in [18, 19, 20] {
        let id = ArtifactId::from(format!("rds-mydatabase-2026-01-{day}-05-10"));
        assert!(
            left.contains(&id),
            "{id} is one of the newest three: {left:?}"
        );
    }
}

#[test]
fn with_nothing_to_retain_the_last_usable_copy_stays_until_the_new_one_is_available() {
    let mut world = copied("mydatabase", 0..0);
    let old = add_our_copy(&mut world, "mydatabase", days_ago(1));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 0)];

    let first = plan(&sandbox, &jobs);
    assert_eq!(deletions(&first), NONE);
    assert!(
        job(&first, "sync_my_database")
            .warnings
            .iter()
            .any(|w| w.contains(old.as_str()))
    );
    no_failures(&apply(&sandbox, &first, &jobs));
    assert_eq!(
        deletions(&plan(&sandbox, &jobs)),
        NONE,
        "while the copy is pending"
    );

    wait_for_copies(&sandbox);
    let second = plan(&sandbox, &jobs);
    assert_eq!(deletions(&second), std::slice::from_ref(&old));
    let results = apply(&sandbox, &second, &jobs);
    assert_eq!(results[0].deleted_resources, [old]);
    assert_eq!(copies_of(&sandbox.world(), "mydatabase").len(), 1);
}

#[test]
fn a_world_left_by_the_gem_is_taken_over_without_a_second_copy() {
    let mut world = empty_world();
    // The gem tagged the source of an image and left its copy bare.
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let owner = world.default_account();
    world.add_image(
        &west(),
        WorldArtifact::image("ami-0b", &owner, "web", days_ago(0)),
    );
    let tag = "20260115051000+0000 / ami-0b";
    world
        .image_mut(&east(), &"ami-0a".into())
        .expect("the source")
        .tags
        .insert("Sync-us-west-1".to_owned(), tag.to_owned());
    // Of snapshots it tagged both ends. AWS states the source of some copies; for others the tag is all there is.
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 0..5 {
        let mut copy = our_copy(&mut world, "mydatabase", days_ago(day));
        if day % 2 == 0 {
            copy.copied_from = None;
            copy.data_time = None;
        }
        world.add_snapshot(&west(), copy);
    }
    let sandbox = Sandbox::new(world);
    let jobs = [
        ami_job("sync_my_web_app", "Web Application"),
        snapshot_job("sync_my_database", "mydatabase", 2),
    ];

    let planned = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&planned),
        [
            "sync_my_web_app/tag-copy",
            "sync_my_web_app/tag-source",
            "sync_my_database/delete/rds-mydatabase-2026-01-11-05-10",
            "sync_my_database/delete/rds-mydatabase-2026-01-12-05-10",
        ]
    );
    no_failures(&apply(&sandbox, &planned, &jobs));
    let world = sandbox.world();
    let copy = world.image(&west(), &"ami-0b".into()).expect("the copy");
    assert_eq!(
        copy.tags.get("Sync-From-us-east-1"),
        Some("20260114051000+0000 / ami-0a")
    );
    let source = world.image(&east(), &"ami-0a".into()).expect("the source");
    assert_eq!(
        source.tags.get("Sync-us-west-1"),
        Some("20260114051000+0000 / ami-0b")
    );
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn copies_of_an_earlier_database_of_the_same_name_are_never_deleted() {
    let mut world = empty_world();
    let mut earlier = Vec::new();
    for day in 4..10 {
        let mut copy = our_copy(&mut world, "mydatabase", days_ago(day));
        copy.parent_created = Some(days_ago(700));
        earlier.push(world.add_snapshot(&west(), copy));
    }
    for day in 1..4 {
        add_our_copy(&mut world, "mydatabase", days_ago(day));
    }
    add_automated(&mut world, "mydatabase", days_ago(0));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 1)];

    let planned = plan(&sandbox, &jobs);
    let warnings = job(&planned, "sync_my_database").warnings.join("\n");
    assert!(warnings.contains("earlier database"), "{warnings}");
    assert!(
        earlier.iter().all(|id| warnings.contains(id.as_str())),
        "{warnings}"
    );
    assert_eq!(
        deletions(&planned),
        [
            "rds-mydatabase-2026-01-12-05-10",
            "rds-mydatabase-2026-01-13-05-10"
        ]
        .map(ArtifactId::from)
    );
    no_failures(&apply(&sandbox, &planned, &jobs));
    wait_for_copies(&sandbox);
    sync(&sandbox, &jobs);
    let left = ids_of_copies(&sandbox);
    assert!(earlier.iter().all(|id| left.contains(id)), "{left:?}");
}

#[test]
fn a_database_created_again_gets_a_copy_with_an_id_of_its_own() {
    let mut world = empty_world();
    // The new database's snapshot has the identifier that the old one's had: RDS names them after the minute.
    let taken = days_ago(0);
    let mut old = our_copy(&mut world, "mydatabase", taken);
    let earlier = taken - SignedDuration::from_secs(20);
    old.data_time = Some(earlier);
    old.tags.insert(
        "Sync-From-us-east-1".to_owned(),
        "20260115050940+0000 / rds:mydatabase-2026-01-15-05-10".to_owned(),
    );
    let old = world.add_snapshot(&west(), old);
    add_automated(&mut world, "mydatabase", taken);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];

    let results = sync(&sandbox, &jobs);
    assert_eq!(
        created(&results[0]),
        Some("rds-mydatabase-2026-01-15-05-10-us-east-1")
    );
    assert!(ids_of_copies(&sandbox).contains(&old));
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn a_copy_made_by_hand_counts_as_synced_and_is_not_changed() {
    let mut world = copied("mydatabase", 0..0);
    for day in 0..6 {
        let mut copy = our_copy(&mut world, "mydatabase", days_ago(day));
        copy.id = ArtifactId::from(format!("before-the-upgrade-{day}"));
        copy.tags.clear();
        world.add_snapshot(&west(), copy);
    }
    let ours = add_our_copy(&mut world, "mydatabase", days_ago(7));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 0)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(actions(&planned), Vec::<String>::new());
    assert_eq!(job(&planned, "sync_my_database").outcome, Outcome::UpToDate);
    assert!(ids_of_copies(&sandbox).contains(&ours));
}

#[test]
fn a_copy_that_the_gem_left_without_a_tag_is_tagged_and_not_copied() {
    let mut world = copied("mydatabase", 0..0);
    let mut bare = our_copy(&mut world, "mydatabase", days_ago(0));
    bare.tags.clear();
    let bare = world.add_snapshot(&west(), bare);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&planned),
        ["sync_my_database/tag-copy", "sync_my_database/tag-source"]
    );
    no_failures(&apply(&sandbox, &planned, &jobs));
    let copies = copies_of(&sandbox.world(), "mydatabase");
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].id, bare);
    assert_eq!(
        copies[0].tags.get("Sync-From-us-east-1"),
        Some("20260115051000+0000 / rds:mydatabase-2026-01-15-05-10")
    );
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn a_job_fails_where_nothing_tells_whether_a_snapshot_is_its_copy() {
    let mut world = copied("mydatabase", 0..0);
    let mut holder = our_copy(&mut world, "mydatabase", days_ago(0));
    (holder.copied_from, holder.data_time) = (None, None);
    holder.tags.clear();
    let holder = world.add_snapshot(&west(), holder);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let planned = plan(&sandbox, &jobs);
    let job = job(&planned, "sync_my_database");
    assert_eq!(job.outcome, Outcome::Failed);
    assert!(
        job.errors[0].message.contains(holder.as_str()),
        "{}",
        job.errors[0].message
    );
}

#[test]
fn syncing_there_and_back_does_not_loop() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let sandbox = Sandbox::new(world);
    let there = ami_job("sync_there", "Web Application");
    let mut back = ami_job("sync_back", "Web Application");
    std::mem::swap(&mut back.source_region, &mut back.destination_region);
    sync(&sandbox, std::slice::from_ref(&there));
    wait_for_copies(&sandbox);
    let planned = plan(&sandbox, &[there, back]);
    assert_eq!(actions(&planned), Vec::<String>::new());
    let back = job(&planned, "sync_back");
    assert_eq!(back.outcome, Outcome::Failed);
    assert!(
        back.errors[0].message.contains("a copy from us-east-1"),
        "{}",
        back.errors[0].message
    );
}

#[test]
fn two_jobs_that_select_the_same_image_make_one_copy() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let sandbox = Sandbox::new(world);
    let jobs = [
        ami_job("sync_first", "Web Application"),
        ami_job("sync_second", "Web Application"),
    ];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&planned),
        ["sync_first/copy", "sync_first/tag-source"]
    );
    assert!(job(&planned, "sync_second").reason.contains("sync_first"));

    let mut other_key = jobs.clone();
    other_key[1].kms_key_id = Some("alias/aws/ebs".to_owned());
    let planned = plan(&sandbox, &other_key);
    assert_eq!(job(&planned, "sync_second").outcome, Outcome::Failed);
    assert_eq!(
        actions(&planned),
        ["sync_first/copy", "sync_first/tag-source"]
    );
}

#[test]
fn databases_of_the_same_name_in_two_regions_get_copies_with_two_ids() {
    let mut world = empty_world();
    let ireland = aws_xregion_sync::model::ids::Region::from("eu-west-1");
    add_automated(&mut world, "mydatabase", days_ago(0));
    let database = database(&mut world, "mydatabase");
    world.add_snapshot(&ireland, WorldArtifact::automated(&database, days_ago(0)));
    let sandbox = Sandbox::new(world);
    let mut other = snapshot_job("sync_ireland", "mydatabase", 2);
    other.source_region = ireland;
    let jobs = [snapshot_job("sync_virginia", "mydatabase", 2), other];
    let results = sync(&sandbox, &jobs);
    let made: Vec<&str> = results.iter().filter_map(created).collect();
    assert_eq!(
        made,
        [
            "rds-mydatabase-2026-01-15-05-10",
            "rds-mydatabase-2026-01-15-05-10-eu-west-1"
        ]
    );
    wait_for_copies(&sandbox);
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn images_are_chosen_as_the_config_says() {
    let mut world = empty_world();
    let none = Sandbox::new(world.clone());
    let jobs = [ami_job("sync_my_web_app", "Web Application")];
    let planned = plan(&none, &jobs);
    let failed = job(&planned, "sync_my_web_app");
    assert!(
        failed.errors[0]
            .message
            .starts_with("no available image for sync_my_web_app"),
        "{:?}",
        failed.errors
    );
    assert!(
        failed.errors[0]
            .help
            .as_deref()
            .is_some_and(|help| help.contains("not visible"))
    );

    add_image(&mut world, "ami-0a", "web", "Web Application");
    add_image(&mut world, "ami-0b", "web 2", "Web Application");
    world
        .image_mut(&east(), &"ami-0b".into())
        .expect("it")
        .state = state("pending");
    let pending = Sandbox::new(world.clone());
    let planned = plan(&pending, &jobs);
    assert_eq!(
        actions(&planned),
        ["sync_my_web_app/copy", "sync_my_web_app/tag-source"]
    );
    assert!(job(&planned, "sync_my_web_app").warnings[0].contains("ami-0b"));

    let second = world.image_mut(&east(), &"ami-0b".into()).expect("it");
    (second.state, second.created) = (state("available"), Some(days_ago(0)));
    let several = Sandbox::new(world);
    let planned = plan(&several, &jobs);
    let failed = job(&planned, "sync_my_web_app");
    assert!(
        failed.errors[0].message.contains("ami-0a, ami-0b"),
        "{:?}",
        failed.errors
    );
    let mut newest = ami_job("sync_my_web_app", "Web Application");
    change_ami(&mut newest, |ami| ami.most_recent = true);
    let planned = plan(&several, &[newest]);
    let Action::Copy(copy) = &planned.jobs[0].actions[0] else {
        panic!("{:?}", planned.jobs[0])
    };
    assert_eq!(copy.source.id.as_str(), "ami-0b");
}

#[test]
fn the_source_that_aws_states_outranks_the_tags_of_a_copy() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let owner = world.default_account();
    // Tagged as a copy of the image, but AWS says it was made from another.
    let mut other = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0))
        .tag("Sync-From-us-east-1", "20260114051000+0000 / ami-0a");
    other.copied_from = Some(Arn::of_image(&east(), &"ami-0f".into()));
    world.add_image(&west(), other);
    let sandbox = Sandbox::new(world);
    let jobs = [ami_job("sync_my_web_app", "Web Application")];
    assert_eq!(
        actions(&plan(&sandbox, &jobs)),
        ["sync_my_web_app/copy", "sync_my_web_app/tag-source"]
    );
}

#[test]
fn a_copy_that_failed_is_made_again_and_deleted_later() {
    let mut world = copied("mydatabase", 0..0);
    world
        .fail_next_copies
        .push(aws_xregion_sync::provider::sandbox::FailNextCopy {
            region: west(),
            reason: "internal error".to_owned(),
        });
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let sandbox = Sandbox::new(world);
    let jobs = [
        snapshot_job("sync_my_database", "mydatabase", 2),
        ami_job("sync_my_web_app", "Web Application"),
    ];
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    sandbox.edit(|world| {
        // The image's copy fails as well.
        for image in &mut world.region_mut(&west()).expect("the destination").images {
            image.state = state("failed");
        }
    });
    let results = sync(&sandbox, &jobs);
    assert_eq!(
        created(&results[0]),
        Some("rds-mydatabase-2026-01-15-05-10-us-east-1")
    );
    assert!(
        results[1].created_resource.is_some(),
        "the second token in the chain makes a second image: {results:?}"
    );
    wait_for_copies(&sandbox);
    let clean_up = plan(&sandbox, &jobs);
    next_day(&sandbox, 1);
    // The failed one is as old as the good one: it goes when a newer copy is available.
    assert_eq!(deletions(&clean_up), NONE);
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    let clean_up = plan(&sandbox, &jobs);
    assert_eq!(
        deletions(&clean_up),
        [ArtifactId::from("rds-mydatabase-2026-01-15-05-10")]
    );
    no_failures(&apply(&sandbox, &clean_up, &jobs));
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn an_encrypted_snapshot_or_one_with_an_option_group_of_its_own_fails_at_plan_time() {
    let mut world = empty_world();
    let mut locked = database(&mut world, "locked");
    locked.kms_key_id = Some("alias/mine".to_owned());
    let mut oracle = database(&mut world, "oracle");
    oracle.option_group_name = "timezone".into();
    let here = world.region_mut(&east()).expect("the source");
    here.databases = vec![locked, oracle];
    add_automated(&mut world, "locked", days_ago(0));
    add_automated(&mut world, "oracle", days_ago(0));
    let sandbox = Sandbox::new(world);
    let jobs = [
        snapshot_job("sync_locked", "locked", 2),
        snapshot_job("sync_oracle", "oracle", 2),
    ];
    let planned = plan(&sandbox, &jobs);
    for (name, option) in [
        ("sync_locked", "kms_key_id"),
        ("sync_oracle", "option_group_name"),
    ] {
        let failed = job(&planned, name);
        assert_eq!(failed.outcome, Outcome::Failed, "{name}");
        assert!(
            failed.errors[0].message.contains(option),
            "{:?}",
            failed.errors
        );
        assert!(
            failed.errors[0]
                .help
                .as_deref()
                .is_some_and(|help| help.contains(option))
        );
    }
    assert!(!sandbox.calls().iter().any(|call| call.write));
}

#[test]
fn a_database_without_an_available_automated_snapshot_fails_its_job() {
    let mut world = empty_world();
    add_automated(&mut world, "young", days_ago(0));
    world
        .snapshot_mut(&east(), &"rds:young-2026-01-15-05-10".into())
        .expect("it")
        .state = state("creating");
    let sandbox = Sandbox::new(world);
    let jobs = [
        snapshot_job("sync_young", "young", 2),
        snapshot_job("sync_absent", "absent", 2),
    ];
    let planned = plan(&sandbox, &jobs);
    let young = &job(&planned, "sync_young").errors[0];
    assert!(
        young
            .message
            .contains("rds:young-2026-01-15-05-10 (creating)"),
        "{}",
        young.message
    );
    let absent = &job(&planned, "sync_absent").errors[0];
    assert!(
        absent
            .help
            .as_deref()
            .is_some_and(|help| help.contains("Aurora")),
        "{absent:?}"
    );
}

#[test]
fn a_stale_plan_deletes_nothing_and_says_what_differs() {
    let world = copied("mydatabase", 1..5);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned).len(), 2);
    // Somebody deletes a copy that the plan keeps.
    sandbox.edit(|world| {
        let here = world.region_mut(&west()).expect("the destination");
        here.snapshots
            .retain(|s| s.id.as_str() != "rds-mydatabase-2026-01-14-05-10");
    });
    let results = apply(&sandbox, &planned, &jobs);
    assert!(results[0].failed());
    assert!(
        results[0].created_resource.is_some(),
        "the copy itself is not stale"
    );
    assert_eq!(results[0].deleted_resources, NONE);
    let stale: Vec<_> = results[0]
        .actions
        .iter()
        .filter(|a| a.outcome == ActionOutcome::Stale)
        .collect();
    assert_eq!(stale.len(), 2);
    let detail = stale[0].detail.as_deref().expect("a difference");
    assert!(
        detail.contains("kept copy rds-mydatabase-2026-01-14-05-10")
            && detail.ends_with("found gone"),
        "{detail}"
    );
}

#[test]
fn applying_the_same_plan_twice_makes_one_copy_and_deletes_nothing_more() {
    let (sandbox, jobs) = both_types();
    let planned = plan(&sandbox, &jobs);
    no_failures(&apply(&sandbox, &planned, &jobs));
    let after_one = sandbox.world();
    let again = apply(&sandbox, &planned, &jobs);
    no_failures(&again);
    assert!(
        again
            .iter()
            .all(|result| result.created_resource.is_none() && result.deleted_resources.is_empty())
    );
    assert!(
        again
            .iter()
            .flat_map(|r| &r.actions)
            .all(|a| a.outcome == ActionOutcome::AlreadyDone),
        "{again:?}"
    );
    let after_two = sandbox.world();
    assert_eq!(after_one.regions, after_two.regions);
    assert!(sandbox.now() > start());
}
