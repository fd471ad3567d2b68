//! What was observed, including the errors met while observing.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::ids::{AccountId, JobName, Region};
use super::location::Location;
use super::provider_error::ProviderError;

/// The answer to a call. An error does not mean that something is absent: nothing but a failed job follows from it.
pub type Answer<T> = Result<T, ProviderError>;

/// What was observed for a number of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What was observed: AWS, or a sandbox.
    pub provider: ProviderKind,
    /// When observing started, by the provider's clock (UTC).
    pub observed_at: Timestamp,
    /// What was observed for each job.
    pub jobs: BTreeMap<JobName, Observation>,
}

/// What was observed for one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Who is calling.
    pub identity: Answer<CallerIdentity>,
    /// What the source region has that the job could copy, in every state.
    pub sources: Answer<Vec<Artifact>>,
    /// What the destination has that may be copies of it, in every state.
    pub copies: Answer<Vec<Artifact>>,
}

impl Observation {
    /// Returns the first error met while observing, if there was one.
    pub fn error(&self) -> Option<&ProviderError> {
        let identity = self.identity.as_ref().err();
        let sources = self.sources.as_ref().err();
        identity.or(sources).or(self.copies.as_ref().err())
    }
}

/// What was observed with each destination read independently of the sources, so that it is known whatever the sources answer.
#[derive(Clone, Debug, PartialEq)]
pub struct DestinationInventory {
    /// As for a plan, but where copies are found by their sources, it has only those that the sources' own tags name.
    pub inventory: Inventory,
    /// Everything that a destination has from a source region, once for all jobs.
    pub copied_from: HashMap<(Location, Region), Answer<Vec<Artifact>>>,
}

/// The copies that were observed by their ids, by job.
pub type ObservedCopies = HashMap<JobName, Answer<Vec<Artifact>>>;

/// Who is calling, and where the calls go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// The account of the credentials, as STS states it.
    pub account_id: AccountId,
    /// The endpoint used instead of AWS's own, if one is set.
    pub endpoint_url: Option<String>,
}

/// What is behind a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// AWS, or what answers in its place at an endpoint.
    Aws,
    /// The world in memory.
    Sandbox,
}

impl ProviderKind {
    /// Returns the word in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Sandbox => "sandbox",
        }
    }

    /// Returns the name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Sandbox => "a sandbox",
        }
    }
}

impl fmt::Display for ProviderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
