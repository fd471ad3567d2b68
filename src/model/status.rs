//! The status: what each destination holds now, and whether that would do if the source region were gone.
//!
//! These types are the format of `xrs status --format json`. Within a major version keys are only added.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::artifact::ArtifactState;
use super::ids::{AccountId, ArtifactId, JobName, Region};
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
    /// The version of xrs that looked.
    pub xrs_version: String,
    /// When it was looked (UTC), by the provider's clock: the now of every age.
    pub observed_at: Timestamp,
    /// What kind of world was looked at.
    pub provider: ProviderKind,
    /// The jobs it was limited to by `--job`; `null` for all.
    pub selection: Option<Vec<JobName>>,
    /// The config.
    pub config: ConfigRef,
    /// How old the newest usable copy may be, in seconds; `null` where nobody said.
    pub max_age_seconds: Option<i64>,
    /// What the jobs come to.
    pub summary: Summary,
    /// In the order of the config.
    pub jobs: Vec<JobStatus>,
}

/// What the jobs of a status come to, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Jobs in all.
    pub jobs: usize,
    /// Those whose copy is there.
    pub ready: usize,
    /// Those whose copy is not there, is too old, or of unknown age.
    pub not_ready: usize,
    /// Those whose destination could not be looked at.
    pub unknown: usize,
}

impl Summary {
    /// Counts.
    pub fn of(jobs: &[JobStatus]) -> Self {
        let mut summary = Self {
            jobs: jobs.len(),
            ..Self::default()
        };
        for job in jobs {
            *match job.readiness {
                Readiness::Ready => &mut summary.ready,
                Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => {
                    &mut summary.not_ready
                }
                Readiness::Unknown => &mut summary.unknown,
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
    /// `null` where the config is too broken to tell.
    pub sync_type: Option<SyncTypeName>,
    /// The source region; `null` where the config is too broken to tell.
    pub source: Option<End>,
    /// The destination region; `null` where the config is too broken to tell.
    pub destination: Option<End>,
    /// The account that was looked at; `null` where that could not be found out.
    pub account_id: Option<AccountId>,
    /// Whether the destination holds what it should.
    pub readiness: Readiness,
    /// Why, in a sentence for people.
    pub reason: String,
    /// What the source region has; `null` where nothing was looked at.
    pub source_newest: Option<SourceNewest>,
    /// What the destination has; `null` where that is not known.
    pub copies: Option<Copies>,
    /// What somebody should look at some day.
    pub warnings: Vec<String>,
    /// Why the destination could not be looked at; empty if it could.
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
    /// The newest usable copy is older than it may be.
    TooOld,
    /// How old the newest usable copy is cannot be told, and it matters.
    AgeUnknown,
    /// The destination could not be looked at.
    Unknown,
}

impl Readiness {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Ready,
        Self::NoCopy,
        Self::TooOld,
        Self::AgeUnknown,
        Self::Unknown,
    ];

    /// The word in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NoCopy => "no_copy",
            Self::TooOld => "too_old",
            Self::AgeUnknown => "age_unknown",
            Self::Unknown => "unknown",
        }
    }

    /// Whether all is well.
    pub fn is_ready(self) -> bool {
        self == Self::Ready
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The newest that a source region has to copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SourceNewest {
    /// There is something to copy.
    Present {
        /// The image or snapshot.
        id: ArtifactId,
        /// When it was made (UTC, whole seconds), where AWS says so.
        data_time: Option<Timestamp>,
    },
    /// The source region answers, and has nothing to copy.
    Absent,
    /// The source region does not answer.
    Unknown {
        /// What came instead of an answer.
        problem: Problem,
    },
}

/// What a destination has of one job. Each list is in order of age, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copies {
    /// The newest copy that can be used at once.
    pub newest_usable: Option<UsableCopy>,
    /// What would be left if the source region vanished now.
    pub left: Left,
    /// Copies that AWS is still making.
    pub in_progress: Vec<CopyInProgress>,
    /// Copies that failed and are still listed.
    pub failed: Vec<FailedCopy>,
}

/// A copy that can be used at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsableCopy {
    /// The image or snapshot.
    pub id: ArtifactId,
    /// When its source was made (UTC, whole seconds); `null` where nothing tells.
    pub data_time: Option<Timestamp>,
    /// From then until now, in seconds.
    pub age_seconds: Option<i64>,
    /// From then until the newest of the source was made, in seconds: 0 if there is nothing newer.
    pub behind_seconds: Option<i64>,
}

/// What would be left if the source region vanished now: copies that are done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Left {
    /// How many.
    pub count: usize,
    /// The newest of them.
    pub newest: Option<ArtifactId>,
}

/// A copy that AWS is still making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CopyInProgress {
    /// The image or snapshot.
    pub id: ArtifactId,
    /// When its source was made (UTC, whole seconds); `null` where nothing tells.
    pub data_time: Option<Timestamp>,
    /// Its state, in AWS's word.
    pub state: ArtifactState,
    /// How much of it is done, where AWS says so (of images it does not).
    pub percent: Option<u8>,
}

/// A copy that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedCopy {
    /// The image or snapshot.
    pub id: ArtifactId,
    /// When its source was made (UTC, whole seconds); `null` where nothing tells.
    pub data_time: Option<Timestamp>,
    /// Its state, in AWS's word.
    pub state: ArtifactState,
    /// AWS's reason, where it gives one (of snapshots it does not).
    pub reason: Option<String>,
}

impl JobStatus {
    /// Its regions, if the config says them.
    pub fn regions(&self) -> Option<(&Region, &Region)> {
        Some((
            &self.source.as_ref()?.region,
            &self.destination.as_ref()?.region,
        ))
    }
}
