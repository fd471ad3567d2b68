//! What became of the jobs, in the words of the tool that xrs replaces.

use super::progress::finished_action;
use super::screen::{PLAIN, Screen};
use crate::model::problem::Problem;
use crate::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use crate::model::words::utc;
use crate::render::styles::Styles;
use crate::render::vocabulary::{Totals, action_counts, by_causes, tag_counts};

/// Returns the results of an apply, failures last, and a line that sums up.
pub fn results(results: &[SyncResult], styles: &Styles) -> String {
    let mut screen = Screen::new(*styles);
    write(&mut screen, results);
    screen.text
}

/// Returns a results file as a screen.
pub fn saved_results(saved: &SavedResults, styles: &Styles) -> String {
    let mut screen = Screen::new(*styles);
    let (time, version) = (utc(saved.started_at), &saved.xrs_version);
    let heading = format!("Results of an apply started {time}, with xrs {version}.");
    screen.line(0, heading);
    screen.line(0, format_args!("Digest of its plan: {}", saved.plan_digest));
    if let Some(why) = why_not_complete(saved) {
        screen.warning(0, why);
    }
    screen.blank();
    write(&mut screen, &saved.results);
    screen.text
}

/// Returns why actions or jobs are missing in results, and what to do about it; nothing if none are.
pub(in crate::render) fn why_not_complete(saved: &SavedResults) -> Option<&'static str> {
    match (saved.complete, saved.interrupted, saved.results.is_empty()) {
        (true, false, _) => None,
        (true, true, _) => Some(
            "the apply was interrupted; applying the same plan again performs the rest, and does nothing twice",
        ),
        (false, _, false) => Some(
            "jobs are missing here: the apply is still running, or it was stopped; applying the same plan again performs the \
             rest, and does nothing twice",
        ),
        (false, _, true) => Some(
            "there are no results yet: the plan was refused, or the apply is still running or was stopped early; its output \
             says which, and a refused plan is refused again until the cause is gone",
        ),
    }
}

/// Returns what became of one job, without colours.
pub(in crate::render) fn one_result(result: &SyncResult) -> String {
    let mut screen = Screen::new(Styles::default());
    jobs(&mut screen, std::slice::from_ref(result));
    screen.text
}

fn write(screen: &mut Screen, results: &[SyncResult]) {
    jobs(screen, results);
    screen.blank();
    let totals = Totals::of(results);
    let not_done = totals.not_done;
    let not_done = not_done.map_or_else(String::new, |actions| format!("; {actions}"));
    let (completed, failed, changed) = (totals.completed, totals.failed, totals.changed);
    let summary = format!("Results: {completed}, {failed} failed; {changed}{not_done}.");
    screen.styled(0, screen.styles.strong, summary);
}

fn jobs(screen: &mut Screen, results: &[SyncResult]) {
    let (failed, completed): (Vec<&SyncResult>, Vec<&SyncResult>) =
        results.iter().partition(|result| result.failed());
    for result in completed.iter().chain(&failed) {
        job(screen, result);
    }
    // One expired login, or an interrupt, is the same error for every job.
    let failed = failed.into_iter().map(|result| (result, &*result.errors));
    for (same, errors) in by_causes(failed) {
        let names: Vec<&str> = same.iter().map(|result| result.name.as_str()).collect();
        let parts = [
            (screen.styles.strong, &*names.join(", ")),
            (PLAIN, " "),
            (screen.styles.bad, "encountered the following errors"),
            (PLAIN, ":"),
        ];
        screen.parts(0, &parts);
        screen.remarks(&[], &errors);
        write_not_done(screen, &same);
    }
}

/// Writes what a job did. The errors of failed jobs come later, together.
fn job(screen: &mut Screen, result: &SyncResult) {
    const WITHOUT_COPY: &str = " successfully completed without creating any new AWS resources.";
    let done = || result.actions.iter().filter(|a| a.outcome.is_done());
    let has_more = done().next().is_some() || warnings(result).next().is_some();
    let sentence = match (&result.created_resource, result.failed()) {
        (Some(id), false) => format!(" successfully completed and created the AWS resource {id}."),
        (None, false) => WITHOUT_COPY.to_owned(),
        (Some(id), true) => format!(" created the AWS resource {id}, but was not completed."),
        (None, true) if has_more => " was not completed.".to_owned(),
        (None, true) => return,
    };
    let name = (screen.styles.strong, result.name.as_str());
    screen.parts(0, &[name, (PLAIN, &sentence)]);
    if result.failed() {
        let tags = done()
            .filter(|action| action.outcome == ActionOutcome::Done && action.detail.is_none());
        if let Some(tags) = tag_counts(tags.map(|action| action.action)) {
            screen.line(2, format_args!("done: {tags}"));
        }
    }
    for deleted in &result.deleted_resources {
        screen.line(2, format_args!("deleted {deleted}"));
    }
    for action in done() {
        if action.outcome == ActionOutcome::AlreadyDone || action.detail.is_some() {
            screen.line(2, finished_action(action, None));
        }
    }
    for warning in warnings(result) {
        screen.warning(2, warning);
    }
    if !result.failed() {
        write_not_done(screen, &[result]);
    }
}

/// Returns the warnings that are not among the errors as well.
fn warnings(result: &SyncResult) -> impl Iterator<Item = &String> {
    let errors: Vec<String> = result.errors.iter().map(Problem::to_string).collect();
    let warnings = result.warnings.iter();
    warnings.filter(move |warning| !errors.contains(warning))
}

/// Writes which actions were not done.
fn write_not_done(screen: &mut Screen, results: &[&SyncResult]) {
    /// More ids than this are only counted.
    const MAX_IDS: usize = 5;
    let actions = results.iter().flat_map(|result| &result.actions);
    let not_done: Vec<&ActionResult> = actions.filter(|a| !a.outcome.is_done()).collect();
    if let Some(line) = action_counts(not_done.iter().map(|action| action.action)) {
        let ids: Vec<&str> = not_done.iter().map(|a| a.id.as_str()).collect();
        let ids = match ids.len() {
            0..=MAX_IDS => format!(" ({})", ids.join(", ")),
            _ => String::new(),
        };
        screen.line(2, format_args!("not done: {line}{ids}"));
    }
}
