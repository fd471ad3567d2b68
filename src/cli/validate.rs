//! `xrs validate`

use clap::{Args, ValueEnum};

use super::args::ConfigArg;
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::json::document;
use crate::model::plan::regions;
use crate::model::problem::Problem;
use crate::model::report::{Level, Report};
use crate::model::safe::safe;
use crate::model::words::count;
use crate::ops::{self, Validated};

/// Check the config without network access
///
/// Every problem is shown with its line, and the valid jobs are listed.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs validate xrs.yaml\n  xrs validate --warnings-as-errors\n  \
                        xrs validate --format json > problems.json"
)]
pub(super) struct Validate {
    #[command(flatten)]
    config: ConfigArg,
    /// How to print the findings; in JSON, each problem has its line and column
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Also exit with 1 if there are warnings, or notes on settings without effect
    #[arg(long)]
    warnings_as_errors: bool,
}

/// How the findings are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: problems on stderr, valid jobs on stdout.
    #[default]
    Text,
    /// For programs: everything on stdout.
    Json,
}

impl Validate {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let path = file.path();
        let config = match (ops::validate(&file, &[]), self.format) {
            (Err(ops::Error::Config(config)), Format::Json) => {
                let report = Report::new(&path, Vec::new()).with(Level::Error, &config.problems);
                terminal.print(&document(&report)?)?;
                return Ok(Exit::Failed);
            }
            (config, _) => config?,
        };
        let warnings: Vec<Problem> = file.exposed_keys().into_iter().map(Problem::new).collect();
        match self.format {
            Format::Text => {
                terminal.config(&file, &config);
                for warning in &warnings {
                    terminal.warning(&warning.message);
                }
                terminal.print(&text(&path, &config))?;
            }
            Format::Json => {
                let report = Report::new(&path, config.jobs)
                    .with(Level::Error, &config.errors)
                    .with(Level::Warning, &config.warnings)
                    .with(Level::Warning, &warnings)
                    .with(Level::Note, &config.notes);
                terminal.print(&document(&report)?)?;
            }
        }
        if !config.errors.is_empty() {
            return Ok(Exit::Failed);
        }
        if self.warnings_as_errors {
            let of_config = config.warnings.len() + config.notes.len();
            Failure::of_warnings(of_config + warnings.len())?;
        }
        Ok(Exit::Done)
    }
}

/// Returns the valid jobs as lines, and a line that sums up.
fn text(path: &str, config: &Validated) -> String {
    let lines = config.jobs.iter().filter_map(|job| {
        let (from, to) = regions(&job.source, &job.destination)?;
        let (name, sync_type) = (safe(job.name.as_str()), job.sync_type?);
        Some(format!("{name} ({sync_type}) {from} → {to}\n"))
    });
    let lines: Vec<String> = lines.collect();
    let invalid = config.jobs.len() - lines.len();
    let verdict = if invalid == 0 { "valid" } else { "not valid" };
    let (path, jobs) = (safe(path), count(lines.len(), "valid job", "valid jobs"));
    let lines = lines.concat();
    format!("{lines}{path} is {verdict}: {jobs}, {invalid} invalid.\n")
}
