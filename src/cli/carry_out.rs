//! What `apply` and `run` share: carrying out an approved plan, and reporting on it.

use std::collections::BTreeMap;
use std::path::Path;

use super::args::Format;
use super::exit::{Exit, Failure};
use super::interrupt::Interrupts;
use super::next;
use super::progress::Progress;
use super::terminal::Terminal;
use crate::model::json::document;
use crate::model::plan::SavedPlan;
use crate::ops::{self, Approved, Event, Options, ResultsFile};
use crate::provider::Provider;
use crate::render;

/// How results are printed, and where they are saved.
pub(super) struct ResultsOutput {
    format: Format,
    /// The command that shows what is saved.
    show: Option<String>,
    file: ResultsFile,
}

impl ResultsOutput {
    /// Starts the results file, if there is to be one: whatever becomes of the plan, it no longer has the results of an earlier one.
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

/// An apply: with what, and how it is reported.
pub(super) struct Apply<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) interrupts: &'a Interrupts,
    pub(super) provider: &'a dyn Provider,
    pub(super) options: &'a Options,
    pub(super) output: ResultsOutput,
}

impl Apply<'_> {
    /// Carries out an approved plan, reports what happens, and prints the results.
    pub(super) async fn carry_out(
        &self,
        plan: &SavedPlan,
        approved: Approved,
    ) -> Result<Exit, Failure> {
        let (terminal, file) = (self.terminal, &self.output.file);
        let actions = plan.jobs.iter().flat_map(|job| &job.actions);
        let actions: BTreeMap<_, _> = actions.map(|action| (action.id(), action)).collect();
        let copies = Progress::on(terminal);
        let on_event = |event: Event<'_>| match event {
            Event::ActionStarted { job: _, action } => {
                tracing::info!(action = %action.id(), "started");
            }
            Event::ActionFinished { job, result } => {
                let action = actions.get(&result.id).copied();
                if let Some(line) = render::text::finished(job, action, result, &terminal.err) {
                    terminal.progress(&line);
                }
            }
            Event::CopyDeferred { job, action } => {
                terminal.progress(&render::text::deferred(job, action, &terminal.err));
            }
            Event::CopyProgress {
                job,
                copy,
                state,
                percent,
            } => copies.show(job, copy, state, percent),
            Event::JobFinished(result) => {
                copies.end(&result.name);
                file.add(result);
            }
        };
        let save = || {
            // The work goes on; whether the file is complete in the end is known after the last write.
            if let Err(error) = file.save() {
                terminal.warning(&format!("the results so far could not be saved: {error}"));
            }
        };
        let stop = self.interrupts.flag();
        let work = ops::carry_out(self.provider, approved, self.options, stop, &on_event);
        let results = self.interrupts.run_to_end(terminal, work, save).await;
        let interrupted = self.interrupts.is_interrupted();
        let saved = file.finish(&results, interrupted);
        self.output.print(terminal)?;
        saved?;
        Ok(if interrupted {
            Exit::Interrupted
        } else {
            Exit::of_results(&results)
        })
    }
}
