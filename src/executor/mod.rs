//! Applies a plan and nothing else: checks that what an action depends on still holds, then performs what is written.
//!
//! Each job is a state machine ([`job_state`]). The driver here starts what the jobs need next, waits until any of it is answered
//! and gives the answer to its job. Three stages over all jobs: copies, then tags, then deletions; jobs that wait for a slot or
//! for their copy hold up no others. When all wait, the driver pauses, and then reads the copies in progress.

mod awaited_copy;
mod in_flight;
mod job_state;
mod options;
mod perform;
mod precondition;
mod wait_time;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};

pub use self::options::{Callers, Event, OnEvent, Options, Wait};

use self::in_flight::{Destination, InFlightCopies};
use self::job_state::{Facts, MAX_AGE, Job, JobEvent, Step, Stop};
use self::perform::{Performed, perform};
use self::precondition::Target;
use self::wait_time::WaitTime;
use crate::model::action::{Action, Stage};
use crate::model::client_config::ClientConfig;
use crate::model::ids::{ArtifactId, JobName};
use crate::model::inventory::{Answer, Inventory, Observation, ObservedCopies};
use crate::model::location::Location;
use crate::model::plan::{JobPlan, SavedPlan};
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::result::SyncResult;
use crate::observe::{CopyRequest, Request, observe, observe_copies};
use crate::provider::Provider;

/// How many jobs are observed together. Many jobs share a read, so more means fewer calls; but an observation is good for a minute
/// only, in which some hundred jobs write, also where AWS slows them down.
const OBSERVED_TOGETHER: usize = 100;

/// The longest sleep, so that an interrupt is noticed soon.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Applies a plan that has been approved. A job with actions and without credentials fails. What was `seen` when planning is used
/// as long as it is recent.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    callers: &Callers,
    seen: Option<Inventory>,
    options: Options<'_>,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let mut driver = Driver::new(provider, options, on_event);
    driver.start(plan, callers, seen);
    let mut running = FuturesUnordered::new();
    loop {
        for work in driver.next_work() {
            running.push(carry_out(provider, options.parallelism, work));
        }
        let done = match running.next().await {
            Some(done) => done,
            None if driver.jobs.is_empty() => break,
            None => match driver.wait().await {
                Some(requests) => carry_out(provider, options.parallelism, Work::ReadCopies(requests)).await,
                None => continue,
            },
        };
        driver.on_done(done);
    }
    driver.results.into_values().collect()
}

/// Calls that are made for jobs.
enum Work<'a> {
    Observe(Vec<(usize, Request)>),
    ReadCopies(BTreeMap<JobName, CopyRequest>),
    Perform(usize, Arc<Target>, &'a Action, Option<ArtifactId>),
}

/// Calls that were made, with their answers.
enum Done<'a> {
    /// The jobs, and when observing started.
    Observed(Vec<usize>, Timestamp, Inventory),
    CopiesRead(Timestamp, ObservedCopies),
    Performed(usize, &'a Action, Answer<Performed>),
}

async fn carry_out<'a>(provider: &dyn Provider, parallelism: usize, work: Work<'a>) -> Done<'a> {
    let started_at = provider.now();
    match work {
        Work::Observe(jobs) => {
            let (jobs, requests): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
            let inventory = observe(provider, &requests, parallelism).await;
            // Nothing newer can be had of a job than what was read for it alone.
            let at = if jobs.len() == 1 { provider.now() } else { started_at };
            Done::Observed(jobs, at, inventory)
        }
        Work::ReadCopies(requests) => {
            let requests = requests.into_values().collect();
            let copies = observe_copies(provider, requests, parallelism).await;
            Done::CopiesRead(started_at, copies)
        }
        Work::Perform(job, target, action, copy) => {
            let answer = perform(provider, &target, action, copy.as_ref()).await;
            Done::Performed(job, action, answer)
        }
    }
}

/// The state of an apply.
struct Driver<'a> {
    provider: &'a dyn Provider,
    options: Options<'a>,
    on_event: OnEvent<'a>,
    /// The jobs that are not finished, in the order of the plan.
    jobs: BTreeMap<usize, Job<'a>>,
    /// The results of the finished ones.
    results: BTreeMap<usize, SyncResult>,
    in_flight: InFlightCopies,
    /// Where credentials have expired, with the error that says so.
    expired: HashMap<Location, ProviderError>,
    /// Where reads for copies that wait for a slot have failed since the last pause.
    unreachable: HashSet<Location>,
    /// How many jobs are observed together: fewer, when an observation takes so long that it is of no use to any of them.
    observed_together: usize,
    wait_time: Option<WaitTime>,
    /// How many jobs were left when all of them waited last.
    left: usize,
}

impl<'a> Driver<'a> {
    fn new(provider: &'a dyn Provider, options: Options<'a>, on_event: OnEvent<'a>) -> Self {
        Self {
            provider,
            options,
            on_event,
            jobs: BTreeMap::new(),
            results: BTreeMap::new(),
            in_flight: InFlightCopies::default(),
            expired: HashMap::new(),
            unreachable: HashSet::new(),
            observed_together: OBSERVED_TOGETHER,
            wait_time: None,
            left: usize::MAX,
        }
    }

    fn start(&mut self, plan: &'a SavedPlan, callers: &Callers, mut seen: Option<Inventory>) {
        let now = self.provider.now();
        let waits = self.options.wait != Wait::No;
        for (index, plan) in plan.jobs.iter().enumerate() {
            let caller = callers.get(&plan.name);
            if let Some((to, at, copy)) = copy_being_made(plan, caller) {
                self.in_flight.count(&to, &plan.name, &at, copy, now);
            }
            match Job::new(plan, caller, waits, now) {
                Ok(job) => drop(self.jobs.insert(index, job)),
                Err(result) => {
                    report_actions(self.on_event, &result, 0);
                    self.finish(index, result);
                }
            }
            if let Some(inventory) = &mut seen
                && let Some(observation) = inventory.jobs.remove(&plan.name)
            {
                // Good for copies and tags; deletions need what is read for them.
                let (observed_at, stage) = (inventory.observed_at, Stage::Copies);
                self.on_observation(index, Facts { observation, observed_at, stage });
            }
        }
    }

    /// Starts whatever can be started now.
    fn next_work(&mut self) -> Vec<Work<'a>> {
        self.stop_blocked_jobs();
        let now = self.provider.now();
        let stage = self.jobs.values().filter_map(Job::active_stage).min();
        let (mut to_observe, mut to_perform) = (Vec::new(), Vec::new());
        let (mut performing, mut is_observing) = (0, false);
        for (index, job) in &self.jobs {
            let is_in_turn = job.active_stage() == stage;
            match job.next_step(now) {
                Step::Observe if is_in_turn => to_observe.push(*index),
                Step::Perform(action) if is_in_turn => to_perform.push((*index, action)),
                Step::WaitForSlot if self.can_retry(job, now) => to_observe.push(*index),
                Step::Performing => performing += 1,
                Step::Observing => is_observing = true,
                Step::Observe | Step::Perform(_) | Step::WaitForSlot => {}
                Step::WaitForCopy(_) | Step::Finished => {}
            }
        }
        let parallelism = self.options.parallelism.max(1);
        let mut work = Vec::new();
        let mut to_perform = to_perform.into_iter();
        while performing < parallelism && let Some((index, action)) = to_perform.next() {
            if let Some(perform) = self.start_action(index, action, now) {
                work.push(perform);
                performing += 1;
            }
        }
        // An observation ages: none is made before it is needed.
        if !is_observing && performing < parallelism {
            work.extend(self.start_observation(to_observe, now));
        }
        work
    }

    /// Starts an action; nothing if the apply was interrupted, or if there is no slot for a copy.
    fn start_action(&mut self, index: usize, action: &'a Action, now: Timestamp) -> Option<Work<'a>> {
        let job = self.jobs.get(&index).filter(|_| !self.is_stopped())?;
        let target = Arc::clone(job.target());
        let named = job.copy_to_name().cloned();
        let job = &target.request.job;
        if let Action::Copy(copy) = action {
            let to = Destination::of(&target);
            if !self.in_flight.has_slot(&to, job, now) {
                let problem = self.in_flight.deferral(&to, copy);
                self.update(index, JobEvent::NoSlot(problem));
                return None;
            }
            self.in_flight.reserve(&to, job);
        }
        self.update(index, JobEvent::PerformStarted);
        (self.on_event)(Event::ActionStarted { job, action });
        Some(Work::Perform(index, target, action, named))
    }

    /// Starts an observation of as many of these jobs as are observed together; those that wait for a slot reserve it.
    fn start_observation(&mut self, jobs: Vec<usize>, now: Timestamp) -> Option<Work<'a>> {
        let mut requests = Vec::new();
        for index in jobs {
            let Some(job) = self.jobs.get(&index) else {
                continue;
            };
            let target = Arc::clone(job.target());
            if let Step::WaitForSlot = job.next_step(now) {
                if !self.can_retry(job, now) {
                    continue;
                }
                let to = Destination::of(&target);
                self.in_flight.reserve(&to, &target.request.job);
            }
            self.update(index, JobEvent::ObservationStarted);
            requests.push((index, target.request.clone()));
            if requests.len() >= self.observed_together {
                break;
            }
        }
        (!requests.is_empty()).then_some(Work::Observe(requests))
    }

    /// Returns true if there is a slot for a job that waits for one, and its regions have answered since the last pause.
    fn can_retry(&self, job: &Job<'_>, now: Timestamp) -> bool {
        let request = &job.target().request;
        let is_unreachable = |at: &Location| self.unreachable.contains(at);
        self.in_flight.has_slot(&Destination::of(job.target()), &request.job, now)
            && ![&request.source, &request.destination].into_iter().any(is_unreachable)
    }

    fn on_done(&mut self, done: Done<'a>) {
        match done {
            Done::Observed(jobs, at, inventory) => self.on_observed(jobs, at, inventory),
            Done::CopiesRead(at, copies) => self.on_copies_read(at, copies),
            Done::Performed(job, action, answer) => self.on_performed(job, action, answer),
        }
    }

    fn on_observed(&mut self, jobs: Vec<usize>, at: Timestamp, mut inventory: Inventory) {
        let mut has_failed = false;
        for index in &jobs {
            let Some(job) = self.jobs.get(index) else {
                continue;
            };
            let target = Arc::clone(job.target());
            let observation = inventory.jobs.remove(&target.request.job);
            let (Some(observation), Some(stage)) = (observation, job.active_stage()) else {
                self.update(*index, JobEvent::NotObserved);
                continue;
            };
            let error = observation.error().cloned();
            has_failed |= error.is_some();
            self.on_observation(*index, Facts { observation, observed_at: at, stage });
            if let (Some(error), Some(job)) = (error, self.jobs.get(index))
                && matches!(job.next_step(at), Step::WaitForSlot)
            {
                self.unreachable.insert(location_of(&target, &error));
            }
        }
        // Without those that have failed, the next observation may take less time; otherwise it must be smaller.
        let took = self.provider.now().duration_since(at);
        if took > MAX_AGE && !has_failed {
            self.observed_together = (jobs.len() / 2).max(1);
        }
    }

    fn on_observation(&mut self, index: usize, facts: Facts) {
        let Some(job) = self.jobs.get(&index) else {
            return;
        };
        let target = Arc::clone(job.target());
        let request = &target.request;
        let Observation { identity, sources, copies } = &facts.observation;
        let errors = [identity.as_ref().err(), sources.as_ref().err(), copies.as_ref().err()];
        for error in errors.into_iter().flatten() {
            self.note_expired(&target, error);
        }
        // Where the sources can't be read, the copies may not have been read either.
        if sources.is_ok() {
            self.in_flight.update(&request.job, copies, facts.observed_at);
            let copies = copies.iter().flatten();
            for copy in copies.filter(|copy| copy.state.is_being_copied()) {
                let to = Destination::of(&target);
                self.in_flight.count(&to, &request.job, &request.destination, &copy.id, facts.observed_at);
            }
        }
        self.update(index, JobEvent::Observed(facts));
    }

    fn on_copies_read(&mut self, at: Timestamp, mut copies: ObservedCopies) {
        for (job, answer) in &copies {
            self.in_flight.update(job, answer, at);
        }
        let jobs: Vec<usize> = self.jobs.keys().copied().collect();
        for index in jobs {
            let Some(job) = self.jobs.get(&index) else {
                continue;
            };
            let target = Arc::clone(job.target());
            let name = &target.request.job;
            let (Step::WaitForCopy(awaited), Some(answer)) = (job.next_step(at), copies.remove(name)) else {
                continue;
            };
            let mut copies = answer.iter().flatten();
            if let Some(copy) = copies.find(|copy| copy.id == awaited.id)
                && awaited.has_changed(copy)
            {
                (self.on_event)(Event::CopyProgress {
                    job: name,
                    copy: copy.id.as_str(),
                    state: copy.state.as_str(),
                    percent: copy.percent,
                });
            }
            if let Err(error) = &answer {
                self.note_expired(&target, error);
            }
            self.update(index, JobEvent::CopyRead(answer, at));
        }
    }

    fn on_performed(&mut self, index: usize, action: &Action, answer: Answer<Performed>) {
        let Some(job) = self.jobs.get(&index) else {
            return;
        };
        let target = Arc::clone(job.target());
        let request = &target.request;
        let now = self.provider.now();
        if let Action::Copy(_) = action {
            let to = Destination::of(&target);
            self.in_flight.release(&to, &request.job);
            match &answer {
                Ok(Performed::Done(id) | Performed::AlreadyDone(id)) => {
                    self.in_flight.count(&to, &request.job, &request.destination, id, now);
                    // It may be a short one.
                    let wait_time = self.wait_time.take();
                    self.wait_time = wait_time.map(|wait_time| wait_time.with_short_pauses(now));
                }
                Err(error) if error.class == ErrorClass::Busy => self.in_flight.refuse(&to, error, now),
                Err(_) => {}
            }
        }
        if let Err(error) = &answer {
            self.note_expired(&target, error);
        }
        self.update(index, JobEvent::Performed(answer));
    }

    /// Pauses, as all jobs wait, and returns the copies to read then; nothing if there is no more waiting.
    async fn wait(&mut self) -> Option<BTreeMap<JobName, CopyRequest>> {
        let now = self.provider.now();
        let pause = match self.options.wait {
            // Copies may have finished meanwhile: what waits for a slot is tried again as long as that helps.
            Wait::No => {
                let before = std::mem::replace(&mut self.left, self.jobs.len());
                (self.left < before).then_some(Duration::ZERO)
            }
            Wait::UpTo(limit) => self.next_pause(limit, now),
            Wait::ToTheEnd => self.next_pause(SignedDuration::MAX, now),
        };
        let Some(pause) = pause else {
            self.stop_all(&Stop::WaitOver(self.options.wait));
            return None;
        };
        let mut left = pause;
        while !left.is_zero() && !self.is_stopped() {
            let sleep = left.min(LONGEST_SLEEP);
            self.provider.pause(sleep).await;
            left = left.saturating_sub(sleep);
        }
        self.unreachable.clear();
        Some(self.copies_to_read()).filter(|_| !self.is_stopped())
    }

    fn next_pause(&mut self, limit: SignedDuration, now: Timestamp) -> Option<Duration> {
        if self.wait_time.is_none() {
            for job in self.jobs.values() {
                if let (Step::WaitForSlot, Some(action)) = (job.next_step(now), job.next_action()) {
                    let job = &job.target().request.job;
                    (self.on_event)(Event::CopyDeferred { job, action });
                }
            }
        }
        let wait_time = self.wait_time.get_or_insert_with(|| WaitTime::new(limit, now));
        wait_time.next_pause(now)
    }

    /// Returns what has to be read of the copies that are waited for and, where a job waits for a slot, of all in progress.
    fn copies_to_read(&self) -> BTreeMap<JobName, CopyRequest> {
        let now = self.provider.now();
        let mut requests = BTreeMap::new();
        if self.jobs.values().any(|job| matches!(job.next_step(now), Step::WaitForSlot)) {
            requests = self.in_flight.requests();
        }
        for job in self.jobs.values() {
            if let Step::WaitForCopy(copy) = job.next_step(now) {
                let Request { job, kind, destination, .. } = &job.target().request;
                let request = requests.entry(job.clone()).or_insert_with(|| CopyRequest {
                    job: job.clone(),
                    kind: *kind,
                    at: destination.clone(),
                    ids: BTreeSet::new(),
                });
                request.ids.insert(copy.id.clone());
            }
        }
        requests
    }

    fn is_stopped(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    /// Stops the jobs that can't start anything any more: all if the apply was interrupted, else those without credentials.
    fn stop_blocked_jobs(&mut self) {
        if self.is_stopped() {
            self.stop_all(&Stop::Interrupted);
        } else if !self.expired.is_empty() {
            let expired = |job: &Job<'_>| {
                let Request { source, destination, .. } = &job.target().request;
                self.expired.get(source).or(self.expired.get(destination)).cloned()
            };
            let blocked = self.jobs.iter().filter_map(|(index, job)| Some((*index, expired(job)?)));
            for (index, error) in blocked.collect::<Vec<_>>() {
                self.update(index, JobEvent::Stopped(Stop::Expired(error)));
            }
        }
    }

    fn stop_all(&mut self, stop: &Stop) {
        let jobs: Vec<usize> = self.jobs.keys().copied().collect();
        for index in jobs {
            self.update(index, JobEvent::Stopped(stop.clone()));
        }
    }

    fn note_expired(&mut self, target: &Target, error: &ProviderError) {
        if error.class == ErrorClass::Expired {
            self.expired.insert(location_of(target, error), error.clone());
        }
    }

    /// Gives an event to a job, and reports what comes of it.
    fn update(&mut self, index: usize, event: JobEvent) {
        let now = self.provider.now();
        let Some(job) = self.jobs.get_mut(&index) else {
            return;
        };
        let reported = job.result().actions.len();
        job.on_event(event, now);
        report_actions(self.on_event, job.result(), reported);
        if job.active_stage() != Some(Stage::Copies) {
            let target = job.target();
            self.in_flight.release(&Destination::of(target), &target.request.job);
        }
        if matches!(job.next_step(now), Step::Finished)
            && let Some(job) = self.jobs.remove(&index)
        {
            self.finish(index, job.into_result());
        }
    }

    fn finish(&mut self, index: usize, result: SyncResult) {
        (self.on_event)(Event::JobFinished(&result));
        self.results.insert(index, result);
    }
}

/// Reports the actions of a job that are over, from this one on.
fn report_actions(on_event: OnEvent<'_>, result: &SyncResult, from: usize) {
    let job = &result.name;
    for result in result.actions.iter().skip(from) {
        on_event(Event::ActionFinished { job, result });
    }
}

/// Returns which end of a job an error came from.
fn location_of(target: &Target, error: &ProviderError) -> Location {
    let Request { source, destination, .. } = &target.request;
    if error.region == source.region { source.clone() } else { destination.clone() }
}

/// Returns the copy that AWS was making for a job when the plan was made, with where it counts.
fn copy_being_made<'a>(
    plan: &'a JobPlan,
    caller: Option<&Result<Arc<ClientConfig>, Problem>>,
) -> Option<(Destination, Location, &'a ArtifactId)> {
    let copy = plan.copy_being_made()?;
    let at = Location {
        credentials: Arc::clone(caller?.as_ref().ok()?),
        region: plan.destination.as_ref()?.region.clone(),
    };
    let to = Destination {
        account: plan.account_id.clone()?,
        region: at.region.clone(),
        kind: plan.kind()?,
    };
    Some((to, at, copy))
}
