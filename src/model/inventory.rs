//! What was observed, including the errors met while observing.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::artifact::Artifact;
use super::ids::{AccountId, ArtifactId, JobName, ParentId, Region};
use super::kind::Kind;
use super::location::Location;
use super::provider_error::{ErrorClass, ProviderError};

/// The answer to a call. An error does not mean that something is absent; its only consequence is a failed job.
pub type Answer<T> = Result<T, ProviderError>;

/// What was observed for some jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// Whether AWS or a sandbox was observed.
    pub provider: ProviderKind,
    /// When observing started, by the provider's clock (UTC).
    pub observed_at: Timestamp,
    /// What was observed for each job.
    pub jobs: BTreeMap<JobName, Observation>,
}

/// What was observed for one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The account and endpoint of the calls.
    pub identity: Answer<CallerIdentity>,
    /// The artifacts of the source region that the job could copy, in every state.
    pub sources: Answer<Vec<Artifact>>,
    /// The artifacts of the destination that may be their copies, in every state.
    pub copies: Answer<Vec<Artifact>>,
    /// The cluster that the job's database is a member of. Requested only if the database has no snapshots; `None` if that request
    /// fails.
    pub cluster: Option<ParentId>,
    /// The limit of the destination, if it was read.
    pub limit: Option<Answer<AccountLimit>>,
    /// The persistent and permanent options of the option groups of the sources, if they were read.
    pub options: BTreeMap<SmolStr, Answer<Vec<String>>>,
    /// The resources that use the copies that may be deleted, if they were read, such as `launch template lt-0123`.
    pub references: BTreeMap<ArtifactId, Answer<Vec<String>>>,
}

/// How many artifacts of a kind an account has in a region, and may have. Automated snapshots do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLimit {
    /// How many there are.
    pub used: usize,
    /// How many there may be.
    pub max: usize,
}

/// The limits of a region, for the kinds that have one.
pub type AccountLimits = BTreeMap<Kind, AccountLimit>;

impl Observation {
    /// Returns the first error met while observing, if there was one.
    pub fn error(&self) -> Option<&ProviderError> {
        let identity = self.identity.as_ref().err();
        let sources = self.sources.as_ref().err();
        let mut references = self.references.values();
        let references = references.find_map(|users| users.as_ref().err());
        identity
            .or(sources)
            .or(self.copies.as_ref().err())
            .or(references)
    }
}

/// What was observed when each destination was read independently of the sources, so that it is known even if they do not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationInventory {
    /// As for a plan, but if copies are found by their sources, only those that the tags of the sources name.
    pub inventory: Inventory,
    /// Everything in a destination that was copied from a source region, for all jobs.
    pub copied_from: HashMap<(Location, Region), Answer<Vec<Artifact>>>,
}

/// The copies that were observed by their ids, by job.
pub type ObservedCopies = HashMap<JobName, Answer<Vec<Artifact>>>;

/// The account and endpoint of calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// The account of the credentials, as STS states it, or the config's `aws_account_id` if STS does not answer.
    pub account_id: AccountId,
    /// The endpoint used instead of AWS's own, if one is set.
    pub endpoint_url: Option<String>,
    /// Why STS did not state the account, if it did not.
    pub unconfirmed: Option<String>,
}

impl CallerIdentity {
    /// Returns the caller at a location, given STS's answer. If STS denies the call or can't be reached, the account in the config
    /// is used.
    pub fn new(
        answer: Answer<AccountId>,
        at: &Location,
        endpoint_url: Option<String>,
    ) -> Answer<Self> {
        let (account_id, unconfirmed) = match (answer, &at.credentials.account_id) {
            (Ok(account), _) => (account, None),
            (Err(error), Some(stated)) if Self::is_without_account(&error) => {
                (stated.clone(), Some(error.to_string()))
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Self {
            account_id,
            endpoint_url,
            unconfirmed,
        })
    }

    /// Returns true if an STS error leaves only the account unknown, so that other calls may succeed.
    pub fn is_without_account(error: &ProviderError) -> bool {
        let is_sts = error.call == "GetCallerIdentity";
        is_sts && matches!(error.class, ErrorClass::Denied | ErrorClass::Unknown)
    }
}

/// What a provider talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// AWS, or a substitute for it at an endpoint.
    Aws,
    /// An in-memory AWS.
    Sandbox,
}

impl ProviderKind {
    /// Returns the name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Sandbox => "a sandbox",
        }
    }
}
