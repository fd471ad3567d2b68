//! `xrs validate`, and which config is read.

use super::*;

#[test]
fn validate_lists_valid_jobs_and_shows_problems() {
    let folder = Folder::new();
    folder.xrs("validate").went_well(&[
        "sync_my_web_app (ec2_ami) us-east-1 → us-west-1",
        "sync_my_database (rds_automated_snapshot) us-east-1 → us-west-1",
        "xrs.yaml is valid: 2 valid jobs, 0 invalid.",
    ]);
    folder.configure("max_snapshots_to_retain", "max_snapshot_to_retain");
    let invalid = folder.xrs("validate");
    let (misspelt, meant) = ("max_snapshot_to_retain: 5", "max_snapshots_to_retain");
    invalid.failed(1, &["xrs.yaml:", misspelt, "^", meant]);
    invalid.printed(1, &["xrs.yaml is not valid: 1 valid job, 1 invalid."]);
}

#[test]
fn the_config_comes_from_the_argument_else_the_environment_else_xrs_yaml() {
    let folder = Folder::new();
    folder.write("other.yaml", example());
    folder.write("third.yaml", example());
    let with =
        |variable: &str, words: &str| ended(folder.command(words).env("XRS_CONFIG", variable));
    folder.xrs("validate").went_well(&["xrs.yaml is valid"]);
    with("", "validate").went_well(&["xrs.yaml is valid"]);
    with("other.yaml", "validate").went_well(&["other.yaml is valid"]);
    with("other.yaml", "validate third.yaml").went_well(&["third.yaml is valid"]);
    let gone = "error: the config gone.yaml does not exist";
    with("gone.yaml", "validate").failed(1, &[gone, "help: XRS_CONFIG names it"]);
}

#[test]
fn a_config_that_is_none_is_a_clear_error() {
    let folder = Folder::new();
    folder.write("empty.yaml", "");
    folder.write("latin1.yaml", b"sync_\xe9: {}");
    folder.write("huge.yaml", vec![b'#'; 64 * 1024 * 1024]);
    for command in ["validate", "plan", "run"] {
        for (config, says) in [
            (
                "none.yaml",
                &[
                    "error: the config none.yaml does not exist",
                    "XRS_CONFIG",
                    "xrs.yaml",
                    "xrs init",
                ][..],
            ),
            (".", &["error: the config . is a folder, not a file"]),
            ("empty.yaml", &["empty.yaml"]),
            ("latin1.yaml", &["latin1.yaml", "UTF-8"]),
            ("huge.yaml", &["the config huge.yaml is larger than"]),
        ] {
            let call = format!("{command} {config}");
            let ended = match command {
                "validate" => folder.xrs(&call),
                _ => folder.on_sandbox(&call),
            };
            ended.failed(1, says);
        }
        assert!(!folder.path("world.json").exists(), "nothing half done");
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_warned_of_where_they_would_be_used() {
    let folder = Folder::new();
    let warning = "others than its owner can read it";
    folder.set_mode("xrs.yaml", 0o644);
    folder.xrs("validate").failed(0, &[warning]);
    folder.on_sandbox("plan").lacks(warning);
    folder.set_mode("xrs.yaml", 0o600);
    folder.xrs("validate").lacks(warning);

    // Even those that nothing uses, because the only job is invalid, or each job has its own profile.
    let job = "sync_a: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: a";
    let keys = "aws_client_config: {aws_access_key: a, aws_secret_key: b}";
    folder.set_mode("xrs.yaml", 0o644);
    for (own, global, is_warned) in [
        ("ami_ownr: self", keys, true),
        ("aws_client_config: {profile: p}", keys, true),
        ("aws_client_config: {session_token: t}", "", true),
        ("aws_client_config: {profile: p}", "", false),
    ] {
        folder.write("xrs.yaml", format!("{job}, {own}}}\n{global}\n"));
        let validated = folder.xrs("validate");
        let is_shown = validated.err.contains(warning);
        assert_eq!(is_shown, is_warned, "{own}: {validated:?}");
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_a_warning_that_counts() {
    let folder = Folder::new();
    let strict = || folder.xrs("validate --warnings-as-errors");
    folder.set_mode("xrs.yaml", 0o644);
    let warning = "warning: xrs.yaml contains AWS keys";
    strict().failed(1, &[warning, "error: 1 warning"]);
    let report = folder.xrs("validate --format json");
    report.went_well(&["\"severity\": \"warning\"", "chmod 600"]);
    folder.set_mode("xrs.yaml", 0o600);
    strict().went_well(&["is valid"]);
}
