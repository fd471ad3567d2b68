//! A status: whether the copies are there.

use jiff::Timestamp;
use owo_colors::OwoColorize;

use super::screen::{Screen, job_title};
use crate::model::safe::safe;
use crate::model::status::{
    Copies, CopyInProgress, FailedCopy, JobStatus, Left, Readiness, SourceNewest, Status,
    UsableCopy,
};
use crate::model::words::{count, utc};
use crate::render::status_words::{NO_REASON, age, summary_line};
use crate::render::styles::Styles;

/// Returns the status as a screen.
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
    let (path, provider, time) = (safe(&config.path), provider.name(), utc(*observed_at));
    screen.line(
        0,
        format_args!("Status of {path} on {provider}, observed {time}."),
    );
    screen.selection(selection.as_deref());
    // What is wrong stands last, where it is seen.
    let rank = |readiness: Readiness| match readiness {
        Readiness::Ready => 0,
        Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => 1,
        Readiness::Unknown => 2,
    };
    let mut jobs: Vec<&JobStatus> = jobs.iter().collect();
    jobs.sort_by_key(|job| rank(job.readiness));
    for one in jobs {
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
        source: from,
        destination,
        account_id,
        readiness,
        reason,
        source_newest,
        copies: held,
        warnings,
        errors,
    } = job;
    let Styles { create, error, .. } = screen.styles;
    let ends = (from.as_ref(), destination.as_ref());
    let title = job_title(screen.styles, name, *sync_type, ends, account_id.as_ref());
    let word = match readiness {
        Readiness::Ready => "ready".style(*create),
        Readiness::NoCopy | Readiness::TooOld | Readiness::AgeUnknown => "NOT READY".style(*error),
        Readiness::Unknown => "NOT KNOWN".style(*error),
    };
    screen.line(0, format_args!("{title}: {word}: {}", safe(reason)));
    let from = from
        .as_ref()
        .map_or("the source", |end| end.region.as_str());
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
        SourceNewest::Present { id, data_time } => {
            let (id, time) = (safe(id.as_str()), of(*data_time));
            screen.line(2, format_args!("newest in {from}: {id}{time}"));
        }
        SourceNewest::Absent => screen.line(2, format_args!("newest in {from}: none")),
        SourceNewest::Unknown { problem } => {
            let unknown = "source unknown".style(screen.styles.warning);
            screen.line(2, format_args!("{unknown}: {from} could not be observed"));
            let why = match &problem.aws {
                Some(aws) => aws.to_string(),
                None => problem.message.clone(),
            };
            screen.quiet(4, &safe(&why));
        }
    }
}

fn copies(screen: &mut Screen<'_>, copies: &Copies, from: &str) {
    let Copies {
        newest_usable,
        left,
        in_progress,
        failed,
    } = copies;
    if let Some(copy) = newest_usable {
        let UsableCopy {
            id,
            data_time,
            age_seconds: _,
            behind_seconds: _,
        } = copy;
        let (id, time) = (safe(id.as_str()), of(*data_time));
        screen.line(
            2,
            format_args!("newest usable copy: {id}{time}, {}", age(copy)),
        );
    }
    for copy in in_progress {
        let CopyInProgress {
            id,
            data_time,
            state,
            percent,
        } = copy;
        let (id, state) = (safe(id.as_str()), safe(state.as_str()));
        let percent = percent.map_or_else(String::new, |percent| format!(", {percent} %"));
        let time = of(*data_time);
        screen.line(2, format_args!("in progress: {id}{time}, {state}{percent}"));
    }
    for copy in failed {
        let FailedCopy {
            id,
            data_time,
            state,
            reason,
        } = copy;
        let label = "failed:".style(screen.styles.error);
        let why = safe(reason.as_deref().unwrap_or(NO_REASON));
        let (id, state, time) = (safe(id.as_str()), safe(state.as_str()), of(*data_time));
        screen.line(2, format_args!("{label} {id}{time}, {state}: {why}"));
    }
    let Left {
        count: number,
        newest,
    } = left;
    let newest = newest
        .as_ref()
        .map_or_else(String::new, |id| format!(", newest {}", safe(id.as_str())));
    let copies = count(*number, "copy", "copies");
    screen.quiet(2, &format!("left without {}: {copies}{newest}", safe(from)));
}

/// Returns ` of 2026-01-14 05:10 UTC`, where the time is known.
fn of(data_time: Option<Timestamp>) -> String {
    data_time.map_or_else(String::new, |time| format!(" of {}", utc(time)))
}
