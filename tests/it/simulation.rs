//! Random histories on an in-memory AWS, with faults. The laws are checked after each step.
//!
//! `XRS_HISTORIES=200000` runs more of them, and `XRS_FIRST_SEED=…` different ones; `XRS_SEED=…` runs one and prints a report of
//! it. A seed gives a different history whenever this generator changes, so what it has found is kept as a test in `meanwhile`.

mod calls;
mod check_plan;
mod check_results;
mod check_writes;
mod convergence;
mod environment;
mod fault_plan;
mod faulty_provider;
mod history;
mod image_retention;
mod interference;
mod ledger;
mod monitor;
mod older_copies;
pub mod random;
mod report;
mod retention_rules;
mod room;
mod rules;
pub mod scheduler;
mod setup;

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use ledger::Counts;

/// The number of histories in a normal run.
const HISTORIES: u64 = 2_000;

/// A run stops early after this number of histories that broke a law.
const MOST_BROKEN: usize = 20;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// A history in which a law was broken.
struct Broken {
    seed: u64,
    breach: String,
}

/// Runs the histories of these seeds on all cores. Returns what happened in them, and which ones broke a law.
fn run_all(seeds: Range<u64>) -> (Counts, Vec<Broken>) {
    let next = AtomicU64::new(seeds.start);
    let total = Mutex::new((Counts::new(), Vec::new()));
    let work = || {
        while total.lock().expect("a lock").1.len() <= MOST_BROKEN {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let history = history::run(seed, false);
            let (counts, broken) = &mut *total.lock().expect("a lock");
            match history.breaches.into_iter().next() {
                Some(breach) => broken.push(Broken { seed, breach }),
                None => history.counts.into_iter().for_each(|(what, times)| {
                    *counts.entry(what).or_default() += times;
                }),
            }
        }
    };
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let (counts, mut broken) = total.into_inner().expect("a lock");
    broken.sort_by_key(|broken: &Broken| broken.seed);
    (counts, broken)
}

/// What must happen in a normal run, and at least how often. A simulation that no longer does these things finds nothing.
const AT_LEAST: [(&str, u64); 57] = [
    ("ExpiredToken", 50),
    ("RequestTimeout", 300),
    ("Throttling", 300),
    ("UnauthorizedOperation", 300),
    ("a client token is used again", 50),
    ("a copy has another identifier", 15),
    ("a copy is being deleted by hand", 50),
    ("a copy is deleted by hand", 200),
    ("a copy is made available by hand", 30),
    ("a copy is made by hand", 200),
    ("a copy is marked to be kept", 100),
    ("a copy of an image is deregistered", 20),
    ("a copy of an image is launched", 20),
    ("a copy of an image is marked to be kept", 20),
    ("the protection of a copy of an image is toggled", 20),
    ("a copy of an image becomes used or unused", 20),
    ("images to delete are known", 300),
    ("it is unknown whether images are in use", 2),
    ("a database is recreated", 200),
    ("a job cannot be planned", 1000),
    ("a job has several destinations", 300),
    ("a job is not planned because its reads failed", 200),
    ("an old listing", 2000),
    ("another database gets the name", 200),
    ("a name is taken", 50),
    ("a plan is applied", 2000),
    ("a plan is applied again", 1000),
    ("a plan is applied side by side with itself", 800),
    ("a plan is made", 5000),
    ("a plan is made again", 200),
    ("a region refuses to read absent databases", 500),
    ("a run is interrupted", 50),
    ("a sync tag is garbled", 50),
    ("a sync tag is removed", 80),
    ("an action fails", 200),
    ("an action is already done", 5000),
    ("an action is deferred", 10),
    ("an action is skipped", 1000),
    ("an action is stale", 400),
    ("an answer is lost", 300),
    ("an apply waits", 1000),
    ("an image is left to another job", 100),
    ("an image is replaced", 200),
    ("copy a cluster snapshot", 1000),
    ("copy a snapshot", 2000),
    ("copy an image", 500),
    ("delete", 1000),
    ("delete a cluster snapshot", 400),
    ("delete an image", 100),
    ("deletions make room for a copy", 10),
    ("fixed point after two rounds", 100),
    ("killed after a call", 50),
    ("killed before a call", 50),
    ("plans are applied side by side", 800),
    ("someone interferes with an apply", 800),
    ("tag_copy", 100),
    ("tag_source", 3000),
];

#[test]
fn the_laws_hold_in_random_histories() {
    if let Some(seed) = from_environment("XRS_SEED") {
        let history = history::run(seed, true);
        let breaches = history.breaches.join("\n");
        assert!(breaches.is_empty(), "{}\n\n{breaches}", history.report);
        println!("{}", history.report);
        return;
    }
    let first = from_environment("XRS_FIRST_SEED").unwrap_or(0);
    let number = from_environment("XRS_HISTORIES").unwrap_or(HISTORIES);
    let (counts, broken) = run_all(first..first + number);
    if let Some(Broken { seed, .. }) = broken.first() {
        let history = history::run(*seed, true);
        let all = broken.iter().map(|b| format!("{}: {}", b.seed, b.breach));
        panic!(
            "{}\n\n{}\nto run it alone: XRS_SEED={seed} cargo test --no-default-features --test it simulation\n\n\
             seeds that broke a law:\n{}",
            history.report,
            history.breaches.join("\n"),
            all.collect::<Vec<_>>().join("\n")
        );
    }
    println!("{number} histories from seed {first}: {counts:#?}");
    let is_rare = |(what, least): &&(&str, u64)| {
        number >= HISTORIES && counts.get(what).copied().unwrap_or(0) < *least
    };
    let rare: Vec<_> = AT_LEAST.iter().filter(is_rare).collect();
    assert!(rare.is_empty(), "too rare are {rare:?}: {counts:#?}");
}
