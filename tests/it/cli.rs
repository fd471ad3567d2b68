//! The program as a user runs it: in an empty environment, in its own folder, on a sandbox.

mod apply;
mod changed_config;
mod destinations;
mod habits;
#[cfg(unix)]
mod interrupt;
mod plan;
mod refused;
mod run;
mod show;
mod status;
mod tools;
mod validate;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;
use aws_xregion_sync::planfile;
use serde_json::Value;

use crate::support::{TRICK, assert_no_tricks};

/// A folder with the gem's example in `xrs.yaml`.
pub struct Folder {
    folder: tempfile::TempDir,
}

/// The results of the example, in text, if its database job is invalid.
const RESULTS_OF_ONE_INVALID: [&str; 2] = [
    "sync_my_web_app successfully completed and created",
    "sync_my_database encountered the following errors",
];

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
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Writes a file. Creates its folder if it does not exist.
    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    pub fn json(&self, file: &str) -> Value {
        serde_json::from_str(&self.read(file)).expect("JSON")
    }

    /// Changes a JSON file.
    pub fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(file);
        change(&mut value);
        self.write(file, value.to_string());
    }

    /// Writes the example with one of its texts replaced.
    fn configure(&self, from: &str, to: &str) {
        self.write("xrs.yaml", example().replace(from, to));
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("moved");
    }

    pub fn remove(&self, file: &str) {
        fs::remove_file(self.path(file)).expect("removed");
    }

    #[cfg(unix)]
    pub fn set_mode(&self, file: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path(file), permissions).expect("changed");
    }

    /// The program with these words as arguments, and without this process's environment.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(cargo_bin("xrs"));
        command
            .env_clear()
            .current_dir(self.folder.path())
            .args(words.split_whitespace());
        command
    }

    /// Starts the program with a readable stderr.
    fn spawn(&self, words: &str, stdout: Stdio) -> Child {
        std::process::Command::new(cargo_bin("xrs"))
            .env_clear()
            .current_dir(self.folder.path())
            .args(words.split(' '))
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    pub fn xrs(&self, words: &str) -> Ended {
        ended(&mut self.command(words))
    }

    /// The program on the sandbox `world.json`.
    pub fn on_sandbox(&self, words: &str) -> Ended {
        self.xrs(&format!("{words} --sandbox world.json"))
    }

    /// Plans into `plan.json`, on the sandbox.
    fn planned(&self) {
        self.on_sandbox("plan --out plan.json").went_well(&[]);
    }

    /// Returns the digest of `plan.json`.
    fn digest(&self) -> String {
        let digest = self.json("plan.json")["digest"].take();
        digest.as_str().expect("a digest").to_owned()
    }

    /// Applies `plan.json` on the sandbox, with additional options.
    fn apply(&self, options: &str) -> Ended {
        self.on_sandbox(&format!("apply plan.json {options}"))
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
    /// Asserts that it ended with this code, and that stderr says all of this.
    #[track_caller]
    fn failed(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in says {
            assert!(self.err.contains(text), "{text:?} is not in {self:#?}");
        }
    }

    /// Asserts that it ended with this code, and that stdout says all of this.
    #[track_caller]
    fn printed(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in says {
            assert!(self.out.contains(text), "{text:?} is not in {self:#?}");
        }
    }

    /// Asserts that it succeeded, and that stdout says all of this.
    #[track_caller]
    pub fn went_well(&self, says: &[&str]) {
        self.printed(0, says);
    }

    /// Asserts that neither stdout nor stderr says this.
    #[track_caller]
    fn lacks(&self, text: &str) {
        let is_said = self.out.contains(text) || self.err.contains(text);
        assert!(!is_said, "{text:?} is in {self:#?}");
    }

    /// Asserts that stdout begins with this.
    #[track_caller]
    fn begins(&self, text: &str) {
        assert!(self.out.starts_with(text), "{self:#?}");
    }

    /// Asserts that it ended with this code, with nothing on stderr, and returns the JSON on stdout.
    #[track_caller]
    fn json(&self, code: i32) -> Value {
        assert_eq!((self.code, &*self.err), (Some(code), ""), "{self:?}");
        serde_json::from_str(&self.out).expect("JSON")
    }
}

fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/seed.yaml");
    fs::read_to_string(path).expect("the example")
}

#[test]
fn help_and_version_are_no_errors_and_usage_is_exit_code_1() {
    let folder = Folder::new();
    let help = ["Usage: xrs", "Exit codes:", "xrs apply plan.json"];
    folder.xrs("--help").went_well(&help);
    folder.xrs("--version").went_well(&["xrs 0."]);
    for wrong in [
        "",
        "destroy",
        "apply",
        "plan --nonsense",
        "plan --parallelism 0",
        "plan --parallelism 101",
        "plan --format xml",
        "apply plan.json --max-age 24",
        "apply plan.json --max-age 3months",
        "apply plan.json --expect-digest abc",
        "run --max-deletes -1",
        "status --max-age 26",
        "status --format xml",
    ] {
        let ended = folder.xrs(wrong);
        assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{wrong}");
        let is_usage = ended.err.contains("Usage") || ended.err.contains("--help");
        assert!(is_usage, "{wrong}: {ended:?}");
    }
}

#[test]
fn logs_go_to_stderr_when_asked_for() {
    let folder = Folder::new();
    folder.xrs("validate").lacks("INFO");
    let loud = folder.on_sandbox("run -v");
    loud.failed(0, &["INFO"]);
    assert!(!loud.out.contains("INFO"), "{loud:?}");
    let with = |filter| ended(folder.command("validate").env("XRS_LOG", filter));
    with("aws_xregion_sync=trace").went_well(&[]);
    with("a=b=c").failed(1, &["XRS_LOG is not a log filter"]);
}

#[test]
fn a_name_with_invisible_characters_is_logged_with_escapes() {
    let folder = Folder::new();
    folder.configure("sync_my_database:", "\"sync_Odd\\u202e\":");
    let run = folder.on_sandbox("-v run");
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
    for words in [
        "plan --sandbox world.json --out failed.json",
        "plan --sandbox world.json --format json",
        "apply --sandbox world.json plan.json --results results.json",
        "show failed.json --format json",
        "show failed.json",
        "show results.json --format json",
        "show results.json",
        "show failed.json --format markdown",
        "show results.json --format markdown",
    ] {
        let ended = ended(folder.command(words).env("XRS_LOG", "trace"));
        let said = ended.out.clone() + &ended.err;
        assert!(said.contains("Odd"), "{ended:?}");
        assert_no_tricks(&said);
        ended.lacks("\nDigest: sha256:00");
    }
    for file in ["failed.json", "results.json", "world.json"] {
        let text = folder.read(file);
        assert!(text.contains(r"Odd\u001b[31m\u009b\u202e"), "{text}");
        assert_no_tricks(&text);
    }
    // Escapes are only spelling: the digest covers the meaning.
    let plan = planfile::read(folder.read("failed.json").as_bytes()).expect("a valid plan");
    let error = plan.jobs[1].errors[0].aws.as_ref();
    let error = error.expect("AWS's own words");
    assert_eq!((&*error.code, &*error.message), (TRICK, TRICK));
    let raw = serde_json::to_string(&plan).expect("JSON");
    assert_eq!(planfile::read(raw.as_bytes()), Ok(plan));
}

#[test]
fn law_8_no_secret_is_printed_or_saved() {
    let folder = Folder::new();
    let mut said = String::new();
    for words in [
        "validate -vv",
        "plan -vv --sandbox world.json --out plan.json --format json",
        "apply -vv plan.json --sandbox world.json --results results.json",
        "run -vv --sandbox world.json",
        "status -vv --sandbox world.json",
    ] {
        let ended = ended(folder.command(words).env("XRS_LOG", "trace"));
        ended.went_well(&[]);
        said += &(ended.out + &ended.err);
    }
    for file in ["plan.json", "results.json", "world.json"] {
        said += &folder.read(file);
    }
    folder.configure("to_retain: 5", "to_retain: five");
    let invalid = folder.xrs("validate");
    said += &(invalid.out + &invalid.err);
    for secret in [
        "my_access_key",
        "my_secret_key",
        "my_other_access_key",
        "my_other_secret_key",
    ] {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn a_build_without_aws_says_so() {
    let folder = Folder::new();
    for command in ["plan", "run"] {
        let says = ["this build of xrs cannot call AWS", "--sandbox"];
        folder.xrs(command).failed(1, &says);
    }
}
