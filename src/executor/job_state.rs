//! A job while its plan is applied: what it needs next is a function of its state, and its next state one of state and event.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::awaited_copy::{AwaitedCopy, CopyStatus, MAX_UNREADABLE};
use super::in_flight::refused;
use super::options::Wait;
use super::perform::Performed;
use super::precondition::{Precondition, Target, check, newer_source, source_of};
use crate::model::action::{Action, ActionName, KnownCopy, Stage};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::client_config::ClientConfig;
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Observation};
use crate::model::plan::{JobPlan, Outcome};
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::{SkipReason, UnneededReason};
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};
use crate::model::words::span;
use crate::observe::Request;

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// A job with actions.
pub(super) struct Job<'a> {
    plan: &'a JobPlan,
    target: Arc<Target>,
    /// Whether the apply waits until copies are available.
    waits: bool,
    /// The copy that is waited for before the deletions, if it is not available yet.
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
    /// Returns true if they are recent enough for an action of this stage. Deletions need those of their own stage.
    fn can_serve(&self, stage: Stage, now: Timestamp) -> bool {
        now.duration_since(self.observed_at) <= MAX_AGE
            && (stage != Stage::Deletions || self.stage == Stage::Deletions)
    }
}

/// What a job needs next.
pub(super) enum Step<'a> {
    Observe,
    Perform(&'a Action),
    /// An action is being performed.
    Performing,
    /// An observation is being made.
    Observing,
    WaitForSlot,
    WaitForCopy(&'a AwaitedCopy),
    Finished,
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
    Performed(Answer<Performed>),
    /// The copy that is waited for was read at that time.
    CopyRead(Answer<Vec<Artifact>>, Timestamp),
    Stopped(Stop),
}

/// Why a job can't go on.
#[derive(Clone)]
pub(super) enum Stop {
    Interrupted,
    /// The credentials have expired, as AWS says.
    Expired(ProviderError),
    /// There is no more waiting.
    WaitOver(Wait),
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
                let deletes = plan.actions.iter().any(|action| action.stage() == Stage::Deletions);
                let copy = plan.copy_in_progress().filter(|_| waits && deletes);
                let mut job = Self {
                    plan,
                    target: Arc::new(target),
                    waits,
                    copy: copy.cloned(),
                    result,
                    state: JobState::Unobserved,
                };
                job.advance(None, now);
                Ok(job)
            }
            Err(problem) => {
                result.completed = false;
                result.errors.push(problem);
                let skipped = plan.actions.iter().map(|action| skipped(action, &SkipReason::NotStarted));
                result.actions = skipped.collect();
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
    pub(super) fn next_step(&self, now: Timestamp) -> Step<'_> {
        match &self.state {
            JobState::Unobserved => Step::Observe,
            JobState::Observed(facts) => match self.next_action() {
                Some(action) if facts.can_serve(action.stage(), now) => Step::Perform(action),
                _ => Step::Observe,
            },
            JobState::Observing(_) => Step::Observing,
            JobState::Performing(_) => Step::Performing,
            JobState::WaitingForSlot(_) => Step::WaitForSlot,
            JobState::WaitingForCopy(copy) => Step::WaitForCopy(copy),
            JobState::Finished => Step::Finished,
        }
    }

    /// Returns the stage of the next action, unless the job waits or is finished.
    pub(super) fn active_stage(&self) -> Option<Stage> {
        match &self.state {
            JobState::WaitingForSlot(_) | JobState::WaitingForCopy(_) | JobState::Finished => None,
            JobState::Unobserved | JobState::Observing(_) | JobState::Observed(_) | JobState::Performing(_) => {
                self.next_action().map(Action::stage)
            }
        }
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
        let state = std::mem::replace(&mut self.state, JobState::Finished);
        match (state, event) {
            (JobState::Unobserved | JobState::Observed(_), JobEvent::ObservationStarted) => {
                self.state = JobState::Observing(None);
            }
            (JobState::WaitingForSlot(wait), JobEvent::ObservationStarted) => {
                self.state = JobState::Observing(Some(wait));
            }
            (JobState::Unobserved, JobEvent::Observed(facts)) => self.advance(Some(facts), now),
            (JobState::Observing(wait), JobEvent::Observed(facts)) => self.observed(wait, facts, now),
            (JobState::Observing(_), JobEvent::NotObserved) => {
                self.fail(Problem::new(format!("nothing was observed for {}", self.plan.name)));
                self.skip_rest(&SkipReason::NotStarted);
            }
            (JobState::Observed(_), JobEvent::NoSlot(problem)) => {
                self.state = JobState::WaitingForSlot(SlotWait::Full(problem));
            }
            (JobState::Observed(facts), JobEvent::PerformStarted) => {
                self.state = JobState::Performing(facts);
            }
            (JobState::Performing(facts), JobEvent::Performed(answer)) => {
                self.performed(facts, answer, now);
            }
            (JobState::WaitingForCopy(copy), JobEvent::CopyRead(answer, at)) => {
                self.copy_read(copy, &answer, at, now);
            }
            (JobState::WaitingForSlot(wait), JobEvent::Stopped(stop)) => self.stop_slot_wait(wait, stop),
            (JobState::WaitingForCopy(copy), JobEvent::Stopped(stop)) => {
                self.fail(copy.still_in_progress(&stop.to_string()));
                self.skip_rest(&SkipReason::CopyNotAvailable(copy.id));
            }
            (JobState::Unobserved | JobState::Observed(_), JobEvent::Stopped(Stop::Interrupted)) => {
                self.stop(&SkipReason::Interrupted);
            }
            (JobState::Unobserved | JobState::Observed(_), JobEvent::Stopped(Stop::Expired(error))) => {
                self.stop(&SkipReason::Expired(error));
            }
            (state, _) => self.state = state,
        }
    }

    /// Records everything up to the next action that has to be performed or checked against newer facts.
    fn advance(&mut self, facts: Option<Facts>, now: Timestamp) {
        loop {
            let next = self.next_action();
            if next.is_none_or(|action| action.stage() == Stage::Deletions)
                && let Some(id) = self.copy.take()
            {
                self.state = JobState::WaitingForCopy(AwaitedCopy::new(id, now));
                return;
            }
            let Some(action) = next else {
                self.state = JobState::Finished;
                return;
            };
            if let Some(reason) = self.skip_reason(action) {
                self.record(skipped(action, &reason));
                continue;
            }
            // Nothing but a failed action follows from an error, however old it is.
            let is_usable = |facts: &&Facts| {
                facts.can_serve(action.stage(), now)
                    || facts.stage == action.stage() && facts.observation.error().is_some()
            };
            let Some(known) = facts.as_ref().filter(is_usable) else {
                self.state = JobState::Unobserved;
                return;
            };
            match check(action, &self.target, self.copy_to_name(), &known.observation) {
                Precondition::Go => {
                    self.warn_of_newer_source(action, &known.observation);
                    self.state = facts.map_or(JobState::Unobserved, JobState::Observed);
                    return;
                }
                Precondition::AlreadyDone(id) => {
                    self.wait_for(action, &id, &known.observation);
                    self.record(ActionResult::new(action, ActionOutcome::AlreadyDone).resource(id));
                }
                Precondition::Unneeded(reason) => {
                    if let UnneededReason::NewerCopy(id) = &reason {
                        self.wait_for(action, id, &known.observation);
                    }
                    let result = ActionResult::new(action, ActionOutcome::AlreadyDone);
                    self.record(result.detail(reason.to_string()));
                }
                Precondition::Stale(difference) => {
                    let problem = difference.problem();
                    self.record(ActionResult::new(action, ActionOutcome::Stale).detail(&problem.message));
                    self.report(action, problem);
                }
                Precondition::Unknown(error) => {
                    let reason = SkipReason::NotRead(action.id().clone(), error);
                    if !is_optional(action) {
                        return self.stop(&reason);
                    }
                    self.record(skipped(action, &reason));
                    self.result.warnings.extend(reason.problem().map(|problem| problem.to_string()));
                }
            }
        }
    }

    /// Returns why an action can't be performed after what became of those before it.
    fn skip_reason(&self, action: &Action) -> Option<SkipReason> {
        let results = self.result.actions.iter().zip(&self.plan.actions);
        let is_done = |id| results.clone().any(|(result, _)| result.id == *id && result.outcome.is_done());
        let after = action.after().filter(|after| !is_done(*after));
        let of_earlier_stage = || {
            let mut not_done = results.clone().filter(|(result, _)| !result.outcome.is_done());
            let is_needed = |other: &Action| other.stage() < action.stage() && !is_optional(other);
            Some(not_done.find(|(_, other)| is_needed(other))?.1.id())
        };
        let not_done = after.or_else(of_earlier_stage)?;
        Some(SkipReason::AfterNotDone(not_done.clone()))
    }

    /// A copy that waited for a slot waits again if what it depends on can't be read for the moment, though not for ever.
    fn observed(&mut self, wait: Option<SlotWait>, facts: Facts, now: Timestamp) {
        let error = facts.observation.error().filter(|error| error.class.is_transient());
        if let (Some(wait), Some(error), true) = (wait, error, self.waits) {
            let since = match wait {
                SlotWait::Full(_) => now,
                SlotWait::Unreadable(since, _) => since,
            };
            if now.duration_since(since) <= MAX_UNREADABLE {
                self.state = JobState::WaitingForSlot(SlotWait::Unreadable(since, error.clone()));
                return;
            }
        }
        self.advance(Some(facts), now);
    }

    fn performed(&mut self, facts: Facts, answer: Answer<Performed>, now: Timestamp) {
        let Some(action) = self.next_action() else {
            return;
        };
        match answer {
            Ok(Performed::Done(id)) => {
                self.wait_for(action, &id, &facts.observation);
                self.record(ActionResult::new(action, ActionOutcome::Done).resource(id));
            }
            Ok(Performed::AlreadyDone(id)) => {
                self.wait_for(action, &id, &facts.observation);
                self.record(ActionResult::new(action, ActionOutcome::AlreadyDone).resource(id));
            }
            Err(error) => match action {
                Action::Copy(copy) if error.class == ErrorClass::Busy => {
                    self.state = JobState::WaitingForSlot(SlotWait::Full(refused(copy, &error)));
                    return;
                }
                _ => {
                    let problem = error.problem(format!("{} failed", action.id()));
                    let result = ActionResult::new(action, ActionOutcome::Failed);
                    self.record(result.detail(problem.to_string()));
                    self.report(action, problem);
                }
            },
        }
        self.advance(Some(facts), now);
    }

    fn copy_read(&mut self, copy: AwaitedCopy, answer: &Answer<Vec<Artifact>>, at: Timestamp, now: Timestamp) {
        let id = copy.id.clone();
        let source = self.plan.actions.iter().find_map(|action| match action {
            Action::Copy(copy) => Some(source_of(copy)),
            _ => None,
        });
        match copy.observed(answer, source.as_ref(), at) {
            CopyStatus::InProgress(copy) => self.state = JobState::WaitingForCopy(copy),
            CopyStatus::Available => self.advance(None, now),
            CopyStatus::Lost(problem) => {
                self.fail(problem);
                self.skip_rest(&SkipReason::CopyNotAvailable(id));
            }
        }
    }

    fn stop_slot_wait(&mut self, wait: SlotWait, stop: Stop) {
        let Some(action) = self.next_action() else {
            return;
        };
        let problem = match (stop, wait) {
            (Stop::Interrupted, _) => return self.stop(&SkipReason::Interrupted),
            (Stop::Expired(error), _) => return self.stop(&SkipReason::Expired(error)),
            (Stop::WaitOver(_), SlotWait::Unreadable(_, error)) => {
                return self.stop(&SkipReason::NotRead(action.id().clone(), error));
            }
            (Stop::WaitOver(_), SlotWait::Full(problem)) => problem,
        };
        let result = ActionResult::new(action, ActionOutcome::Deferred);
        self.record(result.detail(problem.to_string()));
        self.fail(problem);
        self.skip_rest(&SkipReason::AfterNotDone(action.id().clone()));
    }

    /// Skips everything that is left. What is left of a job that has no more than its source to tag is no failure, unless the
    /// apply was interrupted.
    fn stop(&mut self, reason: &SkipReason) {
        let mut left = self.plan.actions.iter().skip(self.result.actions.len());
        let is_failure = *reason == SkipReason::Interrupted || !left.all(is_optional);
        match reason.problem() {
            Some(problem) if is_failure => self.fail(problem),
            Some(problem) => self.result.warnings.push(problem.to_string()),
            None => {}
        }
        self.skip_rest(reason);
    }

    fn skip_rest(&mut self, reason: &SkipReason) {
        while let Some(action) = self.next_action() {
            self.record(skipped(action, reason));
        }
        self.state = JobState::Finished;
    }

    /// Remembers the copy that the job now has, if it is waited for.
    fn wait_for(&mut self, action: &Action, copy: &ArtifactId, observation: &Observation) {
        let is_usable = |state: &ArtifactState| state.is_available() || state.is_disabled();
        let mut copies = observation.copies.iter().flatten();
        let is_there = copies.any(|other| other.id == *copy && is_usable(&other.state));
        if self.waits && action.stage() == Stage::Copies && !is_there {
            self.copy = Some(copy.clone());
        }
    }

    fn warn_of_newer_source(&mut self, action: &Action, observation: &Observation) {
        if let Action::Copy(copy) = action
            && let Some(newer) = newer_source(copy, observation)
        {
            let planned = &copy.source.id;
            let warning = format!("{newer} is newer than the planned {planned}: plan again to sync it");
            if !self.result.warnings.contains(&warning) {
                self.result.warnings.push(warning);
            }
        }
    }

    /// Reports a problem with an action: a warning if the job is complete without it.
    fn report(&mut self, action: &Action, problem: Problem) {
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
        if result.outcome == ActionOutcome::Done {
            match result.action {
                ActionName::Copy => self.result.created_resource.clone_from(&result.resource),
                ActionName::Delete => self.result.deleted_resources.extend(result.resource.clone()),
                ActionName::TagCopy | ActionName::TagSource => {}
            }
        }
        self.result.actions.push(result);
    }
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the apply was interrupted"),
            Self::Expired(_) => f.write_str("the credentials have expired"),
            Self::WaitOver(Wait::UpTo(limit)) => write!(f, "the limit of {} is reached", span(limit.as_secs())),
            Self::WaitOver(Wait::No | Wait::ToTheEnd) => f.write_str("it is not waited for"),
        }
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
    let credentials = caller.map(|caller| caller.as_ref().map_err(Clone::clone)).transpose()?;
    let target = || {
        Some(Target {
            account: plan.account_id.clone()?,
            request: Request::of_plan(plan, credentials?)?,
        })
    };
    let message = format!("the plan of {} does not state where and with which credentials to act", plan.name);
    target().ok_or_else(|| Problem::new(message))
}
