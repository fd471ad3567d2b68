//! A screen that is being written, line by line.

use std::fmt::Display;

use owo_colors::OwoColorize;

use crate::model::ids::{AccountId, JobName};
use crate::model::kind::SyncTypeName;
use crate::model::plan::End;
use crate::model::problem::{AwsFailure, Problem};
use crate::model::safe::safe;
use crate::render::styles::Styles;

/// A screen that is being written, line by line.
pub(super) struct Screen<'a> {
    pub(super) styles: &'a Styles,
    pub(super) text: String,
}

impl<'a> Screen<'a> {
    pub(super) fn new(styles: &'a Styles) -> Self {
        Self {
            styles,
            text: String::new(),
        }
    }

    /// Adds a line with this indent; text from elsewhere in it has been made [`safe`].
    pub(super) fn line(&mut self, indent: usize, line: impl Display) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    /// Adds a line that is small print.
    pub(super) fn quiet(&mut self, indent: usize, line: &str) {
        self.line(indent, line.style(self.styles.quiet));
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a line that names the jobs a document is limited to, if it is.
    pub(super) fn selection(&mut self, selection: Option<&[JobName]>) {
        if let Some(names) = selection {
            let names: Vec<_> = names.iter().map(|name| safe(name.as_str())).collect();
            self.line(0, format_args!("Limited to {}.", names.join(", ")));
        }
    }

    pub(super) fn warning(&mut self, indent: usize, warning: &str) {
        let label = "warning:".style(self.styles.warning);
        self.line(indent, format_args!("{label} {}", safe(warning)));
    }

    pub(super) fn error(&mut self, indent: usize, problem: &Problem) {
        let Problem {
            message,
            at,
            aws,
            help,
        } = problem;
        let place = at.map_or_else(String::new, |at| {
            format!(" (line {}, column {} of the config)", at.line, at.column)
        });
        let label = "error:".style(self.styles.error);
        self.line(indent, format_args!("{label} {}{place}", safe(message)));
        if let Some(aws) = aws {
            self.line(indent + 2, failure(aws));
        }
        if let Some(help) = help {
            let label = "help:".style(self.styles.quiet);
            self.line(indent + 2, format_args!("{label} {}", safe(help)));
        }
    }
}

/// Returns AWS's answer, each part of it made safe by itself.
fn failure(aws: &AwsFailure) -> String {
    let AwsFailure {
        call,
        region,
        code,
        message,
    } = aws;
    let (call, region) = (safe(call), safe(region.as_str()));
    format!("{call} in {region}: {}: {}", safe(code), safe(message))
}

/// Returns what a job is, as its first line begins.
pub(super) fn job_title(
    styles: &Styles,
    name: &JobName,
    sync_type: Option<SyncTypeName>,
    ends: (Option<&End>, Option<&End>),
    account: Option<&AccountId>,
) -> String {
    let mut title = safe(name.as_str()).style(styles.name).to_string();
    if let Some(sync_type) = sync_type {
        title.push_str(&format!(" ({sync_type})"));
    }
    if let (Some(from), Some(to)) = ends {
        let (from, to) = (safe(from.region.as_str()), safe(to.region.as_str()));
        title.push_str(&format!(" {from} → {to}"));
    }
    if let Some(account) = account {
        title.push_str(&format!(", account {}", safe(account.as_str())));
    }
    title
}
