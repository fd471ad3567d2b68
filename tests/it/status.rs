//! The status is right in every state of a copy, for each type, even while the source region does not answer.

use aws_xregion_sync::model::status::{Copies, SourceNewest, Storage, UsableCopy};
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::random_world::{in_other_order, recipes};
use crate::support::*;

const LIMIT: SignedDuration = SignedDuration::from_hours(26);

/// How a source region can fail to answer.
const OUTAGES: [fn(&mut World); 3] = [
    |world| source(world).enabled = false,
    |world| {
        for call in ["DescribeImages", "DescribeDBSnapshots", "GetCallerIdentity"] {
            let fault = Fault::new(call, "RequestLimitExceeded", "slow down", None);
            world.faults.push(in_region(&east(), fault));
        }
    },
    |world| {
        world.regions.remove(&east());
    },
];

/// Returns the status with an age limit of 26 hours.
fn observed(sandbox: &Sandbox, jobs: &[SyncJob]) -> Vec<JobStatus> {
    status_within(sandbox, jobs, Some(LIMIT))
}

fn copies(job: &JobStatus) -> &Copies {
    job.copies.as_ref().expect("the destination answers")
}

fn newest(job: &JobStatus) -> &UsableCopy {
    copies(job).newest_usable.as_ref().expect("a copy")
}

fn states(jobs: &[JobStatus]) -> Vec<Readiness> {
    jobs.iter().map(|job| job.readiness).collect()
}

/// One job of each type, each with something to copy.
fn both_types() -> (Sandbox, [SyncJob; 2]) {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    add_automated(&mut world, "mydatabase", days_ago(0));
    let mut image = ami_job("sync_my_web_app", "Web Application");
    change_ami(&mut image, |ami| ami.most_recent = true);
    let jobs = [image, snapshot_job("sync_my_database", "mydatabase", 2)];
    (Sandbox::new(world), jobs)
}

fn copy_all(sandbox: &Sandbox, jobs: &[SyncJob]) {
    sync(sandbox, jobs);
}

/// The same world, with everything copied.
fn both_types_copied() -> (Sandbox, [SyncJob; 2]) {
    let (sandbox, jobs) = both_types();
    copy_all(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    (sandbox, jobs)
}

/// Adds a newer image and a newer snapshot, this number of days after the start.
fn next_day(sandbox: &Sandbox, days: i64) {
    sandbox.edit(|world| {
        world.now = start() + SignedDuration::from_hours(24 * days);
        let owner = world.default_account();
        let id = format!("ami-0a{days}");
        let image = WorldArtifact::image(&id, &owner, "web", days_ago(-days))
            .tag("Sync-Identifier", "Web Application");
        world.add_image(&east(), image);
        add_automated(world, "mydatabase", days_ago(-days));
    });
}

#[test]
fn never_copied() {
    let (sandbox, jobs) = both_types();
    let seen = observed(&sandbox, &jobs);
    assert_eq!(states(&seen), [Readiness::NoCopy; 2]);
    for (job, newest, made) in [
        (&seen[0], "ami-0a", days_ago(1)),
        (&seen[1], "rds:mydatabase-2026-01-15-05-10", days_ago(0)),
    ] {
        let expected = SourceNewest::Present {
            id: newest.into(),
            data_time: Some(made),
        };
        assert_eq!(job.source_newest.as_ref(), Some(&expected));
        let copies = copies(job);
        assert_eq!((&copies.newest_usable, copies.left.count), (&None, 0));
        assert!(copies.in_progress.is_empty() && copies.failed.is_empty());
        assert_eq!(job.reason, "there is no usable copy");
    }
}

#[test]
fn a_copy_in_progress_is_not_usable_yet() {
    let (sandbox, jobs) = both_types();
    copy_all(&sandbox, &jobs);
    sandbox.edit(|world| world.advance(SignedDuration::from_secs(300)));
    let first = observed(&sandbox, &jobs);
    assert_eq!(states(&first), [Readiness::NoCopy; 2]);
    let image = &copies(&first[0]).in_progress;
    assert_eq!((image.len(), image[0].percent), (1, None));
    assert_eq!(image[0].state, state("pending"));
    assert_eq!(image[0].data_time, Some(days_ago(1)));
    let snapshot = &copies(&first[1]).in_progress[0];
    let percent = snapshot.percent.expect("a percentage");
    assert!((50..60).contains(&percent), "{percent}");
    assert_eq!(snapshot.data_time, Some(days_ago(0)));
    assert!(first[0].reason.ends_with("yet: 1 copy in progress"));

    // If there is also an older usable one, nothing is missing.
    wait_for_copies(&sandbox);
    next_day(&sandbox, 1);
    copy_all(&sandbox, &jobs);
    let second = observed(&sandbox, &jobs);
    for job in &second {
        let copies = copies(job);
        assert_eq!((copies.in_progress.len(), copies.left.count), (1, 1));
        let behind = newest(job).behind_seconds;
        assert!(behind >= Some(24 * 3600), "{behind:?}");
    }
}

#[test]
fn a_fresh_copy_is_ready_and_its_age_is_that_of_its_data() {
    let (sandbox, jobs) = both_types_copied();
    sandbox.edit(|world| world.now = days_ago(0) + SignedDuration::from_hours(10));
    let seen = observed(&sandbox, &jobs);
    assert_eq!(states(&seen), [Readiness::Ready; 2]);
    for (job, hours) in seen.iter().zip([34, 10]) {
        let newest = newest(job);
        assert_eq!(newest.age_seconds, Some(hours * 3600));
        assert_eq!(newest.behind_seconds, Some(0));
        assert_eq!(copies(job).left.newest.as_ref(), Some(&newest.id));
    }
    assert_eq!(seen[0].reason, "it has a usable copy of the newest image");
}

#[test]
fn size_and_encryption_of_each_copy_are_stated_as_far_as_they_are_known() {
    let (sandbox, mut jobs) = both_types();
    let key = "arn:aws:kms:us-west-1:123456789012:key/1234abcd";
    sandbox.edit(|world| {
        destination(world).kms_keys = vec![key.to_owned()];
        for snapshot in &mut source(world).snapshots {
            snapshot.kms_key_id = Some("alias/mydatabase".to_owned());
        }
    });
    jobs[1].kms_key_id = Some(key.to_owned());
    let stored = |size_gib, encrypted, key: Option<&str>| Storage {
        size_gib,
        encrypted,
        kms_key_id: key.map(str::to_owned),
    };
    copy_all(&sandbox, &jobs);
    let seen = observed(&sandbox, &jobs);
    let first = &copies(&seen[0]).in_progress[0];
    assert_eq!(
        first.storage,
        Storage::default(),
        "an image has no disks yet"
    );

    wait_for_copies(&sandbox);
    let seen = observed(&sandbox, &jobs);
    let found: Vec<&Storage> = seen.iter().map(|job| &newest(job).storage).collect();
    let image = stored(Some(8), Some(false), None);
    let snapshot = stored(Some(20), Some(true), Some(key));
    assert_eq!(found, [&image, &snapshot]);
}

#[test]
fn a_copy_that_is_too_old_is_not_ready_but_an_image_without_a_newer_one_is() {
    let (sandbox, jobs) = both_types_copied();
    sandbox.edit(|world| world.now = start() + SignedDuration::from_hours(27));
    let states_now = states(&observed(&sandbox, &jobs));
    assert_eq!(states_now, [Readiness::Ready, Readiness::TooOld]);
    next_day(&sandbox, 3);
    let old = observed(&sandbox, &jobs);
    assert_eq!(states(&old), [Readiness::TooOld; 2]);
    let reason = "its newest usable copy is 3 days old; the limit is 26 h";
    assert_eq!(old[1].reason, reason);
    assert_eq!(newest(&old[1]).behind_seconds, Some(3 * 24 * 3600));
    // Without a limit, a copy of any age is enough.
    let unlimited = status_within(&sandbox, &jobs, None);
    assert_eq!(states(&unlimited), [Readiness::Ready; 2]);
}

#[test]
fn failed_copies_are_listed_with_their_reason() {
    let (sandbox, jobs) = both_types();
    for _ in &jobs {
        sandbox.edit(fail_next_copy);
    }
    copy_all(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    let seen = observed(&sandbox, &jobs);
    assert_eq!(states(&seen), [Readiness::NoCopy; 2]);
    let failed = [&seen[0], &seen[1]].map(|job| &copies(job).failed[0]);
    assert_eq!(failed[0].reason.as_deref(), Some("internal error"));
    assert_eq!(failed[1].reason, None, "AWS states none for snapshots");
    assert!(failed.iter().all(|copy| copy.state == state("failed")));
    assert_eq!(seen[0].reason, "there is no usable copy: 1 copy failed");
}

#[test]
fn copies_outlive_their_deleted_source() {
    let (sandbox, jobs) = both_types_copied();
    sandbox.edit(|world| {
        let here = source(world);
        here.images.clear();
        here.snapshots.clear();
        world.now = start();
    });
    let seen_now = observed(&sandbox, &jobs);
    assert_eq!(states(&seen_now), [Readiness::Ready; 2]);
    for job in &seen_now {
        assert_eq!(job.source_newest, Some(SourceNewest::Absent));
        let newest = newest(job);
        assert!(newest.age_seconds.is_some() && newest.behind_seconds.is_none());
        assert_eq!(copies(job).left.count, 1);
    }
    sandbox.edit(|world| world.now += LIMIT);
    // It may not be the newest image.
    let later = states(&observed(&sandbox, &jobs));
    assert_eq!(later, [Readiness::TooOld; 2]);
}

#[test]
fn copies_are_known_while_the_source_region_does_not_answer() {
    for outage in OUTAGES {
        let (sandbox, jobs) = both_types_copied();
        next_day(&sandbox, 1);
        copy_all(&sandbox, &jobs);
        let before = observed(&sandbox, &jobs);
        sandbox.edit(outage);
        let after = observed(&sandbox, &jobs);
        assert_eq!(states(&after), [Readiness::TooOld, Readiness::Ready]);
        for (before, after) in before.iter().zip(&after) {
            let source = after.source_newest.as_ref();
            assert!(matches!(source, Some(SourceNewest::Unknown { .. })));
            assert!(after.errors.is_empty(), "{after:?}");
            let newest = newest(after);
            assert!(newest.age_seconds.is_some() && newest.behind_seconds.is_none());
            let (before, after) = (copies(before), copies(after));
            assert_eq!(before.left, after.left);
            assert_eq!((after.left.count, after.in_progress.len()), (1, 1));
            assert_eq!(after.in_progress[0].id, before.in_progress[0].id);
        }
        // With a longer limit, knowing its age is enough.
        let limit = Some(SignedDuration::from_hours(72));
        let within = status_within(&sandbox, &jobs, limit);
        assert_eq!(states(&within), [Readiness::Ready; 2]);
    }
}

#[test]
fn a_destination_that_does_not_answer_is_unknown_and_fails_no_other_job() {
    let (sandbox, jobs) = both_types_copied();
    sandbox.edit(|world| {
        let fault = Fault::new("DescribeImages", "UnauthorizedOperation", "no", None);
        world.faults.push(in_region(&west(), fault));
    });
    let seen_now = observed(&sandbox, &jobs);
    assert_eq!(states(&seen_now), [Readiness::Unknown, Readiness::Ready]);
    assert_eq!(seen_now[0].copies, None);
    let error = seen_now[0].errors[0].aws.as_ref().expect("AWS's error");
    assert_eq!(error.region, west());
    assert_eq!(error.code, "UnauthorizedOperation");

    sandbox.edit(|world| {
        let fault = Fault::new("GetCallerIdentity", "AccessDenied", "no", None);
        world.faults.push(fault);
    });
    // It is unknown which account these copies belong to.
    let seen_now = states(&observed(&sandbox, &jobs));
    assert_eq!(seen_now, [Readiness::Unknown; 2]);
}

/// Returns an image of the destination with the sync tag of a copy of this source.
fn copy_of(world: &World, id: &str, source: &str, tags: &[(&str, &str)]) -> WorldArtifact {
    let owner = world.default_account();
    let tag = format!("20260114051000+0000 / {source}");
    let copy = WorldArtifact::image(id, &owner, "web-42", days_ago(0));
    let copy = copy.tag("Sync-From-us-east-1", &tag);
    tags.iter()
        .fold(copy, |copy, (key, value)| copy.tag(key, value))
}

#[test]
fn without_the_source_the_selectors_are_tested_on_the_copy() {
    let mut world = empty_world();
    let (web, front) = (("Sync-Identifier", "web"), ("Role", "front"));
    for (id, tags) in [
        ("ami-w1", &[web, front][..]),
        ("ami-w2", &[web, ("Role", "back")]),
        ("ami-w3", &[("Sync-Identifier", "db"), front]),
        ("ami-w4", &[front]),
        // As the gem left it, with the sync tag that xrs has added since.
        ("ami-w5", &[]),
    ] {
        let copy = copy_of(&world, id, &format!("{id}-source"), tags);
        world.add_image(&west(), copy);
    }
    // A copy from another region.
    let elsewhere = WorldArtifact {
        copied_from: Some(Arn::of_image(&"eu-west-1".into(), &"ami-x".into())),
        ..copy_of(&world, "ami-w6", "ami-x", &[web])
    };
    world.add_image(&west(), elsewhere);
    source(&mut world).enabled = false;
    let sandbox = Sandbox::new(world);
    let with = |identifier: Option<&str>, filters: &[(&str, &str)]| {
        let mut job = ami_job("sync_web", identifier.unwrap_or_default());
        change_ami(&mut job, |ami| {
            ami.sync_identifier = identifier.map(str::to_owned);
            let filter = |(name, value): &(&str, &str)| ImageFilter {
                name: (*name).to_owned(),
                values: vec![(*value).to_owned()],
            };
            ami.filters = filters.iter().map(filter).collect();
        });
        let seen = observed(&sandbox, &[job]);
        let job = seen.into_iter().next().expect("a job");
        (copies(&job).left.count, job.warnings)
    };
    let (left, warnings) = with(Some("web"), &[]);
    assert_eq!(left, 2);
    assert_eq!(
        warnings,
        [
            "usable copies that xrs did not make are counted, and xrs neither tags nor deletes them: ami-w2, ami-w1",
            "1 image from us-east-1 may belong to this job, but nothing on them says so: ami-w5",
        ]
    );
    assert_eq!(with(Some("web"), &[("tag:Role", "fr*")]).0, 1);
    assert_eq!(with(None, &[("tag:Role", "front")]).0, 3);
    assert_eq!(with(None, &[("tag-value", "back")]).0, 1);
    assert_eq!(with(None, &[("tag-key", "Ro?e")]).0, 4);
    assert_eq!(with(None, &[("name", "web-*")]).0, 5);
    assert_eq!(with(None, &[("name", "db-*")]).0, 0);
    assert_eq!(with(None, &[("image-id", "ami-w3-source")]).0, 1);
    let (left, warnings) = with(None, &[("architecture", "arm64")]);
    assert_eq!(left, 0, "nothing on a copy says");
    assert!(warnings[0].starts_with("5 images from us-east-1 may belong to this job"));
    let (left, warnings) = with(Some("web"), &[("architecture", "arm64")]);
    assert_eq!(left, 2);
    assert_says(&warnings[1], "architecture can't be tested on copies");
}

#[test]
fn a_copy_of_unknown_age_is_not_ready_where_age_matters() {
    let mut world = empty_world();
    let owner = world.default_account();
    let copy = WorldArtifact {
        copied_from: Some(Arn::of_image(&east(), &"ami-0a".into())),
        ..WorldArtifact::image("ami-w", &owner, "web", days_ago(0)).tag("Sync-Identifier", "web")
    };
    world.add_image(&west(), copy);
    source(&mut world).enabled = false;
    let sandbox = Sandbox::new(world);
    let jobs = [ami_job("sync_web", "web")];
    let now = observed(&sandbox, &jobs);
    assert_eq!(states(&now), [Readiness::AgeUnknown]);
    assert_eq!(copies(&now[0]).left.count, 1);

    // Nor is a copy dated in the future.
    sandbox.edit(|world| {
        let tag = ("Sync-From-us-east-1", "20990101000000+0000 / ami-0a");
        let copy = world.image_mut(&west(), &"ami-w".into()).expect("the copy");
        copy.tags.insert(tag.0, tag.1);
    });
    assert_eq!(states(&observed(&sandbox, &jobs)), [Readiness::AgeUnknown]);
}

#[test]
fn untagged_copies_of_the_gem_are_found_while_the_source_names_them() {
    let mut world = empty_world();
    add_image_of_gem(&mut world, "web");
    let seen = observed(&Sandbox::new(world), &[ami_job("sync_web", "web")]);
    assert_eq!(states(&seen), [Readiness::Ready]);
    let newest = newest(&seen[0]);
    assert_eq!(newest.id.as_str(), "ami-0b");
    assert_eq!(newest.data_time, Some(days_ago(1)));
}

#[test]
fn a_disabled_copy_is_not_usable_and_one_that_is_being_deleted_does_not_count() {
    let (sandbox, jobs) = both_types_copied();
    sandbox.edit(|world| {
        let there = destination(world);
        there.images[0].state = state("disabled");
        there.snapshots[0].state = state("deleting");
    });
    let seen = observed(&sandbox, &jobs);
    assert_eq!(states(&seen), [Readiness::NoCopy; 2]);
    assert!(seen[0].warnings[0].contains("is disabled"));
    assert!(seen.iter().all(|job| copies(job).left.count == 0));
}

#[test]
fn reads_do_not_grow_with_the_number_of_jobs() {
    let calls = |n: usize| {
        let mut world = empty_world();
        let jobs = add_images(&mut world, n);
        let sandbox = Sandbox::new(world);
        assert_eq!(observed(&sandbox, &jobs).len(), n);
        sandbox.calls().len()
    };
    // Reads of the identity and the source, and two of the destination.
    assert_eq!((calls(1), calls(150)), (4, 4));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_listings_changes_nothing(recipe in recipes(), other in any::<u64>()) {
        let jobs = recipe.jobs();
        let world = in_other_order(recipe.world(), other);
        let first = observed(&Sandbox::new(recipe.world()), &jobs);
        prop_assert_eq!(first, observed(&Sandbox::new(world), &jobs));
    }
}
