//! A status: the verdict, a table of the jobs, and what there is no room for in it.

use super::escape::{cell, message, name};
use super::fit::{Room, cut, said};
use crate::model::status::{
    Copies, CopyUnderWay, FailedCopy, JobStatus, Readiness, SourceNewest, Status,
};
use crate::model::words::{count, utc};
use crate::render::status_words::{NO_REASON, age, summary_line};

/// The status as a document. Jobs that are not ready come first, and are the last to be cut.
pub fn status(status: &Status) -> String {
    let verdict = format!(
        "**{}**\n\n{} on {}, seen {}.\n\n",
        summary_line(&status.summary, status.max_age_seconds),
        name(&status.config.path),
        status.provider.in_words(),
        utc(status.observed_at)
    );
    let head = "| job | from → to | state | newest usable copy | under way | failed | left without the source |\n\
                |---|---|---|---|---|---|---|\n";
    let mut jobs: Vec<&JobStatus> = status.jobs.iter().collect();
    jobs.sort_by_key(|job| job.readiness.is_ready());
    let mut room = Room::beside(&[&verdict, head]);
    let rows = room.take(jobs.iter().map(|job| (job, row(job))));
    let remarks = room.take(
        jobs.iter()
            .flat_map(|job| remarks(job).map(move |line| (job, line))),
    );
    let note = cut(
        "xrs status",
        &[
            said(rows.cut.len(), "row of the table", "rows of the table"),
            said(remarks.cut.len(), "remark", "remarks"),
        ],
    );
    let gap = if remarks.text.is_empty() { "" } else { "\n" };
    format!("{verdict}{head}{}{gap}{}{note}", rows.text, remarks.text)
}

fn row(job: &JobStatus) -> String {
    let way = job.regions().map_or_else(String::new, |(from, to)| {
        format!("{} → {}", cell(from.as_str()), cell(to.as_str()))
    });
    let state = match job.readiness {
        Readiness::Ready => "ready".to_owned(),
        Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => {
            format!("**not ready**: {}", cell(&job.reason))
        }
        Readiness::Unknown => format!("**not known**: {}", cell(&job.reason)),
    };
    let cells = job.copies.as_ref().map(cells).unwrap_or_default();
    let name = cell(job.name.as_str());
    format!("| {name} | {way} | {state} | {} |\n", cells.join(" | "))
}

/// What the destination has: usable, under way, failed, left.
fn cells(copies: &Copies) -> [String; 4] {
    let usable = copies.newest_usable.as_ref().map_or_else(
        || "none".to_owned(),
        |copy| format!("{}, {}", cell(&copy.id), age(copy)),
    );
    let under_way = copies.under_way.iter().map(|copy| {
        let CopyUnderWay { id, percent, .. } = copy;
        let done = percent.map_or_else(String::new, |percent| format!(" {percent} %"));
        format!("{}{done}", cell(id))
    });
    let failed = copies.failed.iter().map(|copy| {
        let FailedCopy { id, reason, .. } = copy;
        let why = reason.as_deref().map_or(NO_REASON.to_owned(), cell);
        format!("{}: {why}", cell(id))
    });
    [
        usable,
        first_few(under_way.collect()),
        first_few(failed.collect()),
        count(copies.left.count, "copy", "copies"),
    ]
}

/// A list in a cell; nobody reads on after so many.
fn first_few(items: Vec<String>) -> String {
    const SHOWN: usize = 3;
    let more = items.len().saturating_sub(SHOWN);
    let shown: Vec<String> = items.into_iter().take(SHOWN).collect();
    let mut cell = shown.join("<br>");
    if more > 0 {
        cell.push_str(&format!("<br>and {more} more"));
    }
    cell
}

/// What does not fit into the table, each in a line of its own.
fn remarks(job: &JobStatus) -> impl Iterator<Item = String> {
    let source = match &job.source_newest {
        Some(SourceNewest::Unknown { problem }) => Some(format!(
            "**source unknown**: {}",
            message(&problem.to_string())
        )),
        Some(SourceNewest::Absent) => Some("the source has nothing to copy".to_owned()),
        Some(SourceNewest::Present { .. }) | None => None,
    };
    let warnings = job.warnings.iter().map(|warning| message(warning));
    let errors = job.errors.iter();
    let errors = errors.map(|problem| format!("**not known**: {}", message(&problem.to_string())));
    let lines = source.into_iter().chain(warnings).chain(errors);
    lines.map(|line| format!("- {}: {line}\n", name(job.name.as_str())))
}
