//! The status: what each destination holds now, and whether that is enough if the source region is lost.
//!
//! These types are the format of `xrs status --format json`. Within a major version keys are only added.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::artifact::ArtifactState;
use super::ids::{AccountId, ArtifactId, JobName};
use super::inventory::ProviderKind;
use super::kind::SyncTypeName;
use super::plan::{ConfigRef, End};
use super::problem::Problem;

/// The format that this version writes.
pub const FORMAT_VERSION: &str = "2.0";

/// The status of the jobs of a config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "The status of xrs")]
pub struct Status {
    /// `major.minor`.
    #[schemars(regex(pattern = r"^2\.[0-9]+$"))]
    pub format_version: String,
    /// The version of xrs that observed it.
    pub xrs_version: String,
    /// When it was observed (UTC), by the provider's clock. Ages are counted up to this time.
    pub observed_at: Timestamp,
    /// What was observed: AWS, or a sandbox.
    pub provider: ProviderKind,
    /// The jobs that `--job` limited it to; `null` for all.
    pub selection: Option<Vec<JobName>>,
    /// The config.
    pub config: ConfigRef,
    /// The greatest age that the newest usable copy may have, in seconds; `null` without a limit.
    pub max_age_seconds: Option<i64>,
    /// The number of jobs in each state.
    pub summary: Summary,
    /// In the order of the config.
    pub jobs: Vec<JobStatus>,
}

/// The number of jobs in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// All jobs.
    pub jobs: usize,
    /// Jobs that are ready.
    pub ready: usize,
    /// Jobs without a usable copy, with one that is too old or of unknown age, or with copies that fail repeatedly.
    pub not_ready: usize,
    /// Jobs with a destination that could not be observed.
    pub unknown: usize,
}

impl Summary {
    /// Returns the numbers for these jobs.
    pub fn of(jobs: &[JobStatus]) -> Self {
        let mut summary = Self {
            jobs: jobs.len(),
            ..Self::default()
        };
        for job in jobs {
            *match job.readiness {
                Readiness::Ready => &mut summary.ready,
                Readiness::Unknown => &mut summary.unknown,
                _ => &mut summary.not_ready,
            } += 1;
        }
        summary
    }
}

/// The status of one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobStatus {
    /// Its key in the config.
    pub name: JobName,
    /// `null` if the config is not valid.
    pub sync_type: Option<SyncTypeName>,
    /// The source region; `null` if the config is not valid.
    pub source: Option<End>,
    /// The destination region; `null` if the config is not valid.
    pub destination: Option<End>,
    /// The account of the credentials; `null` if it is unknown.
    pub account_id: Option<AccountId>,
    /// Whether the destination holds what it should.
    pub readiness: Readiness,
    /// Why, for people.
    pub reason: String,
    /// What the source region has; `null` if the destination is unknown.
    pub source_newest: Option<SourceNewest>,
    /// What the destination has; `null` if that is unknown.
    pub copies: Option<Copies>,
    /// What deserves attention but does not change the readiness.
    pub warnings: Vec<String>,
    /// Why the destination could not be observed; empty if it could.
    pub errors: Vec<Problem>,
}

/// Whether the destination of a job holds what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// There is a usable copy, and it is new enough.
    Ready,
    /// There is no usable copy.
    NoCopy,
    /// The newest usable copy is older than the limit.
    TooOld,
    /// The age of the newest usable copy is unknown, and there is a limit.
    AgeUnknown,
    /// Several copies of the same source have failed, and no usable copy is as new.
    Failing,
    /// The destination could not be observed.
    Unknown,
}

impl Readiness {
    /// Returns true if the destination holds what it should.
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }
}

/// The newest source of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SourceNewest {
    /// There is one.
    Present {
        /// The image or snapshot.
        id: ArtifactId,
        /// When its data was captured (UTC, whole seconds), if AWS states it.
        data_time: Option<Timestamp>,
    },
    /// The source region answered, and has none.
    Absent,
    /// The source region did not answer.
    Unknown {
        /// Why.
        problem: Problem,
    },
}

/// The copies of one job in its destination. Each list is newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copies {
    /// The newest usable copy.
    pub newest_usable: Option<UsableCopy>,
    /// What would be left if the source region were lost now.
    pub left: Left,
    /// Copies that AWS is still making.
    pub in_progress: Vec<UnusableCopy>,
    /// Copies that failed and that AWS still lists.
    pub failed: Vec<UnusableCopy>,
}

/// The size and encryption of a copy, as far as AWS states them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Storage {
    /// The size of its disks, or of its database's storage, in GiB; `null` if AWS does not state it.
    pub size_gib: Option<u32>,
    /// Whether it is encrypted; `null` if AWS does not state it.
    pub encrypted: Option<bool>,
    /// The ARN of the KMS key that it is encrypted with, if AWS states it. For images, it does not.
    pub kms_key_id: Option<String>,
}

/// A copy that can be restored from now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsableCopy {
    /// The image or snapshot.
    pub id: ArtifactId,
    /// When its data was captured (UTC, whole seconds); `null` if it is unknown.
    pub data_time: Option<Timestamp>,
    /// How old that data is, in seconds.
    pub age_seconds: Option<i64>,
    /// How much older it is than the newest source, in seconds; 0 if the source has nothing newer.
    pub behind_seconds: Option<i64>,
    /// Its size and encryption.
    #[serde(flatten)]
    pub storage: Storage,
}

/// What would be left if the source region were lost now: the usable copies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// The number of usable copies.
    pub count: usize,
    /// The newest of them.
    pub newest: Option<ArtifactId>,
}

/// A copy that AWS is still making, or that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnusableCopy {
    /// The image or snapshot.
    pub id: ArtifactId,
    /// When its data was captured (UTC, whole seconds); `null` if it is unknown.
    pub data_time: Option<Timestamp>,
    /// Its state, as AWS calls it.
    pub state: ArtifactState,
    /// How much of it is done, in percent, if AWS states it. For images, it does not.
    pub percent: Option<u8>,
    /// Why it failed, if AWS states it. For snapshots, it does not.
    pub reason: Option<String>,
    /// Its size and encryption.
    #[serde(flatten)]
    pub storage: Storage,
}
