//! What the jobs of one apply share: the receiver of events, the copies in progress, and the locations where calls would fail.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use jiff::Timestamp;

use super::facts::Target;
use super::in_flight::InFlightCopies;
use super::job_state::{Job, JobEvent, JobState};
use super::options::{Event, OnEvent, Options};
use crate::model::action::{Action, ActionName, Stage};
use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::StopReason;
use crate::model::result::SyncResult;
use crate::provider::Provider;

pub(super) struct Session<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) options: Options<'a>,
    pub(super) on_event: OnEvent<'a>,
    pub(super) in_flight: InFlightCopies,
    /// Locations where the credentials have expired, each with the error that says so.
    pub(super) expired: HashMap<Location, ProviderError>,
    /// Locations where reads for waiting jobs have failed since the last pause.
    pub(super) unreachable: HashSet<Location>,
}

impl<'a> Session<'a> {
    pub(super) fn is_interrupted(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Passes an event to a job, reports the results, and notes what matters to other jobs.
    pub(super) fn update(&mut self, job: &mut Job<'_>, event: JobEvent) {
        if job.is_finished() {
            return;
        }
        self.report_copying(job, &event);
        self.count_copies(job.target, &event);
        let error = event.error().cloned();
        let reported = job.actions.result.actions.len();
        job.on_event(event, self.provider.now());
        if job.active_stage() != Some(Stage::Copies) {
            self.in_flight.release(job.target);
        }
        self.report(&job.actions.result, reported, job.is_finished());
        if let Some(error) = error {
            let [source, destination] = ends(job.target);
            let is_of_source = error.region == source.region;
            let at = if is_of_source { source } else { destination }.clone();
            if let JobState::WaitingToRead(..) = job.state {
                self.unreachable.insert(at);
            } else if error.class == ErrorClass::Expired {
                self.expired.insert(at, error);
            }
        }
    }

    /// Reports that the copy that a job waits for has changed, if it has.
    fn report_copying(&self, job: &Job<'_>, event: &JobEvent) {
        if let (JobState::WaitingForCopy(copy), JobEvent::CopyRead(answer, _)) = (&job.state, event)
            && let Some(copy) = copy.changed(answer)
        {
            (self.on_event)(Event::CopyProgress {
                job: &job.target.request.job,
                copy: copy.id.as_str(),
                state: copy.state.as_str(),
                percent: copy.percent,
            });
        }
    }

    /// Counts the copies in progress that an event reveals.
    fn count_copies(&mut self, target: &Target, event: &JobEvent) {
        match event {
            JobEvent::Observed(observation, _) => {
                let copies = &observation.copies;
                // If the sources can't be read, the copies may not have been read either.
                if observation.sources.is_ok() {
                    self.in_flight.update(&target.request.job, copies);
                }
                for copy in copies.iter().flatten() {
                    if copy.state.is_being_copied() {
                        self.in_flight.count(target, &copy.id);
                    }
                }
            }
            JobEvent::Performed(Ok(result)) if result.action == ActionName::Copy => {
                self.in_flight.release(target);
                let copy = result.resource.iter();
                copy.for_each(|id| self.in_flight.count(target, id));
            }
            JobEvent::Performed(Err(error)) if error.class == ErrorClass::Busy => {
                self.in_flight.release(target);
                let now = self.provider.now();
                self.in_flight.refuse(target, error, now);
            }
            _ => {}
        }
    }

    /// Reports the job's finished actions, starting at index `from`, and whether the job has finished.
    pub(super) fn report(&self, result: &SyncResult, from: usize, is_finished: bool) {
        let job = &result.name;
        for result in result.actions.iter().skip(from) {
            (self.on_event)(Event::ActionFinished { job, result });
        }
        if is_finished {
            (self.on_event)(Event::JobFinished(result));
        }
    }

    /// Returns why a job can't start any more actions, if it can't.
    pub(super) fn stop_reason(&self, job: &Job<'_>) -> Option<StopReason> {
        if self.is_interrupted() {
            return Some(StopReason::Interrupted);
        }
        // Comparing locations takes time, and there is rarely anything to compare with.
        let expired = Some(&self.expired).filter(|expired| !expired.is_empty())?;
        let mut ends = ends(job.target).into_iter();
        let error = ends.find_map(|end| expired.get(end))?;
        Some(StopReason::Expired(error.clone()))
    }

    /// Returns the action of a job that can be performed now, because recent facts allow it, and because its stage has come or a slot
    /// for its copy is free.
    pub(super) fn performable(
        &self,
        job: &Job<'a>,
        stage: Option<Stage>,
        now: Timestamp,
    ) -> Option<&'a Action> {
        let (action, facts, is_due) = match &job.state {
            JobState::Observed(action, facts) => (*action, facts, job.active_stage() == stage),
            JobState::WaitingForSlot(action, _, facts) => {
                (*action, facts, self.can_retry(job.target, action, now))
            }
            _ => return None,
        };
        (is_due && facts.can_serve(action, now)).then_some(action)
    }

    /// Returns true if a waiting job can be observed again: there is a slot for its copy, and no read in its regions has failed
    /// since the last pause.
    pub(super) fn can_retry(&self, target: &Target, action: &Action, now: Timestamp) -> bool {
        let mut ends = ends(target).into_iter();
        let has_slot = action.stage() != Stage::Copies || self.in_flight.has_slot(target, now);
        has_slot && !ends.any(|at| self.unreachable.contains(at))
    }

    /// Starts an observation. A job that has waited for a slot reserves it.
    pub(super) fn start_observation(&mut self, job: &mut Job<'_>) {
        if let JobState::WaitingForSlot(..) | JobState::WaitingToRead(Action::Copy(_), ..) =
            job.state
        {
            self.in_flight.reserve(job.target);
        }
        self.update(job, JobEvent::ObservationStarted);
    }

    /// Starts an action; returns false if the apply was interrupted, or if there is no slot for a copy.
    pub(super) fn start(&mut self, job: &mut Job<'a>, action: &'a Action, now: Timestamp) -> bool {
        if self.is_interrupted() {
            return false;
        }
        if action.stage() == Stage::Copies {
            if !self.in_flight.has_slot(job.target, now) {
                let problem = self.in_flight.deferral(job.target);
                self.update(job, JobEvent::NoSlot(problem));
                return false;
            }
            self.in_flight.reserve(job.target);
        }
        self.update(job, JobEvent::PerformStarted);
        let job = &job.target.request.job;
        (self.on_event)(Event::ActionStarted { job, action });
        true
    }
}

fn ends(target: &Target) -> [&Location; 2] {
    [&target.request.source, &target.request.destination]
}
