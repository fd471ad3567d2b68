//! What helps around the work: a config to begin with, completions, manual pages, schemas.

use serde_json::Value;

use super::*;

const COMMANDS: [&str; 9] = [
    "init",
    "validate",
    "plan",
    "show",
    "apply",
    "run",
    "schema",
    "completions",
    "man",
];

#[test]
fn init_writes_a_config_that_can_be_tried_at_once() {
    let folder = Folder::new();
    fs::remove_file(folder.path("xrs.yaml")).expect("removed");
    folder
        .xrs(&["init"])
        .went_well(&["Wrote xrs.yaml", "xrs plan xrs.yaml --sandbox world.json"]);
    let validated = folder.xrs(&["validate"]);
    validated.went_well(&["xrs.yaml is valid: 2 sound jobs, 0 broken."]);
    assert_eq!(validated.err, "");
    folder
        .xrs(&["plan", "xrs.yaml", "--sandbox", "world.json"])
        .went_well(&["sync_web_application", "sync_database", "Plan: 2 to copy"]);
    folder
        .xrs(&["init", "my staging.yaml"])
        .went_well(&["xrs validate 'my staging.yaml'"]);
    assert_eq!(folder.read("my staging.yaml"), folder.read("xrs.yaml"));
}

#[test]
fn init_never_writes_over_a_file() {
    let folder = Folder::new();
    folder.xrs(&["init"]).failed(
        1,
        &[
            "the config xrs.yaml exists already",
            "help: it is left as it is",
        ],
    );
    assert_eq!(folder.read("xrs.yaml"), example());
    #[cfg(unix)]
    {
        // A link to nowhere is there, too.
        std::os::unix::fs::symlink("nowhere", folder.path("link.yaml")).expect("linked");
        folder
            .xrs(&["init", "link.yaml"])
            .failed(1, &["exists already"]);
        assert!(!folder.path("nowhere").exists());
    }
    folder
        .xrs(&["init", "no/such/folder.yaml"])
        .failed(1, &["there is no folder no/such"]);
    folder
        .xrs(&["init", "-"])
        .failed(1, &["not -", "help: name a file"]);
}

#[test]
fn every_shell_gets_completions_for_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = folder.xrs(&["completions", shell]);
        completions.went_well(&COMMANDS);
        completions.went_well(&["detailed-exitcode", "sandbox"]);
    }
    folder
        .xrs(&["completions", "tcsh"])
        .failed(1, &["possible values"]);
}

#[test]
fn every_command_has_a_manual_page_and_examples() {
    let folder = Folder::new();
    folder
        .xrs(&["man"])
        .went_well(&[".TH xrs 1", "Exit codes", "xrs\\-plan(1)"]);
    for command in COMMANDS {
        folder
            .xrs(&["man", command])
            .went_well(&[&format!(".TH xrs-{command} 1"), "Example"]);
        folder
            .xrs(&[command, "--help"])
            .went_well(&["Usage: xrs", "Example"]);
    }
    folder
        .xrs(&["man", "destroy"])
        .failed(1, &["there is no command destroy"]);
}

#[test]
fn every_document_has_a_schema() {
    let folder = Folder::new();
    for document in ["config", "plan", "results"] {
        let schema = folder.xrs(&["schema", document]);
        schema.went_well(&["http://json-schema.org/draft-07/schema#"]);
        let schema: Value = serde_json::from_str(&schema.out).expect("JSON");
        assert!(schema["title"].is_string(), "{document}");
    }
}
