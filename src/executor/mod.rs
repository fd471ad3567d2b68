//! Applies a plan and nothing else: checks that what an action depends on still holds, then performs what is written.
//!
//! Each job is a state machine (`job_state`). The driver here starts what the jobs need next, waits until any of it is answered, and
//! gives the answer to its job. All jobs make their copies first, then write tags, then delete; jobs that wait for a slot or for
//! their copy hold up no others. When all wait, the driver pauses, and then reads the copies in progress.

mod awaited_copy;
mod in_flight;
mod job_event;
mod job_result;
mod job_state;
mod options;
mod perform;
mod precondition;
mod session;
mod wait_time;

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};

pub use self::options::{Callers, Event, OnEvent, Options, Wait};

use self::job_event::{JobEvent, MAX_AGE, Step};
use self::job_result::JobResult;
use self::job_state::Job;
use self::perform::perform;
use self::precondition::Target;
use self::session::Session;
use self::wait_time::WaitTime;
use crate::model::action::{Action, Stage};
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Inventory};
use crate::model::plan::SavedPlan;
use crate::model::reason::StopReason;
use crate::model::result::{ActionResult, SyncResult};
use crate::observe::{Request, observe, observe_copies};
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
    let session = Session::new(provider, options, on_event);
    let mut driver = Driver::new(session, plan, callers, seen);
    let mut running = FuturesUnordered::new();
    loop {
        driver.stop_jobs();
        if !driver.has_jobs_left() {
            break;
        }
        let work = driver.next_work().into_iter();
        running.extend(work.map(|work| carry_out(provider, options.parallelism, work)));
        match running.next().await {
            Some(done) => driver.on_done(done),
            None => driver.wait().await,
        }
    }
    drop(running);
    let results = driver.jobs.into_iter();
    results
        .map(|job| job.map_or_else(|result| result, Job::into_result))
        .collect()
}

/// Calls that jobs need, each with its place in the plan.
enum Work<'a> {
    Observe(Vec<(usize, Request)>),
    Perform(usize, &'a Action, Arc<Target>, Option<ArtifactId>),
}

/// The answers.
enum Done<'a> {
    /// Of what jobs, and when observing started.
    Observed(Vec<usize>, Timestamp, Inventory),
    Performed(usize, &'a Action, Answer<ActionResult>),
}

async fn carry_out<'a>(provider: &dyn Provider, parallelism: usize, work: Work<'a>) -> Done<'a> {
    match work {
        Work::Observe(jobs) => {
            let (jobs, requests): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
            let inventory = observe(provider, &requests, parallelism).await;
            // Nothing newer can be had of a job than what was read for it alone.
            let at = match jobs.len() {
                1 => provider.now(),
                _ => inventory.observed_at,
            };
            Done::Observed(jobs, at, inventory)
        }
        Work::Perform(job, action, target, copy) => {
            let answer = perform(provider, &target, action, copy.as_ref()).await;
            Done::Performed(job, action, answer)
        }
    }
}

/// The state of an apply.
struct Driver<'a> {
    session: Session<'a>,
    /// In the order of the plan; only the result of a job that has nothing to do or can't be started.
    jobs: Vec<Result<Job<'a>, SyncResult>>,
    /// How many jobs are observed together: fewer, if an observation takes so long that it is of no use.
    observed_together: usize,
    /// The wait for slots and copies, if it has begun.
    wait_time: Option<WaitTime>,
    /// How many jobs were left when all of them waited last, without `--wait`.
    left: usize,
}

impl<'a> Driver<'a> {
    fn new(
        mut session: Session<'a>,
        plan: &'a SavedPlan,
        callers: &Callers,
        mut seen: Option<Inventory>,
    ) -> Self {
        let (waits, now) = (session.options.wait != Wait::No, session.provider.now());
        let mut jobs = Vec::new();
        for plan in &plan.jobs {
            let caller = callers.get(&plan.name);
            if let Some(Ok(credentials)) = caller {
                session.in_flight.count_planned(plan, credentials);
            }
            let mut job = match Target::of_plan(plan, caller) {
                _ if plan.actions.is_empty() => Err(JobResult::new(plan).result),
                Ok(target) => Ok(Job::new(plan, target, waits, now)),
                Err(problem) => Err(JobResult::not_started(plan, problem)),
            };
            match (&mut job, &mut seen) {
                (Err(result), _) => session.report(result, 0, true),
                (Ok(job), Some(seen)) => {
                    if let Some(observation) = seen.jobs.remove(&plan.name) {
                        // Deletions need what is observed for them.
                        session.on_observed(job, observation, seen.observed_at, Stage::Copies);
                    }
                }
                (Ok(_), None) => {}
            }
            jobs.push(job);
        }
        Self {
            session,
            jobs,
            observed_together: OBSERVED_TOGETHER,
            wait_time: None,
            left: usize::MAX,
        }
    }

    fn jobs(&self) -> impl Iterator<Item = &Job<'a>> {
        self.jobs.iter().flatten()
    }

    fn has_jobs_left(&self) -> bool {
        self.jobs().any(|job| !job.is_finished())
    }

    /// Stops the jobs that can't start anything any more.
    fn stop_jobs(&mut self) {
        for job in self.jobs.iter_mut().flatten() {
            if let Some(reason) = self.session.stop_reason(job) {
                self.session.update(job, JobEvent::Stopped(reason));
            }
        }
    }

    fn stop_all(&mut self, reason: &StopReason) {
        for job in self.jobs.iter_mut().flatten() {
            self.session.update(job, JobEvent::Stopped(reason.clone()));
        }
    }

    /// Starts whatever can be started now.
    fn next_work(&mut self) -> Vec<Work<'a>> {
        let now = self.session.provider.now();
        let stage = self.jobs().filter_map(Job::active_stage).min();
        let parallelism = self.session.options.parallelism.max(1);
        let mut performing = self.jobs().filter(|job| job.is_performing()).count();
        let mut work = Vec::new();
        for (index, job) in self.jobs.iter_mut().enumerate() {
            if let Ok(job) = job
                && performing < parallelism
                && job.active_stage() == stage
                && let Step::Perform(action) = job.next_step(now)
                && self.session.start(job, action, now)
            {
                let copy = job.copy_to_name().cloned();
                work.push(Work::Perform(index, action, Arc::clone(&job.target), copy));
                performing += 1;
            }
        }
        // An observation ages: none is made before it is needed.
        if performing < parallelism && !self.jobs().any(Job::is_observing) {
            work.extend(self.start_observation(stage, now));
        }
        work
    }

    /// Starts an observation of as many jobs as are observed together. Those that wait for a slot reserve it.
    fn start_observation(&mut self, stage: Option<Stage>, now: Timestamp) -> Option<Work<'a>> {
        let mut requests = Vec::new();
        for (index, job) in self.jobs.iter_mut().enumerate() {
            let Ok(job) = job else { continue };
            let is_due = match job.next_step(now) {
                Step::Observe => job.active_stage() == stage,
                Step::WaitForSlot | Step::WaitToRead => self.session.can_retry(job, now),
                Step::Perform(_) | Step::WaitForCopy(_) | Step::Nothing => false,
            };
            if is_due && requests.len() < self.observed_together {
                self.session.reserve_slot(job);
                self.session.update(job, JobEvent::ObservationStarted);
                requests.push((index, job.target.request.clone()));
            }
        }
        (!requests.is_empty()).then_some(Work::Observe(requests))
    }

    fn on_done(&mut self, done: Done<'a>) {
        match done {
            Done::Observed(jobs, at, inventory) => self.on_observed(&jobs, at, inventory),
            Done::Performed(index, action, answer) => {
                if let Some(Ok(job)) = self.jobs.get_mut(index) {
                    let is_copy = action.stage() == Stage::Copies && answer.is_ok();
                    self.session.on_performed(job, action, answer);
                    if let Some(wait_time) = self.wait_time.as_mut().filter(|_| is_copy) {
                        // It may be a small one.
                        wait_time.restart_pauses(self.session.provider.now());
                    }
                }
            }
        }
    }

    fn on_observed(&mut self, jobs: &[usize], at: Timestamp, mut inventory: Inventory) {
        let mut has_failed = false;
        for index in jobs {
            if let Some(Ok(job)) = self.jobs.get_mut(*index) {
                let observation = inventory.jobs.remove(&job.target.request.job);
                if let (Some(observation), Some(stage)) = (observation, job.active_stage()) {
                    has_failed |= observation.error().is_some();
                    self.session.on_observed(job, observation, at, stage);
                } else {
                    self.session.update(job, JobEvent::NotObserved);
                }
            }
        }
        // Without those that have failed, the next observation may take less time; if none has, it must be smaller.
        let took = self.session.provider.now().duration_since(at);
        if took > MAX_AGE && !has_failed {
            self.observed_together = (jobs.len() / 2).max(1);
        }
    }

    /// Pauses, as all jobs wait, and reads the copies in progress. Stops the jobs if there is no more waiting.
    async fn wait(&mut self) {
        let limit = match self.session.options.wait {
            Wait::No => SignedDuration::ZERO,
            Wait::UpTo(limit) => limit,
            Wait::ToTheEnd => SignedDuration::MAX,
        };
        let pause = match self.session.options.wait {
            Wait::No => self.next_try(),
            Wait::UpTo(_) | Wait::ToTheEnd => self.next_pause(limit),
        };
        let Some(mut left) = pause else {
            self.stop_all(&StopReason::WaitOver(limit));
            return;
        };
        while !left.is_zero() && !self.session.is_interrupted() {
            let sleep = left.min(LONGEST_SLEEP);
            self.session.provider.pause(sleep).await;
            left = left.saturating_sub(sleep);
        }
        self.session.unreachable.clear();
        if !self.session.is_interrupted() {
            self.read_copies().await;
        }
    }

    /// Without `--wait`: what waits for a slot is tried again at once, as copies may have finished meanwhile, as long as that helps.
    fn next_try(&mut self) -> Option<Duration> {
        let left = self.jobs().filter(|job| !job.is_finished()).count();
        let before = std::mem::replace(&mut self.left, left);
        (left < before).then_some(Duration::ZERO)
    }

    fn next_pause(&mut self, limit: SignedDuration) -> Option<Duration> {
        let now = self.session.provider.now();
        if self.wait_time.is_none() {
            self.report_deferred();
        }
        let begin = || WaitTime::new(limit, now);
        let wait_time = self.wait_time.get_or_insert_with(begin);
        wait_time.next_pause(now)
    }

    fn report_deferred(&self) {
        for job in self.jobs().filter(|job| job.is_waiting_for_slot()) {
            if let Some(action) = job.next_action() {
                let job = &job.target.request.job;
                (self.session.on_event)(Event::CopyDeferred { job, action });
            }
        }
    }

    /// Reads the copies that are waited for and, if a job waits for a slot, all that are in progress.
    async fn read_copies(&mut self) {
        let (provider, options) = (self.session.provider, self.session.options);
        let at = provider.now();
        let is_slot_awaited = self.jobs().any(Job::is_waiting_for_slot);
        let in_flight = is_slot_awaited.then(|| self.session.in_flight.requests());
        let mut requests = in_flight.unwrap_or_default();
        for job in self.jobs() {
            if let Step::WaitForCopy(copy) = job.next_step(at) {
                let request = requests.entry(job.target.request.job.clone());
                let request = request.or_insert_with(|| job.target.copy_request());
                request.ids.insert(copy.id.clone());
            }
        }
        let requests = requests.into_values().collect();
        let mut copies = observe_copies(provider, requests, options.parallelism).await;
        for (job, answer) in &copies {
            self.session.in_flight.update(job, answer);
        }
        for job in self.jobs.iter_mut().flatten() {
            if let Some(answer) = copies.remove(&job.target.request.job) {
                self.session.on_copy_read(job, answer, at);
            }
        }
    }
}
