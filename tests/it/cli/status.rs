//! `xrs status`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Folder, example};
use crate::render::markdown::outline;
use crate::support::{TRICK, assert_no_tricks};

const STATUS: [&str; 3] = ["status", "--sandbox", "world.json"];

impl Folder {
    fn status(&self, options: &[&str]) -> super::Ended {
        self.xrs(&[&STATUS, options].concat())
    }

    /// Copies all, and lets the copies be done.
    fn all_copied(&self) {
        self.xrs(&["run", "--sandbox", "world.json", "--wait"])
            .went_well(&[]);
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_status_says_for_each_job_whether_its_copy_is_there() {
    let folder = Folder::new();
    let first = folder.status(&[]);
    first.went_well(&[
        "Status of xrs.yaml on a sandbox, observed 2026-01-15 06:00 UTC.",
        "sync_my_web_app (ec2_ami) us-east-1 → us-west-1",
        "NOT READY: there is no usable copy",
        "newest usable copy: rds-mydatabase-",
        "Status: 2 jobs, 1 ready, 1 not ready, 0 not known.",
    ]);
    assert_eq!(
        first.err,
        "note: made the sandbox world.json for the config\n"
    );
    assert_eq!(folder.status(&["--max-age", "26h"]).code, Some(1));
    folder.all_copied();
    folder
        .status(&["--max-age", "26h"])
        .went_well(&["Status: 2 jobs, 2 ready (limit 26 h), 0 not ready, 0 not known."]);
}

#[test]
fn a_monitor_fails_for_what_is_too_old_and_tells_only_of_the_jobs_that_were_picked() {
    let folder = Folder::new();
    folder.all_copied();
    let database = ["--job", "sync_my_database", "--max-age"];
    folder
        .status(&[&database[..], &["26h"]].concat())
        .went_well(&[
            "Limited to sync_my_database.",
            "Status: 1 job, 1 ready (limit 26 h)",
        ]);
    let late = folder.status(&[&database[..], &["5m"]].concat());
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(
        late.out.contains("NOT READY: its newest usable copy is "),
        "{late:?}"
    );
    assert!(!late.out.contains("sync_my_web_app"), "{late:?}");
    let any_age = folder.status(&["--job", "sync_my_database"]);
    any_age.went_well(&["ready"]);
    folder
        .status(&["--job", "sync_my_databse"])
        .failed(1, &["did you mean sync_my_database?"]);
}

#[test]
fn the_source_region_may_be_down() {
    let folder = Folder::new();
    folder.all_copied();
    folder.edit("world.json", |world| {
        world["regions"]["us-east-1"]["enabled"] = false.into();
    });
    let down = folder.status(&["--max-age", "3d"]);
    down.went_well(&[
        "source unknown: us-east-1 could not be observed",
        "OptInRequired",
        "AuthFailure",
        "newest usable copy: ami-",
        "left without us-east-1: 1 copy, newest ami-",
        "2 ready (limit 3 days)",
    ]);
    let document = parsed(&folder.status(&["--format", "json"]).out);
    for job in document["jobs"].as_array().expect("jobs") {
        assert_eq!(job["source_newest"]["state"], "unknown");
        assert_eq!(
            job["copies"]["newest_usable"]["behind_seconds"],
            json!(null)
        );
    }
    assert_eq!(
        folder.xrs(&["plan", "--sandbox", "world.json"]).code,
        Some(1)
    );
}

#[test]
fn a_destination_that_cannot_be_observed_fails_also_without_a_limit() {
    let folder = Folder::new();
    folder.all_copied();
    folder.edit("world.json", |world| {
        world["faults"] = json!([{"call": "DescribeImages", "region": "us-west-1", "code": "UnauthorizedOperation", "message": "no", "times": null}]);
    });
    let denied = folder.status(&[]);
    assert_eq!(denied.code, Some(1), "{denied:?}");
    for text in [
        "sync_my_web_app (ec2_ami) us-east-1 → us-west-1, account 123456789012: NOT KNOWN",
        "DescribeImages in us-west-1: UnauthorizedOperation: no",
        "help: allow ec2:DescribeImages",
        "1 ready, 0 not ready, 1 not known.",
    ] {
        assert!(denied.out.contains(text), "{text}: {denied:?}");
    }
    let invalid = Folder::new();
    invalid.write("xrs.yaml", example().replace("db_instance:", "db_instanc:"));
    let invalid = invalid.status(&[]);
    assert_eq!(invalid.code, Some(1), "{invalid:?}");
    assert!(
        invalid
            .out
            .contains("sync_my_database: NOT KNOWN: its configuration is not valid")
    );
}

#[test]
fn nothing_is_written_to_aws_and_the_json_is_whole() {
    let folder = Folder::new();
    folder.all_copied();
    let before = folder.json("world.json");
    let status = folder.status(&["--format", "json", "--max-age", "26h"]);
    status.went_well(&[]);
    assert_eq!(before["regions"], folder.json("world.json")["regions"]);
    let document = parsed(&status.out);
    assert_eq!(document["format_version"], "2.0");
    assert_eq!(document["max_age_seconds"], 26 * 3600);
    assert_eq!(
        document["summary"],
        json!({"jobs": 2, "ready": 2, "not_ready": 0, "unknown": 0})
    );
}

/// Metric, labels, value: read as Prometheus does, and as strictly as promtool.
fn metrics(text: &str) -> BTreeMap<(String, BTreeMap<String, String>), f64> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    };
    let mut found = BTreeMap::new();
    let mut typed = BTreeSet::new();
    let mut helped = BTreeSet::new();
    let mut current = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let (kind, rest) = rest.split_once(' ').expect("HELP or TYPE");
            let (name, rest) = rest.split_once(' ').expect("a name");
            assert!(is_name(name) && !rest.is_empty(), "{line}");
            match kind {
                "HELP" => assert!(helped.insert(name.to_owned()), "{line}"),
                "TYPE" => {
                    assert!(typed.insert(name.to_owned()) && rest == "gauge", "{line}");
                    name.clone_into(&mut current);
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert_eq!(name, current, "all series of a metric stand together");
        assert!(is_name(name) && helped.contains(name) && typed.contains(name));
        let mut read = BTreeMap::new();
        let mut rest = labels;
        while rest != "}" {
            let (label, after) = rest.split_once("=\"").expect("a label");
            assert!(is_name(label), "{line}");
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next().expect("a closing quote") {
                    (at, '"') => break at,
                    (_, '\\') => match chars.next().expect("an escape").1 {
                        'n' => value.push('\n'),
                        c @ ('\\' | '"') => value.push(c),
                        c => panic!("{c:?} is no escape: {line}"),
                    },
                    (_, c) => value.push(c),
                }
            };
            assert_eq!(read.insert(label.to_owned(), value), None, "{line}");
            rest = &after[end + 1..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        let value = value.parse().expect("a number");
        let twice = found.insert((name.to_owned(), read), value);
        assert_eq!(twice, None, "{line} stands twice");
    }
    found
}

#[test]
fn metrics_are_read_by_prometheus() {
    let folder = Folder::new();
    folder
        .xrs(&["run", "--sandbox", "world.json"])
        .went_well(&[]);
    let status = folder.status(&["--format", "prometheus", "--max-age", "26h"]);
    assert_eq!(status.code, Some(1), "the copy of the image is in progress");
    let metrics = metrics(&status.out);
    let value = |name: &str, job: &str| {
        let found = metrics.iter().find(|((metric, labels), _)| {
            metric == name && labels.get("sync_job").is_some_and(|label| label == job)
        });
        found.map(|(_, value)| *value)
    };
    assert_eq!(value("xrs_job_ready", "sync_my_web_app"), Some(0.0));
    assert_eq!(value("xrs_job_ready", "sync_my_database"), Some(1.0));
    assert_eq!(value("xrs_job_source_known", "sync_my_database"), Some(1.0));
    assert_eq!(
        value("xrs_copies_in_progress", "sync_my_web_app"),
        Some(1.0)
    );
    assert_eq!(value("xrs_copies_usable", "sync_my_web_app"), Some(0.0));
    assert_eq!(value("xrs_copy_age_seconds", "sync_my_web_app"), None);
    let document = parsed(&folder.status(&["--format", "json"]).out);
    let behind = &document["jobs"][1]["copies"]["newest_usable"]["behind_seconds"];
    assert_eq!(
        value("xrs_copy_behind_seconds", "sync_my_database"),
        behind.as_f64()
    );
    assert!(value("xrs_copy_progress_percent", "sync_my_database").is_some());
}

#[test]
fn no_text_of_others_tricks_whoever_reads_a_status() {
    let folder = Folder::new();
    let name = "'sync_Odd \\n\"|`<b>':";
    folder.write("xrs.yaml", example().replace("sync_my_database:", name));
    folder
        .xrs(&["run", "--sandbox", "world.json"])
        .went_well(&[]);
    folder.edit("world.json", |world| {
        let region = &mut world["regions"]["us-west-1"];
        region["images"][0]["state"] = "failed".into();
        region["images"][0]["state_reason"] = TRICK.into();
        region["images"][0]["copying"] = json!(null);
        world["faults"] = json!([{"call": "DescribeDBSnapshots", "region": "us-east-1", "code": TRICK, "message": TRICK, "times": null}]);
    });
    for format in ["text", "json", "markdown", "prometheus"] {
        let status = folder.status(&["--format", format]);
        assert_eq!(status.code, Some(0), "{status:?}");
        assert!(status.out.contains("Odd"), "{status:?}");
        assert_no_tricks(&status.out);
        assert!(!status.out.contains("\nDigest:"), "{status:?}");
        if format == "prometheus" {
            metrics(&status.out);
        }
        if format == "markdown" {
            let parts = outline(&status.out);
            let count = |what: &str| {
                parts
                    .iter()
                    .filter(|part| part.trim().starts_with(what))
                    .count()
            };
            assert_eq!(count("TableCell"), 7 * count("TableRow"), "{parts:#?}");
            // Outside of code nothing of it remains, neither as text nor as HTML.
            let leaks = |part: &&String| part.contains("Odd") || part.contains("<b>");
            assert_eq!(parts.iter().find(leaks), None, "{}", status.out);
        }
    }
}
