//! Progress of copies that are waited for: bars on a terminal, lines elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::Terminal;
use crate::model::ids::JobName;
use crate::model::safe::safe;
use crate::render::text::copying;

/// A line is printed whenever this many more percent of a copy are done.
const PERCENT_PER_LINE: u64 = 25;

/// The progress of copies, as a bar for each job. Where bars are not drawn, they remember what the last line said.
pub(super) struct Progress<'a> {
    terminal: &'a Terminal,
    bars: Mutex<HashMap<JobName, ProgressBar>>,
}

impl<'a> Progress<'a> {
    pub(super) fn on(terminal: &'a Terminal) -> Self {
        let bars = Mutex::default();
        Self { terminal, bars }
    }

    /// Shows the progress of a copy.
    pub(super) fn show(&self, job: &JobName, copy: &str, state: &str, percent: Option<u8>) {
        let mut bars = self.lock();
        let bar = bars.entry(job.clone()).or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(100), ProgressDrawTarget::hidden());
            let bar = bar.with_prefix(format!("{}: {}", safe(job.as_str()), safe(copy)));
            match &self.terminal.bars {
                Some(bars) => bars.add(bar),
                None => bar,
            }
        });
        let part = |percent: u64| percent / PERCENT_PER_LINE;
        let (message, done) = (safe(state), u64::from(percent.unwrap_or_default()));
        let has_news = bar.message() != message || part(bar.position()) != part(done);
        bar.set_message(message.into_owned());
        bar.set_position(done);
        let is_drawn = self.terminal.bars.is_some();
        if is_drawn && state != "available" {
            let template = match percent {
                Some(_) => "{prefix} [{bar:25}] {pos:>2}% {msg}",
                None => "{prefix} {msg}",
            };
            // The templates are valid; a bar of another style would do as well.
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            // Drawn at once: the next progress may be a minute away.
            bar.force_draw();
        } else if is_drawn || has_news {
            if is_drawn {
                bar.finish_and_clear();
            }
            let line = copying(job, copy, state, percent, &self.terminal.err);
            self.terminal.progress(&line);
        }
    }

    /// Removes the bar of a job that is finished.
    pub(super) fn end(&self, job: &JobName) {
        if let Some(bar) = self.lock().remove(job) {
            bar.finish_and_clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobName, ProgressBar>> {
        self.bars.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
