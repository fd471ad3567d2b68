//! Laws 4 and 9 on random worlds: an apply that is cut off or unheard at any point, and several at once, end as one
//! that nothing happened to.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use aws_xregion_sync::executor::{self, Options, Wait};
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::model::job::SyncJob;
use aws_xregion_sync::model::plan::{Outcome, SavedPlan};
use aws_xregion_sync::provider::sandbox::{Sandbox, World};
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::simulation::random::Random;
use crate::simulation::run::{Task, side_by_side};
use crate::support::*;

fn cases(n: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: n.max(usual.cases),
        failure_persistence: None,
        ..usual
    }
}

/// What both regions hold, whenever it was made: ids of images and times differ from one history to the next. Sync tags
/// of sources are left out: a copy's own tag is the truth, and a plan made anew does not add the other end's.
fn holds(world: &World) -> BTreeMap<String, usize> {
    let of_copy = |tags: &Tags| -> Tags {
        tags.iter()
            .filter(|(key, _)| *key != "Sync-us-west-1")
            .collect()
    };
    let mut things = BTreeMap::new();
    for (code, region) in &world.regions {
        let images = region.images.iter().map(|image| {
            let tags = of_copy(&image.tags);
            format!(
                "{code}: image {} {} of {:?}, {tags:?}",
                image.name, image.state, image.copied_from
            )
        });
        let snapshots = region.snapshots.iter().map(|snapshot| {
            let tags = of_copy(&snapshot.tags);
            format!(
                "{code}: {} {} of {:?}, {tags:?}",
                snapshot.id, snapshot.state, snapshot.copied_from
            )
        });
        for thing in images.chain(snapshots) {
            *things.entry(thing).or_default() += 1;
        }
    }
    things
}

/// An undisturbed apply of a plan of these jobs: what it leaves.
fn undisturbed(world: World, jobs: &[SyncJob]) -> BTreeMap<String, usize> {
    let sandbox = Sandbox::new(world);
    apply(&sandbox, &plan(&sandbox, jobs), jobs);
    holds(&sandbox.world())
}

/// Begins an apply and gives it so many turns; each call of the sandbox takes one before it has its effect.
fn cut_off_after(turns: usize, sandbox: &Sandbox, planned: &SavedPlan, jobs: &[SyncJob]) {
    let (callers, stop) = (callers(jobs), AtomicBool::new(false));
    let options = Options {
        parallelism: 3,
        wait: Wait::No,
        stop: &stop,
    };
    let mut apply = Box::pin(executor::apply(
        sandbox,
        planned,
        &callers,
        None,
        options,
        &|_| {},
    ));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..turns {
        if let Poll::Ready(results) = apply.as_mut().poll(&mut context) {
            assert_eq!(results.len(), jobs.len());
            return;
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn law_4_killed_at_any_point_and_applied_again(recipe in recipes(), turns in 0..60usize, anew in any::<bool>()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let planned = plan(&sandbox, &jobs);
        cut_off_after(turns, &sandbox, &planned, &jobs);
        let again = if anew { plan(&sandbox, &jobs) } else { planned };
        apply(&sandbox, &again, &jobs);
        prop_assert_eq!(holds(&sandbox.world()), undisturbed(recipe.world(), &jobs));
    }

    #[test]
    fn law_4_the_answer_to_any_write_is_lost(recipe in recipes(), lost in 0..12usize, anew in any::<bool>()) {
        let jobs = recipe.jobs();
        // What cannot be saved has happened all the same, and its caller hears of an error.
        let writes = AtomicUsize::new(0);
        let unheard = move |_: &World| {
            if writes.fetch_add(1, Ordering::Relaxed) == lost { Err("no answer".to_owned()) } else { Ok(()) }
        };
        let sandbox = Sandbox::with_save(recipe.world(), Box::new(unheard));
        let planned = plan(&sandbox, &jobs);
        apply(&sandbox, &planned, &jobs);
        let sandbox = Sandbox::new(sandbox.world());
        let again = if anew { plan(&sandbox, &jobs) } else { planned };
        apply(&sandbox, &again, &jobs);
        prop_assert_eq!(holds(&sandbox.world()), undisturbed(recipe.world(), &jobs));
    }

    #[test]
    fn law_9_applies_at_once_make_one_copy(recipe in recipes(), seed in any::<u64>(), number in 2..9usize, edit in any::<bool>()) {
        let jobs = recipe.jobs();
        let sandbox = Sandbox::new(recipe.world());
        let one = plan(&sandbox, &jobs);
        if edit {
            // Plans made a moment apart ask for other tags, and so with other requests of the same token.
            sandbox.edit(|world| {
                for image in &mut world.region_mut(&east()).expect("the source").images {
                    image.tags.insert("Team".to_owned(), "web".to_owned());
                }
            });
        }
        let two = plan(&sandbox, &jobs);
        let (callers, stop) = (callers(&jobs), AtomicBool::new(false));
        let options = Options { parallelism: 3, wait: Wait::No, stop: &stop };
        let tasks = (0..number).map(|n| -> Task<'_, _> {
            let plan = if n % 2 == 0 { &one } else { &two };
            Box::pin(executor::apply(&sandbox, plan, &callers, None, options, &|_| {}))
        });
        let results = side_by_side(&mut Random::new(seed), tasks.collect());

        let planned: BTreeSet<&str> =
            one.jobs.iter().filter(|job| job.outcome == Outcome::Failed).map(|job| job.name.as_str()).collect();
        for result in results.iter().flatten() {
            prop_assert_eq!(result.failed(), planned.contains(result.name.as_str()), "{:?}", result);
        }
        let copies = |world: &World| world.region(&west()).expect("the destination").images.len()
            + world.region(&west()).expect("the destination").snapshots.len();
        let alone = Sandbox::new(recipe.world());
        apply(&alone, &plan(&alone, &jobs), &jobs);
        prop_assert_eq!(copies(&sandbox.world()), copies(&alone.world()));
        prop_assert_eq!(actions(&plan(&sandbox, &jobs)), Vec::<String>::new());
    }
}
