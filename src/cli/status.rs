//! `xrs status`

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

use super::args::{self, ConfigArg, ProviderArgs};
use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::model::ids::JobName;
use crate::model::json::document;
use crate::model::words::duration;
use crate::ops::{self, Options};
use crate::render;

/// Show whether the copies are there; write nothing to AWS
///
/// For each job: the newest usable copy and its age, copies in progress, failed copies, and what would be left if the
/// source region vanished now. It also works while the source region does not answer. With --max-age it is a monitor:
/// the exit code is 1 unless every job is ready, and a job whose state is not known is not ready. Without --max-age
/// the exit code is 1 only if a destination region could not be read.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs status\n  xrs status xrs.yaml --max-age 26h --job sync_my_database\n  \
                        xrs status --format prometheus > xrs.prom"
)]
pub(super) struct Status {
    #[command(flatten)]
    config: ConfigArg,
    /// Show only this job, or NAME@REGION for one of its destinations; can be given several times
    #[arg(long = "job", value_name = "NAME", value_parser = args::job_name)]
    jobs: Vec<JobName>,
    /// Exit with 1 unless each job has a usable copy with data no older than this: weeks, days, hours, minutes or seconds,
    /// such as 26h, 90m or 2d. The copy of the newest source image is never too old
    #[arg(long, value_name = "AGE", value_parser = duration)]
    max_age: Option<SignedDuration>,
    /// How to print the status
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    #[command(flatten)]
    provider: ProviderArgs,
}

/// How a status is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a job summary or a chat.
    Markdown,
    /// For the textfile directory of a Prometheus node exporter.
    Prometheus,
}

impl Status {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let config = ops::validate(&file, &self.jobs)?;
        terminal.config_to_use(&file, &config, self.provider.kind());
        let connection = self.provider.open(terminal, Some(&file))?;
        let options = Options {
            jobs: self.jobs.clone(),
            max_age: self.max_age,
            ..self.provider.options()
        };
        let status = connection.run(ops::status(&file, connection.provider(), &options))?;
        connection.close()?;
        let text = match self.format {
            Format::Text => render::text::status(&status, &terminal.out),
            Format::Json => document(&status)?,
            Format::Markdown => render::markdown::status(&status),
            Format::Prometheus => render::prometheus::status(&status),
        };
        terminal.print(&text)?;
        let has_old = self.max_age.is_some() && status.summary.not_ready > 0;
        Ok(Exit::failed_if(has_old || status.summary.unknown > 0))
    }
}
