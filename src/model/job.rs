//! Sync jobs, as the config states them.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::client_config::{ClientConfig, Place};
use super::id::{DbInstance, JobName, Region};
use super::problem::Problem;

/// How many copies a database keeps beside the one being made, when the config does not say.
pub const DEFAULT_MAX_SNAPSHOTS_TO_RETAIN: u32 = 2;

/// One `sync_*` entry of the config: one resource, one source region, one destination region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncJob {
    /// Its key in the config.
    pub name: JobName,
    /// Where the resource is.
    pub source_region: Region,
    /// Where its copies go.
    pub destination_region: Region,
    /// How AWS is reached, global and own settings merged.
    pub client_config: Arc<ClientConfig>,
    /// A KMS key of the destination region to encrypt copies with.
    pub kms_key_id: Option<String>,
    /// What is synced.
    pub kind: JobKind,
}

impl SyncJob {
    /// The source region, as this job reaches it.
    pub fn source(&self) -> Place {
        Place {
            credentials: Arc::clone(&self.client_config),
            region: self.source_region.clone(),
        }
    }

    /// The destination region, as this job reaches it.
    pub fn destination(&self) -> Place {
        Place {
            credentials: Arc::clone(&self.client_config),
            region: self.destination_region.clone(),
        }
    }

    /// The job's type, as the config spells it.
    pub fn sync_type(&self) -> SyncType {
        match self.kind {
            JobKind::Ami(_) => SyncType::Ec2Ami,
            JobKind::Snapshot(_) => SyncType::RdsAutomatedSnapshot,
        }
    }
}

/// What a job syncs, with the options of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// `ec2_ami`
    Ami(AmiJob),
    /// `rds_automated_snapshot`
    Snapshot(SnapshotJob),
}

/// The options of an `ec2_ami` job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmiJob {
    /// Which image.
    pub selector: ImageSelector,
    /// Take the newest where several match, in place of failing.
    pub most_recent: bool,
}

/// The options of an `rds_automated_snapshot` job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotJob {
    /// Whose snapshots.
    pub db_instance: DbInstance,
    /// How many copies are kept beside the one being made.
    pub max_snapshots_to_retain: u32,
    /// The option group of the copy, needed where the source's is not a default one.
    pub option_group_name: Option<String>,
    /// Whether an earlier job of the config copies a database of this name to the same destination. The identifiers of
    /// this job's copies then carry the source region, whichever of the jobs are planned.
    pub is_namesake: bool,
}

/// Which images are meant: those of `owner` that carry one of the identifiers, if any is given, and match every filter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageSelector {
    /// An account id, or `self`, `amazon`, `aws-marketplace`: passed on as it is.
    pub owner: String,
    /// Values of the tag `Sync-Identifier`, one of which an image must carry; none means that the tag is not looked at.
    pub sync_identifiers: Vec<String>,
    /// Filters of DescribeImages, all of which must match.
    pub filters: Vec<ImageFilter>,
}

/// One filter of DescribeImages: any of the values may match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageFilter {
    /// Such as `tag:Environment`, `name`, `architecture`.
    pub name: String,
    /// Values, with `*` and `?` as wildcards.
    pub values: Vec<String>,
}

/// The type of a sync job, as the config and the plan spell it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SyncType {
    /// An EC2 image.
    Ec2Ami,
    /// The automated snapshots of an RDS DB instance.
    RdsAutomatedSnapshot,
}

impl SyncType {
    /// The spelling of the config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2Ami => "ec2_ami",
            Self::RdsAutomatedSnapshot => "rds_automated_snapshot",
        }
    }
}

impl fmt::Display for SyncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a `sync_*` entry of the config came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfiguredJob {
    /// A job that can be planned.
    Sound(SyncJob),
    /// An entry with problems: it becomes a failed result, and the other jobs run.
    Broken {
        /// Its key in the config.
        name: JobName,
        /// What is wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfiguredJob {
    /// The entry's key in the config.
    pub fn name(&self) -> &JobName {
        match self {
            Self::Sound(job) => &job.name,
            Self::Broken { name, .. } => name,
        }
    }
}
