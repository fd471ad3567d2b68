//! Scenarios on the sandbox: what happens to a database or an image over days, and what people and the gem left behind.

mod clusters;
mod images;

use jiff::SignedDuration;

use crate::support::*;

const JOB: &str = "sync_my_database";

fn planned(world: World, retain: u32) -> Planned {
    Planned::new(world, [snapshot_job(JOB, "mydatabase", retain)])
}

fn copies(planned: &Planned) -> Vec<WorldArtifact> {
    copies_of(&planned.sandbox.world(), "mydatabase")
}

fn ids_of_copies(planned: &Planned) -> Vec<ArtifactId> {
    copies(planned).into_iter().map(|copy| copy.id).collect()
}

/// Advances the clock to the next automated snapshot, and takes it.
fn next_day(sandbox: &Sandbox, day: i64) {
    sandbox.edit(|world| {
        let next = days_ago(-day);
        world.now = next + SignedDuration::from_mins(50);
        add_automated(world, "mydatabase", next);
    });
}

/// Returns the plan of a job that cannot be planned.
#[track_caller]
fn failed<'a>(planned: &'a Planned, name: &str) -> &'a JobPlan {
    let job = job(&planned.plan, name);
    assert_eq!(job.outcome, Outcome::Failed, "{name}");
    job
}

#[test]
fn six_days_of_retention_keep_two_copies_besides_the_one_being_made() {
    let mut planned = planned(copied("mydatabase", 0..0), 2);
    let mut copies_at_evening = Vec::new();
    for day in 0..6 {
        planned = planned.again();
        let results = planned.succeeds();
        assert!(results[0].created_resource.is_some(), "made every day");
        planned.assert_nothing_to_do();
        wait_for_copies(&planned.sandbox);
        planned.assert_nothing_to_do();
        copies_at_evening.push(copies(&planned).len());
        next_day(&planned.sandbox, day + 1);
    }
    assert_eq!(copies_at_evening, [1, 2, 3, 3, 3, 3]);
    let left = ids_of_copies(&planned);
    for day in [18, 19, 20] {
        let newest = format!("rds-mydatabase-2026-01-{day}-05-10");
        assert!(left.contains(&newest.as_str().into()), "{newest}: {left:?}");
    }
}

#[test]
fn with_nothing_to_retain_the_last_usable_copy_stays_until_the_new_one_is_available() {
    let mut world = copied("mydatabase", 0..0);
    let old = add_our_copy(&mut world, "mydatabase", days_ago(1));
    let first = planned(world, 0);
    assert_eq!(deletions(&first.plan), NONE);
    let warnings = job(&first.plan, JOB).warnings.join("\n");
    assert_says(&warnings, old.as_str());
    first.succeeds();
    let pending = first.again();
    assert_eq!(deletions(&pending.plan), NONE);

    let second = pending.when_copied();
    assert_eq!(deletions(&second.plan), std::slice::from_ref(&old));
    assert_eq!(second.apply()[0].deleted_resources, [old]);
    assert_eq!(copies(&second).len(), 1);
}

#[test]
fn a_world_left_by_the_gem_is_taken_over_without_a_second_copy() {
    let mut world = empty_world();
    add_image_of_gem(&mut world, "Web Application");
    // For snapshots, it tagged both ends. AWS states the source of some copies; for others, there is only the tag.
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 0..5 {
        let mut copy = our_copy(&mut world, "mydatabase", days_ago(day));
        if day % 2 == 0 {
            (copy.copied_from, copy.data_time) = (None, None);
        }
        world.add_snapshot(&west(), copy);
    }
    let jobs = [
        ami_job("sync_my_web_app", "Web Application"),
        snapshot_job(JOB, "mydatabase", 2),
    ];
    let planned = Planned::new(world, jobs);
    let expected = [
        "sync_my_web_app/tag-copy",
        "sync_my_web_app/tag-source",
        "sync_my_database/delete/rds-mydatabase-2026-01-11-05-10",
        "sync_my_database/delete/rds-mydatabase-2026-01-12-05-10",
    ];
    assert_eq!(actions(&planned.plan), expected);
    planned.succeeds();
    let world = planned.sandbox.world();
    for (region, id, key, other) in [
        (west(), "ami-0b", "Sync-From-us-east-1", "ami-0a"),
        (east(), "ami-0a", "Sync-us-west-1", "ami-0b"),
    ] {
        let image = world.image(&region, &id.into()).expect("the image");
        let tag = format!("20260114051000+0000 / {other}");
        assert_eq!(image.tags.get(key), Some(tag.as_str()));
    }
    planned.assert_nothing_to_do();
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
    let planned = planned(world, 1);
    let warnings = job(&planned.plan, JOB).warnings.join("\n");
    assert_says(&warnings, "earlier database");
    earlier
        .iter()
        .for_each(|id| assert_says(&warnings, id.as_str()));
    let expected = [
        "rds-mydatabase-2026-01-12-05-10",
        "rds-mydatabase-2026-01-13-05-10",
    ];
    assert_eq!(deletions(&planned.plan), expected.map(ArtifactId::from));
    planned.succeeds();
    let planned = planned.when_copied();
    planned.succeeds();
    let left = ids_of_copies(&planned);
    assert!(earlier.iter().all(|id| left.contains(id)), "{left:?}");
}

#[test]
fn a_recreated_database_gets_a_copy_with_its_own_id() {
    let mut world = empty_world();
    // The new database's snapshot has the same identifier as the old one's: RDS names snapshots after the minute.
    let taken = days_ago(0);
    let mut old = our_copy(&mut world, "mydatabase", taken);
    old.data_time = Some(taken - SignedDuration::from_secs(20));
    let value = "20260115050940+0000 / rds:mydatabase-2026-01-15-05-10";
    old.tags.insert("Sync-From-us-east-1", value);
    let old = world.add_snapshot(&west(), old);
    add_automated(&mut world, "mydatabase", taken);
    let planned = planned(world, 2);
    let results = planned.succeeds();
    let id = "rds-mydatabase-2026-01-15-05-10-us-east-1";
    assert_eq!(created(&results[0]), Some(id));
    assert!(ids_of_copies(&planned).contains(&old));
    planned.assert_nothing_to_do();
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
    let planned = planned(world, 0);
    planned.assert_nothing_to_do();
    assert_eq!(job(&planned.plan, JOB).outcome, Outcome::UpToDate);
    assert!(ids_of_copies(&planned).contains(&ours));
}

#[test]
fn a_copy_that_the_gem_left_without_a_tag_is_tagged_and_not_copied() {
    let mut world = copied("mydatabase", 0..0);
    let bare = add_copy_of_the_gem(&mut world, "mydatabase");
    let planned = planned(world, 2);
    let expected = ["sync_my_database/tag-copy", "sync_my_database/tag-source"];
    assert_eq!(actions(&planned.plan), expected);
    planned.succeeds();
    let copies = copies(&planned);
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].id, bare);
    let tag = copies[0].tags.get("Sync-From-us-east-1");
    let expected = "20260115051000+0000 / rds:mydatabase-2026-01-15-05-10";
    assert_eq!(tag, Some(expected));
    planned.assert_nothing_to_do();
}

#[test]
fn a_job_fails_where_nothing_tells_whether_a_snapshot_is_its_copy() {
    let mut world = copied("mydatabase", 0..0);
    let mut holder = our_copy(&mut world, "mydatabase", days_ago(0));
    holder.tags.clear();
    (holder.copied_from, holder.data_time) = (None, None);
    let holder = world.add_snapshot(&west(), holder);
    let planned = planned(world, 2);
    let job = failed(&planned, JOB);
    assert_says(&job.errors[0].message, holder.as_str());
}

#[test]
fn databases_of_the_same_name_in_two_regions_get_copies_with_two_ids() {
    let mut world = empty_world();
    let ireland = aws_xregion_sync::model::ids::Region::from("eu-west-1");
    add_automated(&mut world, "mydatabase", days_ago(0));
    let of_ireland = WorldArtifact::automated(&database(&mut world, "mydatabase"), days_ago(0));
    world.add_snapshot(&ireland, of_ireland);
    let mut other = snapshot_job("sync_ireland", "mydatabase", 2);
    other.source_region = ireland;
    let jobs = [snapshot_job("sync_virginia", "mydatabase", 2), other];
    let planned = Planned::new(world, jobs);
    let results = planned.succeeds();
    let made: Vec<&str> = results.iter().filter_map(created).collect();
    let expected = [
        "rds-mydatabase-2026-01-15-05-10",
        "rds-mydatabase-2026-01-15-05-10-eu-west-1",
    ];
    assert_eq!(made, expected);
    planned.when_copied().assert_nothing_to_do();
}

#[test]
fn a_copy_that_failed_is_made_again_and_deleted_later() {
    let mut world = copied("mydatabase", 0..0);
    fail_next_copy(&mut world);
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let jobs = [
        snapshot_job(JOB, "mydatabase", 2),
        ami_job("sync_my_web_app", "Web Application"),
    ];
    let planned = Planned::new(world, jobs);
    planned.succeeds();
    wait_for_copies(&planned.sandbox);
    planned.sandbox.edit(|world| {
        // The image's copy fails too.
        let images = destination(world).images.iter_mut();
        images.for_each(|image| image.state = state("failed"));
    });
    let planned = planned.again();
    let results = planned.succeeds();
    let id = "rds-mydatabase-2026-01-15-05-10-us-east-1";
    assert_eq!(created(&results[0]), Some(id));
    // The second token in the chain makes a second image.
    assert!(results[1].created_resource.is_some(), "{results:?}");
    let planned = planned.when_copied();
    // The failed one is as old as the good one, so it is deleted when a newer copy is available.
    assert_eq!(deletions(&planned.plan), NONE);
    next_day(&planned.sandbox, 1);
    let planned = planned.again();
    planned.succeeds();
    let clean_up = planned.when_copied();
    let expected = ArtifactId::from("rds-mydatabase-2026-01-15-05-10");
    assert_eq!(deletions(&clean_up.plan), [expected]);
    clean_up.succeeds();
    clean_up.assert_nothing_to_do();
}

#[test]
fn an_encrypted_snapshot_or_one_with_an_option_group_of_its_own_fails_at_plan_time() {
    let mut world = empty_world();
    let mut locked = database(&mut world, "locked");
    locked.kms_key_id = Some("alias/mine".to_owned());
    let mut oracle = database(&mut world, "oracle");
    oracle.option_group_name = "timezone".into();
    source(&mut world).databases = vec![locked, oracle];
    let options = vec!["Timezone".to_owned(), "TDE".to_owned()];
    source(&mut world)
        .option_groups
        .insert("timezone".into(), options);
    add_automated(&mut world, "locked", days_ago(0));
    add_automated(&mut world, "oracle", days_ago(0));
    let jobs = [
        snapshot_job("sync_locked", "locked", 2),
        snapshot_job("sync_oracle", "oracle", 2),
    ];
    let planned = Planned::new(world, jobs);
    for (name, option) in [
        ("sync_locked", "kms_key_id"),
        ("sync_oracle", "option_group_name"),
    ] {
        let error = &failed(&planned, name).errors[0];
        assert_says(&error.message, option);
        assert_help(error, option);
    }
    let message = &failed(&planned, "sync_oracle").errors[0].message;
    assert_says(message, "(Timezone, TDE)");
    assert!(!planned.sandbox.calls().iter().any(|call| call.write));
}

#[test]
fn an_option_group_matters_only_where_its_options_stay_with_the_data() {
    let (denied, custom) = ("UnauthorizedOperation", Some("custom-sqlserver-ee".into()));
    // The group has no such options, they can't be read, or the engine takes no option group.
    for (options, fault, engine) in [
        (Vec::new(), None, None),
        (vec!["TDE".to_owned()], Some(denied), None),
        (vec!["TDE".to_owned()], None, custom),
    ] {
        let mut world = empty_world();
        let mut oracle = database(&mut world, "oracle");
        oracle.option_group_name = "own".into();
        oracle.engine = engine;
        source(&mut world).databases = vec![oracle];
        source(&mut world)
            .option_groups
            .insert("own".into(), options);
        let faults = fault.map(|code| Fault::new("DescribeOptionGroups", code, "no", None));
        world.faults.extend(faults);
        add_automated(&mut world, "oracle", days_ago(0));
        let planned = Planned::new(world, [snapshot_job("sync_oracle", "oracle", 2)]);
        let job = &planned.plan.jobs[0];
        assert_eq!(job.actions.len(), 2, "{job:?}");
        let warnings = job.warnings.join("\n");
        assert_eq!(
            warnings.contains("UnauthorizedOperation"),
            fault.is_some(),
            "{warnings}"
        );
    }
}

#[test]
fn a_database_without_an_available_automated_snapshot_fails_its_job() {
    let mut world = empty_world();
    let young = add_automated(&mut world, "young", days_ago(0));
    let young = world.snapshot_mut(&east(), &young).expect("it");
    young.state = state("creating");
    let jobs = [
        snapshot_job("sync_young", "young", 2),
        snapshot_job("sync_absent", "absent", 2),
    ];
    let planned = Planned::new(world, jobs);
    let young = &failed(&planned, "sync_young").errors[0];
    assert_says(&young.message, "rds:young-2026-01-15-05-10 (creating)");
    assert_help(&failed(&planned, "sync_absent").errors[0], "Aurora");
}

#[test]
fn a_stale_plan_deletes_nothing_and_says_what_differs() {
    let planned = planned(copied("mydatabase", 1..5), 2);
    assert_eq!(deletions(&planned.plan).len(), 2);
    // Someone deletes a copy that the plan keeps.
    let kept = "rds-mydatabase-2026-01-14-05-10";
    planned.sandbox.edit(|world| {
        let snapshots = &mut destination(world).snapshots;
        snapshots.retain(|s| s.id.as_str() != kept);
    });
    let results = planned.apply();
    assert!(results[0].failed());
    // The copy action itself is not stale.
    assert!(results[0].created_resource.is_some());
    assert_eq!(results[0].deleted_resources, NONE);
    let mut stale = results[0].actions.clone();
    stale.retain(|action| action.outcome == ActionOutcome::Stale);
    assert_eq!(stale.len(), 2);
    let detail = stale[0].detail.as_deref().expect("a difference");
    assert_says(detail, &format!("kept copy {kept}"));
    assert!(detail.ends_with("found gone"), "{detail}");
}

#[test]
fn applying_the_same_plan_twice_makes_one_copy_and_deletes_nothing_more() {
    let (sandbox, jobs) = both_types();
    let planned = Planned::new(sandbox.world(), jobs);
    planned.succeeds();
    let after_one = planned.sandbox.world();
    for result in planned.succeeds() {
        assert_eq!(result.created_resource, None);
        assert_eq!(result.deleted_resources, NONE);
        let mut outcomes = outcomes(&result).into_iter();
        assert!(outcomes.all(|outcome| outcome == ActionOutcome::AlreadyDone));
    }
    assert_eq!(after_one.regions, planned.sandbox.world().regions);
    assert!(planned.sandbox.now() > start());
}
