//! Progress of copies that are waited for: bars on a terminal, lines elsewhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::Terminal;
use crate::model::ids::JobName;
use crate::model::safe::safe;
use crate::render::text::copying;

/// A line is printed whenever this many more percent of a copy are done.
const PERCENT_PER_LINE: u8 = 25;

/// The progress of copies.
pub(super) struct Progress<'a> {
    terminal: &'a Terminal,
    shown: Mutex<HashMap<JobName, Shown>>,
}

/// What is shown of one copy: its bar, or the state and part of the last line.
#[derive(Default)]
struct Shown {
    bar: Option<ProgressBar>,
    last_line: Option<(String, Option<u8>)>,
}

impl<'a> Progress<'a> {
    pub(super) fn on(terminal: &'a Terminal) -> Self {
        let shown = Mutex::default();
        Self { terminal, shown }
    }

    /// Shows the progress of a copy.
    pub(super) fn show(&self, job: &JobName, copy: &str, state: &str, percent: Option<u8>) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = shown.entry(job.clone()).or_default();
        let say = || {
            let line = copying(job, copy, state, percent, &self.terminal.err);
            self.terminal.progress(&line);
        };
        let Some(bars) = &self.terminal.bars else {
            let news = Some((state.to_owned(), percent.map(|p| p / PERCENT_PER_LINE)));
            if std::mem::replace(&mut shown.last_line, news.clone()) != news {
                say();
            }
            return;
        };
        if state == "available" {
            shown.clear();
            say();
            return;
        }
        let bar = shown.bar.get_or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(100));
            bar.set_prefix(format!("{}: {}", safe(job.as_str()), safe(copy)));
            bar
        });
        let template = match percent {
            Some(_) => "{prefix} [{bar:25}] {pos:>2}% {msg}",
            None => "{prefix} {msg}",
        };
        // The templates are valid; a bar of another style would do as well.
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(safe(state).into_owned());
        bar.set_position(percent.unwrap_or_default().into());
        // Drawn at once: the next progress may be a minute away.
        bar.force_draw();
    }

    /// Removes the bar of a job that is finished.
    pub(super) fn end(&self, job: &JobName) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut shown) = shown.remove(job) {
            shown.clear();
        }
    }
}

impl Shown {
    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
