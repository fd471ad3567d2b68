//! The IAM policy of a config.

use std::collections::BTreeSet;

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::{Error, because};
use crate::model::ids::{AccountId, JobName};
use crate::policy::{self, Policy};

pub use crate::policy::MOST_CHARACTERS as MAX_POLICY_CHARACTERS;
pub use crate::sync_types::PolicyStage;

/// A policy, and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPolicy {
    /// The policy.
    pub policy: Policy,
    /// The roles that jobs assume: it belongs to them.
    pub roles: BTreeSet<String>,
    /// The accounts that jobs state.
    pub accounts: BTreeSet<AccountId>,
}

/// Returns the IAM policy that a stage of these jobs of a config needs; of all jobs without any names. It does not
/// cover invalid jobs.
///
/// # Errors
///
/// If the config is not valid as a whole, has no job of a name that was asked for, or if there is no one policy for the jobs.
pub fn policy(
    config: &ConfigFile,
    stage: PolicyStage,
    names: &[JobName],
) -> Result<WrittenPolicy, Error> {
    let jobs = SelectedJobs::of(config, names)?;
    let unwritten = |problem| Error::Other(because("no policy can be written", problem));
    let policy = policy::policy(stage, &jobs.valid).map_err(unwritten)?;
    let settings = || jobs.valid.iter().map(|job| &job.client_config);
    Ok(WrittenPolicy {
        policy,
        roles: settings()
            .filter_map(|settings| settings.role_arn.clone())
            .collect(),
        accounts: settings()
            .filter_map(|settings| settings.account_id.clone())
            .collect(),
    })
}
