//! Law 11: a job that is reported synced or ready has a copy of this database or image that can be restored, or says which copy it
//! counts on and why.
//!
//! `status.rs` has the states of a copy one by one; `moto/status.rs` has them for the program.

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
