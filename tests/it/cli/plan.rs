//! `xrs plan`

use std::fs;
use std::time::Duration;

use serde_json::Value;

use super::{Folder, RESULTS_OF_ONE_INVALID, ended};

#[test]
fn a_plan_says_what_would_be_done_and_what_to_run_next() {
    let folder = Folder::new();
    let mut to_file = folder.command("plan --sandbox world.json --out");
    let plan = ended(to_file.arg("my plan.json"));
    assert_eq!(
        plan.err,
        "note: made the sandbox world.json for the config\n"
    );
    folder.rename("my plan.json", "plan.json");
    let digest = folder.digest();
    plan.went_well(&[
        "  + copy image ",
        "  + copy snapshot ",
        "  - DELETE snapshot ",
        "Plan: 2 copies (",
        &format!("Digest: {digest}\n"),
        &format!("Next: xrs apply 'my plan.json' --config xrs.yaml --sandbox world.json --expect-digest {digest}\n"),
    ]);
    let unsaved = folder.on_sandbox("plan");
    unsaved.went_well(&["Next: save this plan with --out plan.json, then xrs apply plan.json --config xrs.yaml --sandbox world.json\n"]);
}

#[test]
fn json_on_stdout_is_what_is_saved() {
    let folder = Folder::new();
    let plan = folder.on_sandbox("plan --out plan.json --format json");
    plan.went_well(&[]);
    assert_eq!(plan.out, folder.read("plan.json"));
}

#[test]
fn markdown_names_the_digest_and_the_command_that_applies_it() {
    let folder = Folder::new();
    let plan = "plan --format markdown --sandbox world.json";
    folder.xrs(plan).went_well(&["\n# save this plan with --out plan.json\nxrs apply plan.json --config xrs.yaml --sandbox world.json --expect-digest sha256:"]);
    let saved = ended(folder.command(plan).args(["--out", "my plan.json"]));
    folder.rename("my plan.json", "plan.json");
    let digest = folder.digest();
    saved.begins("### xrs plan: 2 copies (");
    saved.went_well(&[
        &format!("\n```sh\nxrs apply 'my plan.json' --config xrs.yaml --sandbox world.json --expect-digest {digest}\n```\n"),
        "\n> [!CAUTION]\n> **DELETES ",
    ]);
    folder.rename("plan.json", "my plan.json");
    let mut apply = folder.command("apply --sandbox world.json --expect-digest");
    let applied = ended(apply.args([&digest, "my plan.json"]));
    applied.went_well(&["Results: 2 jobs completed"]);
}

#[test]
fn detailed_exit_codes_tell_changes_from_none() {
    let folder = Folder::new();
    let plan = || folder.on_sandbox("plan --out plan.json --detailed-exitcode");
    plan().printed(2, &[]);
    folder.apply("").went_well(&[]);
    let second = plan();
    second.went_well(&[
        "Nothing to do",
        "Plan: 0 copies, 0 copy tags, 0 source tags, 0 deletions; 2 jobs up to date, 0 failed.",
    ]);
    second.lacks("Next:");
}

#[test]
fn an_invalid_job_is_in_the_plan_and_the_others_go_on() {
    let folder = Folder::new();
    folder.configure("to_retain: 5", "to_retain: many");
    for options in ["", "--detailed-exitcode"] {
        let plan = folder.on_sandbox(&format!("plan --out plan.json {options}"));
        plan.failed(1, &["xrs.yaml:", "max_snapshots_to_retain: many", "^"]);
        plan.printed(1, &["sync_my_database: FAILED", "+ copy image"]);
    }
    folder.apply("").printed(1, &RESULTS_OF_ONE_INVALID);
}

#[test]
fn jobs_can_be_picked_by_name() {
    let folder = Folder::new();
    let plan = folder.on_sandbox("plan --out plan.json --job sync_my_database");
    plan.went_well(&["Limited to sync_my_database.", "+ copy snapshot"]);
    plan.lacks("copy image");
    let selection = folder.json("plan.json")["selection"].take();
    assert_eq!(selection, serde_json::json!(["sync_my_database"]));

    let fresh = Folder::new();
    let misspelt = fresh.on_sandbox("plan --job sync_my_databse");
    let help = "help: did you mean sync_my_database?";
    misspelt.failed(1, &["the config has no job sync_my_databse", help]);
    let invented = fresh.on_sandbox("plan --job x");
    invented.failed(1, &["help: its jobs are sync_my_web_app, sync_my_database"]);
    assert!(!fresh.path("world.json").exists(), "nothing half done");
}

#[test]
fn a_sandbox_without_sources_for_the_config_is_noted() {
    let folder = Folder::new();
    let plan = || folder.on_sandbox("plan");
    plan().failed(0, &["made the sandbox"]);
    assert_eq!(plan().err, "", "it fits");
    let note = |jobs: &str| {
        format!("note: world.json has no source for {jobs}, and is never adapted to a config")
    };
    for (from, to, jobs) in [
        ("mydatabase", "orders", "sync_my_database"),
        ("Web Application", "Web Shop", "sync_my_web_app"),
        (
            "us-west-1",
            "eu-west-1",
            "sync_my_web_app, sync_my_database",
        ),
    ] {
        folder.configure(from, to);
        plan().failed(1, &[&note(jobs)]);
    }
    folder.remove("world.json");
    plan().failed(0, &["made the sandbox"]);
}

#[test]
fn a_sandbox_is_made_once_and_a_damaged_one_is_left_alone() {
    let folder = Folder::new();
    let plan = |world: &str| folder.xrs(&format!("plan --sandbox {world}"));
    plan("new/folder/world.json").failed(0, &["made the sandbox"]);
    let again = plan("new/folder/world.json");
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""));
    let whole = folder.read("new/folder/world.json");
    for bad in ["", "{", "[]", "{}", &whole[..whole.len() / 2], "\u{fffd}"] {
        folder.write("bad.json", bad);
        plan("bad.json").failed(1, &["bad.json is not a valid sandbox", "help:"]);
        assert_eq!(folder.read("bad.json"), bad);
    }
    folder.write("bad.json", [0xff, 0xfe]);
    let says = "bad.json is not a valid sandbox: it is not UTF-8 text";
    plan("bad.json").failed(1, &[says]);
    plan(".").failed(1, &["is a folder"]);
}

#[test]
fn a_plan_that_cannot_be_saved_is_an_error() {
    let folder = Folder::new();
    for (out, says) in [
        (
            "none/plan.json",
            "none/plan.json could not be written: there is no folder none",
        ),
        (".", ". is a folder, not a file"),
    ] {
        let plan = folder.on_sandbox(&format!("plan --out {out}"));
        plan.failed(1, &[&format!("error: the plan {says}")]);
    }
}

#[cfg(unix)]
#[test]
fn outputs_are_regular_files_and_links_to_them_are_followed() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe"))
        .status();
    assert!(made.expect("it runs").success());
    std::os::unix::fs::symlink("later.json", folder.path("link.json")).expect("a link");
    folder.planned();
    // Nobody reads the pipe, so opening it would block forever.
    let refused = |words: &str, says: &str| {
        let ended = ended(folder.command(words).timeout(Duration::from_secs(60)));
        ended.failed(1, &[says]);
    };
    let before = folder.json("world.json")["regions"].take();
    for file in ["pipe", "/dev/null"] {
        let plan = format!("plan --sandbox world.json --out {file}");
        refused(&plan, &format!("the plan {file} is not a regular file"));
        for apply in ["apply plan.json", "run"] {
            let apply = format!("{apply} --sandbox world.json --results {file}");
            let says = format!("the results file {file} is not a regular file");
            refused(&apply, &says);
        }
    }
    let sandbox = "the sandbox pipe is not a regular file";
    refused("plan --sandbox pipe", sandbox);
    fs::rename(folder.path("pipe"), folder.path("other.json.lock")).expect("moved");
    let locked = "other.json.lock is not a regular file";
    refused("plan --sandbox other.json", locked);
    assert_eq!(
        folder.json("world.json")["regions"],
        before,
        "nothing was done"
    );

    let is_link = |file| {
        let found = fs::symlink_metadata(folder.path(file));
        found.expect("there").is_symlink()
    };
    // The first time, the target does not exist yet.
    for _ in 0..2 {
        folder.on_sandbox("plan --out link.json").went_well(&[]);
        assert!(is_link("link.json"));
        folder.xrs("show later.json").went_well(&["Plan:"]);
        folder.set_mode("later.json", 0o600);
    }
    folder.on_sandbox("plan --out link.json").went_well(&[]);
    let later = fs::metadata(folder.path("later.json")).expect("there");
    let mode = std::os::unix::fs::PermissionsExt::mode(&later.permissions());
    assert_eq!(mode & 0o777, 0o600, "it stays private");

    std::os::unix::fs::symlink("circle.json", folder.path("circle.json")).expect("a link");
    let circle = folder.on_sandbox("plan --out circle.json");
    circle.failed(
        1,
        &["circle.json could not be written: too many symbolic links"],
    );
    assert!(is_link("circle.json"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = Folder::new();
    folder.planned();
    fs::create_dir(folder.path("locked")).expect("made");
    folder.set_mode("locked", 0o555);
    let plan = folder.on_sandbox("plan --out locked/p.json");
    folder.set_mode("locked", 0o755);
    // Root can write everywhere.
    if plan.code != Some(0) {
        let says = "no file can be created in the folder locked: permission denied";
        plan.failed(1, &[says]);
        plan.lacks(".xrs-");
    }
}

#[test]
fn a_plan_never_replaces_what_it_is_made_from() {
    let folder = Folder::new();
    fs::create_dir(folder.path("inner")).expect("made");
    #[cfg(unix)]
    std::os::unix::fs::symlink("xrs.yaml", folder.path("link.json")).expect("a link");
    #[cfg(unix)]
    std::os::unix::fs::symlink("new.json", folder.path("dangling.json")).expect("a link");
    let before = folder.read("xrs.yaml");
    let config = "would replace the config xrs.yaml";
    for (out, says) in [
        ("xrs.yaml", config),
        ("inner/../xrs.yaml", config),
        #[cfg(unix)]
        ("link.json", config),
        ("./new.json", "would replace the sandbox new.json"),
        (
            "new.json.lock",
            "would replace the lock of the sandbox new.json.lock",
        ),
        #[cfg(unix)]
        ("dangling.json", "would replace the sandbox new.json"),
    ] {
        let plan = folder.xrs(&format!("plan --sandbox new.json --out {out}"));
        plan.failed(1, &[&format!("error: --out {out} {says}")]);
        assert_eq!(plan.out, "");
        assert!(!folder.path("new.json").exists(), "before any work");
    }
    let plan = folder.xrs("plan --sandbox new.json --out -");
    plan.failed(1, &["--format json prints to stdout"]);
    assert!(!folder.path("new.json").exists() && !folder.path("-").exists());
    assert_eq!((plan.out, folder.read("xrs.yaml")), (String::new(), before));
}

#[test]
fn a_sandbox_is_not_made_for_invalid_jobs() {
    let folder = Folder::new();
    let plan = || folder.xrs("plan --sandbox new/world.json");
    folder.configure("source_region", "sourceregion");
    let none = plan();
    none.failed(
        1,
        &["no sandbox was made in new/world.json: no job of xrs.yaml is valid"],
    );
    assert_eq!(none.out, "");
    assert!(!folder.path("new").exists(), "nothing half done");
    folder.configure("to_retain: 5", "to_retain: x");
    let says = "note: made the sandbox new/world.json for the config, but not for sync_my_database: \
                remove new/world.json when it is valid\n";
    plan().failed(1, &[says]);
}

#[test]
fn only_the_problems_of_selected_jobs_are_shown() {
    let folder = Folder::new();
    folder.configure("to_retain: 5", "to_retain: x");
    let plan = |job: &str| folder.on_sandbox(&format!("plan --job {job}"));
    let valid = plan("sync_my_web_app");
    valid.went_well(&["+ copy image"]);
    let note =
        "note: sync_my_database is invalid, and not selected: xrs validate shows the problems\n";
    valid.failed(0, &[note]);
    valid.lacks("error");
    plan("sync_my_database").failed(1, &["error: ", "max_snapshots_to_retain: x"]);
}

/// Law 9: no matter how many plans are made from one config, and for which of its jobs, a copy has one name.
#[test]
fn the_name_of_a_copy_does_not_depend_on_the_jobs_that_are_planned() {
    let folder = Folder::new();
    let job = |(name, region): (&str, &str)| {
        format!(
            "{name}:\n  sync_type: rds_automated_snapshot\n  source_region: {region}\n  \
             destination_region: us-west-1\n  db_instance: orders\n"
        )
    };
    let jobs = [
        ("sync_east", "us-east-1"),
        ("sync_europe", "eu-west-1"),
        ("sync_asia", "ap-south-1"),
    ];
    folder.write("xrs.yaml", jobs.map(job).concat());
    let targets = |options: &str| -> Vec<(String, String)> {
        let plan = folder.on_sandbox(&format!("plan --out plan.json {options}"));
        plan.went_well(&[]);
        let plan = folder.json("plan.json");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let target = |job: &Value| {
            (
                text(&job["source"]["region"]),
                text(&job["actions"][0]["copy"]["id"]),
            )
        };
        plan["jobs"]
            .as_array()
            .expect("jobs")
            .iter()
            .map(target)
            .collect()
    };
    let all = targets("");
    assert_eq!(all.len(), 3);
    for (n, (region, name)) in all.iter().enumerate() {
        assert_eq!(name.ends_with(&format!("-{region}")), n > 0, "{all:?}");
    }
    assert_eq!(targets("--job sync_asia"), all[2..]);
    assert_eq!(targets("--job sync_europe --job sync_asia"), all[1..]);
}
