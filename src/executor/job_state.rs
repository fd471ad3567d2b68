//! A job while its plan is applied. Its state determines what it needs next; its state and an event determine its next state.

use jiff::Timestamp;

use super::awaited_copy::{AwaitedCopy, CopyStatus, MAX_UNREADABLE};
use super::difference::Precondition;
use super::facts::{Facts, Target};
use super::in_flight::NO_MORE_COPIES;
use super::job_result::{JobResult, is_optional};
use super::precondition::{check, newer_source, source_of};
use crate::model::action::{Action, ActionName, Delete, Stage};
use crate::model::artifact::{Artifact, UndeletedSnapshot};
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Observation};
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::SkipReason::{self, CopyNotAvailable};
use crate::model::reason::{StopReason, UnneededReason};
use crate::model::result::ActionOutcome::{AlreadyDone, Deferred, Failed, Stale};
use crate::model::result::ActionResult;
use crate::observe::Request;

/// A job with actions.
pub(super) struct Job<'a> {
    pub(super) target: &'a Target,
    pub(super) state: JobState<'a>,
    pub(super) actions: JobResult<'a>,
    /// Whether the apply waits until copies are available.
    waits: bool,
    /// The copy that must be available before deletions, if the job still has to wait for it.
    copy: Option<ArtifactId>,
}

/// The state of a job, either between two actions or during one. The action is the first unfinished one.
pub(super) enum JobState<'a> {
    /// The action has to be checked against a new observation.
    Unobserved(&'a Action),
    /// The observation is in progress. If earlier reads failed, the time is when the first of them failed.
    Observing(&'a Action, Option<Timestamp>),
    /// The action can be performed while these facts are recent.
    Observed(&'a Action, Facts),
    /// The action is being performed.
    Performing(&'a Action, Facts),
    /// AWS's limit of concurrent copies is reached, as the problem says. The action can be performed while these facts are recent.
    WaitingForSlot(&'a Action, Problem, Facts),
    /// What the action depends on can't currently be read. The time is when the first read failed.
    WaitingToRead(&'a Action, Timestamp, ProviderError),
    /// Everything but the deletions is done.
    WaitingForCopy(AwaitedCopy),
    /// Every action is finished.
    Finished,
}

/// What happens to a job.
pub(super) enum JobEvent {
    ObservationStarted,
    /// With the time when observing started.
    Observed(Box<Observation>, Timestamp),
    /// There is no slot for the next action, which is a copy.
    NoSlot(Problem),
    PerformStarted,
    Performed(Answer<ActionResult>),
    /// The copy that the job waits for was read at that time.
    CopyRead(Answer<Vec<Artifact>>, Timestamp),
    Stopped(StopReason),
}

impl JobEvent {
    /// Returns the error of a call to AWS, if there was one.
    pub(super) fn error(&self) -> Option<&ProviderError> {
        match self {
            Self::Observed(observation, _) => observation.error(),
            Self::Performed(answer) => answer.as_ref().err(),
            Self::CopyRead(answer, _) => answer.as_ref().err(),
            _ => None,
        }
    }
}

impl<'a> Job<'a> {
    /// Returns a job that has not started. If it has deletions to do and its copy is still in progress, it waits for the copy
    /// first.
    pub(super) fn new(plan: &'a JobPlan, target: &'a Target, waits: bool, now: Timestamp) -> Self {
        let deletes = plan.actions.last().map(Action::stage) == Some(Stage::Deletions);
        let copy = plan.copy_in_progress().filter(|_| waits && deletes);
        let mut job = Self {
            target,
            state: JobState::Finished,
            actions: JobResult::new(plan),
            waits,
            copy: copy.cloned(),
        };
        job.state = job.advance(None, now);
        job
    }

    /// Returns what to observe before the next action.
    pub(super) fn request(&self) -> Request {
        let request = self.target.request.clone();
        let next = self.actions.next().map(Action::stage);
        let deletions = self.actions.deletions();
        request.with_references(deletions.filter(|delete| next == Some(delete.stage())))
    }

    /// Returns the stage of the next action, unless the job waits or is finished.
    pub(super) fn active_stage(&self) -> Option<Stage> {
        match &self.state {
            JobState::Unobserved(action)
            | JobState::Observing(action, _)
            | JobState::Observed(action, _)
            | JobState::Performing(action, _) => Some(action.stage()),
            JobState::WaitingForSlot(..) | JobState::WaitingToRead(..) => None,
            JobState::WaitingForCopy(_) | JobState::Finished => None,
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        matches!(self.state, JobState::Finished)
    }

    /// Changes the state according to the event. An event that does not fit the state changes nothing.
    pub(super) fn on_event(&mut self, event: JobEvent, now: Timestamp) {
        use {JobEvent as E, JobState as S};
        let state = std::mem::replace(&mut self.state, S::Finished);
        self.state = match (state, event) {
            (S::WaitingToRead(action, since, _), E::ObservationStarted) => {
                S::Observing(action, Some(since))
            }
            (
                S::Unobserved(action) | S::Observed(action, _) | S::WaitingForSlot(action, ..),
                E::ObservationStarted,
            ) => S::Observing(action, None),
            // This observation was made for the plan. Deletions need one of their own.
            (S::Unobserved(_), E::Observed(observation, at)) => {
                let facts = Facts::new(*observation, at, Stage::Copies);
                self.advance(facts.ok(), now)
            }
            (S::Observing(action, since), E::Observed(observation, at)) => {
                match Facts::new(*observation, at, action.stage()) {
                    Ok(facts) => self.advance(Some(facts), now),
                    Err(error) => self.not_read(action, since.unwrap_or(now), error, now),
                }
            }
            (S::Observed(action, facts), E::NoSlot(problem)) => {
                S::WaitingForSlot(action, problem, facts)
            }
            (
                S::Observed(action, facts) | S::WaitingForSlot(action, _, facts),
                E::PerformStarted,
            ) => S::Performing(action, facts),
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
            (S::WaitingForSlot(action, mut problem, _), E::Stopped(StopReason::WaitOver(_))) => {
                let detail = problem.to_string();
                problem.message = format!("{} is deferred: {}", action.id(), problem.message);
                self.actions.not_done(action, Deferred, detail, problem);
                self.stop(&SkipReason::AfterNotDone(action.id().clone()))
            }
            (S::WaitingToRead(action, _, error), E::Stopped(StopReason::WaitOver(_))) => {
                self.stop(&SkipReason::NotRead(action.id().clone(), error))
            }
            // An action that is being performed finishes.
            (state @ (S::Performing(..) | S::Finished), E::Stopped(_)) => state,
            (_, E::Stopped(reason)) => self.stop(&SkipReason::Stopped(reason)),
            (state, _) => state,
        };
    }

    /// Records the results of all actions up to the next one that has to be performed, or checked against newer facts.
    fn advance(&mut self, mut facts: Option<Facts>, now: Timestamp) -> JobState<'a> {
        loop {
            let next = self.actions.next();
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
            let Some(known) = facts.take_if(|facts| facts.can_serve(action, now)) else {
                return JobState::Unobserved(action);
            };
            let done = ActionResult::new(action, AlreadyDone);
            match check(action, self.target, self.actions.copy_to_name(), &known) {
                Precondition::Go => {
                    if let Some(warning) = newer_source(action, &known) {
                        self.actions.warn(warning);
                    }
                    return JobState::Observed(action, known);
                }
                Precondition::AlreadyDone(id) => self.done(done.resource(id)),
                Precondition::Unneeded(reason) => {
                    self.done(done.detail(reason.to_string()));
                    if let UnneededReason::NewerCopy(id) = reason {
                        self.copy = self.waits.then_some(id);
                    }
                }
                Precondition::Stale(difference) => {
                    let problem = Problem::new(format!("the plan is stale: {difference}"))
                        .help("plan again: something has changed since the plan was made");
                    self.actions.not_done(action, Stale, difference, problem);
                }
            }
            facts = Some(known);
        }
    }

    /// Retries failed reads after a pause if `--wait` was given and the error is transient, for up to [`MAX_UNREADABLE`]. Otherwise
    /// skips an optional action, and stops the job at any other.
    fn not_read(
        &mut self,
        action: &'a Action,
        since: Timestamp,
        error: ProviderError,
        now: Timestamp,
    ) -> JobState<'a> {
        let reason = SkipReason::NotRead(action.id().clone(), error.clone());
        if is_optional(action) {
            self.actions.skip(action, &reason);
            self.actions.warn(reason.to_string());
            return self.advance(None, now);
        }
        let is_patient = self.waits && now.duration_since(since) <= MAX_UNREADABLE;
        if is_patient && error.class.is_transient() {
            return JobState::WaitingToRead(action, since, error);
        }
        self.stop(&reason)
    }

    fn performed(
        &mut self,
        action: &'a Action,
        facts: Facts,
        answer: Answer<ActionResult>,
        now: Timestamp,
    ) -> JobState<'a> {
        match answer {
            Ok(result) => {
                if let Action::Delete(delete) = action {
                    for snapshot in &result.undeleted_snapshots {
                        self.actions.warn(still_there(delete, snapshot));
                    }
                }
                self.done(result);
            }
            Err(error) if error.class == ErrorClass::Busy && action.name() == ActionName::Copy => {
                return JobState::WaitingForSlot(action, error.problem(NO_MORE_COPIES), facts);
            }
            Err(error) => {
                let problem = error.problem(format!("{} failed", action.id()));
                let detail = error.to_string();
                self.actions.not_done(action, Failed, detail, problem);
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

    fn end(&mut self, problem: Problem, reason: &SkipReason) -> JobState<'a> {
        self.actions.fail(problem);
        self.stop(reason)
    }

    fn stop(&mut self, reason: &SkipReason) -> JobState<'a> {
        self.actions.skip_rest(reason);
        JobState::Finished
    }
}

/// Returns the warning about a snapshot that AWS did not delete with its image: xrs does not try again. EC2 skips a snapshot that
/// another image uses; see <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshotReturnCode.html>.
fn still_there(delete: &Delete, UndeletedSnapshot { id, code }: &UndeletedSnapshot) -> String {
    let (image, region) = (&delete.artifact.id, &delete.artifact.region);
    let still = format!("snapshot {id} of the deleted image {image} is still in {region}");
    match code.as_str() {
        "skipped" => format!("{still}: another image uses it"),
        _ => format!(
            "{still}; to delete it: aws ec2 delete-snapshot --region {region} --snapshot-id {id}"
        ),
    }
}
