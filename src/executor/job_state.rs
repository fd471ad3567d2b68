//! A job while its plan is applied: what it needs next is a function of its state, and its next state one of state and event.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::awaited_copy::{AwaitedCopy, CopyStatus, MAX_UNREADABLE};
use super::in_flight::refused;
use super::precondition::{Precondition, Target, check, newer_source, source_of};
use crate::model::action::{Action, ActionName, KnownCopy, Stage};
use crate::model::artifact::Artifact;
use crate::model::client_config::ClientConfig;
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Observation};
use crate::model::plan::{JobPlan, Outcome};
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::{SkipReason, StopReason, UnneededReason};
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};
use crate::observe::Request;

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// A job with actions.
pub(super) struct Job<'a> {
    plan: &'a JobPlan,
    target: Arc<Target>,
    /// Whether the apply waits until copies are available.
    waits: bool,
    /// The copy that is still to be waited for before deletions.
    copy: Option<ArtifactId>,
    /// Has a result for each action that is over. Actions are listed in the order of their stages.
    result: SyncResult,
    state: JobState,
}

/// Where a job is between two actions, or in one.
enum JobState {
    /// The next action has to be checked against a new observation.
    Unobserved,
    /// The observation is being made; if the job waited for a slot before, it may have to wait again.
    Observing(Option<SlotWait>),
    /// The next action can be performed while these facts are recent.
    Observed(Facts),
    /// The next action is being performed.
    Performing(Facts),
    /// AWS's limit of concurrent copies is reached.
    WaitingForSlot(SlotWait),
    /// Everything but the deletions is done.
    WaitingForCopy(AwaitedCopy),
    /// Every action has a result.
    Finished,
}

/// Why a copy waits to be started.
enum SlotWait {
    /// There is no slot.
    Full(Problem),
    /// There was a slot, but what the copy depends on has not been readable since then.
    Unreadable(Timestamp, ProviderError),
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
    Observe,
    Perform(&'a Action),
    WaitForSlot,
    WaitForCopy(&'j AwaitedCopy),
    /// An answer, or nothing any more.
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
    /// Returns a job that can be started, or else its result.
    pub(super) fn new(
        plan: &'a JobPlan,
        caller: Option<&Result<Arc<ClientConfig>, Problem>>,
        waits: bool,
        now: Timestamp,
    ) -> Result<Self, SyncResult> {
        let mut result = SyncResult {
            name: plan.name.clone(),
            completed: plan.outcome != Outcome::Failed,
            sync_required: plan.has_copy(),
            created_resource: None,
            deleted_resources: Vec::new(),
            actions: Vec::new(),
            warnings: plan.warnings.clone(),
            errors: plan.errors.clone(),
        };
        if plan.actions.is_empty() {
            return Err(result);
        }
        match target(plan, caller) {
            Ok(target) => {
                let last = plan.actions.last().map(Action::stage);
                let is_awaited = waits && last == Some(Stage::Deletions);
                let mut job = Self {
                    plan,
                    target: Arc::new(target),
                    waits,
                    copy: plan.copy_in_progress().filter(|_| is_awaited).cloned(),
                    result,
                    state: JobState::Unobserved,
                };
                job.state = job.advance(None, now);
                Ok(job)
            }
            Err(problem) => {
                result.completed = false;
                result.errors.push(problem);
                let actions = plan.actions.iter();
                result.actions = actions
                    .map(|action| skipped(action, &SkipReason::NotStarted))
                    .collect();
                Err(result)
            }
        }
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    pub(super) fn result(&self) -> &SyncResult {
        &self.result
    }

    pub(super) fn into_result(self) -> SyncResult {
        self.result
    }

    /// Returns the first action that has no result yet.
    pub(super) fn next_action(&self) -> Option<&'a Action> {
        self.plan.actions.get(self.result.actions.len())
    }

    /// Returns what the job needs next.
    pub(super) fn next_step(&self, now: Timestamp) -> Step<'_, 'a> {
        match &self.state {
            JobState::Unobserved => Step::Observe,
            JobState::Observed(facts) => match self.next_action() {
                Some(action) if facts.can_serve(action.stage(), now) => Step::Perform(action),
                _ => Step::Observe,
            },
            JobState::Observing(_) | JobState::Performing(_) | JobState::Finished => Step::Nothing,
            JobState::WaitingForSlot(_) => Step::WaitForSlot,
            JobState::WaitingForCopy(copy) => Step::WaitForCopy(copy),
        }
    }

    /// Returns the stage of the next action, unless the job waits or is finished.
    pub(super) fn active_stage(&self) -> Option<Stage> {
        match &self.state {
            JobState::WaitingForSlot(_) | JobState::WaitingForCopy(_) | JobState::Finished => None,
            JobState::Unobserved
            | JobState::Observing(_)
            | JobState::Observed(_)
            | JobState::Performing(_) => self.next_action().map(Action::stage),
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(self.state, JobState::Finished)
    }

    pub(super) fn is_observing(&self) -> bool {
        matches!(self.state, JobState::Observing(_))
    }

    pub(super) fn is_performing(&self) -> bool {
        matches!(self.state, JobState::Performing(_))
    }

    pub(super) fn is_waiting_for_slot(&self) -> bool {
        matches!(self.state, JobState::WaitingForSlot(_))
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

    /// Returns the copy that the next action names on a source, once it is known.
    pub(super) fn copy_to_name(&self) -> Option<&ArtifactId> {
        let Some(Action::TagSource(tag)) = self.next_action() else {
            return None;
        };
        match &tag.copy {
            KnownCopy::Id(id) => Some(id),
            KnownCopy::OfAction(id) => {
                let mut results = self.result.actions.iter();
                results.find(|result| result.id == *id)?.resource.as_ref()
            }
        }
    }

    /// Changes the state as the event demands. An event that does not fit the state changes nothing.
    pub(super) fn on_event(&mut self, event: JobEvent, now: Timestamp) {
        use {JobEvent as E, JobState as S};
        let state = std::mem::replace(&mut self.state, S::Finished);
        self.state = match (state, event) {
            (S::Unobserved | S::Observed(_), E::ObservationStarted) => S::Observing(None),
            (S::WaitingForSlot(wait), E::ObservationStarted) => S::Observing(Some(wait)),
            (S::Unobserved | S::Observing(None), E::Observed(facts)) => {
                self.advance(Some(facts), now)
            }
            (S::Observing(Some(wait)), E::Observed(facts)) => self.retried(wait, facts, now),
            (S::Observing(_), E::NotObserved) => self.end(
                Problem::new("nothing was observed for the job"),
                &SkipReason::NotStarted,
            ),
            (S::Observed(_), E::NoSlot(problem)) => S::WaitingForSlot(SlotWait::Full(problem)),
            (S::Observed(facts), E::PerformStarted) => S::Performing(facts),
            (S::Performing(facts), E::Performed(answer)) => self.performed(facts, answer, now),
            (S::WaitingForCopy(copy), E::CopyRead(answer, at)) => {
                self.copy_read(copy, &answer, at, now)
            }
            (S::WaitingForCopy(copy), E::Stopped(reason)) => {
                let problem = copy.still_in_progress(&reason);
                self.end(problem, &SkipReason::CopyNotAvailable(copy.id))
            }
            (S::WaitingForSlot(wait), E::Stopped(StopReason::WaitOver(_))) => {
                self.not_started(wait)
            }
            (S::Unobserved | S::Observed(_) | S::WaitingForSlot(_), E::Stopped(reason)) => {
                self.stop(&SkipReason::Stopped(reason))
            }
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
            let done = ActionResult::new(action, ActionOutcome::AlreadyDone);
            if let Some(reason) = self.skip_reason(action) {
                self.record(skipped(action, &reason));
                continue;
            }
            let Some(known) = facts
                .as_ref()
                .filter(|facts| facts.can_serve(action.stage(), now))
            else {
                return JobState::Unobserved;
            };
            match check(
                action,
                &self.target,
                self.copy_to_name(),
                &known.observation,
            ) {
                Precondition::Go => {
                    self.warn_of_newer_source(action, &known.observation);
                    return facts.map_or(JobState::Unobserved, JobState::Observed);
                }
                Precondition::AlreadyDone(id) => self.record(done.resource(id)),
                Precondition::Unneeded(reason) => {
                    self.record(done.detail(reason.to_string()));
                    if let UnneededReason::NewerCopy(id) = reason {
                        self.copy = self.waits.then_some(id);
                    }
                }
                Precondition::Stale(difference) => {
                    self.not_done(action, ActionOutcome::Stale, difference.problem())
                }
                Precondition::Unknown(error) => {
                    let reason = SkipReason::NotRead(action.id().clone(), error);
                    match reason.problem() {
                        Some(problem) if is_optional(action) => {
                            self.not_done(action, ActionOutcome::Skipped, problem)
                        }
                        _ => return self.stop(&reason),
                    }
                }
            }
        }
    }

    /// Returns why an action can't be performed after what became of those before it.
    fn skip_reason(&self, action: &Action) -> Option<SkipReason> {
        let results = self.result.actions.iter().zip(&self.plan.actions);
        let mut done = results
            .clone()
            .filter(|(result, _)| result.outcome.is_done());
        let mut not_done = results.filter(|(result, _)| !result.outcome.is_done());
        let after = action
            .after()
            .filter(|after| !done.any(|(result, _)| result.id == **after));
        let of_earlier_stage = || {
            let is_needed = |other: &Action| other.stage() < action.stage() && !is_optional(other);
            Some(not_done.find(|(_, other)| is_needed(other))?.1.id())
        };
        let not_done = after.or_else(of_earlier_stage)?;
        Some(SkipReason::AfterNotDone(not_done.clone()))
    }

    /// A copy that waited for a slot waits again if what it depends on can't be read for the moment, though not for ever.
    fn retried(&mut self, wait: SlotWait, facts: Facts, now: Timestamp) -> JobState {
        let since = match wait {
            SlotWait::Full(_) => now,
            SlotWait::Unreadable(since, _) => since,
        };
        let is_patient = self.waits && now.duration_since(since) <= MAX_UNREADABLE;
        match facts.observation.error() {
            Some(error) if is_patient && error.class.is_transient() => {
                JobState::WaitingForSlot(SlotWait::Unreadable(since, error.clone()))
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
            (Ok(result), _) => self.record(result),
            (Err(error), Some(Action::Copy(copy))) if error.class == ErrorClass::Busy => {
                return JobState::WaitingForSlot(SlotWait::Full(refused(copy, &error)));
            }
            (Err(error), Some(action)) => {
                let problem = error.problem(format!("{} failed", action.id()));
                self.not_done(action, ActionOutcome::Failed, problem);
            }
            (Err(_), None) => {}
        }
        self.advance(Some(facts), now)
    }

    fn copy_read(
        &mut self,
        copy: AwaitedCopy,
        answer: &Answer<Vec<Artifact>>,
        at: Timestamp,
        now: Timestamp,
    ) -> JobState {
        let id = copy.id.clone();
        let source = self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) => Some(source_of(copy)),
            Action::TagCopy(_) | Action::TagSource(_) | Action::Delete(_) => None,
        });
        match copy.observed(answer, source.as_ref(), at) {
            CopyStatus::InProgress(copy) => JobState::WaitingForCopy(copy),
            CopyStatus::Available => self.advance(None, now),
            CopyStatus::Lost(problem) => self.end(problem, &SkipReason::CopyNotAvailable(id)),
        }
    }

    /// Ends a job that has waited for a slot in vain.
    fn not_started(&mut self, wait: SlotWait) -> JobState {
        match (wait, self.next_action()) {
            (SlotWait::Full(problem), Some(action)) => {
                self.not_done(action, ActionOutcome::Deferred, problem);
                self.skip_rest(&SkipReason::AfterNotDone(action.id().clone()))
            }
            (SlotWait::Unreadable(_, error), Some(action)) => {
                self.stop(&SkipReason::NotRead(action.id().clone(), error))
            }
            (_, None) => JobState::Finished,
        }
    }

    /// Skips everything that is left. What is left of a job that has no more than its source to tag is no failure, unless the
    /// apply was interrupted.
    fn stop(&mut self, reason: &SkipReason) -> JobState {
        let is_interrupted = *reason == SkipReason::Stopped(StopReason::Interrupted);
        let mut left = self.plan.actions.iter().skip(self.result.actions.len());
        match reason.problem() {
            Some(problem) if is_interrupted || !left.all(is_optional) => self.fail(problem),
            Some(problem) => self.result.warnings.push(problem.to_string()),
            None => {}
        }
        self.skip_rest(reason)
    }

    fn end(&mut self, problem: Problem, reason: &SkipReason) -> JobState {
        self.fail(problem);
        self.skip_rest(reason)
    }

    fn skip_rest(&mut self, reason: &SkipReason) -> JobState {
        while let Some(action) = self.next_action() {
            self.record(skipped(action, reason));
        }
        JobState::Finished
    }

    fn warn_of_newer_source(&mut self, action: &Action, observation: &Observation) {
        if let Action::Copy(copy) = action
            && let Some(warning) = newer_source(copy, observation)
            && !self.result.warnings.contains(&warning)
        {
            self.result.warnings.push(warning);
        }
    }

    /// Records an action that is not done, and reports why: as a warning if the job is complete without it.
    fn not_done(&mut self, action: &Action, outcome: ActionOutcome, problem: Problem) {
        self.record(ActionResult::new(action, outcome).detail(problem.to_string()));
        if is_optional(action) {
            self.result.warnings.push(problem.to_string());
        } else {
            self.fail(problem);
        }
    }

    fn fail(&mut self, problem: Problem) {
        self.result.completed = false;
        self.result.errors.push(problem);
    }

    fn record(&mut self, result: ActionResult) {
        let is_new = result.outcome == ActionOutcome::Done;
        if let Some(id) = &result.resource {
            match result.action {
                ActionName::Copy => {
                    self.result.created_resource = is_new.then(|| id.clone());
                    self.copy = self.waits.then(|| id.clone());
                }
                ActionName::Delete if is_new => self.result.deleted_resources.push(id.clone()),
                ActionName::Delete | ActionName::TagCopy | ActionName::TagSource => {}
            }
        }
        self.result.actions.push(result);
    }
}

/// Returns true if a job is complete without this action: the tag on a source is a note, and that on the copy is the truth.
fn is_optional(action: &Action) -> bool {
    matches!(action, Action::TagSource(_))
}

fn skipped(action: &Action, reason: &SkipReason) -> ActionResult {
    ActionResult::new(action, ActionOutcome::Skipped).detail(reason.to_string())
}

fn target(
    plan: &JobPlan,
    caller: Option<&Result<Arc<ClientConfig>, Problem>>,
) -> Result<Target, Problem> {
    let credentials = caller
        .map(|caller| caller.as_ref().map_err(Clone::clone))
        .transpose()?;
    let target = || {
        Some(Target {
            account: plan.account_id.clone()?,
            request: Request::of_plan(plan, credentials?)?,
        })
    };
    let message = format!(
        "the plan of {} does not state where and with which credentials to act",
        plan.name
    );
    target().ok_or_else(|| Problem::new(message))
}
