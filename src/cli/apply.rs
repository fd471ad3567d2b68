//! `xrs apply`

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;

use super::args::{self, Format, ProviderArgs, WaitArg};
use super::carry_out::{self, ResultsOutput};
use super::connection::block_on;
use super::exit::{Exit, Failure};
use super::interrupt::Interrupts;
use super::terminal::Terminal;
use crate::model::plan::SavedPlan;
use crate::ops::{self, ConfigFile, Options, Wait};

/// Apply a saved plan, and nothing else
///
/// There is no prompt: passing the file is the approval. If the plan was changed after it was made, or is for another
/// account, endpoint or provider, xrs refuses the whole plan before it writes anything, and exits with 3. Applying a
/// plan twice repeats nothing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  xrs apply plan.json --results results.json\n  \
                        xrs apply plan.json --expect-digest sha256:4f0c… --max-age 24h\n  \
                        xrs apply plan.json --format markdown >> \"$GITHUB_STEP_SUMMARY\""
)]
pub(super) struct Apply {
    /// The plan that `xrs plan --out` saved
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Take the credentials, and nothing else, from the aws_client_config of this config. Without it, a plan that needs
    /// them takes them from the file that XRS_CONFIG names, otherwise xrs.yaml
    #[arg(long, value_name = "CONFIG")]
    config: Option<PathBuf>,
    /// Refuse the plan unless it has this digest
    #[arg(long, value_name = "DIGEST", value_parser = args::digest)]
    expect_digest: Option<String>,
    /// Refuse a plan older than this: weeks, days, hours, minutes or seconds, such as 24h, 90m or 2d
    #[arg(long, value_name = "AGE", value_parser = args::duration)]
    max_age: Option<SignedDuration>,
    /// Refuse a plan with more deletions than this
    #[arg(long, value_name = "N", value_parser = args::deletions, allow_negative_numbers = true)]
    max_deletes: Option<usize>,
    /// Write the results to this file, and update it after each job
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// How to print the results; json prints the same document that --results saves
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: Format,
    #[command(flatten)]
    wait: WaitArg,
    #[command(flatten)]
    provider: ProviderArgs,
}

impl Apply {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let plan = ops::read_plan(&self.plan)?;
        let default_config = args::config_path(self.config.as_deref())?;
        ops::refuse_to_replace(
            "--results",
            self.results.as_deref(),
            &[
                ("the plan", Some(&self.plan)),
                ("the config", Some(&default_config)),
                ("the config", Some(Path::new(&plan.config.path))),
                ("the sandbox", self.provider.sandbox.as_deref()),
            ],
        )?;
        ops::refuse_other_provider(&plan, self.provider.kind())?;
        let connection = self.provider.open(terminal, None)?;
        let interrupts = &Interrupts::listen()?;
        let provider = connection.provider();
        let results = self.results.as_deref();
        let output = ResultsOutput::begin(self.format, results, &plan, provider)?;
        let config = self.config(&plan, &default_config, terminal)?;
        let options = &Options {
            parallelism: self.provider.parallelism,
            jobs: Vec::new(),
            expect_digest: self.expect_digest.clone(),
            max_age: self.max_age,
            max_deletes: self.max_deletes,
            wait: Wait::from(&self.wait),
        };
        let apply = carry_out::Apply {
            terminal,
            interrupts,
            provider,
            options,
            output,
        };
        let work = async {
            let approving = ops::approve(provider, &plan, None, config.as_ref(), options);
            let approved = interrupts.run_abandonable(approving).await??;
            apply.carry_out(&plan, approved).await
        };
        let exit = block_on(work)??;
        connection.close()?;
        Ok(exit)
    }

    /// Returns the config to take credentials from, if one is given or needed, and notes if the config has changed since the plan was
    /// made.
    fn config(
        &self,
        plan: &SavedPlan,
        path: &Path,
        terminal: &Terminal,
    ) -> Result<Option<ConfigFile>, Failure> {
        let note_change = |file: &ConfigFile| {
            if let Some(change) = ops::changed_config(plan, file) {
                terminal.note(&change);
            }
        };
        if self.config.is_none() && !ops::needs_config(plan) {
            let is_of_plan = path == Path::new(&plan.config.path) && path.is_file();
            if is_of_plan && let Ok(file) = ConfigFile::open(path) {
                note_change(&file);
            }
            return Ok(None);
        }
        let file = ConfigFile::open_for_apply(path)?;
        note_change(&file);
        terminal.keys_to_use(&file, self.provider.kind());
        Ok(Some(file))
    }
}
