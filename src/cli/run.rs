//! `xrs run`

use std::path::PathBuf;

use clap::Args;

use super::args::{self, ConfigArg, Format, ProviderArgs, WaitArg};
use super::carry_out::{Apply, ResultsOutput};
use super::connection::block_on;
use super::exit::{Exit, Failure};
use super::interrupt::Interrupts;
use super::terminal::Terminal;
use crate::ops::{self, Options, Wait};
use crate::render;

/// Plan and apply in one step
///
/// Nobody reviews the plan in between; --max-deletes limits how much it may delete.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs run xrs.yaml --max-deletes 3 --wait=8h --results results.json\n  \
                        xrs run xrs.yaml --sandbox world.json"
)]
pub(super) struct Run {
    #[command(flatten)]
    config: ConfigArg,
    /// Refuse a plan with more deletions than this
    #[arg(long, value_name = "N", value_parser = args::deletions, allow_negative_numbers = true)]
    max_deletes: Option<usize>,
    /// Write the results to this file, and update it after each job
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// How to print the results; json prints the same document that --results saves. With json and markdown, the plan
    /// goes to stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    #[command(flatten)]
    wait: WaitArg,
    #[command(flatten)]
    provider: ProviderArgs,
}

impl Run {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let file = self.config.open()?;
        ops::refuse_to_replace(
            "--results",
            self.results.as_deref(),
            &[
                ("the config", Some(file.file())),
                ("the sandbox", self.provider.sandbox.as_deref()),
            ],
        )?;
        let config = ops::validate(&file, &[])?;
        terminal.config_to_use(&file, &config, self.provider.kind());
        let connection = self.provider.open(terminal, Some(&file))?;
        let interrupts = &Interrupts::listen()?;
        let options = &Options {
            parallelism: self.provider.parallelism,
            max_deletes: self.max_deletes,
            wait: Wait::from(&self.wait),
            ..Options::default()
        };
        let provider = connection.provider();
        let work = async {
            let planning = ops::plan_with_inventory(&file, provider, options);
            let (plan, observed) = interrupts.run_abandonable(planning).await??;
            match self.format {
                Format::Text => {
                    let plan = render::text::plan(&plan, None, &terminal.out);
                    terminal.print(&format!("{plan}\n"))?;
                }
                Format::Json | Format::Markdown => {
                    terminal.progress(&render::text::plan(&plan, None, &terminal.err));
                }
            }
            let results = self.results.as_deref();
            let apply = Apply {
                terminal,
                interrupts,
                provider,
                options,
                output: ResultsOutput::begin(self.format, results, &plan, provider)?,
            };
            let approving = ops::approve(provider, &plan, Some(observed), Some(&file), options);
            let approved = interrupts.run_abandonable(approving).await??;
            apply.carry_out(&plan, approved).await
        };
        let exit = block_on(work)??;
        connection.close()?;
        Ok(exit)
    }
}
