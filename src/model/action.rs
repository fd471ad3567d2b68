//! Actions: each is one write to AWS, with its reason and its preconditions.
//!
//! These types are part of the format of `plan.json`. Within a major version keys are only added.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::artifact::{ArtifactRef, ArtifactState};
use super::ids::{ActionId, ArtifactId, Region};
use super::kind::Kind;
use super::sync_tag::SyncTag;
use super::tags::Tags;

/// One write to AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Copies a source into the destination.
    Copy(Copy),
    /// Adds a missing sync tag to a copy, or updates tags that have changed on its source.
    TagCopy(TagCopy),
    /// Records on the source where its copy is.
    TagSource(TagSource),
    /// Deletes a copy that retention does not keep.
    Delete(Delete),
}

impl Action {
    /// Returns its id within the plan.
    pub fn id(&self) -> &ActionId {
        match self {
            Self::Copy(action) => &action.id,
            Self::TagCopy(action) => &action.id,
            Self::TagSource(action) => &action.id,
            Self::Delete(action) => &action.id,
        }
    }

    /// Returns the kind of artifact that it is about.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Copy(action) => action.kind,
            Self::TagCopy(action) => action.kind,
            Self::TagSource(action) => action.kind,
            Self::Delete(action) => action.kind,
        }
    }

    /// Returns why it is planned, for people.
    pub fn reason(&self) -> &str {
        match self {
            Self::Copy(action) => &action.reason,
            Self::TagCopy(action) => &action.reason,
            Self::TagSource(action) => &action.reason,
            Self::Delete(action) => &action.reason,
        }
    }

    /// Returns the artifact that determines what is observed before the action: its source, or the copy to delete.
    pub fn subject(&self) -> &ArtifactRef {
        match self {
            Self::Copy(action) => &action.source,
            Self::TagCopy(action) => &action.source,
            Self::TagSource(action) => &action.source,
            Self::Delete(action) => &action.artifact,
        }
    }

    /// Returns the stage that it belongs to.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Copy(_) => Stage::Copies,
            Self::TagCopy(_) | Self::TagSource(_) => Stage::Tags,
            Self::Delete(delete) => delete.stage(),
        }
    }

    /// Returns the action that must be done before it, if there is one.
    pub fn after(&self) -> Option<&ActionId> {
        match self {
            Self::TagSource(tag) => Some(&tag.after),
            Self::Delete(delete) => delete.after.as_ref(),
            Self::Copy(_) | Self::TagCopy(_) => None,
        }
    }

    /// Returns which action it is.
    pub fn name(&self) -> ActionName {
        match self {
            Self::Copy(_) => ActionName::Copy,
            Self::TagCopy(_) => ActionName::TagCopy,
            Self::TagSource(_) => ActionName::TagSource,
            Self::Delete(_) => ActionName::Delete,
        }
    }
}

/// Which action something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionName {
    /// Copies a source into the destination.
    Copy,
    /// Adds a missing sync tag to a copy, or updates tags that have changed on its source.
    TagCopy,
    /// Records on the source where its copy is.
    TagSource,
    /// Deletes a copy that retention does not keep.
    Delete,
}

/// A stage of an apply. The actions of every job are in the order of their stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// First, the deletions that make room for the copies.
    MakingRoom,
    /// Second, the copies.
    Copies,
    /// Third, the tags that tie copies and sources together.
    Tags,
    /// Last, the other deletions, which can't be undone.
    Deletions,
}

/// A tag to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// `copy`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Copy {
    /// Its id within the plan.
    pub id: ActionId,
    /// What is copied.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// What is copied.
    pub source: ArtifactRef,
    /// What the copy will be.
    pub copy: NewCopy,
    /// The tags of the copy, without its sync tag.
    pub tags: Tags,
    /// The sync tag of the copy.
    pub sync_tag: Tag,
    /// The KMS key to encrypt with; `null` leaves that to the source and the account's default.
    pub kms_key_id: Option<String>,
    /// The option group of the copy; `null` for the default one.
    pub option_group_name: Option<String>,
    /// The time within which it must be complete, in minutes, a multiple of 15. AWS charges for it. Absent without this demand
    /// (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_within_minutes: Option<u32>,
    /// The size of the source in GiB, if AWS states it. After the first copy of a database, only changes are transferred.
    pub size_gib: Option<u32>,
    /// What must still hold when it is performed.
    pub expects: ExpectedSource,
}

impl Copy {
    /// Returns all tags of the copy, with its sync tag.
    pub fn all_tags(&self) -> Tags {
        with_sync_tag(&self.tags, &self.sync_tag)
    }
}

fn with_sync_tag(tags: &Tags, sync_tag: &Tag) -> Tags {
    let mut tags = tags.clone();
    tags.insert(sync_tag.key.as_str(), sync_tag.value.as_str());
    tags
}

/// What a copy will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewCopy {
    /// The region it goes to.
    pub region: Region,
    /// Its id, if the caller chooses it (snapshots).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ArtifactId>,
    /// Its name, if AWS assigns the id (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its description, if it has one (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a copy expects of its source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedSource {
    /// Its state: `available`.
    pub state: ArtifactState,
    /// When its data was captured (UTC, whole seconds).
    pub data_time: Timestamp,
    /// When its database was created (UTC, whole seconds), if AWS states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_created: Option<Timestamp>,
}

/// `tag_copy`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagCopy {
    /// Its id within the plan.
    pub id: ActionId,
    /// What is tagged.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// The copy.
    pub copy: ArtifactRef,
    /// What it is a copy of.
    pub source: ArtifactRef,
    /// Its sync tag, whether or not it has it yet.
    pub sync_tag: Tag,
    /// The tags by which the job selects its sources, if the copy has values that differ from those of the source.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Its backing snapshots, which get the same tags (images).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub snapshots: Vec<SmolStr>,
    /// What must still hold when it is performed.
    pub expects: ExpectedCopy,
}

impl TagCopy {
    /// Returns all tags that are written.
    pub fn all_tags(&self) -> Tags {
        with_sync_tag(&self.tags, &self.sync_tag)
    }
}

/// What a tag expects of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedCopy {
    /// When its data was captured (UTC, whole seconds), if AWS states it.
    pub data_time: Option<Timestamp>,
}

/// `tag_source`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagSource {
    /// Its id within the plan.
    pub id: ActionId,
    /// What is tagged.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// The action that must be done before it.
    pub after: ActionId,
    /// The source.
    pub source: ArtifactRef,
    /// The key of its sync tag.
    pub key: String,
    /// The time in its sync tag (UTC, whole seconds).
    pub data_time: Timestamp,
    /// The copy that its sync tag names.
    pub copy: KnownCopy,
}

impl TagSource {
    /// Returns the tag that names this copy.
    pub fn tag(&self, copy: &ArtifactId) -> Tag {
        Tag {
            key: self.key.clone(),
            value: SyncTag::new(self.data_time, copy.as_str()).to_string(),
        }
    }
}

/// The id of a copy, or the action whose result is that id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownCopy {
    /// Known when planning.
    Id(ArtifactId),
    /// Known once that action is done.
    OfAction(ActionId),
}

/// `delete`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delete {
    /// Its id within the plan.
    pub id: ActionId,
    /// What is deleted.
    pub kind: Kind,
    /// Why, for people.
    pub reason: String,
    /// The copy that AWS must have accepted before; `null` if the job makes none.
    pub after: Option<ActionId>,
    /// The copy for which it makes room, if the destination is full: then the deletion comes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ActionId>,
    /// The copy to delete.
    pub artifact: ArtifactRef,
    /// Its name, for people (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its size in GiB, if AWS states it.
    pub size_gib: Option<u32>,
    /// The backing snapshots that are deleted with it (images).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub snapshots: Vec<SmolStr>,
    /// What must still hold when it is performed.
    pub expects: ExpectedDeletion,
}

impl Delete {
    /// Returns the stage that it belongs to.
    pub fn stage(&self) -> Stage {
        match self.before {
            Some(_) => Stage::MakingRoom,
            None => Stage::Deletions,
        }
    }
}

/// What a deletion depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedDeletion {
    /// When the data in the copy was captured (UTC, whole seconds).
    pub data_time: Timestamp,
    /// Its state: `available`, or the state of a failed copy.
    pub state: ArtifactState,
    /// The sync tag that makes it ours.
    pub sync_tag: Tag,
    /// Its `Sync-Identifier`, if that is what assigns it to the job (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_identifier: Option<String>,
    /// When its database was created (UTC, whole seconds), if it is an earlier one of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier_parent: Option<Timestamp>,
    /// When an instance was last launched from it (UTC), if AWS stated it (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_launched: Option<Timestamp>,
    /// The copies that are kept, newest first, all of which must still be there and available.
    pub kept: Vec<KeptCopy>,
}

/// A copy that retention keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeptCopy {
    /// Its id.
    pub id: ArtifactId,
    /// When the data in it was captured (UTC, whole seconds).
    pub data_time: Timestamp,
    /// Its `Sync-Identifier`, if that is not the one of the job (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_identifier: Option<String>,
}
