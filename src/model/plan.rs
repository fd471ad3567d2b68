//! The plan: the frozen list of actions per job, each with its reason and what it expects to find.
//!
//! These types are the format of `plan.json`. Within a major version keys are only added.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Action, Wave};
use super::id::{AccountId, DbInstance, ImageId, JobName, Region};
use super::inventory::{ProviderKind, State};
use super::job::SyncType;
use super::problem::Problem;
use super::words::count;

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A plan of xrs")]
pub struct SavedPlan {
    /// `major.minor`.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub format_version: String,
    /// The version of xrs that made it.
    pub xrs_version: String,
    /// When it was made (UTC), by the provider's clock.
    pub created_at: Timestamp,
    /// `sha256:…` over format version, provider, selection and jobs: the thing that is approved.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigRef {
    /// As it was given on the command line.
    pub path: String,
    /// `sha256:…` over its bytes.
    pub sha256: String,
}

/// What the jobs of a plan come to, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
            "{}, {copy_image} copy_image, {copy_snapshot} copy_snapshot, {tag_copy} tag_copy, \
             {tag_source} tag_source, {delete_snapshot} delete_snapshot, {up_to_date} up_to_date, {failed} failed",
            count(*jobs, "job", "jobs")
        )
    }
}

/// What is to become of one job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl JobPlan {
    /// Whether a copy is to be made.
    pub fn has_a_copy_to_make(&self) -> bool {
        self.actions
            .iter()
            .any(|action| action.wave() == Wave::Copies)
    }

    /// Its newest copy, if that takes a place among the copies in flight and no other is to be made.
    pub fn copy_in_flight(&self) -> Option<&str> {
        self.newest_copy(State::is_in_flight)
    }

    /// Its newest copy, if that is not available yet and no other is to be made.
    pub fn copy_under_way(&self) -> Option<&str> {
        self.newest_copy(State::is_under_way)
    }

    fn newest_copy(&self, is: impl Fn(&State) -> bool) -> Option<&str> {
        let newest = self.observed.as_ref()?.newest_copy.as_ref()?;
        let wanted = !self.has_a_copy_to_make() && is(&State::from(newest.state.as_str()));
        wanted.then_some(newest.id.as_str())
    }
}

/// What a job is about: what is looked at again when its plan is applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The image that was chosen.
    Image(ImageId),
    /// The database.
    Database(DbInstance),
}

/// One end of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct End {
    /// Its region.
    pub region: Region,
}

/// Where the credentials of a job come from. None of them is ever written into a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientConfigRef {
    /// The SDK's default chain, or the config.
    pub from: CredentialsFrom,
    /// SHA-256 over the client settings without secrets.
    pub fingerprint: String,
    /// The endpoint in place of AWS's own, if one was in force.
    pub endpoint_url: Option<String>,
}

/// Where credentials come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsFrom {
    /// Environment, profile, container or instance role: whatever the SDK finds.
    DefaultChain,
    /// `aws_client_config` of the config file.
    Config,
}

/// What a job came to when it was planned.
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

/// What a job's plan rests on, for the reviewer. No lists: a plan stays readable however large the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
