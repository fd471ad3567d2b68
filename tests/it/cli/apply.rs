//! `xrs apply`

use std::fs;

use aws_xregion_sync::model::result::SavedResults;
use aws_xregion_sync::planfile;
use serde_json::Value;

use super::{Folder, example};

/// Makes the digest right again, as somebody would who knows how.
fn sealed_again(folder: &Folder, change: impl FnOnce(&mut Value)) {
    folder.edit("plan.json", |plan| {
        change(plan);
        plan["digest"] = planfile::digest(plan).expect("a digest").into();
    });
}

/// The plan is refused whole, and the world is what it was.
#[track_caller]
fn refused(folder: &Folder, options: &[&str], says: &[&str]) {
    let before = folder.json("world.json")["regions"].clone();
    let ended = folder.apply(options);
    ended.failed(3, says);
    ended.failed(3, &["help:"]);
    assert_eq!(ended.out, "");
    assert_eq!(
        folder.json("world.json")["regions"],
        before,
        "nothing was written"
    );
}

#[test]
fn a_plan_is_applied_once_and_again_does_nothing_twice() {
    let folder = Folder::new();
    folder.planned();
    let digest = folder.json("plan.json")["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    let deletions = folder.json("plan.json")["summary"]["delete"].to_string();
    let options = [
        "--expect-digest",
        &digest,
        "--max-age",
        "24h",
        "--max-deletes",
        &deletions,
        "--results",
        "results.json",
    ];
    let applied = folder.apply(&options);
    applied.went_well(&[
        "created the AWS resource ami-",
        "created the AWS resource rds-mydatabase-",
        "deleted rds-mydatabase-",
    ]);
    assert!(
        applied.err.contains("sync_my_web_app: copy ami-"),
        "{applied:?}"
    );
    let results = folder.json("results.json");
    assert_eq!(
        (&results["complete"], &results["plan_digest"]),
        (&true.into(), &digest.clone().into())
    );
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
        world["faults"] = serde_json::json!([
            {"call": "CopyImage", "code": "InternalError", "message": "@octocat | <b>", "times": null}
        ]);
    });
    let markdown = folder.apply(&["--format", "markdown"]);
    assert_eq!(markdown.code, Some(1), "{markdown:?}");
    for text in [
        "### xrs apply: 1 job completed, 1 FAILED, 1 copy created, ",
        "> [!CAUTION]\n> **1 job FAILED.**",
        ": InternalError: @octocat | <b>`\n",
        "\n| `sync_my_database` | completed | created `rds-mydatabase-",
    ] {
        assert!(markdown.out.contains(text), "{text}: {markdown:?}");
    }
    assert!(!markdown.out.contains("Results:"), "{markdown:?}");
    let json = folder.apply(&["--format", "json"]);
    let results: SavedResults = serde_json::from_str(&json.out).expect("a results document");
    assert!(results.complete && results.results.len() == 2, "{json:?}");
    assert_eq!(results.plan_digest, folder.json("plan.json")["digest"]);
}

#[test]
fn a_finished_plan_is_finished_also_when_its_source_snapshots_have_expired() {
    let folder = Folder::new();
    folder.planned();
    folder
        .apply(&[])
        .went_well(&["created the AWS resource rds-mydatabase-"]);
    folder.edit("world.json", |world| {
        world["regions"]["us-east-1"]["snapshots"] = serde_json::json!([]);
    });
    folder.apply(&[]).went_well(&[
        "already done: the source is gone",
        "2 jobs completed, 0 failed",
    ]);
}

#[test]
fn a_plan_file_that_is_not_a_complete_valid_plan_is_refused() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    folder
        .xrs(&["apply", "none.json", "--sandbox", "world.json"])
        .failed(
            1,
            &[
                "error: the plan none.json does not exist",
                "help: plans are written by `xrs plan --out FILE`",
            ],
        );
    folder
        .xrs(&["apply", ".", "--sandbox", "world.json"])
        .failed(1, &["error: the plan . is a folder, not a file"]);
    for (bad, says) in [
        (whole[..whole.len() / 2].to_owned(), "not valid JSON"),
        (String::new(), "not valid JSON"),
        ("hello".to_owned(), "not valid JSON"),
        ("{}".to_owned(), "not a plan"),
        (example(), "not valid JSON"),
        (
            whole.replace("mydatabase-", "yourdatabase-"),
            "it was changed after it was made",
        ),
        (
            whole.replace("has no copy", "needs no copy"),
            "it was changed after it was made",
        ),
        (
            whole.replace("\"format_version\": \"2.0\"", "\"format_version\": \"3.0\""),
            "format version is 3.0",
        ),
        (
            whole.replace("\"format_version\": \"2.0\"", "\"format_version\": \"2.1\""),
            "format version is 2.1",
        ),
        (
            whole.replace("\"format_version\": \"2.0\"", "\"format_version\": \"1.0\""),
            "made by an older version of xrs\n  help: plan again with",
        ),
        (
            whole.replacen('{', "{\"keep\": \"all\",", 1),
            "it has an unknown key keep",
        ),
        (
            whole.replacen('{', "{\"digest\": \"x\",", 1),
            "the key \"digest\" is there twice",
        ),
    ] {
        assert_ne!(bad, whole, "{says}");
        folder.write("plan.json", bad);
        refused(&folder, &[], &["plan.json cannot be applied", says]);
    }
    folder.write("plan.json", &whole);
    folder.edit("plan.json", |plan| plan["summary"]["delete"] = 0.into());
    refused(&folder, &[], &["its summary does not match its jobs"]);
}

#[test]
fn a_plan_with_a_name_twice_is_refused() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    let doubled = |name: &str| {
        folder.write("plan.json", &whole);
        sealed_again(&folder, |plan| {
            let mut job = plan["jobs"][0].clone();
            job["name"] = name.into();
            plan["jobs"].as_array_mut().expect("jobs").push(job);
            plan["summary"]["jobs"] = 3.into();
            plan["summary"]["copy"] = 3.into();
            plan["summary"]["tag_source"] = 3.into();
        });
    };
    doubled("sync_my_web_app");
    refused(
        &folder,
        &[],
        &["not a plan that xrs would make: sync_my_web_app: two jobs have this name"],
    );
    doubled("sync_other");
    refused(
        &folder,
        &[],
        &["sync_other: another job also has an action sync_my_web_app/copy"],
    );
}

#[test]
fn conditions_that_are_not_met_refuse_the_plan() {
    let folder = Folder::new();
    folder.planned();
    let other = "0".repeat(64);
    refused(
        &folder,
        &["--expect-digest", &other],
        &[
            "the plan's digest is sha256:",
            &format!("not sha256:{other} as expected"),
        ],
    );
    refused(&folder, &["--max-deletes", "0"], &["the limit is 0"]);
    folder.edit("world.json", |world| {
        world["now"] = "2026-01-15T05:00:00Z".into()
    });
    refused(
        &folder,
        &["--max-age", "2d"],
        &["the plan was made 2026-01-15 06:00 UTC, and now it is 2026-01-15 05:00 UTC"],
    );
    folder.edit("world.json", |world| {
        world["now"] = "2026-01-18T06:00:00Z".into()
    });
    refused(
        &folder,
        &["--max-age", "2d"],
        &["the plan was made 2026-01-15 06:00 UTC, which is 3 days ago; the limit is 48 h"],
    );
    assert_ne!(
        folder
            .apply(&["--max-age", "4d", "--results", "r.json"])
            .code,
        Some(3)
    );
}

#[test]
fn a_plan_is_for_aws_or_for_a_sandbox() {
    let folder = Folder::new();
    folder.planned();
    folder.xrs(&["apply", "plan.json"]).failed(
        3,
        &[
            "the plan was made on a sandbox, and this is AWS",
            "--sandbox",
        ],
    );
    sealed_again(&folder, |plan| plan["provider"] = "aws".into());
    refused(
        &folder,
        &[],
        &["the plan was made on AWS, and this is a sandbox"],
    );
}

#[test]
fn a_plan_is_for_its_own_account_and_endpoint() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    sealed_again(&folder, |plan| {
        plan["jobs"][0]["account_id"] = "999999999999".into()
    });
    refused(
        &folder,
        &[],
        &[
            "sync_my_web_app was planned in account 999999999999",
            "belong to account",
        ],
    );
    folder.write("plan.json", whole);
    sealed_again(&folder, |plan| {
        plan["jobs"][0]["client_config"]["endpoint_url"] = "http://127.0.0.1:5000".into()
    });
    refused(
        &folder,
        &[],
        &[
            "sync_my_web_app was planned at http://127.0.0.1:5000",
            "AWS's own endpoints",
        ],
    );
}

#[test]
fn a_sandbox_is_never_made_by_apply() {
    let folder = Folder::new();
    folder.planned();
    fs::remove_file(folder.path("world.json")).expect("removed");
    folder.apply(&[]).failed(
        1,
        &[
            "error: the sandbox world.json does not exist",
            "help: apply makes no sandbox; `xrs plan --sandbox FILE` makes one",
        ],
    );
    folder.write("world.json", "{");
    folder
        .apply(&[])
        .failed(1, &["world.json is not a valid sandbox"]);
}

#[test]
fn credentials_come_from_the_config_given_else_the_environment_else_xrs_yaml() {
    let folder = Folder::new();
    folder.planned();
    fs::rename(folder.path("xrs.yaml"), folder.path("moved.yaml")).expect("moved");
    let named = |config: &str| {
        let mut command = folder.command(&["apply", "plan.json", "--sandbox", "world.json"]);
        super::ended(command.env("XRS_CONFIG", config))
    };
    // The config that the plan names does not count: whoever wrote the plan chose it.
    sealed_again(&folder, |plan| plan["config"]["path"] = "moved.yaml".into());
    refused(
        &folder,
        &[],
        &["the config xrs.yaml does not exist", "--config"],
    );
    named("none.yaml").failed(3, &["the config none.yaml does not exist", "--config"]);
    fs::create_dir(folder.path("inner")).expect("made");
    for (config, says) in [
        ("none.yaml", "the config none.yaml does not exist"),
        ("inner", "the config inner is a folder, not a file"),
    ] {
        refused(&folder, &["--config", config], &[says, "--config"]);
    }
    // With rotated keys, and the rest of the config invalid.
    let rotated = example()
        .replace("my_secret_key", "my_new_key")
        .replace("max_snapshots_to_retain: 5", "nonsense: 5");
    folder.write("elsewhere.yaml", rotated);
    folder
        .apply(&["--config", "elsewhere.yaml"])
        .went_well(&["created the AWS resource ami-"]);
    named("moved.yaml").went_well(&["already done"]);
}

#[test]
fn a_config_with_other_client_settings_refuses_the_plan() {
    let folder = Folder::new();
    folder.planned();
    let config = |text: String| folder.write("xrs.yaml", text);
    config(example().replace(
        "aws_access_key: \"my_access_key\",",
        "role_arn: \"arn:aws:iam::123456789012:role/x\",\naws_access_key: \"my_access_key\",",
    ));
    refused(
        &folder,
        &[],
        &["sync_my_web_app was planned with other client settings (secrets aside) than xrs.yaml"],
    );
    config(example().replace("sync_my_database", "sync_renamed"));
    refused(
        &folder,
        &[],
        &["the config xrs.yaml has no job sync_my_database to take credentials from"],
    );
    config(example().replace("aws_account_id:", "aws_acount_id:"));
    refused(
        &folder,
        &[],
        &[
            "xrs.yaml:",
            "aws_acount_id",
            "the config xrs.yaml cannot be used",
        ],
    );
    config("nothing".to_owned());
    refused(&folder, &[], &["the config xrs.yaml cannot be used"]);
}

#[test]
fn results_that_cannot_be_saved_show_before_anything_is_written() {
    let folder = Folder::new();
    folder.planned();
    let before = folder.json("world.json")["regions"].clone();
    folder.apply(&["--results", "none/results.json"]).failed(
        1,
        &["the results file none/results.json could not be written: there is no folder none"],
    );
    assert_eq!(folder.json("world.json")["regions"], before);
}

#[test]
fn a_refused_plan_leaves_no_results_that_look_like_its_own() {
    let folder = Folder::new();
    folder.planned();
    let results = ["--results", "results.json"];
    let refused_with = |options: &[&str], says: &str| {
        folder.write("results.json", "{\"complete\": true}");
        refused(&folder, &[&results, options].concat(), &[says]);
        let begun = folder.json("results.json");
        assert_eq!(
            (&begun["complete"], &begun["results"], &begun["plan_digest"]),
            (
                &false.into(),
                &serde_json::json!([]),
                &folder.json("plan.json")["digest"]
            )
        );
        let shown = folder.xrs(&["show", "results.json"]);
        shown.went_well(&["that apply is still running, or it was refused or stopped"]);
    };
    refused_with(&["--max-deletes", "0"], "the limit is 0");
    fs::rename(folder.path("xrs.yaml"), folder.path("moved.yaml")).expect("moved");
    refused_with(&[], "the config xrs.yaml does not exist");
    fs::rename(folder.path("moved.yaml"), folder.path("xrs.yaml")).expect("moved");
    sealed_again(&folder, |plan| {
        plan["jobs"][0]["account_id"] = "999999999999".into()
    });
    refused_with(&[], "was planned in account");
    // What is not a plan has no digest to save.
    folder.write("plan.json", "{}");
    folder.write("results.json", "precious");
    refused(&folder, &results, &["not a plan"]);
    assert_eq!(folder.read("results.json"), "precious");
}

#[test]
fn results_never_replace_what_is_applied() {
    let folder = Folder::new();
    folder.planned();
    folder.write("other.yaml", example());
    for (results, says) in [
        (
            "plan.json",
            "error: --results plan.json would replace the plan plan.json",
        ),
        ("./world.json", "would replace the sandbox world.json"),
        ("other.yaml", "would replace the config other.yaml"),
        ("xrs.yaml", "would replace the config xrs.yaml"),
        ("-", "--results takes a file, not -"),
    ] {
        let config: &[&str] = match results {
            "other.yaml" => &["--config", "other.yaml"],
            _ => &[],
        };
        let before = folder.read("world.json");
        let applied = folder.apply(&[&["--results", results], config].concat());
        applied.failed(1, &[says]);
        assert_eq!(folder.read("world.json"), before, "before any work");
        assert!(!folder.path("-").exists());
    }
    folder
        .xrs(&["run", "--sandbox", "world.json", "--results", "xrs.yaml"])
        .failed(1, &["--results xrs.yaml would replace the config xrs.yaml"]);
}

#[test]
fn what_is_not_done_is_told_once() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("world.json", |world| {
        world["faults"] = serde_json::json!([{
            "call": "CopyDBSnapshot", "code": "KMSKeyNotAccessible", "message": "no such key"
        }]);
    });
    let applied = folder.apply(&["--results", "results.json"]);
    applied.failed(1, &["sync_my_database: copy rds:mydatabase-"]);
    let told = |screen: &str, text: &str| screen.matches(text).count();
    for (text, times) in [
        ("no such key", 1),
        ("sync_my_database encountered the following errors:\n", 1),
        ("\n  not done: 1 copy, 1 source tag, ", 1),
        ("was not done", 0),
    ] {
        assert_eq!(told(&applied.out, text), times, "{text}: {applied:#?}");
    }
    for (text, times) in [("no such key", 1), ("skipped", 0)] {
        assert_eq!(told(&applied.err, text), times, "{text}: {applied:#?}");
    }
    let undone = folder.json("results.json")["results"][1]["actions"]
        .as_array()
        .map(Vec::len)
        .expect("actions");
    assert!(
        applied
            .out
            .ends_with(&format!("; {undone} actions not done.\n")),
        "{applied:#?}"
    );
}

/// 22 databases, of which so many have settings of their own.
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
    let first = folder.xrs(&["run", "--sandbox", "world.json"]);
    assert_eq!(first.code, Some(1), "20 copies at a time: {first:?}");
    folder.planned();
    let summary = folder.json("plan.json")["summary"].clone();
    assert_eq!(
        (&summary["copy"], &summary["up_to_date"]),
        (&2.into(), &20.into())
    );
    let world = folder.json("world.json");

    let counted = folder.apply(&[]);
    assert_eq!(counted.code, Some(1), "{counted:?}");
    let deferred = "AWS's limit of 20 concurrent copies into us-west-1 is reached";
    assert_eq!(counted.err.matches(deferred).count(), 2, "{counted:?}");

    // The job has other settings now, or is gone: its copy can't be read, and only AWS counts it.
    let others = fleet(", aws_client_config: {max_attempts: 7}");
    let gone = fleet("").replace("sync_db0:", "sync_db00:");
    for config in [others, gone] {
        folder.write("world.json", world.to_string());
        folder.write("xrs.yaml", config);
        let refused = folder.apply(&[]);
        assert_eq!(refused.code, Some(1), "not refused whole: {refused:?}");
        let in_vain = "SnapshotQuotaExceeded";
        assert!(refused.out.contains(in_vain), "{refused:?}");
        assert!(
            refused.out.contains("20 jobs completed, 2 failed"),
            "{refused:?}"
        );
    }
}
