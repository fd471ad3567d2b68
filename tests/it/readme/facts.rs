//! The tables of the reference, each compared with what it describes.

use std::collections::BTreeSet;
use std::fs;
use std::process::ExitCode;

use aws_xregion_sync::cli::{self, Exit};
use aws_xregion_sync::model::plan::Summary;
use aws_xregion_sync::ops::{self, Document};
use aws_xregion_sync::{config, planfile};
use serde_json::Value;

use super::pages::{self, Page};
use super::project;
use crate::cli::Folder;
use crate::schema;
use crate::support::prelude::*;
use crate::support::start;

fn reference() -> Page {
    pages::page("src/guide/reference.md")
}

/// Returns the words in a cell that lists several.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(", ")
        .map(|name| name.trim_end_matches(" (required)"))
}

#[test]
fn the_exit_codes_are_those_of_the_program() {
    let codes = [
        (0, Exit::Done),
        (1, Exit::Failed),
        (2, Exit::ChangesDue),
        (3, Exit::Refused),
        (130, Exit::Interrupted),
    ];
    for (code, exit) in codes {
        // This does not compile unless all are listed.
        match exit {
            Exit::Done | Exit::Failed | Exit::ChangesDue | Exit::Refused | Exit::Interrupted => {}
        }
        assert_eq!(ExitCode::from(exit), ExitCode::from(code));
    }
    let numbers: Vec<String> = codes.iter().map(|(code, _)| code.to_string()).collect();
    let page = reference();
    let rows = page.rows("Exit codes");
    let stated: Vec<&String> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(stated, numbers.iter().collect::<Vec<_>>());
    let help = cli::command().render_long_help().to_string();
    let (_, help) = help.split_once("Exit codes:\n").expect("exit codes");
    let stated: Vec<&str> = help
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.chars().all(|c| c.is_ascii_digit()))
        .collect();
    assert_eq!(stated, numbers);
}

/// Returns the variables that the program reads itself, as its sources name them.
fn variables() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(project("src/cli")).expect("the folder") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a source");
        for call in ["environment(\"", "is_unset(\""] {
            let names = text.split(call).skip(1);
            let names = names.filter_map(|rest| rest.split('"').next());
            found.extend(names.map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_variables_are_those_that_are_read() {
    let page = reference();
    let rows = page.rows("Environment");
    let stated = rows
        .iter()
        .flat_map(|row| names(&row[0]))
        .map(str::to_owned);
    let (of_aws, own): (BTreeSet<String>, BTreeSet<String>) =
        stated.partition(|name| name.starts_with("AWS_"));
    assert_eq!(own, variables());
    assert!(of_aws.len() > 5, "{of_aws:?}");
}

#[test]
fn the_options_of_the_config_are_those_of_its_schema() {
    let schema = ops::schema(Document::Config);
    let meant = schema::properties(&schema).into_iter();
    let meant = meant.filter(|(_, option)| option["deprecated"] != true);
    let mut taken: BTreeSet<String> = meant.map(|(name, _)| name.clone()).collect();
    // Of a filter, which the table shows.
    for part in ["name", "values"] {
        assert!(taken.remove(part), "{part}");
    }
    let page = reference();
    let rows = page.rows("Options of the config");
    let mut stated = BTreeSet::new();
    for row in rows {
        stated.extend(names(&row[0]).map(str::to_owned));
        // Other names of an option are listed next to it.
        let others = row[1].split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let others = others.filter(|word| taken.contains(*word));
        stated.extend(others.map(str::to_owned));
    }
    assert_eq!(stated, taken);
}

#[test]
fn the_options_of_a_destination_are_those_that_may_differ() {
    let page = reference();
    let rows = page.rows("Options of the config");
    let mut several = rows
        .iter()
        .map(|row| names(&row[0]).collect::<BTreeSet<_>>());
    let stated = several.find(|names| names.len() > 1 && names.contains("kms_key_id"));
    let options = config::reference().flat_map(|group| &group.options);
    let meant = options.filter(|option| option.is_per_destination);
    let meant = meant.map(|option| option.name.as_str()).collect();
    assert_eq!(stated, Some(meant));
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[test]
fn files_have_the_versions_and_sizes_that_are_stated() {
    let folder = Folder::new();
    let run = |words: &str| {
        let ended = folder.xrs(words);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    let _ = run("plan --out plan.json --sandbox world.json");
    let _ = run("apply plan.json --results results.json --sandbox world.json");
    let version = |text: &str| {
        let value: Value = serde_json::from_str(text).expect("JSON");
        value["format_version"]
            .as_str()
            .expect("a version")
            .to_owned()
    };
    let plan = mebibytes(planfile::MAX_BYTES);
    let expected = [
        ("none".to_owned(), mebibytes(config::MAX_BYTES)),
        (version(&folder.read("plan.json")), plan.clone()),
        (version(&folder.read("results.json")), plan),
        (
            version(&run("status --format json --sandbox world.json")),
            String::new(),
        ),
        (version(&run("validate --format json")), String::new()),
        (
            version(&folder.read("world.json")),
            mebibytes(ops::MAX_SANDBOX_BYTES),
        ),
    ];
    let page = reference();
    let rows = page.rows("Files");
    let stated: Vec<(String, String)> = rows
        .iter()
        .map(|row| (row[3].clone(), row[4].clone()))
        .collect();
    assert_eq!(stated, expected);
    // Each document with a schema is listed.
    for document in ["config", "plan", "results", "status", "problems"] {
        let named = format!("xrs schema {document}");
        assert!(rows.iter().any(|row| row[5] == named), "{named}");
    }
}

#[test]
fn the_actions_of_a_plan_are_those_that_its_summary_counts() {
    let summary = serde_json::to_value(Summary::default()).expect("JSON");
    let summary = summary.as_object().expect("an object");
    let counted = summary
        .keys()
        .map(String::as_str)
        .filter(|key| !["jobs", "up_to_date", "failed"].contains(key));
    let page = reference();
    let stated: BTreeSet<&str> = page.rows("The plan").iter().map(|row| &*row[0]).collect();
    assert_eq!(stated, counted.collect());
}

#[test]
fn the_metrics_are_those_that_are_written() {
    let written =
        fs::read_to_string(project("testdata/screens/status_prometheus.snap")).expect("there");
    let written: BTreeSet<&str> = written
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let page = reference();
    let rows = page.rows("Metrics");
    let stated: BTreeSet<&str> = rows.iter().flat_map(|row| names(&row[0])).collect();
    assert_eq!(stated, written);
}

#[test]
fn the_keys_of_a_sandbox_are_keys_of_one() {
    let mut world = World::new(start());
    let region = Region::from("us-west-1");
    world.add_region(&region);
    world.expired_credentials = vec![world.default_account()];
    world.fail_next_copies = vec![FailNextCopy {
        region,
        reason: "internal error".to_owned(),
    }];
    let fault = Fault::new("CopyImage", "RequestLimitExceeded", "slow down", None);
    world.faults = vec![fault];
    world.hides_snapshot_tags = true;
    let world: Value = serde_json::from_str(&world.to_json()).expect("JSON");
    let keys: BTreeSet<&str> = world
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let page = reference();
    let rows = page.rows("The sandbox");
    for row in &rows {
        let key = row[0].as_str();
        assert!(keys.contains(key), "{key} is not among {keys:?}");
    }
    // The table of files states that version.
    let stated: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let left: Vec<&str> = keys.difference(&stated).copied().collect();
    assert_eq!(left, ["format_version"]);
}
