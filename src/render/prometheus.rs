//! A status as metrics, in Prometheus's text format: for the textfile folder of a node exporter.
//!
//! See <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. What is not known has no series, since
//! an alert would take any number for a fact.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::safe::safe;
use crate::model::status::{Copies, JobStatus, Readiness, SourceNewest, Status, UsableCopy};

/// A metric of jobs: its name, its help, and its value for a job, where it has one.
type Metric = (&'static str, &'static str, fn(&JobStatus) -> Option<i64>);

const METRICS: [Metric; 10] = [
    (
        "xrs_job_ready",
        "Whether the destination has a usable copy, and a new enough one if --max-age was given.",
        |job| Some(i64::from(job.readiness.is_ready())),
    ),
    (
        "xrs_job_destination_known",
        "Whether the destination region could be observed.",
        |job| Some(i64::from(job.readiness != Readiness::Unknown)),
    ),
    (
        "xrs_job_source_known",
        "Whether the source region could be observed.",
        |job| {
            let newest = job.source_newest.as_ref()?;
            Some(i64::from(!matches!(newest, SourceNewest::Unknown { .. })))
        },
    ),
    (
        "xrs_source_newest_timestamp_seconds",
        "When the data of the newest source was captured.",
        |job| match job.source_newest.as_ref()? {
            SourceNewest::Present { data_time, .. } => data_time.map(Timestamp::as_second),
            SourceNewest::Absent | SourceNewest::Unknown { .. } => None,
        },
    ),
    (
        "xrs_copy_timestamp_seconds",
        "When the data of the newest usable copy was captured.",
        |job| usable(job)?.data_time.map(Timestamp::as_second),
    ),
    (
        "xrs_copy_age_seconds",
        "How old the data of the newest usable copy was when it was observed.",
        |job| usable(job)?.age_seconds,
    ),
    (
        "xrs_copy_behind_seconds",
        "How much older the data of the newest usable copy is than that of the newest source; 0 if there is nothing newer.",
        |job| usable(job)?.behind_seconds,
    ),
    (
        "xrs_copies_usable",
        "Available copies, which would be left without the source region.",
        |job| Some(number(job.copies.as_ref()?.left.count)),
    ),
    (
        "xrs_copies_in_progress",
        "Copies that are in progress.",
        |job| Some(number(job.copies.as_ref()?.in_progress.len())),
    ),
    (
        "xrs_copies_failed",
        "Copies that failed and are still listed.",
        |job| Some(number(job.copies.as_ref()?.failed.len())),
    ),
];

/// Returns the status as metrics.
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
    let help = "How much of a copy in progress is done, where AWS states it.";
    metric(&mut text, "xrs_copy_progress_percent", help, &series);
    let observed = status.observed_at.as_second();
    metric(
        &mut text,
        "xrs_status_timestamp_seconds",
        "When all of this was observed.",
        &[format!("xrs_status_timestamp_seconds {observed}\n")],
    );
    text
}

/// Adds a metric with all its series, if it has any.
fn metric(text: &mut String, name: &str, help: &str, series: &[String]) {
    if !series.is_empty() {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        text.extend(series.iter().map(String::as_str));
    }
}

/// Returns the labels of each job, all different: two series with the same labels would make the whole file invalid.
fn labels(jobs: &[JobStatus]) -> Vec<String> {
    let mut used = BTreeSet::new();
    let of_job = |job: &JobStatus| {
        let shown = safe(job.name.as_str());
        // Names that differ only in invisible characters are the same once these are escaped.
        let mut name = shown.to_string();
        let mut n = 1;
        while !used.insert(name.clone()) {
            n += 1;
            name = format!("{shown} ({n})");
        }
        // Prometheus itself uses the label `job`.
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
    let known = copies.in_progress.iter().filter_map(|copy| {
        let id = quoted(copy.id.as_str());
        let series = format!("xrs_copy_progress_percent{{{labels},copy={id}}}");
        Some((series, copy.percent?))
    });
    known
        .filter(|(series, _)| seen.insert(series.clone()))
        .map(|(series, percent)| format!("{series} {percent}\n"))
        .collect()
}

/// Returns the value of a label, with backslashes, quotes and line ends escaped.
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
