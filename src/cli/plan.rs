//! `xrs plan`

use std::path::PathBuf;

use clap::Args;

use super::args::{self, ConfigArg, Format, ProviderArgs};
use super::exit::{Exit, Failure};
use super::next;
use super::terminal::Terminal;
use crate::model::ids::JobName;
use crate::model::json::document;
use crate::ops::{self, Options};
use crate::render;

/// Show what would be done, and why; write nothing to AWS
///
/// The plan ends with its digest, which is what gets approved, and with the command that applies it. A job that fails
/// is in the plan with its errors; the other jobs are planned nevertheless, and the exit code is 1.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs plan --out plan.json\n  xrs plan xrs.yaml --job sync_my_database\n  \
                        xrs plan --detailed-exitcode --format json > plan.json\n  \
                        xrs plan --out plan.json --format markdown > comment.md"
)]
pub(super) struct Plan {
    #[command(flatten)]
    config: ConfigArg,
    /// Save the plan to this file, for `xrs apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Plan only this job, or NAME@REGION for one of its destinations; can be given several times
    #[arg(long = "job", value_name = "NAME", value_parser = args::job_name)]
    jobs: Vec<JobName>,
    /// How to print the plan
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    /// Exit with 2 if changes are due; if a job failed, the exit code is still 1
    #[arg(long)]
    detailed_exitcode: bool,
    /// Also exit with 1 if the plan has warnings, or the config has notes on settings without effect
    #[arg(long)]
    warnings_as_errors: bool,
    #[command(flatten)]
    provider: ProviderArgs,
}

impl Plan {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        let out = self.out.as_deref();
        self.provider.refuse_to_replace("--out", out, &file)?;
        let config = ops::validate(&file, &self.jobs)?;
        let of_config = terminal.config_to_use(&file, &config, self.provider.kind());
        let connection = self.provider.open(terminal, Some(&file))?;
        let options = Options {
            jobs: self.jobs.clone(),
            ..self.provider.options()
        };
        let plan = connection.run(ops::plan(&file, connection.provider(), &options))?;
        if let Some(out) = out {
            ops::save_plan(out, &plan)?;
        }
        connection.close()?;
        let sandbox = self.provider.sandbox.as_deref();
        terminal.print(&match self.format {
            Format::Text => {
                let next = next::apply(&plan, out, sandbox);
                render::text::plan(&plan, next.as_deref(), &terminal.out)
            }
            Format::Json => document(&plan)?,
            Format::Markdown => render::markdown::plan(&plan, &next::commands(&plan, out, sandbox)),
        })?;
        if self.warnings_as_errors && plan.summary.failed == 0 {
            let of_jobs: usize = plan.jobs.iter().map(|job| job.warnings.len()).sum();
            Failure::of_warnings(of_jobs + of_config)?;
        }
        Ok(match (plan.summary.failed, plan.summary.actions()) {
            (1.., _) => Exit::Failed,
            (0, 1..) if self.detailed_exitcode => Exit::ChangesDue,
            (0, _) => Exit::Done,
        })
    }
}
