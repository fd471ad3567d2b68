//! A status as metrics, in Prometheus's text format: for the textfile folder of a node exporter.
//!
//! See <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. What is not known has no
//! series: a number for it would be one that somebody counts with.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::safe::safe;
use crate::model::status::{Copies, JobStatus, Readiness, SourceNewest, Status, UsableCopy};

/// A metric of jobs: its name, what it says, and its value for a job, where it has one.
type Metric = (&'static str, &'static str, fn(&JobStatus) -> Option<i64>);

const METRICS: [Metric; 10] = [
    (
        "xrs_job_ready",
        "Whether the destination holds what it should: a usable copy, and new enough if --max-age was given.",
        |job| Some(i64::from(job.readiness.is_ready())),
    ),
    (
        "xrs_job_destination_known",
        "Whether the destination region could be looked at.",
        |job| Some(i64::from(job.readiness != Readiness::Unknown)),
    ),
    (
        "xrs_job_source_known",
        "Whether the source region could be looked at.",
        |job| {
            let newest = job.source_newest.as_ref()?;
            Some(i64::from(!matches!(newest, SourceNewest::Unknown { .. })))
        },
    ),
    (
        "xrs_source_newest_timestamp_seconds",
        "When the newest image or automated snapshot of the source was made.",
        |job| match job.source_newest.as_ref()? {
            SourceNewest::Present { taken, .. } => taken.map(Timestamp::as_second),
            SourceNewest::Absent | SourceNewest::Unknown { .. } => None,
        },
    ),
    (
        "xrs_copy_timestamp_seconds",
        "When the source of the newest usable copy was made.",
        |job| usable(job)?.taken.map(Timestamp::as_second),
    ),
    (
        "xrs_copy_age_seconds",
        "How old the data of the newest usable copy was when it was looked at.",
        |job| usable(job)?.age_seconds,
    ),
    (
        "xrs_copy_behind_seconds",
        "How much older the newest usable copy is than the newest of the source; 0 if that has nothing newer.",
        |job| usable(job)?.behind_seconds,
    ),
    (
        "xrs_copies_usable",
        "Copies that would be left if the source region vanished now.",
        |job| Some(number(job.copies.as_ref()?.left.count)),
    ),
    (
        "xrs_copies_under_way",
        "Copies that AWS is still making.",
        |job| Some(number(job.copies.as_ref()?.under_way.len())),
    ),
    (
        "xrs_copies_failed",
        "Copies that failed and are still listed.",
        |job| Some(number(job.copies.as_ref()?.failed.len())),
    ),
];

/// The status as metrics.
pub fn status(status: &Status) -> String {
    let labels = labels(&status.jobs);
    let mut text = String::new();
    for (name, help, value) in METRICS {
        let series: Vec<String> = status
            .jobs
            .iter()
            .zip(&labels)
            .filter_map(|(job, labels)| Some(format!("{name}{{{labels}}} {}\n", value(job)?)))
            .collect();
        metric(&mut text, name, help, &series);
    }
    let series: Vec<String> = status
        .jobs
        .iter()
        .zip(&labels)
        .flat_map(|(job, labels)| {
            job.copies
                .iter()
                .flat_map(move |copies| percent(copies, labels))
        })
        .collect();
    let help = "How much of a copy under way is done, where AWS says so.";
    metric(&mut text, "xrs_copy_progress_percent", help, &series);
    let seen = status.observed_at.as_second();
    metric(
        &mut text,
        "xrs_status_timestamp_seconds",
        "When all of this was looked at.",
        &[format!("xrs_status_timestamp_seconds {seen}\n")],
    );
    text
}

/// A metric with all its series. One without any is left out.
fn metric(text: &mut String, name: &str, help: &str, series: &[String]) {
    if !series.is_empty() {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        text.extend(series.iter().map(String::as_str));
    }
}

/// The labels of each job, no two alike: two series of the same labels would spoil the whole file.
fn labels(jobs: &[JobStatus]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let of_job = |job: &JobStatus| {
        let shown = safe(job.name.as_str());
        // Names that differ in what cannot be seen look alike once that is written as an escape.
        let mut name = shown.to_string();
        let mut n = 1;
        while !taken.insert(name.clone()) {
            n += 1;
            name = format!("{shown} ({n})");
        }
        // `job` is what Prometheus itself calls what it scrapes.
        let mut labels = format!("sync_job={}", quoted(&name));
        if let Some(sync_type) = job.sync_type {
            labels.push_str(&format!(",sync_type={}", quoted(sync_type.as_str())));
        }
        if let Some((from, to)) = job.regions() {
            let (from, to) = (quoted(from.as_str()), quoted(to.as_str()));
            labels.push_str(&format!(",source_region={from},destination_region={to}"));
        }
        labels
    };
    jobs.iter().map(of_job).collect()
}

fn percent(copies: &Copies, labels: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let known = copies.under_way.iter().filter_map(|copy| {
        let id = quoted(&copy.id);
        let series = format!("xrs_copy_progress_percent{{{labels},copy={id}}}");
        Some((series, copy.percent?))
    });
    known
        .filter(|(series, _)| seen.insert(series.clone()))
        .map(|(series, percent)| format!("{series} {percent}\n"))
        .collect()
}

/// A label's value: backslashes, quotes and line ends lose their meaning.
fn quoted(text: &str) -> String {
    let text = safe(text).replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', r"\n"))
}

fn usable(job: &JobStatus) -> Option<&UsableCopy> {
    job.copies.as_ref()?.newest_usable.as_ref()
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
