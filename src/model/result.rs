//! The result of a job.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::{Action, ActionName};
use super::artifact::UndeletedSnapshot;
use super::ids::{ActionId, ArtifactId, JobName};
use super::problem::Problem;

/// The result of one sync job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[must_use = "a failed job says so here and nowhere else"]
pub struct SyncResult {
    /// The job's key in the config.
    pub name: JobName,
    /// Whether everything went as planned. A job with nothing to do is completed too.
    pub completed: bool,
    /// Whether a copy was due when the job was planned.
    pub sync_required: bool,
    /// The image or snapshot that AWS created for this run, if it did. The copy may still be in progress.
    pub created_resource: Option<ArtifactId>,
    /// The copies that this run deleted.
    pub deleted_resources: Vec<ArtifactId>,
    /// The result of each action, in plan order.
    pub actions: Vec<ActionResult>,
    /// What deserves attention.
    pub warnings: Vec<String>,
    /// Why the job is not completed.
    pub errors: Vec<Problem>,
}

impl SyncResult {
    /// Returns true if something did not go as planned, as `errors` says.
    pub fn failed(&self) -> bool {
        !self.completed
    }

    /// Returns true unless a copy was to be made and was not.
    pub fn is_copied(&self) -> bool {
        let mut copies = self
            .actions
            .iter()
            .filter(|action| action.action == ActionName::Copy);
        copies.all(|copy| copy.outcome.is_done())
    }

    /// Returns true if a copy was due when the job was planned.
    pub fn sync_required(&self) -> bool {
        self.sync_required
    }
}

/// The result of one action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionResult {
    /// The action's id in the plan.
    pub id: ActionId,
    /// Which action it is.
    pub action: ActionName,
    /// Its outcome.
    pub outcome: ActionOutcome,
    /// The image or snapshot that was made, found, tagged or deleted.
    pub resource: Option<ArtifactId>,
    /// Details, such as what differs or why it was skipped.
    pub detail: Option<String>,
    /// The backing snapshots that AWS did not delete with an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeleted_snapshots: Vec<UndeletedSnapshot>,
}

impl ActionResult {
    /// Returns a result without a resource and details.
    pub fn new(action: &Action, outcome: ActionOutcome) -> Self {
        Self {
            id: action.id().clone(),
            action: action.name(),
            outcome,
            resource: None,
            detail: None,
            undeleted_snapshots: Vec::new(),
        }
    }

    /// Returns the same result with an image or snapshot.
    #[must_use]
    pub fn resource(mut self, resource: ArtifactId) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Returns the same result with a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// The outcome of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOutcome {
    /// Performed.
    Done,
    /// Already done when it was to be performed.
    AlreadyDone,
    /// Not performed: what it depends on has changed since the plan was made.
    Stale,
    /// Not performed: AWS's limit of concurrent copies has been reached. Apply again later.
    Deferred,
    /// Not performed: an action before it was not done, or it could not be checked.
    Skipped,
    /// Attempted, and refused by AWS.
    Failed,
}

impl ActionOutcome {
    /// Returns true if the purpose of the action is fulfilled.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::AlreadyDone)
    }
}

/// The results of an apply, as they are saved in a results file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "The results of xrs")]
pub struct SavedResults {
    /// `major.minor`.
    #[schemars(regex(pattern = r"^2\.[0-9]+$"))]
    pub format_version: String,
    /// The version of xrs that wrote it.
    pub xrs_version: String,
    /// The digest of the plan that was applied.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub plan_digest: String,
    /// When the apply began (UTC), by the provider's clock.
    pub started_at: Timestamp,
    /// Whether every job is in it. Some are missing while an apply runs, and after it was killed.
    pub complete: bool,
    /// Whether the apply was interrupted, so that some actions were not started.
    #[serde(default)]
    pub interrupted: bool,
    /// One for each job, in plan order.
    pub results: Vec<SyncResult>,
}
