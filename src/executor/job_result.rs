//! The results of a job's actions so far.

use crate::model::action::{Action, ActionName, Copy, Delete, KnownCopy};
use crate::model::ids::ArtifactId;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::reason::{SkipReason, StopReason};
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};

/// The plan of a job, and its result so far, with one entry for each finished action. Actions are listed, and finish, in the order
/// of their stages.
pub(super) struct JobResult<'a> {
    plan: &'a JobPlan,
    pub(super) result: SyncResult,
}

impl<'a> JobResult<'a> {
    pub(super) fn new(plan: &'a JobPlan) -> Self {
        let result = SyncResult {
            name: plan.name.clone(),
            completed: plan.errors.is_empty(),
            sync_required: plan.has_copy(),
            created_resource: None,
            deleted_resources: Vec::new(),
            actions: Vec::new(),
            warnings: plan.warnings.clone(),
            errors: plan.errors.clone(),
        };
        Self { plan, result }
    }

    /// Returns the result of a job that can't be started.
    pub(super) fn not_started(plan: &'a JobPlan, problem: Problem) -> SyncResult {
        let mut actions = Self::new(plan);
        actions.fail(problem);
        actions.skip_rest(&SkipReason::NotStarted);
        actions.result
    }

    /// Returns the first unfinished action.
    pub(super) fn next(&self) -> Option<&'a Action> {
        self.plan.actions.get(self.result.actions.len())
    }

    /// Returns the copy that the job makes, if it makes one.
    pub(super) fn copy(&self) -> Option<&'a Copy> {
        self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) => Some(copy),
            Action::TagCopy(_) | Action::TagSource(_) | Action::Delete(_) => None,
        })
    }

    /// Returns the unfinished deletions.
    pub(super) fn deletions(&self) -> impl Iterator<Item = &'a Delete> {
        let left = self.plan.actions.iter().skip(self.result.actions.len());
        left.filter_map(|action| match action {
            Action::Delete(delete) => Some(delete),
            Action::Copy(_) | Action::TagCopy(_) | Action::TagSource(_) => None,
        })
    }

    /// Returns why an action can't be performed, given the results of those before it.
    pub(super) fn skip_reason(&self, action: &Action) -> Option<SkipReason> {
        let is_needed = |other: &Action| {
            let is_earlier = other.stage() < action.stage() && !is_optional(other);
            is_earlier || action.after() == Some(other.id())
        };
        let mut over = self.result.actions.iter().zip(&self.plan.actions);
        let missing = over.find(|(result, other)| !result.outcome.is_done() && is_needed(other));
        missing.map(|(_, other)| SkipReason::AfterNotDone(other.id().clone()))
    }

    /// Returns the copy that the next action names on a source, once it is known.
    pub(super) fn copy_to_name(&self) -> Option<&ArtifactId> {
        match self.next()? {
            Action::TagSource(tag) => match &tag.copy {
                KnownCopy::Id(id) => Some(id),
                KnownCopy::OfAction(id) => {
                    let mut results = self.result.actions.iter();
                    results.find(|result| result.id == *id)?.resource.as_ref()
                }
            },
            Action::Copy(_) | Action::TagCopy(_) | Action::Delete(_) => None,
        }
    }

    pub(super) fn record(&mut self, result: ActionResult) {
        let done = result.resource.as_ref();
        let done = done.filter(|_| result.outcome == ActionOutcome::Done);
        match (result.action, done) {
            (ActionName::Copy, Some(id)) => self.result.created_resource = Some(id.clone()),
            (ActionName::Delete, Some(id)) => self.result.deleted_resources.push(id.clone()),
            _ => {}
        }
        self.result.actions.push(result);
    }

    /// Records an action that was not done, and why: as a warning if the job is complete without it, otherwise as an error.
    pub(super) fn not_done(
        &mut self,
        action: &Action,
        outcome: ActionOutcome,
        detail: String,
        problem: Problem,
    ) {
        self.record(ActionResult::new(action, outcome).detail(detail));
        if is_optional(action) {
            self.warn(problem.to_string());
        } else {
            self.fail(problem);
        }
    }

    /// Skips all remaining actions, and reports why. It is not a failure if only optional actions remain, unless the apply was
    /// interrupted.
    pub(super) fn skip_rest(&mut self, reason: &SkipReason) {
        let is_interrupted = *reason == SkipReason::Stopped(StopReason::Interrupted);
        let mut left = self.plan.actions.iter().skip(self.result.actions.len());
        match reason.problem() {
            Some(problem) if is_interrupted || !left.all(is_optional) => self.fail(problem),
            Some(problem) => self.warn(problem.to_string()),
            None => {}
        }
        while let Some(action) = self.next() {
            self.skip(action, reason);
        }
    }

    pub(super) fn skip(&mut self, action: &Action, reason: &SkipReason) {
        let skipped = ActionResult::new(action, ActionOutcome::Skipped);
        self.record(skipped.detail(reason.to_string()));
    }

    pub(super) fn fail(&mut self, problem: Problem) {
        self.result.completed = false;
        self.result.errors.push(problem);
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.result.warnings.contains(&warning) {
            self.result.warnings.push(warning);
        }
    }
}

/// Returns true if a job is complete without this action: the tag on a source is only a note; the one on the copy is authoritative.
pub(super) fn is_optional(action: &Action) -> bool {
    matches!(action, Action::TagSource(_))
}
