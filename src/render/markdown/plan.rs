//! A saved plan, to be reviewed and approved.

use super::alert::{alert, failures};
use super::commands::Commands;
use super::drawing::drawing;
use super::escape::{cell, fenced, html, message, name};
use super::fit::{Room, cut, script};
use crate::model::action::{Action, ActionName, Delete};
use crate::model::plan::{JobPlan, Outcome, SavedPlan, Summary};
use crate::model::words::{count, list, utc};
use crate::render::text::one_job;
use crate::render::vocabulary::{
    action_counts, artifacts, count_of, size_of_copies, some, total_size,
};

/// Returns the plan as Markdown, at most [`MAX_BYTES`](super::MAX_BYTES) long.
pub fn plan(plan: &SavedPlan, commands: &Commands) -> String {
    let verdict = format!("### xrs plan: {}\n", verdict(&plan.jobs));
    let mut approval = format!("\nDigest: {}\n", name(&plan.digest));
    if let Some(apply) = commands.apply.as_deref().and_then(script) {
        approval.push_str(&format!("\nTo apply this plan and no other:\n\n{apply}"));
    }
    document(&verdict, plan, &approval, &commands.show)
}

/// Returns a plan that apply would refuse, and why. `actual` is the digest of its content, if it states another; `show` is the
/// command that shows all of the plan.
pub fn refused_plan(plan: &SavedPlan, actual: Option<&str>, why: &str, show: &str) -> String {
    let verdict = verdict(&plan.jobs);
    let why = message(why);
    let refused = format!(
        "### xrs plan, REFUSED by apply: {verdict}\n\n> [!CAUTION]\n> **REFUSED by apply:** {why}\n"
    );
    let actual = actual.map_or_else(String::new, |actual| {
        format!(" **DOES NOT MATCH** its content ({})", name(actual))
    });
    let approval = format!("\nDigest: {}{actual}\n", name(&plan.digest));
    document(&refused, plan, &approval, show)
}

/// Returns what matters most, in one line.
fn verdict(jobs: &[JobPlan]) -> String {
    // Not the summary of the plan: this line is what its jobs come to.
    let Summary {
        jobs: _,
        copy,
        tag_copy,
        tag_source,
        delete,
        up_to_date: _,
        failed,
    } = Summary::of(jobs);
    let warnings = jobs.iter().map(|job| job.warnings.len()).sum();
    let mut line = if copy + tag_copy + tag_source + delete + failed == 0 {
        "nothing to do, every destination is up to date".to_owned()
    } else {
        let size = size_of_copies(jobs).map_or_else(String::new, |size| format!(" ({size})"));
        let copies = count_of(ActionName::Copy, copy);
        let deletions = loud(delete, count_of(ActionName::Delete, delete));
        let failures = loud(failed, count(failed, "failed job", "failed jobs"));
        format!("{copies}{size}, {deletions}, {failures}")
    };
    let rest = [
        (tag_copy > 0).then(|| count_of(ActionName::TagCopy, tag_copy)),
        (tag_source > 0).then(|| count_of(ActionName::TagSource, tag_source)),
        some(warnings, "warning", "warnings"),
    ];
    for part in rest.into_iter().flatten() {
        line.push_str(&format!(", {part}"));
    }
    line
}

/// Returns a count that must not be overlooked, unless it is zero.
fn loud(number: usize, counted: String) -> String {
    if number == 0 {
        counted
    } else {
        counted.to_uppercase()
    }
}

/// Returns all of it. What does not fit is cut by whole jobs: first details, then rows of the table, last failures and
/// deletions.
fn document(verdict: &str, plan: &SavedPlan, approval: &str, show: &str) -> String {
    let origin = origin(plan);
    let drawing = drawing(&plan.jobs);
    let mut jobs: Vec<&JobPlan> = plan.jobs.iter().collect();
    jobs.sort_by_key(|job| rank(job));

    let mut room = Room::beside(&[verdict, &origin, &drawing, approval]);
    let listed: Vec<(usize, String)> = jobs.iter().filter_map(|job| deletions(job)).collect();
    // However much is deleted, it does not hide what has failed.
    let needed = listed.iter().map(|(_, lines)| lines.len()).sum();
    let failed: Vec<&JobPlan> = plan
        .jobs
        .iter()
        .filter(|job| job.outcome == Outcome::Failed)
        .collect();
    let failures = failures(failed.iter().map(|job| (&job.name, &*job.errors)));
    let failures = room.take_beside(needed, failures);
    let listed = room.take(listed);
    let rows = room.take(jobs.iter().map(|job| ((), row(job))));
    let details = room.take(jobs.iter().map(|job| ((), details(job))));

    let table = if rows.text.is_empty() {
        String::new()
    } else {
        let head = "| job | from → to | planned |\n|---|---|---|";
        format!("\n{head}\n{}", rows.text)
    };
    let note = cut(
        show,
        &[
            some(listed.cut.iter().sum(), "deletion", "deletions"),
            some(failures.cut.iter().sum(), "failed job", "failed jobs"),
            some(rows.cut.len(), "row of the table", "rows of the table"),
            some(details.cut.len(), "job's details", "jobs' details"),
        ],
    );
    let mut alerts = String::new();
    if let Some(title) = deletions_title(&plan.jobs) {
        alerts = alert("CAUTION", &title, &listed, ["deletion", "deletions"]);
    }
    if !failed.is_empty() {
        let title = failures_title(failed.len(), &plan.jobs);
        alerts += &alert("WARNING", &title, &failures, ["failed job", "failed jobs"]);
    }
    let details = details.text;
    format!("{verdict}{alerts}{note}\n{origin}{drawing}{table}{approval}{details}")
}

/// Returns where the plan comes from.
fn origin(plan: &SavedPlan) -> String {
    let limited = plan.selection.as_ref().map_or_else(String::new, |names| {
        let names = list(names.iter().map(|job| name(job.as_str())));
        format!(" Limited to {names}.")
    });
    let (path, provider) = (name(&plan.config.path), plan.provider.name());
    let time = utc(plan.created_at);
    format!("Plan for {path} on {provider}, made {time}.{limited}\n")
}

/// Returns the rank of a job: what must be seen comes first, and is cut last.
fn rank(job: &JobPlan) -> u8 {
    match job.outcome {
        _ if deleting(job).next().is_some() => 0,
        Outcome::Failed => 1,
        Outcome::Changes => 2,
        Outcome::UpToDate if !job.warnings.is_empty() => 3,
        Outcome::UpToDate => 4,
    }
}

fn deleting(job: &JobPlan) -> impl Iterator<Item = &Delete> {
    job.actions.iter().filter_map(|action| match action {
        Action::Delete(delete) => Some(delete),
        Action::Copy(_) | Action::TagCopy(_) | Action::TagSource(_) => None,
    })
}

/// Returns the deletions of a job as lines of an alert, and their number.
fn deletions(job: &JobPlan) -> Option<(usize, String)> {
    /// More are only counted.
    const MAX_SHOWN: usize = 50;
    let all: Vec<&Delete> = deleting(job).collect();
    let first = all.first()?;
    let parent = first
        .artifact
        .parent
        .as_ref()
        .map_or_else(String::new, |parent| {
            format!(" of {}", name(parent.as_str()))
        });
    let mut lines = format!(
        "> - {} deletes {}{parent} in {}, and keeps {}\n",
        name(job.name.as_str()),
        artifacts(all.iter().map(|delete| delete.kind)),
        name(first.artifact.region.as_str()),
        first.expects.kept.len()
    );
    for delete in all.iter().take(MAX_SHOWN) {
        let (id, expects) = (name(delete.artifact.id.as_str()), &delete.expects);
        let size = delete
            .size_gib
            .map_or_else(String::new, |size| format!(", {size} GiB"));
        let state = if expects.state.is_available() {
            String::new()
        } else {
            format!(", state {}", name(expects.state.as_str()))
        };
        let time = utc(expects.data_time);
        lines.push_str(&format!(">   - {id}{size}, data of {time}{state}\n"));
    }
    if let Some(more @ 1..) = all.len().checked_sub(MAX_SHOWN) {
        lines.push_str(&format!(">   - and {more} more\n"));
    }
    Some((all.len(), lines))
}

fn deletions_title(jobs: &[JobPlan]) -> Option<String> {
    let all: Vec<&Delete> = jobs.iter().flat_map(deleting).collect();
    let size = total_size(all.iter().map(|delete| delete.size_gib));
    let size = size.map_or_else(String::new, |size| format!(" ({size})"));
    let what = artifacts(all.iter().map(|delete| delete.kind));
    (!all.is_empty()).then(|| format!("**DELETES {what}{size}.** A deletion cannot be undone."))
}

fn failures_title(failed: usize, jobs: &[JobPlan]) -> String {
    let others = if jobs.iter().any(|job| !job.actions.is_empty()) {
        " Apply carries out the others, and exits with 1."
    } else {
        ""
    };
    format!(
        "**{} could not be planned.**{others}",
        count(failed, "job", "jobs")
    )
}

fn row(job: &JobPlan) -> String {
    let regions = match (&job.source, &job.destination) {
        (Some(from), Some(to)) => {
            let (from, to) = (cell(from.region.as_str()), cell(to.region.as_str()));
            format!("{from} → {to}")
        }
        _ => String::new(),
    };
    let (name, planned) = (cell(job.name.as_str()), planned(job));
    format!("| {name} | {regions} | {planned} |\n")
}

/// Returns what is planned for a job, in a few words.
fn planned(job: &JobPlan) -> String {
    let outcome = match job.outcome {
        Outcome::Changes => None,
        Outcome::UpToDate => Some("up to date".to_owned()),
        Outcome::Failed => Some("**FAILED**".to_owned()),
    };
    let size = size_of_copies([job]).map_or_else(String::new, |size| format!(" ({size})"));
    let copy = job.has_copy().then(|| format!("1 copy{size}"));
    let names = job.actions.iter().map(Action::name);
    let tags = names.filter(|name| matches!(name, ActionName::TagCopy | ActionName::TagSource));
    let deletions = some(deleting(job).count(), "DELETION", "DELETIONS");
    let deletions = deletions.map(|deletions| format!("**{deletions}**"));
    let warnings = some(job.warnings.len(), "warning", "warnings");
    let words = [outcome, copy, action_counts(tags), deletions, warnings];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a job as `xrs show` writes it, folded.
fn details(job: &JobPlan) -> String {
    let screen = one_job(job);
    // Only what is at the very left is coloured: copies and deletions.
    let lines: Vec<&str> = screen
        .trim_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    let (name, planned) = (html(job.name.as_str()), planned(job).replace("**", ""));
    let block = fenced("diff", &lines.join("\n"));
    format!("\n<details><summary>{name}: {planned}</summary>\n\n{block}\n</details>\n")
}
