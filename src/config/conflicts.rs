//! Problems between jobs.

use std::collections::HashMap;

use crate::model::ids::{ParentId, Region};
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::{ConfiguredJob, SyncJob};

/// Compares each job with those above it that copy databases of the same name to the same destination. A job that does the same as an
/// earlier one becomes invalid, because each would count and delete the other's copies. A job for another database is marked: automated
/// snapshots of the same minute have the same id, and so would their copies. Jobs for the same image are left to the planner, which
/// knows the images.
pub(super) fn check(jobs: &mut [(ConfiguredJob, TextPlace)]) {
    let mut by_name: HashMap<(ParentId, Region), Vec<SyncJob>> = HashMap::new();
    for (configured, place) in jobs {
        let ConfiguredJob::Valid(job) = configured else {
            continue;
        };
        let Some(parent) = job.rules.parent().cloned() else {
            continue;
        };
        let key = (parent.clone(), job.destination_region.clone());
        let earlier = by_name.entry(key).or_default();
        let is_same = |other: &&SyncJob| {
            other.source_region == job.source_region && other.client_config == job.client_config
        };
        if let Some(same) = earlier.iter().find(is_same) {
            let problem = repeated(job, same, &parent).at(*place);
            let (name, problems) = (job.name.clone(), vec![problem]);
            *configured = ConfiguredJob::Invalid { name, problems };
            continue;
        }
        job.has_shared_parent_name = earlier.iter().any(|other| may_share_account(other, job));
        earlier.push(job.clone());
    }
}

fn repeated(job: &SyncJob, same: &SyncJob, parent: &ParentId) -> Problem {
    let (name, source, destination) = (&job.name, &job.source_region, &job.destination_region);
    let earlier = &same.name;
    let message = format!(
        "{name} copies {parent} from {source} to {destination}, and so does {earlier} above it"
    );
    Problem::new(message).help("keep one of them: two would delete each other's copies")
}

/// Returns false if both state their account, and the accounts differ.
fn may_share_account(one: &SyncJob, two: &SyncJob) -> bool {
    let accounts = [one, two].map(|job| job.client_config.account_id.as_ref());
    !matches!(accounts, [Some(one), Some(two)] if one != two)
}
