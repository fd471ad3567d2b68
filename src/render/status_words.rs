//! What a status says in the same words in text and Markdown.

use crate::model::status::{Summary, UsableCopy};
use crate::model::words::{count, span};

/// The reason of a failed copy, where AWS states none.
pub(super) const NO_REASON: &str = "AWS states no reason";

/// Returns what the jobs come to, in one line.
pub(super) fn summary_line(summary: &Summary, max_age_seconds: Option<i64>) -> String {
    let Summary {
        jobs,
        ready,
        not_ready,
        unknown,
    } = summary;
    let limit =
        max_age_seconds.map_or_else(String::new, |limit| format!(" (limit {})", span(limit)));
    format!(
        "Status: {}, {ready} ready{limit}, {not_ready} not ready, {unknown} not known.",
        count(*jobs, "job", "jobs")
    )
}

/// Returns how old a copy is, and how far behind its source.
pub(super) fn age(copy: &UsableCopy) -> String {
    let age = match copy.age_seconds {
        Some(age) => format!("{} old", span(age)),
        None => "of unknown age".to_owned(),
    };
    match copy.behind_seconds {
        Some(0) => format!("{age}, nothing newer in the source"),
        Some(behind) => format!("{age}, {} behind the source", span(behind)),
        None => age,
    }
}
