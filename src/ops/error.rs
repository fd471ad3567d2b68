//! What can keep an operation from giving an answer at all.

use std::fmt;
use std::path::PathBuf;

use jiff::Timestamp;
use thiserror::Error;

use crate::files::FileError;
use crate::model::id::{AccountId, JobName};
use crate::model::inventory::ProviderKind;
use crate::model::problem::Problem;
use crate::model::words::{count, span, utc};
use crate::planfile::PlanFileError;

/// Why an operation gave no answer. What goes wrong with one job is in its result.
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
    /// The config is none.
    #[error(transparent)]
    Config(#[from] ConfigProblems),
    /// A job was asked for that the config does not have.
    #[error("the config has no job {name}")]
    UnknownJob {
        /// The name.
        name: JobName,
        /// Which one may be meant.
        help: String,
    },
    /// A file to be shown is no plan and no results.
    #[error("{} cannot be shown", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PlanFileError,
    },
    /// A results file to be shown is of another version, or damaged.
    #[error("{} cannot be shown: {why}", path.display())]
    SavedResults {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A sandbox file is damaged, or cannot be made.
    #[error("{} is no sandbox that can be used: {problem}", path.display())]
    Sandbox {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// What is to be written would replace what the command works from.
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
    NoFile {
        /// The option.
        option: &'static str,
    },
    /// A sandbox could not be made: there is nothing it could fit.
    #[error("no sandbox was made in {}: no job of {config} is sound", path.display())]
    NothingToFit {
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
    /// The plan was refused whole; nothing was written.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Error {
    /// What is wrong with a file, said with what it is to the command; `missing` is the way out of there being none.
    pub(super) fn file(
        what: &'static str,
        missing: Option<&'static str>,
    ) -> impl FnOnce(FileError) -> Self {
        move |error| {
            let help = missing.filter(|_| matches!(error, FileError::Missing { .. }));
            Self::File { what, error, help }
        }
    }

    /// The way out, where there is one to name.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownJob { help, .. } => Some(help.clone()),
            Self::Saved { source, .. } => Some(source.help().to_owned()),
            Self::SavedResults { .. } => {
                Some("results are written by `xrs apply PLAN --results FILE`".to_owned())
            }
            Self::Sandbox { problem, .. } | Self::Policy(problem) => problem.help.clone(),
            Self::Replaces { .. } => Some("name another file".to_owned()),
            Self::NoFile { option: "--out" } => Some("--format json prints to stdout".to_owned()),
            Self::NoFile { .. } => {
                Some("name a file; `xrs show FILE --format json` prints it".to_owned())
            }
            Self::NothingToFit { .. } => Some("correct the config, and plan again".to_owned()),
            Self::Refused(refused) => Some(refused.help()),
            Self::File { help, .. } => help.map(str::to_owned),
            Self::Config(_) | Self::SandboxSave(_) => None,
        }
    }
}

/// Why a plan was refused whole, before the first write.
#[derive(Debug, Error)]
pub enum Refused {
    /// The file is no plan, or not the one that was made.
    #[error("{} cannot be applied", path.display())]
    PlanFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PlanFileError,
    },
    /// It is not the plan that was approved.
    #[error("the plan's digest is {actual}, not {expected} as expected")]
    OtherDigest {
        /// What was approved.
        expected: String,
        /// What the plan says.
        actual: String,
    },
    /// It is too old.
    #[error("the plan was made {}, which is {} ago; the limit is {}", utc(*made), span(*age), span(*limit))]
    TooOld {
        /// When it was made.
        made: Timestamp,
        /// Its age in seconds.
        age: i64,
        /// How old it may be, in seconds.
        limit: i64,
    },
    /// It claims to have been made later than now, so that its age cannot be told.
    #[error("the plan was made {}, and now it is {}", utc(*made), utc(*now))]
    FromTheFuture {
        /// When it was made.
        made: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// It deletes too much.
    #[error("the plan holds {}; the limit is {limit}", count(*planned, "deletion", "deletions"))]
    TooManyDeletions {
        /// How many it holds.
        planned: usize,
        /// How many it may hold.
        limit: usize,
    },
    /// It was made on AWS and is applied to a sandbox, or the other way round.
    #[error("the plan was made on {}, and this is {}", world(*planned), world(*actual))]
    OtherProvider {
        /// Where it was made.
        planned: ProviderKind,
        /// Where it is applied.
        actual: ProviderKind,
    },
    /// Its credentials come from a config, and there is none to take them from.
    #[error("the plan takes credentials from the config {path}, which {why}")]
    NoConfig {
        /// The config's path, as it was planned with.
        path: String,
        /// Why it is not used.
        why: &'static str,
    },
    /// The config that credentials were to be taken from cannot be read.
    #[error("the config {0}")]
    ConfigFile(FileError),
    /// The config that credentials were to be taken from has problems.
    #[error(transparent)]
    Config(ConfigProblems),
    /// The config no longer has a job of the plan.
    #[error("the config {path} has no job {job} to take credentials from")]
    JobGone {
        /// The job.
        job: JobName,
        /// The config.
        path: String,
    },
    /// The client settings of a job are not those it was planned with.
    #[error("{job} was planned with other client settings (secrets aside) than {now_from}")]
    OtherClientConfig {
        /// The job.
        job: JobName,
        /// Where the present ones are from.
        now_from: String,
    },
    /// The credentials belong to another account.
    #[error(
        "{job} was planned in account {planned}, and its credentials now belong to account {actual}"
    )]
    OtherAccount {
        /// The job.
        job: JobName,
        /// The account it was planned in.
        planned: AccountId,
        /// The account of the credentials.
        actual: AccountId,
    },
    /// The calls would go to another endpoint.
    #[error("{job} was planned at {planned}, and its calls would now go to {actual}")]
    OtherEndpoint {
        /// The job.
        job: JobName,
        /// The endpoint it was planned at.
        planned: String,
        /// The endpoint now.
        actual: String,
    },
}

impl Refused {
    /// The way out.
    pub fn help(&self) -> String {
        let help = match self {
            Self::PlanFile { source, .. } => source.help(),
            Self::OtherDigest { .. } => {
                "apply the plan that was approved, or have this one approved"
            }
            Self::FromTheFuture { .. } => "set the clock of this machine, or plan again",
            Self::TooOld { .. } => "plan again, and have the new plan approved",
            Self::TooManyDeletions { .. } => {
                "look at what would be deleted; then plan again, or raise --max-deletes"
            }
            Self::OtherProvider {
                planned: ProviderKind::Sandbox,
                ..
            } => "pass the sandbox's file with --sandbox",
            Self::OtherProvider {
                planned: ProviderKind::Aws,
                ..
            } => "leave --sandbox out, or plan on the sandbox",
            Self::NoConfig { .. } | Self::ConfigFile(_) => {
                "pass the config that the plan was made from with --config"
            }
            Self::Config(_) => {
                "apply takes nothing but aws_client_config from it; correct that, or pass another --config"
            }
            Self::JobGone { .. } => {
                "pass the config that the plan was made from with --config, or plan again"
            }
            Self::OtherClientConfig { .. } => {
                "plan again with these settings, or apply with the old ones"
            }
            Self::OtherAccount { .. } => {
                "sign in to the account of the plan, or plan again in this one"
            }
            Self::OtherEndpoint { .. } => {
                "set the endpoint of the plan (endpoint_url, AWS_ENDPOINT_URL), or plan again"
            }
        };
        help.to_owned()
    }
}

/// A kind of world in a sentence.
fn world(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Aws => "AWS",
        ProviderKind::Sandbox => "a sandbox",
    }
}

/// What is wrong with a config, with its text, so that the places can be shown.
#[derive(Error)]
#[error("the config {path} cannot be used: {}", count(problems.len(), "problem", "problems"))]
pub struct ConfigProblems {
    /// Its path.
    pub path: String,
    /// Its text. It may hold keys: it is shown line by line, where a problem is.
    pub text: String,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            text: _,
            problems,
        } = self;
        f.debug_struct("ConfigProblems")
            .field("path", path)
            .field("problems", problems)
            .finish_non_exhaustive()
    }
}
