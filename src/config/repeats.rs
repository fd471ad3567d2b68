//! Two jobs that would copy the same database to the same place: they would count and delete each other's copies.

use std::collections::{HashMap, hash_map};

use super::yaml::Entry;
use crate::model::client_config::ClientConfig;
use crate::model::id::{DbInstance, JobName, Region};
use crate::model::job::{ConfiguredJob, JobKind, SyncJob};
use crate::model::problem::Problem;

/// What makes two jobs the same.
type Same<'a> = (&'a DbInstance, &'a Region, &'a Region, &'a ClientConfig);

fn same(job: &SyncJob) -> Option<Same<'_>> {
    match &job.kind {
        JobKind::Snapshot(snapshot) => Some((
            &snapshot.db_instance,
            &job.source_region,
            &job.destination_region,
            job.client_config.as_ref(),
        )),
        // They make one copy between them, which the planner sees to once it knows the images.
        JobKind::Ami(_) => None,
    }
}

/// Breaks every job that does what an earlier one does.
pub(super) fn refuse(jobs: Vec<(ConfiguredJob, &Entry)>) -> Vec<ConfiguredJob> {
    let mut earlier: HashMap<Same<'_>, &JobName> = HashMap::new();
    let mut problems: Vec<Option<Problem>> = Vec::with_capacity(jobs.len());
    for (job, entry) in &jobs {
        let ConfiguredJob::Sound(job) = job else {
            problems.push(None);
            continue;
        };
        problems.push(same(job).and_then(|same| match earlier.entry(same) {
            hash_map::Entry::Occupied(first) => {
                Some(repeated(job, first.get(), same.0).at(entry.key.place))
            }
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(&job.name);
                None
            }
        }));
    }
    jobs.iter()
        .map(|(job, _)| job.clone())
        .zip(problems)
        .map(|(job, problem)| match problem {
            Some(problem) => ConfiguredJob::Broken {
                name: job.name().clone(),
                problems: vec![problem],
            },
            None => job,
        })
        .collect()
}

fn repeated(job: &SyncJob, first: &JobName, database: &DbInstance) -> Problem {
    let SyncJob {
        name,
        source_region,
        destination_region,
        ..
    } = job;
    Problem::new(format!(
        "{name} copies {database} from {source_region} to {destination_region}, and so does {first} above it"
    ))
    .help("keep one of them: two would delete each other's copies")
}
