//! Whole stories on the sandbox: what happens to a database or an image over days, and what other hands left behind.

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::{Arn, ArtifactId};
use aws_xregion_sync::model::plan::Outcome;
use aws_xregion_sync::model::result::ActionOutcome;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{Sandbox, WorldArtifact};
use jiff::SignedDuration;

use crate::support::*;

#[test]
fn six_days_of_retention_keep_two_copies_beside_the_one_being_made() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let mut copies_at_evening = Vec::new();
    for day in 0..6 {
        let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        no_failures(&results);
        assert!(
            results[0].created_resource.is_some(),
            "day {day}: a copy is made every day"
        );
        assert_eq!(
            actions(&plan(&sandbox, &jobs)),
            Vec::<String>::new(),
            "day {day}, while the copy is pending"
        );
        wait_for_copies(&sandbox);
        assert_eq!(
            actions(&plan(&sandbox, &jobs)),
            Vec::<String>::new(),
            "day {day}, when the copy is done"
        );
        copies_at_evening.push(copies_of(&sandbox.world(), "mydatabase").len());
        sandbox.edit(|world| {
            let next = days_ago(-(day + 1));
            world.now = next + SignedDuration::from_mins(50);
            add_automated(world, "mydatabase", next);
        });
    }
    assert_eq!(copies_at_evening, [1, 2, 3, 3, 3, 3]);
    let left: Vec<ArtifactId> = copies_of(&sandbox.world(), "mydatabase")
        .into_iter()
        .map(|s| s.id)
        .collect();
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
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    let old = add_our_copy(&mut world, "mydatabase", days_ago(1));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 0)];

    let first = plan(&sandbox, &jobs);
    assert_eq!(deletions(&first), Vec::<ArtifactId>::new());
    assert!(
        job(&first, "sync_my_database")
            .warnings
            .iter()
            .any(|w| w.contains(old.as_str()))
    );
    no_failures(&apply(&sandbox, &first, &jobs));
    assert_eq!(
        deletions(&plan(&sandbox, &jobs)),
        Vec::<ArtifactId>::new(),
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
fn a_world_left_by_the_older_tool_is_taken_over_without_a_second_copy() {
    let mut world = empty_world();
    // The older tool tagged the source of an image and left its copy bare.
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

    let plan_made = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&plan_made),
        [
            "sync_my_web_app/tag-copy",
            "sync_my_web_app/tag-source",
            "sync_my_database/delete/rds-mydatabase-2026-01-11-05-10",
            "sync_my_database/delete/rds-mydatabase-2026-01-12-05-10",
        ]
    );
    no_failures(&apply(&sandbox, &plan_made, &jobs));
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
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
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

    let plan_made = plan(&sandbox, &jobs);
    let warnings = job(&plan_made, "sync_my_database").warnings.join("\n");
    assert!(warnings.contains("earlier database"), "{warnings}");
    assert!(
        earlier.iter().all(|id| warnings.contains(id.as_str())),
        "{warnings}"
    );
    assert_eq!(
        deletions(&plan_made),
        [
            "rds-mydatabase-2026-01-12-05-10",
            "rds-mydatabase-2026-01-13-05-10"
        ]
        .map(ArtifactId::from)
    );
    no_failures(&apply(&sandbox, &plan_made, &jobs));
    wait_for_copies(&sandbox);
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
    let left: Vec<ArtifactId> = copies_of(&sandbox.world(), "mydatabase")
        .into_iter()
        .map(|s| s.id)
        .collect();
    assert!(earlier.iter().all(|id| left.contains(id)), "{left:?}");
}

#[test]
fn a_database_made_anew_gets_a_copy_under_a_name_of_its_own() {
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

    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    no_failures(&results);
    assert_eq!(
        results[0].created_resource.as_ref().map(ArtifactId::as_str),
        Some("rds-mydatabase-2026-01-15-05-10-us-east-1")
    );
    assert!(
        copies_of(&sandbox.world(), "mydatabase")
            .iter()
            .any(|s| s.id == old)
    );
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn a_copy_made_by_hand_counts_as_synced_and_is_left_alone() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 0..6 {
        let mut copy = our_copy(&mut world, "mydatabase", days_ago(day));
        copy.id = ArtifactId::from(format!("before-the-upgrade-{day}"));
        copy.tags.clear();
        world.add_snapshot(&west(), copy);
    }
    let ours = add_our_copy(&mut world, "mydatabase", days_ago(7));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 0)];
    let plan_made = plan(&sandbox, &jobs);
    assert_eq!(actions(&plan_made), Vec::<String>::new());
    assert_eq!(
        job(&plan_made, "sync_my_database").outcome,
        Outcome::UpToDate
    );
    assert!(
        copies_of(&sandbox.world(), "mydatabase")
            .iter()
            .any(|s| s.id == ours),
        "ours stays, not pushed out by theirs"
    );
}

#[test]
fn a_copy_by_the_older_tool_that_was_stopped_before_tagging_is_tagged_not_copied() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    let mut bare = our_copy(&mut world, "mydatabase", days_ago(0));
    bare.tags.clear();
    let bare = world.add_snapshot(&west(), bare);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let plan_made = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&plan_made),
        ["sync_my_database/tag-copy", "sync_my_database/tag-source"]
    );
    no_failures(&apply(&sandbox, &plan_made, &jobs));
    let copies = copies_of(&sandbox.world(), "mydatabase");
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].id, bare);
    assert_eq!(
        copies[0].tags.get("Sync-From-us-east-1"),
        Some("20260115051000+0000 / rds:mydatabase-2026-01-15-05-10")
    );
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn what_cannot_be_told_to_be_a_copy_or_not_fails_the_job() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    let mut holder = our_copy(&mut world, "mydatabase", days_ago(0));
    (holder.copied_from, holder.data_time) = (None, None);
    holder.tags.clear();
    let holder = world.add_snapshot(&west(), holder);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let plan_made = plan(&sandbox, &jobs);
    let job = job(&plan_made, "sync_my_database");
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
    no_failures(&apply(
        &sandbox,
        &plan(&sandbox, std::slice::from_ref(&there)),
        std::slice::from_ref(&there),
    ));
    wait_for_copies(&sandbox);
    let plan_made = plan(&sandbox, &[there, back]);
    assert_eq!(actions(&plan_made), Vec::<String>::new());
    let back = job(&plan_made, "sync_back");
    assert_eq!(back.outcome, Outcome::Failed);
    assert!(
        back.errors[0].message.contains("a copy from us-east-1"),
        "{}",
        back.errors[0].message
    );
}

#[test]
fn two_jobs_that_come_to_the_same_image_make_one_copy() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let sandbox = Sandbox::new(world);
    let jobs = [
        ami_job("sync_first", "Web Application"),
        ami_job("sync_second", "Web Application"),
    ];
    let plan_made = plan(&sandbox, &jobs);
    assert_eq!(
        actions(&plan_made),
        ["sync_first/copy", "sync_first/tag-source"]
    );
    assert!(job(&plan_made, "sync_second").reason.contains("sync_first"));

    let mut other_key = jobs.clone();
    other_key[1].kms_key_id = Some("alias/aws/ebs".to_owned());
    let plan_made = plan(&sandbox, &other_key);
    assert_eq!(job(&plan_made, "sync_second").outcome, Outcome::Failed);
    assert_eq!(
        actions(&plan_made),
        ["sync_first/copy", "sync_first/tag-source"]
    );
}

#[test]
fn databases_of_the_same_name_in_two_regions_get_copies_under_two_names() {
    let mut world = empty_world();
    let ireland = aws_xregion_sync::model::ids::Region::from("eu-west-1");
    add_automated(&mut world, "mydatabase", days_ago(0));
    world.add_automated_snapshot(&ireland, &"mydatabase".into(), days_ago(0));
    let sandbox = Sandbox::new(world);
    let mut other = snapshot_job("sync_ireland", "mydatabase", 2);
    other.source_region = ireland;
    let jobs = [snapshot_job("sync_virginia", "mydatabase", 2), other];
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    no_failures(&results);
    let made: Vec<&str> = results
        .iter()
        .filter_map(|r| r.created_resource.as_ref().map(ArtifactId::as_str))
        .collect();
    assert_eq!(
        made,
        [
            "rds-mydatabase-2026-01-15-05-10",
            "rds-mydatabase-2026-01-15-05-10-eu-west-1"
        ]
    );
    wait_for_copies(&sandbox);
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn images_are_chosen_as_the_config_says_and_nothing_else() {
    let mut world = empty_world();
    let none = Sandbox::new(world.clone());
    let jobs = [ami_job("sync_my_web_app", "Web Application")];
    let plan_made = plan(&none, &jobs);
    let failed = job(&plan_made, "sync_my_web_app");
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
    let plan_made = plan(&pending, &jobs);
    assert_eq!(
        actions(&plan_made),
        ["sync_my_web_app/copy", "sync_my_web_app/tag-source"]
    );
    assert!(job(&plan_made, "sync_my_web_app").warnings[0].contains("ami-0b"));

    world
        .image_mut(&east(), &"ami-0b".into())
        .expect("it")
        .state = state("available");
    world
        .image_mut(&east(), &"ami-0b".into())
        .expect("it")
        .created = Some(days_ago(0));
    let several = Sandbox::new(world);
    let plan_made = plan(&several, &jobs);
    let failed = job(&plan_made, "sync_my_web_app");
    assert!(
        failed.errors[0].message.contains("ami-0a, ami-0b"),
        "{:?}",
        failed.errors
    );
    let mut newest = ami_job("sync_my_web_app", "Web Application");
    change_ami(&mut newest, |ami| ami.most_recent = true);
    let plan_made = plan(&several, &[newest]);
    let Action::Copy(copy) = &plan_made.jobs[0].actions[0] else {
        panic!("{:?}", plan_made.jobs[0])
    };
    assert_eq!(copy.source.id.as_str(), "ami-0b");
}

#[test]
fn what_aws_states_about_a_copy_outranks_its_tags() {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let owner = world.default_account();
    // Tagged as a copy of the image, but AWS says it was made from another.
    let mut pretender = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0))
        .tag("Sync-From-us-east-1", "20260114051000+0000 / ami-0a");
    pretender.copied_from = Some(Arn::of_image(&east(), &"ami-0f".into()));
    world.add_image(&west(), pretender);
    let sandbox = Sandbox::new(world);
    let jobs = [ami_job("sync_my_web_app", "Web Application")];
    assert_eq!(
        actions(&plan(&sandbox, &jobs)),
        ["sync_my_web_app/copy", "sync_my_web_app/tag-source"]
    );
}

#[test]
fn a_copy_that_failed_is_made_again_and_cleared_away_later() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
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
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
    wait_for_copies(&sandbox);
    sandbox.edit(|world| {
        // The image's copy fails as well.
        for image in &mut world.region_mut(&west()).expect("the destination").images {
            image.state = state("failed");
        }
    });
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    no_failures(&results);
    assert_eq!(
        results[0].created_resource.as_ref().map(ArtifactId::as_str),
        Some("rds-mydatabase-2026-01-15-05-10-us-east-1")
    );
    assert!(
        results[1].created_resource.is_some(),
        "the second token in the chain makes a second image: {results:?}"
    );
    wait_for_copies(&sandbox);
    let clean_up = plan(&sandbox, &jobs);
    sandbox.edit(|world| {
        let next = days_ago(-1);
        world.now = next + SignedDuration::from_mins(50);
        add_automated(world, "mydatabase", next);
    });
    // The failed one is as old as the good one: it goes when a newer copy is available.
    assert_eq!(deletions(&clean_up), Vec::<ArtifactId>::new());
    no_failures(&apply(&sandbox, &plan(&sandbox, &jobs), &jobs));
    wait_for_copies(&sandbox);
    let clean_up = plan(&sandbox, &jobs);
    assert_eq!(
        deletions(&clean_up),
        [ArtifactId::from("rds-mydatabase-2026-01-15-05-10")]
    );
    no_failures(&apply(&sandbox, &clean_up, &jobs));
    assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
}

#[test]
fn an_encrypted_snapshot_or_one_with_an_option_group_of_its_own_fails_at_plan_time() {
    let mut world = empty_world();
    let mut locked = database(&mut world, "locked");
    locked.kms_key_id = Some("alias/mine".to_owned());
    let mut oracle = database(&mut world, "oracle");
    oracle.option_group_name = "timezone".to_owned();
    let here = world.region_mut(&east()).expect("the source");
    here.databases = vec![locked, oracle];
    add_automated(&mut world, "locked", days_ago(0));
    add_automated(&mut world, "oracle", days_ago(0));
    let sandbox = Sandbox::new(world);
    let jobs = [
        snapshot_job("sync_locked", "locked", 2),
        snapshot_job("sync_oracle", "oracle", 2),
    ];
    let plan_made = plan(&sandbox, &jobs);
    for (name, option) in [
        ("sync_locked", "kms_key_id"),
        ("sync_oracle", "option_group_name"),
    ] {
        let failed = job(&plan_made, name);
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
fn a_database_without_an_available_automated_snapshot_says_so() {
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
    let plan_made = plan(&sandbox, &jobs);
    let young = &job(&plan_made, "sync_young").errors[0];
    assert!(
        young
            .message
            .contains("rds:young-2026-01-15-05-10 (creating)"),
        "{}",
        young.message
    );
    let absent = &job(&plan_made, "sync_absent").errors[0];
    assert!(
        absent
            .help
            .as_deref()
            .is_some_and(|help| help.contains("Aurora")),
        "{absent:?}"
    );
}

#[test]
fn a_plan_gone_stale_is_not_carried_out_and_says_what_differs() {
    let mut world = empty_world();
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 1..5 {
        add_our_copy(&mut world, "mydatabase", days_ago(day));
    }
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_my_database", "mydatabase", 2)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(deletions(&planned).len(), 2);
    // Somebody deletes a copy that the plan counts on, and says of another that it is to be kept.
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
    assert_eq!(results[0].deleted_resources, Vec::<ArtifactId>::new());
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
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 1..5 {
        add_our_copy(&mut world, "mydatabase", days_ago(day));
    }
    let sandbox = Sandbox::new(world);
    let jobs = [
        ami_job("sync_my_web_app", "Web Application"),
        snapshot_job("sync_my_database", "mydatabase", 2),
    ];
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
