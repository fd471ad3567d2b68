//! Calls, time and memory of xrs, compared with other tools.
//!
//! `cargo bench` measures everything, `cargo bench -- planner start-up` two sections, and `cargo bench -- --quick` skips what
//! takes minutes. Times are compared within one run and never asserted in a test.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark may panic, measures time, prints tables, and has files of its own"
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

/// The simulation of AWS that the tests use.
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
#[command(name = "cargo bench --", about = "Measures xrs, compared with other tools", version = None)]
struct Arguments {
    /// What to measure; by default everything
    sections: Vec<Section>,
    /// Skip 1,000 jobs and the two minutes that Cloud Custodian waits, and exit with 0 in any case
    #[arg(long)]
    quick: bool,
    /// Passed by `cargo bench`, and not by `cargo test --all-targets`, which also starts this program
    #[arg(long, hide = true)]
    bench: bool,
    /// Plan this number of jobs and print time and memory, in a process that does nothing else
    #[arg(long, hide = true, value_name = "JOBS")]
    plan_alone: Option<usize>,
}

/// In the order in which they are measured: short ones first, before a thousand jobs have made the server slow.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Section {
    /// 50 copies, and six with a limit of five, compared with Cloud Custodian
    Copies,
    /// AWS calls and time of `plan` and `run`, compared with a boto3 loop and Cloud Custodian
    Calls,
    /// The planner alone
    Planner,
    /// `validate` and `--version`, compared with a boto3 client
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
