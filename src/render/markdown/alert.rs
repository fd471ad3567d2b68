//! Lists in alerts: what must not be overlooked.

use super::escape::{message, name};
use super::fit::Fitted;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::model::words::list;
use crate::render::vocabulary::{by_causes, some};

/// Returns failures as lines of an alert, those of the same causes as one, each with the number of its jobs.
pub(super) fn failures<'a>(
    failed: impl Iterator<Item = (&'a JobName, &'a [Problem])>,
) -> impl Iterator<Item = (usize, String)> {
    by_causes(failed).into_iter().map(|(jobs, errors)| {
        let names = list(jobs.iter().map(name));
        let errors: Vec<String> = errors.iter().map(Problem::to_string).collect();
        let errors = message(errors.join("; "));
        (jobs.len(), format!("> - {names}: {errors}\n"))
    })
}

/// Returns an alert with its list, and how much of it was cut.
pub(super) fn alert(level: &str, title: &str, lines: &Fitted, nouns: [&str; 2]) -> String {
    let [one, many] = nouns.map(|noun| format!("more {noun}"));
    let more = some(lines.cut, &one, &many);
    let more = more.map_or_else(String::new, |more| format!("> - and {more}\n"));
    format!("\n> [!{level}]\n> {title}\n>\n{}{more}", lines.text)
}
