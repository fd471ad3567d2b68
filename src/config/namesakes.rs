//! Databases of one name that are copied to one place: automated snapshots of the same minute have the same identifier
//! there, and so would their copies.

use std::collections::HashMap;

use crate::model::id::{AccountId, DbInstance, Region};
use crate::model::job::{ConfiguredJob, JobKind};

/// Marks every job but the first of those that may meet in one account.
pub(super) fn mark(mut jobs: Vec<ConfiguredJob>) -> Vec<ConfiguredJob> {
    let mut earlier: HashMap<(DbInstance, Region), Vec<Option<AccountId>>> = HashMap::new();
    for job in &mut jobs {
        let ConfiguredJob::Sound(job) = job else {
            continue;
        };
        let JobKind::Snapshot(options) = &mut job.kind else {
            continue;
        };
        let place = (options.db_instance.clone(), job.destination_region.clone());
        let accounts = earlier.entry(place).or_default();
        // Of an account that is not stated nothing is known before STS is asked.
        let account = job.client_config.account_id.clone();
        let may_be_same = |other: &Option<AccountId>| match (other, &account) {
            (Some(other), Some(account)) => other == account,
            _ => true,
        };
        options.is_namesake = accounts.iter().any(may_be_same);
        accounts.push(account);
    }
    jobs
}
