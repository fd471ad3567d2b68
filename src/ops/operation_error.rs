//! Why an operation gives no result at all.

use std::path::PathBuf;

use thiserror::Error;

use super::config_problems::ConfigProblems;
use super::refused::Refused;
use crate::files::FileError;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::planfile::PlanFileError;

/// Why an operation gives no result at all. What is wrong with one job is in its result.
#[derive(Debug, Error)]
pub enum Error {
    /// A file could not be read, written or locked.
    #[error("{what} {error}")]
    File {
        /// What the file is to the command: `the plan`.
        what: &'static str,
        /// What is wrong with it; its message begins with the path.
        error: FileError,
        /// The way out, where there is one to name.
        help: Option<&'static str>,
    },
    /// The config is not valid as a whole.
    #[error(transparent)]
    Config(#[from] ConfigProblems),
    /// A job was asked for that the config does not have.
    #[error("the config has no job {name}")]
    UnknownJob {
        /// The name.
        name: JobName,
        /// Which job may be meant.
        help: String,
    },
    /// A file can't be shown as a plan or as results.
    #[error("{} cannot be shown", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PlanFileError,
    },
    /// A document could not be turned into JSON.
    #[error(transparent)]
    NotWritable(PlanFileError),
    /// A sandbox file is damaged.
    #[error("{} is not a valid sandbox: {problem}", path.display())]
    Sandbox {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// An output would replace a file that the command reads.
    #[error("{option} {} would replace {what} {}", output.display(), input.display())]
    Replaces {
        /// The option.
        option: &'static str,
        /// Its file.
        output: PathBuf,
        /// What the file is to the command.
        what: &'static str,
        /// The same file, as it was named there.
        input: PathBuf,
    },
    /// A file is to be written, and `-` was named.
    #[error("{option} takes a file, not -")]
    NotAFile {
        /// The option.
        option: &'static str,
    },
    /// A sandbox could not be made, since there is no job to make it for.
    #[error("no sandbox was made in {}: no job of {config} is valid", path.display())]
    NoValidJob {
        /// The file.
        path: PathBuf,
        /// The config.
        config: String,
    },
    /// There is no one policy for the jobs.
    #[error("no policy can be written: {0}")]
    Policy(Problem),
    /// A sandbox could not be saved.
    #[error("the sandbox could not be saved: {0}")]
    SandboxSave(String),
    /// The whole plan was refused; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Error {
    /// Returns what is wrong with a file, which is this to the command; `missing` is the help for a file that does not exist.
    pub(super) fn file(
        what: &'static str,
        missing: Option<&'static str>,
    ) -> impl FnOnce(FileError) -> Self {
        move |error| {
            let help = missing.filter(|_| matches!(error, FileError::Missing { .. }));
            Self::File { what, error, help }
        }
    }

    /// Returns the way out, where there is one to name.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownJob { help, .. } => Some(help.clone()),
            Self::Saved { source, .. } | Self::NotWritable(source) => {
                Some(source.help().to_owned())
            }
            Self::Sandbox { problem, .. } | Self::Policy(problem) => problem.help.clone(),
            Self::Replaces { .. } => Some("name another file".to_owned()),
            Self::NotAFile { option: "--out" } => Some("--format json prints to stdout".to_owned()),
            Self::NotAFile { .. } => {
                Some("name a file; `xrs show FILE --format json` prints it".to_owned())
            }
            Self::NoValidJob { .. } => Some("correct the config, and plan again".to_owned()),
            Self::Refused(refused) => Some(refused.help()),
            Self::File { help, .. } => help.map(str::to_owned),
            Self::Config(_) | Self::SandboxSave(_) => None,
        }
    }
}
