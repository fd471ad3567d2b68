//! Checks for conflicts between jobs.

use std::collections::HashMap;

use crate::model::ids::{ParentId, Region};
use crate::model::kind::Kind;
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::{ConfiguredJob, SyncJob};

/// Compares each job with those above it that copy databases of the same name to the same destination. A job that does the same as
/// an earlier one becomes invalid, because each would count and delete the other's copies. A job for a different database is
/// marked: automated snapshots of the same minute have the same id, and so would their copies. Jobs for the same image are left to
/// the planner, which knows the images.
pub(super) fn check(jobs: &mut [(ConfiguredJob, TextPlace)]) {
    let mut by_name: HashMap<(Kind, ParentId, Region), Vec<SyncJob>> = HashMap::new();
    for (configured, place) in jobs {
        let ConfiguredJob::Valid(job) = configured else {
            continue;
        };
        let Some(parent) = job.rules.parent().cloned() else {
            continue;
        };
        // A DB instance and a DB cluster may have the same name.
        let key = (job.kind(), parent.clone(), job.destination_region.clone());
        let earlier = by_name.entry(key).or_default();
        let is_same = |other: &&SyncJob| {
            other.source_region == job.source_region && other.client_config == job.client_config
        };
        if let Some(same) = earlier.iter().find(is_same) {
            let problem = same_parent(job, same, &parent).at(*place);
            let (name, problems) = (job.name.clone(), vec![problem]);
            *configured = ConfiguredJob::Invalid { name, problems };
            continue;
        }
        job.has_shared_parent_name = earlier.iter().any(|other| other.may_share_account(job));
        earlier.push(job.clone());
    }
}

/// Compares each job with those above it that have the same identifier, regions and client settings. If either of two such jobs
/// deletes old copies, the lower one becomes invalid, because one would count and delete the other's copies.
pub(super) fn check_identifiers(jobs: &mut [(ConfiguredJob, TextPlace)]) {
    let mut by_identifier: HashMap<(String, Region, Region), Vec<SyncJob>> = HashMap::new();
    for (configured, place) in jobs {
        let ConfiguredJob::Valid(job) = configured else {
            continue;
        };
        let Some(identifier) = job.rules.identifier() else {
            continue;
        };
        let regions = (job.source_region.clone(), job.destination_region.clone());
        let key = (identifier.to_owned(), regions.0, regions.1);
        let earlier = by_identifier.entry(key).or_default();
        let deletes = |job: &SyncJob| job.rules.retention().is_some();
        let is_in_conflict = |other: &&SyncJob| {
            other.client_config == job.client_config && (deletes(other) || deletes(job))
        };
        if let Some(other) = earlier.iter().find(is_in_conflict) {
            let problem = same_identifier(job, other, identifier).at(*place);
            let (name, problems) = (job.name.clone(), vec![problem]);
            *configured = ConfiguredJob::Invalid { name, problems };
        } else {
            earlier.push(job.clone());
        }
    }
}

/// Marks each job as invalid that closes a cycle of regions with jobs above it, in which every copy would be copied again,
/// forever.
pub(super) fn check_cycles(jobs: &mut [(ConfiguredJob, TextPlace)]) {
    let mut earlier: Vec<SyncJob> = Vec::new();
    for (configured, place) in jobs {
        let ConfiguredJob::Valid(job) = configured else {
            continue;
        };
        if !job.rules.takes_copies_of(&*job.rules) {
            continue;
        }
        if let Some(regions) = cycle(&earlier, job) {
            let problem = endless(job, &regions).at(*place);
            let (name, problems) = (job.name.clone(), vec![problem]);
            *configured = ConfiguredJob::Invalid { name, problems };
        } else {
            earlier.push(job.clone());
        }
    }
}

/// Returns the regions through which copies of a job come back to its source region, if they do.
fn cycle<'j>(jobs: &'j [SyncJob], job: &'j SyncJob) -> Option<Vec<&'j Region>> {
    // Each job that has been reached, with the regions on the path to it.
    let mut reached = vec![(job, vec![&job.source_region])];
    let mut left: Vec<&SyncJob> = jobs.iter().collect();
    let mut n = 0;
    while let Some((last, way)) = reached.get(n).cloned() {
        let way: Vec<&Region> = way.into_iter().chain([&last.destination_region]).collect();
        if last.destination_region == job.source_region {
            return Some(way);
        }
        let is_next = |next: &&SyncJob| {
            next.source_region == last.destination_region
                && next.rules.takes_copies_of(&*last.rules)
                && next.may_share_account(last)
        };
        let (next, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_next);
        reached.extend(next.into_iter().map(|next| (next, way.clone())));
        left = others;
        n += 1;
    }
    None
}

fn endless(job: &SyncJob, regions: &[&Region]) -> Problem {
    let regions = regions.iter().map(|region| region.as_str());
    let regions = regions.collect::<Vec<_>>().join(", ");
    let message = format!(
        "{} closes a cycle of jobs with include_copies: {regions}",
        job.name
    );
    Problem::new(message)
        .help("remove include_copies from one of them: copies would be copied in circles forever")
}

fn same_identifier(job: &SyncJob, other: &SyncJob, identifier: &str) -> Problem {
    let (name, source, destination) = (&job.name, &job.source_region, &job.destination_region);
    let earlier = &other.name;
    let message = format!(
        "{name} syncs images with the sync_identifier {identifier} from {source} to {destination}, and so does {earlier} above it"
    );
    Problem::new(message).help(
        "keep one of them, or remove max_images_to_retain: one would delete the other's copies",
    )
}

fn same_parent(job: &SyncJob, same: &SyncJob, parent: &ParentId) -> Problem {
    let (name, source, destination) = (&job.name, &job.source_region, &job.destination_region);
    let earlier = &same.name;
    let message = format!(
        "{name} copies {parent} from {source} to {destination}, and so does {earlier} above it"
    );
    Problem::new(message).help("keep one of them: two would delete each other's copies")
}
