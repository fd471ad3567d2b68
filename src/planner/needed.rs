//! Finds the copies that retention may delete and that jobs still need.

use std::collections::{BTreeMap, BTreeSet};

use super::duplicates::{Route, route};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::origin;
use crate::model::ids::{AccountId, ArtifactId, JobName, Region};
use crate::model::inventory::{Inventory, Observation};
use crate::model::keep_reason::KeepReason;
use crate::model::kind::Kind;
use crate::model::provider_error::ProviderError;
use crate::sync_types::SyncJob;

/// What the jobs still need: retention must not delete copies that they depend on.
#[derive(Default)]
pub(super) struct Needed<'a> {
    /// The sources that jobs select: without their copies, they would be copied again.
    selected: BTreeSet<(Route, ArtifactId)>,
    /// The artifacts that jobs are copying or are about to copy, each with one of these jobs. In a chain of regions, they are
    /// copies themselves.
    copied: BTreeMap<(AccountId, Region, ArtifactId), &'a JobName>,
    unread: Vec<Unread<'a>>,
}

/// A job whose needs are unknown.
struct Unread<'a> {
    job: &'a SyncJob,
    account: Option<&'a AccountId>,
    error: &'a ProviderError,
}

impl<'a> Needed<'a> {
    /// Returns what these jobs need, or nothing if none of them deletes copies.
    pub(super) fn of(jobs: &'a [SyncJob], inventory: &'a Inventory) -> Self {
        let mut needed = Self::default();
        let retaining = jobs.iter().filter(|job| job.rules.retention().is_some());
        let kinds: BTreeSet<Kind> = retaining.map(SyncJob::kind).collect();
        for job in jobs.iter().filter(|job| kinds.contains(&job.kind())) {
            if let Some(observation) = inventory.jobs.get(&job.name) {
                needed.add(job, observation);
            }
        }
        needed
    }

    fn add(&mut self, job: &'a SyncJob, observation: &'a Observation) {
        let mut unread = |account, error| {
            self.unread.push(Unread {
                job,
                account,
                error,
            });
        };
        let account = match &observation.identity {
            Ok(identity) => &identity.account_id,
            Err(error) => return unread(job.client_config.account_id.as_ref(), error),
        };
        let (sources, copies) = match (&observation.sources, &observation.copies) {
            (Ok(sources), Ok(copies)) => (sources, copies),
            (Err(error), _) | (_, Err(error)) => return unread(Some(account), error),
        };
        // The rest applies only to images: the snapshots of a database belong to a single job.
        if !job.kind().facts().has_references {
            return;
        }
        let wanted = match job.rules.choose_source(job, sources, &mut Vec::new()) {
            Ok(source) => vec![source.id.clone()],
            // The job fails now, but may need any of them once it selects only one.
            Err(FailReason::SeveralSources { ids, .. }) => ids,
            Err(_) => Vec::new(),
        };
        let selected = wanted.iter().map(|id| (route(account, job), id.clone()));
        self.selected.extend(selected);
        let in_progress = copies.iter().filter(|copy| copy.state.is_in_progress());
        let origins = in_progress.filter_map(|copy| origin(copy, &job.source_region));
        let origins = origins.map(|origin| ArtifactId::from(origin.id.as_ref()));
        for id in origins.chain(wanted) {
            let key = (account.clone(), job.source_region.clone(), id);
            self.copied.entry(key).or_insert(&job.name);
        }
    }

    /// Returns why the jobs need, or may need, a copy of this job, if there is a reason.
    pub(super) fn reason(
        &self,
        account: &AccountId,
        job: &SyncJob,
        copy: &Artifact,
    ) -> Option<KeepReason> {
        if self.is_selected(account, job, copy) {
            return Some(KeepReason::CurrentSource);
        }
        let at = (account.clone(), job.destination_region.clone());
        if let Some(next) = self.copied.get(&(at.0, at.1, copy.id.clone())) {
            return Some(KeepReason::SourceOf((*next).clone()));
        }
        let unread = self.unread.iter().find(|unread| {
            unread.account.is_none_or(|other| other == account)
                && unread.job.name != job.name
                && unread.job.may_need_copies_of(job)
        });
        unread.map(|unread| KeepReason::UnreadJob(unread.job.name.clone(), unread.error.clone()))
    }

    /// Returns true if a job currently selects the source of a copy. The source may be an older image that matches again: without
    /// the copy, xrs would copy it again.
    fn is_selected(&self, account: &AccountId, job: &SyncJob, copy: &Artifact) -> bool {
        origin(copy, &job.source_region).is_some_and(|origin| {
            let source = ArtifactId::from(origin.id.as_ref());
            self.selected.contains(&(route(account, job), source))
        })
    }
}
