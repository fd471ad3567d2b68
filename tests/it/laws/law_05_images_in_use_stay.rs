//! Law 5, for images: besides the rules for all copies, whatever is used, protected or selected stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_xregion_sync::ConfigFile;
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::render::text;
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::random_world::{Fate, ImageRecipe, recipes};
use crate::support::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_5_only_unused_images_beyond_the_limit_are_deleted(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        no_surprises(&apply(&sandbox, &planned, &jobs));
        let left: BTreeSet<String> = copied_image_ids(&sandbox).into_iter().collect();
        for (n, recipe) in recipe.images.iter().enumerate() {
            for (k, (day, fate, state)) in recipe.earlier.iter().enumerate() {
                if !left.contains(&format!("ami-{n}e{k}")) {
                    let why_not = why_not_deleted(recipe, k, *day, *fate, state);
                    prop_assert_eq!(why_not, None, "image {} of job {}", k, n);
                }
            }
        }
    }
}

fn no_surprises(results: &[SyncResult]) {
    for action in results.iter().flat_map(|result| &result.actions) {
        assert!(action.outcome.is_done(), "{action:?}");
    }
}

/// Returns why an earlier copy should not have been deleted, if there is a reason.
fn why_not_deleted(
    recipe: &ImageRecipe,
    k: usize,
    day: i64,
    fate: Fate,
    state: &str,
) -> Option<&'static str> {
    let Some(retain) = recipe.retain else {
        return Some("the job deletes nothing");
    };
    if !matches!(fate, Fate::Unused | Fate::LaunchedLongAgo) {
        return Some("something keeps it");
    }
    if !["available", "failed"].contains(&state) {
        return Some("it is neither available nor failed");
    }
    // The job's copies that certainly count, except the copy of today's image.
    let is_own = |fate| !matches!(fate, Fate::OfOtherJob | Fate::OtherOrigin);
    let others = recipe.earlier.iter().enumerate();
    let newer = others.filter(|(other, (other_day, fate, state))| {
        *state == "available" && is_own(*fate) && (*other_day, k) < (day, *other)
    });
    let of_today = usize::from(recipe.copy.is_some_and(|(_, state)| state == "available"));
    let newer = newer.count() + of_today;
    let wanted = if state == "failed" { 1 } else { retain.max(1) };
    let wanted = usize::try_from(wanted).expect("a small number");
    (newer < wanted).then_some("too few newer ones are left")
}

/// What someone does to a copy.
type Change = fn(&mut WorldArtifact);

/// The oldest of five copies, two of which are beyond the limit of [`planned`].
const OLDEST: &str = "ami-c04";

/// Returns the plan of a job that keeps two of five copies besides the newest.
fn planned(change: impl FnOnce(&mut World)) -> Planned {
    let mut world = copied_images(0..5);
    change(&mut world);
    Planned::new(world, [retaining_job(2)])
}

/// Returns the copies that a plan deletes.
fn deleted(planned: &Planned) -> Vec<String> {
    let ids = deletions(&planned.plan).into_iter();
    ids.map(|id| id.to_string()).collect()
}

/// Returns the copies that a plan keeps for a reason, with the reasons.
fn kept(planned: &Planned) -> Vec<(&str, &str)> {
    let kept = planned.plan.jobs[0].kept.iter();
    kept.map(|kept| (kept.id.as_str(), kept.reason.as_str()))
        .collect()
}

#[test]
fn law_5_images_beyond_the_limit_go_with_their_snapshots() {
    let planned = planned(|_| {});
    assert_eq!(deleted(&planned), ["ami-c04", "ami-c03"]);
    let deletion = planned.plan.jobs[0].deletions().next().expect("one");
    assert_eq!(deletion.snapshots, ["snap-c04"]);
    assert_eq!(deletion.size_gib, Some(8));
    let stays = deletion.expects.kept.iter().map(|kept| kept.id.as_str());
    assert_eq!(stays.collect::<Vec<_>>(), ["ami-c00", "ami-c01", "ami-c02"]);
    let results = planned.succeeds();
    assert_eq!(results[0].deleted_resources.len(), 2);
    assert_eq!(
        copied_image_ids(&planned.sandbox),
        ["ami-c00", "ami-c01", "ami-c02"]
    );
    // One read for the plan, and one before the deletions.
    assert_eq!(planned.calls("DescribeImageReferences").len(), 2);
    planned.again().assert_nothing_to_do();
}

#[test]
fn law_5_a_copy_due_counts_as_one_of_those_kept() {
    let world = copied_images(1..6);
    for (retain, stay) in [(0, 1), (1, 1), (3, 3), (9, 5)] {
        let planned = Planned::new(world.clone(), [retaining_job(retain)]);
        assert_eq!(planned.plan.summary.copy, 1);
        assert_eq!(5 - planned.plan.summary.delete, stay, "{retain}");
        planned.succeeds();
        let planned = planned.when_copied();
        planned.succeeds();
        let left = copied_image_ids(&planned.sandbox).len();
        let most = usize::try_from(retain).expect("a number") + 1;
        assert_eq!(left, most.min(6), "{retain}");
        planned.again().assert_nothing_to_do();
    }
}

#[test]
fn law_5_no_image_is_deleted_without_retention() {
    let planned = Planned::new(copied_images(0..9), [ami_job("sync_web", "Web")]);
    planned.assert_nothing_to_do();
    assert_eq!(planned.calls("DescribeImageReferences").len(), 0);
}

/// What keeps a copy, with the reason that the plan gives.
const GUARDS: [(&str, Change); 4] = [
    ("it carries the tag Sync-Keep", |copy| {
        copy.tags.insert("Sync-Keep", "");
    }),
    ("it is protected from deregistration", |copy| {
        copy.deregistration_protection = true;
    }),
    ("it was last launched on 2025-12-17", |copy| {
        copy.last_launched = Some(days_ago(29));
    }),
    ("it is used by instance i-1, launch template lt-1", |copy| {
        copy.references = vec!["launch template lt-1".to_owned(), "instance i-1".to_owned()];
    }),
];

#[test]
fn law_5_each_guard_alone_keeps_an_image_and_is_named() {
    for (reason, change) in GUARDS {
        let planned = planned(|world| change(copied_image_mut(world, OLDEST)));
        assert_eq!(deleted(&planned), ["ami-c03"], "{reason}");
        assert_eq!(kept(&planned), [(OLDEST, reason)]);
        let screen = text::plan(&planned.plan, None, &Styles::default());
        assert_says(&screen, "- DELETE image ami-c03 (web) in us-west-1, ");
        assert_says(&screen, &format!("    {OLDEST} (web): {reason}\n"));
        planned.succeeds();
        planned.again().assert_nothing_to_do();
    }
}

/// What makes a copy someone else's, or leaves it unclear whose it is.
const NOT_OURS: [Change; 8] = [
    |copy| copy.tags.retain(|key, _| key != "Sync-From-us-east-1"),
    |copy| copy.tags.insert("Sync-From-us-east-1", "yesterday"),
    |copy| copy.tags.retain(|key, _| key != "Sync-Identifier"),
    |copy| copy.tags.insert("Sync-Identifier", "Web 2"),
    |copy| copy.copied_from = None,
    |copy| copy.copied_from = Some(Arn::of_image(&east(), &"ami-ff".into())),
    |copy| copy.copied_from = Some(Arn::of_image(&"eu-west-1".into(), &"ami-04".into())),
    |copy| copy.account = AccountId::from("999999999999"),
];

#[test]
fn law_5_images_of_others_are_neither_deleted_nor_counted() {
    for (n, change) in NOT_OURS.into_iter().enumerate() {
        let changed = planned(|world| change(copied_image_mut(world, OLDEST)));
        assert_eq!(deleted(&changed), ["ami-c03"], "change {n}");
        assert!(kept(&changed).is_empty(), "change {n}");
        // If the second newest is not ours, one more is kept.
        let changed = planned(|world| change(copied_image_mut(world, "ami-c01")));
        assert_eq!(deleted(&changed), [OLDEST], "change {n}");
    }
}

#[test]
fn law_5_images_that_are_neither_available_nor_failed_stay() {
    for word in ["pending", "disabled", "transient", "deregistered"] {
        let planned = planned(|world| copied_image_mut(world, OLDEST).state = state(word));
        assert_eq!(deleted(&planned), ["ami-c03"], "{word}");
    }
}

#[test]
fn law_5_a_failed_image_goes_once_a_newer_one_is_available() {
    let with_failed = |id: &'static str| {
        let mut world = copied_images(0..3);
        copied_image_mut(&mut world, id).state = state("failed");
        Planned::new(world, [retaining_job(9)])
    };
    assert_eq!(deleted(&with_failed("ami-c01")), ["ami-c01"]);
    // The current image is copied again, and its failed copies are counted until then.
    let planned = with_failed("ami-c00");
    assert_eq!(planned.plan.summary.copy, 1);
    assert_eq!(deleted(&planned), Vec::<String>::new());
}

#[test]
fn law_5_the_day_of_the_plan_decides_how_long_ago_an_image_was_launched() {
    let midnight = time("2026-01-15T00:00:00Z");
    let limit = SignedDuration::from_hours(24 * 7);
    let mut job = retaining_job(2);
    change_ami(&mut job, |ami| ami.keep_launched_within = Some(limit));
    for hour in [0, 23] {
        for (launched, stays) in [
            (midnight - limit, true),
            (midnight - limit - SignedDuration::from_secs(1), false),
            // AWS may state a time that this clock has not reached.
            (midnight + limit, true),
        ] {
            let mut world = copied_images(0..5);
            world.now = midnight + SignedDuration::from_hours(hour);
            copied_image_mut(&mut world, OLDEST).last_launched = Some(launched);
            let planned = Planned::new(world, [job.clone()]);
            let is_deleted = deleted(&planned).contains(&OLDEST.to_owned());
            assert_eq!(!is_deleted, stays, "{launched} at {hour}");
        }
    }
}

/// Replaces all images of the source with one that is `day` days old, as after a rollback.
fn roll_back(world: &mut World, day: i64) {
    source(world).images.clear();
    let id = format!("ami-{day:02}");
    add_image(world, &id, "web", "Web");
    image_mut(world, &id).created = Some(days_ago(day));
}

#[test]
fn law_5_the_copy_of_an_older_image_that_matches_again_stays() {
    let planned = planned(|world| roll_back(world, 4));
    assert_eq!(deleted(&planned), ["ami-c03"]);
    assert_eq!(
        kept(&planned),
        [(OLDEST, "it is the copy of the current source")]
    );
}

#[test]
fn law_5_a_copy_whose_source_another_job_selects_stays() {
    let mut world = copied_images(0..5);
    add_image(&mut world, "ami-04", "old web", "Web");
    image_mut(&mut world, "ami-04").created = Some(days_ago(4));
    let mut job = retaining_job(2);
    change_ami(&mut job, |ami| ami.most_recent = true);
    let mut other = ami_job("sync_old", "Web");
    change_ami(&mut other, |ami| {
        ami.sync_identifier = None;
        ami.filters = vec![ImageFilter {
            name: "name".to_owned(),
            values: vec!["old*".to_owned()],
        }];
    });
    let planned = Planned::new(world, [job, other]);
    assert_eq!(deleted(&planned), ["ami-c03"]);
    assert_eq!(kept(&planned)[0].0, OLDEST);
}

#[test]
fn law_5_the_copies_of_all_images_that_another_job_could_select_stay() {
    let mut world = copied_images(0..5);
    for day in [3, 4] {
        let id = format!("ami-{day:02}");
        add_image(&mut world, &id, &format!("old web {day}"), "Web");
        image_mut(&mut world, &id).created = Some(days_ago(day));
    }
    let mut retaining = retaining_job(2);
    change_ami(&mut retaining, |ami| ami.most_recent = true);
    let mut other = ami_job("sync_old", "Web");
    change_ami(&mut other, |ami| {
        ami.sync_identifier = None;
        ami.filters = vec![ImageFilter {
            name: "name".to_owned(),
            values: vec!["old*".to_owned()],
        }];
    });
    let planned = Planned::new(world, [retaining, other]);
    let failed = job(&planned.plan, "sync_old");
    assert_eq!(failed.outcome, Outcome::Failed);
    assert_eq!(deleted(&planned), [""; 0]);
    assert_eq!(kept(&planned).len(), 2);
}

/// Returns a job that copies the images with this name, which are copies themselves, from the destination to a third region.
fn next_job(world: &mut World, name: &str) -> SyncJob {
    let third = Region::from("eu-west-1");
    world.add_region(&third);
    let mut next = ami_job("sync_next", "Web");
    (next.source_region, next.destination_region) = (west(), third);
    change_ami(&mut next, |ami| {
        ami.include_copies = true;
        ami.most_recent = true;
        ami.filters = vec![ImageFilter {
            name: "name".to_owned(),
            values: vec![name.to_owned()],
        }];
    });
    next
}

#[test]
fn law_5_a_copy_that_another_job_copies_to_another_region_stays() {
    let mut world = copied_images(0..5);
    copied_image_mut(&mut world, OLDEST).name = "stable".into();
    let next = next_job(&mut world, "stable");
    let planned = Planned::new(world, [retaining_job(2), next]);
    assert_eq!(deleted(&planned), ["ami-c03"]);
    assert_eq!(kept(&planned), [(OLDEST, "it is the source of sync_next")]);
    planned.succeeds();
    planned.when_copied().assert_nothing_to_do();
}

#[test]
fn law_5_a_copy_stays_until_its_own_copies_are_complete() {
    let mut world = copied_images(1..5);
    let next = next_job(&mut world, "web");
    let jobs = [retaining_job(0), next];
    let planned = Planned::new(world, [jobs[1].clone()]);
    planned.succeeds();
    // A newer copy arrives before the copy that the next job makes is complete.
    planned.sandbox.edit(|world| {
        let copy = image_copy(world, 0);
        world.add_image(&west(), copy);
    });
    let planned = Planned::new(planned.sandbox.world(), jobs);
    assert_eq!(deleted(&planned), ["ami-c04", "ami-c03", "ami-c02"]);
    assert_eq!(
        kept(&planned),
        [("ami-c01", "it is the source of sync_next")]
    );
    planned.succeeds();
    let planned = planned.when_copied();
    assert_eq!(deleted(&planned), ["ami-c01"]);
}

/// Plans one of the jobs of a config.
fn planned_alone(world: World, config: &str, job: &str) -> SavedPlan {
    let config = ConfigFile::from_text("xrs.yaml", config);
    let options = aws_xregion_sync::Options {
        jobs: vec![job.into()],
        ..Default::default()
    };
    let sandbox = Sandbox::new(world);
    block_on(aws_xregion_sync::plan(&config, &sandbox, &options)).expect("a plan")
}

#[test]
fn law_5_jobs_that_are_not_planned_keep_what_they_need() {
    let mut world = copied_images(0..5);
    add_image(&mut world, "ami-04", "old web", "Web");
    image_mut(&mut world, "ami-04").created = Some(days_ago(4));
    let config = "
sync_old: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, filters: ['name=old*']}
sync_web:
  {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: Web, most_recent: true,
   max_images_to_retain: 2}
";
    let plan = planned_alone(world, config, "sync_web");
    assert_eq!(plan.jobs.len(), 1);
    assert_eq!(deletions(&plan), ["ami-c03".into()]);
}

#[test]
fn law_5_a_job_planned_alone_does_not_delete_the_copies_of_another() {
    let config = "
sync_first: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: Web}
sync_second:
  {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: Web,
   max_images_to_retain: 0, aws_client_config: {profile: other}}
";
    let plan = planned_alone(copied_images(0..5), config, "sync_second");
    let error = plan.jobs[0].errors.first().expect("an error");
    assert_help(error, "one would delete the other's copies");
    assert_eq!(deletions(&plan), NONE);
}

#[test]
fn law_5_two_jobs_with_one_identifier_do_not_delete_each_others_copies() {
    // Their settings differ, so only the account that STS returns shows that they conflict.
    for retaining in [0, 1] {
        let mut jobs = ["sync_first", "sync_second"].map(|name| ami_job(name, "Web"));
        change_ami(&mut jobs[retaining], |ami| {
            ami.max_images_to_retain = Some(0)
        });
        jobs[1].client_config = Arc::new(ClientConfig {
            max_attempts: Some(2),
            ..ClientConfig::default()
        });
        let planned = Planned::new(copied_images(0..5), jobs);
        let second = job(&planned.plan, "sync_second");
        assert_eq!(second.outcome, Outcome::Failed);
        assert_help(&second.errors[0], "one would delete the other's copies");
    }
}

/// Applies a plan after the world has changed, and checks that the deletion of the oldest copy is stale.
#[track_caller]
fn assert_stale(what: &str, change: impl FnOnce(&mut World)) {
    let planned = planned(|_| {});
    planned.sandbox.edit(change);
    let results = planned.apply();
    let result = &results[0].actions[0];
    assert_eq!(result.outcome, ActionOutcome::Stale, "{what}: {result:?}");
    assert!(copied_image_ids(&planned.sandbox).contains(&OLDEST.to_owned()));
}

#[test]
fn law_5_an_image_that_has_changed_since_the_plan_stays() {
    let guards = GUARDS.into_iter().map(|(_, change)| change);
    let launched_long_ago: Change = |copy| copy.last_launched = Some(days_ago(300));
    let other_disks: Change = |copy| copy.backing_snapshots[0].id = "snap-ff".into();
    // An image of another account is not found, so it counts as gone.
    let not_ours = NOT_OURS.into_iter().take(7);
    let changes = guards
        .chain(not_ours)
        .chain([launched_long_ago, other_disks]);
    for (n, change) in changes.enumerate() {
        assert_stale(&format!("change {n}"), |world| {
            change(copied_image_mut(world, OLDEST))
        });
    }
    let kept: [Change; 4] = [
        |copy| copy.tags.insert("Sync-Identifier", "Web 2"),
        |copy| copy.state = state("disabled"),
        |copy| copy.tags.retain(|key, _| key != "Sync-From-us-east-1"),
        |copy| copy.copied_from = None,
    ];
    for (n, change) in kept.into_iter().enumerate() {
        assert_stale(&format!("kept {n}"), |world| {
            change(copied_image_mut(world, "ami-c01"))
        });
    }
    assert_stale("a kept one is gone", |world| {
        destination(world)
            .images
            .retain(|image| image.id.as_str() != "ami-c01");
    });
}

#[test]
fn law_5_an_image_that_is_gone_is_already_deleted() {
    let planned = planned(|_| {});
    planned.sandbox.edit(|world| {
        destination(world)
            .images
            .retain(|image| image.id.as_str() != OLDEST);
    });
    let results = planned.succeeds();
    assert_eq!(
        outcomes(&results[0]),
        [ActionOutcome::AlreadyDone, ActionOutcome::Done]
    );
}

#[test]
fn law_5_snapshots_that_are_not_deleted_are_reported() {
    let planned = planned(|world| {
        let shared = copied_image_mut(world, "ami-c03").backing_snapshots.clone();
        copied_image_mut(world, "ami-c00")
            .backing_snapshots
            .extend(shared);
        let denied = Fault::new("DeleteSnapshot", "UnauthorizedOperation", "no", Some(1));
        world.faults.push(denied);
    });
    let results = planned.succeeds();
    let details: Vec<_> = results[0]
        .actions
        .iter()
        .map(|action| action.detail.as_deref())
        .collect();
    let says = ["snap-c04 (missing-permissions)", "snap-c03 (skipped)"];
    let says = says.map(|left| format!("snapshots not deleted: {left}"));
    assert_eq!(details, says.each_ref().map(|text| Some(text.as_str())));
    let still = |snapshot, image| {
        format!("snapshot {snapshot} of the deleted image {image} is still in us-west-1")
    };
    let expected = [
        format!(
            "{}; to delete it: aws ec2 delete-snapshot --region us-west-1 --snapshot-id snap-c04",
            still("snap-c04", "ami-c04")
        ),
        format!("{}: another image uses it", still("snap-c03", "ami-c03")),
    ];
    assert_eq!(results[0].warnings, expected);
    assert_eq!(results[0].deleted_resources.len(), 2, "the images are gone");
}
