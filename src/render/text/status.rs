//! A status: whether the copies are there.

use jiff::Timestamp;

use super::screen::{PLAIN, Screen, job_title};
use crate::model::status::{Copies, JobStatus, Readiness, SourceNewest, Status, Storage};
use crate::model::words::{count, utc};
use crate::render::styles::Styles;
use crate::render::vocabulary::{NO_REASON, age, cause, status_summary, storage};

/// Returns the status as a screen.
pub fn status(status: &Status, styles: &Styles) -> String {
    let mut screen = Screen::new(*styles);
    let (path, provider) = (&status.config.path, status.provider.name());
    let time = utc(status.observed_at);
    let heading = format!("Status of {path} on {provider}, observed {time}.");
    screen.line(0, heading);
    screen.selection(status.selection.as_deref());
    // What is wrong stands last, where it is seen.
    let mut jobs: Vec<&JobStatus> = status.jobs.iter().collect();
    jobs.sort_by_key(|job| match job.readiness {
        Readiness::Ready => 0,
        Readiness::Unknown => 2,
        _ => 1,
    });
    for one in jobs {
        screen.blank();
        job(&mut screen, one);
    }
    screen.blank();
    screen.styled(0, styles.strong, status_summary(status));
    screen.text
}

fn job(screen: &mut Screen, job: &JobStatus) {
    let Styles {
        good, bad, strong, ..
    } = screen.styles;
    let (style, state) = match job.readiness {
        Readiness::Ready => (good, "ready"),
        Readiness::Unknown => (bad, "NOT KNOWN"),
        _ => (bad, "NOT READY"),
    };
    let ends = (&job.source, &job.destination);
    let title = job_title(job.sync_type, ends, job.account_id.as_ref()) + ": ";
    let reason = format!(": {}", job.reason);
    let name = (strong, job.name.as_str());
    screen.parts(
        0,
        &[name, (PLAIN, &title), (style, state), (PLAIN, &reason)],
    );
    let from = job.source.as_ref();
    let from = from.map_or("the source", |end| end.region.as_str());
    if let Some(newest) = &job.source_newest {
        source(screen, newest, from);
    }
    if let Some(held) = &job.copies {
        copies(screen, held, from);
    }
    screen.remarks(&job.warnings, &job.errors);
}

fn source(screen: &mut Screen, newest: &SourceNewest, from: &str) {
    match newest {
        SourceNewest::Present { id, data_time } => {
            let time = of(*data_time);
            screen.line(2, format_args!("newest in {from}: {id}{time}"));
        }
        SourceNewest::Absent => screen.line(2, format_args!("newest in {from}: none")),
        SourceNewest::Unknown { problem } => {
            let unknown = (screen.styles.warning, "source unknown");
            let what = format!(": {from} could not be observed");
            screen.parts(2, &[unknown, (PLAIN, &what)]);
            screen.quiet(4, cause(problem));
        }
    }
}

fn copies(screen: &mut Screen, copies: &Copies, from: &str) {
    if let Some(copy) = &copies.newest_usable {
        let (id, time, age) = (&copy.id, of(copy.data_time), age(copy));
        screen.line(2, format_args!("newest usable copy: {id}{time}, {age}"));
        stored(screen, &copy.storage);
    }
    for copy in &copies.in_progress {
        let (id, time, state) = (&copy.id, of(copy.data_time), &copy.state);
        let percent = copy.percent.map(|percent| format!(", {percent} %"));
        let percent = percent.unwrap_or_default();
        screen.line(2, format_args!("in progress: {id}{time}, {state}{percent}"));
        stored(screen, &copy.storage);
    }
    for copy in &copies.failed {
        let (id, time, state) = (&copy.id, of(copy.data_time), &copy.state);
        let why = copy.reason.as_deref().unwrap_or(NO_REASON);
        let what = format!("{id}{time}, {state}: {why}");
        screen.labelled(2, screen.styles.bad, "failed:", &what);
        stored(screen, &copy.storage);
    }
    let newest = copies.left.newest.as_ref();
    let newest = newest.map_or_else(String::new, |id| format!(", newest {id}"));
    let number = count(copies.left.count, "copy", "copies");
    screen.quiet(2, format_args!("left without {from}: {number}{newest}"));
}

/// Adds a line with the size and encryption of a copy, as far as they are known.
fn stored(screen: &mut Screen, copy: &Storage) {
    if let Some(storage) = storage(copy, str::to_owned) {
        screen.quiet(4, storage);
    }
}

/// Returns ` of 2026-01-14 05:10 UTC`, where the time is known.
pub(super) fn of(data_time: Option<Timestamp>) -> String {
    data_time.map_or_else(String::new, |time| format!(" of {}", utc(time)))
}
