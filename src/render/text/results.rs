//! What became of the jobs, in the words of the older tool.

use owo_colors::OwoColorize;

use super::Screen;
use crate::model::id::JobName;
use crate::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use crate::model::words::{count, utc};
use crate::render::safe::safe;
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
    if !complete {
        screen.warning(0, "jobs are missing: that apply is still running, or it was stopped; apply the same plan again");
    }
    screen.blank();
    write(&mut screen, results);
    screen.text
}

fn write(screen: &mut Screen<'_>, results: &[SyncResult]) {
    for result in results.iter().filter(|result| !result.failed()) {
        job(screen, result);
    }
    for result in results.iter().filter(|result| result.failed()) {
        job(screen, result);
    }
    screen.blank();
    screen.line(0, summary_line(results).style(screen.styles.summary));
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
        .filter(|action| !action.outcome.is_done() && action.outcome != ActionOutcome::Failed)
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

fn job(screen: &mut Screen<'_>, result: &SyncResult) {
    let SyncResult {
        name,
        completed: _,
        sync_required: _,
        created_resource,
        deleted_resources,
        actions,
        warnings,
        errors,
    } = result;
    let name = safe(name.as_str()).style(screen.styles.name).to_string();
    let created = created_resource.as_deref().map(safe);
    match (result.failed(), created) {
        (false, Some(created)) => {
            screen.line(
                0,
                format_args!(
                    "{name} successfully completed and created the AWS resource {created}."
                ),
            );
        }
        (false, None) => {
            screen.line(
                0,
                format_args!(
                    "{name} successfully completed without creating any new AWS resources."
                ),
            );
        }
        (true, created) => {
            let made = created
                .map(|created| format!(" created the AWS resource {created}, but"))
                .unwrap_or_default();
            screen.line(
                0,
                format_args!(
                    "{name}{made} {}:",
                    "encountered the following errors".style(screen.styles.error)
                ),
            );
        }
    }
    for error in errors {
        screen.error(2, error);
    }
    for deleted in deleted_resources {
        screen.line(2, format_args!("deleted {}", safe(deleted)));
    }
    for one in actions {
        action(screen, one);
    }
    for warning in warnings {
        screen.warning(2, warning);
    }
}

/// What is worth a line beside the headline: what was done with a remark, and what was not done. Of what failed,
/// the job's errors and warnings tell.
fn action(screen: &mut Screen<'_>, action: &ActionResult) {
    let ActionResult {
        id,
        action: _,
        outcome,
        resource: _,
        detail,
    } = action;
    let told = match outcome {
        ActionOutcome::Done => detail.is_none(),
        ActionOutcome::Failed => true,
        ActionOutcome::AlreadyDone
        | ActionOutcome::Stale
        | ActionOutcome::Deferred
        | ActionOutcome::Skipped => false,
    };
    if told {
        return;
    }
    let detail = detail
        .as_deref()
        .map(|detail| format!(": {}", safe(detail)))
        .unwrap_or_default();
    screen.line(
        2,
        format_args!("{} {}{detail}", safe(id.as_str()), said(*outcome)),
    );
}

/// An outcome, as it is said of an action.
fn said(outcome: ActionOutcome) -> &'static str {
    match outcome {
        ActionOutcome::Done => "was done",
        ActionOutcome::AlreadyDone => "had been done already",
        ActionOutcome::Stale => "is stale and was not carried out",
        ActionOutcome::Deferred => "was deferred: apply again later",
        ActionOutcome::Skipped => "was skipped",
        ActionOutcome::Failed => "failed",
    }
}

/// One line of progress: an action has ended.
pub fn finished(job: &JobName, result: &ActionResult, styles: &Styles) -> String {
    let ActionResult {
        id: _,
        action,
        outcome,
        resource,
        detail,
    } = result;
    let resource = resource
        .as_deref()
        .map(|resource| format!(" ({})", safe(resource)))
        .unwrap_or_default();
    let detail = detail
        .as_deref()
        .map(|detail| format!(": {}", safe(detail)))
        .unwrap_or_default();
    let outcome = said(*outcome);
    format!(
        "{}: {} {outcome}{resource}{detail}",
        safe(job.as_str()).style(styles.name),
        safe(action)
    )
}
