//! The problems of a config, for programs.
//!
//! These types are the format of `xrs validate --format json`. Within a major version keys are only added.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::JobName;
use super::kind::SyncTypeName;
use super::plan::End;
use super::problem::Problem;

/// The format that this version writes.
pub const FORMAT_VERSION: &str = "2.0";

/// How serious a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something cannot be used.
    Error,
    /// Something will be used, and should be checked.
    Warning,
    /// Something is accepted but has no effect.
    Note,
}

/// The jobs and problems of a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "The problems of a config of xrs")]
pub struct Report {
    /// `major.minor`.
    #[schemars(regex(pattern = r"^2\.[0-9]+$"))]
    pub format_version: String,
    /// The version of xrs that made the report.
    pub xrs_version: String,
    /// The path of the config, as it was given.
    pub file: String,
    /// Whether the config has no error.
    pub valid: bool,
    /// Its jobs, in the order of the config.
    pub jobs: Vec<ReportedJob>,
    /// Its errors, warnings and notes.
    pub problems: Vec<ReportedProblem>,
}

/// A job of a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportedJob {
    /// Its key in the config.
    pub name: JobName,
    /// Whether it can be planned.
    pub valid: bool,
    /// Its type; `null` unless it is valid.
    pub sync_type: Option<SyncTypeName>,
    /// Its source region; `null` unless it is valid.
    pub source: Option<End>,
    /// Its destination region; `null` unless it is valid.
    pub destination: Option<End>,
}

/// A problem and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportedProblem {
    /// How serious it is.
    pub severity: Level,
    /// The path of the config, as it was given.
    pub file: String,
    /// From 1; `null` if it does not belong to a line.
    pub line: Option<usize>,
    /// From 1, in characters.
    pub column: Option<usize>,
    /// The number of characters that it is about.
    pub length: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Report {
    /// Returns the report of a config with these jobs, and no problems yet.
    pub fn new(file: &str, jobs: Vec<ReportedJob>) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
            file: file.to_owned(),
            valid: true,
            jobs,
            problems: Vec::new(),
        }
    }

    /// Returns the same report with these problems.
    #[must_use]
    pub fn with(mut self, severity: Level, problems: &[Problem]) -> Self {
        self.valid &= severity != Level::Error || problems.is_empty();
        let file = self.file.clone();
        self.problems
            .extend(problems.iter().map(|problem| ReportedProblem {
                severity,
                file: file.clone(),
                line: problem.at.map(|at| at.line),
                column: problem.at.map(|at| at.column),
                length: problem.at.map(|at| at.length),
                message: problem.message.clone(),
                help: problem.help.clone(),
            }));
        self
    }
}
