//! A fleet of databases and images in an account of its own, and the tools at work on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::json;
use tempfile::TempDir;

use crate::moto::world::{EAST, SECRET_KEY, WEST, World, longest_chain};
use crate::moto::{python, server};
use crate::timing::timed;

/// As RDS keeps automated snapshots unless told otherwise, in its console.
const DAYS: usize = 7;
/// As many as xrs keeps beside the copy it makes, unless told otherwise. The copy of the last day is due.
const COPIED: usize = 2;

/// What Cloud Custodian is told: to copy the newest automated snapshot of each database.
const POLICY: &str = "
policies:
  - name: copies
    resource: aws.rds-snapshot
    filters:
      - {type: value, key: SnapshotType, value: automated}
      - {type: value, key: Status, value: available}
      - type: latest
    actions:
      - {type: region-copy, target_region: us-west-1, copy_tags: true, tags: {Copied-From: us-east-1}}
";

/// Python with boto3 and Cloud Custodian.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench");
    python::with(&folder.join("requirements.txt"))
});

/// That Python, with these arguments and nothing of the caller's environment.
pub(crate) fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*PYTHON);
    command.env_clear().args(arguments);
    command
}

/// How many of each there are, a job for each.
#[derive(Clone, Copy)]
pub(crate) struct Fleet {
    pub(crate) databases: usize,
    pub(crate) images: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Tool {
    Xrs,
    Boto3,
    Custodian,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Task {
    Plan,
    Run,
    /// Run, and be there until the copies are done. Custodian knows no such thing.
    RunAndWait,
}

/// What a tool's work took.
pub(crate) struct Measured {
    pub(crate) calls: usize,
    pub(crate) in_a_row: usize,
    /// Seconds from the tool's start to its end.
    pub(crate) wall: f64,
    /// Seconds of processor time that the server used meanwhile.
    pub(crate) server: f64,
}

pub(crate) struct Site {
    fleet: Fleet,
    world: World,
    folder: TempDir,
}

impl Fleet {
    pub(crate) fn databases(databases: usize) -> Self {
        Self {
            databases,
            images: 0,
        }
    }

    /// A job for each, as xrs is told.
    fn config(self) -> String {
        let regions = format!("source_region: {EAST}, destination_region: {WEST}");
        let databases = (0..self.databases).map(|n| {
            format!("sync_db_{n}: {{sync_type: rds_automated_snapshot, {regions}, db_instance: db-{n}}}\n")
        });
        let images = (0..self.images).map(|n| {
            format!("sync_app_{n}: {{sync_type: ec2_ami, {regions}, sync_identifier: app-{n}}}\n")
        });
        databases.chain(images).collect()
    }

    /// The same for the boto3 loop.
    fn listed(self) -> String {
        let named = |prefix, count| -> Vec<String> {
            (0..count).map(|n| format!("{prefix}-{n}")).collect()
        };
        json!({
            "source": EAST,
            "destination": WEST,
            "databases": named("db", self.databases),
            "identifiers": named("app", self.images),
        })
        .to_string()
    }
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Xrs => "xrs",
            Self::Boto3 => "boto3 loop",
            Self::Custodian => "Custodian",
        }
    }

    fn command(self, task: Task) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench");
        match self {
            Self::Xrs => {
                let mut command = Command::new(env!("CARGO_BIN_EXE_xrs"));
                command.env_clear().args(match task {
                    Task::Plan => &["plan", "xrs.yaml", "--out", "plan.json"][..],
                    Task::Run => &["run", "xrs.yaml"],
                    Task::RunAndWait => &["run", "xrs.yaml", "--wait"],
                });
                command
            }
            Self::Boto3 => {
                let mut command = python(&[]);
                command.arg(folder.join("loop.py")).arg("fleet.json");
                command.args((task == Task::Plan).then_some("--plan"));
                command
            }
            Self::Custodian => {
                let main = "from c7n.cli import main; main()";
                let options = [
                    "--cache-period",
                    "0",
                    "--region",
                    EAST,
                    "--output-dir",
                    "out",
                ];
                let mut command = python(&["-c", main, "run", "policy.yaml"]);
                command.args(options);
                command.args((task == Task::Plan).then_some("--dryrun"));
                command
            }
        }
    }
}

impl Site {
    /// The fleet, with settings of the server: see `DEFAULTS` in `tests/moto/patches.py`.
    pub(crate) fn new(fleet: Fleet, settings: serde_json::Value) -> Self {
        let site = Self {
            fleet,
            world: World::new(),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let Fleet { databases, images } = fleet;
        site.world.control(
            "fleet",
            json!({"region": EAST, "to": WEST, "databases": databases, "images": images, "days": DAYS, "copied": COPIED}),
        );
        site.world.control("settings", settings);
        let files = [
            ("xrs.yaml", fleet.config()),
            ("fleet.json", fleet.listed()),
            ("policy.yaml", POLICY.to_owned()),
        ];
        for (file, text) in files {
            fs::write(site.folder.path().join(file), text).expect("written");
        }
        site
    }

    /// Has a tool do its work; what that took, or how it failed.
    pub(crate) fn measure(&self, tool: Tool, task: Task) -> Result<Measured, String> {
        let before = self.world.calls().len();
        let used = self.server_time();
        let mut command = tool.command(task);
        command
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", server::endpoint())
            .env("AWS_ACCESS_KEY_ID", self.world.access_key())
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let (output, wall) = timed(&mut command);
        let server = self.server_time() - used;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            eprintln!("{command:?}: {said}");
            let line = said.lines().find(|line| !line.trim().is_empty());
            return Err(format!("failed: {}", line.unwrap_or("without a word")));
        }
        let made = self.made();
        let due = if task == Task::Plan {
            0
        } else {
            self.fleet.databases + self.fleet.images
        };
        if made != due {
            return Err(format!("failed: {made} of {due} copies were made"));
        }
        let calls = &self.world.calls()[before..];
        Ok(Measured {
            calls: calls.len(),
            in_a_row: longest_chain(calls),
            wall,
            server,
        })
    }

    fn server_time(&self) -> f64 {
        let time = self.world.control("processor", json!({}));
        time.as_f64().expect("seconds")
    }

    /// How many copies there are that were not there at the beginning.
    fn made(&self) -> usize {
        let count = |what, mut request: serde_json::Value| {
            request["region"] = json!(WEST);
            let list = self.world.control(what, request);
            list.as_array().expect("a list").len()
        };
        let copied = COPIED * self.fleet.databases;
        count("list", json!({"type": "manual"})) - copied + count("images", json!({}))
    }
}

impl Drop for Site {
    /// The server would get slower with all that it keeps.
    fn drop(&mut self) {
        self.world.control("clear", json!({}));
        self.world.control("reset", json!({}));
    }
}
