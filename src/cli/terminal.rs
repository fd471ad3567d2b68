//! The only place that prints: plans and results to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{MultiProgress, ProgressDrawTarget};
use owo_colors::OwoColorize;

use super::args::{self, Color};
use super::exit::Failure;
use crate::model::inventory::ProviderKind;
use crate::model::problem::Problem;
use crate::model::report::Level;
use crate::model::safe::safe;
use crate::model::words;
use crate::ops::{self, ConfigFile, Validated};
use crate::render::problems::{WIDTH, diagnostics};
use crate::render::styles::Styles;

/// Both streams, and their colours.
pub(super) struct Terminal {
    /// The colours of stdout.
    pub(super) out: Styles,
    /// The colours of stderr.
    pub(super) err: Styles,
    /// Whether stderr has colours.
    pub(super) err_color: bool,
    /// The progress bars on stderr, if it is a terminal and nothing else writes to it.
    pub(super) bars: Option<MultiProgress>,
    quiet: bool,
    /// Whether a reader of stdout went away before everything was printed.
    is_cut_off: AtomicBool,
}

/// Returns the width of the terminal that stderr is, within bounds: narrower frames can't be read.
fn width() -> usize {
    const MIN_WIDTH: usize = 60;
    let size = terminal_size::terminal_size_of(io::stderr());
    size.map_or(WIDTH, |(columns, _)| {
        usize::from(columns.0).clamp(MIN_WIDTH, WIDTH)
    })
}

impl Terminal {
    pub(super) fn new(color: Color, verbose: u8, quiet: bool) -> Self {
        let is_unset = |name| matches!(args::environment(name), Ok(None));
        let is_dumb = matches!(args::environment("TERM"), Ok(Some(terminal)) if terminal == "dumb");
        // Colours for any output. See <https://bixense.com/clicolors/>.
        let is_forced =
            matches!(args::environment("CLICOLOR_FORCE"), Ok(Some(value)) if value != "0");
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_unset("NO_COLOR") && (is_forced || terminal && !is_dumb),
        };
        let err_color = wanted(io::stderr().is_terminal());
        let is_silent = verbose == 0 && !quiet && is_unset("XRS_LOG");
        let has_bars = io::stderr().is_terminal() && !is_dumb && is_silent;
        Self {
            out: Styles::new(wanted(io::stdout().is_terminal())),
            err: Styles::new(err_color),
            err_color,
            bars: has_bars.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            quiet,
            is_cut_off: AtomicBool::new(false),
        }
    }

    /// Prints a document. A closed pipe does not stop the work: [`Self::is_cut_off`] tells of it in the end.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_cut_off.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Failure::Output(error)),
            Ok(()) => Ok(()),
        }
    }

    /// Returns true if something that was to be printed had no reader any more.
    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    /// Writes to stderr. If that fails, there is no stream left to report it on.
    fn say(&self, text: &str) {
        let write = || io::stderr().lock().write_all(text.as_bytes());
        let _ = match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        };
    }

    /// Writes a line of progress; text from elsewhere in it has been made safe.
    pub(super) fn progress(&self, line: &str) {
        if !self.quiet {
            self.say(&format!("{line}\n"));
        }
    }

    pub(super) fn note(&self, note: &str) {
        let label = "note:".style(self.err.quiet);
        self.progress(&format!("{label} {}", safe(note)));
    }

    pub(super) fn warning(&self, warning: &str) {
        let label = "warning:".style(self.err.warning);
        self.say(&format!("{label} {}\n", safe(warning)));
    }

    /// Says what there is to say about a config: notes, warnings, and problems of the jobs that were asked for.
    pub(super) fn config(&self, file: &ConfigFile, config: &Validated) {
        let (path, text) = (file.path(), file.text());
        self.frames(&path, &text, &config.notes, Level::Note);
        self.frames(&path, &text, &config.warnings, Level::Warning);
        self.frames(&path, &text, &config.errors, Level::Error);
        let others = &config.other_invalid_jobs;
        if !others.is_empty() {
            let are = if others.len() == 1 { "is" } else { "are" };
            let names = words::list(others);
            self.note(&format!(
                "{names} {are} invalid, and not selected: xrs validate shows the problems"
            ));
        }
    }

    /// Says what there is to say about a config before it is used, and returns the number of warnings and notes.
    pub(super) fn config_to_use(
        &self,
        file: &ConfigFile,
        config: &Validated,
        provider: ProviderKind,
    ) -> usize {
        self.config(file, config);
        self.keys_to_use(file, provider) + config.warnings.len() + config.notes.len()
    }

    /// Warns of keys that others can read, before they are used, and returns the number of warnings.
    pub(super) fn keys_to_use(&self, file: &ConfigFile, provider: ProviderKind) -> usize {
        // A sandbox does not use them.
        let warning = file
            .exposed_keys()
            .filter(|_| provider == ProviderKind::Aws);
        warning.iter().for_each(|warning| self.warning(warning));
        usize::from(warning.is_some())
    }

    fn frames(&self, path: &str, text: &str, problems: &[Problem], level: Level) {
        let wanted = level != Level::Note || !self.quiet;
        if wanted && !problems.is_empty() {
            let frames = diagnostics(path, text, problems, level, self.err_color, width());
            self.say(&frames);
        }
    }

    /// Reports why a command has no result, with the causes and the way out.
    pub(super) fn failure(&self, failure: &Failure) {
        if let Failure::Operation(ops::Error::Config(config) | ops::Error::RefusedConfig(config)) =
            failure
        {
            self.frames(&config.path, &config.text, &config.problems, Level::Error);
        }
        let mut line = safe(&failure.to_string()).into_owned();
        let mut source = std::error::Error::source(failure);
        while let Some(error) = source {
            line.push_str(&format!(": {}", safe(&error.to_string())));
            source = error.source();
        }
        self.say(&format!("{} {line}\n", "error:".style(self.err.bad)));
        if let Some(help) = failure.help() {
            let label = "help:".style(self.err.quiet);
            self.say(&format!("  {label} {}\n", safe(&help)));
        }
    }
}
