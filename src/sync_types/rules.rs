//! Sync jobs, and the rules that each sync type has for them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use serde_yaml::Mapping;

use jiff::SignedDuration;

use super::permissions::{PolicyStage, Statement};
use crate::model::artifact::Artifact;
use crate::model::client_config::ClientConfig;
use crate::model::fail_reason::FailReason;
use crate::model::ids::{AccountId, JobName, ParentId, Region};
use crate::model::inventory::{CallerIdentity, Observation};
use crate::model::kind::{Kind, SyncTypeName};
use crate::model::location::Location;
use crate::model::plan::End;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::query::Queries;
use crate::model::report::Level;

/// One destination of a `sync_*` entry of the config: one resource, one source region, one destination region.
#[derive(Clone, Debug)]
pub struct SyncJob {
    /// Its key in the config, followed by its destination region if the entry lists destinations.
    pub name: JobName,
    /// Where the sources are.
    pub source_region: Region,
    /// Where the copies go.
    pub destination_region: Region,
    /// How AWS is reached: the global settings merged with the job's own.
    pub client_config: Arc<ClientConfig>,
    /// A KMS key of the destination region to encrypt copies with.
    pub kms_key_id: Option<String>,
    /// Whether an earlier job of the config copies a database of the same name to the same destination. If so, the ids of this
    /// job's copies contain the source region, no matter which of the jobs are planned.
    pub has_shared_parent_name: bool,
    /// The rules of the job's type, with its options.
    pub rules: Arc<dyn SyncTypeRules>,
}

impl SyncJob {
    /// Returns the source region with the job's credentials.
    pub fn source(&self) -> Location {
        self.location(&self.source_region)
    }

    /// Returns the destination region with the job's credentials.
    pub fn destination(&self) -> Location {
        self.location(&self.destination_region)
    }

    fn location(&self, region: &Region) -> Location {
        Location {
            credentials: Arc::clone(&self.client_config),
            region: region.clone(),
        }
    }

    /// Returns both ends of the job, as documents name them.
    pub fn ends(&self) -> (End, End) {
        let end = |region: &Region| End {
            region: region.clone(),
        };
        (end(&self.source_region), end(&self.destination_region))
    }

    /// Returns false if both jobs state their accounts, and the accounts differ.
    pub fn may_share_account(&self, other: &Self) -> bool {
        let accounts = [self, other].map(|job| job.client_config.account_id.as_ref());
        !matches!(accounts, [Some(one), Some(two)] if one != two)
    }

    /// Returns true if this job may need copies that another one makes and may delete: if it has copies of the same sources, or
    /// copies them to another region.
    pub fn may_need_copies_of(&self, other: &Self) -> bool {
        let ends = |job: &Self| (job.source_region.clone(), job.destination_region.clone());
        let is_parallel = || {
            let identifiers = self.rules.identifier().zip(other.rules.identifier());
            ends(self) == ends(other)
                && self.rules.parent() == other.rules.parent()
                && identifiers.is_none_or(|(own, others)| own == others)
        };
        let is_next = || {
            self.source_region == other.destination_region
                && self.rules.takes_copies_of(&*other.rules)
        };
        self.kind() == other.kind()
            && other.rules.retention().is_some()
            && self.may_share_account(other)
            && (is_parallel() || is_next())
    }

    /// Returns the type of the job.
    pub fn sync_type(&self) -> SyncTypeName {
        self.rules.sync_type()
    }

    /// Returns the kind of artifact that the job copies.
    pub fn kind(&self) -> Kind {
        self.sync_type().kind()
    }

    /// Returns the problem of a job for which nothing was observed.
    pub fn not_observed(&self) -> Problem {
        Problem::new(format!("nothing was observed for {}", self.name))
    }

    /// Returns the problem of a job for which something, such as `copies`, could not be read.
    pub fn not_read(&self, what: &str, error: &ProviderError) -> Problem {
        error.problem(format!("failed to read the {what} of {}", self.name))
    }

    /// Returns the account that the job acts in, as STS states it. If STS does not answer, returns the one in the config, with a
    /// warning.
    ///
    /// # Errors
    ///
    /// If neither states an account, or if both do and they differ.
    pub fn account<'o>(
        &self,
        observation: &'o Observation,
        warnings: &mut Vec<String>,
    ) -> Result<&'o AccountId, Problem> {
        let name = &self.name;
        let identity = observation.identity.as_ref().map_err(|error| {
            let problem = error.problem(format!(
                "failed to find out which AWS account the credentials of {name} belong to"
            ));
            if CallerIdentity::is_without_account(error) {
                problem
                    .help("allow sts:GetCallerIdentity, or set aws_account_id in aws_client_config")
            } else {
                problem
            }
        })?;
        let account = &identity.account_id;
        if let Some(error) = &identity.unconfirmed {
            warnings.push(format!(
                "the account is {account} because aws_account_id says so; STS did not confirm it: {error}"
            ));
        }
        match &self.client_config.account_id {
            Some(stated) if stated != account => {
                let (account, stated) = (account.clone(), stated.clone());
                Err(FailReason::OtherAccount { account, stated }.problem(name))
            }
            _ => Ok(account),
        }
    }
}

/// A `sync_*` entry of the config, or one of its destinations.
#[derive(Clone, Debug)]
pub enum ConfiguredJob {
    /// A job that can be planned.
    Valid(SyncJob),
    /// An entry with problems: it becomes a failed result, and the other jobs run.
    Invalid {
        /// Its name, like that of a valid job.
        name: JobName,
        /// What is wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfiguredJob {
    /// Returns the name of the job.
    pub fn name(&self) -> &JobName {
        match self {
            Self::Valid(job) => &job.name,
            Self::Invalid { name, .. } => name,
        }
    }

    /// Returns the job, if it can be planned.
    pub fn valid(&self) -> Option<&SyncJob> {
        match self {
            Self::Valid(job) => Some(job),
            Self::Invalid { .. } => None,
        }
    }

    /// Returns what is wrong with it; empty if it can be planned.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Valid(_) => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

/// What is specific to a sync type: its options, and how they choose sources, copies and settings.
pub trait SyncTypeRules: Any + fmt::Debug + Send + Sync {
    /// Returns the type's name.
    fn sync_type(&self) -> SyncTypeName;

    /// Returns what is wrong or doubtful about the options, apart from the form of each single option. `given` holds the options as
    /// they are written.
    fn check(&self, _given: &Mapping) -> Vec<Finding> {
        Vec::new()
    }

    /// Returns what is read for a job.
    fn queries(&self) -> Queries;

    /// Returns what the job's sources are snapshots of: a database, or `None` for images. No two jobs may share it, because each
    /// would count and delete the other's copies.
    fn parent(&self) -> Option<&ParentId> {
        None
    }

    /// Returns the value of `Sync-Identifier` that the job's sources and copies have, if the job selects by it. If two jobs have
    /// the same value and one of them deletes old copies, it would count and delete the other's copies.
    fn identifier(&self) -> Option<&str> {
        None
    }

    /// Returns the source that is to have a copy, out of all that were found. Adds warnings, even if it returns an error.
    ///
    /// # Errors
    ///
    /// If there is no such source, or more than one.
    fn choose_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Result<&'a Artifact, FailReason>;

    /// Returns the reason why no source was chosen, with more specific help if the observation explains it.
    fn explained(&self, reason: FailReason, _observation: &Observation) -> FailReason {
        reason
    }

    /// Returns the newest source for a status, even if there is more than one. Adds warnings.
    fn newest_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Option<&'a Artifact> {
        self.choose_source(job, sources, warnings).ok()
    }

    /// Returns true if an artifact of the source region may be a source, whether or not the job selects it.
    fn can_be_source(&self, _job: &SyncJob, _artifact: &Artifact) -> bool {
        true
    }

    /// Returns true if copies that a job with these rules makes may be sources of this one.
    fn takes_copies_of(&self, _other: &dyn SyncTypeRules) -> bool {
        false
    }

    /// Returns how a copy of this source is made. Adds warnings.
    ///
    /// # Errors
    ///
    /// If it can't be copied with the job's options.
    fn copy_settings(
        &self,
        job: &SyncJob,
        source: &Artifact,
        observation: &Observation,
        warnings: &mut Vec<String>,
    ) -> Result<CopySettings, FailReason>;

    /// Returns whether a copy belongs to the job, judging by the copy alone. A status uses this when the source can't be read, and
    /// retention uses it for copies of earlier sources.
    fn copy_owner(&self, job: &SyncJob, copy: &Artifact) -> CopyOwner;

    /// Returns the conditions of the job for its sources that can't be tested on a copy.
    fn untestable_conditions(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Returns the keys of the tags by which the job selects sources. Copies always get these tags, so that a status finds the
    /// copies even when the source is gone.
    fn selecting_keys(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Returns which copies are kept; `None` if none is ever deleted.
    fn retention(&self) -> Option<RetentionRules> {
        None
    }

    /// Returns the IAM statements that a stage needs, except those for KMS keys.
    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement>;
}

/// Something wrong or doubtful about an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is an error or a warning.
    pub level: Level,
    /// The name of the option.
    pub option: &'static str,
    /// Which item of its list, from 0; `None` if it is about the whole value.
    pub item: Option<usize>,
    /// The option without which this one has no effect. If several destinations share this one, it is right as long as one of them
    /// has the other.
    pub without: Option<&'static str>,
    /// What is wrong, worded to follow the name of the option.
    pub message: String,
    /// What to write.
    pub help: String,
}

/// Which copies are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionRules {
    /// The option that says how many copies are kept.
    pub option: &'static str,
    /// How many copies are kept besides the one being made.
    pub max_retained: u32,
    /// How long copies of an earlier database of the same name are kept; `None` if xrs never deletes them.
    pub earlier_parents: Option<SignedDuration>,
    /// How long a copy is kept after an instance was launched from it; `None` for kinds that no instance is launched from.
    pub keep_launched_within: Option<SignedDuration>,
}

/// How a copy is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopySettings {
    /// The name of the copy, if AWS assigns its id.
    pub name: Option<String>,
    /// The description of the copy, if it has one.
    pub description: Option<String>,
    /// The option group of the copy.
    pub option_group_name: Option<String>,
    /// How soon it must be complete, in steps of 15 minutes.
    pub copy_within: Option<SignedDuration>,
}

/// Whether a copy belongs to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyOwner {
    /// It is a copy of a source that the job selects.
    ThisJob,
    /// It is not.
    OtherJob,
    /// The copy does not say.
    Unknown,
}
