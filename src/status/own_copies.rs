//! Determines which copies in a destination belong to a job and its current database.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::model::artifact::Artifact;
use crate::model::identity::{
    Source, copy_time, is_in_account, is_of_parent, is_ours, newest_parent_created, origin,
};
use crate::model::ids::AccountId;
use crate::model::inventory::{Answer, DestinationInventory, Inventory, Observation};
use crate::model::problem::Problem;
use crate::model::query::CopiesQuery;
use crate::model::words::list;
use crate::sync_types::{CopyOwner, SyncJob};

/// A copy in the destination.
pub(super) struct DatedCopy<'a> {
    pub(super) artifact: &'a Artifact,
    /// When its data was captured, if that is known.
    pub(super) data_time: Option<Timestamp>,
    /// Whether another tool or a person made it.
    pub(super) is_foreign: bool,
}

impl DatedCopy<'_> {
    pub(super) fn is_usable(&self) -> bool {
        self.artifact.state.is_available()
    }
}

/// Returns everything in the destination that may be a copy of the job.
pub(super) fn candidates<'a>(
    job: &SyncJob,
    observation: &'a Observation,
    observed: &'a DestinationInventory,
) -> Result<Vec<&'a Artifact>, Problem> {
    let artifacts = |answer: &'a Answer<Vec<Artifact>>| match answer {
        Ok(artifacts) => Ok(artifacts.as_slice()),
        Err(error) => Err(job.not_read("copies", error)),
    };
    if let CopiesQuery::Independent(_) = job.rules.queries().copies {
        return Ok(artifacts(&observation.copies)?.iter().collect());
    }
    // If the source region does not answer, no copies are named by sources.
    let named = match &observation.sources {
        Ok(_) => artifacts(&observation.copies)?,
        Err(_) => &[],
    };
    let key = (job.destination(), job.source_region.clone());
    let answer = observed.copied_from.get(&key);
    let copied = artifacts(answer.ok_or_else(|| job.not_observed())?)?;
    let is_new = |copy: &&Artifact| copied.iter().all(|other| other.id != copy.id);
    Ok(copied.iter().chain(named.iter().filter(is_new)).collect())
}

/// Returns an artifact as a source of the job, or `None` if AWS does not state its time.
pub(super) fn as_source<'a>(job: &'a SyncJob, artifact: &'a Artifact) -> Option<Source<'a>> {
    let source = Source::new(artifact, &job.source_region)?;
    Some(source.with_copy_named_by(artifact, &job.destination_region))
}

/// Returns the copies that belong to the job, and those that may or may not belong to it.
pub(super) fn own_copies<'a>(
    job: &SyncJob,
    account: &AccountId,
    observation: &Observation,
    candidates: Vec<&'a Artifact>,
) -> (Vec<DatedCopy<'a>>, Vec<DatedCopy<'a>>) {
    let region = &job.source_region;
    let artifacts = observation.sources.iter().flatten();
    let artifacts = artifacts.filter(|artifact| job.rules.can_be_source(job, artifact));
    let sources: Vec<Source<'_>> = artifacts
        .filter_map(|artifact| as_source(job, artifact))
        .collect();
    let mut copies = Vec::new();
    let mut unknown = Vec::new();
    // The tag of a source may name any image, even one shared by another account.
    let own = |artifact: &&Artifact| is_in_account(artifact, account);
    for artifact in candidates.into_iter().filter(own) {
        let source = sources.iter().find(|source| source.is_source_of(artifact));
        let (copy_owner, data_time) = match source {
            Some(source) => (CopyOwner::ThisJob, Some(source.data_time)),
            None => (
                job.rules.copy_owner(job, artifact),
                copy_time(artifact, region),
            ),
        };
        // The gem left copies that only their source names: the next apply tags them.
        let is_named = source.is_some_and(|source| source.names(artifact));
        let copy = DatedCopy {
            artifact,
            data_time,
            is_foreign: !is_named && !is_ours(artifact, region),
        };
        match copy_owner {
            CopyOwner::ThisJob => copies.push(copy),
            CopyOwner::Unknown if !artifact.state.is_gone() => unknown.push(copy),
            CopyOwner::Unknown | CopyOwner::OtherJob => {}
        }
    }
    newest_first(&mut copies);
    unknown.sort_by_key(|copy| &copy.artifact.id);
    (copies, unknown)
}

fn newest_first(copies: &mut [DatedCopy<'_>]) {
    copies.sort_by(|a, b| (b.data_time, &b.artifact.id).cmp(&(a.data_time, &a.artifact.id)));
}

/// Leaves out copies of a different database with the same name, and lists them in a warning: they can't replace a copy of the
/// current one.
pub(super) fn of_current_parent<'a>(
    job: &SyncJob,
    source: Option<&Artifact>,
    copies: Vec<DatedCopy<'a>>,
    warnings: &mut Vec<String>,
) -> Vec<DatedCopy<'a>> {
    let Some(parent) = job.rules.parent() else {
        return copies;
    };
    let current_parent = newest_parent_created(source, copies.iter().map(|copy| copy.artifact));
    let (current, others): (Vec<_>, Vec<_>) = copies
        .into_iter()
        .partition(|copy| is_of_parent(copy.artifact, current_parent));
    if !others.is_empty() {
        warnings.push(format!(
            "copies of a different database named {parent} exist and do not count: {}",
            list(others.iter().map(|copy| &copy.artifact.id))
        ));
    }
    current
}

/// Returns the copies that are newer than the chosen source and whose own source no job selects.
pub(super) fn newer_without_source<'a>(
    job: &SyncJob,
    chosen: &Source<'_>,
    mut copies: Vec<DatedCopy<'a>>,
    inventory: &Inventory,
) -> Vec<DatedCopy<'a>> {
    copies.retain(|copy| copy.data_time > Some(chosen.data_time));
    if copies.is_empty() {
        return copies;
    }
    let sources = inventory.jobs.values().flat_map(|other| &other.sources);
    let sources: HashSet<&str> = sources.flatten().map(|source| source.id.as_str()).collect();
    let has_source = |copy: &DatedCopy<'_>| {
        origin(copy.artifact, &job.source_region)
            .is_some_and(|origin| sources.contains(&*origin.id))
    };
    copies.retain(|copy| !has_source(copy));
    copies
}
