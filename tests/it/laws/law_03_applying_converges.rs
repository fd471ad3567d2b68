//! Law 3: if nothing has changed since an apply, planning again yields no actions, even while copies are in progress.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::random_world::{Recipe, recipes};
use crate::support::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_3_after_an_apply_nothing_is_left_to_do(recipe in recipes()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        let results = apply(&sandbox, &planned, &jobs);
        for result in &results {
            let planned = job(&planned, result.name.as_str());
            prop_assert_eq!(result.failed(), planned.outcome == Outcome::Failed, "{:?}", result);
        }
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new(), "while copies are in progress");
        // One more apply does what becomes due when copies are available.
        wait_for_copies(&sandbox);
        apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new(), "when copies are available");
    }
}

#[test]
fn law_3_an_untagged_twin_of_a_tagged_copy_changes_nothing() {
    let mut world = copied("db", 0..1);
    let mut twin = our_copy(&mut world, "db", days_ago(0));
    twin.id = ArtifactId::from(format!("{}-us-east-1", twin.id));
    twin.tags.clear();
    world.add_snapshot(&west(), twin);
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 0)];
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn law_3_random_worlds_have_copies_deletions_and_tags_of_every_kind_of_job() {
    // Guards the random tests against recipes that no longer produce what they are meant to.
    let (mut copies, mut deletions, mut tags) = (0, 0, 0);
    let mut kinds = [0; Kind::ALL.len()];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let recipe: Recipe = recipes().new_tree(&mut runner).expect("a recipe").current();
        let jobs = recipe.jobs();
        for (kind, number) in Kind::ALL.into_iter().zip(&mut kinds) {
            *number += jobs.iter().filter(|job| job.kind() == kind).count();
        }
        let summary = plan(&Sandbox::new(recipe.world()), &jobs).summary;
        copies += summary.copy;
        deletions += summary.delete;
        tags += summary.tag_copy;
    }
    assert!(
        copies > 50 && deletions > 50 && tags > 10,
        "{copies} copies, {deletions} deletions, {tags} tags"
    );
    assert!(kinds.into_iter().all(|number| number > 100), "{kinds:?}");
}

#[test]
fn law_3_images_that_are_replaced_every_night_leave_as_many_copies_as_are_retained() {
    for retain in [0, 2] {
        let jobs = [retaining_job(retain)];
        let sandbox = Sandbox::new(copied_images(0..0));
        for night in 1..7 {
            sync(&sandbox, &jobs);
            assert_nothing_to_do(&sandbox, &jobs);
            wait_for_copies(&sandbox);
            sync(&sandbox, &jobs);
            assert_nothing_to_do(&sandbox, &jobs);
            let most = usize::try_from(retain).expect("a number") + 1;
            assert_eq!(
                images_in_destination(&sandbox).len(),
                most.min(usize::try_from(night).expect("a number"))
            );
            sandbox.edit(|world| {
                source(world).images.clear();
                let id = format!("ami-{night:02}");
                add_image(world, &id, "web", "Web");
                image_mut(world, &id).created = Some(days_ago(-night));
                world.now = days_ago(-night);
            });
        }
    }
}

#[test]
fn law_3_an_older_image_that_matches_again_is_copied_once_and_stays() {
    let jobs = [retaining_job(0)];
    let mut world = copied_images(0..3);
    image_mut(&mut world, "ami-00").created = Some(days_ago(9));
    image_mut(&mut world, "ami-00").id = "ami-09".into();
    let sandbox = Sandbox::new(world);
    for round in 0..4 {
        sandbox.edit(|world| world.now = days_ago(-round));
        sync(&sandbox, &jobs);
        assert_nothing_to_do(&sandbox, &jobs);
        wait_for_copies(&sandbox);
    }
    let sources = images_in_destination(&sandbox);
    let sources: Vec<_> = sources
        .iter()
        .filter_map(|copy| copy.copied_from.as_ref()?.id())
        .collect();
    assert_eq!(sources, ["ami-09", "ami-00"]);
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn law_3_two_copies_of_one_image_with_different_identifiers_hold_up_no_deletion() {
    let mut world = copied_images(0..4);
    let mut other = image_copy(&world, 0);
    other.id = "ami-d00".into();
    other.tags.insert("Sync-Identifier", "Web of last year");
    world.add_image(&west(), other);
    let planned = Planned::new(world, [retaining_job(1)]);
    planned.succeeds();
    let left = ["ami-c00", "ami-d00"];
    assert_eq!(copied_image_ids(&planned.sandbox), left);
    assert_nothing_to_do(&planned.sandbox, &planned.jobs);
}

#[test]
fn law_3_a_copy_that_is_marked_to_be_kept_gets_the_tags_of_its_source() {
    let mut world = copied_images(0..1);
    let mut newer = image_copy(&world, 0);
    newer.id = "ami-d00".into();
    world.add_image(&west(), newer);
    let copy = copied_image_mut(&mut world, "ami-c00");
    copy.tags.insert("Sync-Keep", "yes");
    copy.tags.insert("Sync-Identifier", "Web of last year");
    let planned = Planned::new(world, [retaining_job(0)]);
    planned.succeeds();
    let mut world = planned.sandbox.world();
    let tags = &copied_image_mut(&mut world, "ami-c00").tags;
    assert_eq!(tags.get("Sync-Identifier"), Some("Web"));
    assert_nothing_to_do(&planned.sandbox, &planned.jobs);
}

/// Returns image jobs in a ring of three regions, in both directions, that take the newest image with one identifier.
fn ring(include_copies: bool) -> (World, Vec<SyncJob>) {
    let ireland = Region::from("eu-west-1");
    let mut world = empty_world();
    world.add_region(&ireland);
    add_image(&mut world, "ami-0a", "web", "Web");
    let regions = [east(), west(), ireland];
    let mut jobs = Vec::new();
    for from in &regions {
        for to in regions.iter().filter(|to| *to != from) {
            let mut job = ami_job(&format!("sync_{from}_{to}"), "Web");
            job.source_region = from.clone();
            job.destination_region = to.clone();
            change_ami(&mut job, |ami| {
                ami.most_recent = true;
                ami.include_copies = include_copies;
            });
            jobs.push(job);
        }
    }
    (world, jobs)
}

#[test]
fn law_3_a_ring_of_regions_makes_one_copy_in_each() {
    let (world, jobs) = ring(false);
    let sandbox = Sandbox::new(world);
    for _ in 0..4 {
        apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        wait_for_copies(&sandbox);
    }
    let world = sandbox.world();
    let images = world.regions.values().map(|region| region.images.len());
    assert_eq!(images.collect::<Vec<_>>(), [1, 1, 1]);
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn law_3_an_image_that_aws_says_came_from_the_destination_is_not_copied_back() {
    for include_copies in [false, true] {
        let (mut world, jobs) = ring(include_copies);
        let source = image_mut(&mut world, "ami-0a");
        source.copied_from = Some(Arn::of_image(&west(), &"ami-0f".into()));
        let job = jobs
            .into_iter()
            .find(|job| job.destination_region == west());
        let planned = Planned::new(world, [job.expect("a job")]);
        let error = &planned.plan.jobs[0].errors[0];
        assert_says(&error.message, "found ami-0a (a copy)");
    }
}

#[test]
fn law_3_copies_that_fail_again_and_again_are_tried_each_night_and_reported() {
    let (sandbox, jobs) = one_image();
    for night in 0..12 {
        sandbox.edit(|world| {
            world.now = days_ago(-night);
            let reason = "Client.InternalError: it broke".to_owned();
            world.fail_next_copies = vec![FailNextCopy {
                region: west(),
                reason,
            }];
        });
        let planned = plan(&sandbox, &jobs);
        let results = apply(&sandbox, &planned, &jobs);
        assert!(created(&results[0]).is_some(), "night {night}: {results:?}");
        wait_for_copies(&sandbox);
        let errors: Vec<String> = results[0].errors.iter().map(Problem::to_string).collect();
        if night < 3 {
            assert_eq!(errors, Vec::<String>::new());
        } else {
            let says =
                format!("{night} copies of ami-0a have failed: Client.InternalError: it broke");
            assert_eq!(errors, [says]);
            assert_eq!((planned.summary.copy, planned.summary.failed), (1, 1));
        }
    }
    // The cause is fixed.
    sandbox.edit(|world| world.fail_next_copies.clear());
    apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    wait_for_copies(&sandbox);
    assert_nothing_to_do(&sandbox, &jobs);
    let planned = plan(&sandbox, &jobs);
    assert_eq!(planned.summary.failed, 0);
}
