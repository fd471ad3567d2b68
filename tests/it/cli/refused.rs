//! Plans that `xrs apply` refuses as a whole.

use std::fs;

use aws_xregion_sync::planfile;
use serde_json::{Value, json};

use super::{Folder, ended, example};

/// Corrects the digest, as someone who knows how would.
fn sealed_again(folder: &Folder, change: impl FnOnce(&mut Value)) {
    folder.edit("plan.json", |plan| {
        change(plan);
        plan["digest"] = planfile::digest(plan).expect("a digest").into();
    });
}

/// Asserts that the plan is refused as a whole, and that the world is unchanged.
#[track_caller]
fn refused(folder: &Folder, options: &str, says: &[&str]) {
    let before = folder.json("world.json")["regions"].take();
    let ended = folder.apply(options);
    ended.failed(3, says);
    ended.failed(3, &["help:"]);
    assert_eq!(ended.out, "");
    let after = folder.json("world.json")["regions"].take();
    assert_eq!(after, before, "nothing was written");
}

#[test]
fn a_plan_file_that_is_not_a_complete_valid_plan_is_refused() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    let none = "error: the plan none.json does not exist";
    let help = "help: plans are written by `xrs plan --out FILE`";
    folder
        .on_sandbox("apply none.json")
        .failed(1, &[none, help]);
    let says = "error: the plan . is a folder, not a file";
    folder.on_sandbox("apply .").failed(1, &[says]);
    let of_version = |version: &str| {
        let other = format!("\"format_version\": \"{version}\"");
        whole.replace("\"format_version\": \"2.0\"", &other)
    };
    let changed = "it was changed after it was made";
    let older = "made by an older version of xrs; plan again";
    let of_number = whole.replace("\"format_version\": \"2.0\"", "\"format_version\": 2");
    let selected = whole.replace("\"selection\": null", "\"selection\": [\"sync_a\"]");
    let on_aws = whole.replace("\"provider\": \"sandbox\"", "\"provider\": \"aws\"");
    let with_key = whole.replacen('{', "{\"keep\": \"all\",", 1);
    for (bad, says) in [
        (whole[..whole.len() / 2].to_owned(), "not valid JSON"),
        (String::new(), "not valid JSON"),
        ("hello".to_owned(), "not valid JSON"),
        ("{}".to_owned(), "not a plan"),
        (example(), "not valid JSON"),
        (whole.replace("mydatabase-", "yourdatabase-"), changed),
        (whole.replace("has no copy", "needs no copy"), changed),
        (selected, changed),
        (on_aws, changed),
        (of_version("3.0"), "format version is 3.0"),
        (of_version("2.1"), "format version is 2.1"),
        (of_version("0.9"), "format version is 0.9"),
        (of_version("two"), "format version is two"),
        (of_version("2.-1"), "format version is 2.-1"),
        (of_number, "format version is 2;"),
        (of_version("1.0"), older),
        (with_key, "it has an unknown key keep"),
    ] {
        assert_ne!(bad, whole, "{says}");
        folder.write("plan.json", bad);
        refused(&folder, "", &["plan.json cannot be applied", says]);
    }
    for key in ["format_version", "provider", "selection", "jobs"] {
        folder.write("plan.json", &whole);
        folder.edit("plan.json", |plan| {
            plan.as_object_mut().expect("an object").remove(key);
        });
        refused(&folder, "", &["it is not a plan: ", key]);
        let incomplete = folder.json("plan.json");
        planfile::digest(&incomplete).expect_err("nothing to approve");
    }
    folder.write("plan.json", &whole);
    folder.edit("plan.json", |plan| plan["summary"]["delete"] = 0.into());
    refused(&folder, "", &["its summary does not match its jobs"]);
}

#[test]
fn the_digest_covers_neither_the_time_of_a_plan_nor_the_path_of_its_config() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("plan.json", |plan| {
        plan["created_at"] = "2026-01-15T05:59:00Z".into();
        plan["config"]["path"] = "elsewhere.yaml".into();
    });
    folder
        .apply("")
        .went_well(&["created the AWS resource ami-"]);
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
            for count in ["jobs", "copy", "tag_source"] {
                plan["summary"][count] = 3.into();
            }
        });
    };
    doubled("sync_my_web_app");
    let says = "not a plan that xrs would make: sync_my_web_app: two jobs have this name";
    refused(&folder, "", &[says]);
    doubled("sync_other");
    let says = "sync_other: another job has an action sync_my_web_app/copy too";
    refused(&folder, "", &[says]);
}

#[test]
fn conditions_that_are_not_met_refuse_the_plan() {
    let folder = Folder::new();
    folder.planned();
    let other = "0".repeat(64);
    let expected = format!("not sha256:{other} as expected");
    let says = ["the plan's digest is sha256:", &expected];
    refused(&folder, &format!("--expect-digest {other}"), &says);
    refused(&folder, "--max-deletes 0", &["the limit is 0"]);
    for (now, says) in [
        ("2026-01-15T05:00:00Z", "and now it is 2026-01-15 05:00 UTC"),
        (
            "2026-01-18T06:00:00Z",
            "which is 3 days ago; the limit is 48 h",
        ),
    ] {
        folder.edit("world.json", |world| world["now"] = now.into());
        let says = format!("the plan was made 2026-01-15 06:00 UTC, {says}");
        refused(&folder, "--max-age 2d", &[&says]);
    }
    let accepted = folder.apply("--max-age 4d --results r.json");
    assert_ne!(accepted.code, Some(3));
}

#[test]
fn a_plan_is_for_its_own_provider_account_and_endpoint() {
    let folder = Folder::new();
    folder.planned();
    let sandbox = "the plan was made on a sandbox, and this is AWS";
    folder
        .xrs("apply plan.json")
        .failed(3, &[sandbox, "--sandbox"]);
    let whole = folder.read("plan.json");
    for (pointer, value, says) in [
        (
            "/provider",
            "aws",
            ["the plan was made on AWS, and this is a sandbox", "help:"],
        ),
        (
            "/jobs/0/account_id",
            "999999999999",
            [
                "sync_my_web_app was planned in account 999999999999",
                "belong to account",
            ],
        ),
        (
            "/jobs/0/client_config/endpoint_url",
            "http://127.0.0.1:5000",
            [
                "sync_my_web_app was planned at http://127.0.0.1:5000",
                "AWS's own endpoints",
            ],
        ),
    ] {
        folder.write("plan.json", &whole);
        sealed_again(&folder, |plan| {
            *plan.pointer_mut(pointer).expect("a key") = value.into()
        });
        refused(&folder, "", &says);
    }
}

#[test]
fn a_sandbox_is_never_made_by_apply() {
    let folder = Folder::new();
    folder.planned();
    folder.remove("world.json");
    let none = "error: the sandbox world.json does not exist";
    let help = "help: apply makes no sandbox; `xrs plan --sandbox FILE` makes one";
    folder.apply("").failed(1, &[none, help]);
    folder.write("world.json", "{");
    folder
        .apply("")
        .failed(1, &["world.json is not a valid sandbox"]);
}

#[test]
fn credentials_come_from_the_config_given_else_the_environment_else_xrs_yaml() {
    let folder = Folder::new();
    folder.planned();
    folder.rename("xrs.yaml", "moved.yaml");
    let named = |config: &str| {
        let mut command = folder.command("apply plan.json --sandbox world.json");
        ended(command.env("XRS_CONFIG", config))
    };
    // The config that the plan names does not count, because the author of the plan chose it.
    sealed_again(&folder, |plan| plan["config"]["path"] = "moved.yaml".into());
    refused(
        &folder,
        "",
        &["the config xrs.yaml does not exist", "--config"],
    );
    let none = ["the config none.yaml does not exist", "--config"];
    named("none.yaml").failed(3, &none);
    refused(&folder, "--config none.yaml", &none);
    fs::create_dir(folder.path("inner")).expect("made");
    let says = ["the config inner is a folder, not a file", "--config"];
    refused(&folder, "--config inner", &says);
    // With rotated keys, and the rest of the config invalid.
    let rotated = example()
        .replace("my_access_key", "my_new_id")
        .replace("my_secret_key", "my_new_key")
        .replace("max_snapshots_to_retain: 5", "nonsense: 5");
    folder.write("elsewhere.yaml", rotated);
    let applied = folder.apply("--config elsewhere.yaml");
    applied.went_well(&["created the AWS resource ami-"]);
    named("moved.yaml").went_well(&["already done"]);
}

#[test]
fn a_config_with_other_client_settings_refuses_the_plan() {
    let folder = Folder::new();
    folder.planned();
    let key = "aws_access_key: \"my_access_key\",";
    let role = format!("role_arn: \"arn:aws:iam::123456789012:role/x\",\n{key}");
    folder.configure(key, &role);
    let says = "sync_my_web_app was planned with client settings that differ (secrets aside) from those of xrs.yaml";
    refused(&folder, "", &[says]);
    folder.configure("sync_my_database", "sync_renamed");
    let says = "the config xrs.yaml has no job sync_my_database to take credentials from";
    refused(&folder, "", &[says]);
    let cannot = "the config xrs.yaml cannot be used";
    folder.configure("aws_account_id:", "aws_acount_id:");
    refused(&folder, "", &["xrs.yaml:", "aws_acount_id", cannot]);
    folder.write("xrs.yaml", "nothing");
    refused(&folder, "", &[cannot]);
}

#[test]
fn a_refused_plan_leaves_no_results_that_look_like_its_own() {
    let folder = Folder::new();
    folder.planned();
    let refused_with = |options: &str, says: &str| {
        folder.write("results.json", "{\"complete\": true}");
        refused(
            &folder,
            &format!("--results results.json {options}"),
            &[says],
        );
        let begun = folder.json("results.json");
        assert_eq!(begun["complete"], false);
        assert_eq!(begun["results"], json!([]));
        assert_eq!(begun["plan_digest"], folder.digest());
        let shown = folder.xrs("show results.json");
        shown.went_well(&["the plan was refused, or the apply is still running"]);
    };
    refused_with("--max-deletes 0", "the limit is 0");
    folder.rename("xrs.yaml", "moved.yaml");
    refused_with("", "the config xrs.yaml does not exist");
    folder.rename("moved.yaml", "xrs.yaml");
    sealed_again(&folder, |plan| {
        plan["jobs"][0]["account_id"] = "999999999999".into()
    });
    refused_with("", "was planned in account");
    // A file that is not a plan has no digest to save.
    folder.write("plan.json", "{}");
    folder.write("results.json", "precious");
    refused(&folder, "--results results.json", &["not a plan"]);
    assert_eq!(folder.read("results.json"), "precious");
}
