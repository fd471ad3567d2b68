//! A status: the verdict, a table of the jobs, and what does not fit into the table.

use super::escape::{cell, message, name, regions};
use super::fit::{Room, cut};
use crate::model::status::{Copies, JobStatus, Readiness, SourceNewest, Status, Storage};
use crate::model::words::{count, utc};
use crate::render::vocabulary::{NO_REASON, age, some, status_summary, storage};

const HEAD: &str = "| job | from → to | state | newest usable copy | in progress | failed | left without the source |\n\
                    |---|---|---|---|---|---|---|\n";

/// Returns the status as a document. Jobs that are not ready come first, and are the last to be cut.
pub fn status(status: &Status) -> String {
    let verdict = format!(
        "**{}**\n\n{} on {}, observed {}.\n\n",
        status_summary(status),
        name(&status.config.path),
        status.provider.name(),
        utc(status.observed_at)
    );
    let mut jobs: Vec<&JobStatus> = status.jobs.iter().collect();
    jobs.sort_by_key(|job| job.readiness.is_ready());
    let mut room = Room::beside(&[&verdict, HEAD]);
    let rows = room.take(jobs.iter().map(|job| (1, row(job))));
    let remarks = jobs.iter().flat_map(|job| remarks(job));
    let remarks = room.take(remarks.map(|line| (1, line)));
    let parts = [
        some(rows.cut, "row of the table", "rows of the table"),
        some(remarks.cut, "remark", "remarks"),
    ];
    let note = cut("xrs status", parts);
    let gap = if remarks.text.is_empty() { "" } else { "\n" };
    format!("{verdict}{HEAD}{}{gap}{}{note}", rows.text, remarks.text)
}

fn row(job: &JobStatus) -> String {
    let regions = regions(job.source.as_ref(), job.destination.as_ref());
    let state = match job.readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::Unknown => format!("**not known**: {}", cell(&job.reason)),
        _ => format!("**not ready**: {}", cell(&job.reason)),
    };
    let cells = job.copies.as_ref().map(cells).unwrap_or_default();
    let name = cell(&job.name);
    format!("| {name} | {regions} | {state} | {} |\n", cells.join(" | "))
}

/// Returns what the destination has: usable, in progress, failed, left.
fn cells(copies: &Copies) -> [String; 4] {
    let usable = copies.newest_usable.as_ref().map_or_else(
        || "none".to_owned(),
        |copy| {
            let stored = stored(&copy.storage);
            format!("{}, {}{stored}", cell(&copy.id), age(copy))
        },
    );
    let in_progress = copies.in_progress.iter().map(|copy| {
        let percent = copy.percent.map(|percent| format!(" {percent} %"));
        cell(&copy.id) + &percent.unwrap_or_default() + &stored(&copy.storage)
    });
    let failed = copies.failed.iter().map(|copy| {
        let why = copy.reason.as_deref().map_or(NO_REASON.to_owned(), cell);
        format!("{}{}: {why}", cell(&copy.id), stored(&copy.storage))
    });
    [
        usable,
        first_few(in_progress.collect()),
        first_few(failed.collect()),
        count(copies.left.count, "copy", "copies"),
    ]
}

/// Returns the size and encryption of a copy, to append to its name.
fn stored(copy: &Storage) -> String {
    storage(copy, |key| cell(key)).map_or_else(String::new, |storage| format!(", {storage}"))
}

/// Returns a list in a cell, cut where it would get too long to read.
fn first_few(items: Vec<String>) -> String {
    const MAX_SHOWN: usize = 3;
    let more = items.len().saturating_sub(MAX_SHOWN);
    let shown: Vec<String> = items.into_iter().take(MAX_SHOWN).collect();
    let mut cell = shown.join("<br>");
    if more > 0 {
        cell.push_str(&format!("<br>and {more} more"));
    }
    cell
}

/// Returns what does not fit into the table, one line each.
fn remarks(job: &JobStatus) -> impl Iterator<Item = String> {
    let source = match &job.source_newest {
        Some(SourceNewest::Unknown { problem }) => {
            Some(format!("**source unknown**: {}", message(problem)))
        }
        Some(SourceNewest::Absent) => Some("the source has nothing to copy".to_owned()),
        Some(SourceNewest::Present { .. }) | None => None,
    };
    let warnings = job.warnings.iter().map(message);
    let errors = job.errors.iter();
    let errors = errors.map(|problem| format!("**not known**: {}", message(problem)));
    let lines = source.into_iter().chain(warnings).chain(errors);
    lines.map(|line| format!("- {}: {line}\n", name(&job.name)))
}
