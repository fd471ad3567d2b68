//! A saved plan, for the one who is to approve it.

use super::Commands;
use super::alert::{failures, left_out};
use super::drawing::drawing;
use super::escape::{cell, fenced, html, message, name};
use super::fit::{Fitted, Room, cut, said, script};
use crate::model::action::{Action, DeleteSnapshot, Wave};
use crate::model::plan::{ConfigRef, JobPlan, Outcome, SavedPlan, Summary};
use crate::model::words::{count, list, utc};
use crate::render::text::{one_job, size_of_copies, total_size};

/// The plan as Markdown, at most [`MAX_BYTES`](super::MAX_BYTES) long.
pub fn plan(plan: &SavedPlan, commands: &Commands) -> String {
    let verdict = format!("### xrs plan: {}\n", verdict(&plan.jobs));
    let mut approval = format!("\nDigest: {}\n", name(&plan.digest));
    if let Some(apply) = commands.apply.as_deref().and_then(script) {
        approval.push_str(&format!("\nTo apply this plan and no other:\n\n{apply}"));
    }
    document(&verdict, plan, &approval, &commands.show)
}

/// A plan that apply would refuse, and why. `actual` is the digest of its content, if it states another; `show` is the
/// command that shows all of the plan.
pub fn refused_plan(plan: &SavedPlan, actual: Option<&str>, why: &str, show: &str) -> String {
    let verdict = format!("### xrs plan, REFUSED by apply: {}\n", verdict(&plan.jobs));
    let refused = format!("\n> [!CAUTION]\n> **REFUSED by apply:** {}\n", message(why));
    let mut approval = format!("\nDigest: {}", name(&plan.digest));
    if let Some(actual) = actual {
        approval.push_str(&format!(
            " **DOES NOT MATCH** its content ({})",
            name(actual)
        ));
    }
    document(
        &format!("{verdict}{refused}"),
        plan,
        &format!("{approval}\n"),
        show,
    )
}

/// What matters most, in one line.
fn verdict(jobs: &[JobPlan]) -> String {
    // Not the summary of the plan: what stands here is what its jobs come to.
    let Summary {
        jobs: _,
        copy_image,
        copy_snapshot,
        tag_copy,
        tag_source,
        delete_snapshot,
        up_to_date: _,
        failed,
    } = Summary::of(jobs);
    let (copies, tags) = (copy_image + copy_snapshot, tag_copy + tag_source);
    let warnings = jobs.iter().map(|job| job.warnings.len()).sum();
    let mut line = if copies + tags + delete_snapshot + failed == 0 {
        "nothing to do, every destination holds what it should".to_owned()
    } else {
        let size = size_of_copies(jobs).map(|size| format!(" ({size})"));
        format!(
            "{}{}, {}, {}",
            count(copies, "copy", "copies"),
            size.unwrap_or_default(),
            loud(delete_snapshot, "deletion", "deletions"),
            loud(failed, "failed job", "failed jobs"),
        )
    };
    for (n, one, many) in [(tags, "tag", "tags"), (warnings, "warning", "warnings")] {
        if n > 0 {
            line.push_str(&format!(", {}", count(n, one, many)));
        }
    }
    line
}

/// A count that must not be overlooked, if there is something to count.
fn loud(n: usize, one: &str, many: &str) -> String {
    let words = count(n, one, many);
    if n > 0 { words.to_uppercase() } else { words }
}

/// All of it. What does not fit is cut by whole jobs: first details, then rows of the table, last failures and
/// deletions.
fn document(verdict: &str, plan: &SavedPlan, approval: &str, show: &str) -> String {
    let origin = origin(plan);
    let drawing = drawing(&plan.jobs);
    let mut jobs: Vec<&JobPlan> = plan.jobs.iter().collect();
    jobs.sort_by_key(|job| rank(job));

    let mut room = Room::beside(&[verdict, &origin, &drawing, approval]);
    let deletions: Vec<(usize, String)> = jobs.iter().filter_map(|job| deletions(job)).collect();
    // However much is deleted, it does not hide what has failed.
    let deletions_need = deletions.iter().map(|(_, lines)| lines.len()).sum();
    let failures = failures(failed(&plan.jobs).map(|job| (&job.name, job.errors.as_slice())));
    let failures = room.take_beside(deletions_need, failures);
    let deletions = room.take(deletions);
    let rows = room.take(jobs.iter().map(|job| ((), row(job))));
    let details = room.take(jobs.iter().map(|job| ((), details(job))));

    let table = if rows.text.is_empty() {
        String::new()
    } else {
        format!(
            "\n| job | from → to | planned |\n|---|---|---|\n{}",
            rows.text
        )
    };
    let note = cut(
        show,
        &[
            said(deletions.cut.iter().sum(), "deletion", "deletions"),
            said(failures.cut.iter().sum(), "failed job", "failed jobs"),
            said(rows.cut.len(), "row of the table", "rows of the table"),
            said(details.cut.len(), "job's details", "jobs' details"),
        ],
    );
    let deletions = deletions_alert(&plan.jobs, &deletions);
    let failures = failures_alert(&plan.jobs, &failures);
    let details = details.text;
    format!("{verdict}{deletions}{failures}{note}\n{origin}{drawing}{table}{approval}{details}")
}

/// Where the plan is from.
fn origin(plan: &SavedPlan) -> String {
    let SavedPlan {
        format_version: _,
        xrs_version: _,
        created_at,
        digest: _,
        provider,
        selection,
        config: ConfigRef { path, sha256: _ },
        summary: _,
        jobs: _,
    } = plan;
    let world = provider.in_words();
    let limited = selection.as_ref().map(|names| {
        let names = list(names.iter().map(|job| name(job.as_str())));
        format!(" Limited to {names}.")
    });
    format!(
        "Plan for {} on {world}, made {}.{}\n",
        name(path),
        utc(*created_at),
        limited.unwrap_or_default()
    )
}

/// What must be seen stands first, and is cut last.
fn rank(job: &JobPlan) -> u8 {
    match job.outcome {
        _ if deleting(job).next().is_some() => 0,
        Outcome::Failed => 1,
        Outcome::Changes => 2,
        Outcome::UpToDate if !job.warnings.is_empty() => 3,
        Outcome::UpToDate => 4,
    }
}

fn deleting(job: &JobPlan) -> impl Iterator<Item = &DeleteSnapshot> {
    job.actions.iter().filter_map(|action| match action {
        Action::DeleteSnapshot(delete) => Some(delete),
        _ => None,
    })
}

fn destination(job: &JobPlan) -> &str {
    let end = job.destination.as_ref();
    end.map_or("the destination", |end| end.region.as_str())
}

/// The deletions of a job as lines of an alert, and how many they are.
fn deletions(job: &JobPlan) -> Option<(usize, String)> {
    /// RDS keeps no more than a hundred manual snapshots in a region unless it is asked to.
    const SHOWN: usize = 50;
    let all: Vec<&DeleteSnapshot> = deleting(job).collect();
    let first = all.first()?;
    let mut lines = format!(
        "> - {} deletes {} of {} in {}, and keeps {}\n",
        name(job.name.as_str()),
        count(all.len(), "snapshot", "snapshots"),
        name(first.db_instance.as_str()),
        name(destination(job)),
        first.expects.kept.len()
    );
    for delete in all.iter().take(SHOWN) {
        let size = delete.size_gib.map(|size| format!(", {size} GiB"));
        let state = match delete.expects.state.as_str() {
            "available" => String::new(),
            other => format!(", which is {}", name(other)),
        };
        lines.push_str(&format!(
            ">   - {}{}, taken {}{state}\n",
            name(delete.snapshot_id.as_str()),
            size.unwrap_or_default(),
            utc(delete.expects.taken)
        ));
    }
    if let Some(more @ 1..) = all.len().checked_sub(SHOWN) {
        lines.push_str(&format!(">   - and {more} more\n"));
    }
    Some((all.len(), lines))
}

fn deletions_alert(jobs: &[JobPlan], fitted: &Fitted<usize>) -> String {
    let all: Vec<&DeleteSnapshot> = jobs.iter().flat_map(deleting).collect();
    if all.is_empty() {
        return String::new();
    }
    let size = total_size(all.iter().map(|delete| delete.size_gib));
    let size = size.map(|size| format!(" ({size})")).unwrap_or_default();
    format!(
        "\n> [!CAUTION]\n> **DELETES {}{size}.** A deleted snapshot is gone for good.\n>\n{}{}",
        count(all.len(), "snapshot", "snapshots"),
        fitted.text,
        left_out(&fitted.cut, "deletion", "deletions")
    )
}

fn failed(jobs: &[JobPlan]) -> impl Iterator<Item = &JobPlan> {
    jobs.iter().filter(|job| job.outcome == Outcome::Failed)
}

fn failures_alert(jobs: &[JobPlan], fitted: &Fitted<usize>) -> String {
    let (n, planned) = (
        failed(jobs).count(),
        jobs.iter().any(|job| !job.actions.is_empty()),
    );
    if n == 0 {
        return String::new();
    }
    let others = if planned {
        " Apply carries out the others, and exits with 1."
    } else {
        ""
    };
    format!(
        "\n> [!WARNING]\n> **{} could not be planned.**{others}\n>\n{}{}",
        count(n, "job", "jobs"),
        fitted.text,
        left_out(&fitted.cut, "failed job", "failed jobs")
    )
}

fn row(job: &JobPlan) -> String {
    let flow = match (&job.source, &job.destination) {
        (Some(source), Some(destination)) => format!(
            "{} → {}",
            cell(source.region.as_str()),
            cell(destination.region.as_str())
        ),
        _ => String::new(),
    };
    format!(
        "| {} | {flow} | {} |\n",
        cell(job.name.as_str()),
        planned(job)
    )
}

/// What is planned for a job, in a few words.
fn planned(job: &JobPlan) -> String {
    let of = |wave| job.actions.iter().filter(|a| a.wave() == wave).count();
    let copy = (of(Wave::Copies) > 0).then(|| match size_of_copies([job]) {
        Some(size) => format!("copy of {size}"),
        None => "copy".to_owned(),
    });
    let tags = said(of(Wave::Tags), "tag", "tags");
    let deletions = said(of(Wave::Deletions), "deletion", "deletions").map(bold);
    let outcome = match job.outcome {
        Outcome::Changes => None,
        Outcome::UpToDate => Some("up to date".to_owned()),
        Outcome::Failed => Some(bold("FAILED".to_owned())),
    };
    let warnings = said(job.warnings.len(), "warning", "warnings");
    let words = [outcome, copy, tags, deletions, warnings];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn bold(words: String) -> String {
    format!("**{words}**")
}

/// A job as `xrs show` has it, folded.
fn details(job: &JobPlan) -> String {
    let screen = one_job(job);
    // Copies and deletions at the very left are what is coloured.
    let lines: Vec<&str> = screen
        .trim_matches('\n')
        .lines()
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    format!(
        "\n<details><summary>{}: {}</summary>\n\n{}\n</details>\n",
        html(job.name.as_str()),
        planned(job).replace("**", ""),
        fenced("diff", &lines.join("\n"))
    )
}
