//! Law 4: after a crash anywhere, applying the same plan again, or a new one, ends as if there had been no crash, with one copy. A
//! lost response counts as a crash.
//!
//! `moto/chaos.rs` kills the program itself; `simulation.rs` crashes in longer histories.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use aws_xregion_sync::executor::{self, Options};
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

/// Returns what each region holds, and how often. Image ids and times are left out, because they differ from one history to the
/// next. So are sync tags of sources: the tag on the copy is authoritative, and a new plan does not write only the one on the
/// source.
fn contents(world: &World) -> BTreeMap<String, usize> {
    let mut contents = BTreeMap::new();
    for (code, region) in &world.regions {
        let describe = |artifact: &WorldArtifact, name: &str| {
            let mut tags = artifact.tags.clone();
            tags.retain(|key, _| key != "Sync-us-west-1");
            let (state, source) = (&artifact.state, &artifact.copied_from);
            format!("{code}: {name} {state} of {source:?}, {tags:?}")
        };
        let images = region.images.iter();
        let images = images.map(|image| describe(image, &image.name));
        let snapshots = region.snapshots.iter();
        let snapshots = snapshots.map(|snapshot| describe(snapshot, snapshot.id.as_str()));
        for line in images.chain(snapshots) {
            *contents.entry(line).or_default() += 1;
        }
    }
    contents
}

/// Returns what an undisturbed apply leaves behind.
fn undisturbed(world: World, jobs: &[SyncJob]) -> BTreeMap<String, usize> {
    let sandbox = Sandbox::new(world);
    apply(&sandbox, &plan(&sandbox, jobs), jobs);
    contents(&sandbox.world())
}

/// Starts an apply and drops it after this number of turns. Each sandbox call takes one turn before it takes effect.
fn apply_for(turns: usize, sandbox: &Sandbox, planned: &SavedPlan, jobs: &[SyncJob]) {
    let (callers, stop) = (callers(jobs), AtomicBool::new(false));
    let options = Options {
        parallelism: 3,
        wait: Wait::No,
        stop: &stop,
    };
    let apply = executor::apply(sandbox, planned, &callers, None, options, &|_| {});
    let mut apply = Box::pin(apply);
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
        apply_for(turns, &sandbox, &planned, &jobs);
        let again = if anew { plan(&sandbox, &jobs) } else { planned };
        apply(&sandbox, &again, &jobs);
        prop_assert_eq!(contents(&sandbox.world()), undisturbed(recipe.world(), &jobs));
    }

    #[test]
    fn law_4_the_answer_to_any_write_is_lost(recipe in recipes(), lost in 0..12usize, anew in any::<bool>()) {
        let jobs = recipe.jobs();
        // A write that can't be saved takes effect anyway, and its caller gets an error.
        let writes = AtomicUsize::new(0);
        let save = move |_: &World| {
            if writes.fetch_add(1, Ordering::Relaxed) == lost { Err("no answer".to_owned()) } else { Ok(()) }
        };
        let sandbox = Sandbox::with_save(recipe.world(), Box::new(save));
        let planned = plan(&sandbox, &jobs);
        apply(&sandbox, &planned, &jobs);
        let sandbox = Sandbox::new(sandbox.world());
        let again = if anew { plan(&sandbox, &jobs) } else { planned };
        apply(&sandbox, &again, &jobs);
        prop_assert_eq!(contents(&sandbox.world()), undisturbed(recipe.world(), &jobs));
    }
}
