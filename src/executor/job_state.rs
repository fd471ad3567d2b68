//! A job while its plan is applied: what it needs next is a function of its state, and its next state one of state and event.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::awaited_copy::{AwaitedCopy, CopyStatus, MAX_UNREADABLE};
use super::in_flight::refused;
use super::job_result::{JobResult, is_optional};
use super::precondition::{Precondition, Target, check, newer_source, source_of};
use crate::model::action::{Action, ActionName, Stage};
use crate::model::artifact::Artifact;
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Observation};
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::{SkipReason, StopReason, UnneededReason};
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// A job with actions.
pub(super) struct Job<'a> {
    pub(super) target: Arc<Target>,
    pub(super) state: JobState,
    actions: JobResult<'a>,
    /// Whether the apply waits until copies are available.
    waits: bool,
    /// The copy that is still to be waited for before deletions.
    copy: Option<ArtifactId>,
}

/// Where a job is between two actions, or in one.
pub(super) enum JobState {
    /// The next action has to be checked against a new observation.
    Unobserved,
    /// The observation is being made. Before, reads have failed since then.
    Observing(Option<Timestamp>),
    /// The next action can be performed while these facts are recent.
    Observed(Facts),
    /// The next action is being performed.
    Performing(Facts),
    /// AWS's limit of concurrent copies is reached, as the problem says.
    WaitingForSlot(Problem),
    /// What the next action depends on can't be read at the moment; reads have failed since then.
    WaitingToRead(Timestamp, ProviderError),
    /// Everything but the deletions is done.
    WaitingForCopy(AwaitedCopy),
    /// Every action is over.
    Finished,
}

/// What was observed for a job.
pub(super) struct Facts {
    pub(super) observation: Observation,
    /// When observing started.
    pub(super) observed_at: Timestamp,
    /// The stage that it was observed for.
    pub(super) stage: Stage,
}

impl Facts {
    /// Returns true if they are recent enough for an action of this stage. Deletions need those of their own stage. An error may
    /// be older: nothing but a failure follows from it.
    fn can_serve(&self, stage: Stage, now: Timestamp) -> bool {
        let is_recent = now.duration_since(self.observed_at) <= MAX_AGE;
        match stage {
            _ if stage == self.stage => is_recent || self.observation.error().is_some(),
            Stage::Copies | Stage::Tags => is_recent,
            Stage::Deletions => false,
        }
    }
}

/// What a job needs next.
pub(super) enum Step<'j, 'a> {
    /// A new observation.
    Observe,
    Perform(&'a Action),
    /// A slot, and then a new observation.
    WaitForSlot,
    /// A pause, and then a new observation.
    WaitToRead,
    WaitForCopy(&'j AwaitedCopy),
    /// The answer that is on its way, or nothing any more.
    Nothing,
}

/// What happens to a job.
pub(super) enum JobEvent {
    ObservationStarted,
    Observed(Facts),
    /// The observation says nothing about the job.
    NotObserved,
    /// There is no slot for the next action, a copy.
    NoSlot(Problem),
    PerformStarted,
    Performed(Answer<ActionResult>),
    /// The copy that is waited for was read at that time.
    CopyRead(Answer<Vec<Artifact>>, Timestamp),
    Stopped(StopReason),
}

impl<'a> Job<'a> {
    /// Returns a job that has not started. If it is to delete and a copy is in progress, that comes first.
    pub(super) fn new(plan: &'a JobPlan, target: Target, waits: bool, now: Timestamp) -> Self {
        let deletes = plan.actions.last().map(Action::stage) == Some(Stage::Deletions);
        let mut job = Self {
            target: Arc::new(target),
            state: JobState::Unobserved,
            actions: JobResult::new(plan),
            waits,
            copy: plan
                .copy_in_progress()
                .filter(|_| waits && deletes)
                .cloned(),
        };
        job.state = job.advance(None, now);
        job
    }

    pub(super) fn result(&self) -> &SyncResult {
        &self.actions.result
    }

    pub(super) fn into_result(self) -> SyncResult {
        self.actions.result
    }

    pub(super) fn next_action(&self) -> Option<&'a Action> {
        self.actions.next_action()
    }

    pub(super) fn copy_to_name(&self) -> Option<&ArtifactId> {
        self.actions.copy_to_name()
    }

    /// Returns what the job needs next.
    pub(super) fn next_step(&self, now: Timestamp) -> Step<'_, 'a> {
        match &self.state {
            JobState::Unobserved => Step::Observe,
            JobState::Observed(facts) => match self.next_action() {
                Some(action) if facts.can_serve(action.stage(), now) => Step::Perform(action),
                _ => Step::Observe,
            },
            JobState::WaitingForSlot(_) => Step::WaitForSlot,
            JobState::WaitingToRead(..) => Step::WaitToRead,
            JobState::WaitingForCopy(copy) => Step::WaitForCopy(copy),
            JobState::Observing(_) | JobState::Performing(_) | JobState::Finished => Step::Nothing,
        }
    }

    /// Returns the stage of the next action, unless the job waits or is finished.
    pub(super) fn active_stage(&self) -> Option<Stage> {
        match &self.state {
            JobState::Unobserved
            | JobState::Observing(_)
            | JobState::Observed(_)
            | JobState::Performing(_) => self.next_action().map(Action::stage),
            JobState::WaitingForSlot(_)
            | JobState::WaitingToRead(..)
            | JobState::WaitingForCopy(_)
            | JobState::Finished => None,
        }
    }

    /// Returns the copy that is waited for, if it was read and has changed since the last time.
    pub(super) fn changed_copy<'c>(
        &self,
        answer: &'c Answer<Vec<Artifact>>,
    ) -> Option<&'c Artifact> {
        let JobState::WaitingForCopy(awaited) = &self.state else {
            return None;
        };
        let copy = answer.iter().flatten().find(|copy| copy.id == awaited.id);
        copy.filter(|copy| awaited.has_changed(copy))
    }

    /// Changes the state as the event demands. An event that does not fit the state changes nothing.
    pub(super) fn on_event(&mut self, event: JobEvent, now: Timestamp) {
        use {JobEvent as E, JobState as S};
        let state = std::mem::replace(&mut self.state, S::Finished);
        self.state = match (state, event) {
            (S::WaitingToRead(since, _), E::ObservationStarted) => S::Observing(Some(since)),
            (S::Unobserved | S::Observed(_) | S::WaitingForSlot(_), E::ObservationStarted) => {
                S::Observing(None)
            }
            (S::Unobserved, E::Observed(facts)) => self.advance(Some(facts), now),
            (S::Observing(since), E::Observed(facts)) => self.observed(since, facts, now),
            (S::Observing(_), E::NotObserved) => {
                let problem = Problem::new("nothing was observed for the job");
                self.end(problem, &SkipReason::NotStarted)
            }
            (S::Observed(_), E::NoSlot(problem)) => S::WaitingForSlot(problem),
            (S::Observed(facts), E::PerformStarted) => S::Performing(facts),
            (S::Performing(facts), E::Performed(answer)) => self.performed(facts, answer, now),
            (S::WaitingForCopy(copy), E::CopyRead(answer, at)) => {
                let id = copy.id.clone();
                let source = self.actions.copy().map(source_of);
                match copy.observed(&answer, source.as_ref(), at) {
                    CopyStatus::InProgress(copy) => S::WaitingForCopy(copy),
                    CopyStatus::Available => self.advance(None, now),
                    CopyStatus::Lost(problem) => {
                        self.end(problem, &SkipReason::CopyNotAvailable(id))
                    }
                }
            }
            (S::WaitingForCopy(copy), E::Stopped(reason)) => {
                let problem = copy.still_in_progress(&reason);
                self.end(problem, &SkipReason::CopyNotAvailable(copy.id))
            }
            (S::WaitingForSlot(problem), E::Stopped(StopReason::WaitOver(_))) => {
                self.defer(problem)
            }
            (S::WaitingToRead(_, error), E::Stopped(StopReason::WaitOver(_))) => self.unread(error),
            (
                S::Unobserved | S::Observed(_) | S::WaitingForSlot(_) | S::WaitingToRead(..),
                E::Stopped(reason),
            ) => self.stop(&SkipReason::Stopped(reason)),
            (state, _) => state,
        };
    }

    /// Records everything up to the next action that has to be performed, or checked against newer facts.
    fn advance(&mut self, facts: Option<Facts>, now: Timestamp) -> JobState {
        loop {
            let next = self.next_action();
            if next.is_none_or(|action| action.stage() == Stage::Deletions)
                && let Some(id) = self.copy.take()
            {
                return JobState::WaitingForCopy(AwaitedCopy::new(id, now));
            }
            let Some(action) = next else {
                return JobState::Finished;
            };
            if let Some(reason) = self.actions.skip_reason(action) {
                self.actions.skip(action, &reason);
                continue;
            }
            let Some(known) = facts
                .as_ref()
                .filter(|facts| facts.can_serve(action.stage(), now))
            else {
                return JobState::Unobserved;
            };
            let done = ActionResult::new(action, ActionOutcome::AlreadyDone);
            match check(
                action,
                &self.target,
                self.copy_to_name(),
                &known.observation,
            ) {
                Precondition::Go => {
                    if let Action::Copy(copy) = action
                        && let Some(warning) = newer_source(copy, &known.observation)
                    {
                        self.actions.warn(warning);
                    }
                    return facts.map_or(JobState::Unobserved, JobState::Observed);
                }
                Precondition::AlreadyDone(id) => self.done(done.resource(id)),
                Precondition::Unneeded(reason) => {
                    self.done(done.detail(reason.to_string()));
                    if let UnneededReason::NewerCopy(id) = reason {
                        self.copy = self.waits.then_some(id);
                    }
                }
                Precondition::Stale(difference) => {
                    self.actions
                        .not_done(action, ActionOutcome::Stale, difference.problem());
                }
                Precondition::Unknown(error) if is_optional(action) => {
                    let problem =
                        error.problem(format!("failed to read what {} depends on", action.id()));
                    self.actions
                        .not_done(action, ActionOutcome::Skipped, problem);
                }
                Precondition::Unknown(error) => return self.unread(error),
            }
        }
    }

    /// With `--wait`, reads that fail at the moment are made again after a pause, though not for ever.
    fn observed(&mut self, since: Option<Timestamp>, facts: Facts, now: Timestamp) -> JobState {
        let since = since.unwrap_or(now);
        let is_needed = self
            .next_action()
            .is_some_and(|action| !is_optional(action));
        let is_patient = self.waits && is_needed && now.duration_since(since) <= MAX_UNREADABLE;
        match facts.observation.error() {
            Some(error) if is_patient && error.class.is_transient() => {
                JobState::WaitingToRead(since, error.clone())
            }
            _ => self.advance(Some(facts), now),
        }
    }

    fn performed(
        &mut self,
        facts: Facts,
        answer: Answer<ActionResult>,
        now: Timestamp,
    ) -> JobState {
        match (answer, self.next_action()) {
            (Ok(result), _) => self.done(result),
            (Err(error), Some(Action::Copy(copy))) if error.class == ErrorClass::Busy => {
                return JobState::WaitingForSlot(refused(copy, &error));
            }
            (Err(error), Some(action)) => {
                let problem = error.problem(format!("{} failed", action.id()));
                self.actions
                    .not_done(action, ActionOutcome::Failed, problem);
            }
            (Err(_), None) => {}
        }
        self.advance(Some(facts), now)
    }

    fn done(&mut self, result: ActionResult) {
        if self.waits && result.action == ActionName::Copy {
            self.copy.clone_from(&result.resource);
        }
        self.actions.record(result);
    }

    /// Ends a job that has got no slot.
    fn defer(&mut self, problem: Problem) -> JobState {
        let Some(action) = self.next_action() else {
            return JobState::Finished;
        };
        self.actions
            .not_done(action, ActionOutcome::Deferred, problem);
        self.actions
            .skip_rest(&SkipReason::AfterNotDone(action.id().clone()));
        JobState::Finished
    }

    /// Ends a job of which it can't be read what its next action depends on.
    fn unread(&mut self, error: ProviderError) -> JobState {
        match self.next_action() {
            Some(action) => self.stop(&SkipReason::NotRead(action.id().clone(), error)),
            None => JobState::Finished,
        }
    }

    fn stop(&mut self, reason: &SkipReason) -> JobState {
        self.actions.stop(reason);
        JobState::Finished
    }

    fn end(&mut self, problem: Problem, reason: &SkipReason) -> JobState {
        self.actions.fail(problem);
        self.actions.skip_rest(reason);
        JobState::Finished
    }
}
