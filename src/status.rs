//! The status of jobs: what each destination holds, computed from what was observed. It is synchronous and pure, like the planner,
//! and does not need the source region to answer.

use jiff::{SignedDuration, Timestamp};

use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::identity::{Source, copy_time, is_in_account};
use crate::model::ids::{AccountId, ArtifactId, JobName, Region};
use crate::model::inventory::{Answer, DestinationInventory, Observation};
use crate::model::kind::Kind;
use crate::model::plan::End;
use crate::model::problem::Problem;
use crate::model::query::CopiesQuery;
use crate::model::status::{
    Copies, CopyInProgress, FailedCopy, JobStatus, Left, Readiness, SourceNewest, UsableCopy,
};
use crate::model::sync_tag::key_on_copy;
use crate::model::words::{count, list, span};
use crate::sync_types::{Belonging, SyncJob};

/// Returns the status of every job, in the order given. `max_age` is the greatest age that the newest usable copy may have.
pub fn status(
    jobs: &[SyncJob],
    observed: &DestinationInventory,
    max_age: Option<SignedDuration>,
) -> Vec<JobStatus> {
    jobs.iter()
        .map(|job| job_status(job, observed, max_age))
        .collect()
}

/// Returns the status of a config entry that is not a valid job.
pub fn invalid(name: &JobName, problems: &[Problem]) -> JobStatus {
    JobStatus {
        reason: "its configuration is not valid".to_owned(),
        errors: problems.to_vec(),
        ..unknown(name)
    }
}

/// Returns the status of a job about which nothing is known.
fn unknown(name: &JobName) -> JobStatus {
    JobStatus {
        name: name.clone(),
        sync_type: None,
        source: None,
        destination: None,
        account_id: None,
        readiness: Readiness::Unknown,
        reason: String::new(),
        source_newest: None,
        copies: None,
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

/// A copy in the destination.
struct DatedCopy<'a> {
    artifact: &'a Artifact,
    /// When its data was captured, where that is known.
    data_time: Option<Timestamp>,
}

fn job_status(
    job: &SyncJob,
    observed: &DestinationInventory,
    max_age: Option<SignedDuration>,
) -> JobStatus {
    let end = |region: &Region| End {
        region: region.clone(),
    };
    let mut status = JobStatus {
        sync_type: Some(job.sync_type()),
        source: Some(end(&job.source_region)),
        destination: Some(end(&job.destination_region)),
        ..unknown(&job.name)
    };
    if let Err(problem) = fill_in(&mut status, job, observed, max_age) {
        status.reason.clone_from(&problem.message);
        status.errors.push(problem);
    }
    status
}

fn not_observed(job: &SyncJob) -> Problem {
    Problem::new(format!("nothing was observed for {}", job.name))
}

/// Fills in what was observed. Fails if the destination could not be observed.
fn fill_in(
    status: &mut JobStatus,
    job: &SyncJob,
    observed: &DestinationInventory,
    max_age: Option<SignedDuration>,
) -> Result<(), Problem> {
    let inventory = &observed.inventory;
    let observation = inventory.jobs.get(&job.name);
    let observation = observation.ok_or_else(|| not_observed(job))?;
    let identity = observation.identity.as_ref().ok();
    status.account_id = identity.map(|identity| identity.account_id.clone());
    let account = job.account(observation, &mut status.warnings)?;
    let candidates = candidates(job, observation, observed)?;
    let warnings = &mut status.warnings;
    let source_newest = source_newest(job, observation, warnings);
    let (own, unknown) = own_copies(job, account, observation, candidates);
    for DatedCopy { artifact, .. } in &own {
        if artifact.state.is_disabled() {
            let id = &artifact.id;
            warnings.push(format!(
                "the copy {id} is disabled: enable it before it can be used"
            ));
        }
    }
    warnings.sort();
    let untestable = job.rules.untestable_conditions();
    if observation.sources.is_err() && !own.is_empty() && !untestable.is_empty() {
        warnings.push(format!(
            "{} can't be tested on copies, so copies of other sources may be counted here",
            list(untestable)
        ));
    }
    // If the source is known, it tells which copies are the job's: the others belong to other jobs.
    if !matches!(source_newest, SourceNewest::Present { .. }) && !unknown.is_empty() {
        warnings.push(format!(
            "{} {} from {} may belong to this job, but nothing on them says so: {}",
            unknown.len(),
            job.kind().noun(unknown.len()),
            job.source_region,
            list(unknown)
        ));
    }
    let copies = copies(own, &source_newest, inventory.observed_at);
    (status.readiness, status.reason) = readiness(job.kind(), &copies, max_age);
    status.source_newest = Some(source_newest);
    status.copies = Some(copies);
    Ok(())
}

/// Returns everything in the destination that may be a copy of the job.
fn candidates<'a>(
    job: &SyncJob,
    observation: &'a Observation,
    observed: &'a DestinationInventory,
) -> Result<Vec<&'a Artifact>, Problem> {
    let artifacts = |answer: &'a Answer<Vec<Artifact>>| match answer {
        Ok(artifacts) => Ok(artifacts.as_slice()),
        Err(error) => Err(error.problem(format!("failed to read the copies of {}", job.name))),
    };
    if let CopiesQuery::Independent(_) = job.rules.queries().copies {
        return Ok(artifacts(&observation.copies)?.iter().collect());
    }
    // A source region that does not answer names no copies.
    let named = match &observation.sources {
        Ok(_) => artifacts(&observation.copies)?,
        Err(_) => &[],
    };
    let key = (job.destination(), job.source_region.clone());
    let answer = observed.copied_from.get(&key);
    let copied = artifacts(answer.ok_or_else(|| not_observed(job))?)?;
    let is_new = |copy: &&Artifact| copied.iter().all(|other| other.id != copy.id);
    Ok(copied.iter().chain(named.iter().filter(is_new)).collect())
}

/// Returns the newest source, or why it is not known; adds warnings.
fn source_newest(
    job: &SyncJob,
    observation: &Observation,
    warnings: &mut Vec<String>,
) -> SourceNewest {
    match &observation.sources {
        Ok(sources) => match job.rules.newest_source(job, sources, warnings) {
            Some(newest) => SourceNewest::Present {
                id: newest.id.clone(),
                data_time: newest.source_time(),
            },
            None => SourceNewest::Absent,
        },
        Err(error) => SourceNewest::Unknown {
            problem: error.problem(format!("failed to read the sources of {}", job.name)),
        },
    }
}

/// Returns the copies that belong to the job, and the ids of those of which nothing says whether they do.
fn own_copies<'a>(
    job: &SyncJob,
    account: &AccountId,
    observation: &Observation,
    candidates: Vec<&'a Artifact>,
) -> (Vec<DatedCopy<'a>>, Vec<&'a ArtifactId>) {
    let (region, destination) = (&job.source_region, &job.destination_region);
    // A copy from the destination is never a source.
    let returned = key_on_copy(destination);
    let artifacts = observation.sources.iter().flatten();
    let artifacts = artifacts.filter(|artifact| !artifact.tags.contains_key(&returned));
    let sources: Vec<Source<'_>> = artifacts
        .filter_map(|artifact| {
            let source = Source::new(artifact, region)?;
            Some(source.with_copy_named_by(artifact, destination))
        })
        .collect();
    let mut copies = Vec::new();
    let mut unknown = Vec::new();
    // The tag of a source may name any image, also one that another account shares.
    let own = |artifact: &&Artifact| is_in_account(artifact, account);
    for artifact in candidates.into_iter().filter(own) {
        let source = sources.iter().find(|source| source.is_source_of(artifact));
        let (belonging, data_time) = match source {
            Some(source) => (Belonging::ThisJob, Some(source.data_time)),
            None => (
                job.rules.belonging(job, artifact),
                copy_time(artifact, region),
            ),
        };
        match belonging {
            Belonging::ThisJob => copies.push(DatedCopy {
                artifact,
                data_time,
            }),
            Belonging::Unknown if !artifact.state.is_gone() => unknown.push(&artifact.id),
            Belonging::Unknown | Belonging::OtherJob => {}
        }
    }
    unknown.sort();
    (copies, unknown)
}

/// Groups copies by their state, each list newest first.
fn copies(mut copies: Vec<DatedCopy<'_>>, source: &SourceNewest, now: Timestamp) -> Copies {
    copies.sort_by(|a, b| (b.data_time, &b.artifact.id).cmp(&(a.data_time, &a.artifact.id)));
    let source_time = match source {
        SourceNewest::Present { data_time, .. } => *data_time,
        SourceNewest::Absent | SourceNewest::Unknown { .. } => None,
    };
    let in_state = |is_in: fn(&ArtifactState) -> bool| {
        let copies = copies.iter();
        copies.filter(move |copy| is_in(&copy.artifact.state))
    };
    let usable = in_state(ArtifactState::is_available);
    let newest_usable = usable.clone().next().map(|copy| UsableCopy {
        id: copy.artifact.id.clone(),
        data_time: copy.data_time,
        age_seconds: copy
            .data_time
            .map(|time| now.duration_since(time).as_secs()),
        behind_seconds: source_time
            .zip(copy.data_time)
            .map(|(source, copy)| source.duration_since(copy).as_secs().max(0)),
    });
    Copies {
        left: Left {
            count: usable.count(),
            newest: newest_usable.as_ref().map(|copy| copy.id.clone()),
        },
        newest_usable,
        in_progress: in_state(ArtifactState::is_in_progress)
            .map(|copy| CopyInProgress {
                id: copy.artifact.id.clone(),
                data_time: copy.data_time,
                state: copy.artifact.state.clone(),
                percent: copy.artifact.percent,
            })
            .collect(),
        failed: in_state(ArtifactState::is_failed)
            .map(|copy| FailedCopy {
                id: copy.artifact.id.clone(),
                data_time: copy.data_time,
                state: copy.artifact.state.clone(),
                reason: copy.artifact.state_reason().map(str::to_owned),
            })
            .collect(),
    }
}

/// Returns whether these copies are enough, and why.
fn readiness(kind: Kind, copies: &Copies, max_age: Option<SignedDuration>) -> (Readiness, String) {
    let Some(newest) = &copies.newest_usable else {
        return (Readiness::NoCopy, no_copy(copies));
    };
    // A copy of what does not age is current while the source region has nothing newer.
    let is_current = !kind.facts().data_ages && newest.behind_seconds == Some(0);
    let limit = max_age.map(|age| age.as_secs());
    match (limit, newest.age_seconds) {
        _ if is_current => (
            Readiness::Ready,
            format!("it has a usable copy of the newest {kind}"),
        ),
        (Some(_), None) => (
            Readiness::AgeUnknown,
            "the age of its newest usable copy is not known".to_owned(),
        ),
        // Either the date or the clock is wrong, so the age is not known.
        (Some(_), Some(..0)) => (
            Readiness::AgeUnknown,
            "its newest usable copy is dated in the future".to_owned(),
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

fn no_copy(copies: &Copies) -> String {
    let counted = |n| count(n, "copy", "copies");
    let rest = match (copies.in_progress.len(), copies.failed.len()) {
        (0, 0) => String::new(),
        (0, failed) => format!(": {} failed", counted(failed)),
        (n, 0) => format!(" yet: {} in progress", counted(n)),
        (n, failed) => format!(" yet: {} in progress, {failed} failed", counted(n)),
    };
    format!("there is no usable copy{rest}")
}
