//! `--wait` with the real clock.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::site::Site;
use super::world::{EAST, WEST};

const RUN: [&str; 4] = ["run", "--wait", "--results", "results.json"];

/// Waits for a condition.
fn until(what: &str, is_met: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < Duration::from_secs(60), "not met: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn six_copies_with_a_limit_of_five() {
    let site = Site::of_databases(6);
    site.world
        .settings(json!({"concurrent_copies": 5, "copy_seconds": 2.0}));
    let start = Instant::now();
    let run = site.done(&RUN);
    let took = start.elapsed();
    assert!(
        run.err
            .contains("deferred until other copies have finished"),
        "{run:?}"
    );
    assert_eq!(run.err.matches(" is available\n").count(), 6, "{run:?}");
    assert_eq!(site.copies().len(), 6);
    let calls = site.world.calls_of("CopyDBSnapshot").len();
    assert!((7..=10).contains(&calls), "{calls} calls");
    // Two copies one after the other, and what comes before and between.
    assert!(took < Duration::from_secs(15), "{took:?}");
    let results = site.folder.json("results.json");
    for result in results["results"].as_array().expect("results") {
        assert_eq!(result["completed"], true, "{result}");
        assert_eq!(result["actions"][1]["outcome"], "done", "{result}");
    }
    site.succeeds(&["plan", "--detailed-exitcode"]);
}

#[test]
fn old_copies_are_deleted_when_the_new_one_is_available() {
    let site = Site::of_databases(1);
    let deleted = || {
        let results = site.folder.json("results.json");
        results["results"][0]["deleted_resources"].clone()
    };
    for day in 16..18 {
        site.succeeds(&RUN);
        let created = format!("2026-01-{day}T05:10:33Z");
        site.world.snapshot(EAST, "db0", &created, json!({}));
    }
    site.world.settings(json!({"copy_seconds": 3.0}));
    let run = site.xrs(&["run", "--wait=1s", "--results", "results.json"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.out.contains("still in progress (creating"), "{run:?}");
    assert_eq!((deleted(), site.copies().len()), (json!([]), 3));

    std::thread::sleep(Duration::from_secs(3));
    site.succeeds(&RUN);
    assert_eq!(deleted(), json!(["rds-db0-2026-01-15-05-10"]));
}

#[test]
fn results_are_saved_while_other_jobs_wait() {
    let site = Site::of_databases(2);
    site.world.settings(json!({"copy_seconds": 3600.0}));
    let mut run = site.start(&RUN);
    let tagged = || site.world.calls_of("AddTagsToResource").len();
    until("both copies are tagged", || tagged() == 2);
    site.world
        .set_state(WEST, "rds-db0-2026-01-15-05-10", "available");
    let results = || site.folder.json("results.json");
    let number = || results()["results"].as_array().map_or(0, Vec::len);
    until("the first result is saved", || number() > 0);
    let results = results();
    assert_eq!((number(), &results["complete"]), (1, &json!(false)));
    assert_eq!(results["results"][0]["name"], "sync_db0");
    assert_eq!(results["results"][0]["completed"], true);
    run.kill().expect("killed");
    run.wait().expect("ended");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_wait_and_is_reported() {
    let site = Site::of_databases(1);
    site.world.settings(json!({"copy_seconds": 3600.0}));
    let mut run = site.start(&RUN);
    let is_tagged = || !site.world.calls_of("AddTagsToResource").is_empty();
    until("the copy is tagged", is_tagged);
    let kill = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(kill.is_ok_and(|status| status.success()));
    let start = Instant::now();
    assert_eq!(run.wait().expect("ended").code(), Some(130));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    let results = site.folder.json("results.json");
    assert_eq!(results["complete"], true);
    let error = results["results"][0]["errors"][0]["message"].to_string();
    assert!(error.contains("the apply was interrupted"), "{error}");
}
