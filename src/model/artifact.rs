//! One image or snapshot, as AWS described it.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::ids::{AccountId, Arn, ArtifactId, ParentId, Region};
use super::kind::Kind;
use super::provider_error::{ErrorClass, ProviderError};
use super::sync_tag::whole_seconds;
use super::tags::Tags;

/// One image or snapshot, as AWS described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: ArtifactId,
    /// Its ARN.
    pub arn: Arn,
    /// What a snapshot was taken of: a database. A copy keeps the name, even in a region without that database.
    pub parent: Option<ParentId>,
    /// Its state.
    pub state: ArtifactState,
    /// When it was created (UTC); for a copy, when the copy was created. Snapshots in progress have no such time.
    pub created: Option<Timestamp>,
    /// When the data in it was captured (UTC), if AWS states a time that survives copying.
    pub data_time: Option<Timestamp>,
    /// The time of the last transaction in a snapshot (UTC), if AWS states it. It determines the age of the data.
    pub database_time: Option<Timestamp>,
    /// What it was copied from, if AWS states it. For snapshots, AWS states it only for copies from a different region or account.
    pub copied_from: Option<Arn>,
    /// Whether it is encrypted, if AWS states it; for an image, whether any of its backing snapshots is.
    pub encrypted: Option<bool>,
    /// The size of its disks, or of its database's storage, in GiB, if AWS states it.
    pub size_gib: Option<u32>,
    /// How much of a copy in progress is done, in percent, if AWS states it. For images, it does not.
    pub percent: Option<u8>,
    /// Its tags, including AWS's own (`aws:`).
    pub tags: Tags,
    /// Whether its tags could not be read, so that it may have some.
    pub has_unknown_tags: bool,
    /// What AWS states about images only.
    pub image: Option<Box<ImageDetails>>,
    /// What AWS states about snapshots only.
    pub snapshot: Option<Arc<SnapshotDetails>>,
}

/// What AWS states about snapshots only. It is the same for most snapshots of a database, which share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SnapshotDetails {
    /// When its database was created (UTC): a different time means a different database of the same name.
    pub parent_created: Option<Timestamp>,
    /// The ARN of the KMS key of an encrypted snapshot.
    pub kms_key: Option<SmolStr>,
    /// The engine of its database, such as `postgres`.
    pub engine: Option<SmolStr>,
    /// The option group of its database.
    pub option_group: Option<SmolStr>,
}

/// What AWS states about images only. It is boxed, because there are many more snapshots than images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDetails {
    /// Its name, which is not unique.
    pub name: String,
    /// Its description; empty if it has none.
    pub description: String,
    /// What AWS says about a failure.
    pub state_reason: Option<String>,
    /// The account that owns it.
    pub owner: Option<AccountId>,
    /// Whether its owner advises against using it.
    pub is_deprecated: bool,
    /// Whether AWS refuses to deregister it.
    pub is_protected: bool,
    /// When an instance was last launched from it (UTC), if AWS states it. AWS reports launches a day late.
    pub last_launched: Option<Timestamp>,
    /// The ids of its backing snapshots.
    pub snapshots: Vec<SmolStr>,
}

/// A backing snapshot that AWS did not delete with its image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UndeletedSnapshot {
    /// Its id.
    #[schemars(with = "String")]
    pub id: SmolStr,
    /// AWS's reason, such as `missing-permissions`.
    #[schemars(with = "String")]
    pub code: SmolStr,
}

impl fmt::Display for UndeletedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.code)
    }
}

impl Artifact {
    /// Returns the name of an image; empty for a snapshot.
    pub fn name(&self) -> &str {
        self.image.as_ref().map_or("", |image| &image.name)
    }

    /// Returns the description of an image; empty if it has none, and for a snapshot.
    pub fn description(&self) -> &str {
        self.image.as_ref().map_or("", |image| &image.description)
    }

    /// Returns what AWS says about a failure. For snapshots AWS says nothing.
    pub fn state_reason(&self) -> Option<&str> {
        self.image.as_ref()?.state_reason.as_deref()
    }

    /// Returns when the database of a snapshot was created (UTC, whole seconds), if AWS states it.
    pub fn parent_created(&self) -> Option<Timestamp> {
        self.snapshot.as_ref()?.parent_created.map(whole_seconds)
    }

    /// Returns the ARN of the KMS key of an encrypted snapshot.
    pub fn kms_key(&self) -> Option<&str> {
        self.snapshot.as_ref()?.kms_key.as_deref()
    }

    /// Returns the engine of the database of a snapshot.
    pub fn engine(&self) -> Option<&str> {
        self.snapshot.as_ref()?.engine.as_deref()
    }

    /// Returns true if it belongs to a different service, although AWS lists it among the artifacts of its kind.
    pub fn is_of_other_service(&self) -> bool {
        let others = self.kind.facts().other_engines;
        self.engine().is_some_and(|engine| others.contains(&engine))
    }

    /// Returns the option group of the database of a snapshot.
    pub fn option_group(&self) -> Option<&SmolStr> {
        self.snapshot.as_ref()?.option_group.as_ref()
    }

    /// Returns true for an image that its owner advises against using.
    pub fn is_deprecated(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.is_deprecated)
    }

    /// Returns true for an image that AWS refuses to deregister.
    pub fn is_protected(&self) -> bool {
        self.image.as_ref().is_some_and(|image| image.is_protected)
    }

    /// Returns when an instance was last launched from an image (UTC), if AWS states it.
    pub fn last_launched(&self) -> Option<Timestamp> {
        self.image.as_ref()?.last_launched
    }

    /// Returns the ids of the backing snapshots of an image, which are deleted with it.
    pub fn backing_snapshots(&self) -> &[SmolStr] {
        self.image.as_ref().map_or(&[], |image| &image.snapshots)
    }

    /// Returns the account that owns an image. Snapshots are listed for their owner only.
    pub fn owner(&self) -> Option<&AccountId> {
        self.image.as_ref()?.owner.as_ref()
    }

    /// Returns the time of a source: when its data was captured (UTC, whole seconds).
    pub fn source_time(&self) -> Option<Timestamp> {
        self.data_time.or(self.created).map(whole_seconds)
    }

    /// Sets the tags that were read for this artifact alone. If reading them was not allowed, they are unknown.
    ///
    /// # Errors
    ///
    /// Any other error that was met.
    pub fn read_tags(&mut self, tags: Result<Tags, ProviderError>) -> Result<(), ProviderError> {
        match tags {
            Ok(tags) => self.tags = tags,
            Err(error) if error.class == ErrorClass::Denied => self.has_unknown_tags = true,
            // It has been deleted in the meantime.
            Err(error) if error.class == ErrorClass::Absent => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Returns the reference by which a plan names it.
    pub fn to_ref(&self, region: &Region) -> ArtifactRef {
        ArtifactRef {
            region: region.clone(),
            id: self.id.clone(),
            arn: self.arn.clone(),
            parent: self.parent.clone(),
        }
    }
}

/// An image or snapshot, as a plan names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArtifactRef {
    /// The region it is in.
    pub region: Region,
    /// Its id.
    pub id: ArtifactId,
    /// Its ARN.
    pub arn: Arn,
    /// What a snapshot was taken of: a database; `null` for an image.
    pub parent: Option<ParentId>,
}

const AVAILABLE: &str = "available";

/// The state of an image or snapshot, as AWS calls it. RDS documents no closed list of states, so there is none here: an unknown
/// state is taken for that of a copy in progress.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String")]
pub struct ArtifactState(SmolStr);

impl ArtifactState {
    /// Returns the state `available`.
    pub fn available() -> Self {
        Self(SmolStr::new_static(AVAILABLE))
    }

    /// Returns true if it can be copied and restored from.
    pub fn is_available(&self) -> bool {
        self.0 == AVAILABLE
    }

    /// Returns true if it will never be available.
    pub fn is_failed(&self) -> bool {
        matches!(self.0.as_str(), "failed" | "error" | "invalid")
    }

    /// Returns true if it is being deleted or has been deregistered. AWS still lists such artifacts for a while, and the ids of
    /// such snapshots stay in use until they disappear.
    pub fn is_being_deleted(&self) -> bool {
        matches!(self.0.as_str(), "deleting" | "deleted" | "deregistered")
    }

    /// Returns true if it can't be used, now or later: failed or being deleted.
    pub fn is_gone(&self) -> bool {
        self.is_failed() || self.is_being_deleted()
    }

    /// Returns true if it is expected to become available. An unknown state counts as in progress.
    pub fn is_in_progress(&self) -> bool {
        !self.is_available() && !self.is_gone() && !self.is_disabled()
    }

    /// Returns true if it is known to be a copy in progress, which AWS counts against its limits. An unknown state does not count:
    /// if it never ended, it would count forever.
    pub fn is_being_copied(&self) -> bool {
        matches!(self.0.as_str(), "pending" | "creating" | "copying")
    }

    /// Returns true if it exists but is disabled.
    pub fn is_disabled(&self) -> bool {
        self.0 == "disabled"
    }

    /// Returns the state as AWS calls it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ArtifactState {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for ArtifactState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ArtifactState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
