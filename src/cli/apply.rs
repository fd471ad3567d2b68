//! `xrs apply`

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;

use super::args::{self, ApplyArgs};
use super::carry_out;
use super::exit::{Exit, Failure};
use super::interrupt::block_on;
use super::terminal::Terminal;
use crate::model::plan::SavedPlan;
use crate::model::words::duration;
use crate::ops::{self, ConfigFile, Options};

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
    #[arg(long, value_name = "AGE", value_parser = duration)]
    max_age: Option<SignedDuration>,
    #[command(flatten)]
    args: ApplyArgs,
}

impl Apply {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let plan = ops::read_plan(&self.plan)?;
        let default_config = args::config_path(self.config.as_deref())?;
        ops::refuse_to_replace(
            "--results",
            self.args.results.as_deref(),
            &[
                ("the plan", &self.plan),
                ("the config", &default_config),
                ("the config", Path::new(&plan.config.path)),
            ],
            self.args.provider.sandbox.as_deref(),
        )?;
        let kind = self.args.provider.kind();
        ops::refuse_other_provider(&plan, kind)?;
        let connection = self.args.provider.open(terminal, None)?;
        let apply = carry_out::Apply {
            terminal,
            connection: &connection,
            args: &self.args,
            options: &Options {
                expect_digest: self.expect_digest.clone(),
                max_age: self.max_age,
                ..self.args.options()
            },
        };
        let results = apply.begin(&plan)?;
        let config = self.config(&plan, &default_config, terminal)?;
        let exit = block_on(apply.carry_out(&plan, results, None, config.as_ref()))??;
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
        let is_needed = self.config.is_some() || ops::needs_config(plan);
        let file = if is_needed {
            Some(ConfigFile::open_for_apply(path)?)
        } else if path == Path::new(&plan.config.path) && path.is_file() {
            ConfigFile::open(path).ok()
        } else {
            None
        };
        let change = |file| ops::changed_config(plan, file);
        if let Some(change) = file.as_ref().and_then(change) {
            terminal.note(&change);
        }
        let file = file.filter(|_| is_needed);
        if let Some(file) = &file {
            terminal.keys_to_use(file, self.args.provider.kind());
        }
        Ok(file)
    }
}
