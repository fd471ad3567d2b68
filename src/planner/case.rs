//! One job with everything that its plan depends on.

use jiff::Timestamp;

use super::needed::Needed;
use crate::model::artifact::Artifact;
use crate::model::identity::{Source, copy_time, has_sync_tag};
use crate::model::ids::AccountId;
use crate::model::inventory::Observation;
use crate::sync_types::{CopyOwner, SyncJob};

/// One job with everything that its plan depends on.
pub(super) struct Case<'a> {
    pub(super) job: &'a SyncJob,
    pub(super) account: &'a AccountId,
    /// The artifact that is to have a copy.
    pub(super) artifact: &'a Artifact,
    /// The same, with the properties by which its copies are recognised.
    pub(super) source: Source<'a>,
    /// What the jobs need of the copies that may be deleted.
    pub(super) needed: &'a Needed<'a>,
    /// The day of the observation (UTC). Rules about age use it, so that the time of day makes no difference.
    pub(super) day: Timestamp,
    /// Everything that was observed for the job.
    pub(super) observation: &'a Observation,
    /// All candidates in the source region.
    pub(super) sources: &'a [Artifact],
    /// What was found in the destination and belongs to the account, sorted by id.
    pub(super) found: Vec<&'a Artifact>,
    /// The copies among them, in any state: of this source, and, if the job deletes old copies, of its other sources.
    pub(super) copies: Vec<&'a Artifact>,
}

impl<'a> Case<'a> {
    /// Returns the copies of this source in `found`, and, if the job deletes old copies, all its other copies.
    pub(super) fn copies_in(
        job: &SyncJob,
        source: &Source<'_>,
        found: &[&'a Artifact],
    ) -> Vec<&'a Artifact> {
        let has_retention = job.rules.retention().is_some();
        let is_own = |copy: &Artifact| job.rules.copy_owner(job, copy) == CopyOwner::ThisJob;
        let is_copy = |copy: &Artifact| source.is_source_of(copy) || has_retention && is_own(copy);
        found.iter().copied().filter(|copy| is_copy(copy)).collect()
    }

    /// Returns when the data of a copy was captured. A copy of the source that states no time has the source's.
    pub(super) fn time_of(&self, copy: &Artifact) -> Option<Timestamp> {
        let of_source = || {
            let is_copy = self.source.is_source_of(copy);
            is_copy.then_some(self.source.data_time)
        };
        copy_time(copy, &self.job.source_region).or_else(of_source)
    }

    /// Returns the newest copy of the database or image that is available or in progress. Of several equally new ones, it prefers
    /// one that can be restored from.
    pub(super) fn newest_copy(&self) -> Option<&'a Artifact> {
        let usable = self.copies.iter().copied();
        usable
            .filter(|copy| !copy.state.is_gone() && self.source.is_of_same_parent(copy))
            .max_by_key(|copy| (self.time_of(copy), copy.state.is_available(), &copy.id))
    }

    /// Returns the copy that is to get a missing sync tag: if no copy of the source has one, the copy that the source's own tag
    /// names. The gem left such copies when it was stopped before it wrote the tag. Other untagged copies may belong to a different
    /// tool.
    pub(super) fn copy_to_tag(&self) -> Option<&'a Artifact> {
        let source = &self.source;
        let copies = self.copies.iter().copied();
        let mut copies = copies.filter(|copy| !copy.state.is_gone() && source.is_source_of(copy));
        let is_tagged = |copy: &Artifact| has_sync_tag(copy, &self.job.source_region);
        if copies.clone().any(is_tagged) {
            return None;
        }
        copies.find(|copy| source.names(copy) && !copy.has_unknown_tags)
    }
}
