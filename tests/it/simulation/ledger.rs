//! A record of what really happened: every state of the world, and the breaches found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::support::prelude::*;

/// How long a past state is kept: longer than any listing lags behind.
const MEMORY: SignedDuration = SignedDuration::from_mins(10);

/// A moment of the world: a state, and the time until which it did not change.
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

/// How often each kind of event has happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// The record of one history.
pub struct Ledger {
    states: Vec<World>,
    pub made: Vec<Made>,
    /// Sources whose copy gets an unusual name, because the usual name was in use when the plan was made.
    pub renamed: BTreeSet<String>,
    /// Copies that someone changed, and when they did so last.
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
        // Called for each write between its effect and its answer, with no other call in between.
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

    /// Changes the world independently of xrs.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let (changed, world) = self.sandbox.edit(|world| {
            let changed = change(world);
            world.settle();
            (changed, world.clone())
        });
        self.ledger().states.push(world);
        changed
    }

    /// Records that someone has changed a copy.
    pub fn record_interference(&self, copy: Option<String>) {
        if let Some(copy) = copy {
            let now = self.sandbox.now();
            self.ledger().interfered.insert(copy, now);
        }
    }

    /// Returns the current moment.
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

    /// Returns the remembered states from `first` on.
    pub fn since(&self, first: usize) -> &[World] {
        self.states.get(first..).unwrap_or_default()
    }

    /// Returns the moment at that time, or the earliest one that is remembered.
    pub fn moment_of(&self, time: Timestamp) -> Moment {
        let passed = self.states.iter().rposition(|world| world.now <= time);
        Moment {
            state: passed.unwrap_or(0),
            time: time.max(self.states[passed.unwrap_or(0)].now),
        }
    }

    /// Forgets what no listing shows any more. This is done only between steps, because moments refer to states by number.
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

    /// Adds a line to the report, if there is one. The line is built only then.
    pub fn log_line(&mut self, line: impl FnOnce() -> String) {
        if let Some(report) = &mut self.report {
            report.push(line());
        }
    }

    pub fn report(&self) -> String {
        self.report.as_deref().unwrap_or_default().join("\n")
    }
}
