//! How a command ends: exit codes and failures.

use std::io;
use std::process::ExitCode;

use thiserror::Error;

use crate::model::result::{ActionOutcome, SyncResult};
use crate::model::words::count;
use crate::ops;

/// An exit code. The help of `xrs` has the same table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: success.
    Done,
    /// 1: something failed, is stale or was deferred; also usage and config errors.
    Failed,
    /// 2: changes are due; only with `plan --detailed-exitcode`.
    ChangesDue,
    /// 3: the whole plan was refused, and nothing was written.
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
    /// The code of [`Exit::Interrupted`], as in shells.
    pub(super) const INTERRUPTED: u8 = 130;

    /// Returns the exit code for the results of an apply.
    pub(super) fn of_results(results: &[SyncResult]) -> Self {
        let is_left = |outcome| matches!(outcome, ActionOutcome::Stale | ActionOutcome::Deferred);
        let has_left = |result: &SyncResult| {
            let mut outcomes = result.actions.iter().map(|action| action.outcome);
            outcomes.any(is_left)
        };
        if results
            .iter()
            .any(|result| result.failed() || has_left(result))
        {
            Self::Failed
        } else {
            Self::Done
        }
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
