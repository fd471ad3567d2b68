//! A status, for the one who wants to know whether the copies are there.

use jiff::Timestamp;
use owo_colors::OwoColorize;

use super::Screen;
use crate::model::safe::safe;
use crate::model::status::{
    Copies, CopyUnderWay, FailedCopy, JobStatus, Left, Readiness, SourceNewest, Status, UsableCopy,
};
use crate::model::words::{count, utc};
use crate::render::status_words::{NO_REASON, age, summary_line};
use crate::render::styles::Styles;

/// The status as a screen.
pub fn status(status: &Status, styles: &Styles) -> String {
    let Status {
        format_version: _,
        xrs_version: _,
        observed_at,
        provider,
        selection,
        config,
        max_age_seconds,
        summary,
        jobs,
    } = status;
    let mut screen = Screen::new(styles);
    let world = provider.in_words();
    screen.line(
        0,
        format_args!(
            "Status of {} on {world}, seen {}.",
            safe(&config.path),
            utc(*observed_at)
        ),
    );
    if let Some(names) = selection {
        let names: Vec<_> = names.iter().map(|name| safe(name.as_str())).collect();
        screen.line(0, format_args!("Limited to {}.", names.join(", ")));
    }
    // What is amiss stands last, where it is seen.
    let (ready, others): (Vec<&JobStatus>, Vec<&JobStatus>) =
        jobs.iter().partition(|job| job.readiness.is_ready());
    let (unknown, not_ready): (Vec<&JobStatus>, Vec<&JobStatus>) = others
        .into_iter()
        .partition(|job| job.readiness == Readiness::Unknown);
    for one in ready.into_iter().chain(not_ready).chain(unknown) {
        screen.blank();
        job(&mut screen, one);
    }
    screen.blank();
    let line = summary_line(summary, *max_age_seconds);
    screen.line(0, line.style(styles.summary));
    screen.text
}

fn job(screen: &mut Screen<'_>, job: &JobStatus) {
    let JobStatus {
        name,
        sync_type,
        source: _,
        destination: _,
        account_id,
        readiness,
        reason,
        source_newest,
        copies: held,
        warnings,
        errors,
    } = job;
    let Styles {
        create,
        error,
        name: bold,
        ..
    } = screen.styles;
    let mut header = safe(name.as_str()).style(*bold).to_string();
    if let Some(sync_type) = sync_type {
        header.push_str(&format!(" ({sync_type})"));
    }
    if let Some((source, destination)) = job.regions() {
        let (source, destination) = (safe(source.as_str()), safe(destination.as_str()));
        header.push_str(&format!(" {source} → {destination}"));
    }
    if let Some(account) = account_id {
        header.push_str(&format!(", account {}", safe(account.as_str())));
    }
    let word = match readiness {
        Readiness::Ready => "ready".style(*create),
        Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => "NOT READY".style(*error),
        Readiness::Unknown => "NOT KNOWN".style(*error),
    };
    screen.line(0, format_args!("{header}: {word}: {}", safe(reason)));
    let from = job
        .regions()
        .map_or("the source", |(from, _)| from.as_str());
    if let Some(newest) = source_newest {
        source(screen, newest, from);
    }
    if let Some(held) = held {
        copies(screen, held, from);
    }
    for warning in warnings {
        screen.warning(2, warning);
    }
    for problem in errors {
        screen.error(2, problem);
    }
}

fn source(screen: &mut Screen<'_>, newest: &SourceNewest, from: &str) {
    let from = safe(from);
    match newest {
        SourceNewest::Present { id, taken } => screen.line(
            2,
            format_args!("newest in {from}: {}{}", safe(id), of(*taken)),
        ),
        SourceNewest::Absent => screen.line(2, format_args!("newest in {from}: there is none")),
        SourceNewest::Unknown { problem } => {
            let unknown = "source unknown".style(screen.styles.warning);
            screen.line(2, format_args!("{unknown}: {from} could not be looked at"));
            let said = match &problem.aws {
                Some(aws) => aws.to_string(),
                None => problem.message.clone(),
            };
            screen.line(4, safe(&said).style(screen.styles.quiet));
        }
    }
}

fn copies(screen: &mut Screen<'_>, copies: &Copies, from: &str) {
    let Copies {
        newest_usable,
        left,
        under_way,
        failed,
    } = copies;
    if let Some(copy) = newest_usable {
        let UsableCopy {
            id,
            taken,
            age_seconds: _,
            behind_seconds: _,
        } = copy;
        screen.line(
            2,
            format_args!(
                "newest usable copy: {}{}, {}",
                safe(id),
                of(*taken),
                age(copy)
            ),
        );
    }
    for copy in under_way {
        let CopyUnderWay {
            id,
            taken,
            state,
            percent,
        } = copy;
        let (id, state) = (safe(id), safe(state));
        let done = percent.map_or_else(String::new, |percent| format!(", {percent} %"));
        screen.line(
            2,
            format_args!("under way: {id}{}, {state}{done}", of(*taken)),
        );
    }
    for copy in failed {
        let FailedCopy {
            id,
            taken,
            state,
            reason,
        } = copy;
        let label = "failed:".style(screen.styles.error);
        let why = safe(reason.as_deref().unwrap_or(NO_REASON));
        let (id, state) = (safe(id), safe(state));
        screen.line(
            2,
            format_args!("{label} {id}{}, {state}: {why}", of(*taken)),
        );
    }
    let Left { count: n, newest } = left;
    let newest = newest
        .as_ref()
        .map(|id| format!(", newest {}", safe(id)))
        .unwrap_or_default();
    let copies = count(*n, "copy", "copies");
    let line = format!("left if {} vanished now: {copies}{newest}", safe(from));
    screen.line(2, line.style(screen.styles.quiet));
}

fn of(taken: Option<Timestamp>) -> String {
    taken
        .map(|taken| format!(" of {}", utc(taken)))
        .unwrap_or_default()
}
