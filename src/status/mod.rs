//! Tells: jobs and what was observed in, what each destination holds out. Synchronous and pure, as the planner; but
//! it answers also where the source region does not.

mod images;
mod snapshots;

use jiff::{SignedDuration, Timestamp};

use crate::model::id::JobName;
use crate::model::inventory::{Destinations, Found, Looked, Observation, State};
use crate::model::job::{JobKind, SyncJob, SyncType};
use crate::model::plan::End;
use crate::model::problem::Problem;
use crate::model::status::{
    Copies, CopyUnderWay, FailedCopy, JobStatus, Left, Readiness, SourceNewest, UsableCopy,
};
use crate::model::words::{count, span};

/// The status of every job, in the order given. `max_age` is how old the newest usable copy may be.
pub fn status(
    jobs: &[SyncJob],
    seen: &Destinations,
    max_age: Option<SignedDuration>,
) -> Vec<JobStatus> {
    let limit = Limit {
        now: seen.inventory.observed_at,
        max_age: max_age.map(|age| age.as_secs()),
    };
    jobs.iter()
        .map(|job| job_status(job, seen, &limit))
        .collect()
}

/// The status of a config entry that is too broken to be a job.
pub fn broken(name: &JobName, problems: &[Problem]) -> JobStatus {
    JobStatus {
        name: name.clone(),
        sync_type: None,
        source: None,
        destination: None,
        account_id: None,
        readiness: Readiness::Unknown,
        reason: "its configuration is broken".to_owned(),
        source_newest: None,
        copies: None,
        warnings: Vec::new(),
        errors: problems.to_vec(),
    }
}

/// What ages are measured against, in seconds.
struct Limit {
    now: Timestamp,
    max_age: Option<i64>,
}

/// A copy in the destination, of whichever type.
struct Copy<'a> {
    id: &'a str,
    /// When its source was made.
    taken: Option<Timestamp>,
    state: &'a State,
    percent: Option<u8>,
    failure: Option<&'a str>,
}

/// What both types come to.
struct Facts<'a> {
    source: SourceNewest,
    /// Every copy of the job, in whatever state.
    copies: Vec<Copy<'a>>,
    warnings: Vec<String>,
}

fn job_status(job: &SyncJob, seen: &Destinations, limit: &Limit) -> JobStatus {
    let observation = seen.inventory.jobs.get(&job.name);
    let facts = match observation {
        Some(observation) => facts(job, observation, seen),
        None => Err(Problem::new(format!(
            "nothing was observed for {}",
            job.name
        ))),
    };
    let identity = observation.and_then(|seen| seen.identity.as_ref().ok());
    let base = JobStatus {
        name: job.name.clone(),
        sync_type: Some(job.sync_type()),
        source: Some(End {
            region: job.source_region.clone(),
        }),
        destination: Some(End {
            region: job.destination_region.clone(),
        }),
        account_id: identity.map(|identity| identity.account_id.clone()),
        readiness: Readiness::Unknown,
        reason: String::new(),
        source_newest: None,
        copies: None,
        warnings: Vec::new(),
        errors: Vec::new(),
    };
    match facts {
        Ok(Facts {
            source,
            copies,
            warnings,
        }) => {
            let copies = sorted(copies, &source, limit);
            let (readiness, reason) = readiness(job.sync_type(), &copies, limit);
            JobStatus {
                readiness,
                reason,
                source_newest: Some(source),
                copies: Some(copies),
                warnings,
                ..base
            }
        }
        Err(problem) => JobStatus {
            reason: problem.message.clone(),
            errors: vec![problem],
            ..base
        },
    }
}

/// What is known of a job, or why its destination could not be looked at.
fn facts<'a>(
    job: &SyncJob,
    observation: &'a Observation,
    seen: &'a Destinations,
) -> Result<Facts<'a>, Problem> {
    let account = observation.account_of(job)?;
    match (&job.kind, &observation.found) {
        (JobKind::Ami(ami), Found::Images { source, copies }) => {
            let what = "for copies of its image";
            let named = destination(job, what, copies)?;
            let place = (job.destination(), job.source_region.clone());
            let from = match seen.images.get(&place) {
                Some(from) => destination(job, what, from)?,
                None => &[],
            };
            Ok(images::facts(job, ami, account, source, from, named))
        }
        (JobKind::Snapshot(_), Found::Snapshots { source, copies }) => {
            let copies = destination(job, "for copies of its snapshots", copies)?;
            Ok(snapshots::facts(job, account, source, copies))
        }
        _ => Err(Problem::new(format!(
            "what was observed for {} is of another type",
            job.name
        ))),
    }
}

fn destination<'a, T>(
    job: &SyncJob,
    what: &str,
    looked: &'a Looked<Vec<T>>,
) -> Result<&'a [T], Problem> {
    match looked {
        Ok(found) => Ok(found),
        Err(error) => Err(error.problem(format!("failed to look {what} ({})", job.name))),
    }
}

/// What a source region has: its newest, or why that is not known.
fn source_newest<T>(
    job: &SyncJob,
    what: &str,
    looked: &Looked<Vec<T>>,
    newest: impl FnOnce(&[T]) -> Option<(String, Option<Timestamp>)>,
) -> SourceNewest {
    match looked {
        Ok(found) => newest(found).map_or(SourceNewest::Absent, |(id, taken)| {
            SourceNewest::Present { id, taken }
        }),
        Err(error) => SourceNewest::Unknown {
            problem: error.problem(format!("failed to look {what} ({})", job.name)),
        },
    }
}

/// Copies by what has become of them, each list newest first.
fn sorted(mut copies: Vec<Copy<'_>>, source: &SourceNewest, limit: &Limit) -> Copies {
    copies.sort_by(|a, b| (b.taken, b.id).cmp(&(a.taken, a.id)));
    let newest_of_source = match source {
        SourceNewest::Present { taken, .. } => *taken,
        SourceNewest::Absent | SourceNewest::Unknown { .. } => None,
    };
    let usable: Vec<&Copy<'_>> = copies
        .iter()
        .filter(|copy| copy.state.is_available())
        .collect();
    let newest = usable.first();
    Copies {
        newest_usable: newest.map(|copy| UsableCopy {
            id: copy.id.to_owned(),
            taken: copy.taken,
            age_seconds: copy
                .taken
                .map(|taken| limit.now.duration_since(taken).as_secs()),
            behind_seconds: newest_of_source
                .zip(copy.taken)
                .map(|(newest, taken)| newest.duration_since(taken).as_secs().max(0)),
        }),
        left: Left {
            count: usable.len(),
            newest: newest.map(|copy| copy.id.to_owned()),
        },
        under_way: copies
            .iter()
            .filter(|copy| copy.state.is_under_way())
            .map(|copy| CopyUnderWay {
                id: copy.id.to_owned(),
                taken: copy.taken,
                state: copy.state.to_string(),
                percent: copy.percent,
            })
            .collect(),
        failed: copies
            .iter()
            .filter(|copy| copy.state.is_failed())
            .map(|copy| FailedCopy {
                id: copy.id.to_owned(),
                taken: copy.taken,
                state: copy.state.to_string(),
                reason: copy.failure.map(str::to_owned),
            })
            .collect(),
    }
}

/// Whether that will do, and why.
fn readiness(sync_type: SyncType, copies: &Copies, limit: &Limit) -> (Readiness, String) {
    let Some(newest) = &copies.newest_usable else {
        let rest = match (copies.under_way.len(), copies.failed.len()) {
            (0, 0) => String::new(),
            (0, n) => format!(": {} failed", count(n, "copy", "copies")),
            (n, 0) => format!(" yet: {} under way", count(n, "copy", "copies")),
            (n, failed) => format!(
                " yet: {} under way, {failed} failed",
                count(n, "copy", "copies")
            ),
        };
        return (Readiness::NoCopy, format!("there is no usable copy{rest}"));
    };
    // An image says the same in a year as today: one that the source has nothing newer than is as good as it gets.
    let is_current_image = sync_type == SyncType::Ec2Ami && newest.behind_seconds == Some(0);
    match (limit.max_age, newest.age_seconds) {
        _ if is_current_image => (
            Readiness::Ready,
            "the newest image of the source is there".to_owned(),
        ),
        (Some(_), None) => (
            Readiness::AgeUnknown,
            "nothing tells how old its newest usable copy is".to_owned(),
        ),
        // Whatever is wrong, its date or the clock: the age is not known.
        (Some(_), Some(..0)) => (
            Readiness::AgeUnknown,
            "its newest usable copy is of a time that is yet to come".to_owned(),
        ),
        (Some(limit), Some(age)) if age > limit => (
            Readiness::TooOld,
            format!(
                "its newest usable copy is {} old; the limit is {}",
                span(age),
                span(limit)
            ),
        ),
        (_, Some(age @ 0..)) => (
            Readiness::Ready,
            format!("its newest usable copy is {} old", span(age)),
        ),
        (None, _) => (Readiness::Ready, "it has a usable copy".to_owned()),
    }
}
