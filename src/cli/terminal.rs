//! The only place that prints: plans and results to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use indicatif::{MultiProgress, ProgressDrawTarget};
use owo_colors::OwoColorize;

use super::args::{self, Color};
use super::exit::Failure;
use crate::model::id::JobName;
use crate::model::inventory::ProviderKind;
use crate::model::job::ConfiguredJob;
use crate::model::problem::Problem;
use crate::model::report::Level;
use crate::model::safe::safe;
use crate::model::words;
use crate::ops::{self, ConfigFile, ConfigProblems, Refused};
use crate::render::problems::{WIDTH, diagnostics};
use crate::render::styles::Styles;

/// Both streams, and whether each has colours.
pub(super) struct Terminal {
    /// How stdout looks.
    pub(super) out: Styles,
    /// How stderr looks.
    pub(super) err: Styles,
    err_color: bool,
    /// How many columns it has for frames around lines of a config.
    err_width: usize,
    /// The bars at the foot of stderr, if it is a terminal that nothing but this writes to.
    pub(super) bars: Option<MultiProgress>,
    quiet: bool,
}

/// That of the terminal that stderr is, within bounds: narrower than that no frame can be read.
fn width() -> usize {
    const LEAST: usize = 60;
    let size = terminal_size::terminal_size_of(io::stderr());
    size.map_or(WIDTH, |(columns, _)| {
        usize::from(columns.0).clamp(LEAST, WIDTH)
    })
}

impl Terminal {
    pub(super) fn new(color: Color, verbose: u8, quiet: bool) -> Self {
        let wanted = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_unset("NO_COLOR") && (is_forced() || terminal && !is_dumb()),
        };
        let err_color = wanted(io::stderr().is_terminal());
        let alone = verbose == 0 && !quiet && is_unset("XRS_LOG");
        let bars = io::stderr().is_terminal() && !is_dumb() && alone;
        Self {
            out: Styles::new(wanted(io::stdout().is_terminal())),
            err: Styles::new(err_color),
            err_color,
            err_width: width(),
            bars: bars.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr())),
            quiet,
        }
    }

    pub(super) fn colors_on_stderr(&self) -> bool {
        self.err_color
    }

    /// Prints a document. Nobody left to read it is no failure: what was asked for has been done.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
            _ => Ok(()),
        }
    }

    /// Says something beside the document. There is nowhere to complain if that fails.
    fn say(&self, text: &str) {
        let write = || io::stderr().lock().write_all(text.as_bytes());
        let _ = match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        };
    }

    /// A line about what is going on; what is foreign in it has been made safe.
    pub(super) fn progress(&self, line: &str) {
        if !self.quiet {
            self.say(&format!("{line}\n"));
        }
    }

    pub(super) fn note(&self, note: &str) {
        if !self.quiet {
            self.say(&format!(
                "{} {}\n",
                "note:".style(self.err.quiet),
                safe(note)
            ));
        }
    }

    pub(super) fn warning(&self, warning: &str) {
        self.say(&format!(
            "{} {}\n",
            "warning:".style(self.err.warning),
            safe(warning)
        ));
    }

    /// What there is to say of a config: notes, and the problems of broken jobs, of those picked if some are.
    pub(super) fn config(&self, file: &ConfigFile, config: &ops::Config, picked: &[JobName]) {
        let (path, text) = (file.path(), file.text());
        let (jobs, others): (Vec<_>, Vec<_>) = config
            .jobs
            .iter()
            .cloned()
            .partition(|job| picked.is_empty() || picked.contains(job.name()));
        let notes = config.notes.clone();
        let config = ops::Config { jobs, notes };
        self.frames(&path, &text, &config.notes, Level::Note);
        self.frames(&path, &text, &config.problems(), Level::Error);
        let broken: Vec<&JobName> = others
            .iter()
            .filter(|job| matches!(job, ConfiguredJob::Broken { .. }))
            .map(ConfiguredJob::name)
            .collect();
        if !broken.is_empty() {
            let are = if broken.len() == 1 { "is" } else { "are" };
            let names = words::list(broken);
            self.note(&format!(
                "{names} {are} broken, and not picked: xrs validate shows what is wrong"
            ));
        }
    }

    /// What is to be said of a config before it is used on such a world; how many warnings and notes that is.
    pub(super) fn about_to_use(
        &self,
        file: &ConfigFile,
        config: &ops::Config,
        picked: &[JobName],
        world: ProviderKind,
    ) -> usize {
        self.config(file, config, picked);
        let warned = self.keys_to_use(file, world);
        config.notes.len() + usize::from(warned)
    }

    /// A word on keys that others can read, before they are used on such a world.
    pub(super) fn keys_to_use(&self, file: &ConfigFile, world: ProviderKind) -> bool {
        // On a sandbox nobody uses them.
        world == ProviderKind::Aws && self.exposed_keys(file)
    }

    /// Warns of keys that others can read; whether there are some.
    pub(super) fn exposed_keys(&self, file: &ConfigFile) -> bool {
        let warning = exposed_keys(file);
        if let Some(warning) = &warning {
            self.warning(warning);
        }
        warning.is_some()
    }

    fn frames(&self, path: &str, text: &str, problems: &[Problem], level: Level) {
        let wanted = level != Level::Note || !self.quiet;
        if wanted && !problems.is_empty() {
            self.say(&diagnostics(
                path,
                text,
                problems,
                level,
                self.err_color,
                self.err_width,
            ));
        }
    }

    /// Why a command came to no end of its own, with what lies behind it and the way out.
    pub(super) fn failure(&self, failure: &Failure) {
        if let Failure::Operation(
            ops::Error::Config(problems) | ops::Error::Refused(Refused::Config(problems)),
        ) = failure
        {
            let ConfigProblems {
                path,
                text,
                problems,
            } = problems;
            self.frames(path, text, problems, Level::Error);
        }
        let mut line = safe(&failure.to_string()).into_owned();
        let mut source = std::error::Error::source(failure);
        while let Some(error) = source {
            line.push_str(&format!(": {}", safe(&error.to_string())));
            source = error.source();
        }
        self.say(&format!("{} {line}\n", "error:".style(self.err.error)));
        if let Some(help) = failure.help() {
            self.say(&format!(
                "  {} {}\n",
                "help:".style(self.err.quiet),
                safe(&help)
            ));
        }
    }
}

/// What to say of a config with keys that others than its owner can read.
pub(super) fn exposed_keys(file: &ConfigFile) -> Option<String> {
    let path = file.path();
    file.exposes_keys().then(|| {
        format!("{path} holds AWS keys, and others than its owner may read it: chmod 600 it, or use a profile")
    })
}

/// Whether colours are asked for wherever the output goes. See <https://bixense.com/clicolors/>.
fn is_forced() -> bool {
    matches!(args::environment("CLICOLOR_FORCE"), Ok(Some(value)) if value != "0")
}

fn is_unset(name: &str) -> bool {
    matches!(args::environment(name), Ok(None))
}

fn is_dumb() -> bool {
    matches!(args::environment("TERM"), Ok(Some(terminal)) if terminal == "dumb")
}
