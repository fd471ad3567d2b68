//! `xrs apply`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::SignedDuration;

use super::args::{self, Format, WaitArg, WorldArgs};
use super::exit::{Exit, Failure};
use super::interrupt::Interrupts;
use super::next;
use super::progress::Progress;
use super::terminal::Terminal;
use super::world::block_on;
use crate::model::json::document;
use crate::model::plan::SavedPlan;
use crate::ops::{self, Approved, Event, Options, ResultsFile, Saved, Wait};
use crate::provider::Provider;
use crate::render;

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
    /// Take the credentials, and nothing else, from the aws_client_config of this config. Without it, they come from the
    /// config that the plan names, if that file is inside the current directory
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
    world: WorldArgs,
}

impl Apply {
    pub(super) fn execute(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let plan = ops::read_plan(&self.plan)?;
        Saved::refuse_to_replace(
            "--results",
            self.results.as_deref(),
            &[
                ("the plan", Some(&self.plan)),
                ("the config", self.config.as_deref()),
                ("the config", Some(Path::new(&plan.config.path))),
                ("the sandbox", self.world.sandbox.as_deref()),
            ],
        )?;
        ops::refuse_other_provider(&plan, self.world.kind()).map_err(ops::Error::from)?;
        let world = self.world.open(terminal, None)?;
        let interrupts = Interrupts::listen()?;
        let report = Report::begin(
            self.format,
            self.results.as_deref(),
            &plan,
            world.provider(),
        )?;
        let config = ops::config_for(&plan, self.config.as_deref(), Path::new("."))?;
        if let Some(file) = &config {
            terminal.keys_to_use(file, self.world.kind());
        }
        if let Some(changed) = ops::changed_config(&plan, config.as_ref(), Path::new(".")) {
            terminal.note(&changed);
        }
        let options = Options {
            parallelism: self.world.parallelism,
            jobs: Vec::new(),
            expect_digest: self.expect_digest.clone(),
            max_age: self.max_age,
            max_deletes: self.max_deletes,
            wait: Wait::from(&self.wait),
        };
        let provider = world.provider();
        let work = async {
            let approving = ops::approve(provider, &plan, None, config.as_ref(), &options);
            let approved = interrupts.leave_at_once(approving).await??;
            carry_out(
                terminal,
                &interrupts,
                provider,
                &plan,
                approved,
                &options,
                report,
            )
            .await
        };
        let exit = block_on(work)??;
        world.close()?;
        Ok(exit)
    }
}

/// What becomes of the results: how they are printed, and where they are saved.
pub(super) struct Report {
    format: Format,
    /// The command that shows what is saved.
    show: Option<String>,
    file: ResultsFile,
}

impl Report {
    /// Begins the results file, if one is asked for: whatever comes of the plan, it no longer tells of an earlier one.
    pub(super) fn begin(
        format: Format,
        path: Option<&Path>,
        plan: &SavedPlan,
        provider: &dyn Provider,
    ) -> Result<Self, Failure> {
        Ok(Self {
            format,
            show: path.map(next::show),
            file: ResultsFile::begin(path, plan, provider.now())?,
        })
    }

    fn print(&self, terminal: &Terminal) -> Result<(), Failure> {
        let results = self.file.document();
        terminal.print(&match self.format {
            Format::Text => render::text::results(&results.results, &terminal.out),
            Format::Json => document(&results)?,
            Format::Markdown => render::markdown::results(&results, self.show.as_deref()),
        })
    }
}

/// Applies a plan that was found fit for it, tells what happens, and prints the results.
pub(super) async fn carry_out(
    terminal: &Terminal,
    interrupts: &Interrupts,
    provider: &dyn Provider,
    plan: &SavedPlan,
    approved: Approved,
    options: &Options,
    report: Report,
) -> Result<Exit, Failure> {
    let actions = plan.jobs.iter().flat_map(|job| &job.actions);
    let actions: BTreeMap<_, _> = actions.map(|action| (action.id(), action)).collect();
    let copies = Progress::on(terminal);
    let on_event = |event: Event<'_>| match event {
        Event::ActionStarted { job: _, action } => tracing::info!(action = %action.id(), "started"),
        Event::ActionFinished { job, result } => {
            let action = actions.get(&result.id).copied();
            if let Some(line) = render::text::finished(job, action, result, &terminal.err) {
                terminal.progress(&line);
            }
        }
        Event::CopyPutOff { job, action } => {
            terminal.progress(&render::text::put_off(job, action, &terminal.err));
        }
        Event::CopyProgress {
            job,
            copy,
            state,
            percent,
        } => copies.show(job, copy, state, percent),
        Event::JobFinished(result) => {
            copies.end(&result.name);
            report.file.add(result);
        }
    };
    let save = || {
        // Said here, for the work goes on; the last write tells whether the file is whole in the end.
        if let Err(error) = report.file.save() {
            terminal.warning(&format!("the results so far could not be saved: {error}"));
        }
    };
    let work = ops::carry_out(provider, approved, options, interrupts.flag(), &on_event);
    let results = interrupts.watch(terminal, work, save).await;
    let interrupted = interrupts.heard();
    let saved = report.file.finish(&results, interrupted);
    report.print(terminal)?;
    saved?;
    Ok(if interrupted {
        Exit::Interrupted
    } else {
        Exit::of_results(&results)
    })
}
