//! Law 11: a job that is reported synced or ready has a copy of this database or image that can be restored, or says which copy it
//! counts on and why.
//!
//! `status.rs` has the states of a copy one by one; `moto/status.rs` has them for the program.

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

fn artifacts(world: &World, region: Region) -> impl Iterator<Item = &WorldArtifact> {
    let region = world.region(&region).expect("the region");
    region.images.iter().chain(&region.snapshots)
}

/// Returns true if a copy is one of the database of the job, or of an image that the job selects.
fn is_of_job(world: &World, job: &SyncJob, copy: &WorldArtifact) -> bool {
    if let Some(parent) = job.rules.parent() {
        return copy.parent.as_ref() == Some(parent);
    }
    let identifier = selector(job).sync_identifiers.remove(0);
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
            prop_assert_eq!(status.readiness == Readiness::Ready, copies.newest_usable.is_some());
            let Some(newest) = &copies.newest_usable else { continue };
            let copy = artifacts(&world, west()).find(|copy| copy.id == newest.id);
            let copy = copy.expect("the copy");
            prop_assert!(copy.state.is_available(), "{:?}", status);
            prop_assert!(is_of_job(&world, job, copy), "{:?}", status);
        }
    }

    #[test]
    fn law_11_a_job_that_needs_no_copy_names_the_copy_that_it_counts_on(recipe in recipes()) {
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
            let (Some(before), Some(after)) = (&before.copies, &after.copies) else {
                prop_assert_eq!(&before.errors, &after.errors);
                continue;
            };
            prop_assert!(after.left.count <= before.left.count);
        }
    }
}

#[test]
fn law_11_a_newer_copy_of_another_database_of_the_same_name_does_not_count() {
    // `db-restored` took the name of `db`, and its newest snapshot is older than the last copy of the old `db`.
    let mut world = copied("db", 0..3);
    world
        .region_mut(&east())
        .expect("the source")
        .snapshots
        .clear();
    let restored = add_automated(&mut world, "db", days_ago(1) + SignedDuration::from_mins(7));
    let restored = world.snapshot_mut(&east(), &restored).expect("it");
    restored.parent_created = Some(days_ago(2));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 1)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(actions(&planned), ["sync_db/copy", "sync_db/tag-source"]);
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    // Which database is the present one is certain once it has a newer snapshot.
    assert_nothing_to_do(&sandbox, &jobs);
    assert_eq!(copies_of(&sandbox.world(), "db").len(), 4);
}

#[test]
fn law_11_a_copy_is_found_by_an_identifier_that_its_source_got_later() {
    for tags in [0, 60] {
        let mut world = empty_world();
        let source = add_image(&mut world, "ami-0a", "web", "Old name");
        let image = world.image_mut(&east(), &source).expect("it");
        // With 50 tags, some are dropped: never those that the job selects by.
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

#[test]
fn law_11_a_job_fails_with_the_job_that_copies_its_source_for_it() {
    let (sandbox, jobs) = one_image();
    let mut second = jobs[0].clone();
    second.name = JobName::from("sync_web_again");
    let refused = Fault::new("CopyImage", "UnauthorizedOperation", "no", None);
    sandbox.edit(|world| world.faults.push(refused));
    let jobs = [jobs[0].clone(), second];
    let planned = Planned::new(sandbox.world(), jobs);
    assert_eq!(planned.plan.summary.copy, 1);
    let results = planned.apply();
    assert!(results[0].failed());
    let message = "sync_web copies the source of sync_web_again for it, and has not made the copy";
    assert_eq!(results[1].errors[0].message, message);
    assert!(results[1].failed());
    planned.sandbox.edit(|world| world.faults.clear());
    planned.succeeds();
}

#[test]
fn law_11_deletions_that_make_room_for_the_copy_come_before_it() {
    // Four copies, of which two are kept beside the one being made; the account may have four.
    let mut world = copied("db", 1..5);
    world.quotas.manual_snapshots = 4;
    let planned = Planned::new(world, [snapshot_job("sync_db", "db", 2)]);
    let deleted = ["rds-db-2026-01-11-05-10", "rds-db-2026-01-12-05-10"];
    let deleted = deleted.map(|id| format!("sync_db/delete/{id}"));
    let copied = ["sync_db/copy", "sync_db/tag-source"].map(str::to_owned);
    assert_eq!(actions(&planned.plan), [deleted, copied].concat());
    let says = "us-west-1 has no room for the copy (4 of 4 manual snapshots)";
    assert_says(&planned.plan.jobs[0].warnings.join("\n"), says);
    planned.succeeds();
    planned.assert_nothing_to_do();
}

#[test]
fn law_11_a_job_for_whose_copy_there_is_no_room_says_how_much_is_missing() {
    let mut world = copied("db", 1..3);
    world.quotas.manual_snapshots = 2;
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = Planned::new(world, jobs);
    let error = &planned.plan.jobs[0].errors[0];
    let says = "us-west-1 may have 2 manual snapshots, and 1 more would be needed";
    assert_says(&error.message, says);
    assert_eq!(actions(&planned.plan), Vec::<String>::new());
}

#[test]
fn law_11_an_unknown_quota_is_no_reason_to_delete_first() {
    let mut world = copied("db", 1..5);
    world.quotas.manual_snapshots = 4;
    let denied = Fault::new("DescribeAccountAttributes", "AccessDenied", "no", None);
    world.faults.push(denied);
    let planned = Planned::new(world, [snapshot_job("sync_db", "db", 2)]);
    assert_eq!(actions(&planned.plan)[0], "sync_db/copy");
    let says = "it is not known whether us-west-1 has room for another snapshot";
    assert_says(&planned.plan.jobs[0].warnings.join("\n"), says);
}

#[test]
fn law_11_copies_listed_without_tags_are_read_once_more() {
    let mut world = copied("db", 0..5);
    world.hides_snapshot_tags = true;
    let jobs = [snapshot_job("sync_db", "db", 1)];
    let planned = Planned::new(world.clone(), jobs.clone());
    assert_eq!(deletions(&planned.plan).len(), 3);
    assert_eq!(planned.plan.jobs[0].warnings, Vec::<String>::new());
    planned.succeeds();
    // Without the right to do so, nothing is deleted or tagged, and the plan says why.
    let denied = Fault::new("ListTagsForResource", "AccessDenied", "no", None);
    world.faults.push(denied);
    let planned = Planned::new(world.clone(), jobs.clone());
    assert_eq!(actions(&planned.plan), Vec::<String>::new());
    let warnings = planned.plan.jobs[0].warnings.join("\n");
    assert_says(
        &warnings,
        "retention can't run for copies whose tags can't be read: rds-db-",
    );
    assert_says(&warnings, "allow rds:ListTagsForResource");
    // Any other error is no answer.
    world.faults[0].code = "Throttling".to_owned();
    let planned = Planned::new(world, jobs);
    assert_eq!(planned.plan.summary.failed, 1);
}
