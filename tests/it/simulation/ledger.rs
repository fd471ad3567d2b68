//! A record of what really happened: every state of the world, and the breaches found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::support::prelude::*;

/// How long a state is kept after it has passed: longer than any listing lags behind.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// A moment of the world: a state, and the time up to which nothing but time has passed since.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub state: usize,
    pub time: Timestamp,
}

/// A copy that xrs made.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: String,
    /// What two copies of one source have in common.
    pub source: String,
}

/// How often each kind of thing has happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// The record of one history.
pub struct Ledger {
    states: Vec<World>,
    pub made: Vec<Made>,
    /// Sources for which a plan gives the copy another name than the usual one, which was held when the plan was made.
    pub renamed: BTreeSet<String>,
    /// Copies that somebody changed, and when that was last.
    pub interfered: BTreeMap<String, Timestamp>,
    pub counts: Counts,
    breaches: Vec<String>,
    report: Option<Vec<String>>,
}

/// A sandbox with its ledger.
pub struct RecordedSandbox {
    pub sandbox: Sandbox,
    ledger: Arc<Mutex<Ledger>>,
}

impl RecordedSandbox {
    pub fn new(world: World, is_verbose: bool) -> Self {
        let ledger = Ledger {
            states: vec![world.clone()],
            made: Vec::new(),
            renamed: BTreeSet::new(),
            interfered: BTreeMap::new(),
            counts: Counts::new(),
            breaches: Vec::new(),
            report: is_verbose.then(Vec::new),
        };
        let ledger = Arc::new(Mutex::new(ledger));
        let kept = Arc::clone(&ledger);
        // Called for each write after its effect and before its answer, while no other call can come in between.
        let save = move |world: &World| {
            lock(&kept).states.push(world.clone());
            Ok(())
        };
        Self {
            sandbox: Sandbox::with_save(world, Box::new(save)),
            ledger,
        }
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// Changes the world without xrs.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let (changed, world) = self.sandbox.edit(|world| {
            let changed = change(world);
            world.settle();
            (changed, world.clone())
        });
        self.ledger().states.push(world);
        changed
    }

    /// Records that somebody has changed a copy.
    pub fn record_interference(&self, copy: Option<String>) {
        if let Some(copy) = copy {
            let now = self.sandbox.now();
            self.ledger().interfered.insert(copy, now);
        }
    }

    /// Returns the present moment.
    pub fn moment(&self) -> Moment {
        Moment {
            state: self.ledger().states.len() - 1,
            time: self.sandbox.now(),
        }
    }
}

fn lock(ledger: &Mutex<Ledger>) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// Returns the world at a moment.
    pub fn at(&self, moment: Moment) -> World {
        let mut world = self.states[moment.state].clone();
        world.now = world.now.max(moment.time);
        world.settle();
        world
    }

    /// Returns the world just before its latest change.
    pub fn before(&self) -> World {
        let last = self.states.len() - 1;
        self.at(Moment {
            state: last.saturating_sub(1),
            time: self.states[last].now,
        })
    }

    /// Returns the world just after its latest change.
    pub fn after(&self) -> &World {
        &self.states[self.states.len() - 1]
    }

    /// Returns the states that are remembered from `first` on.
    pub fn since(&self, first: usize) -> &[World] {
        self.states.get(first..).unwrap_or_default()
    }

    /// Returns the moment of that time, or the earliest that is remembered.
    pub fn moment_of(&self, time: Timestamp) -> Moment {
        let passed = self.states.iter().rposition(|world| world.now <= time);
        Moment {
            state: passed.unwrap_or(0),
            time: time.max(self.states[passed.unwrap_or(0)].now),
        }
    }

    /// Forgets what no listing shows any more. Only between steps, because moments name states by number.
    pub fn forget(&mut self, now: Timestamp) {
        let first = self.moment_of(now - MEMORY).state;
        self.states.drain(..first);
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub fn breach(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.log_line(|| format!("    BREACH {what}"));
        self.breaches.push(what);
    }

    pub fn breaches(&self) -> &[String] {
        &self.breaches
    }

    /// Adds a line to the report, which is made only if there is one.
    pub fn log_line(&mut self, line: impl FnOnce() -> String) {
        if let Some(report) = &mut self.report {
            report.push(line());
        }
    }

    pub fn report(&self) -> String {
        self.report.as_deref().unwrap_or_default().join("\n")
    }
}
