//! `xrs validate`

use clap::{Args, ValueEnum};

use super::args::ConfigArg;
use super::exit::{Exit, Failure};
use super::terminal::{Terminal, exposed_keys};
use crate::model::job::{ConfiguredJob, SyncJob};
use crate::model::json::document;
use crate::model::problem::Problem;
use crate::model::report::{Level, Report};
use crate::model::safe::safe;
use crate::model::words::count;
use crate::ops::{self, Config, ConfigFile};

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
    /// Exit with 1 also if there are warnings, or notes on settings without effect
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
        let config = match (ops::validate(&file, &[]), self.format) {
            (Err(ops::Error::Config(none)), Format::Json) => {
                let report = Report::new(&file.path(), &[]).with(Level::Error, &none.problems);
                terminal.print(&document(&report)?)?;
                return Ok(Exit::Failed);
            }
            (config, _) => config?,
        };
        let warnings: Vec<Problem> = exposed_keys(&file).into_iter().map(Problem::new).collect();
        match self.format {
            Format::Text => text(terminal, &file, &config)?,
            Format::Json => {
                let report = Report::new(&file.path(), &config.jobs)
                    .with(Level::Error, &config.problems())
                    .with(Level::Warning, &warnings)
                    .with(Level::Note, &config.notes);
                terminal.print(&document(&report)?)?;
            }
        }
        let is_broken = |job: &ConfiguredJob| matches!(job, ConfiguredJob::Broken { .. });
        if config.jobs.iter().any(is_broken) {
            return Ok(Exit::Failed);
        }
        if self.warnings_as_errors {
            Failure::of_warnings(config.notes.len() + warnings.len())?;
        }
        Ok(Exit::Done)
    }
}

fn text(terminal: &Terminal, file: &ConfigFile, config: &Config) -> Result<(), Failure> {
    terminal.config(file, config, &[]);
    terminal.exposed_keys(file);
    let sound: Vec<&SyncJob> = config
        .jobs
        .iter()
        .filter_map(|job| match job {
            ConfiguredJob::Sound(job) => Some(job),
            ConfiguredJob::Broken { .. } => None,
        })
        .collect();
    let broken = config.jobs.len() - sound.len();
    let mut text = String::new();
    for job in &sound {
        let (source, destination) = (&job.source_region, &job.destination_region);
        let name = safe(job.name.as_str());
        text.push_str(&format!(
            "{name} ({}) {source} → {destination}\n",
            job.sync_type()
        ));
    }
    let path = file.path();
    let verdict = if broken == 0 { "valid" } else { "not valid" };
    let sound = count(sound.len(), "sound job", "sound jobs");
    text.push_str(&format!(
        "{} is {verdict}: {sound}, {broken} broken.\n",
        safe(&path)
    ));
    terminal.print(&text)
}
