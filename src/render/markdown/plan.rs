//! A saved plan, to be reviewed and approved.

use super::alert::{alert, failures};
use super::drawing::drawing;
use super::escape::{cell, fenced, folded, message, name, regions};
use super::fit::{Room, cut, script, table};
use crate::model::action::{Action, ActionName, Delete};
use crate::model::plan::{JobPlan, Outcome, SavedPlan, Summary};
use crate::model::words::{list, utc};
use crate::render::text::one_job;
use crate::render::vocabulary::{
    artifacts, count_of, deletions, in_brackets, list_of, size_of_copies, some, tag_counts,
    total_size,
};

/// The commands that a plan recommends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Shows all of the plan.
    pub show: String,
    /// Carries it out, if there is something to carry out.
    pub apply: Option<String>,
}

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
    let sum = Summary::of(jobs);
    let first = if sum.actions() + sum.failed == 0 {
        "nothing to do, every destination is up to date".to_owned()
    } else {
        let copies = count_of(ActionName::Copy, sum.copy);
        let size = size(size_of_copies(jobs));
        // What must not be overlooked is in capitals.
        let deletions = some(sum.delete, "DELETION", "DELETIONS");
        let deletions = deletions.unwrap_or("0 deletions".to_owned());
        let failures = some(sum.failed, "FAILED JOB", "FAILED JOBS");
        let failures = failures.unwrap_or("0 failed jobs".to_owned());
        format!("{copies}{size}, {deletions}, {failures}")
    };
    let tags = |name, number| (number > 0).then(|| count_of(name, number));
    let warnings = jobs.iter().map(|job| job.warnings.len()).sum();
    let parts = [
        Some(first),
        tags(ActionName::TagCopy, sum.tag_copy),
        tags(ActionName::TagSource, sum.tag_source),
        some(warnings, "warning", "warnings"),
    ];
    list_of(parts).unwrap_or_default()
}

fn size(size: Option<String>) -> String {
    size.map_or_else(String::new, |size| format!(" ({size})"))
}

/// Returns all of it. What does not fit is cut by whole jobs: first details, then rows of the table, last failures and
/// deletions.
fn document(verdict: &str, plan: &SavedPlan, approval: &str, show: &str) -> String {
    let origin = origin(plan);
    let drawing = drawing(&plan.jobs);
    let mut jobs: Vec<&JobPlan> = plan.jobs.iter().collect();
    jobs.sort_by_key(|job| rank(job));

    let mut room = Room::beside(&[verdict, &origin, &drawing, approval]);
    let listed: Vec<(usize, String)> = jobs.iter().filter_map(|job| listed(job)).collect();
    // However much is deleted, it does not hide what has failed.
    let needed = listed.iter().map(|(_, lines)| lines.len()).sum();
    let is_failed = |job: &&JobPlan| !job.errors.is_empty();
    let failed = || plan.jobs.iter().filter(is_failed);
    let failures = failures(failed().map(|job| (&job.name, &*job.errors)));
    let failures = room.take_beside(needed, failures);
    let listed = room.take(listed);
    let rows = room.take(jobs.iter().map(|job| (1, row(job))));
    let details = room.take(jobs.iter().map(|job| (1, details(job))));

    let table = table("| job | from → to | planned |\n|---|---|---|", &rows);
    let note = cut(
        show,
        [
            some(listed.cut, "deletion", "deletions"),
            some(failures.cut, "failed job", "failed jobs"),
            some(rows.cut, "row of the table", "rows of the table"),
            some(details.cut, "job's details", "jobs' details"),
        ],
    );
    let mut alerts = String::new();
    if let Some(title) = deletions_title(&plan.jobs) {
        alerts = alert("CAUTION", &title, &listed, ["deletion", "deletions"]);
    }
    if let Some(jobs) = some(failed().count(), "job", "jobs") {
        let mut title = format!("**{jobs} could not be planned.**");
        if plan.jobs.iter().any(|job| !job.actions.is_empty()) {
            title += " Apply carries out the others, and exits with 1.";
        }
        alerts += &alert("WARNING", &title, &failures, ["failed job", "failed jobs"]);
    }
    let details = details.text;
    format!("{verdict}{alerts}{note}\n{origin}{drawing}{table}{approval}{details}")
}

/// Returns where the plan comes from.
fn origin(plan: &SavedPlan) -> String {
    let limited = plan.selection.as_ref().map_or_else(String::new, |names| {
        let names = list(names.iter().map(name));
        format!(" Limited to {names}.")
    });
    let (path, provider) = (name(&plan.config.path), plan.provider.name());
    let time = utc(plan.created_at);
    format!("Plan for {path} on {provider}, made {time}.{limited}\n")
}

/// Returns the rank of a job: what must be seen comes first, and is cut last.
fn rank(job: &JobPlan) -> u8 {
    match job.outcome {
        _ if deletions([job]).next().is_some() => 0,
        Outcome::Failed => 1,
        Outcome::Changes => 2,
        Outcome::UpToDate if !job.warnings.is_empty() => 3,
        Outcome::UpToDate => 4,
    }
}

/// Returns the deletions of a job as lines of an alert, and their number.
fn listed(job: &JobPlan) -> Option<(usize, String)> {
    /// More are only counted.
    const MAX_SHOWN: usize = 50;
    let all: Vec<&Delete> = deletions([job]).collect();
    let first = all.first()?;
    let parent = first.artifact.parent.as_ref();
    let parent = parent.map_or_else(String::new, |id| format!(" of {}", name(id)));
    let before = match first.before {
        Some(_) => ", **before the copy**",
        None => "",
    };
    let more = match job.kept.len() {
        0 => String::new(),
        number => format!(", plus {number} more (see the details)"),
    };
    let mut lines = format!(
        "> - {} deletes {}{parent} in {}{before}, and keeps {}{more}\n",
        name(&job.name),
        artifacts(all.iter().map(|delete| delete.kind))?,
        name(&first.artifact.region),
        first.expects.kept.len()
    );
    for delete in all.iter().take(MAX_SHOWN) {
        let (id, expects) = (name(&delete.artifact.id), &delete.expects);
        let own_name = delete.name.as_ref().map(name);
        let own_name = in_brackets(own_name.as_deref());
        let size = delete.size_gib.map(|size| format!(", {size} GiB"));
        let size = size.unwrap_or_default();
        let state = (!expects.state.is_available()).then(|| name(&expects.state));
        let state = state.map_or_else(String::new, |state| format!(", state {state}"));
        let time = utc(expects.data_time);
        let of = match expects.earlier_parent {
            Some(_) => ", of an earlier database",
            None => "",
        };
        let with = match delete.snapshots.as_slice() {
            [] => String::new(),
            all => format!(", with {}", list(all.iter().map(name))),
        };
        lines.push_str(&format!(
            ">   - {id}{own_name}{size}, data of {time}{state}{of}{with}\n"
        ));
    }
    if let Some(more @ 1..) = all.len().checked_sub(MAX_SHOWN) {
        lines.push_str(&format!(">   - and {more} more\n"));
    }
    Some((all.len(), lines))
}

fn deletions_title(jobs: &[JobPlan]) -> Option<String> {
    let what = artifacts(deletions(jobs).map(|delete| delete.kind))?;
    let size = size(total_size(deletions(jobs).map(|delete| delete.size_gib)));
    Some(format!(
        "**DELETES {what}{size}.** A deletion cannot be undone."
    ))
}

fn row(job: &JobPlan) -> String {
    let regions = regions(job.source.as_ref(), job.destination.as_ref());
    let (name, planned) = (cell(&job.name), planned(job));
    format!("| {name} | {regions} | {planned} |\n")
}

/// Returns what is planned for a job, in a few words.
fn planned(job: &JobPlan) -> String {
    let outcome = match job.outcome {
        Outcome::Changes if !job.errors.is_empty() => Some("**KEEPS FAILING**".to_owned()),
        Outcome::Changes => None,
        Outcome::UpToDate => Some("up to date".to_owned()),
        Outcome::Failed => Some("**FAILED**".to_owned()),
    };
    let copy = || format!("1 copy{}", size(size_of_copies([job])));
    let names = job.actions.iter().map(Action::name);
    let number = some(deletions([job]).count(), "DELETION", "DELETIONS");
    let words = [
        outcome,
        job.has_copy().then(copy),
        tag_counts(names),
        number.map(|number| format!("**{number}**")),
        some(job.warnings.len(), "warning", "warnings"),
    ];
    list_of(words).unwrap_or_default()
}

/// Returns a job as `xrs show` writes it, folded.
fn details(job: &JobPlan) -> String {
    let screen = one_job(job);
    // Only what is at the very left is coloured: copies and deletions.
    let lines = screen.trim_matches('\n').lines();
    let lines = lines.map(|line| line.strip_prefix("  ").unwrap_or(line));
    let lines = lines.collect::<Vec<_>>().join("\n");
    let block = fenced("diff", &lines);
    folded(&job.name, &planned(job).replace("**", ""), &block)
}
