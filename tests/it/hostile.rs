//! Files that somebody damaged, by accident or on purpose: whatever they hold, there is an answer, soon, and no panic.
//!
//! More cases than usual: `PROPTEST_CASES=250000 cargo test --release --no-default-features --test it hostile`.

use aws_xregion_sync::model::plan::SavedPlan;
use aws_xregion_sync::model::result::SavedResults;
use aws_xregion_sync::ops::Saved;
use aws_xregion_sync::provider::sandbox::{Sandbox, World};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::{config, planfile, render};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::*;

/// What tends to break readers: deep nesting, anchors, numbers at their limits, text that is not what it seems.
const TOKENS: [&str; 26] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "? ",
    "- ",
    "\n",
    "\t",
    "\0",
    "\u{1b}[31m",
    "\u{202e}",
    "null",
    "1e999",
    "-0",
    "18446744073709551616",
    "\\ud800",
    "\u{feff}",
    "99999-12-31T23:59:60Z",
];

/// One way to damage a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index, u8),
    Insert(Index, Index),
    End(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        2 => (at(), at()).prop_map(|(from, to)| Damage::Cut(from, to)),
        2 => (at(), at(), 1..9u8).prop_map(|(from, to, times)| Damage::Repeat(from, to, times)),
        4 => (at(), at()).prop_map(|(at, token)| Damage::Insert(at, token)),
        1 => at().prop_map(Damage::End),
    ]
}

impl Damage {
    fn done_to(&self, file: &mut Vec<u8>) {
        let place = |index: &Index| index.index(file.len() + 1);
        let range = |from: &Index, to: &Index| {
            let (from, to) = (place(from), place(to));
            // Small ones, so that something of the file is left.
            let (from, to) = (from.min(to), from.max(to));
            from..to.min(from + 64)
        };
        match self {
            Self::Flip(at, byte) => {
                let at = place(at);
                if let Some(old) = file.get_mut(at) {
                    *old = *byte;
                }
            }
            Self::Cut(from, to) => {
                let range = range(from, to);
                file.drain(range);
            }
            Self::Repeat(from, to, times) => {
                let range = range(from, to);
                let part = file[range.clone()].repeat(usize::from(*times));
                file.splice(range.end..range.end, part);
            }
            Self::Insert(at, token) => {
                let at = place(at);
                let token = TOKENS[token.index(TOKENS.len())];
                file.splice(at..at, token.bytes());
            }
            Self::End(at) => {
                let at = place(at);
                file.truncate(at);
            }
        }
    }
}

/// Arbitrary bytes, or one of these files with damage done to it.
fn files(sound: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (any::<Index>(), proptest::collection::vec(damage(), 1..8)).prop_map(
        move |(which, damages)| {
            let mut file = sound[which.index(sound.len())].clone();
            for damage in damages {
                damage.done_to(&mut file);
            }
            file
        },
    );
    prop_oneof![1 => proptest::collection::vec(any::<u8>(), 0..512), 9 => damaged]
}

fn configs() -> Vec<Vec<u8>> {
    [
        &include_bytes!("../../testdata/config/seed.yaml")[..],
        include_bytes!("../../testdata/config/all_options.yaml"),
        include_bytes!("../../testdata/config/anchors.yaml"),
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

/// A world with something of everything, a plan for it, and the results of applying that.
fn documents() -> (World, SavedPlan, SavedResults) {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    add_automated(&mut world, "mydatabase", days_ago(0));
    for day in 1..5 {
        add_our_copy(&mut world, "mydatabase", days_ago(day));
    }
    let jobs = [
        ami_job("sync_app", "Web Application"),
        snapshot_job("sync_db", "mydatabase", 2),
        ami_job("sync_no", "none"),
    ];
    let sandbox = Sandbox::new(world);
    let plan = plan(&sandbox, &jobs);
    let results = SavedResults {
        format_version: "1.0".to_owned(),
        xrs_version: "0.1.0".to_owned(),
        plan_digest: plan.digest.clone(),
        started_at: start(),
        complete: true,
        interrupted: false,
        results: apply(&sandbox, &plan, &jobs),
    };
    (sandbox.world(), plan, results)
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 1000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_damaged_config_is_answered(bytes in files(configs())) {
        if let Err(problems) = config::read(&bytes) {
            prop_assert!(!problems.is_empty());
        }
        prop_assert_eq!(config::read(&bytes).is_err(), config::client_configs(&bytes).is_err());
    }

    #[test]
    fn a_damaged_plan_is_answered_and_never_applied(bytes in files(vec![planfile::to_text(&documents().1).into_bytes()])) {
        let sound = documents().1;
        if let Ok(plan) = planfile::read(&bytes) {
            // What the digest does not cover may have changed; what would be done has not.
            prop_assert_eq!(plan.jobs, sound.jobs);
        }
        if let Ok(plan) = planfile::open(&bytes) {
            let text = render::text::plan(&plan, None, &Styles::new(false));
            prop_assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{:?}", text);
        }
    }

    #[test]
    fn damaged_results_are_answered(bytes in files(vec![serde_json::to_vec_pretty(&documents().2).expect("text")])) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.json");
        std::fs::write(&path, &bytes).expect("written");
        if let Ok(Saved::Results(results)) = aws_xregion_sync::ops::open_saved(&path) {
            let text = render::text::saved_results(&results, &Styles::new(false));
            prop_assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{:?}", text);
        }
        prop_assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1, "no file is written");
    }

    #[test]
    fn a_damaged_sandbox_is_answered_and_what_is_read_can_be_used(bytes in files(vec![documents().0.to_json().into_bytes()])) {
        let Ok(text) = std::str::from_utf8(&bytes) else { return Ok(()) };
        if let Ok(world) = World::from_json(text) {
            let sandbox = Sandbox::new(world);
            let jobs = [ami_job("sync_app", "Web Application"), snapshot_job("sync_db", "mydatabase", 2)];
            let planned = plan(&sandbox, &jobs);
            prop_assert_eq!(apply(&sandbox, &planned, &jobs).len(), 2);
        }
    }
}
