//! Lists in alerts: what must not be overlooked.

use super::escape::{message, name};
use super::fit::said;
use crate::model::id::JobName;
use crate::model::problem::Problem;
use crate::model::words::list;
use crate::render::text::grouped;

/// Failures as lines of an alert, those of jobs that failed alike as one, each with how many jobs it is of.
pub(super) fn failures<'a>(
    failed: impl Iterator<Item = (&'a JobName, &'a [Problem])>,
) -> Vec<(usize, String)> {
    let by_error = grouped(failed.map(|(job, errors)| {
        // Some messages end in the name of their job.
        let own = format!(" ({job})");
        let errors: Vec<String> = errors.iter().map(Problem::to_string).collect();
        (errors.join("; ").replace(&own, ""), job)
    }));
    let line = |(error, jobs): (String, Vec<&JobName>)| {
        let names = list(jobs.iter().map(|job| name(job.as_str())));
        (jobs.len(), format!("> - {names}: {}\n", message(&error)))
    };
    by_error.into_iter().map(line).collect()
}

/// The last line of a list that is cut; empty if it is not.
pub(super) fn left_out(cut: &[usize], one: &str, many: &str) -> String {
    let more = said(
        cut.iter().sum(),
        &format!("more {one}"),
        &format!("more {many}"),
    );
    more.map(|more| format!("> - and {more}\n"))
        .unwrap_or_default()
}
