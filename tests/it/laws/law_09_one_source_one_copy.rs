//! Law 9: two applies at once, of one plan or of several, make one copy.
//!
//! `moto/chaos.rs` runs several programs at once; `moto/images.rs` tests the client tokens that the SDK sends.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use aws_xregion_sync::executor::{self, Options};
use futures::future::join;
use jiff::SignedDuration;
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::simulation::random::Random;
use crate::simulation::scheduler::{Task, side_by_side};
use crate::support::*;

/// Gives every image of the source region a new tag, so that a new plan requests a different copy with the same client token.
fn retag(sandbox: &Sandbox) {
    sandbox.edit(|world| {
        let images = source(world).images.iter_mut();
        images.for_each(|image| image.tags.insert("Team", "web"));
    });
}

fn copies(world: &World) -> usize {
    let destination = world.region(&west()).expect("the destination");
    destination.images.len() + destination.snapshots.len()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_9_applies_at_once_make_one_copy(recipe in recipes(), seed in any::<u64>(), number in 2..9usize, edit in any::<bool>()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let one = plan(&sandbox, &jobs);
        if edit {
            retag(&sandbox);
        }
        let two = plan(&sandbox, &jobs);
        let (callers, stop) = (callers(&jobs), AtomicBool::new(false));
        let options = Options { parallelism: 3, wait: Wait::No, stop: &stop };
        let tasks = (0..number).map(|n| -> Task<'_, _> {
            let plan = if n % 2 == 0 { &one } else { &two };
            Box::pin(executor::apply(&sandbox, plan, &callers, None, options, &|_| {}))
        });
        let results = side_by_side(&mut Random::new(seed), tasks.collect());

        let failed = one.jobs.iter().filter(|job| job.outcome == Outcome::Failed);
        let failed: BTreeSet<&str> = failed.map(|job| job.name.as_str()).collect();
        for result in results.iter().flatten() {
            prop_assert_eq!(result.failed(), failed.contains(result.name.as_str()), "{:?}", result);
        }
        let alone = Sandbox::new(recipe.world());
        apply(&alone, &plan(&alone, &jobs), &jobs);
        prop_assert_eq!(copies(&sandbox.world()), copies(&alone.world()));
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
    }
}

#[test]
fn law_9_a_copy_that_vanished_is_made_again_with_the_next_token() {
    let (sandbox, jobs) = one_image();
    sync(&sandbox, &jobs);
    let first = images_in_destination(&sandbox).remove(0).id;
    sandbox.edit(|world| destination(world).images.clear());
    let results = sync(&sandbox, &jobs);
    assert!(results[0].created_resource.is_some());
    assert_ne!(results[0].created_resource, Some(first));
    assert_eq!(images_in_destination(&sandbox).len(), 1);
}

#[test]
fn law_9_a_copy_that_vanished_is_made_again_although_the_request_has_changed() {
    let (sandbox, jobs) = one_image();
    for _ in 0..2 {
        sync(&sandbox, &jobs);
        sandbox.edit(|world| destination(world).images.clear());
        // The token of the copy that vanished is refused with these tags.
        retag(&sandbox);
        no_failures(&sync(&sandbox, &jobs));
        assert_eq!(images_in_destination(&sandbox).len(), 1);
        assert_nothing_to_do(&sandbox, &jobs);
    }
}

#[test]
fn law_9_a_copy_that_someone_declares_to_be_another_one_is_made_again() {
    let (sandbox, jobs) = one_image();
    sync(&sandbox, &jobs);
    sandbox.edit(|world| {
        let copy = &mut destination(world).images[0];
        copy.copied_from = None;
        let tag = "20260114051000+0000 / ami-0f";
        copy.tags.insert("Sync-From-us-east-1", tag);
    });
    no_failures(&sync(&sandbox, &jobs));
    assert_eq!(images_in_destination(&sandbox).len(), 2);
    assert_nothing_to_do(&sandbox, &jobs);
}

#[test]
fn law_9_a_copy_that_another_plan_requests_with_other_tags_is_adopted() {
    let (sandbox, jobs) = one_image();
    let one = plan(&sandbox, &jobs);
    retag(&sandbox);
    let two = plan(&sandbox, &jobs);
    assert_ne!(one.digest, two.digest);
    let (callers, stop) = (callers(&jobs), AtomicBool::new(false));
    let options = Options {
        parallelism: 1,
        wait: Wait::No,
        stop: &stop,
    };
    let apply = |plan| executor::apply(&sandbox, plan, &callers, None, options, &|_| {});
    let (first, second) = block_on(join(apply(&one), apply(&two)));
    no_failures(&first);
    no_failures(&second);
    let created = first.iter().chain(&second);
    let created = created.filter(|result| result.created_resource.is_some());
    assert_eq!(created.count(), 1);
    assert_eq!(images_in_destination(&sandbox).len(), 1);
}

#[test]
fn law_9_an_image_that_another_account_shares_is_not_a_copy() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    // As similar to our own copy as possible: AWS and the tags state the source, and the source's tag names it.
    sandbox.edit(|world| {
        let account = world.default_account();
        let other = AccountId::from("999999999999");
        let tag = "20260114051000+0000 / ami-0a";
        let mut shared = WorldArtifact::image("ami-0f", &other, "web", days_ago(0))
            .tag("Sync-From-us-east-1", tag);
        shared.copied_from = Some(Arn::of_image(&east(), &"ami-0a".into()));
        let tags = shared.tags.clone();
        shared.tags_by_others.insert(account.clone(), tags);
        shared.shared_with.push(account);
        world.add_image(&west(), shared);
        let tag = "20260114051000+0000 / ami-0f";
        image_mut(world, "ami-0a")
            .tags
            .insert("Sync-us-west-1", tag);
    });
    let results = apply(&sandbox, &planned, &jobs);
    no_failures(&results);
    assert_eq!(results[0].actions[0].outcome, ActionOutcome::Done);
    assert_eq!(images_in_destination(&sandbox).len(), 2);
}

#[test]
fn law_9_every_failed_copy_leads_to_the_next_token_in_any_order() {
    // Ids do not reveal the order in which images were made.
    for ids in [["ami-01", "ami-02"], ["ami-02", "ami-01"]] {
        let (sandbox, jobs) = one_image();
        let one = plan(&sandbox, &jobs);
        for id in ids {
            no_failures(&apply(&sandbox, &one, &jobs));
            sandbox.edit(|world| {
                let destination = destination(world);
                let image = destination.images.last_mut().expect("the copy");
                (image.state, image.copying) = (state("failed"), None);
                image.id = id.into();
                let token = destination.client_tokens.last_mut().expect("its token");
                token.image_id = id.into();
            });
        }
        wait_for_copies(&sandbox);
        // The same copy with other tags is a different request with tokens that are already used.
        retag(&sandbox);
        sync(&sandbox, &jobs);
        // An apply that does not observe this copy yet arrives at the same token.
        let lagging = Altered(Lagging(&sandbox, SignedDuration::from_mins(1)));
        no_failures(&apply(&lagging, &one, &jobs));
        let images = images_in_destination(&sandbox).into_iter();
        let live = images.filter(|image| !image.state.is_failed());
        assert_eq!(live.count(), 1, "{ids:?}");
    }
}

#[test]
fn law_9_one_image_is_made_where_listings_lag_behind() {
    let (sandbox, jobs) = one_image();
    let planned = plan(&sandbox, &jobs);
    let lagging = Altered(Lagging(&sandbox, SignedDuration::from_mins(2)));
    for _ in 0..2 {
        no_failures(&apply(&lagging, &planned, &jobs));
        assert_eq!(images_in_destination(&sandbox).len(), 1);
    }
}

/// A sandbox that lists new images only after a while.
struct Lagging<'a>(&'a Sandbox, SignedDuration);

#[async_trait]
impl Alters for Lagging<'_> {
    fn sandbox(&self) -> &Sandbox {
        self.0
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let mut found = self.0.find(at, kind, query).await?;
        if kind == Kind::Image {
            let until = self.0.now() - self.1;
            found.retain(|image| image.created.is_none_or(|created| created <= until));
        }
        Ok(found)
    }
}
