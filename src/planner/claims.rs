//! What the jobs of one plan have taken, so that no two of them make the same copy or take the same name.

use std::collections::BTreeMap;

use crate::model::id::{AccountId, DbInstance, ImageId, JobName, Region, SnapshotId};
use crate::model::job::SyncJob;

/// What earlier jobs of the plan are about.
#[derive(Default)]
pub(super) struct Claims {
    images: BTreeMap<(AccountId, Region, Region, ImageId), Holder>,
    databases: BTreeMap<(AccountId, Region, Region, DbInstance), JobName>,
    names: BTreeMap<(AccountId, Region, SnapshotId), JobName>,
}

/// The job that was there first.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) job: JobName,
    pub(super) kms_key_id: Option<String>,
}

impl Claims {
    /// Takes a source image for its destination; the job that has it already, if one does.
    pub(super) fn image(
        &mut self,
        account: &AccountId,
        job: &SyncJob,
        image: &ImageId,
    ) -> Option<Holder> {
        let key = (
            account.clone(),
            job.source_region.clone(),
            job.destination_region.clone(),
            image.clone(),
        );
        let holder = Holder {
            job: job.name.clone(),
            kms_key_id: job.kms_key_id.clone(),
        };
        taken(&mut self.images, key, holder)
    }

    /// Takes a database for its destination; the job that has it already, if one does.
    pub(super) fn database(
        &mut self,
        account: &AccountId,
        job: &SyncJob,
        database: &DbInstance,
    ) -> Option<JobName> {
        let key = (
            account.clone(),
            job.source_region.clone(),
            job.destination_region.clone(),
            database.clone(),
        );
        taken(&mut self.databases, key, job.name.clone())
    }

    /// Takes an identifier in the job's destination; the job that has it already, if one does.
    pub(super) fn name(
        &mut self,
        account: &AccountId,
        job: &SyncJob,
        id: &SnapshotId,
    ) -> Option<JobName> {
        let key = (account.clone(), job.destination_region.clone(), id.clone());
        taken(&mut self.names, key, job.name.clone())
    }
}

/// Puts a value where none is yet; the value that was there, if one was.
fn taken<K: Ord, V: Clone>(map: &mut BTreeMap<K, V>, key: K, value: V) -> Option<V> {
    if let Some(before) = map.get(&key) {
        return Some(before.clone());
    }
    map.insert(key, value);
    None
}
