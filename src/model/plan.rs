//! The plan: the frozen list of actions per job, each with its reason and its preconditions.
//!
//! These types are the format of `plan.json`. Within a major version keys are only added.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Action, ActionName, Delete, Stage};
use super::artifact::{ArtifactRef, ArtifactState};
use super::ids::{AccountId, ArtifactId, JobName, Region};
use super::inventory::ProviderKind;
use super::kind::{Kind, SyncTypeName};
use super::problem::Problem;

/// What the planner decides: everything that the digest covers besides the format version.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whether it was made on AWS or on a sandbox.
    pub provider: ProviderKind,
    /// The jobs that `--job` limited it to; `None` for all.
    pub selection: Option<Vec<JobName>>,
    /// In the order of the config.
    pub jobs: Vec<JobPlan>,
}

/// A plan as it is saved, reviewed and applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A plan of xrs")]
pub struct SavedPlan {
    /// `major.minor`.
    #[schemars(regex(pattern = r"^2\.[0-9]+$"))]
    pub format_version: String,
    /// The version of xrs that made it.
    pub xrs_version: String,
    /// When it was made (UTC), by the provider's clock.
    pub created_at: Timestamp,
    /// `sha256:…` over format version, provider, selection and jobs: the digest is what is approved.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: String,
    /// Whether it was made on AWS or on a sandbox.
    pub provider: ProviderKind,
    /// The jobs that `--job` limited it to; `null` for all.
    pub selection: Option<Vec<JobName>>,
    /// The config that it was made from.
    pub config: ConfigRef,
    /// The jobs and actions in numbers.
    pub summary: Summary,
    /// In the order of the config.
    pub jobs: Vec<JobPlan>,
}

/// The config file that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigRef {
    /// As it was given on the command line.
    pub path: String,
    /// `sha256:…` over its bytes.
    pub sha256: String,
}

/// The jobs and actions of a plan in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// All jobs.
    pub jobs: usize,
    /// Copies to make.
    pub copy: usize,
    /// Copies to tag.
    pub tag_copy: usize,
    /// Sources to tag with the id of their copy.
    pub tag_source: usize,
    /// Copies to delete.
    pub delete: usize,
    /// Jobs with nothing to do.
    pub up_to_date: usize,
    /// Jobs with errors: those that could not be planned, and those with an error in addition to their actions.
    pub failed: usize,
}

impl Summary {
    /// Counts these jobs and their actions.
    pub fn of(jobs: &[JobPlan]) -> Self {
        let mut summary = Self {
            jobs: jobs.len(),
            ..Self::default()
        };
        for job in jobs {
            summary.up_to_date += usize::from(job.outcome == Outcome::UpToDate);
            summary.failed += usize::from(!job.errors.is_empty());
            for action in &job.actions {
                *match action.name() {
                    ActionName::Copy => &mut summary.copy,
                    ActionName::TagCopy => &mut summary.tag_copy,
                    ActionName::TagSource => &mut summary.tag_source,
                    ActionName::Delete => &mut summary.delete,
                } += 1;
            }
        }
        summary
    }

    /// Returns the number of writes to AWS that the plan lists.
    pub fn actions(&self) -> usize {
        self.copy + self.tag_copy + self.tag_source + self.delete
    }
}

/// What is planned for one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobPlan {
    /// Its key in the config.
    pub name: JobName,
    /// Its type; `null` if the config is not valid.
    pub sync_type: Option<SyncTypeName>,
    /// Its source region; `null` if the config is not valid.
    pub source: Option<End>,
    /// Its destination region; `null` if the config is not valid.
    pub destination: Option<End>,
    /// The account that it was planned in; `null` if that is unknown.
    pub account_id: Option<AccountId>,
    /// Where its credentials come from; `null` if the config is not valid.
    pub client_config: Option<ClientConfigRef>,
    /// Whether there is something to do.
    pub outcome: Outcome,
    /// Why, for people. No decision depends on it.
    pub reason: String,
    /// The job of the same plan that copies the same source to the same destination on behalf of this one. If it fails, so does
    /// this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_by: Option<JobName>,
    /// What the plan is based on; `null` if nothing could be observed.
    pub observed: Option<Observed>,
    /// The actions, in the order of their stages.
    pub actions: Vec<Action>,
    /// The copies that are kept although retention would otherwise delete them, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// What a reviewer should know.
    pub warnings: Vec<String>,
    /// Why the job could not be planned. If there are actions, errors that do not prevent them; the exit code is 1 in that case
    /// too.
    pub errors: Vec<Problem>,
}

impl JobPlan {
    /// Returns the kind of artifact that the job copies, if its config is valid.
    pub fn kind(&self) -> Option<Kind> {
        self.sync_type.map(SyncTypeName::kind)
    }

    /// Returns true if the plan makes a copy.
    pub fn has_copy(&self) -> bool {
        self.actions
            .iter()
            .any(|action| action.stage() == Stage::Copies)
    }

    /// Returns the artifact that the actions are about, if there are any: the source, or, if there are only deletions, the first
    /// copy that is deleted.
    pub fn subject(&self) -> Option<&ArtifactRef> {
        let mut actions = self.actions.iter();
        let of_source = actions.find(|action| action.name() != ActionName::Delete);
        of_source.or(self.actions.first()).map(Action::subject)
    }

    /// Returns the deletions.
    pub fn deletions(&self) -> impl Iterator<Item = &Delete> {
        self.actions.iter().filter_map(|action| match action {
            Action::Delete(delete) => Some(delete),
            Action::Copy(_) | Action::TagCopy(_) | Action::TagSource(_) => None,
        })
    }

    /// Returns the newest copy, if AWS was making it when the plan was made and the plan makes no other.
    pub fn copy_being_made(&self) -> Option<&ArtifactId> {
        self.newest_copy(ArtifactState::is_being_copied)
    }

    /// Returns the newest copy, if it was not available yet when the plan was made and the plan makes no other.
    pub fn copy_in_progress(&self) -> Option<&ArtifactId> {
        self.newest_copy(ArtifactState::is_in_progress)
    }

    fn newest_copy(&self, has_state: impl Fn(&ArtifactState) -> bool) -> Option<&ArtifactId> {
        let newest = self.observed.as_ref()?.newest_copy.as_ref()?;
        (!self.has_copy() && has_state(&newest.state)).then_some(&newest.id)
    }
}

/// A copy that is kept although retention would otherwise delete it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kept {
    /// Its id.
    pub id: ArtifactId,
    /// Its name (images).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The reason, as text for people.
    pub reason: String,
}

/// One end of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Its region.
    pub region: Region,
}

/// Returns the regions of both ends of a job, if its config is valid.
pub fn regions<'e>(
    source: &'e Option<End>,
    destination: &'e Option<End>,
) -> Option<(&'e Region, &'e Region)> {
    Some((&source.as_ref()?.region, &destination.as_ref()?.region))
}

/// Where the credentials of a job come from. A plan never contains the credentials themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientConfigRef {
    /// The SDK's default chain, or the config.
    pub from: CredentialsFrom,
    /// SHA-256 over the client settings without secrets.
    pub fingerprint: String,
    /// The endpoint that was used instead of AWS's own, if there was one.
    pub endpoint_url: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsFrom {
    /// What the SDK finds: environment, profile, container or instance role.
    DefaultChain,
    /// `aws_client_config` of the config file.
    Config,
}

/// Whether a job has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There are actions.
    Changes,
    /// There is nothing to do.
    UpToDate,
    /// It could not be planned.
    Failed,
}

/// What the plan of a job is based on, for the reviewer. It contains no lists, so that plans stay readable for large accounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observed {
    /// The source that was chosen.
    pub source: Option<ObservedArtifact>,
    /// The newest copy in the destination.
    pub newest_copy: Option<ObservedArtifact>,
    /// The number of images or snapshots that the source was chosen from.
    pub sources: usize,
    /// The number of copies in the destination, in any state.
    pub copies: usize,
}

/// The essentials of an image or snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObservedArtifact {
    /// Its id.
    pub id: ArtifactId,
    /// When its data was captured (UTC, whole seconds). For a copy: the time of its source.
    pub data_time: Option<Timestamp>,
    /// Its state, as AWS calls it.
    pub state: ArtifactState,
    /// Its size in GiB, if AWS states it.
    pub size_gib: Option<u32>,
}
