//! What xrs costs in calls, time and memory, beside what people use today.
//!
//! `cargo bench` measures everything, `cargo bench -- planner start-up` two sections, and `cargo bench -- --quick`
//! leaves out what takes minutes. Times are compared within one run and never asserted in a test.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark may panic, takes the time, prints tables, and has files of its own"
)]

mod calls;
mod copies;
mod planner;
#[path = "../it/python.rs"]
mod python;
mod reach;
mod site;
mod start_up;
mod table;
mod timing;
mod tool;

/// The AWS that the tests talk to.
#[path = "../it/moto"]
#[expect(dead_code, reason = "the tests use more of it")]
mod moto {
    pub(crate) mod server;
    pub(crate) mod world;
}

use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use reach::Goal;

#[derive(Parser)]
#[command(name = "cargo bench --", about = "What xrs costs, beside what people use today", version = None)]
struct Arguments {
    /// What to measure; everything unless something is named
    sections: Vec<Section>,
    /// Leave out 1,000 jobs and the two minutes that Cloud Custodian waits, and exit with 0 whatever is reached
    #[arg(long)]
    quick: bool,
    /// Said by `cargo bench`, and not by `cargo test --all-targets`, which starts this too
    #[arg(long, hide = true)]
    bench: bool,
    /// Plan so many jobs, in a process whose memory nothing else has used
    #[arg(long, hide = true, value_name = "JOBS")]
    plan_alone: Option<usize>,
}

/// In the order in which they are measured: races of a second before a thousand jobs have made the server slow.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Section {
    /// 50 copies, and six under a limit of five, against Cloud Custodian
    Copies,
    /// AWS calls and time of `plan` and `run`, against a boto3 loop and Cloud Custodian
    Calls,
    /// The planner alone
    Planner,
    /// `validate` and `--version` against a boto3 client
    StartUp,
}

impl Section {
    fn measure(self, quick: bool) -> Vec<Goal> {
        match self {
            Self::Calls => calls::measure(quick),
            Self::Copies => copies::measure(quick),
            Self::Planner => planner::measure(),
            Self::StartUp => start_up::measure(),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(jobs) = arguments.plan_alone {
        planner::alone(jobs);
        return ExitCode::SUCCESS;
    }
    if !arguments.bench {
        return ExitCode::SUCCESS;
    }
    let goals: Vec<Goal> = Section::value_variants()
        .iter()
        .filter(|section| arguments.sections.is_empty() || arguments.sections.contains(section))
        .flat_map(|section| section.measure(arguments.quick))
        .collect();
    let missed = reach::report(&goals);
    for what in &missed {
        eprintln!("not reached: {what}");
    }
    if missed.is_empty() || arguments.quick {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
