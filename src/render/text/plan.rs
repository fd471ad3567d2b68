//! A saved plan, to be reviewed and approved.

use super::action_lines::actions;
use super::screen::{PLAIN, Screen, job_title};
use super::status::of;
use crate::model::action::ActionName;
use crate::model::groups::grouped;
use crate::model::plan::{JobPlan, Kept, Outcome, SavedPlan, regions};
use crate::model::words::{count, list, utc};
use crate::render::styles::Styles;
use crate::render::vocabulary::{artifacts, count_of, deletions, in_brackets, size_of_copies};

/// Returns the plan as a screen. `next` is the command that carries it out, if there is one to recommend.
pub fn plan(plan: &SavedPlan, next: Option<&str>, styles: &Styles) -> String {
    let mut screen = body(plan, styles);
    screen.line(0, format_args!("Digest: {}", plan.digest));
    if let Some(next) = next {
        screen.line(0, format_args!("Next: {next}"));
    }
    screen.text
}

/// Returns a plan that apply would refuse, and why. `actual` is the digest of its content, if it states another.
pub fn refused_plan(plan: &SavedPlan, actual: Option<&str>, why: &str, styles: &Styles) -> String {
    let mut screen = body(plan, styles);
    let digest = format!("Digest: {}", plan.digest);
    match actual {
        Some(actual) => {
            let differs = format!("{digest} DOES NOT MATCH its content ({actual})");
            screen.styled(0, styles.bad, differs);
        }
        None => screen.line(0, digest),
    }
    screen.styled(0, styles.bad, format_args!("REFUSED by apply: {why}"));
    screen.text
}

/// Returns all that is above the digest.
fn body(plan: &SavedPlan, styles: &Styles) -> Screen {
    let mut screen = Screen::new(*styles);
    let (path, provider) = (&plan.config.path, plan.provider.name());
    let time = utc(plan.created_at);
    let heading = format!("Plan for {path} on {provider}, made {time}.");
    screen.line(0, heading);
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
        screen.styled(0, styles.good, nothing);
    }
    screen.styled(0, styles.strong, summary_line(plan));
    closing(&mut screen, &plan.jobs);
    screen
}

/// Writes what must not be overlooked, by name, just above the digest.
fn closing(screen: &mut Screen, jobs: &[JobPlan]) {
    let bad = screen.styles.bad;
    if let Some(all) = artifacts(deletions(jobs).map(|delete| delete.kind)) {
        let copies = deletions(jobs).map(|delete| &delete.artifact);
        let regions = grouped(copies.map(|copy| (&copy.region, &copy.id)));
        // The same database has copies of the same ids in several regions.
        let ids = match regions.as_slice() {
            [(_, ids)] => list(ids),
            regions => {
                let regions = regions.iter();
                let regions = regions.map(|(region, ids)| format!("in {region}: {}", list(ids)));
                regions.collect::<Vec<_>>().join("; ")
            }
        };
        screen.styled(0, bad, format_args!("DELETES {all}: {ids}"));
    }
    let failed = jobs.iter().filter(|job| !job.errors.is_empty());
    let failed = list(failed.map(|job| &job.name));
    if !failed.is_empty() {
        screen.styled(0, bad, format_args!("FAILED: {failed}"));
    }
}

fn summary_line(plan: &SavedPlan) -> String {
    let summary = &plan.summary;
    let size = size_of_copies(&plan.jobs).map_or_else(String::new, |size| format!(" ({size})"));
    format!(
        "Plan: {}{size}, {}, {}, {}; {} up to date, {} failed.",
        count_of(ActionName::Copy, summary.copy),
        count_of(ActionName::TagCopy, summary.tag_copy),
        count_of(ActionName::TagSource, summary.tag_source),
        count_of(ActionName::Delete, summary.delete),
        count(summary.up_to_date, "job", "jobs"),
        summary.failed,
    )
}

/// Returns a job as it stands in the plan, without colours.
pub(in crate::render) fn one_job(one: &JobPlan) -> String {
    let mut screen = Screen::new(Styles::default());
    job(&mut screen, one);
    screen.text
}

fn job(screen: &mut Screen, job: &JobPlan) {
    let ends = (&job.source, &job.destination);
    let mut title = job_title(job.sync_type, ends, job.account_id.as_ref());
    let config = job.client_config.as_ref();
    if let Some(url) = config.and_then(|config| config.endpoint_url.as_ref()) {
        title.push_str(&format!(", at {url}"));
    }
    let is_plain = job.warnings.is_empty() && job.kept.is_empty();
    if job.outcome != Outcome::UpToDate || !is_plain {
        screen.blank();
    }
    let name = (screen.styles.strong, job.name.as_str());
    let failed = (screen.styles.bad, "FAILED");
    match job.outcome {
        Outcome::UpToDate => {
            title.push_str(&format!(": up to date: {}", job.reason));
            screen.parts(0, &[name, (PLAIN, &title)]);
        }
        Outcome::Failed => {
            screen.parts(0, &[name, (PLAIN, &(title + ": ")), failed]);
        }
        Outcome::Changes => {
            screen.parts(0, &[name, (PLAIN, &title)]);
            screen.quiet(2, &job.reason);
            if let Some(observed) = observed_line(job) {
                screen.quiet(2, observed);
            }
            actions(screen, &job.actions, &job.reason);
        }
    }
    if !job.kept.is_empty() {
        screen.line(2, "kept, although retention would otherwise delete them:");
    }
    for Kept { id, name, reason } in &job.kept {
        let name = in_brackets(name.as_deref());
        screen.line(4, format_args!("{id}{name}: {reason}"));
    }
    screen.remarks(&job.warnings, &job.errors);
}

/// Returns what the job's plan is based on, beside the source, which its reason names.
fn observed_line(job: &JobPlan) -> Option<String> {
    let observed = job.observed.as_ref()?;
    let (from, to) = regions(&job.source, &job.destination)?;
    let newest = observed.newest_copy.as_ref().map(|copy| {
        let (id, time, state) = (&copy.id, of(copy.data_time), &copy.state);
        format!(", newest {id}{time} ({state})")
    });
    let newest = newest.unwrap_or_default();
    let (sources, noun) = (observed.sources, job.kind()?.noun(observed.sources));
    let copies = count(observed.copies, "copy", "copies");
    Some(format!(
        "observed: {sources} {noun} in {from}; {copies} in {to}{newest}"
    ))
}
