//! A saved plan, to be reviewed and approved.

use owo_colors::OwoColorize;

use super::action_lines::actions;
use super::screen::{Screen, job_title};
use crate::model::action::{Action, ActionName};
use crate::model::kind::Kind;
use crate::model::plan::{JobPlan, Outcome, SavedPlan, Summary};
use crate::model::safe::safe;
use crate::model::words::{count, list, utc};
use crate::render::styles::Styles;
use crate::render::vocabulary::{artifacts, count_of, size_of_copies};

/// Returns the plan as a screen. `next` is the command that carries it out, if there is one to recommend.
pub fn plan(plan: &SavedPlan, next: Option<&str>, styles: &Styles) -> String {
    let mut screen = body(plan, styles);
    screen.line(0, format_args!("Digest: {}", safe(&plan.digest)));
    if let Some(next) = next {
        screen.line(0, format_args!("Next: {}", safe(next)));
    }
    screen.text
}

/// Returns a plan that apply would refuse, and why. `actual` is the digest of its content, if it states another.
pub fn refused_plan(plan: &SavedPlan, actual: Option<&str>, why: &str, styles: &Styles) -> String {
    let mut screen = body(plan, styles);
    let digest = format!("Digest: {}", safe(&plan.digest));
    match actual {
        Some(actual) => {
            let differs = format!("{digest} DOES NOT MATCH its content ({})", safe(actual));
            screen.line(0, differs.style(styles.error));
        }
        None => screen.line(0, digest),
    }
    let refused = format!("REFUSED by apply: {}", safe(why));
    screen.line(0, refused.style(styles.error));
    screen.text
}

/// Returns all that is above the digest.
fn body<'a>(plan: &SavedPlan, styles: &'a Styles) -> Screen<'a> {
    let mut screen = Screen::new(styles);
    let (path, provider) = (safe(&plan.config.path), plan.provider.name());
    let time = utc(plan.created_at);
    screen.line(
        0,
        format_args!("Plan for {path} on {provider}, made {time}."),
    );
    screen.selection(plan.selection.as_deref());
    screen.blank();
    // Failures stand last, where they are seen.
    for outcome in [Outcome::Changes, Outcome::UpToDate, Outcome::Failed] {
        for one in plan.jobs.iter().filter(|job| job.outcome == outcome) {
            job(&mut screen, one);
        }
    }
    screen.blank();
    if plan.summary.actions() == 0 && plan.summary.failed == 0 {
        let nothing = "Nothing to do: every destination is up to date.";
        screen.line(0, nothing.style(styles.create));
    }
    screen.line(0, summary_line(plan).style(styles.summary));
    closing(&mut screen, &plan.jobs);
    screen
}

/// Writes what must not be overlooked, by name, just above the digest.
fn closing(screen: &mut Screen<'_>, jobs: &[JobPlan]) {
    let deleted: Vec<(Kind, &str)> = jobs
        .iter()
        .flat_map(|job| &job.actions)
        .filter_map(|action| match action {
            Action::Delete(delete) => Some((delete.kind, delete.artifact.id.as_str())),
            Action::Copy(_) | Action::TagCopy(_) | Action::TagSource(_) => None,
        })
        .collect();
    let failed: Vec<_> = jobs
        .iter()
        .filter(|job| job.outcome == Outcome::Failed)
        .map(|job| safe(job.name.as_str()))
        .collect();
    let (delete, error) = (screen.styles.delete, screen.styles.error);
    if !deleted.is_empty() {
        let all = artifacts(deleted.iter().map(|(kind, _)| *kind));
        let ids = list(deleted.iter().map(|(_, id)| safe(id)));
        screen.line(0, format!("DELETES {all}: {ids}").style(delete));
    }
    if !failed.is_empty() {
        screen.line(0, format!("FAILED: {}", list(failed)).style(error));
    }
}

fn summary_line(plan: &SavedPlan) -> String {
    let Summary {
        jobs: _,
        copy,
        tag_copy,
        tag_source,
        delete,
        up_to_date,
        failed,
    } = &plan.summary;
    let size = size_of_copies(&plan.jobs).map_or_else(String::new, |size| format!(" ({size})"));
    format!(
        "Plan: {}{size}, {}, {}, {}; {} up to date, {failed} failed.",
        count_of(ActionName::Copy, *copy),
        count_of(ActionName::TagCopy, *tag_copy),
        count_of(ActionName::TagSource, *tag_source),
        count_of(ActionName::Delete, *delete),
        count(*up_to_date, "job", "jobs"),
    )
}

/// Returns a job as it stands in the plan, without colours.
pub(in crate::render) fn one_job(one: &JobPlan) -> String {
    let styles = Styles::default();
    let mut screen = Screen::new(&styles);
    job(&mut screen, one);
    screen.text
}

fn job(screen: &mut Screen<'_>, job: &JobPlan) {
    let JobPlan {
        name,
        sync_type,
        source,
        destination,
        account_id,
        client_config,
        outcome,
        reason,
        synced_by: _,
        observed: _,
        actions: planned,
        warnings,
        errors,
    } = job;
    let ends = (source.as_ref(), destination.as_ref());
    let mut title = job_title(screen.styles, name, *sync_type, ends, account_id.as_ref());
    let config = client_config.as_ref();
    if let Some(url) = config.and_then(|config| config.endpoint_url.as_ref()) {
        title.push_str(&format!(", at {}", safe(url)));
    }
    if *outcome != Outcome::UpToDate || !warnings.is_empty() {
        screen.blank();
    }
    match outcome {
        Outcome::UpToDate => screen.line(0, format_args!("{title}: up to date: {}", safe(reason))),
        Outcome::Failed => {
            let failed = "FAILED".style(screen.styles.error);
            screen.line(0, format_args!("{title}: {failed}"));
        }
        Outcome::Changes => {
            screen.line(0, title);
            screen.quiet(2, &safe(reason));
            if let Some(observed) = observed_line(job) {
                screen.quiet(2, &observed);
            }
            actions(screen, planned, reason);
        }
    }
    for warning in warnings {
        screen.warning(2, warning);
    }
    for error in errors {
        screen.error(2, error);
    }
}

/// Returns what the job's plan is based on, beside the source, which its reason names.
fn observed_line(job: &JobPlan) -> Option<String> {
    let observed = job.observed.as_ref()?;
    let (from, to) = (job.source.as_ref()?, job.destination.as_ref()?);
    let newest = observed
        .newest_copy
        .as_ref()
        .map_or_else(String::new, |copy| {
            let time = copy
                .data_time
                .map_or_else(String::new, |time| format!(" of {}", utc(time)));
            let (id, state) = (safe(copy.id.as_str()), safe(copy.state.as_str()));
            format!(", newest {id}{time} ({state})")
        });
    Some(format!(
        "observed: {} {} in {}; {} in {}{newest}",
        observed.sources,
        job.kind()?.noun(observed.sources),
        safe(from.region.as_str()),
        count(observed.copies, "copy", "copies"),
        safe(to.region.as_str()),
    ))
}
