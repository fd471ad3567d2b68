//! The plan: the frozen list of actions per job, each with its reason and what it expects to find.
//!
//! These types are the format of `plan.json`. Within a major version keys are only added.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;
use super::id::{
    AccountId, ActionId, DbInstance, ImageId, JobName, Region, SnapshotArn, SnapshotId,
};
use super::inventory::ProviderKind;
use super::job::SyncType;
use super::problem::Problem;

/// What the planner decides, and all that the digest covers beside the format version.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What kind of world it was made on.
    pub provider: ProviderKind,
    /// The jobs it was limited to by `--job`; `None` for all.
    pub selection: Option<Vec<JobName>>,
    /// In the order of the config.
    pub jobs: Vec<JobPlan>,
}

/// A plan as it is saved, reviewed and applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// `major.minor`.
    pub format_version: String,
    /// The version of xrs that made it.
    pub xrs_version: String,
    /// When it was made (UTC), by the provider's clock.
    pub created_at: Timestamp,
    /// `sha256:…` over format version, provider, selection and jobs: the thing that is approved.
    pub digest: String,
    /// What kind of world it was made on.
    pub provider: ProviderKind,
    /// The jobs it was limited to by `--job`; `null` for all.
    pub selection: Option<Vec<JobName>>,
    /// The config it was made from.
    pub config: ConfigRef,
    /// What the jobs come to.
    pub summary: Summary,
    /// In the order of the config.
    pub jobs: Vec<JobPlan>,
}

/// The config file a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigRef {
    /// As it was given on the command line.
    pub path: String,
    /// `sha256:…` over its bytes.
    pub sha256: String,
}

/// What the jobs of a plan come to, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Jobs in all.
    pub jobs: usize,
    /// Images to copy.
    pub copy_image: usize,
    /// Snapshots to copy.
    pub copy_snapshot: usize,
    /// Copies that get a sync tag they lack.
    pub tag_copy: usize,
    /// Sources that get a note of their copy.
    pub tag_source: usize,
    /// Copies to delete.
    pub delete_snapshot: usize,
    /// Jobs without anything to do.
    pub up_to_date: usize,
    /// Jobs that could not be planned.
    pub failed: usize,
}

impl Summary {
    /// Counts.
    pub fn of(jobs: &[JobPlan]) -> Self {
        let mut summary = Self {
            jobs: jobs.len(),
            ..Self::default()
        };
        for job in jobs {
            match job.outcome {
                Outcome::Changes => {}
                Outcome::UpToDate => summary.up_to_date += 1,
                Outcome::Failed => summary.failed += 1,
            }
            for action in &job.actions {
                *match action {
                    Action::CopyImage(_) => &mut summary.copy_image,
                    Action::CopySnapshot(_) => &mut summary.copy_snapshot,
                    Action::TagCopy(_) => &mut summary.tag_copy,
                    Action::TagSource(_) => &mut summary.tag_source,
                    Action::DeleteSnapshot(_) => &mut summary.delete_snapshot,
                } += 1;
            }
        }
        summary
    }

    /// How many writes to AWS the plan lists.
    pub fn actions(&self) -> usize {
        self.copy_image
            + self.copy_snapshot
            + self.tag_copy
            + self.tag_source
            + self.delete_snapshot
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            jobs,
            copy_image,
            copy_snapshot,
            tag_copy,
            tag_source,
            delete_snapshot,
            up_to_date,
            failed,
        } = self;
        write!(
            f,
            "{jobs} jobs, {copy_image} copy_image, {copy_snapshot} copy_snapshot, {tag_copy} tag_copy, \
             {tag_source} tag_source, {delete_snapshot} delete_snapshot, {up_to_date} up_to_date, {failed} failed"
        )
    }
}

/// What is to become of one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPlan {
    /// Its key in the config.
    pub name: JobName,
    /// `null` where the config is too broken to tell.
    pub sync_type: Option<SyncType>,
    /// `null` where the config is too broken to tell.
    pub source: Option<End>,
    /// `null` where the config is too broken to tell.
    pub destination: Option<End>,
    /// What it is about; `null` where that could not be told.
    pub subject: Option<Subject>,
    /// The account it was planned in; `null` where that could not be found out.
    pub account_id: Option<AccountId>,
    /// Where its credentials come from; `null` for a broken config.
    pub client_config: Option<ClientConfigRef>,
    /// What the job came to.
    pub outcome: Outcome,
    /// Why, in a sentence for people. Nothing is decided by it.
    pub reason: String,
    /// What it rests on; `null` where nothing could be seen.
    pub observed: Option<Observed>,
    /// What is to be done.
    pub actions: Vec<Action>,
    /// What a reviewer should know.
    pub warnings: Vec<String>,
    /// Why the job failed; empty unless it did.
    pub errors: Vec<Problem>,
}

/// What a job is about: what is looked at again when its plan is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The image that was chosen.
    Image(ImageId),
    /// The database.
    Database(DbInstance),
}

/// One end of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its region.
    pub region: Region,
}

/// Where the credentials of a job come from. None of them is ever written into a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientConfigRef {
    /// The SDK's default chain, or the config.
    pub from: CredentialsFrom,
    /// SHA-256 over the client settings without secrets.
    pub fingerprint: String,
    /// The endpoint in place of AWS's own, if one was in force.
    pub endpoint_url: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsFrom {
    /// Environment, profile, container or instance role: whatever the SDK finds.
    DefaultChain,
    /// `aws_client_config` of the config file.
    Config,
}

/// What a job came to when it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There are actions.
    Changes,
    /// There is nothing to do.
    UpToDate,
    /// It could not be planned.
    Failed,
}

/// What a job's plan rests on, for the reviewer. No lists: a plan stays readable however large the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The image or snapshot that was chosen to be copied.
    pub source: Option<Seen>,
    /// The newest copy in the destination.
    pub newest_copy: Option<Seen>,
    /// How many images or snapshots the source region had to choose from.
    pub sources: usize,
    /// How many copies the destination holds, in whatever state.
    pub copies: usize,
}

/// An image or snapshot in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its id.
    pub id: String,
    /// When its data was taken (UTC, whole seconds). Of a copy: its source's time.
    pub taken: Option<Timestamp>,
    /// Its state, in AWS's word.
    pub state: String,
    /// Its size in GiB, where AWS states it.
    pub size_gib: Option<u64>,
}

/// One write to AWS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// `copy_image`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedSource {
    /// Its state: `available`.
    pub state: String,
    /// When it was made (UTC, whole seconds).
    pub taken: Timestamp,
}

/// `tag_copy`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedCopy {
    /// The sync tag it still lacks, by key.
    pub no_tag: String,
    /// When its data was taken (UTC, whole seconds), where that could be told.
    pub taken: Option<Timestamp>,
}

/// `tag_source`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CopyId {
    /// Known when planning.
    Id(String),
    /// Known after that action.
    OfAction(ActionId),
}

/// An image or snapshot that is written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCopy {
    /// Its identifier.
    pub id: SnapshotId,
    /// When the data in it was taken (UTC, whole seconds).
    pub taken: Timestamp,
}
