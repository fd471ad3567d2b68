//! The tools that are compared.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::moto::world::EAST;

/// The policy of Cloud Custodian: it copies the newest automated snapshot of each database. It reads only the source; that a copy
/// exists, it learns from an error.
pub(crate) const POLICY: &str = "
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
    crate::python::with(&folder.join("requirements.txt"))
});

/// Returns a command of this Python, with these arguments and without the caller's environment.
pub(crate) fn python(arguments: &[&str]) -> Command {
    let mut command = Command::new(&*PYTHON);
    command.env_clear().args(arguments);
    command
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
    /// Run, and wait until the copies are available. Cloud Custodian can't do that.
    RunAndWait,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xrs => "xrs",
            Self::Boto3 => "boto3 loop",
            Self::Custodian => "Cloud Custodian",
        })
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan",
            Self::Run => "run",
            Self::RunAndWait => "run --wait",
        })
    }
}

impl Tool {
    /// Returns the command that does a task, in the folder of a site.
    pub(crate) fn command(self, task: Task) -> Command {
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
                let mut command = python(&["-c", main, "run", "policy.yaml"]);
                command.args(["--cache-period=0", "--output-dir=out", "--region", EAST]);
                command.args((task == Task::Plan).then_some("--dryrun"));
                command
            }
        }
    }
}
