//! Actions: each one write to AWS, with its reason and what it expects to find.
//!
//! These types are part of the format of `plan.json`. Within a major version keys are only added.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tags;
use super::id::{ActionId, DbInstance, ImageId, Region, SnapshotArn, SnapshotId};

/// One write to AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Copy an image into the destination.
    CopyImage(CopyImage),
    /// Copy a DB snapshot into the destination.
    CopySnapshot(CopySnapshot),
    /// Give a copy the sync tag it lacks.
    TagCopy(TagCopy),
    /// Note on the source where its copy is.
    TagSource(TagSource),
    /// Delete a copy that retention no longer asks for.
    DeleteSnapshot(DeleteSnapshot),
}

impl Action {
    /// Its id within the plan.
    pub fn id(&self) -> &ActionId {
        match self {
            Self::CopyImage(action) => &action.id,
            Self::CopySnapshot(action) => &action.id,
            Self::TagCopy(action) => &action.id,
            Self::TagSource(action) => &action.id,
            Self::DeleteSnapshot(action) => &action.id,
        }
    }

    /// Why it is planned, for people.
    pub fn reason(&self) -> &str {
        match self {
            Self::CopyImage(action) => &action.reason,
            Self::CopySnapshot(action) => &action.reason,
            Self::TagCopy(action) => &action.reason,
            Self::TagSource(action) => &action.reason,
            Self::DeleteSnapshot(action) => &action.reason,
        }
    }

    /// The wave that it belongs to.
    pub fn wave(&self) -> Wave {
        match self {
            Self::CopyImage(_) | Self::CopySnapshot(_) => Wave::Copies,
            Self::TagCopy(_) | Self::TagSource(_) => Wave::Tags,
            Self::DeleteSnapshot(_) => Wave::Deletions,
        }
    }

    /// The action that it waits for.
    pub fn after(&self) -> Option<&ActionId> {
        match self {
            Self::TagSource(tag) => Some(&tag.after),
            Self::DeleteSnapshot(deletion) => deletion.after.as_ref(),
            Self::CopyImage(_) | Self::CopySnapshot(_) | Self::TagCopy(_) => None,
        }
    }

    /// Its word in the plan.
    pub fn word(&self) -> &'static str {
        match self {
            Self::CopyImage(_) => "copy_image",
            Self::CopySnapshot(_) => "copy_snapshot",
            Self::TagCopy(_) => "tag_copy",
            Self::TagSource(_) => "tag_source",
            Self::DeleteSnapshot(_) => "delete_snapshot",
        }
    }
}

/// A part of an apply, reached by all jobs before any of them goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wave {
    /// First what the copies are there for.
    Copies,
    /// Then what tells copy and source apart and together.
    Tags,
    /// Last what cannot be undone.
    Deletions,
}

impl Wave {
    /// In their order.
    pub const ALL: [Self; 3] = [Self::Copies, Self::Tags, Self::Deletions];
}

/// A tag to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// `copy_image`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopyImage {
    /// Its id within the plan.
    pub id: ActionId,
    /// Why.
    pub reason: String,
    /// The image to copy.
    pub source_image_id: ImageId,
    /// Where it is.
    pub source_region: Region,
    /// The name of the copy.
    pub name: String,
    /// The description of the copy; may be empty.
    pub description: String,
    /// The tags of the copy and of its backing snapshots.
    pub tags: Tags,
    /// The sync tag of the copy.
    pub sync_tag: Tag,
    /// The key to encrypt with; `null` leaves that to the source and the account's default.
    pub kms_key_id: Option<String>,
    /// What will be copied, in GiB, where AWS states it.
    pub size_gib: Option<u64>,
    /// What must hold when it is carried out.
    pub expects: ExpectedSource,
}

/// `copy_snapshot`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CopySnapshot {
    /// Its id within the plan.
    pub id: ActionId,
    /// Why.
    pub reason: String,
    /// The database.
    pub db_instance: DbInstance,
    /// The snapshot to copy.
    pub source_snapshot_id: SnapshotId,
    /// Its ARN, as AWS stated it.
    pub source_snapshot_arn: SnapshotArn,
    /// Where it is.
    pub source_region: Region,
    /// The identifier of the copy.
    pub target_snapshot_id: SnapshotId,
    /// The tags of the copy.
    pub tags: Tags,
    /// The sync tag of the copy.
    pub sync_tag: Tag,
    /// The key to encrypt with; `null` for an unencrypted copy.
    pub kms_key_id: Option<String>,
    /// The option group of the copy; `null` for the default one.
    pub option_group_name: Option<String>,
    /// What will be copied, in GiB, where AWS states it; after the first copy only changes travel.
    pub size_gib: Option<u64>,
    /// What must hold when it is carried out.
    pub expects: ExpectedSource,
}

/// The source, as it was planned with: still there, in this state, made at this time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedSource {
    /// Its state: `available`.
    pub state: String,
    /// When it was made (UTC, whole seconds).
    pub taken: Timestamp,
}

/// `tag_copy`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagCopy {
    /// Its id within the plan.
    pub id: ActionId,
    /// Why.
    pub reason: String,
    /// The copy.
    pub copy: Resource,
    /// What it is a copy of.
    pub source: Resource,
    /// The sync tag it gets.
    pub sync_tag: Tag,
    /// What must hold when it is carried out.
    pub expects: ExpectedCopy,
}

/// A copy without a sync tag, as it was planned with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedCopy {
    /// The sync tag it still lacks, by key.
    pub no_tag: String,
    /// When its data was taken (UTC, whole seconds), where that could be told.
    pub taken: Option<Timestamp>,
}

/// `tag_source`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagSource {
    /// Its id within the plan.
    pub id: ActionId,
    /// Why.
    pub reason: String,
    /// The action that it waits for.
    pub after: ActionId,
    /// The source.
    pub source: Resource,
    /// The key of its sync tag.
    pub key: String,
    /// The time in its sync tag (UTC, whole seconds).
    pub taken: Timestamp,
    /// The copy that its sync tag names.
    pub copy: CopyId,
}

/// The id of a copy, or the action that will tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CopyId {
    /// Known when planning.
    Id(String),
    /// Known after that action.
    OfAction(ActionId),
}

/// An image or snapshot that is written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// By id.
    Image(ImageId),
    /// By ARN, for RDS tags by ARN alone.
    Snapshot(SnapshotArn),
}

impl Resource {
    /// The id as people know it: of a snapshot its identifier.
    pub fn id(&self) -> &str {
        match self {
            Self::Image(id) => id.as_str(),
            Self::Snapshot(arn) => arn.snapshot_id().unwrap_or(arn.as_str()),
        }
    }
}

/// `delete_snapshot`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeleteSnapshot {
    /// Its id within the plan.
    pub id: ActionId,
    /// Why.
    pub reason: String,
    /// The copy that it waits for; `null` if the job makes none.
    pub after: Option<ActionId>,
    /// The database.
    pub db_instance: DbInstance,
    /// The copy to delete.
    pub snapshot_id: SnapshotId,
    /// Its size in GiB, where AWS states it.
    pub size_gib: Option<u64>,
    /// What must hold when it is carried out.
    pub expects: ExpectedDeletion,
}

/// What a deletion rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedDeletion {
    /// When the data in it was taken (UTC, whole seconds).
    pub taken: Timestamp,
    /// Its state: `available`, or `failed` for a copy that never became one.
    pub state: String,
    /// The sync tag that makes it ours.
    pub sync_tag: Tag,
    /// The copies that are kept, newest first: all of them still there and available.
    pub kept: Vec<KeptCopy>,
}

/// A copy that retention keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptCopy {
    /// Its identifier.
    pub id: SnapshotId,
    /// When the data in it was taken (UTC, whole seconds).
    pub taken: Timestamp,
}
