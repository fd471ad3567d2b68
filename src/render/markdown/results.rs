//! What became of a plan, for those who were not there.

use super::alert::{failures, left_out};
use super::escape::{cell, fenced, html, name};
use super::fit::{Fitted, Room, cut, said};
use crate::model::result::{ActionOutcome, SavedResults, SyncResult};
use crate::model::words::{count, list, utc};
use crate::render::text::one_result;

/// The results of an apply as Markdown, at most [`MAX_BYTES`](super::MAX_BYTES) long. `show` is the command that shows
/// all of them, if they are saved.
pub fn results(saved: &SavedResults, show: Option<&str>) -> String {
    let SavedResults {
        format_version: _,
        xrs_version: _,
        plan_digest,
        started_at,
        complete,
        interrupted,
        results,
    } = saved;
    let verdict = verdict(results, *complete, *interrupted);
    let origin = format!(
        "Begun {}. Digest of its plan: {}\n",
        utc(*started_at),
        name(plan_digest)
    );
    // Failures stand first, and are cut last.
    let mut jobs: Vec<&SyncResult> = results.iter().collect();
    jobs.sort_by_key(|result| rank(result));

    let mut room = Room::beside(&[&verdict, &origin]);
    let failures = room.take(failures(
        failed(results).map(|result| (&result.name, result.errors.as_slice())),
    ));
    let rows = room.take(jobs.iter().map(|result| ((), row(result))));
    let telling = jobs.iter().filter(|result| rank(result) < QUIET);
    let details = room.take(telling.map(|result| ((), details(result))));

    let table = if rows.text.is_empty() {
        String::new()
    } else {
        format!(
            "\n| job | outcome | done | not carried out |\n|---|---|---|---|\n{}",
            rows.text
        )
    };
    let note = cut(
        show.unwrap_or("the results file, of --results FILE"),
        &[
            said(failures.cut.iter().sum(), "failed job", "failed jobs"),
            said(rows.cut.len(), "row of the table", "rows of the table"),
            said(details.cut.len(), "job's details", "jobs' details"),
        ],
    );
    let failures = failures_alert(results, &failures);
    let details = details.text;
    format!("{verdict}{failures}{note}\n{origin}{table}{details}")
}

/// What matters most: in one line what became of it, and below whether that is all.
fn verdict(results: &[SyncResult], complete: bool, interrupted: bool) -> String {
    let failed = failed(results).count();
    let created = results.iter().filter_map(|r| r.created_resource.as_ref());
    let deleted = results.iter().flat_map(|result| &result.deleted_resources);
    let undone = results.iter().flat_map(|result| &result.actions);
    let undone = undone.filter(|action| !action.outcome.is_done()).count();
    let failed_jobs = match failed {
        0 => "0 failed".to_owned(),
        n => format!("{n} FAILED"),
    };
    let mut line = format!(
        "### xrs apply{}: {} completed, {failed_jobs}, {} created, {} deleted",
        match (complete, interrupted) {
            (false, _) => ", NOT COMPLETE",
            (true, true) => ", INTERRUPTED",
            (true, false) => "",
        },
        count(results.len() - failed, "job", "jobs"),
        count(created.count(), "copy", "copies"),
        count(deleted.count(), "copy", "copies"),
    );
    if let Some(undone) = said(undone, "action", "actions") {
        line.push_str(&format!(", {undone} not carried out"));
    }
    line.push('\n');
    let why = match (complete, interrupted) {
        (false, _) => {
            "Jobs are missing here: the apply is still running, or it was refused or stopped."
        }
        (true, true) => "The apply was interrupted.",
        (true, false) => return line,
    };
    format!(
        "{line}\n> [!WARNING]\n> {why} Applying the same plan again carries out the rest, and does nothing twice.\n"
    )
}

/// The rank of a job of which its row says all.
const QUIET: u8 = 3;

fn rank(result: &SyncResult) -> u8 {
    let whole = result
        .actions
        .iter()
        .all(|action| action.outcome == ActionOutcome::Done && action.detail.is_none());
    match (result.failed(), result.warnings.is_empty() && whole) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) if !result.deleted_resources.is_empty() => 2,
        (false, true) => QUIET,
    }
}

fn failed(results: &[SyncResult]) -> impl Iterator<Item = &SyncResult> {
    results.iter().filter(|result| result.failed())
}

fn failures_alert(results: &[SyncResult], fitted: &Fitted<usize>) -> String {
    let failed = failed(results).count();
    if failed == 0 {
        return String::new();
    }
    format!(
        "\n> [!CAUTION]\n> **{} FAILED.** What was done stays done, and stands in the table.\n>\n{}{}",
        count(failed, "job", "jobs"),
        fitted.text,
        left_out(&fitted.cut, "failed job", "failed jobs")
    )
}

fn row(result: &SyncResult) -> String {
    let outcome = match (result.failed(), result.actions.is_empty()) {
        (true, _) => "**FAILED**",
        (false, true) if result.created_resource.is_none() => "nothing to do",
        (false, _) => "completed",
    };
    format!(
        "| {} | {outcome} | {} | {} |\n",
        cell(result.name.as_str()),
        done(result).join(", "),
        undone(result).join(", ")
    )
}

/// What was done, in a few words.
fn done(result: &SyncResult) -> Vec<String> {
    let of = |outcome, tags: bool| {
        let actions = result.actions.iter().filter(|a| a.outcome == outcome);
        actions
            .filter(|a| !tags || a.action.starts_with("tag_"))
            .count()
    };
    let created = result.created_resource.as_deref().map(cell);
    let deleted = list(result.deleted_resources.iter().map(|id| cell(id)));
    [
        created.map(|id| format!("created {id}")),
        (!deleted.is_empty()).then(|| format!("deleted {deleted}")),
        said(of(ActionOutcome::Done, true), "tag", "tags"),
        said(
            of(ActionOutcome::AlreadyDone, false),
            "action had been done already",
            "actions had been done already",
        ),
        said(result.warnings.len(), "warning", "warnings"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was not, likewise.
fn undone(result: &SyncResult) -> Vec<String> {
    let of = |outcome| {
        result
            .actions
            .iter()
            .filter(|a| a.outcome == outcome)
            .count()
    };
    [
        (ActionOutcome::Failed, "failed"),
        (ActionOutcome::Stale, "stale"),
        (ActionOutcome::Deferred, "deferred"),
        (ActionOutcome::Skipped, "skipped"),
    ]
    .into_iter()
    .filter(|(outcome, _)| of(*outcome) > 0)
    .map(|(outcome, word)| format!("{} {word}", of(outcome)))
    .collect()
}

/// A job as `xrs show` has it, folded.
fn details(result: &SyncResult) -> String {
    let outcome = if result.failed() {
        "FAILED"
    } else {
        "completed"
    };
    format!(
        "\n<details><summary>{}: {outcome}</summary>\n\n{}\n</details>\n",
        html(result.name.as_str()),
        fenced("text", &one_result(result))
    )
}
