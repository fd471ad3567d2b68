//! Applies a plan and nothing else: checks that the preconditions of each action still hold, then performs it as written.
//!
//! Each job is a state machine (`job_state`). The driver here starts the calls that the jobs need next, waits for the first answer,
//! and passes it to its job. All jobs make their copies first, then write tags, then delete; jobs that wait for a slot or for their
//! copy do not hold up the others. When all jobs wait, the driver pauses, then reads the copies in progress.

mod awaited_copy;
mod deletion;
mod difference;
mod facts;
mod in_flight;
mod job_result;
mod job_state;
mod options;
mod perform;
mod precondition;
mod session;
mod wait_time;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use jiff::{SignedDuration, Timestamp};

pub use self::options::{Callers, Event, OnEvent, Options, Wait};

use self::facts::{MAX_AGE, Target};
use self::in_flight::InFlightCopies;
use self::job_result::JobResult;
use self::job_state::{Job, JobEvent, JobState};
use self::perform::perform;
use self::session::Session;
use self::wait_time::WaitTime;
use crate::model::action::{Action, ActionName, Stage};
use crate::model::fail_reason::FailReason;
use crate::model::ids::ArtifactId;
use crate::model::inventory::{Answer, Inventory};
use crate::model::plan::SavedPlan;
use crate::model::problem::Problem;
use crate::model::reason::StopReason;
use crate::model::result::{ActionResult, SyncResult};
use crate::observe::{Request, observe, observe_copies};
use crate::provider::Provider;

/// How many jobs are observed together. Jobs share reads, so a larger group needs fewer calls. But an observation is valid for only
/// a minute, which is enough for about a hundred jobs to write, even if AWS throttles them.
const OBSERVED_TOGETHER: usize = 100;

/// The longest sleep, so that an interrupt is noticed soon.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Applies a plan that has been approved. A job with actions and without credentials fails. The inventory `seen` while planning is
/// used as long as it is recent.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    callers: &Callers,
    seen: Option<Inventory>,
    options: Options<'_>,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let targets = plan.jobs.iter();
    let targets = targets.map(|job| Target::of_plan(job, plan.created_at, callers.get(&job.name)));
    let targets: Vec<_> = targets.collect();
    let session = Session {
        provider,
        options,
        on_event,
        in_flight: InFlightCopies::default(),
        expired: HashMap::new(),
        unreachable: HashSet::new(),
    };
    let mut driver = Driver::new(session, plan, &targets, seen);
    let mut running = FuturesUnordered::new();
    loop {
        driver.stop_jobs();
        if driver.jobs().all(Job::is_finished) {
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
    driver.results(plan)
}

/// A call, or a group of calls, that jobs need.
enum Work<'a> {
    Observe(Vec<Request>),
    /// With the place of the job in the plan, and the copy that the tag of the source will name.
    Perform(usize, &'a Action, &'a Target, Option<ArtifactId>),
}

/// The answer to [`Work`].
enum Done {
    /// With the time when observing started.
    Observed(Timestamp, Inventory),
    /// With the place of the job in the plan.
    Performed(usize, Answer<ActionResult>),
}

async fn carry_out(provider: &dyn Provider, parallelism: usize, work: Work<'_>) -> Done {
    match work {
        Work::Observe(requests) => {
            let inventory = observe(provider, &requests, parallelism).await;
            // If a single job was observed, its age counts from the end of the read: reading again would not make it newer.
            let at = match requests.len() {
                1 => provider.now(),
                _ => inventory.observed_at,
            };
            Done::Observed(at, inventory)
        }
        Work::Perform(job, action, target, copy) => {
            let answer = perform(provider, target, action, copy.as_ref()).await;
            Done::Performed(job, answer)
        }
    }
}

/// The state of an apply.
struct Driver<'a> {
    session: Session<'a>,
    /// In plan order. `Err` holds the result of a job that has nothing to do or can't be started.
    jobs: Vec<Result<Job<'a>, SyncResult>>,
    /// How many jobs are observed together. It is reduced if an observation takes so long that it is too old to be used.
    observed_together: usize,
    /// The wait for slots and copies, if it has begun.
    wait_time: Option<WaitTime>,
    /// The number of unfinished jobs the last time all of them were waiting; used only without `--wait`.
    left: usize,
}

impl<'a> Driver<'a> {
    fn new(
        mut session: Session<'a>,
        plan: &'a SavedPlan,
        targets: &'a [Result<Target, Problem>],
        mut seen: Option<Inventory>,
    ) -> Self {
        let (waits, now) = (session.options.wait != Wait::No, session.provider.now());
        let mut jobs = Vec::new();
        for (plan, target) in plan.jobs.iter().zip(targets) {
            if let (Ok(target), Some(copy)) = (target, plan.copy_being_made()) {
                session.in_flight.count(target, copy);
            }
            let mut job = match target {
                _ if plan.actions.is_empty() => Err(JobResult::new(plan).result),
                Ok(target) => Ok(Job::new(plan, target, waits, now)),
                Err(problem) => Err(JobResult::not_started(plan, problem.clone())),
            };
            match (&mut job, &mut seen) {
                // Its result depends on that of the other job.
                (Err(_), _) if plan.synced_by.is_some() => {}
                (Err(result), _) => session.report(result, 0, true),
                (Ok(job), Some(seen)) => {
                    if let Some(observation) = seen.jobs.remove(&plan.name) {
                        session.update(
                            job,
                            JobEvent::Observed(Box::new(observation), seen.observed_at),
                        );
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

    /// Returns the results, in plan order. A job whose source is copied by another job fails if that job fails.
    fn results(self, plan: &SavedPlan) -> Vec<SyncResult> {
        let results = self.jobs.into_iter();
        let results = results.map(|job| job.map_or_else(|result| result, |job| job.actions.result));
        let mut results: Vec<SyncResult> = results.collect();
        for (n, plan) in plan.jobs.iter().enumerate() {
            let Some(first) = &plan.synced_by else {
                continue;
            };
            let is_copied = results
                .iter()
                .any(|result| result.name == *first && result.is_copied());
            if let Some(result) = results.get_mut(n) {
                if !is_copied && result.completed {
                    let first = first.clone();
                    result.completed = false;
                    result
                        .errors
                        .push(FailReason::FirstFailed { first }.problem(&plan.name));
                }
                self.session.report(result, 0, true);
            }
        }
        results
    }

    fn jobs(&self) -> impl Iterator<Item = &Job<'a>> {
        self.jobs.iter().flatten()
    }

    /// Stops the jobs that can't start any more actions.
    fn stop_jobs(&mut self) {
        for job in self.jobs.iter_mut().flatten() {
            if let Some(reason) = self.session.stop_reason(job) {
                self.session.update(job, JobEvent::Stopped(reason));
            }
        }
    }

    /// Starts whatever can be started now.
    fn next_work(&mut self) -> Vec<Work<'a>> {
        let now = self.session.provider.now();
        let stage = self.jobs().filter_map(Job::active_stage).min();
        let parallelism = self.session.options.parallelism.max(1);
        let is_performing = |job: &&Job<'_>| matches!(job.state, JobState::Performing(..));
        let is_observing = |job: &Job<'_>| matches!(job.state, JobState::Observing(..));
        let mut performing = self.jobs().filter(is_performing).count();
        let mut work = Vec::new();
        for (index, job) in self.jobs.iter_mut().enumerate() {
            if let Ok(job) = job
                && performing < parallelism
                && let Some(action) = self.session.performable(job, stage, now)
                && self.session.start(job, action, now)
            {
                let copy = job.actions.copy_to_name().cloned();
                work.push(Work::Perform(index, action, job.target, copy));
                performing += 1;
            }
        }
        // Observations expire, so none is started before it is needed.
        if performing < parallelism && !self.jobs().any(is_observing) {
            work.extend(self.start_observation(stage, now));
        }
        work
    }

    /// Starts an observation of as many jobs as are observed together.
    fn start_observation(&mut self, stage: Option<Stage>, now: Timestamp) -> Option<Work<'a>> {
        let mut requests = Vec::new();
        for job in self.jobs.iter_mut().flatten() {
            let is_due = match &job.state {
                // Every action that can be performed now has already been started.
                JobState::Unobserved(_) | JobState::Observed(..) => job.active_stage() == stage,
                JobState::WaitingForSlot(action, ..) | JobState::WaitingToRead(action, ..) => {
                    self.session.can_retry(job.target, action, now)
                }
                _ => false,
            };
            if is_due && requests.len() < self.observed_together {
                self.session.start_observation(job);
                requests.push(job.request());
            }
        }
        (!requests.is_empty()).then_some(Work::Observe(requests))
    }

    fn on_done(&mut self, done: Done) {
        match done {
            Done::Observed(at, inventory) => self.on_observed(at, inventory),
            Done::Performed(index, answer) => {
                let is_copy = |result: &ActionResult| result.action == ActionName::Copy;
                if let Some(wait_time) = &mut self.wait_time
                    && answer.as_ref().is_ok_and(is_copy)
                {
                    // The new copy may be small and finish soon, so check often again.
                    wait_time.restart_pauses(self.session.provider.now());
                }
                if let Some(Ok(job)) = self.jobs.get_mut(index) {
                    self.session.update(job, JobEvent::Performed(answer));
                }
            }
        }
    }

    fn on_observed(&mut self, at: Timestamp, mut inventory: Inventory) {
        let number = inventory.jobs.len();
        let mut has_failed = false;
        for job in self.jobs.iter_mut().flatten() {
            if let Some(observation) = inventory.jobs.remove(&job.target.request.job) {
                has_failed |= observation.error().is_some();
                self.session
                    .update(job, JobEvent::Observed(Box::new(observation), at));
            }
        }
        // If jobs have failed, the next observation may take less time without them; otherwise it must be smaller.
        let took = self.session.provider.now().duration_since(at);
        if took > MAX_AGE && !has_failed {
            self.observed_together = (number / 2).max(1);
        }
    }

    /// Pauses while all jobs wait, then reads the copies in progress. Stops the jobs if the wait is over.
    async fn wait(&mut self) {
        let (limit, pause) = match self.session.options.wait {
            Wait::No => (SignedDuration::ZERO, self.next_try()),
            Wait::UpTo(limit) => (limit, self.next_pause(limit)),
            Wait::ToTheEnd => (SignedDuration::MAX, self.next_pause(SignedDuration::MAX)),
        };
        let Some(mut left) = pause else {
            for job in self.jobs.iter_mut().flatten() {
                let reason = StopReason::WaitOver(limit);
                self.session.update(job, JobEvent::Stopped(reason));
            }
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

    /// Returns a zero pause as long as retrying finishes more jobs. Without `--wait`, jobs that wait for a slot are retried at
    /// once, because other copies may have finished by then.
    fn next_try(&mut self) -> Option<Duration> {
        let left = self.jobs().filter(|job| !job.is_finished()).count();
        let before = std::mem::replace(&mut self.left, left);
        (left < before).then_some(Duration::ZERO)
    }

    /// Returns the next pause. Before the first, it reports the copies that have to wait for a slot.
    fn next_pause(&mut self, limit: SignedDuration) -> Option<Duration> {
        let now = self.session.provider.now();
        for job in self.jobs().filter(|_| self.wait_time.is_none()) {
            if let JobState::WaitingForSlot(action, ..) = job.state {
                let job = &job.target.request.job;
                (self.session.on_event)(Event::CopyDeferred { job, action });
            }
        }
        let begin = || WaitTime::new(limit, now);
        self.wait_time.get_or_insert_with(begin).next_pause(now)
    }

    /// Reads the copies that jobs wait for and, if a job waits for a slot, all copies in progress.
    async fn read_copies(&mut self) {
        let (provider, options) = (self.session.provider, self.session.options);
        let at = provider.now();
        let is_waiting_for_slot = |job: &Job<'_>| matches!(job.state, JobState::WaitingForSlot(..));
        let mut requests = Vec::new();
        if self.jobs().any(is_waiting_for_slot) {
            requests = self.session.in_flight.requests();
        }
        requests.extend(self.jobs().filter_map(|job| match &job.state {
            JobState::WaitingForCopy(copy) => Some(job.target.copy_request(&copy.id)),
            _ => None,
        }));
        let mut copies = observe_copies(provider, requests, options.parallelism).await;
        for (job, answer) in &copies {
            self.session.in_flight.update(job, answer);
        }
        for job in self.jobs.iter_mut().flatten() {
            if let Some(answer) = copies.remove(&job.target.request.job) {
                self.session.update(job, JobEvent::CopyRead(answer, at));
            }
        }
    }
}
