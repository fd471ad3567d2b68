//! Files that were damaged by accident or on purpose: whatever they contain, there is a prompt answer and no panic.
//!
//! More cases than usual: `PROPTEST_CASES=250000 cargo test --release --no-default-features --test it hostile`.

use std::path::PathBuf;

use aws_xregion_sync::ops::{self, ConfigFile, Saved};
use aws_xregion_sync::render::problems::{WIDTH, diagnostics};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::{config, planfile, render};
use proptest::prelude::*;
use proptest::sample::Index;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use crate::support::*;

/// Text that tends to break readers: deep nesting, anchors, numbers at their limits, invisible characters.
const SHORT: [&str; 26] = [
    "{", "}", "[", "]", ":", ",", "\"", "'", "&a ", "*a", "<<: *a", "? ", "- ", "\n", "\t", "\0",
    "\u{202e}", "\\u009b", "\\n", "\\u202e", "\\u200b", "null", "1e999", "-0", "\\ud800",
    "\u{feff}",
];

const LONG: [&str; 5] = [
    "!!binary ",
    "\u{1b}[31m",
    "\\u001b[31m",
    "18446744073709551616",
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
    fn apply_to(&self, file: &mut Vec<u8>) {
        let place = |index: &Index| index.index(file.len() + 1);
        let range = |from: &Index, to: &Index| {
            let (from, to) = (place(from), place(to));
            // Small ones, so that part of the file is left.
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
                let tokens = [&SHORT[..], &LONG].concat();
                let token = token.get(&tokens);
                file.splice(at..at, token.bytes());
            }
            Self::End(at) => {
                let at = place(at);
                file.truncate(at);
            }
        }
    }
}

/// Returns arbitrary bytes, or one of these files damaged.
fn files(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (any::<Index>(), proptest::collection::vec(damage(), 1..8)).prop_map(
        move |(which, damages)| {
            let mut file = valid[which.index(valid.len())].clone();
            for damage in damages {
                damage.apply_to(&mut file);
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
        include_bytes!("../../testdata/config/destinations.yaml"),
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

/// Returns a world with something of everything, a plan for it, and the results of applying the plan.
fn documents() -> (World, SavedPlan, SavedResults) {
    let (sandbox, mut jobs) = both_types();
    jobs.push(ami_job("sync_no", "none"));
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

/// Saves a file in a folder of its own.
fn saved(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    (folder, path)
}

fn files_in(folder: &TempDir) -> Vec<String> {
    let files = std::fs::read_dir(folder.path()).expect("the folder");
    let name = |file: std::io::Result<std::fs::DirEntry>| file.expect("a file").file_name();
    let mut names: Vec<String> = files
        .map(|file| name(file).into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

fn lines(text: &str) -> usize {
    text.lines().count()
}

/// Returns the document with a different control character for every line end in its texts, so that it takes as many lines to show.
fn in_one_line<T: Serialize + DeserializeOwned>(document: &T) -> T {
    let json = serde_json::to_string(document).expect("JSON");
    // An escaped backslash before an `n` is not a line end.
    let parts = json.split(r"\\").map(|part| part.replace(r"\n", r"\u0001"));
    serde_json::from_str(&parts.collect::<Vec<_>>().join(r"\\")).expect("JSON")
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_damaged_config_is_answered(bytes in files(configs())) {
        let (folder, path) = saved("xrs.yaml", &bytes);
        let file = ConfigFile::open(&path).expect("readable");
        let (problems, warnings, notes) = match config::read(&bytes) {
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                (problems, Vec::new(), Vec::new())
            }
            Ok(config) => (config.problems(), config.warnings, config.notes),
        };
        prop_assert_eq!(ops::validate(&file, &[]).is_err(), config::read(&bytes).is_err());
        let shown = [(problems, Level::Error), (warnings, Level::Warning), (notes, Level::Note)]
            .map(|(problems, level)| diagnostics("xrs.yaml", &file.text(), &problems, level, false, WIDTH));
        // A tab in the config moves only what follows it on its line.
        assert_no_tricks(&shown.concat().replace('\t', " "));
        prop_assert_eq!(std::fs::read(&path).expect("there"), bytes);
        prop_assert_eq!(files_in(&folder), ["xrs.yaml"]);
    }

    #[test]
    fn a_damaged_plan_is_answered_and_never_applied(bytes in files(vec![planfile::to_text(&documents().1).expect("JSON").into_bytes()])) {
        let valid = documents().1;
        if let Ok(plan) = planfile::read(&bytes) {
            // What the digest does not cover may have changed; the actions have not.
            prop_assert_eq!(plan.jobs, valid.jobs);
        }
        if let Ok(plan) = planfile::open(&bytes) {
            let shown = |plan: &SavedPlan| render::text::plan(plan, None, &Styles::new(false));
            assert_no_tricks(&shown(&plan));
            assert_no_tricks(&planfile::to_text(&plan).expect("JSON"));
            let markdown = render::markdown::refused_plan(&plan, None, "it is damaged", "xrs show plan.json");
            assert_no_tricks(&markdown);
            prop_assert!(markdown.len() <= render::markdown::MAX_BYTES);
            prop_assert_eq!(lines(&shown(&plan)), lines(&shown(&in_one_line(&plan))));
        }
    }

    #[test]
    fn damaged_results_are_answered(bytes in files(vec![serde_json::to_vec_pretty(&documents().2).expect("text")])) {
        let (folder, path) = saved("results.json", &bytes);
        if let Ok(Saved::Results(results)) = ops::open_saved(&path) {
            let shown = |results: &SavedResults| render::text::saved_results(results, &Styles::new(false));
            assert_no_tricks(&shown(&results));
            assert_no_tricks(&render::markdown::results(&results, None));
            prop_assert_eq!(lines(&shown(&results)), lines(&shown(&in_one_line(&results))));
        }
        prop_assert_eq!(files_in(&folder), ["results.json"]);
    }

    #[test]
    fn a_damaged_sandbox_is_answered_and_what_is_read_can_be_used(bytes in files(vec![documents().0.to_json().into_bytes()])) {
        let (folder, path) = saved("world.json", &bytes);
        let opened = ops::open_sandbox(&path, None, || ());
        let world = std::str::from_utf8(&bytes).ok().and_then(|text| World::from_json(text).ok());
        prop_assert_eq!(opened.is_ok(), world.is_some());
        drop(opened);
        prop_assert_eq!(files_in(&folder), ["world.json", "world.json.lock"]);
        if let Some(world) = world {
            let saved = std::fs::read_to_string(&path).expect("there");
            assert_no_tricks(&saved);
            prop_assert_eq!(World::from_json(&saved), Ok(world.clone()));
            let sandbox = Sandbox::new(world);
            let jobs = [ami_job("sync_app", "Web Application"), snapshot_job("sync_db", "mydatabase", 2)];
            let planned = plan(&sandbox, &jobs);
            prop_assert_eq!(apply(&sandbox, &planned, &jobs).len(), 2);
        } else {
            prop_assert_eq!(std::fs::read(&path).expect("there"), bytes);
        }
    }
}
