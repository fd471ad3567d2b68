//! `xrs run`

use std::thread;

use super::{Folder, RESULTS_OF_ONE_INVALID, ended};

#[test]
fn the_first_run_syncs_and_the_second_has_nothing_to_do() {
    let folder = Folder::new();
    let run = || folder.xrs("run xrs.yaml --sandbox target/sandbox.json --results results.json");
    run().went_well(&[
        "+ copy image ",
        "sync_my_web_app successfully completed and created the AWS resource ami-",
        "sync_my_database successfully completed and created the AWS resource rds-mydatabase-",
        "Results: 2 jobs completed, 0 failed; 2 copies created, ",
    ]);
    run().went_well(&[
        "Nothing to do",
        "sync_my_web_app successfully completed without creating any new AWS resources.",
        "sync_my_database successfully completed without creating any new AWS resources.",
        "Results: 2 jobs completed, 0 failed; 0 copies created, 0 copies deleted.",
    ]);
    assert_eq!(folder.json("results.json")["complete"], true);
}

#[test]
fn other_formats_leave_stdout_to_the_results() {
    let folder = Folder::new();
    let run =
        |format: &str| folder.on_sandbox(&format!("run --results results.json --format {format}"));
    let json = run("json");
    json.went_well(&["\"created_resource\": \"ami-"]);
    assert_eq!(json.out, folder.read("results.json"));
    json.failed(0, &["+ copy image "]);
    let markdown = run("markdown");
    markdown.begins("### xrs apply: 2 jobs completed, 0 failed, 0 copies created, ");
    markdown.failed(0, &["Nothing to do"]);
}

#[test]
fn more_deletions_than_allowed_refuse_the_plan() {
    let folder = Folder::new();
    let run = folder.on_sandbox("run --max-deletes 0 --results results.json");
    run.failed(3, &["the limit is 0", "--max-deletes"]);
    run.printed(3, &["- DELETE snapshot"]);
    run.lacks("Results:");
    assert_eq!(folder.json("results.json")["complete"], false);
}

#[test]
fn law_7_an_invalid_job_does_not_stop_the_other() {
    let folder = Folder::new();
    folder.configure("to_retain: 5", "to_retain: many");
    let run = folder.on_sandbox("run");
    run.failed(1, &["max_snapshots_to_retain: many"]);
    run.printed(1, &RESULTS_OF_ONE_INVALID);
}

#[test]
fn two_at_once_take_turns_on_a_sandbox() {
    let folder = Folder::new();
    let run = || {
        let mut command = folder.command("run --sandbox world.json");
        move || ended(&mut command)
    };
    let both = [run(), run()]
        .map(thread::spawn)
        .map(|run| run.join().expect("no panic"));
    assert!(both.iter().all(|run| run.code == Some(0)), "{both:#?}");
    let created = both
        .iter()
        .map(|run| run.out.matches("created the AWS resource").count())
        .sum::<usize>();
    assert_eq!(created, 2, "{both:#?}");
}

#[test]
fn with_wait_it_stays_until_copies_are_available_and_says_how_far_they_are() {
    let folder = Folder::new();
    folder.on_sandbox("run --wait=1m").printed(
        1,
        &[
            "is still in progress (creating, ",
            "the wait limit of 60 s was reached",
            "apply the same plan, or run, again with --wait",
            "2 copies created, 0 copies deleted",
        ],
    );

    let folder = Folder::new();
    let waited = folder.on_sandbox("run --wait");
    waited.went_well(&["Results: 2 jobs completed, 0 failed; 2 copies created, "]);
    let lines: Vec<&str> = waited.err.lines().collect();
    let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(of(" is available"), 2, "{waited:?}");
    assert_eq!(of(" is pending"), 1, "{waited:?}");
    let quarters = of(" is creating (");
    assert_eq!(quarters, 4, "a line for each: {waited:?}");
    let first_delete = lines.iter().position(|line| line.contains(": delete "));
    let is_available = |line: &&str| line.contains(" is available");
    let last_copy = lines.iter().rposition(is_available);
    assert!(last_copy < first_delete, "{waited:?}");

    let misspelt = folder.on_sandbox("run --wait=soon");
    misspelt.failed(1, &["--wait", "24h"]);
}
