//! A job while its plan is applied. What it needs next follows from its state, and its next state from state and event.

use std::sync::Arc;

use jiff::Timestamp;

use super::awaited_copy::{AwaitedCopy, CopyStatus, MAX_UNREADABLE};
use super::in_flight::refused;
use super::job_event::{Facts, JobEvent, Step};
use super::job_result::{JobResult, is_optional};
use super::precondition::{Precondition, Target, check, newer_source, source_of};
use crate::model::action::{Action, ActionName, Stage};
use crate::model::artifact::Artifact;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::SkipReason::{self, CopyNotAvailable};
use crate::model::reason::{StopReason, UnneededReason};
use crate::model::result::ActionOutcome::{AlreadyDone, Deferred, Failed, Skipped, Stale};
use crate::model::result::{ActionResult, SyncResult};

/// A job with actions.
pub(super) struct Job<'a> {
    pub(super) target: Arc<Target>,
    state: JobState<'a>,
    actions: JobResult<'a>,
    /// Whether the apply waits until copies are available.
    waits: bool,
    /// The copy that is still to be waited for before deletions.
    copy: Option<ArtifactId>,
}

/// Where a job is between two actions, or in one.
enum JobState<'a> {
    /// The next action has to be checked against a new observation.
    Unobserved,
    /// The observation is being made. Before, reads have failed since then.
    Observing(Option<Timestamp>),
    /// The action can be performed while these facts are recent.
    Observed(&'a Action, Facts),
    /// The action is being performed.
    Performing(&'a Action, Facts),
    /// AWS's limit of concurrent copies is reached, as the problem says.
    WaitingForSlot(&'a Action, Problem),
    /// What the action depends on can't be read at the moment; reads have failed since then.
    WaitingToRead(&'a Action, Timestamp, ProviderError),
    /// Everything but the deletions is done.
    WaitingForCopy(AwaitedCopy),
    /// Every action is over.
    Finished,
}

impl<'a> Job<'a> {
    /// Returns a job that has not started. If it is to delete and a copy is in progress, that comes first.
    pub(super) fn new(plan: &'a JobPlan, target: Target, waits: bool, now: Timestamp) -> Self {
        let deletes = plan.actions.last().map(Action::stage) == Some(Stage::Deletions);
        let copy = plan.copy_in_progress().filter(|_| waits && deletes);
        let mut job = Self {
            target: Arc::new(target),
            state: JobState::Unobserved,
            actions: JobResult::new(plan),
            waits,
            copy: copy.cloned(),
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
            JobState::Observed(action, facts) if facts.can_serve(action, now) => {
                Step::Perform(action)
            }
            JobState::Unobserved | JobState::Observed(..) => Step::Observe,
            JobState::WaitingForSlot(..) => Step::WaitForSlot,
            JobState::WaitingToRead(..) => Step::WaitToRead,
            JobState::WaitingForCopy(copy) => Step::WaitForCopy(copy),
            JobState::Observing(_) | JobState::Performing(..) | JobState::Finished => Step::Nothing,
        }
    }

    /// Returns the stage of the next action, unless the job waits or is finished.
    pub(super) fn active_stage(&self) -> Option<Stage> {
        match &self.state {
            JobState::Unobserved | JobState::Observing(_) => self.next_action().map(Action::stage),
            JobState::Observed(action, _) | JobState::Performing(action, _) => Some(action.stage()),
            JobState::WaitingForSlot(..) | JobState::WaitingToRead(..) => None,
            JobState::WaitingForCopy(_) | JobState::Finished => None,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(self.state, JobState::Finished)
    }

    pub(super) fn is_observing(&self) -> bool {
        matches!(self.state, JobState::Observing(_))
    }

    pub(super) fn is_performing(&self) -> bool {
        matches!(self.state, JobState::Performing(..))
    }

    pub(super) fn is_waiting_for_slot(&self) -> bool {
        matches!(self.state, JobState::WaitingForSlot(..))
    }

    pub(super) fn is_waiting_to_read(&self) -> bool {
        matches!(self.state, JobState::WaitingToRead(..))
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
            (S::WaitingToRead(_, since, _), E::ObservationStarted) => S::Observing(Some(since)),
            (S::Unobserved | S::Observed(..) | S::WaitingForSlot(..), E::ObservationStarted) => {
                S::Observing(None)
            }
            (S::Unobserved, E::Observed(facts)) => self.advance(Some(facts), now),
            (S::Observing(since), E::Observed(facts)) => self.observed(since, facts, now),
            (S::Observing(_), E::NotObserved) => {
                let problem = Problem::new("nothing was observed for the job");
                self.end(problem, &SkipReason::NotStarted)
            }
            (S::Observed(action, _), E::NoSlot(problem)) => S::WaitingForSlot(action, problem),
            (S::Observed(action, facts), E::PerformStarted) => S::Performing(action, facts),
            (S::Performing(action, facts), E::Performed(answer)) => {
                self.performed(action, facts, answer, now)
            }
            (S::WaitingForCopy(copy), E::CopyRead(answer, at)) => {
                let id = copy.id.clone();
                let source = self.actions.copy().map(source_of);
                match copy.observed(&answer, source.as_ref(), at) {
                    CopyStatus::InProgress(copy) => S::WaitingForCopy(copy),
                    CopyStatus::Available => self.advance(None, now),
                    CopyStatus::Lost(problem) => self.end(problem, &CopyNotAvailable(id)),
                }
            }
            (S::WaitingForCopy(copy), E::Stopped(reason)) => {
                self.end(copy.still_in_progress(&reason), &CopyNotAvailable(copy.id))
            }
            (S::WaitingForSlot(action, problem), E::Stopped(StopReason::WaitOver(_))) => {
                self.actions.not_done(action, Deferred, problem);
                self.skip_rest(&SkipReason::AfterNotDone(action.id().clone()))
            }
            (S::WaitingToRead(action, _, error), E::Stopped(StopReason::WaitOver(_))) => {
                self.stop(&SkipReason::NotRead(action.id().clone(), error))
            }
            (
                S::Unobserved | S::Observed(..) | S::WaitingForSlot(..) | S::WaitingToRead(..),
                E::Stopped(reason),
            ) => self.stop(&SkipReason::Stopped(reason)),
            (state, _) => state,
        };
    }

    /// Records everything up to the next action that has to be performed, or checked against newer facts.
    fn advance(&mut self, facts: Option<Facts>, now: Timestamp) -> JobState<'a> {
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
            let Some(known) = facts.as_ref().filter(|facts| facts.can_serve(action, now)) else {
                return JobState::Unobserved;
            };
            let observation = &known.observation;
            let done = ActionResult::new(action, AlreadyDone);
            match check(action, &self.target, self.copy_to_name(), observation) {
                Precondition::Go => {
                    let warning = newer_source(action, observation);
                    warning
                        .into_iter()
                        .for_each(|warning| self.actions.warn(warning));
                    let observed = |facts| JobState::Observed(action, facts);
                    return facts.map_or(JobState::Unobserved, observed);
                }
                Precondition::AlreadyDone(id) => self.done(done.resource(id)),
                Precondition::Unneeded(reason) => {
                    self.done(done.detail(reason.to_string()));
                    if let UnneededReason::NewerCopy(id) = reason {
                        self.copy = self.waits.then_some(id);
                    }
                }
                Precondition::Stale(difference) => {
                    self.actions.not_done(action, Stale, difference.problem());
                }
                Precondition::Unknown(error) => {
                    let reason = SkipReason::NotRead(action.id().clone(), error);
                    match reason.problem() {
                        Some(problem) if is_optional(action) => {
                            self.actions.not_done(action, Skipped, problem);
                        }
                        _ => return self.stop(&reason),
                    }
                }
            }
        }
    }

    /// With `--wait`, reads that fail at the moment are made again after a pause, though not for ever.
    fn observed(&mut self, since: Option<Timestamp>, facts: Facts, now: Timestamp) -> JobState<'a> {
        let since = since.unwrap_or(now);
        let is_patient = self.waits && now.duration_since(since) <= MAX_UNREADABLE;
        match (self.next_action(), facts.observation.error()) {
            (Some(action), Some(error))
                if is_patient && error.class.is_transient() && !is_optional(action) =>
            {
                JobState::WaitingToRead(action, since, error.clone())
            }
            _ => self.advance(Some(facts), now),
        }
    }

    fn performed(
        &mut self,
        action: &'a Action,
        facts: Facts,
        answer: Answer<ActionResult>,
        now: Timestamp,
    ) -> JobState<'a> {
        match (answer, action) {
            (Ok(result), _) => self.done(result),
            (Err(error), Action::Copy(copy)) if error.class == ErrorClass::Busy => {
                return JobState::WaitingForSlot(action, refused(copy, &error));
            }
            (Err(error), _) => {
                let problem = error.problem(format!("{} failed", action.id()));
                self.actions.not_done(action, Failed, problem);
            }
        }
        self.advance(Some(facts), now)
    }

    fn done(&mut self, result: ActionResult) {
        if self.waits && result.action == ActionName::Copy {
            self.copy.clone_from(&result.resource);
        }
        self.actions.record(result);
    }

    fn stop(&mut self, reason: &SkipReason) -> JobState<'a> {
        self.actions.report_skipped_rest(reason);
        self.skip_rest(reason)
    }

    fn end(&mut self, problem: Problem, reason: &SkipReason) -> JobState<'a> {
        self.actions.fail(problem);
        self.skip_rest(reason)
    }

    fn skip_rest(&mut self, reason: &SkipReason) -> JobState<'a> {
        self.actions.skip_rest(reason);
        JobState::Finished
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::job_event::fixtures::*;
    use super::JobEvent::{NoSlot, ObservationStarted, PerformStarted, Performed, Stopped};
    use super::*;
    use crate::model::result::ActionOutcome::Done;

    #[test]
    fn a_job_copies_tags_waits_and_deletes() {
        let plan = plan();
        let table = vec![
            (0, ObservationStarted, "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (61, PerformStarted, "nothing"),
            (61, PerformStarted, "nothing"),
            (62, done(&plan, 0, "rds-db-14"), "observe"),
            (62, ObservationStarted, "nothing"),
            (63, observed(source(), Stage::Tags, 62), "job/tag-source"),
            (63, PerformStarted, "nothing"),
            (64, done(&plan, 1, "rds:db-14"), "wait for rds-db-14"),
            (65, copy_read("creating", 65), "wait for rds-db-14"),
            (66, copy_read("available", 66), "observe"),
            (66, ObservationStarted, "nothing"),
            (67, observed(source(), Stage::Deletions, 66), "job/delete"),
            (67, PerformStarted, "nothing"),
            (68, done(&plan, 2, "rds-db-10"), "finished"),
        ];
        let result = run(&plan, true, table);
        assert!(result.completed, "{result:?}");
        assert_eq!(result.created_resource, Some(ArtifactId::from("rds-db-14")));
        assert_eq!(result.deleted_resources, [ArtifactId::from("rds-db-10")]);
    }

    #[test]
    fn without_waiting_a_job_without_a_slot_is_deferred() {
        let plan = plan();
        let busy = || error(ErrorClass::Busy);
        let over = StopReason::WaitOver(SignedDuration::ZERO);
        let table = vec![
            (0, ObservationStarted, "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (1, PerformStarted, "nothing"),
            (2, Performed(Err(busy())), "wait for a slot"),
            (3, ObservationStarted, "nothing"),
            (4, observed(source(), Stage::Copies, 3), "job/copy"),
            (4, NoSlot(busy().problem("refused")), "wait for a slot"),
            (5, Stopped(over), "finished"),
        ];
        let result = run(&plan, false, table);
        assert_eq!(outcomes(&result), [Deferred, Skipped, Skipped]);
        assert_eq!(result.errors.len(), 1, "{result:?}");
    }

    #[test]
    fn reads_that_fail_at_the_moment_are_made_again_for_ten_minutes_while_waiting() {
        let plan = plan();
        let fails = |class, now| observed(Err(error(class)), Stage::Copies, now);
        let table = vec![
            (0, ObservationStarted, "nothing"),
            (1, fails(ErrorClass::Throttled, 0), "wait to read"),
            (300, ObservationStarted, "nothing"),
            (301, fails(ErrorClass::Unknown, 300), "wait to read"),
            (700, ObservationStarted, "nothing"),
            (701, fails(ErrorClass::Throttled, 700), "finished"),
        ];
        assert_eq!(outcomes(&run(&plan, true, table)), [Skipped; 3]);
        for (class, waits) in [(ErrorClass::Denied, true), (ErrorClass::Throttled, false)] {
            let start = (0, ObservationStarted, "nothing");
            let table = vec![start, (1, fails(class, 0), "finished")];
            let result = run(&plan, waits, table);
            assert_eq!(result.errors.len(), 1, "{class:?}: {result:?}");
        }
    }

    #[test]
    fn a_job_can_be_stopped_unless_something_is_running() {
        let plan = plan();
        let table = vec![
            (0, ObservationStarted, "nothing"),
            (0, Stopped(StopReason::Interrupted), "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (1, PerformStarted, "nothing"),
            (1, Stopped(StopReason::Interrupted), "nothing"),
            (2, done(&plan, 0, "rds-db-14"), "job/tag-source"),
            (2, Stopped(StopReason::Interrupted), "finished"),
        ];
        let result = run(&plan, true, table);
        assert_eq!(outcomes(&result), [Done, Skipped, Skipped]);
        assert!(result.errors[0].message.contains("interrupted"));
    }
}
