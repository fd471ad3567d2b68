//! What was observed of the world, with the errors met while looking.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::Tags;
use super::client_config::Place;
use super::id::{AccountId, DbInstance, ImageId, JobName, Region, SnapshotArn, SnapshotId};
use super::job::SyncJob;
use super::problem::Problem;
use super::provider_error::ProviderError;
use super::sync_tag::{SYNC_IDENTIFIER, whole_seconds};

/// What came of looking. An error is not an absence: nothing follows from it but a failed job.
pub type Looked<T> = Result<T, ProviderError>;

/// What was seen of the world for a number of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Inventory {
    /// What kind of world it was.
    pub provider: ProviderKind,
    /// When the looking began, by the provider's clock.
    pub observed_at: Timestamp,
    /// What was seen for each job.
    pub jobs: BTreeMap<JobName, Observation>,
}

/// What was seen with each destination read on its own account, so that it is known whatever becomes of the sources.
#[derive(Clone, Debug, PartialEq)]
pub struct Destinations {
    /// As for a plan, but for copies of images: here they are those that their sources' own tags name.
    pub inventory: Inventory,
    /// Images that come from a region, by where they are and where they come from; for many jobs once.
    pub images: HashMap<(Place, Region), Looked<Vec<Image>>>,
}

/// What was seen for one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// As whom it was looked.
    pub identity: Looked<CallerIdentity>,
    /// What was there.
    pub found: Found,
}

impl Observation {
    /// Why not all of it could be seen, if so.
    pub fn error(&self) -> Option<&ProviderError> {
        let of_found = match &self.found {
            Found::Images { source, copies } => source.as_ref().err().or(copies.as_ref().err()),
            Found::Snapshots { source, copies } => source.as_ref().err().or(copies.as_ref().err()),
        };
        self.identity.as_ref().err().or(of_found)
    }

    /// The account that a job acts in: as STS states it, and as the config states it, if it does.
    pub fn account_of(&self, job: &SyncJob) -> Result<&AccountId, Problem> {
        let identity = self.identity.as_ref().map_err(|error| {
            error.problem(format!(
                "failed to find out which AWS account the credentials of {} belong to",
                job.name
            ))
        })?;
        match &job.client_config.account_id {
            Some(stated) if *stated != identity.account_id => Err(Problem::new(format!(
                "the credentials of {} belong to account {}, but its aws_account_id is {stated}",
                job.name, identity.account_id
            ))
            .help("correct aws_account_id, or give the job credentials of that account")),
            _ => Ok(&identity.account_id),
        }
    }
}

/// The two ends of a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Of an `ec2_ami` job.
    Images {
        /// Images of the source region that its selector meets, in every state.
        source: Looked<Vec<Image>>,
        /// Images of the destination that may be copies of them.
        copies: Looked<Vec<Image>>,
    },
    /// Of an `rds_automated_snapshot` job.
    Snapshots {
        /// Automated snapshots of the database in the source region.
        source: Looked<Vec<Snapshot>>,
        /// Manual snapshots of a database of that name in the destination.
        copies: Looked<Vec<Snapshot>>,
    },
}

/// Who is calling, and whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerIdentity {
    /// The account of the credentials, as STS states it.
    pub account_id: AccountId,
    /// The endpoint in place of AWS's own, if one is set.
    pub endpoint_url: Option<String>,
}

/// What stands behind a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// AWS, or what answers in its place at an endpoint.
    Aws,
    /// The world in memory.
    Sandbox,
}

impl ProviderKind {
    /// The word in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Sandbox => "sandbox",
        }
    }

    /// As people say it.
    pub fn in_words(self) -> &'static str {
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

const AVAILABLE: &str = "available";

/// The state of an image or snapshot, in AWS's own word. RDS documents no closed list, so there is none here:
/// a word not known is taken for one of a copy still under way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(SmolStr);

impl State {
    /// The state `available`.
    pub fn available() -> Self {
        Self(SmolStr::new_static(AVAILABLE))
    }

    /// Can be copied and restored from.
    pub fn is_available(&self) -> bool {
        self.0 == AVAILABLE
    }

    /// Will never be available.
    pub fn is_failed(&self) -> bool {
        matches!(self.0.as_str(), "failed" | "error" | "invalid")
    }

    /// On its way out: RDS shows such snapshots for a while, and they hold their names as long.
    pub fn is_being_deleted(&self) -> bool {
        matches!(self.0.as_str(), "deleting" | "deleted")
    }

    /// Of no use and not going to be: failed, being deleted, or deregistered (EC2 shows such images for a while).
    pub fn is_gone(&self) -> bool {
        self.is_failed() || self.is_being_deleted() || self.0 == "deregistered"
    }

    /// On its way to be available. A word that is not known is taken for that.
    pub fn is_under_way(&self) -> bool {
        !self.is_available() && !self.is_gone() && !self.is_disabled()
    }

    /// Known to be copied at this moment: what AWS counts against its limits. A word that is not known is not taken
    /// for that, or what never changes any more would count for ever.
    pub fn is_in_flight(&self) -> bool {
        matches!(self.0.as_str(), "pending" | "creating" | "copying")
    }

    /// Switched off, but there.
    pub fn is_disabled(&self) -> bool {
        self.0 == "disabled"
    }

    /// AWS's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for State {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// An image and the region it is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageRef {
    /// The image.
    pub id: ImageId,
    /// Its region.
    pub region: Region,
}

/// An EC2 image (AMI).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// Its name; not unique.
    pub name: String,
    /// Its description, empty if it has none.
    pub description: String,
    /// `pending`, `available`, `failed`, `disabled`, …
    pub state: State,
    /// What AWS says of a failure.
    pub state_reason: Option<String>,
    /// The account that owns it.
    pub owner: AccountId,
    /// When it was made (UTC). Of a copy: when the copy was made.
    pub created: Option<Timestamp>,
    /// What it was copied from, where AWS states it.
    pub copied_from: Option<ImageRef>,
    /// The size of its disks, in GiB, where AWS states it.
    pub size_gib: Option<u64>,
    /// Whether any of its backing snapshots is encrypted.
    pub encrypted: bool,
    /// Its tags, AWS's own (`aws:`) among them.
    pub tags: Tags,
}

impl Image {
    /// The value of its tag `Sync-Identifier`.
    pub fn sync_identifier(&self) -> Option<&str> {
        self.tags.get(SYNC_IDENTIFIER)
    }
}

/// An RDS DB snapshot, automated or manual (copies are manual).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Its identifier.
    pub id: SnapshotId,
    /// Its ARN.
    pub arn: SnapshotArn,
    /// The database it was taken of. A copy keeps the name, also where no such database is.
    pub db_instance: DbInstance,
    /// `available`, `creating`, `copying`, `failed`, …
    pub status: State,
    /// When it was made (UTC); of a copy, when the copy was made. Not stated while it is being made.
    pub created: Option<Timestamp>,
    /// When the snapshot it goes back to was made (UTC); copying leaves it as it is.
    pub original_created: Option<Timestamp>,
    /// What it was copied from, where AWS states it: only for copies from another region or account.
    pub copied_from: Option<SnapshotArn>,
    /// When the database itself was made (UTC): another time tells another database of the same name.
    pub instance_created: Option<Timestamp>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The option group it needs, where AWS states it.
    pub option_group_name: Option<SmolStr>,
    /// The storage of the database, in GiB, where AWS states it.
    pub size_gib: Option<u64>,
    /// How much of a copy under way is done.
    pub percent: Option<u8>,
    /// Its tags.
    pub tags: Tags,
}

impl Snapshot {
    /// When the data in it was taken, in whole seconds: what copies are ordered by and compared with.
    pub fn taken(&self) -> Option<Timestamp> {
        self.original_created.or(self.created).map(whole_seconds)
    }
}
