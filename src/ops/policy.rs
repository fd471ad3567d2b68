//! The IAM policy of a config.

use std::collections::BTreeSet;

use super::config_file::{self, ConfigFile};
use super::error::Error;
use super::{sound, validate};
use crate::model::id::{AccountId, JobName};
use crate::model::job::SyncJob;
use crate::policy::{self, Policy};

pub use crate::policy::{MOST_CHARACTERS as MOST_POLICY_CHARACTERS, Stage};

/// A policy, and whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenPolicy {
    /// The policy.
    pub policy: Policy,
    /// The roles that jobs assume: it belongs to them.
    pub roles: BTreeSet<String>,
    /// The accounts that jobs state.
    pub accounts: BTreeSet<AccountId>,
}

/// The IAM policy that a stage of these jobs of a config needs; of all, if none is named. Broken jobs are left out.
///
/// # Errors
///
/// If the config is none, has no job of a name that was asked for, or there is no one policy for the jobs.
pub fn policy(
    config: &ConfigFile,
    stage: Stage,
    names: &[JobName],
) -> Result<WrittenPolicy, Error> {
    let (configured, _) = config_file::select(validate(config, names)?.jobs, names);
    let jobs: Vec<SyncJob> = configured.iter().filter_map(sound).cloned().collect();
    let policy = policy::policy(stage, &jobs).map_err(Error::Policy)?;
    let of_clients = || jobs.iter().map(|job| &job.client_config);
    Ok(WrittenPolicy {
        policy,
        roles: of_clients()
            .filter_map(|client| client.role_arn.clone())
            .collect(),
        accounts: of_clients()
            .filter_map(|client| client.account_id.clone())
            .collect(),
    })
}
