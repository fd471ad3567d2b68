//! What people read on a terminal, in Terraform's manner.

mod actions;
mod plan;
mod progress;
mod results;
mod status;

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use owo_colors::OwoColorize;

use super::styles::Styles;
use crate::model::problem::{AwsFailure, Problem, TextPlace};
use crate::model::safe::safe;
pub(super) use plan::{one_job, size_of_copies, total_size};
pub use plan::{plan, refused_plan};
pub use progress::{copying, finished, put_off};
pub(super) use results::one_result;
pub use results::{results, saved_results};
pub use status::status;

/// A screen that is being written, line by line.
struct Screen<'a> {
    styles: &'a Styles,
    text: String,
}

impl<'a> Screen<'a> {
    fn new(styles: &'a Styles) -> Self {
        Self {
            styles,
            text: String::new(),
        }
    }

    /// A line that far from the left; what is foreign in it has been made [`safe`].
    fn line(&mut self, indent: usize, line: impl Display) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(&line.to_string());
        self.text.push('\n');
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn warning(&mut self, indent: usize, warning: &str) {
        let label = "warning:".style(self.styles.warning);
        self.line(indent, format_args!("{label} {}", safe(warning)));
    }

    fn error(&mut self, indent: usize, problem: &Problem) {
        let Problem {
            message,
            at,
            aws,
            help,
        } = problem;
        let place = at.map(
            |TextPlace {
                 line,
                 column,
                 length: _,
             }| format!(" (line {line}, column {column} of the config)"),
        );
        let label = "error:".style(self.styles.error);
        self.line(
            indent,
            format_args!("{label} {}{}", safe(message), place.unwrap_or_default()),
        );
        if let Some(aws) = aws {
            let AwsFailure {
                call,
                region,
                code,
                message,
            } = aws.as_ref();
            let (call, region, code) = (safe(call), safe(region.as_str()), safe(code));
            self.line(
                indent + 2,
                format_args!("{call} in {region}: {code}: {}", safe(message)),
            );
        }
        if let Some(help) = help {
            self.line(
                indent + 2,
                format_args!("{} {}", "help:".style(self.styles.quiet), safe(help)),
            );
        }
    }
}

/// Values with equal keys together, in the order in which the keys came first.
pub(super) fn grouped<K: Clone + Eq + Hash, V>(
    values: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (key, value) in values {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

/// One problem, as it stands on a screen of its own.
pub fn problem(problem: &Problem, styles: &Styles) -> String {
    let mut screen = Screen::new(styles);
    screen.error(0, problem);
    screen.text
}
