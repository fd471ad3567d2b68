//! `xrs plan`

use std::fs;

use super::{Folder, example};

#[test]
fn a_plan_says_what_would_be_done_and_what_to_run_next() {
    let folder = Folder::new();
    let plan = folder.xrs(&["plan", "--sandbox", "world.json", "--out", "my plan.json"]);
    plan.went_well(&[
        "  + copy image ",
        "  + copy snapshot ",
        "  - DELETE snapshot ",
        "Plan: 2 copies (",
        "Digest: sha256:",
    ]);
    assert_eq!(
        plan.err,
        "note: made the sandbox world.json for the config\n"
    );
    let digest = folder.json("my plan.json")["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    plan.went_well(&[
        &format!("Digest: {digest}\n"),
        &format!("Next: xrs apply 'my plan.json' --config xrs.yaml --sandbox world.json --expect-digest {digest}\n"),
    ]);
    folder
        .xrs(&["plan", "--sandbox", "world.json"])
        .went_well(&["Next: save this plan with --out plan.json, then xrs apply plan.json --config xrs.yaml --sandbox world.json\n"]);
}

#[test]
fn json_on_stdout_is_what_is_saved() {
    let folder = Folder::new();
    let plan = folder.xrs(&[
        "plan",
        "--sandbox",
        "world.json",
        "--out",
        "plan.json",
        "--format",
        "json",
    ]);
    plan.went_well(&[]);
    assert_eq!(plan.out, folder.read("plan.json"));
}

#[test]
fn markdown_names_the_digest_and_the_command_that_applies_it() {
    let folder = Folder::new();
    let markdown = |options: &[&str]| {
        let plan = ["plan", "--format", "markdown", "--sandbox", "world.json"];
        folder.xrs(&[&plan, options].concat())
    };
    let unsaved = markdown(&[]);
    unsaved.went_well(&["\n# save this plan with --out plan.json\nxrs apply plan.json --config xrs.yaml --sandbox world.json --expect-digest sha256:"]);
    let saved = markdown(&["--out", "my plan.json"]);
    let digest = folder.json("my plan.json")["digest"]
        .to_string()
        .replace('"', "");
    saved.went_well(&[&format!(
        "\n```sh\nxrs apply 'my plan.json' --config xrs.yaml --sandbox world.json --expect-digest {digest}\n```\n"
    )]);
    assert!(
        saved.out.starts_with("### xrs plan: 2 copies ("),
        "{saved:?}"
    );
    assert!(
        saved.out.contains("\n> [!CAUTION]\n> **DELETES "),
        "{saved:?}"
    );
    folder
        .xrs(&[
            "apply",
            "my plan.json",
            "--sandbox",
            "world.json",
            "--expect-digest",
            &digest,
        ])
        .went_well(&["Results: 2 jobs completed"]);
}

#[test]
fn detailed_exit_codes_tell_changes_from_none() {
    let folder = Folder::new();
    let plan = || {
        folder.xrs(&[
            "plan",
            "--sandbox",
            "world.json",
            "--out",
            "plan.json",
            "--detailed-exitcode",
        ])
    };
    assert_eq!(plan().code, Some(2));
    assert_eq!(folder.apply(&[]).code, Some(0));
    let second = plan();
    second.went_well(&[
        "Nothing to do",
        "Plan: 0 copies, 0 copy tags, 0 source tags, 0 deletions; 2 jobs up to date, 0 failed.",
    ]);
    assert!(!second.out.contains("Next:"), "{second:?}");
}

#[test]
fn an_invalid_job_is_in_the_plan_and_the_others_go_on() {
    let folder = Folder::new();
    folder.write(
        "xrs.yaml",
        example().replace(
            "max_snapshots_to_retain: 5",
            "max_snapshots_to_retain: many",
        ),
    );
    for options in [&[][..], &["--detailed-exitcode"]] {
        let plan = folder.xrs(
            &[
                &["plan", "--sandbox", "world.json", "--out", "plan.json"],
                options,
            ]
            .concat(),
        );
        plan.failed(1, &["xrs.yaml:", "max_snapshots_to_retain: many", "^"]);
        assert!(plan.out.contains("sync_my_database: FAILED"), "{plan:?}");
        assert!(plan.out.contains("+ copy image"), "{plan:?}");
    }
    let applied = folder.apply(&[]);
    assert_eq!(applied.code, Some(1));
    assert!(
        applied
            .out
            .contains("sync_my_web_app successfully completed and created"),
        "{applied:?}"
    );
    assert!(
        applied
            .out
            .contains("sync_my_database encountered the following errors"),
        "{applied:?}"
    );
}

#[test]
fn jobs_can_be_picked_by_name() {
    let folder = Folder::new();
    let plan = folder.xrs(&[
        "plan",
        "--sandbox",
        "world.json",
        "--out",
        "plan.json",
        "--job",
        "sync_my_database",
    ]);
    plan.went_well(&["Limited to sync_my_database.", "+ copy snapshot"]);
    assert!(!plan.out.contains("copy image"), "{plan:?}");
    assert_eq!(
        folder.json("plan.json")["selection"],
        serde_json::json!(["sync_my_database"])
    );

    let fresh = Folder::new();
    let misspelt = fresh.xrs(&[
        "plan",
        "--sandbox",
        "world.json",
        "--job",
        "sync_my_databse",
    ]);
    misspelt.failed(
        1,
        &[
            "the config has no job sync_my_databse",
            "help: did you mean sync_my_database?",
        ],
    );
    let invented = fresh.xrs(&["plan", "--sandbox", "world.json", "--job", "x"]);
    invented.failed(1, &["help: its jobs are sync_my_web_app, sync_my_database"]);
    assert!(!fresh.path("world.json").exists(), "nothing half done");
}

#[test]
fn a_sandbox_without_sources_for_the_config_is_noted() {
    let folder = Folder::new();
    let plan = || folder.xrs(&["plan", "--sandbox", "world.json"]);
    plan().failed(0, &["made the sandbox"]);
    assert_eq!(plan().err, "", "it fits");
    let note = |jobs: &str| {
        format!("note: world.json has no source for {jobs}, and is never adapted to a config")
    };
    folder.write("xrs.yaml", example().replace("mydatabase", "orders"));
    plan().failed(1, &[&note("sync_my_database")]);
    folder.write("xrs.yaml", example().replace("Web Application", "Web Shop"));
    plan().failed(1, &[&note("sync_my_web_app")]);
    folder.write("xrs.yaml", example().replace("us-west-1", "eu-west-1"));
    plan().failed(1, &[&note("sync_my_web_app, sync_my_database")]);
    fs::remove_file(folder.path("world.json")).expect("moved away");
    plan().failed(0, &["made the sandbox"]);
}

#[test]
fn a_sandbox_is_made_once_and_a_damaged_one_is_left_alone() {
    let folder = Folder::new();
    let plan = |world: &str| folder.xrs(&["plan", "--sandbox", world]);
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
    plan("bad.json").failed(
        1,
        &["bad.json is not a valid sandbox: it is not UTF-8 text"],
    );
    plan(".").failed(1, &["is a folder"]);
}

#[test]
fn a_plan_that_cannot_be_saved_is_an_error() {
    let folder = Folder::new();
    let plan = |out: &str| folder.xrs(&["plan", "--sandbox", "world.json", "--out", out]);
    plan("none/plan.json").failed(
        1,
        &["error: the plan none/plan.json could not be written: there is no folder none"],
    );
    plan(".").failed(1, &["error: the plan . is a folder, not a file"]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder.planned();
    let locked = folder.path("locked");
    std::fs::create_dir(&locked).expect("made");
    let mode = |mode| {
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(mode)).expect("set")
    };
    mode(0o555);
    let plan = folder.xrs(&["plan", "--sandbox", "world.json", "--out", "locked/p.json"]);
    mode(0o755);
    // Whoever is root can write everywhere.
    if plan.code != Some(0) {
        plan.failed(
            1,
            &["no file can be created in the folder locked: permission denied"],
        );
        assert!(!plan.err.contains(".xrs-"), "{plan:?}");
    }
}

#[test]
fn a_plan_never_replaces_what_it_is_made_from() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("inner")).expect("made");
    let before = folder.read("xrs.yaml");
    for (out, says) in [
        (
            "xrs.yaml",
            "error: --out xrs.yaml would replace the config xrs.yaml",
        ),
        ("inner/../xrs.yaml", "would replace the config xrs.yaml"),
        (
            "./new.json",
            "error: --out ./new.json would replace the sandbox new.json",
        ),
        ("-", "--format json prints to stdout"),
    ] {
        let plan = folder.xrs(&["plan", "--sandbox", "new.json", "--out", out]);
        plan.failed(1, &[says]);
        assert_eq!(plan.out, "");
        assert!(!folder.path("new.json").exists(), "before any work");
        assert!(!folder.path("-").exists());
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("xrs.yaml", folder.path("link.json")).expect("a link");
        folder
            .xrs(&["plan", "--sandbox", "new.json", "--out", "link.json"])
            .failed(1, &["--out link.json would replace the config xrs.yaml"]);
    }
    assert_eq!(folder.read("xrs.yaml"), before);
}

#[test]
fn a_sandbox_is_not_made_for_invalid_jobs() {
    let folder = Folder::new();
    let plan = || folder.xrs(&["plan", "--sandbox", "new/world.json"]);
    let invalid = example().replace("source_region", "sourceregion");
    folder.write("xrs.yaml", &invalid);
    let none = plan();
    none.failed(
        1,
        &["no sandbox was made in new/world.json: no job of xrs.yaml is valid"],
    );
    assert_eq!(none.out, "");
    assert!(!folder.path("new").exists(), "nothing half done");
    folder.write(
        "xrs.yaml",
        example().replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: x"),
    );
    plan().failed(
        1,
        &[
            "note: made the sandbox new/world.json for the config, but not for sync_my_database: \
             remove new/world.json when it is valid\n",
        ],
    );
}

#[test]
fn only_the_problems_of_selected_jobs_are_shown() {
    let folder = Folder::new();
    folder.write(
        "xrs.yaml",
        example().replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: x"),
    );
    let plan = |job: &str| folder.xrs(&["plan", "--sandbox", "world.json", "--job", job]);
    let valid = plan("sync_my_web_app");
    valid.went_well(&["+ copy image"]);
    valid.failed(
        0,
        &["note: sync_my_database is invalid, and not selected: xrs validate shows the problems\n"],
    );
    assert!(!valid.err.contains("error"), "{valid:?}");
    plan("sync_my_database").failed(1, &["error: ", "max_snapshots_to_retain: x"]);
}

/// Law 9: however many plans with however many of the jobs are made of one config, a copy has one name.
#[test]
fn the_name_of_a_copy_does_not_depend_on_the_jobs_that_are_planned() {
    let folder = Folder::new();
    let job = |name: &str, region: &str| {
        format!(
            "{name}:\n  sync_type: rds_automated_snapshot\n  source_region: {region}\n  \
             destination_region: us-west-1\n  db_instance: orders\n"
        )
    };
    folder.write(
        "xrs.yaml",
        [
            job("sync_east", "us-east-1"),
            job("sync_europe", "eu-west-1"),
            job("sync_asia", "ap-south-1"),
        ]
        .concat(),
    );
    let targets = |options: &[&str]| -> Vec<(String, String)> {
        let plan = ["plan", "--sandbox", "world.json", "--out", "plan.json"];
        folder.xrs(&[&plan, options].concat()).went_well(&[]);
        let plan = folder.json("plan.json");
        let jobs = plan["jobs"].as_array().expect("jobs");
        jobs.iter()
            .map(|job| {
                let target = job["actions"][0]["copy"]["id"].as_str();
                let source = job["source"]["region"].as_str();
                (
                    source.expect("a region").to_owned(),
                    target.expect("a name").to_owned(),
                )
            })
            .collect()
    };
    let all = targets(&[]);
    assert_eq!(all.len(), 3);
    for (n, (region, name)) in all.iter().enumerate() {
        assert_eq!(name.ends_with(&format!("-{region}")), n > 0, "{all:?}");
    }
    assert_eq!(targets(&["--job", "sync_asia"]), all[2..]);
    assert_eq!(
        targets(&["--job", "sync_europe", "--job", "sync_asia"]),
        all[1..]
    );
}
