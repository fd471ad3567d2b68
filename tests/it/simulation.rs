//! Random histories on an AWS in memory, with faults, and the laws on_read at after each step.
//!
//! `XRS_HISTORIES=200000` runs more of them, and `XRS_FIRST_SEED=…` others; `XRS_SEED=…` runs one and is_verbose it.
//! A seed is_verbose another report whenever this generator changes: what it has found is kept as a test by hand, in `meanwhile`.

mod check_plan;
mod check_results;
mod check_writes;
mod convergence;
mod environment;
mod fault_plan;
mod faulty_provider;
mod history;
mod interference;
mod ledger;
mod monitor;
pub mod random;
mod report;
mod rules;
pub mod scheduler;
mod setup;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use ledger::Counts;

/// Histories in a run that nobody read more of.
const HISTORIES: u64 = 2_000;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

/// A history in which a law was broken.
struct Broken {
    seed: u64,
    breach: String,
    report: String,
}

/// Runs the history of a seed; is_verbose it if a law was broken in it.
fn broken(seed: u64) -> Result<Counts, Broken> {
    let quick = history::run(seed, false);
    if quick.breaches.is_empty() {
        return Ok(quick.counts);
    }
    let description = history::run(seed, true);
    let breach = description.breaches.first().cloned().unwrap_or_default();
    let report = format!(
        "{}\n\n{}\nto run it alone: XRS_SEED={seed} cargo test --no-default-features --test it simulation",
        description.report,
        description.breaches.join("\n")
    );
    Err(Broken {
        seed,
        breach,
        report,
    })
}

/// Runs the histories of so many seeds on all cores; what happened in them, and the first that was broken.
fn run_all(first: u64, number: u64) -> (Counts, Vec<Broken>) {
    let next = AtomicU64::new(first);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let (mut counts, mut found) = (Counts::new(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + number || found.len() > 20 {
                return (counts, found);
            }
            match broken(seed) {
                Ok(more) => {
                    for (what, times) in more {
                        *counts.entry(what).or_default() += times;
                    }
                }
                Err(broken) => found.push(broken),
            }
        }
    };
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a worker"))
            .collect::<Vec<_>>()
    });
    let (mut counts, mut found) = (Counts::new(), Vec::new());
    for (part, stories) in parts {
        for (what, times) in part {
            *counts.entry(what).or_default() += times;
        }
        found.extend(stories);
    }
    found.sort_by_key(|broken: &Broken| broken.seed);
    (counts, found)
}

/// What has to happen in a usual run, and how often at least: a simulation that no longer does these things finds
/// nothing any more.
const AT_LEAST: [(&str, u64); 44] = [
    ("ExpiredToken", 50),
    ("RequestTimeout", 300),
    ("Throttling", 300),
    ("UnauthorizedOperation", 300),
    ("a client token is used again", 50),
    ("a copy is being deleted by hand", 50),
    ("a copy is deleted by hand", 200),
    ("a copy is made available by hand", 30),
    ("a copy is made by hand", 200),
    ("a copy is marked to be kept", 100),
    ("a copy of an image is deregistered", 20),
    ("a database is made anew", 200),
    ("a job cannot be planned", 1000),
    ("a job is not planned, for its reads failed", 200),
    ("a listing of earlier", 2000),
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
    ("copy a snapshot", 2000),
    ("copy an image", 500),
    ("delete", 1000),
    ("fixed point after two rounds", 100),
    ("killed after a call", 50),
    ("killed before a call", 50),
    ("plans are applied side by side", 800),
    ("somebody interferes with an apply", 800),
    ("tag_copy", 100),
    ("tag_source", 3000),
];

#[test]
fn the_laws_hold_in_random_histories() {
    if let Some(seed) = from_environment("XRS_SEED") {
        let description = history::run(seed, true);
        assert!(
            description.breaches.is_empty(),
            "{}\n\n{}",
            description.report,
            description.breaches.join("\n")
        );
        println!("{}", description.report);
        return;
    }
    let first = from_environment("XRS_FIRST_SEED").unwrap_or(0);
    let number = from_environment("XRS_HISTORIES").unwrap_or(HISTORIES);
    let (counts, found) = run_all(first, number);
    if let Some(Broken { seed, report, .. }) = found.first() {
        let all: Vec<String> = found
            .iter()
            .map(|b| format!("{}: {}", b.seed, b.breach))
            .collect();
        panic!(
            "seed {seed}: {report}\n\nseeds that broke a law:\n{}",
            all.join("\n")
        );
    }
    println!("{number} histories from seed {first}: {counts:#?}");
    let too_few = |(what, least): &&(&str, u64)| {
        number >= HISTORIES && counts.get(what).copied().unwrap_or(0) < *least
    };
    let rare: Vec<_> = AT_LEAST.iter().filter(too_few).collect();
    assert!(
        rare.is_empty(),
        "happened less often than {rare:?}: {counts:#?}"
    );
}
