//! A saved plan, for the one who is to approve it.

use owo_colors::OwoColorize;

use super::Screen;
use super::actions::{action, deletions};
use crate::model::action::Action;
use crate::model::job::SyncType;
use crate::model::plan::{
    ClientConfigRef, ConfigRef, JobPlan, Observed, Outcome, SavedPlan, Seen, Summary,
};
use crate::model::safe::safe;
use crate::model::words::{count, list, utc};
use crate::render::styles::Styles;

/// The plan as a screen. `next` is the command that carries it out, if there is one to recommend.
pub fn plan(plan: &SavedPlan, next: Option<&str>, styles: &Styles) -> String {
    let mut screen = body(plan, styles);
    screen.line(0, format_args!("Digest: {}", safe(&plan.digest)));
    if let Some(next) = next {
        screen.line(0, format_args!("Next: {}", safe(next)));
    }
    screen.text
}

/// A plan that apply would refuse, and why. `actual` is the digest of its content, if it states another.
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

/// All but what stands below the digest, and that.
fn body<'a>(plan: &SavedPlan, styles: &'a Styles) -> Screen<'a> {
    let SavedPlan {
        format_version: _,
        xrs_version: _,
        created_at,
        digest: _,
        provider,
        selection,
        config: ConfigRef { path, sha256: _ },
        summary,
        jobs,
    } = plan;
    let mut screen = Screen::new(styles);
    let world = provider.in_words();
    screen.line(
        0,
        format_args!(
            "Plan for {} on {world}, made {}.",
            safe(path),
            utc(*created_at)
        ),
    );
    if let Some(names) = selection {
        let names: Vec<_> = names.iter().map(|name| safe(name.as_str())).collect();
        screen.line(0, format_args!("Limited to {}.", names.join(", ")));
    }
    legend(&mut screen, summary);
    screen.blank();
    // Failures stand last, where they are seen.
    for outcome in [Outcome::Changes, Outcome::UpToDate, Outcome::Failed] {
        for one in jobs.iter().filter(|job| job.outcome == outcome) {
            job(&mut screen, one);
        }
    }
    screen.blank();
    if summary.actions() == 0 && summary.failed == 0 {
        screen.line(
            0,
            "Nothing to do: every destination holds what it should.".style(styles.create),
        );
    }
    screen.line(0, summary_line(summary, jobs).style(styles.summary));
    closing(&mut screen, jobs);
    screen
}

/// What must not be overlooked, by name, just above the digest.
fn closing(screen: &mut Screen<'_>, jobs: &[JobPlan]) {
    let deleted: Vec<&str> = jobs
        .iter()
        .flat_map(|job| &job.actions)
        .filter_map(|action| match action {
            Action::DeleteSnapshot(delete) => Some(delete.snapshot_id.as_str()),
            _ => None,
        })
        .collect();
    let failed: Vec<&str> = jobs
        .iter()
        .filter(|job| job.outcome == Outcome::Failed)
        .map(|job| job.name.as_str())
        .collect();
    let (delete, error) = (screen.styles.delete, screen.styles.error);
    if !deleted.is_empty() {
        let snapshots = count(deleted.len(), "snapshot", "snapshots");
        let ids = list(deleted.into_iter().map(safe));
        screen.line(0, format!("DELETES {snapshots}: {ids}").style(delete));
    }
    if !failed.is_empty() {
        let names = list(failed.into_iter().map(safe));
        screen.line(0, format!("FAILED: {names}").style(error));
    }
}

/// The symbols that this plan uses.
fn legend(screen: &mut Screen<'_>, summary: &Summary) {
    let Styles {
        create,
        tag,
        delete,
        ..
    } = screen.styles;
    let symbols = [
        (
            summary.copy_image + summary.copy_snapshot,
            '+',
            create,
            "copy",
        ),
        (summary.tag_copy + summary.tag_source, '~', tag, "tag"),
        (summary.delete_snapshot, '-', delete, "DELETE"),
    ];
    if summary.actions() > 0 {
        screen.blank();
        screen.line(0, "Actions are marked with these symbols:");
    }
    for (_, symbol, style, word) in symbols.into_iter().filter(|(used, ..)| *used > 0) {
        screen.line(2, format_args!("{} {word}", symbol.style(*style)));
    }
}

fn summary_line(summary: &Summary, jobs: &[JobPlan]) -> String {
    let Summary {
        jobs: _,
        copy_image,
        copy_snapshot,
        tag_copy,
        tag_source,
        delete_snapshot,
        up_to_date,
        failed,
    } = summary;
    let copies = copy_image + copy_snapshot;
    let size = size_of_copies(jobs)
        .map(|size| format!(" ({size})"))
        .unwrap_or_default();
    let tags = tag_copy + tag_source;
    format!(
        "Plan: {copies} to copy{size}, {tags} to tag, {delete_snapshot} to delete, {up_to_date} up to date, {failed} failed."
    )
}

/// The size of all that these jobs are to copy.
pub(in crate::render) fn size_of_copies<'a>(
    jobs: impl IntoIterator<Item = &'a JobPlan>,
) -> Option<String> {
    let actions = jobs.into_iter().flat_map(|job| &job.actions);
    total_size(actions.filter_map(|action| match action {
        Action::CopyImage(copy) => Some(copy.size_gib),
        Action::CopySnapshot(copy) => Some(copy.size_gib),
        Action::TagCopy(_) | Action::TagSource(_) | Action::DeleteSnapshot(_) => None,
    }))
}

/// A sum of sizes, as far as AWS states them.
pub(in crate::render) fn total_size(sizes: impl Iterator<Item = Option<u64>>) -> Option<String> {
    let (known, unknown): (Vec<Option<u64>>, Vec<Option<u64>>) = sizes.partition(Option::is_some);
    let total = known
        .iter()
        .flatten()
        .fold(0_u64, |sum, size| sum.saturating_add(*size));
    match (known.is_empty(), unknown.is_empty()) {
        (true, _) => None,
        (false, true) => Some(format!("{total} GiB")),
        (false, false) => Some(format!("at least {total} GiB")),
    }
}

/// A job as it stands in the plan, without colours.
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
        // Reasons and actions name it.
        subject: _,
        account_id,
        client_config,
        outcome,
        reason,
        observed,
        actions,
        warnings,
        errors,
    } = job;
    let mut header = safe(name.as_str()).style(screen.styles.name).to_string();
    if let Some(sync_type) = sync_type {
        header.push_str(&format!(" ({sync_type})"));
    }
    if let (Some(source), Some(destination)) = (source, destination) {
        header.push_str(&format!(
            " {} → {}",
            safe(source.region.as_str()),
            safe(destination.region.as_str())
        ));
    }
    if let Some(account) = account_id {
        header.push_str(&format!(", account {}", safe(account.as_str())));
    }
    if let Some(ClientConfigRef {
        from: _,
        fingerprint: _,
        endpoint_url: Some(url),
    }) = client_config
    {
        header.push_str(&format!(", at {}", safe(url)));
    }
    if *outcome != Outcome::UpToDate || !warnings.is_empty() {
        screen.blank();
    }
    match outcome {
        Outcome::UpToDate => screen.line(0, format_args!("{header}: up to date: {}", safe(reason))),
        Outcome::Failed => screen.line(
            0,
            format_args!("{header}: {}", "FAILED".style(screen.styles.error)),
        ),
        Outcome::Changes => {
            screen.line(0, header);
            screen.line(2, safe(reason).style(screen.styles.quiet));
            let destination = destination
                .as_ref()
                .map_or("the destination", |end| end.region.as_str());
            if let Some(seen) = observed
                .as_ref()
                .and_then(|o| seen(o, *sync_type, destination))
            {
                screen.line(2, seen.style(screen.styles.quiet));
            }
            for one in actions {
                action(screen, one, destination);
                if one.reason() != reason && !matches!(one, Action::DeleteSnapshot(_)) {
                    screen.line(6, safe(one.reason()).style(screen.styles.quiet));
                }
            }
            deletions(screen, actions, destination);
        }
    }
    for warning in warnings {
        screen.warning(2, warning);
    }
    for error in errors {
        screen.error(2, error);
    }
}

/// What the job's plan rests on beside the source, which its reason names, where that is worth a line: several images
/// to choose from, and copies that are there.
fn seen(observed: &Observed, sync_type: Option<SyncType>, destination: &str) -> Option<String> {
    let Observed {
        source: _,
        newest_copy,
        sources,
        copies,
    } = observed;
    let chosen = (sync_type == Some(SyncType::Ec2Ami) && *sources > 1)
        .then(|| format!("chosen from {sources} images"));
    let copies = newest_copy.as_ref().map(|copy| {
        let Seen {
            id,
            taken,
            state,
            size_gib: _,
        } = copy;
        let taken = taken
            .map(|taken| format!(" of {}", utc(taken)))
            .unwrap_or_default();
        format!(
            "{} in {}, newest {}{taken} ({})",
            count(*copies, "copy", "copies"),
            safe(destination),
            safe(id),
            safe(state)
        )
    });
    let parts: Vec<String> = chosen.into_iter().chain(copies).collect();
    (!parts.is_empty()).then(|| format!("seen: {}", parts.join("; ")))
}
