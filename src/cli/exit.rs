//! How a command ends.

use std::io;
use std::process::ExitCode;

use thiserror::Error;

use crate::model::result::{ActionOutcome, SyncResult};
use crate::model::words::count;
use crate::ops;

/// What the exit code says. The help of `xrs` has the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: something failed, is stale or was deferred; also errors of usage and of the config.
    Failed,
    /// 2: changes are due; only with `plan --detailed-exitcode`.
    ChangesDue,
    /// 3: the plan was refused whole, and nothing was written.
    Refused,
    /// 130: interrupted.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::ChangesDue => 2,
            Exit::Refused => 3,
            Exit::Interrupted => Exit::INTERRUPTED,
        })
    }
}

impl Exit {
    /// The code of [`Exit::Interrupted`], by the habit of shells.
    pub(super) const INTERRUPTED: u8 = 130;

    /// What the results of an apply come to.
    pub(super) fn of_results(results: &[SyncResult]) -> Self {
        let left_undone = |result: &SyncResult| {
            result.actions.iter().any(|action| {
                matches!(
                    action.outcome,
                    ActionOutcome::Stale | ActionOutcome::Deferred
                )
            })
        };
        if results
            .iter()
            .any(|result| result.failed() || left_undone(result))
        {
            Self::Failed
        } else {
            Self::Done
        }
    }
}

/// Why a command came to no end of its own.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The operation gave no answer.
    #[error(transparent)]
    Operation(#[from] ops::Error),
    /// The command line or the environment asks for something that cannot be.
    #[error("{message}")]
    Usage {
        /// What.
        message: String,
        /// The way out.
        help: String,
    },
    /// Standard output could not be written, though somebody is there to read it.
    #[error("failed to write to standard output")]
    Output(#[source] io::Error),
    /// What waits could not be set up.
    #[error("failed to set up the runtime")]
    Runtime(#[source] io::Error),
    /// A document could not be turned into JSON.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
    /// All went well but for warnings and notes, and those were not to be.
    #[error("{}, and --warnings-as-errors was given", count(*.0, "warning or note", "warnings and notes"))]
    Warnings(usize),
    /// Ctrl-C, SIGTERM or SIGHUP.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// What so many warnings and notes come to, where they count.
    pub(super) fn of_warnings(warnings: usize) -> Result<(), Self> {
        if warnings == 0 {
            Ok(())
        } else {
            Err(Self::Warnings(warnings))
        }
    }

    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: help.into(),
        }
    }

    /// The code to exit with.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Operation(error) => match error {
                ops::Error::Refused(_) => Exit::Refused,
                ops::Error::File { .. }
                | ops::Error::Config(_)
                | ops::Error::UnknownJob { .. }
                | ops::Error::Saved { .. }
                | ops::Error::SavedResults { .. }
                | ops::Error::Sandbox { .. }
                | ops::Error::NothingToFit { .. }
                | ops::Error::Replaces { .. }
                | ops::Error::NoFile { .. }
                | ops::Error::Policy(_)
                | ops::Error::SandboxSave(_) => Exit::Failed,
            },
            Self::Usage { .. }
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::Json(_)
            | Self::Warnings(_) => Exit::Failed,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// The way out, where there is one to name.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Operation(error) => error.help(),
            Self::Usage { help, .. } => Some(help.clone()),
            Self::Output(_)
            | Self::Runtime(_)
            | Self::Json(_)
            | Self::Warnings(_)
            | Self::Interrupted => None,
        }
    }
}
