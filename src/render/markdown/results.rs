//! What became of a plan, for people who did not watch.

use super::alert::{alert, failures};
use super::escape::{cell, fenced, folded, name};
use super::fit::{Room, cut, table};
use crate::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use crate::model::words::{list, utc};
use crate::render::text::{one_result, why_not_complete};
use crate::render::vocabulary::{Totals, list_of, outcome_counts, some, tag_counts};

/// Returns the results of an apply as Markdown, at most [`MAX_BYTES`](super::MAX_BYTES) long. `show` is the command that shows
/// all of them, if they are saved.
pub fn results(saved: &SavedResults, show: Option<&str>) -> String {
    let results = &saved.results;
    let totals = Totals::of(results);
    let verdict = verdict(&totals, saved);
    let (time, digest) = (utc(saved.started_at), name(&saved.plan_digest));
    let origin = format!("Started {time}. Digest of its plan: {digest}\n");
    // Failures come first, and are cut last.
    let mut jobs: Vec<&SyncResult> = results.iter().collect();
    jobs.sort_by_key(|result| rank(result));

    let mut room = Room::beside(&[&verdict, &origin]);
    let failed = results.iter().filter(|result| result.failed());
    let failed = failed.map(|result| (&result.name, &*result.errors));
    let failed = room.take(failures(failed));
    let rows = room.take(jobs.iter().map(|result| (1, row(result))));
    let loud = jobs.iter().filter(|result| rank(result) < QUIET);
    let details = room.take(loud.map(|result| (1, details(result))));

    let head = "| job | outcome | done | not done |\n|---|---|---|---|";
    let table = table(head, &rows);
    let note = cut(
        show.unwrap_or("the results file, of --results FILE"),
        [
            some(failed.cut, "failed job", "failed jobs"),
            some(rows.cut, "row of the table", "rows of the table"),
            some(details.cut, "job's details", "jobs' details"),
        ],
    );
    let failures = some(totals.failed, "job", "jobs").map_or_else(String::new, |jobs| {
        let title = format!("**{jobs} FAILED.** What was done stays done; the table names it.");
        alert("CAUTION", &title, &failed, ["failed job", "failed jobs"])
    });
    let details = details.text;
    format!("{verdict}{failures}{note}\n{origin}{table}{details}")
}

/// Returns what matters most: in one line what became of it, and below whether that is all.
fn verdict(totals: &Totals, saved: &SavedResults) -> String {
    let state = match (saved.complete, saved.interrupted) {
        (false, _) => ", NOT COMPLETE",
        (true, true) => ", INTERRUPTED",
        (true, false) => "",
    };
    let failed = some(totals.failed, "FAILED", "FAILED");
    let words = [
        Some(totals.completed.clone()),
        failed.or(Some("0 failed".to_owned())),
        Some(totals.changed.clone()),
        totals.not_done.clone(),
    ];
    let mut verdict = format!(
        "### xrs apply{state}: {}\n",
        list_of(words).unwrap_or_default()
    );
    if let Some(why) = why_not_complete(saved) {
        let (first, rest) = why.split_at(1);
        let first = first.to_uppercase();
        verdict.push_str(&format!("\n> [!WARNING]\n> {first}{rest}.\n"));
    }
    verdict
}

/// The rank of a job whose row in the table says everything.
const QUIET: u8 = 3;

fn rank(result: &SyncResult) -> u8 {
    let is_plain =
        |action: &ActionResult| action.outcome == ActionOutcome::Done && action.detail.is_none();
    let is_quiet = result.warnings.is_empty() && result.actions.iter().all(is_plain);
    match (result.failed(), is_quiet) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) if !result.deleted_resources.is_empty() => 2,
        (false, true) => QUIET,
    }
}

fn row(result: &SyncResult) -> String {
    let outcome = match (result.failed(), result.actions.is_empty()) {
        (true, _) => "**FAILED**",
        (false, true) if result.created_resource.is_none() => "nothing to do",
        (false, _) => "completed",
    };
    let not_done = result.actions.iter().map(|action| action.outcome);
    let not_done = not_done.filter(|outcome| !outcome.is_done());
    let not_done = outcome_counts(not_done).unwrap_or_default();
    let (name, done) = (cell(&result.name), done(result));
    format!("| {name} | {outcome} | {done} | {not_done} |\n")
}

/// Returns what was done, in a few words.
fn done(result: &SyncResult) -> String {
    let created = result.created_resource.as_ref().map(cell);
    let deleted = list(result.deleted_resources.iter().map(cell));
    let is_done = |action: &&ActionResult| action.outcome == ActionOutcome::Done;
    let done = result.actions.iter().filter(is_done);
    let outcomes = result.actions.iter().map(|action| action.outcome);
    let already = outcomes.filter(|outcome| *outcome == ActionOutcome::AlreadyDone);
    let words = [
        created.map(|id| format!("created {id}")),
        (!deleted.is_empty()).then(|| format!("deleted {deleted}")),
        tag_counts(done.map(|action| action.action)),
        outcome_counts(already),
        some(result.warnings.len(), "warning", "warnings"),
    ];
    list_of(words).unwrap_or_default()
}

/// Returns a job as `xrs show` writes it, folded.
fn details(result: &SyncResult) -> String {
    let failed = result.failed();
    let outcome = if failed { "FAILED" } else { "completed" };
    let block = fenced("text", &one_result(result));
    folded(&result.name, outcome, &block)
}
