//! `xrs apply`: what it does with an accepted plan, and its results.

use aws_xregion_sync::model::result::SavedResults;
use serde_json::json;

use super::{Folder, example};

#[test]
fn a_plan_is_applied_once_and_again_does_nothing_twice() {
    let folder = Folder::new();
    folder.planned();
    let digest = folder.digest();
    let deletions = folder.json("plan.json")["summary"]["delete"].take();
    let options = format!(
        "--expect-digest {digest} --max-age 24h --max-deletes {deletions} --results results.json"
    );
    let applied = folder.apply(&options);
    applied.went_well(&[
        "created the AWS resource ami-",
        "created the AWS resource rds-mydatabase-",
        "deleted rds-mydatabase-",
    ]);
    applied.failed(0, &["sync_my_web_app: copy ami-"]);
    let results = folder.json("results.json");
    assert_eq!(results["complete"], true);
    assert_eq!(results["plan_digest"], digest);
    assert_eq!(results["results"].as_array().map(Vec::len), Some(2));

    let again = folder.apply(&options);
    again.went_well(&[
        "without creating any new AWS resources",
        "already done",
        "0 copies created, 0 copies deleted",
    ]);
}

#[test]
fn results_are_printed_in_the_format_asked_for_also_without_a_file() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("world.json", |world| {
        world["faults"] = json!([
            {"call": "CopyImage", "code": "InternalError", "message": "@octocat | <b>", "times": null}
        ]);
    });
    let markdown = folder.apply("--format markdown");
    markdown.printed(
        1,
        &[
            "### xrs apply: 1 job completed, 1 FAILED, 1 copy created, ",
            "> [!CAUTION]\n> **1 job FAILED.**",
            ": InternalError: @octocat | <b>`\n",
            "\n| `sync_my_database` | completed | created `rds-mydatabase-",
        ],
    );
    markdown.lacks("Results:");
    let json = folder.apply("--format json");
    let results: SavedResults = serde_json::from_str(&json.out).expect("a results document");
    assert!(results.complete && results.results.len() == 2, "{json:?}");
    assert_eq!(results.plan_digest, folder.digest());
}

#[test]
fn a_finished_plan_is_finished_also_when_its_source_snapshots_have_expired() {
    let folder = Folder::new();
    folder.planned();
    let created = "created the AWS resource rds-mydatabase-";
    folder.apply("").went_well(&[created]);
    folder.edit("world.json", |world| {
        world["regions"]["us-east-1"]["snapshots"] = json!([]);
    });
    let again = folder.apply("");
    again.went_well(&[
        "already done: the source is gone",
        "2 jobs completed, 0 failed",
    ]);
}

#[test]
fn results_that_cannot_be_saved_show_before_anything_is_written() {
    let folder = Folder::new();
    folder.planned();
    let before = folder.json("world.json")["regions"].take();
    let says = "the results file none/results.json could not be written: there is no folder none";
    folder
        .apply("--results none/results.json")
        .failed(1, &[says]);
    assert_eq!(folder.json("world.json")["regions"], before);
}

#[test]
fn results_never_replace_what_is_applied() {
    let folder = Folder::new();
    folder.planned();
    folder.write("other.yaml", example());
    for (results, replaced) in [
        ("plan.json", "the plan plan.json"),
        ("./world.json", "the sandbox world.json"),
        ("world.json.lock", "the lock of the sandbox world.json.lock"),
        ("other.yaml --config other.yaml", "the config other.yaml"),
        ("xrs.yaml", "the config xrs.yaml"),
        ("-", ""),
    ] {
        let before = folder.read("world.json");
        let applied = folder.apply(&format!("--results {results}"));
        let (file, _) = results.split_once(' ').unwrap_or((results, ""));
        let says = match file {
            "-" => "--results takes a file, not -".to_owned(),
            file => format!("error: --results {file} would replace {replaced}"),
        };
        applied.failed(1, &[&says]);
        assert_eq!(folder.read("world.json"), before, "before any work");
        assert!(!folder.path("-").exists());
    }
    let run = folder.on_sandbox("run --results xrs.yaml");
    run.failed(1, &["--results xrs.yaml would replace the config xrs.yaml"]);
}

#[test]
fn what_is_not_done_is_told_once() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("world.json", |world| {
        world["faults"] = json!([{
            "call": "CopyDBSnapshot", "code": "KMSKeyNotAccessible", "message": "no such key"
        }]);
    });
    let applied = folder.apply("--results results.json");
    applied.failed(1, &["sync_my_database: copy rds:mydatabase-"]);
    let actions = folder.json("results.json")["results"][1]["actions"].take();
    let undone = actions.as_array().expect("actions").len();
    let total = format!("; {undone} actions not done.\n");
    let (out, err) = (&applied.out, &applied.err);
    let encountered = "sync_my_database encountered the following errors:\n";
    for (screen, text, times) in [
        (out, "no such key", 1),
        (out, encountered, 1),
        (out, "\n  not done: 1 copy, 1 source tag, ", 1),
        (out, "was not done", 0),
        (err, "no such key", 1),
        (err, "skipped", 0),
    ] {
        let told = screen.matches(text).count();
        assert_eq!(told, times, "{text}: {applied:#?}");
    }
    assert!(out.ends_with(&total), "{applied:#?}");
}

/// 22 databases, of which this many have their own settings.
fn fleet(own_settings: &str) -> String {
    let jobs = (0..22).map(|n| {
        let own = if n == 0 { own_settings } else { "" };
        format!(
            "sync_db{n}: {{sync_type: rds_automated_snapshot, source_region: us-east-1, \
             destination_region: us-west-1, db_instance: db{n}{own}}}\n"
        )
    });
    let global = "aws_client_config: {max_attempts: 5}\n".to_owned();
    std::iter::once(global).chain(jobs).collect()
}

#[test]
fn copies_of_an_earlier_apply_count_and_nobody_is_refused_for_their_sake() {
    let folder = Folder::new();
    folder.write("xrs.yaml", fleet(""));
    // 20 copies at a time.
    folder.on_sandbox("run").printed(1, &[]);
    folder.planned();
    let summary = folder.json("plan.json")["summary"].take();
    assert_eq!(summary["copy"], 2);
    assert_eq!(summary["up_to_date"], 20);
    let world = folder.json("world.json");

    let counted = folder.apply("");
    counted.printed(1, &[]);
    let deferred = "AWS's limit of 20 concurrent copies from us-east-1 to us-west-1 is reached";
    assert_eq!(counted.err.matches(deferred).count(), 2, "{counted:?}");

    // The job has different settings now, or is gone, so its copy can't be read, and only AWS counts it.
    let others = fleet(", aws_client_config: {max_attempts: 7}");
    let gone = fleet("").replace("sync_db0:", "sync_db00:");
    for config in [others, gone] {
        folder.write("world.json", world.to_string());
        folder.write("xrs.yaml", config);
        // It is not refused as a whole.
        let in_vain = "SnapshotQuotaExceeded";
        folder
            .apply("")
            .printed(1, &[in_vain, "20 jobs completed, 2 failed"]);
    }
}
