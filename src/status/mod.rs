//! The status of jobs: what each destination holds, computed from what was observed. This module is synchronous and pure, like the
//! planner, and does not need the source region to answer.

mod attention;
mod own_copies;
mod readiness;

use jiff::{SignedDuration, Timestamp};

use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::identity::Source;
use crate::model::ids::JobName;
use crate::model::inventory::{DestinationInventory, Observation};
use crate::model::problem::Problem;
use crate::model::status::{
    Copies, JobStatus, Left, Readiness, SourceNewest, Storage, UnusableCopy, UsableCopy,
};
use crate::sync_types::SyncJob;
use attention::{
    about_copies, about_newer_copies, about_unknown_copies, about_untestable_conditions,
};
use own_copies::{
    DatedCopy, as_source, candidates, newer_without_source, of_current_parent, own_copies,
};
use readiness::{failing, has_usable_copy_of, readiness, repeated_failure};

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

fn job_status(
    job: &SyncJob,
    observed: &DestinationInventory,
    max_age: Option<SignedDuration>,
) -> JobStatus {
    let (source, destination) = Some(job.ends()).unzip();
    let mut status = JobStatus {
        sync_type: Some(job.sync_type()),
        source,
        destination,
        ..unknown(&job.name)
    };
    if let Err(problem) = fill_in(&mut status, job, observed, max_age) {
        status.reason.clone_from(&problem.message);
        status.errors.push(problem);
    }
    status
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
    let observation = observation.ok_or_else(|| job.not_observed())?;
    let identity = observation.identity.as_ref().ok();
    status.account_id = identity.map(|identity| identity.account_id.clone());
    let account = job.account(observation, &mut status.warnings)?;
    let candidates = candidates(job, observation, observed)?;
    let warnings = &mut status.warnings;
    let newest = newest_source(job, observation, warnings);
    let chosen = newest.and_then(|newest| as_source(job, newest));
    let (own, unknown) = own_copies(job, account, observation, candidates);
    let own = of_current_parent(job, newest, own, warnings);
    about_copies(&own, warnings);
    if let Some(chosen) = &chosen {
        about_newer_copies(chosen, &own, warnings);
    }
    warnings.sort();
    if observation.sources.is_err() && !own.is_empty() {
        about_untestable_conditions(job, warnings);
    }
    // If the source is known, it determines which copies are the job's. Of the others, only copies of newer sources that are gone
    // may also be the job's: the rest belong to the jobs that select their sources.
    let unknown = match &chosen {
        Some(chosen) => newer_without_source(job, chosen, unknown, inventory),
        None if newest.is_some() => Vec::new(),
        None => unknown,
    };
    about_unknown_copies(job, &unknown, chosen.as_ref(), warnings);
    let has_current = has_usable_copy_of(chosen.as_ref(), &own);
    let failure = repeated_failure(job, has_current, &own);
    let copies = copies(own, chosen.as_ref(), inventory.observed_at);
    let is_current = has_current && !job.kind().facts().data_ages;
    (status.readiness, status.reason) = match failure {
        Some(failure) => failing(&copies, &failure.problem(&job.name).message),
        None => readiness(job.kind(), &copies, is_current, max_age),
    };
    status.source_newest = Some(match (&observation.sources, newest) {
        (Ok(_), None) => SourceNewest::Absent,
        (Ok(_), Some(newest)) => SourceNewest::Present {
            id: newest.id.clone(),
            data_time: newest.source_time(),
        },
        (Err(error), _) => SourceNewest::Unknown {
            problem: job.not_read("sources", error),
        },
    });
    status.copies = Some(copies);
    Ok(())
}

/// Returns the newest source, if there is one and it is known. Adds warnings.
fn newest_source<'a>(
    job: &SyncJob,
    observation: &'a Observation,
    warnings: &mut Vec<String>,
) -> Option<&'a Artifact> {
    let sources = observation.sources.as_ref().ok()?;
    job.rules.newest_source(job, sources, warnings)
}

/// Groups copies by their state, each list newest first.
fn copies(copies: Vec<DatedCopy<'_>>, source: Option<&Source<'_>>, now: Timestamp) -> Copies {
    let source_time = source.map(|source| source.data_time);
    let in_state = |is_in: fn(&ArtifactState) -> bool| {
        let copies = copies.iter();
        copies.filter(move |copy| is_in(&copy.artifact.state))
    };
    let usable = in_state(ArtifactState::is_available);
    let newest_usable = usable.clone().next().map(|copy| UsableCopy {
        id: copy.artifact.id.clone(),
        data_time: copy.data_time,
        age_seconds: copy
            .artifact
            .database_time
            .or(copy.data_time)
            .map(|time| now.duration_since(time).as_secs()),
        behind_seconds: source_time
            .zip(copy.data_time)
            .map(|(source, copy)| source.duration_since(copy).as_secs().max(0)),
        storage: storage(copy.artifact),
    });
    let listed = |is_in| {
        let copies = in_state(is_in).map(|copy| UnusableCopy {
            id: copy.artifact.id.clone(),
            data_time: copy.data_time,
            state: copy.artifact.state.clone(),
            percent: copy.artifact.percent,
            reason: copy.artifact.state_reason().map(str::to_owned),
            storage: storage(copy.artifact),
        });
        copies.collect()
    };
    Copies {
        left: Left {
            count: usable.count(),
            newest: newest_usable.as_ref().map(|copy| copy.id.clone()),
        },
        newest_usable,
        in_progress: listed(ArtifactState::is_in_progress),
        failed: listed(ArtifactState::is_failed),
    }
}

/// Returns the size and encryption of a copy.
fn storage(copy: &Artifact) -> Storage {
    Storage {
        size_gib: copy.size_gib,
        encrypted: copy.encrypted,
        kms_key_id: copy.kms_key().map(str::to_owned),
    }
}
