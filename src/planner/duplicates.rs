//! What the jobs of one plan have claimed, so that no two of them make the same copy or use the same id.

use std::collections::BTreeMap;

use crate::model::ids::{AccountId, ArtifactId, JobName, ParentId, Region};
use crate::model::kind::Kind;
use crate::sync_types::SyncJob;

/// The route that a claim is for: account, source region and destination region.
pub(super) type Route = (AccountId, Region, Region);

/// What earlier jobs of the plan have claimed.
#[derive(Default)]
pub(super) struct Claims<'a> {
    sources: BTreeMap<(Route, Kind, ArtifactId), &'a SyncJob>,
    parents: BTreeMap<(Route, Kind, ParentId), &'a SyncJob>,
    /// The first job with each identifier, separately for jobs that delete copies (`true`) and jobs that don't.
    identifiers: BTreeMap<(Route, Kind, &'a str, bool), &'a SyncJob>,
    copy_ids: BTreeMap<(AccountId, Region, Kind, ArtifactId), JobName>,
    /// By how many copies a destination grows before the final deletions.
    planned_into: BTreeMap<(AccountId, Region, Kind), isize>,
}

impl<'a> Claims<'a> {
    /// Claims a source. Returns the job that has already claimed it, if there is one.
    pub(super) fn source(
        &mut self,
        account: &AccountId,
        job: &'a SyncJob,
        source: &ArtifactId,
    ) -> Option<&'a SyncJob> {
        let key = (route(account, job), job.kind(), source.clone());
        claim(&mut self.sources, key, job)
    }

    /// Claims a parent. Returns the job that has already claimed it, if there is one.
    pub(super) fn parent(
        &mut self,
        account: &AccountId,
        job: &'a SyncJob,
        parent: &ParentId,
    ) -> Option<&'a SyncJob> {
        let key = (route(account, job), job.kind(), parent.clone());
        claim(&mut self.parents, key, job)
    }

    /// Claims the job's identifier. Returns the job that has already claimed it, if one of the two would count and delete the
    /// other's copies.
    pub(super) fn identifier(
        &mut self,
        account: &AccountId,
        job: &'a SyncJob,
    ) -> Option<&'a SyncJob> {
        let (route, kind) = (route(account, job), job.kind());
        let identifier = job.rules.identifier()?;
        let deletes = job.rules.retention().is_some();
        let key = |deletes| (route.clone(), kind, identifier, deletes);
        let other = self.identifiers.get(&key(true));
        let other = other.or_else(|| self.identifiers.get(&key(false)).filter(|_| deletes));
        let other = other.copied();
        claim(&mut self.identifiers, key(deletes), job);
        other
    }

    /// Returns the number of copies by which the job's destination grows, so that the caller can update it.
    pub(super) fn planned_into(&mut self, account: &AccountId, job: &SyncJob) -> &mut isize {
        let region = job.destination_region.clone();
        let key = (account.clone(), region, job.kind());
        self.planned_into.entry(key).or_default()
    }

    /// Claims an id in the job's destination. Returns the job that has already claimed it, if there is one.
    pub(super) fn copy_id(
        &mut self,
        account: &AccountId,
        job: &SyncJob,
        id: &ArtifactId,
    ) -> Option<JobName> {
        let region = job.destination_region.clone();
        let key = (account.clone(), region, job.kind(), id.clone());
        claim(&mut self.copy_ids, key, job.name.clone())
    }
}

/// Returns the route of a job.
pub(super) fn route(account: &AccountId, job: &SyncJob) -> Route {
    let (from, to) = (&job.source_region, &job.destination_region);
    (account.clone(), from.clone(), to.clone())
}

/// Inserts a value unless there is one already. Returns the existing value, if there was one.
fn claim<K: Ord, V: Clone>(claims: &mut BTreeMap<K, V>, key: K, value: V) -> Option<V> {
    if let Some(earlier) = claims.get(&key) {
        return Some(earlier.clone());
    }
    claims.insert(key, value);
    None
}
