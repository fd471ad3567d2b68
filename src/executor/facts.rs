//! What is known about a job before an action: where it acts, and what was observed there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::action::{Action, Stage};
use crate::model::artifact::Artifact;
use crate::model::client_config::ClientConfig;
use crate::model::ids::{AccountId, ArtifactId};
use crate::model::inventory::{Answer, Observation};
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::ErrorClass;
use crate::observe::{CopyRequest, Request};

/// Where a job acts.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The account that the plan was made in.
    pub(super) account: AccountId,
    /// When the plan was made.
    pub(super) planned_at: Timestamp,
    /// Source, destination, and what is read there.
    pub(super) request: Request,
}

impl Target {
    /// Returns a request for a copy in the destination.
    pub(super) fn copy_request(&self, copy: &ArtifactId) -> CopyRequest {
        CopyRequest {
            job: self.request.job.clone(),
            kind: self.request.kind,
            at: self.request.destination.clone(),
            id: copy.clone(),
        }
    }

    /// Returns the target of a planned job, with the credentials of this caller.
    pub(super) fn of_plan(
        plan: &JobPlan,
        planned_at: Timestamp,
        caller: Option<&Result<Arc<ClientConfig>, Problem>>,
    ) -> Result<Self, Problem> {
        let credentials = caller.map(Result::as_ref).transpose();
        let credentials = credentials.map_err(Problem::clone)?;
        let request = credentials.and_then(|credentials| Request::of_plan(plan, credentials));
        match (plan.account_id.clone(), request) {
            (Some(account), Some(request)) => Ok(Self {
                account,
                planned_at,
                request,
            }),
            _ => Err(Problem::new(format!(
                "the plan of {} does not say which account, regions and credentials to use",
                plan.name
            ))),
        }
    }
}

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// What was observed for a job, if no error occurred.
pub(super) struct Facts {
    pub(super) account: AccountId,
    pub(super) sources: Vec<Artifact>,
    pub(super) copies: Vec<Artifact>,
    /// The resources that use the copies to be deleted, if AWS reports them. Observed only for deletions.
    pub(super) references: BTreeMap<ArtifactId, Vec<String>>,
    /// The copies that AWS called absent when asked what uses them: they were deleted while the rest was being read.
    pub(super) absent: BTreeSet<ArtifactId>,
    /// When observing started.
    observed_at: Timestamp,
    /// The stage that they were observed for.
    stage: Stage,
}

impl Facts {
    /// Returns the facts from an observation, or its first error. An incomplete observation yields no facts.
    pub(super) fn new(
        observation: Observation,
        observed_at: Timestamp,
        stage: Stage,
    ) -> Answer<Self> {
        let is_for_deletion = matches!(stage, Stage::MakingRoom | Stage::Deletions);
        let references = observation.references.into_iter();
        let references = references.filter(|_| is_for_deletion);
        let (absent, references): (Vec<_>, Vec<_>) = references.partition(|(_, users)| {
            let error = users.as_ref().err();
            error.is_some_and(|error| error.class == ErrorClass::Absent)
        });
        let references = references.into_iter();
        let references = references.map(|(id, users)| Ok((id, users?)));
        let mut sources = observation.sources?;
        sources.retain(|source| !source.is_of_other_service());
        Ok(Self {
            account: observation.identity?.account_id,
            sources,
            copies: observation.copies?,
            references: references.collect::<Answer<_>>()?,
            absent: absent.into_iter().map(|(id, _)| id).collect(),
            observed_at,
            stage,
        })
    }

    /// Returns true if the facts are recent enough for this action. A deletion needs facts that were observed for its own stage.
    pub(super) fn can_serve(&self, action: &Action, now: Timestamp) -> bool {
        let is_recent = now.duration_since(self.observed_at) <= MAX_AGE;
        let is_deletion = matches!(action, Action::Delete(_));
        is_recent && (!is_deletion || self.stage == action.stage())
    }
}
