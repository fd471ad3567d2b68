//! Law 11: a job that is reported as synced or ready has a restorable copy of this database or image, or the report names the copy
//! that the job relies on, and why.
//!
//! `status.rs` tests the states of a copy one by one; `moto/status.rs` tests them for the program.

use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

fn artifacts(world: &World, region: Region) -> impl Iterator<Item = &WorldArtifact> {
    let region = world.region(&region).expect("the region");
    let snapshots = region.snapshots.iter().chain(&region.cluster_snapshots);
    region.images.iter().chain(snapshots)
}

/// Returns true if a copy is of the job's database, or of an image that the job selects.
fn is_of_job(world: &World, job: &SyncJob, copy: &WorldArtifact) -> bool {
    if let Some(parent) = job.rules.parent() {
        return copy.parent.as_ref() == Some(parent);
    }
    let identifier = selector(job).sync_identifiers.remove(0);
    // If an image is gone, only its copy shows what it was.
    let stated = copy.copied_from.as_ref().and_then(|arn| arn.id());
    let is_there = |id: &str| artifacts(world, east()).any(|source| source.id.as_str() == id);
    if stated.is_some_and(|id| !is_there(id)) {
        return copy.tags.get("Sync-Identifier") == Some(&identifier);
    }
    let sources = artifacts(world, east());
    let mut sources =
        sources.filter(|image| image.tags.get("Sync-Identifier") == Some(&identifier));
    sources.any(|source| {
        let is_stated =
            copy.copied_from.as_ref().and_then(|arn| arn.id()) == Some(source.id.as_str());
        let tag_of_copy = copy.tags.get("Sync-From-us-east-1");
        let tag_of_source = source.tags.get("Sync-us-west-1");
        let names =
            |tag: Option<&str>, id: &ArtifactId| tag.is_some_and(|tag| tag.ends_with(id.as_str()));
        is_stated || names(tag_of_copy, &source.id) || names(tag_of_source, &copy.id)
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_11_a_job_that_is_ready_has_a_copy_that_can_be_restored(recipe in recipes()) {
        let (world, jobs) = (recipe.world(), recipe.jobs());
        let found = status_within(&Sandbox::new(recipe.world()), &jobs, None);
        for (job, status) in jobs.iter().zip(&found) {
            let copies = status.copies.as_ref().expect("the destination answers");
            let is_usable = copies.newest_usable.is_some();
            prop_assert_eq!(matches!(status.readiness, Readiness::Ready | Readiness::Failing), is_usable);
            let Some(newest) = &copies.newest_usable else { continue };
            let copy = artifacts(&world, west()).find(|copy| copy.id == newest.id);
            let copy = copy.expect("the copy");
            prop_assert!(copy.state.is_available(), "{:?}", status);
            prop_assert!(is_of_job(&world, job, copy), "{:?}", status);
            let sources = artifacts(&world, east()).filter(|source| source.state.is_available());
            let mut sources = sources.filter(|source| source.parent.is_some() && source.parent == copy.parent);
            // In a random world, all automated snapshots with the same parent are of the same database.
            let is_present = |source: &WorldArtifact| source.parent_created == copy.parent_created;
            prop_assert!(sources.next().is_none_or(is_present), "{:?}", status);
        }
    }

    #[test]
    fn law_11_a_job_that_needs_no_copy_names_the_copy_that_it_relies_on(recipe in recipes()) {
        let (world, jobs) = (recipe.world(), recipe.jobs());
        let planned = plan(&Sandbox::new(recipe.world()), &jobs);
        for (job, planned) in jobs.iter().zip(&planned.jobs) {
            let is_copied = planned.actions.iter().any(|action| matches!(action, Action::Copy(_)));
            if planned.outcome == Outcome::Failed || is_copied {
                continue;
            }
            let copies = artifacts(&world, west()).filter(|copy| !copy.state.is_gone());
            let mut named = copies.filter(|copy| planned.reason.contains(copy.id.as_str()));
            prop_assert!(named.any(|copy| is_of_job(&world, job, copy)), "{:?}", planned);
        }
    }

    #[test]
    fn law_11_a_source_region_that_does_not_answer_adds_no_copies(recipe in recipes()) {
        let jobs = recipe.jobs();
        let before = status_within(&Sandbox::new(recipe.world()), &jobs, None);
        let mut world = recipe.world();
        source(&mut world).enabled = false;
        let after = status_within(&Sandbox::new(world), &jobs, None);
        for (before, after) in before.iter().zip(&after) {
            // Only the source reveals that all copies are of an earlier database.
            let is_rebuilt = before.warnings.iter().any(|warning| warning.contains("of a different database"));
            let (Some(before), Some(after)) = (&before.copies, &after.copies) else {
                prop_assert_eq!(&before.errors, &after.errors);
                continue;
            };
            let is_only_of_earlier = is_rebuilt && before.left.count == 0;
            prop_assert!(is_only_of_earlier || after.left.count <= before.left.count);
        }
    }
}

#[test]
fn law_11_a_copy_is_found_by_an_identifier_that_its_source_got_later() {
    for tags in [0, 60] {
        let mut world = empty_world();
        let source = add_image(&mut world, "ami-0a", "web", "Old name");
        let image = world.image_mut(&east(), &source).expect("it");
        // With 50 tags, some are dropped, but never those that the job selects by.
        image
            .tags
            .extend((0..tags).map(|n| (format!("Key-{n:02}"), "x")));
        image.tags.insert("Zone", "blue");
        let sandbox = Sandbox::new(world);
        let mut jobs = [ami_job("sync_web", "Old name")];
        change_ami(&mut jobs[0], |ami| {
            let (name, values) = ("tag:Zone".to_owned(), vec!["blue".to_owned()]);
            ami.filters = vec![ImageFilter { name, values }];
        });
        sync(&sandbox, &jobs);
        sandbox.edit(|world| {
            let image = world.image_mut(&east(), &source).expect("it");
            image.tags.insert("Sync-Identifier", "New name");
        });
        change_ami(&mut jobs[0], |ami| {
            ami.sync_identifier = Some("New name".to_owned());
        });
        let planned = plan(&sandbox, &jobs);
        assert_eq!(
            actions(&planned),
            ["sync_web/tag-copy", "sync_web/tag-source"]
        );
        sync(&sandbox, &jobs);
        assert_nothing_to_do(&sandbox, &jobs);
        wait_for_copies(&sandbox);
        sandbox.edit(|world| world.region_mut(&east()).expect("it").enabled = false);
        let status = &status_within(&sandbox, &jobs, None)[0];
        assert_eq!(status.readiness, Readiness::Ready, "{status:?}");
    }
}

/// Returns the status of one job without an age limit.
fn status_of(sandbox: &Sandbox, job: &SyncJob) -> JobStatus {
    status_within(sandbox, std::slice::from_ref(job), None).remove(0)
}

/// Returns the number of usable copies and the id of the newest.
fn left(status: &JobStatus) -> (usize, Option<&str>) {
    let left = &status
        .copies
        .as_ref()
        .expect("the destination answers")
        .left;
    (left.count, left.newest.as_ref().map(ArtifactId::as_str))
}

/// Returns the only warning.
#[track_caller]
fn warning(status: &JobStatus) -> &str {
    assert_eq!(status.warnings.len(), 1, "{status:?}");
    &status.warnings[0]
}

fn lose_source(sandbox: &Sandbox) {
    sandbox.edit(|world| source(world).enabled = false);
}

#[test]
fn law_11_a_copy_of_a_withdrawn_image_is_named_with_the_older_image_that_is_currently_chosen() {
    let deregister = |world: &mut World| {
        source(world)
            .images
            .retain(|image| image.id.as_str() != "ami-0b")
    };
    let disable = |world: &mut World| image_mut(world, "ami-0b").state = state("disabled");
    let rename = |world: &mut World| {
        image_mut(world, "ami-0b")
            .tags
            .insert("Sync-Identifier", "Bad");
    };
    let by_name = |ami: &mut AmiOptions| {
        let (name, values) = ("architecture".to_owned(), vec!["x86_64".to_owned()]);
        ami.filters = vec![ImageFilter { name, values }];
        ami.sync_identifier = None;
    };
    let withdrawals: [fn(&mut World); 3] = [deregister, disable, rename];
    let withdrawals = withdrawals.map(|withdraw| (withdraw, false));
    let unknown = (withdrawals[0].0, true);
    for (withdraw, is_unknown) in withdrawals.into_iter().chain([unknown]) {
        let mut job = ami_job("sync_web", "Web");
        change_ami(&mut job, |ami| ami.most_recent = true);
        if is_unknown {
            change_ami(&mut job, by_name);
        }
        let mut world = empty_world();
        add_image(&mut world, "ami-0a", "web-1", "Web");
        let sandbox = Sandbox::new(world);
        let jobs = [job];
        let older = sync(&sandbox, &jobs).remove(0);
        sandbox.edit(|world| {
            add_image(world, "ami-0b", "web-2", "Web");
            image_mut(world, "ami-0b").created = Some(days_ago(0));
        });
        let newer = sync(&sandbox, &jobs).remove(0);
        let (older, newer) = (
            created(&older).expect("a copy"),
            created(&newer).expect("a copy"),
        );
        wait_for_copies(&sandbox);
        let before = status_of(&sandbox, &jobs[0]);
        assert_eq!((left(&before).1, &*before.warnings), (Some(newer), &[][..]));

        sandbox.edit(withdraw);
        let status = status_of(&sandbox, &jobs[0]);
        assert_eq!(status.readiness, Readiness::Ready);
        assert_says(warning(&status), newer);
        if is_unknown {
            assert_says(
                warning(&status),
                "1 image from us-east-1 newer than ami-0a, which is currently chosen",
            );
            continue;
        }
        assert_says(
            warning(&status),
            &format!("{newer} is a copy of a newer image, ami-0b of 2026-01-15"),
        );
        assert_says(
            warning(&status),
            &format!("ami-0a of 2026-01-14 05:10 UTC, is older, and has the copy {older}"),
        );

        // Without a copy of the older image, the newer one is no substitute.
        sandbox.edit(|world| {
            destination(world)
                .images
                .retain(|image| image.id.as_str() != older)
        });
        let status = status_of(&sandbox, &jobs[0]);
        assert_says(warning(&status), "has no usable copy");
        assert_says(&status.reason, "its newest usable copy is");
    }
}

/// Copies of `db`, then a different database with its name, created two days ago.
fn rebuilt() -> (Sandbox, SyncJob) {
    let mut world = copied("db", 3..6);
    let here = source(&mut world);
    here.snapshots.clear();
    here.databases[0].created = days_ago(2);
    add_automated(&mut world, "db", days_ago(0));
    (Sandbox::new(world), snapshot_job("sync_db", "db", 9))
}

#[test]
fn law_11_copies_of_an_earlier_database_of_the_name_never_count() {
    let (sandbox, job) = rebuilt();
    let none = status_of(&sandbox, &job);
    assert_eq!(
        (none.readiness, left(&none)),
        (Readiness::NoCopy, (0, None))
    );
    let says = "copies of a different database named db exist and do not count: rds-db-2026-01-12-05-10, \
                rds-db-2026-01-11-05-10, rds-db-2026-01-10-05-10";
    assert_eq!(warning(&none), says);

    sync(&sandbox, std::slice::from_ref(&job));
    wait_for_copies(&sandbox);
    let newest = (1, Some("rds-db-2026-01-15-05-10"));
    for is_lost in [false, true] {
        if is_lost {
            lose_source(&sandbox);
        }
        let status = status_of(&sandbox, &job);
        assert_eq!(
            (status.readiness, left(&status)),
            (Readiness::Ready, newest)
        );
        assert_eq!(warning(&status), says);
    }
}

#[test]
fn law_11_a_restored_database_with_older_data_is_told_apart_from_the_lost_one() {
    // The restored database's data is older than the last copy of the lost one.
    let (sandbox, job) = rebuilt();
    sandbox.edit(|world| {
        add_our_copy(world, "db", days_ago(-1));
        copy_mut(world, &"rds-db-2026-01-16-05-10".into()).parent_created = Some(days_ago(365));
    });
    let status = status_of(&sandbox, &job);
    assert_eq!(left(&status), (0, None));
    assert_says(warning(&status), "rds-db-2026-01-16-05-10");
    sandbox.edit(|world| {
        add_our_copy(world, "db", days_ago(0));
    });
    lose_source(&sandbox);
    let status = status_of(&sandbox, &job);
    assert_eq!(left(&status), (1, Some("rds-db-2026-01-15-05-10")));
}

#[test]
fn law_11_a_copy_that_xrs_did_not_make_is_named() {
    let mut world = copied("db", 1..3);
    let id = add_our_copy(&mut world, "db", days_ago(0));
    copy_mut(&mut world, &id).tags.clear();
    let sandbox = Sandbox::new(world);
    let status = status_of(&sandbox, &snapshot_job("sync_db", "db", 9));
    assert_eq!(left(&status), (3, Some("rds-db-2026-01-15-05-10")));
    assert_eq!(
        warning(&status),
        "usable copies that xrs did not make are counted, and xrs neither tags nor deletes them: rds-db-2026-01-15-05-10"
    );
}

#[test]
fn law_11_a_job_is_not_ready_after_a_series_of_failed_copies_until_one_succeeds() {
    let (sandbox, jobs) = both_types();
    for failed in 1..=3 {
        for _ in &jobs {
            sandbox.edit(fail_next_copy);
        }
        apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        wait_for_copies(&sandbox);
        let image = status_of(&sandbox, &jobs[0]);
        assert_eq!(image.readiness, Readiness::NoCopy);
        let database = status_of(&sandbox, &jobs[1]);
        let expected = if failed < 3 {
            Readiness::Ready
        } else {
            Readiness::Failing
        };
        assert_eq!(database.readiness, expected, "{database:?}");
    }
    for is_lost in [false, true] {
        if is_lost {
            lose_source(&sandbox);
        }
        let reasons = [
            "there is no usable copy: 3 copies of ami-0a have failed: internal error",
            "3 copies of rds:mydatabase-2026-01-15-05-10 have failed",
        ];
        for (job, reason) in jobs.iter().zip(reasons) {
            let status = status_of(&sandbox, job);
            assert!(!status.readiness.is_ready());
            assert_eq!(status.reason, reason);
        }
    }
    sandbox.edit(|world| source(world).enabled = true);
    apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    wait_for_copies(&sandbox);
    for job in &jobs {
        assert_eq!(status_of(&sandbox, job).readiness, Readiness::Ready);
    }
}

#[test]
fn law_11_the_age_of_a_copy_is_that_of_the_last_transaction_where_aws_states_it() {
    let mut world = copied("db", 0..1);
    let copy = ArtifactId::from("rds-db-2026-01-15-05-10");
    // The data of the snapshot of 05:10 ends at 05:00, and the test begins at 06:00.
    copy_mut(&mut world, &copy).database_time =
        Some(days_ago(0) - jiff::SignedDuration::from_mins(10));
    let status = &status_within(&Sandbox::new(world), &database_job(), None)[0];
    let newest = status
        .copies
        .as_ref()
        .and_then(|copies| copies.newest_usable.as_ref());
    let age = newest
        .and_then(|newest| newest.age_seconds)
        .expect("an age");
    assert!((3600..3660).contains(&age), "{age}");
}
