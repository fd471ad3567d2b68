//! One random history: what happens, step by step, and what is on_read at after each.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use aws_xregion_sync::executor::{self, Event, Options, Wait};
use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::inventory::Inventory;
use aws_xregion_sync::model::plan::{ConfigRef, Plan, SavedPlan, Summary};
use aws_xregion_sync::model::result::SyncResult;
use aws_xregion_sync::observe::{Request, observe};
use aws_xregion_sync::planfile::{self, Header};
use aws_xregion_sync::planner;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::sync_types::SyncJob;
use jiff::SignedDuration;

use super::fault_plan::FaultPlan;
use super::faulty_provider::{FaultyProvider, yield_turns};
use super::ledger::{Counts, RecordedSandbox};
use super::monitor::{Monitor, ReadRecord};
use super::random::Random;
use super::scheduler::{Task, alone, side_by_side};
use super::setup::{self, Setup};
use super::{check_plan, check_results, convergence, environment, interference, report};

/// Plans that are kept to be applied later.
const POOL: usize = 6;

/// What a run has seen when it planned.
pub struct Before {
    inventory: Inventory,
    reads: Vec<ReadRecord>,
    /// Whether all of it was the truth of that very time.
    is_true: bool,
    /// Whether it may be of an earlier time.
    is_stale: bool,
}

/// What a history came to.
pub struct Outcome {
    pub counts: Counts,
    pub breaches: Vec<String>,
    pub report: String,
}

/// A history while it goes on.
pub struct History {
    pub random: Random,
    pub setup: Setup,
    pub recorded: RecordedSandbox,
    pool: Vec<Arc<SavedPlan>>,
}

/// Runs the history of a seed; `is_verbose` it if somebody is to read it.
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
    history
        .recorded
        .ledger()
        .log_line(|| format!("seed {seed}\n{}", history.setup.description()));
    let steps = history.random.within(10, 40);
    for step in 0..steps {
        history.step(step);
        if !history.recorded.ledger().breaches().is_empty() {
            break;
        }
        let now = history.recorded.sandbox.now();
        history.recorded.ledger().forget(now);
    }
    if history.recorded.ledger().breaches().is_empty() {
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
    /// Writes down what happened in a step.
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
        let (what, description) = match random.weighed(&[18, 22, 18, 20, 22]) {
            0 => recorded.edit(|world| environment::pass_time(random, setup, world)),
            1 => recorded.edit(|world| environment::life(random, setup, world)),
            2 => {
                let of_plans = named_in(pool);
                let change =
                    recorded.edit(|world| interference::interfere(random, setup, &of_plans, world));
                interfered(recorded, change.copy);
                (change.what, change.description)
            }
            3 => {
                let faults = if random.chance(25) {
                    FaultPlan::random(random)
                } else {
                    FaultPlan::none(random)
                };
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
        let Some((plan, before)) = self.look_and_plan(&jobs, faults, format!("plan {step}")) else {
            return;
        };
        let plan = Arc::new(plan);
        if self.random.chance(30) {
            self.say("a plan is applied there and then", || {
                format!("{step}: run")
            });
            let faults = if self.random.chance(40) {
                FaultPlan::random(&mut self.random)
            } else {
                FaultPlan::none(&mut self.random)
            };
            let interferes = self.random.chance(20);
            let chosen = [Arc::clone(&plan)];
            self.carry_out(step, &chosen, Some(before), vec![faults], interferes);
        }
        if self.pool.len() == POOL {
            let oldest = self.random.below(POOL);
            self.pool.remove(oldest);
        }
        self.pool.push(plan);
    }

    /// Makes a plan and reads at it; nothing if the run was killed.
    pub fn plan(&mut self, jobs: &[SyncJob], faults: FaultPlan, name: String) -> Option<SavedPlan> {
        Some(self.look_and_plan(jobs, faults, name)?.0)
    }

    /// The same, with what the plan rests on.
    fn look_and_plan(
        &mut self,
        jobs: &[SyncJob],
        faults: FaultPlan,
        name: String,
    ) -> Option<(SavedPlan, Before)> {
        let parallelism = 1 + self.random.below(4);
        let mut monitor = Monitor::new(
            &self.recorded,
            &self.setup,
            None,
            faults.clone(),
            parallelism,
        );
        monitor.name = name;
        let faulty =
            FaultyProvider::new(&self.recorded.sandbox, &monitor, faults, self.random.fork());
        let states = self.recorded.moment().state;
        // To seal a plan takes longer than all the rest together; its text is on_read at now and then.
        let sealed = self.random.chance(10);
        let (plan, inventory) = alone(until_killed(
            &faulty,
            make_plan(&faulty, jobs, parallelism, sealed),
        ))?;
        let changed = self.recorded.moment().state != states;
        let mut ledger = self.recorded.ledger();
        if changed {
            ledger.breach("law 1: planning has changed the world");
        }
        check_plan::check(&monitor, &mut ledger, &plan);
        if sealed {
            check_plan::check_text(&mut ledger, &plan);
        }
        ledger.log_line(|| report::of_plan(&plan));
        for job in &plan.jobs {
            ledger.count(match job.outcome {
                aws_xregion_sync::model::plan::Outcome::Changes => "a job has changes",
                aws_xregion_sync::model::plan::Outcome::UpToDate => "a job is up to date",
                aws_xregion_sync::model::plan::Outcome::Failed => "a job fails",
            });
        }
        drop(ledger);
        let before = Before {
            inventory,
            reads: std::mem::take(&mut monitor.log().reads),
            is_true: monitor.faults.is_none(),
            is_stale: monitor.is_stale(),
        };
        // Law 2: another order of listings, another hour, the same plan.
        if monitor.faults.is_none() && sealed {
            self.same_again(jobs);
        }
        Some((plan, before))
    }

    /// Law 2: two worlds that differ in nothing but the order of their listings have one plan.
    fn same_again(&mut self, jobs: &[SyncJob]) {
        let world = self.recorded.sandbox.world();
        let mut shuffled = world.clone();
        shuffled.listing_seed = self.random.next();
        let [one, other] = [world, shuffled].map(|world| {
            let sandbox = aws_xregion_sync::provider::sandbox::Sandbox::new(world);
            alone(make_plan(&sandbox, jobs, 1, true)).0
        });
        let mut ledger = self.recorded.ledger();
        ledger.count("a plan is made again");
        if one.digest != other.digest {
            ledger.breach(format!(
                "law 2: another order of listings gives another plan: {one:?} and {other:?}"
            ));
        }
    }

    fn apply_step(&mut self, step: i64) {
        let runs = match self.random.weighed(&[60, 28, 12]) {
            0 => 1,
            1 => 2,
            _ => 3,
        };
        let one = self.random.chance(50);
        let first = self.random.pick(&self.pool).cloned().expect("a plan");
        let mut chosen = vec![first];
        while chosen.len() < runs {
            let other = if one {
                Arc::clone(&chosen[0])
            } else {
                self.random.pick(&self.pool).cloned().expect("a plan")
            };
            chosen.push(other);
        }
        let interferes = self.random.chance(15);
        let faults: Vec<FaultPlan> = (0..runs)
            .map(|_| {
                let random = &mut self.random;
                if random.chance(55) {
                    FaultPlan::random(random)
                } else {
                    FaultPlan::none(random)
                }
            })
            .collect();
        let what = match (runs, one) {
            (1, _) => "a plan is applied",
            (_, true) => "a plan is applied side by side with itself",
            _ => "plans are applied side by side",
        };
        self.say(what, || {
            format!(
                "{step}: apply {} side by side, of one plan {one}, faults {faults:?}",
                chosen.len()
            )
        });
        self.apply(step, &chosen, faults, interferes);
        if self.random.chance(25) {
            self.say("a plan is applied again", || format!("{step}: apply again"));
            let faults = FaultPlan::none(&mut self.random);
            self.apply(step, &chosen[..1], vec![faults], false);
        }
    }

    /// Applies plans side by side, perhaps while somebody has a hand in the world. The results of those that ended.
    pub fn apply(
        &mut self,
        step: i64,
        chosen: &[Arc<SavedPlan>],
        faults: Vec<FaultPlan>,
        interferes: bool,
    ) -> Vec<Option<Vec<SyncResult>>> {
        self.carry_out(step, chosen, None, faults, interferes)
    }

    /// The same; the first of them with what it has seen before.
    fn carry_out(
        &mut self,
        step: i64,
        chosen: &[Arc<SavedPlan>],
        before: Option<Before>,
        faults: Vec<FaultPlan>,
        interferes: bool,
    ) -> Vec<Option<Vec<SyncResult>>> {
        let is_true = before.as_ref().is_none_or(|before| before.is_true);
        let alone = chosen.len() == 1 && !interferes && is_true;
        let Self {
            random,
            setup,
            recorded,
            ..
        } = self;
        let (setup, recorded) = (&*setup, &*recorded);
        let mut monitors: Vec<Monitor<'_>> = chosen
            .iter()
            .zip(faults)
            .enumerate()
            .map(|(n, (plan, faults))| {
                let mut monitor =
                    Monitor::new(recorded, setup, Some(plan), faults, 1 + random.below(4));
                (monitor.alone, monitor.name) = (alone, format!("run {step}.{n}"));
                monitor
            })
            .collect();
        let mut seen = before.map(|before| {
            monitors[0].log().reads = before.reads;
            monitors[0].was_stale = before.is_stale;
            before.inventory
        });
        let mut tasks: Vec<Task<'_, Option<Vec<SyncResult>>>> = Vec::new();
        for (monitor, plan) in monitors.iter().zip(chosen) {
            let (random, seen) = (random.fork(), seen.take());
            tasks.push(Box::pin(apply_one(
                recorded, setup, monitor, plan, seen, random,
            )));
        }
        if interferes {
            let mut random = random.fork();
            let of_plans = named_in(chosen);
            tasks.push(Box::pin(async move {
                for _ in 0..=random.below(3) {
                    yield_turns(random.below(60)).await;
                    let change = recorded.edit(|world| {
                        interference::interfere(&mut random, setup, &of_plans, world)
                    });
                    recorded.ledger().count("somebody interferes with an apply");
                    recorded
                        .ledger()
                        .log_line(|| format!("    meanwhile: {}", change.description));
                    interfered(recorded, change.copy);
                }
                None
            }));
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

/// What plans are about: what is done to that by hand matters most.
fn named_in(plans: &[Arc<SavedPlan>]) -> interference::Aims {
    let mut aims = interference::Aims::default();
    for job in plans.iter().flat_map(|plan| &plan.jobs) {
        for action in &job.actions {
            match action {
                Action::Delete(deletion) => {
                    let kept = deletion.expects.kept.iter().map(|kept| kept.id.to_string());
                    aims.copies
                        .extend(kept.chain([deletion.artifact.id.to_string()]));
                }
                Action::TagCopy(tag) => aims.copies.push(tag.copy.id.to_string()),
                Action::Copy(copy) => {
                    let id = copy.copy.id.clone();
                    aims.names.extend(id.map(|id| (job.name.clone(), id)));
                }
                Action::TagSource(_) => {}
            }
        }
    }
    aims
}

fn interfered(recorded: &RecordedSandbox, copy: Option<String>) {
    if let Some(copy) = copy {
        let now = recorded.sandbox.now();
        recorded.ledger().interfered.insert(copy, now);
    }
}

/// As `xrs plan` does.
async fn make_plan(
    provider: &dyn Provider,
    jobs: &[SyncJob],
    parallelism: usize,
    sealed: bool,
) -> (SavedPlan, Inventory) {
    let reads: Vec<Request> = jobs.iter().map(Request::of_job).collect();
    let inventory = observe(provider, &reads, parallelism).await;
    let plan = Plan {
        provider: provider.kind(),
        selection: None,
        jobs: planner::plan(jobs, &inventory),
    };
    let (path, created_at) = ("xrs.yaml".to_owned(), inventory.observed_at);
    let config = ConfigRef {
        path,
        sha256: String::new(),
    };
    if sealed {
        return (
            planfile::seal(plan, Header { created_at, config }).expect("a plan"),
            inventory,
        );
    }
    let plan = SavedPlan {
        format_version: planfile::FORMAT_VERSION.to_owned(),
        xrs_version: String::new(),
        created_at,
        digest: String::new(),
        provider: plan.provider,
        selection: plan.selection,
        config,
        summary: Summary::of(&plan.jobs),
        jobs: plan.jobs,
    };
    (plan, inventory)
}

/// As `xrs apply` does with a plan that was found fit.
async fn apply_one(
    recorded: &RecordedSandbox,
    setup: &Setup,
    monitor: &Monitor<'_>,
    plan: &SavedPlan,
    seen: Option<Inventory>,
    random: Random,
) -> Option<Vec<SyncResult>> {
    let faulty = FaultyProvider::new(&recorded.sandbox, monitor, monitor.faults.clone(), random);
    let stop = AtomicBool::new(false);
    let happened = std::sync::atomic::AtomicUsize::new(0);
    let on_event = |_: Event<'_>| {
        let before = happened.fetch_add(1, Ordering::Relaxed);
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
    let apply = executor::apply(&faulty, plan, &setup.callers, seen, options, &on_event);
    until_killed(&faulty, apply).await
}

/// Runs a future as long as the run that it belongs to is alive; nothing, once that is killed.
async fn until_killed<T>(faulty: &FaultyProvider<'_>, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let dead = Cell::new(false);
    poll_fn(|context| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        dead.set(faulty.is_killed());
        if dead.get() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}
