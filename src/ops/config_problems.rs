//! What is wrong with a config.

use std::fmt;

use thiserror::Error;

use crate::model::problem::Problem;
use crate::model::words::count;

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
