//! Copies of the snapshots of a database.

use super::{Copy, Facts, source_newest};
use crate::model::id::{AccountId, SnapshotArn};
use crate::model::inventory::{Looked, Snapshot};
use crate::model::job::SyncJob;
use crate::model::lineage::snapshot_origin;

pub(super) fn facts<'a>(
    job: &SyncJob,
    account: &AccountId,
    automated: &Looked<Vec<Snapshot>>,
    manual: &'a [Snapshot],
) -> Facts<'a> {
    let source = source_newest(job, "for its automated snapshots", automated, |automated| {
        let available = automated
            .iter()
            .filter(|snapshot| snapshot.status.is_available());
        let newest = available.max_by_key(|snapshot| (snapshot.taken(), &snapshot.id))?;
        Some((newest.id.to_string(), newest.taken()))
    });
    let of_other_account = |arn: &SnapshotArn| arn.account() != Some(account.as_str());
    let copies = manual
        .iter()
        .filter(|snapshot| !snapshot.copied_from.as_ref().is_some_and(of_other_account))
        .filter_map(|snapshot| {
            let origin = snapshot_origin(snapshot, &job.source_region)?;
            Some(Copy {
                id: snapshot.id.as_str(),
                taken: origin.taken,
                state: &snapshot.status,
                percent: snapshot.percent,
                failure: None,
            })
        })
        .collect();
    Facts {
        source,
        copies,
        warnings: Vec::new(),
    }
}
