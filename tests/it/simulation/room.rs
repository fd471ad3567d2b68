//! Checks whether a plan makes room for a copy, according to the quota that it has read.

use std::collections::BTreeMap;

use crate::support::*;

use super::calls::Read;
use super::check_plan::Expected;
use super::ledger::Ledger;
use super::monitor::ReadRecord;
use super::rules;

/// Adds whether there is room for the copy, according to the quota when it was read.
pub fn with_room(
    ledger: &Ledger,
    job: &SyncJob,
    reads: &[ReadRecord],
    mut expected: Expected,
    growth: &mut BTreeMap<String, isize>,
) -> Expected {
    let Expected::Actions {
        copy: true,
        deletes,
        first,
        ..
    } = &mut expected
    else {
        return expected;
    };
    let region = &job.destination_region;
    let read = reads.iter().rfind(|read| {
        let is_limit = matches!(read.read, Read::Limit);
        is_limit && read.region == *region && read.credentials == job.client_config
    });
    let Some(moment) = read.and_then(|read| read.shown.last().filter(|_| read.error.is_none()))
    else {
        *first = read.is_none().then_some(false);
        return expected;
    };
    let world = ledger.at(*moment);
    let account = rules::account_of(&job.client_config);
    let here = world.region(region).expect("a region");
    let here = here.artifacts(job.kind()).iter();
    let manual = here.filter(|s| s.account == *account && s.snapshot_type == SnapshotType::Manual);
    let growth = growth
        .entry(format!("{} {account} {region}", job.kind()))
        .or_default();
    let used = manual.count().saturating_add_signed(*growth);
    let max = match job.kind() {
        Kind::DbClusterSnapshot => world.quotas.manual_cluster_snapshots,
        _ => world.quotas.manual_snapshots,
    };
    if used >= max + deletes.len() {
        return Expected::Fails;
    }
    *growth += 1;
    *first = Some(used >= max);
    if used >= max {
        *growth -= isize::try_from(deletes.len()).expect("a small number");
    }
    expected
}
