//! A random history: what happens, step by step, and what is checked after each step.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use aws_xregion_sync::executor::{self, Options};
use aws_xregion_sync::model::inventory::Inventory;
use aws_xregion_sync::model::plan::{self, Summary};
use aws_xregion_sync::planfile;
use aws_xregion_sync::planner;
use jiff::SignedDuration;

use super::fault_plan::FaultPlan;
use super::faulty_provider::FaultyProvider;
use super::interference::Targets;
use super::ledger::{Counts, RecordedSandbox};
use super::monitor::{Monitor, ReadRecord};
use super::random::Random;
use super::scheduler::{Task, alone, side_by_side};
use super::setup::{self, Setup};
use super::{check_plan, check_results, convergence, environment, interference, report};
use crate::support::config_ref;
use crate::support::prelude::*;

/// The number of plans that are kept to be applied later.
const POOL: usize = 6;

/// What a run observed when it planned.
pub struct Before {
    inventory: Inventory,
    reads: Vec<ReadRecord>,
    /// Whether all of it was true at that time.
    is_exact: bool,
    /// Whether it may be outdated.
    is_stale: bool,
}

/// The result of a history.
pub struct Outcome {
    pub counts: Counts,
    pub breaches: Vec<String>,
    pub report: String,
}

/// A history in progress.
pub struct History {
    pub random: Random,
    pub setup: Setup,
    pub recorded: RecordedSandbox,
    pool: Vec<Arc<SavedPlan>>,
}

/// Runs the history of a seed, with a report if requested.
pub fn run(seed: u64, is_verbose: bool) -> Outcome {
    let mut random = Random::new(seed);
    let (setup, world) = setup::random(&mut random);
    let recorded = RecordedSandbox::new(world, is_verbose);
    let mut history = History {
        random,
        setup,
        recorded,
        pool: Vec::new(),
    };
    let setup = || format!("seed {seed}\n{}", history.setup.description());
    history.recorded.ledger().log_line(setup);
    if history.setup.has_destinations() {
        history
            .recorded
            .ledger()
            .count("a job has several destinations");
    }
    let steps = history.random.within(10, 40);
    for step in 0..steps {
        history.step(step);
        if history.is_broken() {
            break;
        }
        let now = history.recorded.sandbox.now();
        history.recorded.ledger().forget(now);
    }
    if !history.is_broken() {
        convergence::converge(&mut history);
    }
    let world = history.recorded.sandbox.world();
    let mut ledger = history.recorded.ledger();
    ledger.log_line(|| format!("the world then:\n{}", report::of_world(&world)));
    Outcome {
        counts: ledger.counts.clone(),
        breaches: ledger.breaches().to_vec(),
        report: ledger.report(),
    }
}

impl History {
    fn is_broken(&self) -> bool {
        !self.recorded.ledger().breaches().is_empty()
    }

    /// Records what happens in a step.
    pub fn say(&self, what: &'static str, line: impl FnOnce() -> String) {
        let now = self.recorded.sandbox.now();
        let mut ledger = self.recorded.ledger();
        ledger.count(what);
        ledger.log_line(|| format!("{} {}", now.strftime("%Y-%m-%d %H:%M:%S"), line()));
    }

    fn step(&mut self, step: i64) {
        let Self {
            random,
            setup,
            recorded,
            pool,
        } = self;
        let (what, description) = match random.weighted(&[18, 22, 18, 20, 22]) {
            0 => recorded.edit(|world| environment::pass_time(random, setup, world)),
            1 => recorded.edit(|world| environment::life(random, setup, world)),
            2 => {
                let targets = Targets::of(pool);
                let change =
                    recorded.edit(|world| interference::interfere(random, setup, &targets, world));
                recorded.record_interference(change.copy);
                (change.what, change.description)
            }
            3 => {
                let faults = FaultPlan::maybe(random, 25);
                let selection = random.chance(15).then(|| random.below(setup.jobs.len()));
                return self.plan_step(step, faults, selection);
            }
            _ if pool.is_empty() => ("nothing", String::new()),
            _ => return self.apply_step(step),
        };
        self.say(what, || format!("{step}: {description}"));
    }

    fn plan_step(&mut self, step: i64, faults: FaultPlan, selection: Option<usize>) {
        self.say("a plan is made", || {
            format!("{step}: plan, job {selection:?} alone, faults {faults:?}")
        });
        let jobs = match selection {
            Some(at) => self.setup.jobs[at..=at].to_vec(),
            None => self.setup.jobs.clone(),
        };
        let Some((plan, before)) = self.plan(&jobs, faults, format!("plan {step}")) else {
            return;
        };
        let plan = Arc::new(plan);
        if self.random.chance(30) {
            self.say("a plan is applied at once", || format!("{step}: run"));
            let faults = FaultPlan::maybe(&mut self.random, 40);
            let interferes = self.random.chance(20);
            let chosen = [Arc::clone(&plan)];
            self.apply(step, &chosen, Some(before), vec![faults], interferes);
        }
        if self.pool.len() == POOL {
            let oldest = self.random.below(POOL);
            self.pool.remove(oldest);
        }
        self.pool.push(plan);
    }

    /// Makes a plan and checks it. Returns it with what it is based on, or `None` if the run was killed.
    pub fn plan(
        &mut self,
        jobs: &[SyncJob],
        faults: FaultPlan,
        name: String,
    ) -> Option<(SavedPlan, Before)> {
        let parallelism = 1 + self.random.below(4);
        let (recorded, is_exact) = (&self.recorded, faults.is_none());
        let mut monitor = Monitor::new(recorded, &self.setup, None, faults, parallelism);
        monitor.name = name;
        let faulty = FaultyProvider::new(&monitor, self.random.fork());
        let state = recorded.moment().state;
        // Sealing a plan takes longer than everything else together, so its text is checked only sometimes.
        let is_sealed = self.random.chance(10);
        let planning = make_plan(&faulty, jobs, parallelism, is_sealed);
        let (plan, inventory) = alone(until_killed(&faulty, planning))?;
        let has_written = recorded.moment().state != state;
        let mut ledger = recorded.ledger();
        if has_written {
            ledger.breach("law 1: planning has changed the world");
        }
        check_plan::check(&monitor, &mut ledger, &plan);
        if is_sealed {
            check_plan::check_text(&mut ledger, &plan);
        }
        ledger.log_line(|| report::of_plan(&plan));
        for job in &plan.jobs {
            ledger.count(match job.outcome {
                plan::Outcome::Changes => "a job has changes",
                plan::Outcome::UpToDate => "a job is up to date",
                plan::Outcome::Failed => "a job fails",
            });
        }
        drop(ledger);
        let before = Before {
            inventory,
            reads: std::mem::take(&mut monitor.log().reads),
            is_exact,
            is_stale: monitor.is_stale(),
        };
        if is_exact && is_sealed {
            self.plan_again(jobs);
        }
        Some((plan, before))
    }

    /// Checks law 2: two worlds that differ only in the order of their listings have the same plan.
    fn plan_again(&mut self, jobs: &[SyncJob]) {
        let world = self.recorded.sandbox.world();
        let mut shuffled = world.clone();
        shuffled.listing_seed = self.random.next();
        let [one, other] =
            [world, shuffled].map(|world| alone(make_plan(&Sandbox::new(world), jobs, 1, true)).0);
        let mut ledger = self.recorded.ledger();
        ledger.count("a plan is made again");
        if one.digest != other.digest {
            let what = "another order of listings gives another plan";
            ledger.breach(format!("law 2: {what}: {one:?} and {other:?}"));
        }
    }

    fn apply_step(&mut self, step: i64) {
        let runs = 1 + self.random.weighted(&[60, 28, 12]);
        let is_one = self.random.chance(50);
        let first = self.random.pick(&self.pool).cloned().expect("a plan");
        let mut chosen = vec![first];
        while chosen.len() < runs {
            let other = if is_one {
                Arc::clone(&chosen[0])
            } else {
                self.random.pick(&self.pool).cloned().expect("a plan")
            };
            chosen.push(other);
        }
        let interferes = self.random.chance(15);
        let random = &mut self.random;
        let faults: Vec<FaultPlan> = (0..runs).map(|_| FaultPlan::maybe(random, 55)).collect();
        let what = match (runs, is_one) {
            (1, _) => "a plan is applied",
            (_, true) => "a plan is applied side by side with itself",
            _ => "plans are applied side by side",
        };
        self.say(what, || {
            format!("{step}: apply {runs} side by side, of one plan {is_one}, faults {faults:?}")
        });
        self.apply(step, &chosen, None, faults, interferes);
        if self.random.chance(25) {
            self.say("a plan is applied again", || format!("{step}: apply again"));
            let faults = FaultPlan::none(&mut self.random);
            self.apply(step, &chosen[..1], None, vec![faults], false);
        }
    }

    /// Applies plans concurrently, perhaps while someone changes the world; the first of them uses what it observed `before`.
    /// Returns the results of those that ended.
    pub fn apply(
        &mut self,
        step: i64,
        chosen: &[Arc<SavedPlan>],
        before: Option<Before>,
        faults: Vec<FaultPlan>,
        interferes: bool,
    ) -> Vec<Option<Vec<SyncResult>>> {
        let is_exact = before.as_ref().is_none_or(|before| before.is_exact);
        let alone = chosen.len() == 1 && !interferes && is_exact;
        let random = &mut self.random;
        let (setup, recorded) = (&self.setup, &self.recorded);
        let plans = chosen.iter().zip(faults).enumerate();
        let monitors = plans.map(|(n, (plan, faults))| {
            let parallelism = 1 + random.below(4);
            let mut monitor = Monitor::new(recorded, setup, Some(plan), faults, parallelism);
            (monitor.alone, monitor.name) = (alone, format!("run {step}.{n}"));
            monitor
        });
        let mut monitors: Vec<Monitor<'_>> = monitors.collect();
        let mut inventory = before.map(|before| {
            monitors[0].log().reads = before.reads;
            monitors[0].was_stale = before.is_stale;
            before.inventory
        });
        let mut tasks: Vec<Task<'_, Option<Vec<SyncResult>>>> = Vec::new();
        for (monitor, plan) in monitors.iter().zip(chosen) {
            let (random, known) = (random.fork(), inventory.take());
            let apply = apply_one(recorded, setup, monitor, plan, known, random);
            tasks.push(Box::pin(apply));
        }
        if interferes {
            let (random, targets) = (random.fork(), Targets::of(chosen));
            tasks.push(Box::pin(interference::meanwhile(
                recorded, setup, targets, random,
            )));
        }
        let mut ended = side_by_side(random, tasks);
        ended.truncate(chosen.len());
        for ((monitor, plan), ended) in monitors.iter().zip(chosen).zip(&ended) {
            let mut ledger = recorded.ledger();
            match ended {
                Some(ended) => {
                    ledger.log_line(|| report::of_results(&monitor.name, ended));
                    check_results::check(monitor, &mut ledger, plan, ended);
                }
                None => ledger.log_line(|| format!("    {} is killed", monitor.name)),
            }
        }
        ended
    }
}

/// Makes a plan as `xrs plan` does.
async fn make_plan(
    provider: &dyn Provider,
    jobs: &[SyncJob],
    parallelism: usize,
    is_sealed: bool,
) -> (SavedPlan, Inventory) {
    let requests: Vec<Request> = jobs.iter().map(Request::of_job).collect();
    let inventory = observe(provider, &requests, parallelism).await;
    let plan = Plan {
        provider: provider.kind(),
        selection: None,
        jobs: planner::plan(jobs, &inventory),
    };
    let created_at = inventory.observed_at;
    let config = config_ref();
    let plan = if is_sealed {
        planfile::seal(plan, created_at, config).expect("a plan")
    } else {
        SavedPlan {
            format_version: planfile::FORMAT_VERSION.to_owned(),
            xrs_version: String::new(),
            created_at,
            digest: String::new(),
            provider: plan.provider,
            selection: plan.selection,
            config,
            summary: Summary::of(&plan.jobs),
            jobs: plan.jobs,
        }
    };
    (plan, inventory)
}

/// Applies a plan as `xrs apply` does once it has accepted the plan.
async fn apply_one(
    recorded: &RecordedSandbox,
    setup: &Setup,
    monitor: &Monitor<'_>,
    plan: &SavedPlan,
    known: Option<Inventory>,
    random: Random,
) -> Option<Vec<SyncResult>> {
    let faulty = FaultyProvider::new(monitor, random);
    let (stop, events) = (AtomicBool::new(false), AtomicUsize::new(0));
    let on_event = |_: Event<'_>| {
        let before = events.fetch_add(1, Ordering::Relaxed);
        if monitor.faults.interrupt == Some(before) {
            stop.store(true, Ordering::Relaxed);
            recorded.ledger().count("a run is interrupted");
        }
    };
    let wait = monitor.faults.waits.map_or(Wait::No, |seconds| {
        recorded.ledger().count("an apply waits");
        Wait::UpTo(SignedDuration::from_secs(seconds))
    });
    let options = Options {
        parallelism: monitor.parallelism,
        wait,
        stop: &stop,
    };
    let apply = executor::apply(&faulty, plan, &setup.callers, known, options, &on_event);
    until_killed(&faulty, apply).await
}

/// Runs a future as long as its run is alive. Returns `None` if the run is killed.
async fn until_killed<T>(faulty: &FaultyProvider<'_>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if faulty.is_killed() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
