//! Why an operation gives no result at all.

use std::fmt;

use thiserror::Error;

use crate::files::FileError;
use crate::model::problem::Problem;
use crate::model::words::count;

/// Why an operation gives no result at all. What is wrong with one job is in its result.
#[derive(Debug, Error)]
pub enum Error {
    /// The config is not valid as a whole.
    #[error(transparent)]
    Config(ConfigProblems),
    /// The whole plan was refused; nothing was written.
    #[error("{0}")]
    Refused(Problem),
    /// The whole plan was refused, because the config that credentials were to be taken from has problems; nothing was written.
    #[error(transparent)]
    RefusedConfig(ConfigProblems),
    /// Something else, such as a file that can't be read.
    #[error("{0}")]
    Other(Problem),
}

impl Error {
    pub(super) fn refused(message: impl Into<String>, help: &str) -> Self {
        Self::Refused(Problem::new(message).help(help))
    }

    pub(super) fn other(message: impl Into<String>, help: &str) -> Self {
        Self::Other(Problem::new(message).help(help))
    }

    /// Returns what is wrong with a file, which is this to the command; `missing` is the help for a file that does not exist.
    pub(super) fn file(what: &str, missing: Option<&str>) -> impl FnOnce(FileError) -> Self {
        move |error| {
            let mut problem = Problem::new(format!("{what} {error}"));
            let help = missing.filter(|_| matches!(error, FileError::Missing { .. }));
            problem.help = help.map(str::to_owned);
            Self::Other(problem)
        }
    }

    /// Returns the way out, where there is one to name.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Refused(problem) | Self::Other(problem) => problem.help.clone(),
            Self::RefusedConfig(_) => {
                let help = "apply uses only aws_client_config from it; correct that, or pass another --config";
                Some(help.to_owned())
            }
            Self::Config(_) => None,
        }
    }
}

/// Returns a problem that begins with what it means: `plan.json cannot be applied: …`.
pub(super) fn because(meaning: impl fmt::Display, problem: Problem) -> Problem {
    Problem {
        help: problem.help.clone(),
        ..Problem::new(format!("{meaning}: {problem}"))
    }
}

/// The problems of a config, with its text, so that their places can be shown.
#[derive(Error)]
#[error("the config {path} cannot be used: {}", count(problems.len(), "problem", "problems"))]
pub struct ConfigProblems {
    /// Its path.
    pub path: String,
    /// Its text, which may contain keys: only lines with problems are shown, without secrets.
    pub text: String,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigProblems")
            .field("path", &self.path)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
