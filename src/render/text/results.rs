//! What became of the jobs, in the words of the tool that xrs replaces.

use owo_colors::OwoColorize;

use super::progress::finished_action;
use super::screen::Screen;
use crate::model::action::ActionName;
use crate::model::problem::Problem;
use crate::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use crate::model::safe::safe;
use crate::model::words::{count, utc};
use crate::render::styles::Styles;
use crate::render::vocabulary::{Totals, action_counts, by_cause, causes, grouped, some};

/// Returns the results of an apply, failures last, and a line that sums up.
pub fn results(results: &[SyncResult], styles: &Styles) -> String {
    let mut screen = Screen::new(styles);
    write(&mut screen, results);
    screen.text
}

/// Returns a results file as a screen.
pub fn saved_results(saved: &SavedResults, styles: &Styles) -> String {
    let mut screen = Screen::new(styles);
    let (time, version) = (utc(saved.started_at), safe(&saved.xrs_version));
    screen.line(
        0,
        format_args!("Results of an apply started {time}, with xrs {version}."),
    );
    screen.line(
        0,
        format_args!("Digest of its plan: {}", safe(&saved.plan_digest)),
    );
    if saved.interrupted {
        screen.warning(0, "that apply was interrupted; applying the same plan again performs the rest, and does nothing twice");
    }
    if !saved.complete {
        screen.warning(0, "jobs are missing here: that apply is still running, or it was refused or stopped; applying the same plan again does nothing twice");
    }
    screen.blank();
    write(&mut screen, &saved.results);
    screen.text
}

/// Returns what became of one job, without colours.
pub(in crate::render) fn one_result(result: &SyncResult) -> String {
    let styles = Styles::default();
    let mut screen = Screen::new(&styles);
    jobs(&mut screen, std::slice::from_ref(result));
    screen.text
}

fn write(screen: &mut Screen<'_>, results: &[SyncResult]) {
    jobs(screen, results);
    screen.blank();
    screen.line(0, summary_line(results).style(screen.styles.summary));
}

fn jobs(screen: &mut Screen<'_>, results: &[SyncResult]) {
    let (failed, completed): (Vec<&SyncResult>, Vec<&SyncResult>) =
        results.iter().partition(|result| result.failed());
    for result in completed {
        completed_job(screen, result);
    }
    for result in &failed {
        done_by_failed_job(screen, result);
    }
    // One expired login, or an interrupt, is the same error for every job.
    let with_causes = failed
        .into_iter()
        .map(|result| (causes(&result.errors), result));
    for (_, same) in grouped(with_causes) {
        failures(screen, &same);
    }
}

fn summary_line(results: &[SyncResult]) -> String {
    let totals = Totals::of(results);
    let not_done = some(totals.not_done, "action", "actions");
    let not_done = not_done.map_or_else(String::new, |actions| format!("; {actions} not done"));
    format!(
        "Results: {} completed, {} failed; {} created, {} deleted{not_done}.",
        count(totals.completed, "job", "jobs"),
        totals.failed,
        count(totals.created, "copy", "copies"),
        count(totals.deleted, "copy", "copies"),
    )
}

fn completed_job(screen: &mut Screen<'_>, result: &SyncResult) {
    let done = match &result.created_resource {
        Some(created) => format!("and created the AWS resource {}.", safe(created.as_str())),
        None => "without creating any new AWS resources.".to_owned(),
    };
    let name = name(screen, result);
    screen.line(0, format_args!("{name} successfully completed {done}"));
    details(screen, result);
    write_not_done(screen, &[result]);
}

/// Writes what a failed job did nevertheless. Its errors come later, with those of the other failed jobs.
fn done_by_failed_job(screen: &mut Screen<'_>, result: &SyncResult) {
    let name = name(screen, result);
    let has_done = result.actions.iter().any(|action| action.outcome.is_done());
    match &result.created_resource {
        Some(created) => {
            let created = safe(created.as_str());
            let line = format!("{name} created the AWS resource {created}, but was not completed.");
            screen.line(0, line);
        }
        None if has_done || warnings(result).next().is_some() => {
            screen.line(0, format_args!("{name} was not completed."));
        }
        None => {}
    }
    let tags = result.actions.iter().filter(|action| {
        let is_tag = matches!(action.action, ActionName::TagCopy | ActionName::TagSource);
        is_tag && action.outcome == ActionOutcome::Done && action.detail.is_none()
    });
    if let Some(tags) = action_counts(tags.map(|action| action.action)) {
        screen.line(2, format_args!("done: {tags}"));
    }
    details(screen, result);
}

fn name(screen: &Screen<'_>, result: &SyncResult) -> String {
    let name = safe(result.name.as_str());
    name.style(screen.styles.name).to_string()
}

/// Writes what was done beside the copy, and warnings.
fn details(screen: &mut Screen<'_>, result: &SyncResult) {
    for deleted in &result.deleted_resources {
        screen.line(2, format_args!("deleted {}", safe(deleted.as_str())));
    }
    for action in result
        .actions
        .iter()
        .filter(|action| action.outcome.is_done())
    {
        if action.outcome == ActionOutcome::AlreadyDone || action.detail.is_some() {
            screen.line(2, finished_action(action, None));
        }
    }
    for warning in warnings(result) {
        screen.warning(2, warning);
    }
}

/// Returns the warnings that are not among the errors as well.
fn warnings(result: &SyncResult) -> impl Iterator<Item = &String> {
    let errors: Vec<String> = result.errors.iter().map(Problem::to_string).collect();
    let is_error = move |warning: &&String| errors.contains(warning);
    result
        .warnings
        .iter()
        .filter(move |warning| !is_error(warning))
}

/// Writes the errors of jobs that failed for the same causes.
fn failures(screen: &mut Screen<'_>, same: &[&SyncResult]) {
    let names: Vec<String> = same.iter().map(|result| name(screen, result)).collect();
    let encountered = "encountered the following errors";
    let encountered = encountered.style(screen.styles.error);
    screen.line(0, format_args!("{} {encountered}:", names.join(", ")));
    for problem in by_cause(same.iter().flat_map(|result| &result.errors)) {
        screen.error(2, &problem);
    }
    write_not_done(screen, same);
}

fn not_done<'a>(
    results: impl IntoIterator<Item = &'a SyncResult>,
) -> impl Iterator<Item = &'a ActionResult> {
    let actions = results.into_iter().flat_map(|result| &result.actions);
    actions.filter(|action| !action.outcome.is_done())
}

/// Writes which actions were not done.
fn write_not_done(screen: &mut Screen<'_>, results: &[&SyncResult]) {
    /// More ids than this are only counted.
    const MAX_IDS: usize = 5;
    let not_done: Vec<&ActionResult> = not_done(results.iter().copied()).collect();
    if let Some(line) = action_counts(not_done.iter().map(|action| action.action)) {
        let ids: Vec<_> = not_done
            .iter()
            .map(|action| safe(action.id.as_str()))
            .collect();
        let ids = match ids.len() {
            0..=MAX_IDS => format!(" ({})", ids.join(", ")),
            _ => String::new(),
        };
        screen.line(2, format_args!("not done: {line}{ids}"));
    }
}
