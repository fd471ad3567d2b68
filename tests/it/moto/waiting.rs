//! `--wait` through the program and the SDK, on a clock that nobody moves.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::program::Site;
use super::world::{EAST, SECRET_KEY, WEST};

/// A site with so many databases, each with a snapshot to copy.
fn databases(number: usize) -> Site {
    let site = Site::new(1);
    let mut config = format!(
        "aws_client_config: {{aws_access_key: '{}', aws_secret_key: '{SECRET_KEY}'}}\n",
        site.world.access_key()
    );
    for n in 0..number {
        let name = format!("db{n}");
        config.push_str(&format!(
            "sync_{name}: {{sync_type: rds_automated_snapshot, source_region: {EAST}, destination_region: {WEST}, \
             db_instance: {name}, max_snapshots_to_retain: 1}}\n"
        ));
        site.world.database(EAST, &name, None);
        site.world
            .snapshot(EAST, &name, "2026-01-15T05:10:33Z", json!({}));
    }
    site.folder.write("xrs.yaml", config);
    site
}

/// Waits until something is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "not yet: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn six_copies_where_five_may_be_in_flight() {
    let site = databases(6);
    let settings = json!({"copies_in_flight": 5, "copy_seconds": 2.0});
    site.world.control("settings", settings);
    let begun = Instant::now();
    let run = site.xrs(&["run", "--wait", "--results", "results.json"]);
    let took = begun.elapsed();
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.err.contains("waits until other copies are done"),
        "{run:?}"
    );
    assert_eq!(run.err.matches(" is available\n").count(), 6, "{run:?}");
    assert_eq!(site.copies().len(), 6);
    let asked = site.world.calls_of("CopyDBSnapshot").len();
    assert!((7..=10).contains(&asked), "{asked} copies asked for");
    // Two copies one after the other, and what comes before and between.
    assert!(took < Duration::from_secs(15), "{took:?}");
    println!("six copies of two seconds, five in flight: {took:?}");
    for result in site.folder.json("results.json")["results"]
        .as_array()
        .expect("results")
    {
        assert_eq!(result["completed"], true, "{result}");
        assert_eq!(result["actions"][1]["outcome"], "done", "{result}");
    }
    let again = site.xrs(&["plan", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[test]
fn old_copies_are_deleted_when_the_new_one_is_available() {
    let site = databases(1);
    let run = |wait: &str| {
        let ended = site.xrs(&["run", wait, "--results", "results.json"]);
        (
            ended,
            site.folder.json("results.json")["results"][0].clone(),
        )
    };
    for day in 16..18 {
        let taken = format!("2026-01-{day}T05:10:33Z");
        let (ended, _) = run("--wait");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        site.world.snapshot(EAST, "db0", &taken, json!({}));
    }
    site.world.control("settings", json!({"copy_seconds": 3.0}));
    let (ended, result) = run("--wait=1s");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("still under way (creating"), "{ended:?}");
    assert_eq!(result["deleted_resources"], json!([]));
    assert_eq!(site.copies().len(), 3);

    std::thread::sleep(Duration::from_secs(3));
    let (ended, result) = run("--wait");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        result["deleted_resources"],
        json!(["rds-db0-2026-01-15-05-10"])
    );
}

#[test]
fn results_are_saved_while_others_are_waited_for() {
    let site = databases(2);
    site.world
        .control("settings", json!({"copy_seconds": 3600.0}));
    let mut run = site.begin(&["run", "--wait", "--results", "results.json"]);
    let tags = || site.world.calls_of("AddTagsToResource").len();
    until("both copies are tagged", || tags() == 2);
    let done = json!({"region": WEST, "id": "rds-db0-2026-01-15-05-10", "state": "available"});
    site.world.control("state", done);
    let results = || site.folder.json("results.json");
    let is_saved = || {
        results()["results"]
            .as_array()
            .is_some_and(|r| !r.is_empty())
    };
    until("the first result is saved", is_saved);
    let results = results();
    assert_eq!(results["complete"], false);
    assert_eq!(results["results"].as_array().map(Vec::len), Some(1));
    assert_eq!(results["results"][0]["name"], "sync_db0");
    assert_eq!(results["results"][0]["completed"], true);
    run.kill().expect("killed");
    run.wait().expect("ended");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_wait_and_is_reported() {
    let site = databases(1);
    site.world
        .control("settings", json!({"copy_seconds": 3600.0}));
    let mut run = site.begin(&["run", "--wait", "--results", "results.json"]);
    until("the copy is tagged", || {
        !site.world.calls_of("AddTagsToResource").is_empty()
    });
    let killed = Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status();
    assert!(killed.is_ok_and(|status| status.success()));
    let heard = Instant::now();
    assert_eq!(run.wait().expect("ended").code(), Some(130));
    assert!(
        heard.elapsed() < Duration::from_secs(5),
        "{:?}",
        heard.elapsed()
    );
    let results: Value = site.folder.json("results.json");
    assert_eq!(results["complete"], true);
    let error = results["results"][0]["errors"][0]["message"].to_string();
    assert!(error.contains("the apply was interrupted"), "{error}");
}
