//! What became of the jobs, in the words of the older tool.

use std::collections::BTreeSet;

use owo_colors::OwoColorize;

use super::{Screen, grouped};
use crate::model::id::JobName;
use crate::model::problem::Problem;
use crate::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use crate::model::safe::safe;
use crate::model::words::{count, list, utc};
use crate::render::styles::Styles;

/// The results of an apply, failures last, and a line that sums up.
pub fn results(results: &[SyncResult], styles: &Styles) -> String {
    let mut screen = Screen::new(styles);
    write(&mut screen, results);
    screen.text
}

/// A results file.
pub fn saved_results(saved: &SavedResults, styles: &Styles) -> String {
    let SavedResults {
        format_version: _,
        xrs_version,
        plan_digest,
        started_at,
        complete,
        interrupted,
        results,
    } = saved;
    let mut screen = Screen::new(styles);
    screen.line(
        0,
        format_args!(
            "Results of an apply begun {}, with xrs {}.",
            utc(*started_at),
            safe(xrs_version)
        ),
    );
    screen.line(0, format_args!("Digest of its plan: {}", safe(plan_digest)));
    if *interrupted {
        screen.warning(0, "that apply was interrupted; applying the same plan again carries out the rest, and does nothing twice");
    }
    if !complete {
        screen.warning(0, "jobs are missing from what that apply did: it is still running, or it was refused or stopped; applying the same plan again does nothing twice");
    }
    screen.blank();
    write(&mut screen, results);
    screen.text
}

/// What became of one job, without colours.
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
    let (failed, well): (Vec<&SyncResult>, Vec<&SyncResult>) =
        results.iter().partition(|result| result.failed());
    for result in well {
        went_well(screen, result);
    }
    for result in &failed {
        partly(screen, result);
    }
    // One expired login, or an interrupt, is the same error for every job.
    let with_errors = failed.into_iter().map(|result| {
        let errors: Vec<Said> = result.errors.iter().map(|e| Said::of(result, e)).collect();
        let keys: BTreeSet<String> = errors.iter().map(|said| said.key.clone()).collect();
        (keys, (result, errors))
    });
    for (_, group) in grouped(with_errors) {
        failures(screen, &group);
    }
}

fn summary_line(results: &[SyncResult]) -> String {
    let failed = results.iter().filter(|result| result.failed()).count();
    let created = results
        .iter()
        .filter(|result| result.created_resource.is_some())
        .count();
    let deleted = results
        .iter()
        .map(|result| result.deleted_resources.len())
        .sum();
    let undone = results
        .iter()
        .flat_map(|result| &result.actions)
        .filter(|action| !action.outcome.is_done())
        .count();
    let mut line = format!(
        "Results: {} completed, {failed} failed; {} created, {} deleted",
        count(results.len() - failed, "job", "jobs"),
        count(created, "copy", "copies"),
        count(deleted, "copy", "copies"),
    );
    if undone > 0 {
        line.push_str(&format!(
            "; {} not carried out",
            count(undone, "action", "actions")
        ));
    }
    line.push('.');
    line
}

/// A job that has not failed.
fn went_well(screen: &mut Screen<'_>, result: &SyncResult) {
    let name = name(screen, result);
    let done = match result.created_resource.as_deref().map(safe) {
        Some(created) => format!("and created the AWS resource {created}."),
        None => "without creating any new AWS resources.".to_owned(),
    };
    screen.line(0, format_args!("{name} successfully completed {done}"));
    details(screen, result);
    not_carried_out(screen, &[result]);
}

/// What a failed job did all the same; its errors stand below, with those of the others.
fn partly(screen: &mut Screen<'_>, result: &SyncResult) {
    let name = name(screen, result);
    match result.created_resource.as_deref().map(safe) {
        Some(created) => screen.line(
            0,
            format_args!("{name} created the AWS resource {created}, but was not completed."),
        ),
        None if has_details(result) || tagged(result).next().is_some() => {
            screen.line(0, format_args!("{name} was not completed."));
        }
        None => {}
    }
    if let Some(tags) = summed_up(tagged(result).map(|action| (&result.name, action))) {
        screen.line(2, format_args!("was done: {tags}"));
    }
    details(screen, result);
}

/// Tags that were written and have no line of their own.
fn tagged(result: &SyncResult) -> impl Iterator<Item = &ActionResult> {
    result.actions.iter().filter(|action| {
        action.outcome == ActionOutcome::Done
            && action.detail.is_none()
            && action.action.starts_with("tag_")
    })
}

fn name(screen: &Screen<'_>, result: &SyncResult) -> String {
    safe(result.name.as_str())
        .style(screen.styles.name)
        .to_string()
}

fn has_details(result: &SyncResult) -> bool {
    let told = |action: &ActionResult| {
        action.outcome == ActionOutcome::AlreadyDone
            || action.outcome == ActionOutcome::Done && action.detail.is_some()
    };
    !result.deleted_resources.is_empty()
        || warnings(result).next().is_some()
        || result.actions.iter().any(told)
}

/// What was done beside the copy, and warnings.
fn details(screen: &mut Screen<'_>, result: &SyncResult) {
    for deleted in &result.deleted_resources {
        screen.line(2, format_args!("deleted {}", safe(deleted)));
    }
    let (plain, remarked): (Vec<&ActionResult>, Vec<&ActionResult>) = result
        .actions
        .iter()
        .filter(|action| action.outcome.is_done())
        .partition(|action| action.detail.is_none());
    let already = plain
        .into_iter()
        .filter(|action| action.outcome == ActionOutcome::AlreadyDone);
    if let Some(already) = summed_up(already.map(|action| (&result.name, action))) {
        screen.line(2, format_args!("had been done already: {already}"));
    }
    for action in remarked {
        let what = safe(local(&result.name, action.id.as_str()));
        let detail = safe(action.detail.as_deref().unwrap_or_default());
        screen.line(
            2,
            format_args!("{what} {}: {detail}", outcome(action.outcome)),
        );
    }
    for warning in warnings(result) {
        screen.warning(2, warning);
    }
}

/// Warnings that are not among the errors, too: what hinders the tag of a source hinders the next action as well.
fn warnings(result: &SyncResult) -> impl Iterator<Item = &String> {
    let errors: Vec<String> = result.errors.iter().map(Problem::to_string).collect();
    result
        .warnings
        .iter()
        .filter(move |warning| !errors.contains(warning))
}

/// Jobs with the same errors.
fn failures(screen: &mut Screen<'_>, group: &[(&SyncResult, Vec<Said>)]) {
    let results: Vec<&SyncResult> = group.iter().map(|(result, _)| *result).collect();
    let names: Vec<String> = results.iter().map(|result| name(screen, result)).collect();
    screen.line(
        0,
        format_args!(
            "{} {}:",
            names.join(", "),
            "encountered the following errors".style(screen.styles.error)
        ),
    );
    let errors = group.iter().flat_map(|(_, errors)| errors);
    for (_, same) in grouped(errors.map(|said| (&said.key, said))) {
        let Some(Said {
            problem,
            of_the_job,
            ..
        }) = same.first()
        else {
            continue;
        };
        let message = if results.len() == 1 {
            &problem.message
        } else {
            of_the_job
        };
        let mut actions: Vec<&str> = same.iter().filter_map(|s| s.action.as_deref()).collect();
        let mut met = BTreeSet::new();
        actions.retain(|action| met.insert(*action));
        let problem = Problem {
            message: message.replace(ACTION, &list(actions)),
            ..problem.clone()
        };
        screen.error(2, &problem);
    }
    not_carried_out(screen, &results);
}

fn not_carried_out(screen: &mut Screen<'_>, results: &[&SyncResult]) {
    let undone = results.iter().flat_map(|result| {
        let undone = result.actions.iter().filter(|a| !a.outcome.is_done());
        undone.map(|action| (&result.name, action))
    });
    if let Some(undone) = summed_up(undone) {
        screen.line(2, format_args!("not carried out: {undone}"));
    }
}

/// Actions in a few words: `copy, tag-source, 2 deletions (a, b)`.
fn summed_up<'a>(actions: impl Iterator<Item = (&'a JobName, &'a ActionResult)>) -> Option<String> {
    /// More identifiers than this are only counted.
    const FEW: usize = 5;
    let by_kind = grouped(actions.map(|(job, action)| {
        let local = local(job, action.id.as_str());
        let (kind, of) = local.split_once('/').unwrap_or((local, ""));
        (kind, safe(of))
    }));
    let words: Vec<String> = by_kind
        .into_iter()
        .map(|(kind, of)| {
            let words = match (kind, of.len()) {
                ("delete", n) => count(n, "deletion", "deletions"),
                (kind, 1) => safe(kind).into_owned(),
                (kind, n) => format!("{} ({n} times)", safe(kind)),
            };
            if of.len() > FEW || of.iter().all(|of| of.is_empty()) {
                words
            } else {
                format!("{words} ({})", of.join(", "))
            }
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// An action's id without the name of its job.
fn local<'a>(job: &JobName, id: &'a str) -> &'a str {
    id.strip_prefix(job.as_str())
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(id)
}

/// Stands for the actions in a message that is said of several. Texts from elsewhere are made safe, so none has it.
const ACTION: &str = "\u{0}";

/// An error of a job, so that the same one of another action or job can be told together with it.
struct Said {
    /// All of it, without what differs between jobs and actions that met the same.
    key: String,
    /// Its message has the place of the action, and the job's name where it is part of the sentence.
    problem: Problem,
    /// The same message, if it is said of several jobs.
    of_the_job: String,
    /// The action it names, without the job's name.
    action: Option<String>,
}

impl Said {
    fn of(result: &SyncResult, problem: &Problem) -> Self {
        let name = result.name.as_str();
        let message = problem
            .message
            .replace(ACTION, "")
            .replace(&format!(" ({name})"), "");
        let (message, action) = match message.split_once(&format!("{name}/")) {
            Some((before, rest)) => {
                let end = rest
                    .find(|c: char| c.is_whitespace() || ":,;".contains(c))
                    .unwrap_or(rest.len());
                let (action, after) = rest.split_at(end);
                (format!("{before}{ACTION}{after}"), Some(action.to_owned()))
            }
            None => (message, None),
        };
        let words = message.split(' ');
        let of_the_job: Vec<&str> = words
            .map(|w| if w == name { "the job" } else { w })
            .collect();
        let of_the_job = of_the_job.join(" ");
        let problem = Problem {
            message,
            ..problem.clone()
        };
        let general = Problem {
            message: of_the_job.clone(),
            ..problem.clone()
        };
        let help = problem.help.as_deref().unwrap_or_default();
        Self {
            key: format!("{general}\n{help}"),
            problem,
            of_the_job,
            action,
        }
    }
}

/// An outcome, as it is said of an action.
pub(super) fn outcome(outcome: ActionOutcome) -> &'static str {
    match outcome {
        ActionOutcome::Done => "was done",
        ActionOutcome::AlreadyDone => "had been done already",
        ActionOutcome::Stale => "is stale",
        ActionOutcome::Deferred => "is deferred",
        ActionOutcome::Skipped => "was skipped",
        ActionOutcome::Failed => "failed",
    }
}
