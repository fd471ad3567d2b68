//! What people and pipelines expect of any program: quiet, colours, pipes, warnings as errors.

use std::process::Stdio;

use super::*;

/// The example, which nobody else may read: its keys are no reason for a warning.
fn folder_of_ours() -> Folder {
    let folder = Folder::new();
    #[cfg(unix)]
    set_mode(&folder, 0o600);
    folder
}

#[cfg(unix)]
fn set_mode(folder: &Folder, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(folder.path("xrs.yaml"), permissions).expect("changed");
}

/// A config with two notes and no error.
fn with_notes() -> Folder {
    let folder = folder_of_ours();
    let example = example();
    let (head, rest) = example.split_once('{').expect("a mapping");
    folder.write(
        "xrs.yaml",
        format!("{head}{{ owner: team-a, aws_client_confg: {{}},{rest}"),
    );
    folder
}

#[test]
fn quiet_keeps_warnings_and_errors_alone() {
    let folder = with_notes();
    let loud = folder.xrs(&["plan", "--sandbox", "loud.json"]);
    assert!(loud.err.contains("note: made the sandbox"), "{loud:?}");
    assert!(
        loud.err.contains("the top-level key `owner` is ignored"),
        "{loud:?}"
    );
    for quiet in [
        &["-q", "run", "--sandbox", "world.json", "--wait"][..],
        &["plan", "--quiet", "--sandbox", "world.json"],
        &["-q", "validate"],
    ] {
        let ended = folder.xrs(quiet);
        ended.went_well(&["sync_my_database"]);
        assert_eq!(ended.err, "", "{quiet:?}");
    }
    folder
        .xrs(&["-q", "plan", "nowhere.yaml"])
        .failed(1, &["error: the config nowhere.yaml does not exist"]);
    folder
        .xrs(&["-q", "-v", "validate"])
        .failed(1, &["cannot be used with"]);
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let folder = Folder::new();
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command =
            folder.command(&[&["plan", "--sandbox", "world.json"], arguments].concat());
        let ended = ended(command.envs(variables.iter().copied()));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out.contains('\u{1b}')
    };
    for (variables, arguments, expected) in [
        (&[][..], &[][..], false),
        (&[("CLICOLOR_FORCE", "1")], &[], true),
        (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], &[], true),
        (&[("CLICOLOR_FORCE", "0")], &[], false),
        (&[("CLICOLOR_FORCE", "")], &[], false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[], false),
        (&[("CLICOLOR_FORCE", "1")], &["--color", "never"], false),
        (&[("NO_COLOR", "1")], &["--color", "always"], true),
    ] {
        assert_eq!(
            colored(variables, arguments),
            expected,
            "{variables:?} {arguments:?}"
        );
    }
}

/// Runs a command whose output nobody reads: its code, and its stderr if that is read.
fn unread(folder: &Folder, arguments: &[&str], both: bool) -> (Option<i32>, String) {
    let mut child = std::process::Command::new(cargo_bin("xrs"))
        .env_clear()
        .current_dir(folder.path(""))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    if both {
        drop(child.stderr.take());
    }
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), err)
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    folder.planned();
    let applied = folder.apply(&["--results", "results.json"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    for arguments in [
        &["plan", "--sandbox", "world.json"][..],
        &["plan", "--sandbox", "world.json", "--format", "json"],
        &["show", "plan.json"],
        &["show", "results.json"],
        &["apply", "plan.json", "--sandbox", "world.json"],
        &["run", "--sandbox", "world.json"],
        &["validate"],
        &["validate", "--format", "json"],
        &["schema", "config"],
        &["policy", "apply"],
        &["completions", "bash"],
        &["man"],
        &["guide", "reference"],
        &["--help"],
    ] {
        let (code, err) = unread(&folder, arguments, false);
        assert_eq!(code, Some(0), "{arguments:?}: {err}");
        assert!(
            !err.contains("error") && !err.contains("panicked"),
            "{arguments:?}: {err}"
        );
        let logging = [&["-vv"], arguments].concat();
        assert_eq!(unread(&folder, &logging, true).0, Some(0), "{arguments:?}");
    }
}

#[test]
fn warnings_can_be_made_to_count() {
    let folder = with_notes();
    folder.xrs(&["validate"]).went_well(&["is valid"]);
    let strict = folder.xrs(&["validate", "--warnings-as-errors"]);
    strict.failed(
        1,
        &["error: 2 warnings and notes, and --warnings-as-errors was given"],
    );
    assert!(strict.out.contains("is valid"), "{strict:?}");
    folder
        .xrs(&["-q", "validate", "--warnings-as-errors"])
        .failed(1, &["error: 2 warnings"]);
    let plan = ["plan", "--sandbox", "world.json", "--detailed-exitcode"];
    assert_eq!(folder.xrs(&plan).code, Some(2));
    let strict = [&plan[..], &["--warnings-as-errors", "--out", "plan.json"]].concat();
    folder
        .xrs(&strict)
        .failed(1, &["error: 2 warnings and notes"]);
    folder.xrs(&["show", "plan.json"]).went_well(&["Plan:"]);

    // A warning of a job counts like a note on the config.
    let folder = Folder::new();
    let strict = ["plan", "--sandbox", "world.json", "--warnings-as-errors"];
    folder.xrs(&strict).went_well(&["Plan:"]);
    folder.write(
        "xrs.yaml",
        example().replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: 0"),
    );
    folder.xrs(&strict).failed(
        1,
        &["error: 1 warning or note, and --warnings-as-errors was given"],
    );
}

#[test]
fn problems_have_their_places_in_json() {
    let folder = with_notes();
    let report = |code: i32| -> Value {
        let ended = folder.xrs(&["validate", "--format", "json"]);
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(code), ""),
            "{ended:?}"
        );
        serde_json::from_str(&ended.out).expect("JSON")
    };
    let valid = report(0);
    assert_eq!(
        (&valid["file"], &valid["valid"]),
        (&"xrs.yaml".into(), &true.into())
    );
    assert_eq!(valid["jobs"][0]["sync_type"], "ec2_ami");
    assert_eq!(valid["jobs"][0]["destination"]["region"], "us-west-1");
    assert_eq!(valid["problems"][1]["severity"], "note");
    assert_eq!(
        valid["problems"][1]["help"],
        "did you mean `aws_client_config`?"
    );

    folder.write(
        "xrs.yaml",
        example().replace("max_snapshots_to_retain", "max_snapshot_to_retain"),
    );
    let invalid = report(1);
    assert_eq!(invalid["valid"], false);
    assert_eq!(
        (
            &invalid["jobs"][1]["valid"],
            &invalid["jobs"][1]["sync_type"]
        ),
        (&false.into(), &Value::Null)
    );
    let expected = serde_json::json!([{
        "severity": "error",
        "file": "xrs.yaml",
        "line": 17,
        "column": 5,
        "length": 22,
        "message": "unknown option `max_snapshot_to_retain` in sync_my_database",
        "help": "did you mean `max_snapshots_to_retain`?",
    }]);
    assert_eq!(invalid["problems"], expected);

    folder.write("xrs.yaml", "sync_a: {");
    let none = report(1);
    assert_eq!(
        (none["valid"].clone(), none["jobs"].clone()),
        (false.into(), serde_json::json!([]))
    );
    assert!(none["problems"][0]["line"].is_u64(), "{none}");
    folder.write("xrs.yaml", format!("sync_{TRICK:?}: []"));
    assert_no_tricks(&folder.xrs(&["validate", "--format", "json"]).out);
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_a_warning_that_counts() {
    let folder = folder_of_ours();
    set_mode(&folder, 0o644);
    folder.xrs(&["validate", "--warnings-as-errors"]).failed(
        1,
        &["warning: xrs.yaml contains AWS keys", "error: 1 warning"],
    );
    let report = folder.xrs(&["validate", "--format", "json"]);
    report.went_well(&["\"severity\": \"warning\"", "chmod 600"]);
    set_mode(&folder, 0o600);
    folder
        .xrs(&["validate", "--warnings-as-errors"])
        .went_well(&["is valid"]);
}
