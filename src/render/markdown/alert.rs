//! Lists in alerts: what must not be overlooked.

use super::escape::{message, name};
use super::fit::Fitted;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::model::words::list;
use crate::render::vocabulary::{by_cause, causes, grouped, some};

/// Returns failures as lines of an alert, those of the same causes as one, each with the number of its jobs.
pub(super) fn failures<'a>(
    failed: impl Iterator<Item = (&'a JobName, &'a [Problem])>,
) -> Vec<(usize, String)> {
    let with_causes = failed.map(|(job, errors)| (causes(errors), (job, errors)));
    let line = |jobs: Vec<(&JobName, &[Problem])>| {
        let names = list(jobs.iter().map(|(job, _)| name(job.as_str())));
        let errors = by_cause(jobs.iter().flat_map(|(_, errors)| *errors));
        let errors: Vec<String> = errors.iter().map(Problem::to_string).collect();
        (
            jobs.len(),
            format!("> - {names}: {}\n", message(&errors.join("; "))),
        )
    };
    grouped(with_causes)
        .into_iter()
        .map(|(_, jobs)| line(jobs))
        .collect()
}

/// Returns an alert with its list, and how much of it was cut.
pub(super) fn alert(level: &str, title: &str, lines: &Fitted<usize>, nouns: [&str; 2]) -> String {
    let [one, many] = nouns.map(|noun| format!("more {noun}"));
    let more = some(lines.cut.iter().sum(), &one, &many);
    let more = more.map_or_else(String::new, |more| format!("> - and {more}\n"));
    format!("\n> [!{level}]\n> {title}\n>\n{}{more}", lines.text)
}
