//! A screen that is being written, line by line.

use std::fmt::Display;

use owo_colors::{OwoColorize, Style};

use crate::model::ids::{AccountId, JobName};
use crate::model::kind::SyncTypeName;
use crate::model::plan::End;
use crate::model::problem::Problem;
use crate::model::safe::safe;
use crate::render::styles::Styles;

/// No style.
pub(super) const PLAIN: Style = Style::new();

/// A screen that is being written, line by line. All that is written is made [`safe`].
pub(super) struct Screen {
    pub(super) styles: Styles,
    pub(super) text: String,
}

impl Screen {
    pub(super) fn new(styles: Styles) -> Self {
        let text = String::new();
        Self { styles, text }
    }

    /// Adds a line with this indent.
    pub(super) fn line(&mut self, indent: usize, line: impl Display) {
        self.styled(indent, PLAIN, line);
    }

    pub(super) fn styled(&mut self, indent: usize, style: Style, line: impl Display) {
        self.parts(indent, &[(style, &line.to_string())]);
    }

    /// Adds a line that is small print.
    pub(super) fn quiet(&mut self, indent: usize, line: impl Display) {
        self.styled(indent, self.styles.quiet, line);
    }

    /// Adds a line with a label in a style, and a text.
    pub(super) fn labelled(&mut self, indent: usize, style: Style, label: &str, text: &str) {
        self.parts(indent, &[(style, label), (PLAIN, " "), (PLAIN, text)]);
    }

    /// Adds a line of parts, each in its style.
    pub(super) fn parts(&mut self, indent: usize, parts: &[(Style, &str)]) {
        self.text.push_str(&" ".repeat(indent));
        for (style, part) in parts {
            self.text.push_str(&safe(part).style(*style).to_string());
        }
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a line that names the jobs a document is limited to, if it is.
    pub(super) fn selection(&mut self, selection: Option<&[JobName]>) {
        if let Some(names) = selection {
            let names: Vec<_> = names.iter().map(JobName::as_str).collect();
            self.line(0, format_args!("Limited to {}.", names.join(", ")));
        }
    }

    /// Adds the warnings and errors of a job.
    pub(super) fn remarks(&mut self, warnings: &[String], errors: &[Problem]) {
        for warning in warnings {
            self.warning(2, warning);
        }
        for problem in errors {
            self.error(2, problem);
        }
    }

    pub(super) fn warning(&mut self, indent: usize, warning: &str) {
        self.labelled(indent, self.styles.warning, "warning:", warning);
    }

    pub(super) fn error(&mut self, indent: usize, problem: &Problem) {
        let mut message = problem.message.clone();
        if let Some(at) = problem.at {
            let (line, column) = (at.line, at.column);
            message.push_str(&format!(" (line {line}, column {column} of the config)"));
        }
        self.labelled(indent, self.styles.bad, "error:", &message);
        if let Some(aws) = &problem.aws {
            self.line(indent + 2, aws);
        }
        if let Some(help) = &problem.help {
            self.labelled(indent + 2, self.styles.quiet, "help:", help);
        }
    }
}

/// Returns what a job is, as it stands after its name.
pub(super) fn job_title(
    sync_type: Option<SyncTypeName>,
    ends: (&Option<End>, &Option<End>),
    account: Option<&AccountId>,
) -> String {
    let mut title = String::new();
    if let Some(sync_type) = sync_type {
        title.push_str(&format!(" ({sync_type})"));
    }
    if let (Some(from), Some(to)) = ends {
        title.push_str(&format!(" {} → {}", from.region, to.region));
    }
    if let Some(account) = account {
        title.push_str(&format!(", account {account}"));
    }
    title
}
