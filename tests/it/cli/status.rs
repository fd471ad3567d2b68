//! `xrs status`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::Folder;
use crate::render::outline::outline;
use crate::support::{TRICK, assert_no_tricks};

impl Folder {
    fn status(&self, options: &str) -> super::Ended {
        self.on_sandbox(&format!("status {options}"))
    }

    /// Copies everything, and waits until the copies are available.
    fn all_copied(&self) {
        self.on_sandbox("run --wait").went_well(&[]);
    }
}

#[test]
fn a_status_says_for_each_job_whether_its_copy_is_there() {
    let folder = Folder::new();
    let first = folder.status("");
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
    folder.status("--max-age 26h").printed(1, &[]);
    folder.all_copied();
    let ready = "Status: 2 jobs, 2 ready (limit 26 h), 0 not ready, 0 not known.";
    folder.status("--max-age 26h").went_well(&[ready]);
}

#[test]
fn a_monitor_fails_for_what_is_too_old_and_tells_only_of_the_jobs_that_were_picked() {
    let folder = Folder::new();
    folder.all_copied();
    let database = |limit: &str| folder.status(&format!("--job sync_my_database {limit}"));
    database("--max-age 26h").went_well(&[
        "Limited to sync_my_database.",
        "Status: 1 job, 1 ready (limit 26 h)",
    ]);
    let late = database("--max-age 5m");
    late.printed(1, &["NOT READY: its newest usable copy is "]);
    late.lacks("sync_my_web_app");
    database("").went_well(&["ready"]);
    let misspelt = folder.status("--job sync_my_databse");
    misspelt.failed(1, &["did you mean sync_my_database?"]);
}

#[test]
fn the_source_region_may_be_down() {
    let folder = Folder::new();
    folder.all_copied();
    folder.edit("world.json", |world| {
        world["regions"]["us-east-1"]["enabled"] = false.into();
    });
    let down = folder.status("--max-age 3d");
    down.went_well(&[
        "source unknown: us-east-1 could not be observed",
        "OptInRequired",
        "AuthFailure",
        "newest usable copy: ami-",
        "left without us-east-1: 1 copy, newest ami-",
        "2 ready (limit 3 days)",
    ]);
    let document = folder.status("--format json").json(0);
    for job in document["jobs"].as_array().expect("jobs") {
        assert_eq!(job["source_newest"]["state"], "unknown");
        let newest = &job["copies"]["newest_usable"];
        assert_eq!(newest["behind_seconds"], json!(null));
    }
    folder.on_sandbox("plan").printed(1, &[]);
}

#[test]
fn a_destination_that_cannot_be_observed_fails_also_without_a_limit() {
    let folder = Folder::new();
    folder.all_copied();
    folder.edit("world.json", |world| {
        world["faults"] = json!([{"call": "DescribeImages", "region": "us-west-1", "code": "UnauthorizedOperation", "message": "no", "times": null}]);
    });
    folder.status("").printed(
        1,
        &[
            "sync_my_web_app (ec2_ami) us-east-1 → us-west-1, account 123456789012: NOT KNOWN",
            "DescribeImages in us-west-1: UnauthorizedOperation: no",
            "help: allow ec2:DescribeImages",
            "1 ready, 0 not ready, 1 not known.",
        ],
    );
    let invalid = Folder::new();
    invalid.configure("db_instance:", "db_instanc:");
    let says = "sync_my_database: NOT KNOWN: its configuration is not valid";
    invalid.status("").printed(1, &[says]);
}

#[test]
fn nothing_is_written_to_aws_and_the_json_is_whole() {
    let folder = Folder::new();
    folder.all_copied();
    let before = folder.json("world.json");
    let document = folder.status("--format json --max-age 26h").json(0);
    assert_eq!(before["regions"], folder.json("world.json")["regions"]);
    assert_eq!(document["format_version"], "2.0");
    assert_eq!(document["max_age_seconds"], 26 * 3600);
    let summary = json!({"jobs": 2, "ready": 2, "not_ready": 0, "unknown": 0});
    assert_eq!(document["summary"], summary);
}

/// Metric, labels and value, parsed as by Prometheus, and as strictly as by promtool.
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
    folder.on_sandbox("run").went_well(&[]);
    let status = folder.status("--format prometheus --max-age 26h");
    assert_eq!(status.code, Some(1), "the copy of the image is in progress");
    let metrics = metrics(&status.out);
    let value = |name: &str, job: &str| {
        let found = metrics.iter().find(|((metric, labels), _)| {
            metric == name && labels.get("sync_job").is_some_and(|label| label == job)
        });
        found.map(|(_, value)| *value)
    };
    for (name, job, expected) in [
        ("xrs_job_ready", "sync_my_web_app", Some(0.0)),
        ("xrs_job_ready", "sync_my_database", Some(1.0)),
        ("xrs_job_source_known", "sync_my_database", Some(1.0)),
        ("xrs_copies_in_progress", "sync_my_web_app", Some(1.0)),
        ("xrs_copies_usable", "sync_my_web_app", Some(0.0)),
        ("xrs_copy_age_seconds", "sync_my_web_app", None),
    ] {
        assert_eq!(value(name, job), expected, "{name} {job}");
    }
    let document = folder.status("--format json").json(0);
    let behind = &document["jobs"][1]["copies"]["newest_usable"]["behind_seconds"];
    let told = value("xrs_copy_behind_seconds", "sync_my_database");
    assert_eq!(told, behind.as_f64());
    assert!(value("xrs_copy_progress_percent", "sync_my_database").is_some());
}

#[test]
fn no_text_of_others_tricks_whoever_reads_a_status() {
    let folder = Folder::new();
    folder.configure("sync_my_database:", "'sync_Odd \\n\"|`<b>':");
    folder.on_sandbox("run").went_well(&[]);
    folder.edit("world.json", |world| {
        let region = &mut world["regions"]["us-west-1"];
        region["images"][0]["state"] = "failed".into();
        region["images"][0]["state_reason"] = TRICK.into();
        region["images"][0]["copying"] = json!(null);
        world["faults"] = json!([{"call": "DescribeDBSnapshots", "region": "us-east-1", "code": TRICK, "message": TRICK, "times": null}]);
    });
    for format in ["text", "json", "markdown", "prometheus"] {
        let status = folder.status(&format!("--format {format}"));
        status.went_well(&["Odd"]);
        assert_no_tricks(&status.out);
        status.lacks("\nDigest:");
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
            // Outside of code, nothing of it remains, neither as text nor as HTML.
            let leaks = |part: &&String| part.contains("Odd") || part.contains("<b>");
            assert_eq!(parts.iter().find(leaks), None, "{}", status.out);
        }
    }
}
