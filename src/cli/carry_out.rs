//! What `apply` and `run` share: carrying out a plan, and reporting on it.

use std::collections::BTreeMap;

use super::args::{ApplyArgs, Format};
use super::connection::Connection;
use super::exit::{Exit, Failure};
use super::next;
use super::progress::Progress;
use super::terminal::Terminal;
use crate::model::inventory::Inventory;
use crate::model::json::document;
use crate::model::plan::SavedPlan;
use crate::ops::{self, ConfigFile, Event, Options, ResultsFile};
use crate::render;

/// An apply: with what, and how it is reported.
pub(super) struct Apply<'a> {
    pub(super) terminal: &'a Terminal,
    pub(super) connection: &'a Connection,
    pub(super) args: &'a ApplyArgs,
    pub(super) options: &'a Options,
}

impl Apply<'_> {
    /// Starts the results file, if there is to be one: whatever becomes of the plan, it no longer has the results of an earlier one.
    pub(super) fn begin(&self, plan: &SavedPlan) -> Result<ResultsFile, Failure> {
        let now = self.connection.provider().now();
        Ok(ResultsFile::begin(self.args.results.as_deref(), plan, now)?)
    }

    /// Approves a plan and carries it out, reports what happens, and prints the results.
    pub(super) async fn carry_out(
        &self,
        plan: &SavedPlan,
        file: ResultsFile,
        observed: Option<Inventory>,
        config: Option<&ConfigFile>,
    ) -> Result<Exit, Failure> {
        let (terminal, options) = (self.terminal, self.options);
        let (provider, interrupts) = (self.connection.provider(), &self.connection.interrupts);
        let approving = ops::approve(provider, plan, observed, config, options);
        let approved = interrupts.run_abandonable(approving).await??;
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
        let work = ops::carry_out(provider, approved, options, interrupts.flag(), &on_event);
        let results = interrupts.run_to_end(terminal, work, save).await;
        let is_interrupted = interrupts.is_interrupted();
        let saved = file.finish(&results, is_interrupted);
        let results = file.document();
        let show = self.args.results.as_deref().map(next::show);
        terminal.print(&match self.args.format {
            Format::Text => render::text::results(&results.results, &terminal.out),
            Format::Json => document(&results)?,
            Format::Markdown => render::markdown::results(&results, show.as_deref()),
        })?;
        saved?;
        Ok(if is_interrupted {
            Exit::Interrupted
        } else {
            Exit::of_results(&results.results)
        })
    }
}
