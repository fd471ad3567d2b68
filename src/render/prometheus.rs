//! A status as metrics, in Prometheus's text format: for the textfile folder of a node exporter.
//!
//! See <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. What is not known has no series, since
//! an alert would take any number for a fact.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::plan::regions;
use crate::model::safe::safe;
use crate::model::status::{JobStatus, Readiness, SourceNewest, Status, UsableCopy};

/// A metric of jobs: its name and its help, and its value for a job, where it has one.
type Metric = (&'static str, fn(&JobStatus) -> Option<i64>);

const METRICS: [Metric; 11] = [
    (
        "xrs_job_ready Whether the destination has a usable copy, a new enough one if --max-age was given, and no series of failed copies since.",
        |job| Some(i64::from(job.readiness.is_ready())),
    ),
    (
        "xrs_job_destination_known Whether the destination region could be observed.",
        |job| Some(i64::from(job.readiness != Readiness::Unknown)),
    ),
    (
        "xrs_job_source_known Whether the source region could be observed.",
        |job| {
            let newest = job.source_newest.as_ref()?;
            Some(i64::from(!matches!(newest, SourceNewest::Unknown { .. })))
        },
    ),
    (
        "xrs_source_newest_timestamp_seconds When the data of the newest source was captured.",
        |job| match job.source_newest.as_ref()? {
            SourceNewest::Present { data_time, .. } => data_time.map(Timestamp::as_second),
            SourceNewest::Absent | SourceNewest::Unknown { .. } => None,
        },
    ),
    (
        "xrs_copy_timestamp_seconds When the data of the newest usable copy was captured.",
        |job| usable(job)?.data_time.map(Timestamp::as_second),
    ),
    (
        "xrs_copy_age_seconds How old the data of the newest usable copy was when it was observed.",
        |job| usable(job)?.age_seconds,
    ),
    (
        "xrs_copy_behind_seconds How much older the data of the newest usable copy is than that of the newest source; 0 if there is nothing newer.",
        |job| usable(job)?.behind_seconds,
    ),
    (
        "xrs_copy_size_bytes The size of the disks, or of the database's storage, in the newest usable copy.",
        |job| usable(job)?.storage.size_gib.map(bytes),
    ),
    (
        "xrs_copies_usable Available copies, which would be left without the source region.",
        |job| Some(number(job.copies.as_ref()?.left.count)),
    ),
    (
        "xrs_copies_in_progress Copies that are in progress.",
        |job| Some(number(job.copies.as_ref()?.in_progress.len())),
    ),
    (
        "xrs_copies_failed Copies that failed and are still listed.",
        |job| Some(number(job.copies.as_ref()?.failed.len())),
    ),
];
const PROGRESS: &str =
    "xrs_copy_progress_percent How much of a copy in progress is done, where AWS states it.";
const OBSERVED: &str = "xrs_status_timestamp_seconds When all of this was observed.";

/// Returns the status as metrics.
pub fn status(status: &Status) -> String {
    let labels = labels(&status.jobs);
    let jobs = || status.jobs.iter().zip(&labels);
    let mut text = String::new();
    for (about, value) in METRICS {
        let series = jobs().filter_map(|(job, labels)| Some((labels.clone(), value(job)?)));
        metric(&mut text, about, series);
    }
    let progress = jobs().flat_map(|(job, labels)| progress(job, labels));
    metric(&mut text, PROGRESS, progress);
    let observed = status.observed_at.as_second();
    metric(&mut text, OBSERVED, [(String::new(), observed)]);
    text
}

/// Adds a metric with all its series, if it has any. `about` is its name and its help.
fn metric(text: &mut String, about: &str, series: impl IntoIterator<Item = (String, i64)>) {
    let name = about.split(' ').next().unwrap_or_default();
    let lines = series.into_iter().map(|(labels, value)| match &*labels {
        "" => format!("{name} {value}\n"),
        labels => format!("{name}{{{labels}}} {value}\n"),
    });
    let lines: String = lines.collect();
    if !lines.is_empty() {
        text.push_str(&format!("# HELP {about}\n# TYPE {name} gauge\n{lines}"));
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
        if let Some((from, to)) = regions(&job.source, &job.destination) {
            let (from, to) = (quoted(from.as_str()), quoted(to.as_str()));
            labels.push_str(&format!(",source_region={from},destination_region={to}"));
        }
        labels
    };
    jobs.iter().map(of_job).collect()
}

/// Returns how far the copies of a job are, each once.
fn progress(job: &JobStatus, labels: &str) -> BTreeMap<String, i64> {
    let in_progress = job.copies.iter().flat_map(|copies| &copies.in_progress);
    let known = in_progress.filter_map(|copy| {
        let id = quoted(copy.id.as_str());
        Some((format!("{labels},copy={id}"), copy.percent?.into()))
    });
    known.collect()
}

/// Returns the value of a label, with backslashes, quotes and line ends escaped.
fn quoted(text: &str) -> String {
    let text = safe(text).replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', r"\n"))
}

fn usable(job: &JobStatus) -> Option<&UsableCopy> {
    job.copies.as_ref()?.newest_usable.as_ref()
}

fn bytes(gib: u32) -> i64 {
    i64::from(gib) << 30
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
