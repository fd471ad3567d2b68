//! Problems between jobs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::client_config::ClientConfig;
use crate::model::ids::{JobName, ParentId, Region};
use crate::model::problem::{Problem, TextPlace};
use crate::sync_types::{ConfiguredJob, SyncJob};

/// A job that copies snapshots of a database.
struct Earlier {
    name: JobName,
    source_region: Region,
    client_config: Arc<ClientConfig>,
}

/// Compares each job with those above it that copy databases of the same name to the same destination. A job that does the same as an
/// earlier one becomes invalid, because each would count and delete the other's copies. A job for another database is marked: automated
/// snapshots of the same minute have the same id, and so would their copies. Jobs for the same image are left to the planner, which
/// knows the images.
pub(super) fn check(jobs: &mut [(ConfiguredJob, TextPlace)]) {
    let mut by_name: HashMap<(ParentId, Region), Vec<Earlier>> = HashMap::new();
    for (configured, place) in jobs {
        let ConfiguredJob::Valid(job) = configured else {
            continue;
        };
        let Some(parent) = job.rules.parent().cloned() else {
            continue;
        };
        let key = (parent.clone(), job.destination_region.clone());
        let earlier = by_name.entry(key).or_default();
        let is_same = |other: &&Earlier| {
            other.source_region == job.source_region && other.client_config == job.client_config
        };
        if let Some(same) = earlier.iter().find(is_same) {
            *configured = repeated(job, &parent, same, *place);
            continue;
        }
        job.has_shared_parent_name = earlier.iter().any(|other| may_share_account(other, job));
        earlier.push(Earlier {
            name: job.name.clone(),
            source_region: job.source_region.clone(),
            client_config: Arc::clone(&job.client_config),
        });
    }
}

fn repeated(job: &SyncJob, parent: &ParentId, same: &Earlier, place: TextPlace) -> ConfiguredJob {
    let (name, source, destination) = (&job.name, &job.source_region, &job.destination_region);
    let earlier = &same.name;
    let message = format!(
        "{name} copies {parent} from {source} to {destination}, and so does {earlier} above it"
    );
    let help = "keep one of them: two would delete each other's copies";
    ConfiguredJob::Invalid {
        name: name.clone(),
        problems: vec![Problem::new(message).at(place).help(help)],
    }
}

/// Returns false if both state their account, and the accounts differ.
fn may_share_account(other: &Earlier, job: &SyncJob) -> bool {
    let (one, two) = (
        &other.client_config.account_id,
        &job.client_config.account_id,
    );
    one.is_none() || two.is_none() || one == two
}
