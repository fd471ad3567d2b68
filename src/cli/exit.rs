//! How a command ends: exit codes and failures.

use std::io;
use std::process::ExitCode;

use thiserror::Error;

use crate::model::result::ActionOutcome::{Deferred, Stale};
use crate::model::result::{ActionResult, SyncResult};
use crate::model::words::count;
use crate::ops;

/// An exit code. The help of `xrs` has the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Success.
    Done = 0,
    /// Something failed, is stale or was deferred; also usage and config errors, jobs that are not ready, and warnings that
    /// count as errors.
    Failed = 1,
    /// Changes are due; only with `plan --detailed-exitcode`.
    ChangesDue = 2,
    /// The whole plan was refused, and nothing was written.
    Refused = 3,
    /// Interrupted; the code is that of shells.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// Returns the exit code of a command that has failed if this is true.
    pub(super) fn failed_if(has_failed: bool) -> Self {
        if has_failed { Self::Failed } else { Self::Done }
    }

    /// Returns the exit code for the results of an apply.
    pub(super) fn of_results(results: &[SyncResult]) -> Self {
        let is_left = |action: &ActionResult| matches!(action.outcome, Stale | Deferred);
        let has_failed =
            |result: &SyncResult| result.failed() || result.actions.iter().any(is_left);
        Self::failed_if(results.iter().any(has_failed))
    }
}

/// Why a command has no result.
#[derive(Debug, Error)]
pub(super) enum Failure {
    /// The operation has no result.
    #[error(transparent)]
    Operation(#[from] ops::Error),
    /// The command line or the environment can't be used.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// The way out.
        help: String,
    },
    /// Standard output could not be written, although it is open.
    #[error("failed to write to standard output")]
    Output(#[source] io::Error),
    /// The command is done, but the reader of standard output went away before.
    #[error("standard output was closed before everything was printed; the command itself is done")]
    CutOff,
    /// The async runtime or the signal handlers could not be set up.
    #[error("failed to set up the runtime")]
    Runtime(#[source] io::Error),
    /// A document could not be turned into JSON.
    #[error("failed to write JSON")]
    Json(#[from] serde_json::Error),
    /// There are only warnings and notes, and these are to count as errors.
    #[error("{}, and --warnings-as-errors was given", count(*.0, "warning or note", "warnings and notes"))]
    Warnings(usize),
    /// Ctrl-C, SIGTERM or SIGHUP.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// Fails if there are warnings and notes, where these count as errors.
    pub(super) fn of_warnings(warnings: usize) -> Result<(), Self> {
        match warnings {
            0 => Ok(()),
            number => Err(Self::Warnings(number)),
        }
    }

    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: help.into(),
        }
    }

    /// Returns the exit code.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Operation(ops::Error::Refused(_) | ops::Error::RefusedConfig(_)) => Exit::Refused,
            Self::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        }
    }

    /// Returns the way out, where there is one to name.
    pub(super) fn help(&self) -> Option<String> {
        match self {
            Self::Operation(error) => error.help(),
            Self::Usage { help, .. } => Some(help.clone()),
            _ => None,
        }
    }
}
