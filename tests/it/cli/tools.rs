//! What helps around the work: a config to begin with, completions, manual pages, schemas.

use serde_json::Value;

use super::*;

const COMMANDS: [&str; 11] = [
    "init",
    "validate",
    "plan",
    "show",
    "apply",
    "run",
    "status",
    "policy",
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
    for document in ["config", "plan", "results", "status", "problems"] {
        let schema = folder.xrs(&["schema", document]);
        schema.went_well(&["http://json-schema.org/draft-07/schema#"]);
        let schema: Value = serde_json::from_str(&schema.out).expect("JSON");
        assert!(schema["title"].is_string(), "{document}");
    }
}

#[test]
fn policy_prints_what_iam_takes_and_says_what_it_leaves_out() {
    let folder = Folder::new();
    let policy = folder.xrs(&["policy", "apply"]);
    policy.went_well(&["\"Version\": \"2012-10-17\"", "rds:DeleteDBSnapshot"]);
    assert_eq!(policy.err, "");
    let policy = folder.xrs(&["policy", "plan", "--job", "sync_my_web_app"]);
    policy.went_well(&["ec2:DescribeImages"]);
    assert!(!policy.out.contains("rds:"), "{policy:?}");

    folder.write("xrs.yaml", example().replace("ec2_ami", "ec2_amis"));
    let policy = folder.xrs(&["policy", "plan"]);
    policy.failed(1, &["ec2_amis"]);
    assert!(policy.out.contains("rds:DescribeDBSnapshots"), "{policy:?}");
    folder
        .xrs(&["policy", "plan", "--job", "sync_my_web_app"])
        .failed(1, &["no policy can be written: there is no sound job"]);
    folder
        .xrs(&["policy", "plan", "--job", "sync_web"])
        .failed(1, &["the config has no job sync_web"]);

    let role = "aws_client_config: {role_arn: 'arn:aws:iam::123456789012:role/xrs'}\n";
    let job = |n: usize| {
        format!(
            "sync_database_{n}: {{sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1, db_instance: database-{n}}}\n"
        )
    };
    folder.write(
        "xrs.yaml",
        format!("{role}{}", (0..40).map(job).collect::<String>()),
    );
    let policy = folder.xrs(&["policy", "apply"]);
    policy.went_well(&["database-39"]);
    assert!(
        policy
            .err
            .contains("the role arn:aws:iam::123456789012:role/xrs"),
        "{}",
        policy.err
    );
    assert!(
        policy.err.contains("IAM takes 6144 in a managed policy"),
        "{}",
        policy.err
    );
}
