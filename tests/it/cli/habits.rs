//! What people and pipelines expect of any program: quiet, colours, pipes, warnings as errors.

use super::*;

/// The example, readable only by its owner, so that its keys cause no warning.
fn folder_of_ours() -> Folder {
    let folder = Folder::new();
    #[cfg(unix)]
    folder.set_mode("xrs.yaml", 0o600);
    folder
}

/// A config with two notes and no error.
fn with_notes() -> Folder {
    let folder = folder_of_ours();
    let noted = example().replacen('{', "{ owner: team-a, aws_client_confg: {},", 1);
    folder.write("xrs.yaml", noted);
    folder
}

#[test]
fn quiet_keeps_warnings_and_errors_alone() {
    let folder = with_notes();
    let ignored = "the top-level key `owner` is ignored";
    let loud = folder.xrs("plan --sandbox loud.json");
    loud.failed(0, &["note: made the sandbox", ignored]);
    for quiet in [
        "-q run --sandbox world.json --wait",
        "plan --quiet --sandbox world.json",
        "-q validate",
    ] {
        let ended = folder.xrs(quiet);
        ended.went_well(&["sync_my_database"]);
        assert_eq!(ended.err, "", "{quiet}");
    }
    let gone = "error: the config nowhere.yaml does not exist";
    folder.xrs("-q plan nowhere.yaml").failed(1, &[gone]);
    let both = folder.xrs("-q -v validate");
    both.failed(1, &["cannot be used with"]);
}

#[test]
fn a_limit_without_an_equals_sign_is_explained() {
    let folder = Folder::new();
    let says = "help: a limit of --wait needs an equals sign: --wait=2h";
    let ended = folder.xrs("run --sandbox world.json --wait 2h");
    ended.failed(1, &["the config 2h does not exist", says]);
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let folder = Folder::new();
    for (variables, options, expected) in [
        (&[][..], "", false),
        (&[], "--color never", false),
        (&[], "--color always", true),
        (&[("CLICOLOR_FORCE", "1")], "", true),
        (&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], "", true),
        (&[("CLICOLOR_FORCE", "0")], "", false),
        (&[("CLICOLOR_FORCE", "")], "", false),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], "", false),
        (&[("CLICOLOR_FORCE", "1")], "--color never", false),
        (&[("NO_COLOR", "1")], "--color always", true),
    ] {
        let mut command = folder.command(&format!("plan --sandbox world.json {options}"));
        let ended = ended(command.envs(variables.iter().copied()));
        ended.went_well(&[]);
        let is_coloured = ended.out.contains('\u{1b}');
        assert_eq!(is_coloured, expected, "{variables:?} {options}");
    }
}

/// Runs a command whose output nobody reads. Returns its exit code, and its stderr if that is read.
fn unread(folder: &Folder, words: &str, both: bool) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // Closed before anything is written to it.
    drop(reader);
    let mut child = folder.spawn(words, writer.into());
    if both {
        drop(child.stderr.take());
    }
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), err)
}

#[test]
fn a_reader_that_goes_away_stops_no_work_and_is_exit_code_1() {
    let folder = Folder::new();
    folder.planned();
    folder.apply("--results results.json").went_well(&[]);
    for words in [
        "plan --sandbox world.json",
        "plan --sandbox world.json --format json",
        "show plan.json",
        "show results.json",
        "apply plan.json --sandbox world.json",
        "run --sandbox new.json --results run.json",
        "validate",
        "validate --format json",
        "schema config",
        "policy apply",
        "completions bash",
        "man",
        "guide reference",
        "--help",
    ] {
        let (code, err) = unread(&folder, words, false);
        assert_eq!(code, Some(1), "{words}: {err}");
        for wrong in ["panicked", "Broken pipe"] {
            assert!(!err.contains(wrong), "{words}: {err}");
        }
        let says = "error: standard output was closed before everything was printed";
        assert!(words == "--help" || err.contains(says), "{words}: {err}");
        let logging = unread(&folder, &format!("-vv {words}"), true);
        assert_eq!(logging.0, Some(1), "{words}");
    }
    let results = folder.json("run.json");
    assert_eq!(results["complete"], true, "the work was done all the same");
}

#[test]
fn warnings_can_be_made_to_count() {
    let folder = with_notes();
    folder.xrs("validate").went_well(&["is valid"]);
    let strict = folder.xrs("validate --warnings-as-errors");
    let two = "error: 2 warnings and notes, and --warnings-as-errors was given";
    strict.failed(1, &[two]);
    strict.printed(1, &["is valid"]);
    let quiet = folder.xrs("-q validate --warnings-as-errors");
    quiet.failed(1, &["error: 2 warnings"]);
    let plan = "plan --detailed-exitcode";
    folder.on_sandbox(plan).printed(2, &[]);
    let strict = format!("{plan} --warnings-as-errors --out plan.json");
    folder.on_sandbox(&strict).failed(1, &[two]);
    folder.xrs("show plan.json").went_well(&["Plan:"]);

    // So does a warning about the config.
    let folder = Folder::new();
    folder.configure("\"tag-value=Sync\"", "\"tag-value=Sync,Async\"");
    #[cfg(unix)]
    folder.set_mode("xrs.yaml", 0o600);
    let comma =
        "warning: item 2 of option `filters` of sync_my_web_app has one value with a comma in it";
    let one = "error: 1 warning or note, and --warnings-as-errors was given";
    folder.xrs("-q validate").went_well(&[]);
    assert!(folder.xrs("-q validate").err.starts_with(comma));
    folder
        .xrs("validate --warnings-as-errors")
        .failed(1, &[comma, one]);
    folder
        .on_sandbox("plan --warnings-as-errors")
        .failed(1, &[comma, one]);
    let report = folder.xrs("validate --format json").json(0);
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["severity"], &problem["line"]),
        (&"warning".into(), &10.into())
    );

    // A job's warning counts like a note about the config.
    let folder = Folder::new();
    let strict = || folder.on_sandbox("plan --warnings-as-errors");
    strict().went_well(&["Plan:"]);
    folder.configure("to_retain: 5", "to_retain: 0");
    strict().failed(1, &[one]);
}

#[test]
fn problems_have_their_places_in_json() {
    let folder = with_notes();
    let report = |code| folder.xrs("validate --format json").json(code);
    let valid = report(0);
    assert_eq!(
        (&valid["file"], &valid["valid"]),
        (&"xrs.yaml".into(), &true.into())
    );
    assert_eq!(valid["jobs"][0]["sync_type"], "ec2_ami");
    assert_eq!(valid["jobs"][0]["destination"]["region"], "us-west-1");
    let note = &valid["problems"][1];
    assert_eq!(note["severity"], "note");
    assert_eq!(note["help"], "did you mean `aws_client_config`?");

    folder.configure("max_snapshots_to_retain", "max_snapshot_to_retain");
    let invalid = report(1);
    assert_eq!(invalid["valid"], false);
    let job = &invalid["jobs"][1];
    assert_eq!(
        (&job["valid"], &job["sync_type"]),
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
    assert_eq!(none["valid"], false);
    assert_eq!(none["jobs"], serde_json::json!([]));
    assert!(none["problems"][0]["line"].is_u64(), "{none}");
    folder.write("xrs.yaml", format!("sync_{TRICK:?}: []"));
    assert_no_tricks(&folder.xrs("validate --format json").out);
}
