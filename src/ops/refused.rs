//! Why a whole plan is refused, before the first write.

use std::path::PathBuf;

use jiff::Timestamp;
use thiserror::Error;

use super::config_problems::ConfigProblems;
use crate::files::FileError;
use crate::model::ids::{AccountId, JobName};
use crate::model::inventory::ProviderKind;
use crate::model::words::{count, span, utc};
use crate::planfile::PlanFileError;

/// Why a whole plan is refused, before the first write.
#[derive(Debug, Error)]
pub enum Refused {
    /// The file is not a plan, or was changed after it was made.
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
        /// The digest that was approved.
        expected: String,
        /// The digest of the plan.
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
    /// It claims to have been made later than now, so that its age is not known.
    #[error("the plan was made {}, and now it is {}", utc(*made), utc(*now))]
    FromTheFuture {
        /// When it was made.
        made: Timestamp,
        /// The time here.
        now: Timestamp,
    },
    /// It deletes too much.
    #[error("the plan has {}; the limit is {limit}", count(*planned, "deletion", "deletions"))]
    TooManyDeletions {
        /// How many it has.
        planned: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It was made on AWS and is applied to a sandbox, or the other way round.
    #[error("the plan was made on {}, and this is {}", planned.name(), actual.name())]
    OtherProvider {
        /// What it was made on.
        planned: ProviderKind,
        /// What it is applied to.
        actual: ProviderKind,
    },
    /// The config that credentials were to be taken from can't be read.
    #[error("the config {0}")]
    ConfigFile(FileError),
    /// The config that credentials were to be taken from has problems.
    #[error(transparent)]
    Config(ConfigProblems),
    /// There is no job in the config to take credentials from.
    #[error("{} has no job {job} to take credentials from", config_name(path.as_ref()))]
    NoJob {
        /// The job.
        job: JobName,
        /// The config, if there is one.
        path: Option<String>,
    },
    /// The client settings of a job are not those it was planned with.
    #[error("{job} was planned with other client settings (secrets aside) than {now_from}")]
    OtherClientConfig {
        /// The job.
        job: JobName,
        /// Where the present ones come from.
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

fn config_name(path: Option<&String>) -> String {
    path.map_or_else(
        || "no config was given, which".to_owned(),
        |path| format!("the config {path}"),
    )
}

impl Refused {
    /// Returns the way out.
    pub fn help(&self) -> String {
        let help = match self {
            Self::PlanFile { source, .. } => source.help(),
            Self::OtherDigest { .. } => {
                "apply the plan that was approved, or have this plan approved"
            }
            Self::FromTheFuture { .. } => "set the clock of this machine, or plan again",
            Self::TooOld { .. } => "plan again, and have the new plan approved",
            Self::TooManyDeletions { .. } => {
                "review the deletions; then plan again, or raise --max-deletes"
            }
            Self::OtherProvider {
                planned: ProviderKind::Sandbox,
                ..
            } => "pass the sandbox's file with --sandbox",
            Self::OtherProvider {
                planned: ProviderKind::Aws,
                ..
            } => "omit --sandbox, or plan on the sandbox",
            Self::ConfigFile(_) => "pass the config that the plan was made from with --config",
            Self::Config(_) => {
                "apply uses only aws_client_config from it; correct that, or pass another --config"
            }
            Self::NoJob { .. } => {
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
