//! The program as a user runs it: in an empty environment, in a folder of its own, on a sandbox.

mod apply;
mod changed_config;
mod habits;
#[cfg(unix)]
mod interrupt;
mod plan;
mod run;
mod show;
mod status;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use aws_xregion_sync::planfile;
use serde_json::Value;

use crate::support::{TRICK, assert_no_tricks};

/// A folder with the example of the older tool in `xrs.yaml`.
pub struct Folder {
    folder: tempfile::TempDir,
}

/// How a command ended, and its output.
#[derive(Debug)]
#[must_use = "assert something about it"]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("xrs.yaml"), example()).expect("written");
        Self { folder }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).expect("readable")
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(file), text).expect("written");
    }

    pub fn json(&self, file: &str) -> Value {
        serde_json::from_str(&self.read(file)).expect("JSON")
    }

    /// Changes a JSON file.
    fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(file);
        change(&mut value);
        self.write(file, value.to_string());
    }

    /// The program, with nothing of this process's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin("xrs"));
        command
            .env_clear()
            .current_dir(self.folder.path())
            .args(arguments);
        command
    }

    pub fn xrs(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    /// Plans into `plan.json`, on the sandbox `world.json`.
    fn planned(&self) {
        let plan = self.xrs(&["plan", "--out", "plan.json", "--sandbox", "world.json"]);
        assert_eq!(plan.code, Some(0), "{plan:?}");
    }

    /// Applies `plan.json` on the sandbox, with further options.
    fn apply(&self, options: &[&str]) -> Ended {
        self.xrs(&[&["apply", "plan.json", "--sandbox", "world.json"], options].concat())
    }
}

/// Runs a command to its end.
pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let ended = Ended {
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!ended.err.contains("panicked"), "{ended:?}");
    ended
}

impl Ended {
    /// It ended with this code, and stderr says all of this.
    #[track_caller]
    fn failed(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in says {
            assert!(self.err.contains(text), "{text:?} is not in {self:#?}");
        }
    }

    /// It went well, and stdout says all of this.
    #[track_caller]
    fn went_well(&self, says: &[&str]) {
        assert_eq!(self.code, Some(0), "{self:#?}");
        for text in says {
            assert!(self.out.contains(text), "{text:?} is not in {self:#?}");
        }
    }
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/seed.yaml");
    fs::read_to_string(path).expect("the example")
}

#[test]
fn help_and_version_are_no_errors_and_usage_is_exit_code_1() {
    let folder = Folder::new();
    folder
        .xrs(&["--help"])
        .went_well(&["Usage: xrs", "Exit codes:", "xrs apply plan.json"]);
    folder.xrs(&["--version"]).went_well(&["xrs 0."]);
    for wrong in [
        &[][..],
        &["destroy"],
        &["apply"],
        &["plan", "--nonsense"],
        &["plan", "--parallelism", "0"],
        &["plan", "--parallelism", "101"],
        &["plan", "--format", "xml"],
        &["apply", "plan.json", "--max-age", "24"],
        &["apply", "plan.json", "--max-age", "3 months"],
        &["apply", "plan.json", "--expect-digest", "abc"],
        &["run", "--max-deletes", "-1"],
        &["status", "--max-age", "26"],
        &["status", "--format", "xml"],
    ] {
        let ended = folder.xrs(wrong);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(1), ""),
            "{wrong:?}: {ended:?}"
        );
        assert!(
            ended.err.contains("Usage") || ended.err.contains("--help"),
            "{wrong:?}: {ended:?}"
        );
    }
}

#[test]
fn validate_lists_valid_jobs_and_shows_problems() {
    let folder = Folder::new();
    folder.xrs(&["validate"]).went_well(&[
        "sync_my_web_app (ec2_ami) us-east-1 → us-west-1",
        "sync_my_database (rds_automated_snapshot) us-east-1 → us-west-1",
        "xrs.yaml is valid: 2 valid jobs, 0 invalid.",
    ]);
    folder.write(
        "xrs.yaml",
        example().replace("max_snapshots_to_retain", "max_snapshot_to_retain"),
    );
    let invalid = folder.xrs(&["validate"]);
    invalid.failed(
        1,
        &[
            "xrs.yaml:",
            "max_snapshot_to_retain: 5",
            "^",
            "max_snapshots_to_retain",
        ],
    );
    assert!(
        invalid
            .out
            .contains("xrs.yaml is not valid: 1 valid job, 1 invalid."),
        "{invalid:?}"
    );
}

#[test]
fn the_config_comes_from_the_argument_else_the_environment_else_xrs_yaml() {
    let folder = Folder::new();
    folder.write("other.yaml", example());
    folder.write("third.yaml", example());
    let validated =
        |arguments: &[&str]| ended(folder.command(arguments).env("XRS_CONFIG", "other.yaml"));
    folder.xrs(&["validate"]).went_well(&["xrs.yaml is valid"]);
    validated(&["validate"]).went_well(&["other.yaml is valid"]);
    validated(&["validate", "third.yaml"]).went_well(&["third.yaml is valid"]);
    let with = |variable: &str| ended(folder.command(&["validate"]).env("XRS_CONFIG", variable));
    with("").went_well(&["xrs.yaml is valid"]);
    with("gone.yaml").failed(
        1,
        &[
            "error: the config gone.yaml does not exist",
            "help: XRS_CONFIG names it",
        ],
    );
}

#[test]
fn a_config_that_is_none_is_a_clear_error() {
    let folder = Folder::new();
    for command in [
        &["validate"][..],
        &["plan", "--sandbox", "world.json"],
        &["run", "--sandbox", "world.json"],
    ] {
        let with = |config: &str| folder.xrs(&[&command[..1], &[config], &command[1..]].concat());
        with("none.yaml").failed(
            1,
            &[
                "error: the config none.yaml does not exist",
                "XRS_CONFIG",
                "xrs.yaml",
                "xrs init",
            ],
        );
        with(".").failed(1, &["error: the config . is a folder, not a file"]);
        folder.write("empty.yaml", "");
        with("empty.yaml").failed(1, &["empty.yaml"]);
        folder.write("latin1.yaml", b"sync_\xe9: {}");
        with("latin1.yaml").failed(1, &["latin1.yaml", "UTF-8"]);
        folder.write("huge.yaml", vec![b'#'; 64 * 1024 * 1024]);
        with("huge.yaml").failed(1, &["the config huge.yaml is larger than"]);
        assert!(!folder.path("world.json").exists(), "nothing half done");
    }
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_warned_of_where_they_would_be_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mode = |mode| {
        fs::set_permissions(folder.path("xrs.yaml"), fs::Permissions::from_mode(mode))
            .expect("permissions");
    };
    let warning = "others than its owner can read it";
    mode(0o644);
    folder.xrs(&["validate"]).failed(0, &[warning]);
    let sandbox = folder.xrs(&["plan", "--sandbox", "world.json"]);
    assert!(!sandbox.err.contains(warning), "{sandbox:?}");
    mode(0o600);
    let private = folder.xrs(&["validate"]);
    assert!(!private.err.contains(warning), "{private:?}");

    // Also those that nothing uses: the only job is invalid, or each has a profile of its own.
    let job = "sync_a: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: a";
    let keys = "aws_client_config: {aws_access_key: a, aws_secret_key: b}";
    mode(0o644);
    for (config, warned) in [
        (format!("{job}, ami_ownr: self}}\n{keys}\n"), true),
        (
            format!("{job}, aws_client_config: {{profile: p}}}}\n{keys}\n"),
            true,
        ),
        (
            format!("{job}, aws_client_config: {{session_token: t}}}}\n"),
            true,
        ),
        (
            format!("{job}, aws_client_config: {{profile: p}}}}\n"),
            false,
        ),
    ] {
        folder.write("xrs.yaml", &config);
        let validated = folder.xrs(&["validate"]);
        assert_eq!(
            validated.err.contains(warning),
            warned,
            "{config}: {validated:?}"
        );
    }
}

#[test]
fn colours_are_used_when_asked_for() {
    let folder = Folder::new();
    let plan = ["plan", "--sandbox", "world.json"];
    let colored = |options: &[&str]| {
        folder
            .xrs(&[&plan, options].concat())
            .out
            .contains('\u{1b}')
    };
    assert!(!colored(&[]), "no terminal");
    assert!(!colored(&["--color", "never"]));
    assert!(colored(&["--color", "always"]));
    let mut command = folder.command(&[&plan[..], &["--color", "always"]].concat());
    assert!(
        ended(command.env("NO_COLOR", "1")).out.contains('\u{1b}'),
        "the option is the nearer word"
    );
}

#[test]
fn logs_go_to_stderr_when_asked_for() {
    let folder = Folder::new();
    let quiet = folder.xrs(&["validate"]);
    let run =
        |options: &[&str]| folder.xrs(&[&["run", "--sandbox", "world.json"], options].concat());
    let loud = run(&["-v"]);
    assert!(loud.err.contains("INFO"), "{loud:?}");
    assert!(
        !loud.out.contains("INFO") && !quiet.err.contains("INFO"),
        "{quiet:?}"
    );
    let filtered = ended(
        folder
            .command(&["validate"])
            .env("XRS_LOG", "aws_xregion_sync=trace"),
    );
    assert_eq!(filtered.code, Some(0));
    ended(folder.command(&["validate"]).env("XRS_LOG", "a=b=c"))
        .failed(1, &["XRS_LOG is not a log filter"]);
}

#[test]
fn a_name_with_invisible_characters_is_logged_with_escapes() {
    let folder = Folder::new();
    let name = "\"sync_Odd\\u202e\":";
    folder.write("xrs.yaml", example().replace("sync_my_database:", name));
    let run = folder.xrs(&["-v", "run", "--sandbox", "world.json"]);
    run.failed(0, &[r"started action=sync_Odd\u{202e}/copy"]);
    assert_no_tricks(&run.err);
}

#[test]
fn no_text_of_others_tricks_whoever_reads_what_is_printed_or_saved() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("world.json", |world| {
        world["faults"] = serde_json::json!([
            {"call": "CopyImage", "code": TRICK, "message": TRICK},
            {"call": "DescribeDBSnapshots", "code": TRICK, "message": TRICK, "times": 4}
        ]);
    });
    for arguments in [
        &["plan", "--out", "failed.json"][..],
        &["plan", "--format", "json"],
        &["apply", "plan.json", "--results", "results.json"],
        &["show", "failed.json", "--format", "json"],
        &["show", "failed.json"],
        &["show", "results.json", "--format", "json"],
        &["show", "results.json"],
        &["show", "failed.json", "--format", "markdown"],
        &["show", "results.json", "--format", "markdown"],
    ] {
        let sandbox: &[&str] = match arguments[0] {
            "show" => &[],
            _ => &["--sandbox", "world.json"],
        };
        let mut command = folder.command(&[arguments, sandbox].concat());
        let ended = ended(command.env("XRS_LOG", "trace"));
        let said = ended.out.clone() + &ended.err;
        assert!(said.contains("Odd"), "{ended:?}");
        assert_no_tricks(&said);
        assert!(!said.contains("\nDigest: sha256:00"), "{ended:?}");
    }
    for file in ["failed.json", "results.json", "world.json"] {
        let text = folder.read(file);
        assert!(text.contains(r"Odd\u001b[31m\u009b\u202e"), "{text}");
        assert_no_tricks(&text);
    }
    // The escapes are a matter of spelling: the digest is that of what is said.
    let plan = planfile::read(folder.read("failed.json").as_bytes()).expect("a valid plan");
    let error = plan.jobs[1].errors[0]
        .aws
        .as_ref()
        .expect("AWS's own words");
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        (TRICK, TRICK)
    );
    let raw = serde_json::to_string(&plan).expect("JSON");
    assert_eq!(planfile::read(raw.as_bytes()), Ok(plan));
}

#[test]
fn law_8_no_secret_is_printed_or_saved() {
    let folder = Folder::new();
    let secrets = [
        "my_access_key",
        "my_secret_key",
        "my_other_access_key",
        "my_other_secret_key",
    ];
    let mut said = String::new();
    for arguments in [
        &["validate", "-vv"][..],
        &[
            "plan",
            "-vv",
            "--sandbox",
            "world.json",
            "--out",
            "plan.json",
            "--format",
            "json",
        ],
        &[
            "apply",
            "-vv",
            "plan.json",
            "--sandbox",
            "world.json",
            "--results",
            "results.json",
        ],
        &["run", "-vv", "--sandbox", "world.json"],
        &["status", "-vv", "--sandbox", "world.json"],
    ] {
        let ended = ended(folder.command(arguments).env("XRS_LOG", "trace"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        said += &(ended.out + &ended.err);
    }
    for file in ["plan.json", "results.json", "world.json"] {
        said += &folder.read(file);
    }
    folder.write(
        "xrs.yaml",
        example().replace(
            "max_snapshots_to_retain: 5",
            "max_snapshots_to_retain: five",
        ),
    );
    let invalid = folder.xrs(&["validate"]);
    said += &(invalid.out + &invalid.err);
    for secret in secrets {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::new();
    let mut child = std::process::Command::new(cargo_bin("xrs"))
        .env_clear()
        .current_dir(folder.folder.path())
        .args([
            "run",
            "--sandbox",
            "world.json",
            "--results",
            "results.json",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{err}");
    assert!(
        !err.contains("panicked") && !err.contains("Broken pipe"),
        "{err}"
    );
    assert_eq!(
        folder.json("results.json")["complete"],
        true,
        "and the work was done all the same"
    );
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_says_so() {
    let folder = Folder::new();
    for command in ["plan", "run"] {
        folder
            .xrs(&[command])
            .failed(1, &["this build of xrs cannot call AWS", "--sandbox"]);
    }
}
