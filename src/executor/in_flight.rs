//! The copies in progress, counted as AWS counts them: per account, destination region and kind.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::awaited_copy::{MAX_LISTING_LAG, MAX_UNREADABLE};
use super::precondition::Target;
use crate::model::action::Copy;
use crate::model::artifact::Artifact;
use crate::model::ids::{AccountId, ArtifactId, JobName, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::problem::Problem;
use crate::model::provider_error::{CONCURRENT_COPIES_HELP, ProviderError};
use crate::observe::CopyRequest;

/// How long after a refusal another copy is tried. A slot that a known copy leaves is taken without that, and every request in
/// vain counts against the rate that AWS allows an account.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What AWS counts concurrent copies by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) kind: Kind,
}

impl Destination {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            account: target.account.clone(),
            region: target.request.destination.region.clone(),
            kind: target.request.kind,
        }
    }
}

/// The copies in progress that an apply knows of: those that it has started, and those that it has observed.
#[derive(Default)]
pub(super) struct InFlightCopies(HashMap<Destination, Slots>);

/// The copies into one destination.
struct Slots {
    copies: BTreeMap<ArtifactId, InFlightCopy>,
    /// The jobs that are about to start a copy.
    reserved: BTreeSet<JobName>,
    /// How many copies there can be: as many as AWS documents, or fewer if it has refused one.
    limit: usize,
    refusal: Option<Refusal>,
}

struct InFlightCopy {
    /// The job that knows of it.
    job: JobName,
    at: Location,
    /// When it was started, or last observed to be copied.
    last_seen: Timestamp,
}

struct Refusal {
    error: ProviderError,
    at: Timestamp,
}

impl Slots {
    fn new(kind: Kind) -> Self {
        Self {
            copies: BTreeMap::new(),
            reserved: BTreeSet::new(),
            limit: kind.facts().max_concurrent_copies,
            refusal: None,
        }
    }

    fn number(&self) -> usize {
        self.copies.len() + self.reserved.len()
    }

    /// Returns true if a copy can be started. Beyond a limit that AWS has set by a refusal, copies are tried one at a time: the
    /// copies of others, which are not observed here, finish as well.
    fn has_room(&self, max: usize, now: Timestamp) -> bool {
        let can_retry = |refusal: &Refusal| now.duration_since(refusal.at) >= RETRY_AFTER;
        let is_next_try = self.reserved.is_empty() && self.refusal.as_ref().is_some_and(can_retry);
        self.number() < self.limit || is_next_try && self.number() < max
    }
}

impl InFlightCopies {
    fn slots(&mut self, to: &Destination) -> &mut Slots {
        let slots = self.0.entry(to.clone());
        slots.or_insert_with(|| Slots::new(to.kind))
    }

    /// Returns true if the job has a slot, or there is one for it.
    pub(super) fn has_slot(&self, to: &Destination, job: &JobName, now: Timestamp) -> bool {
        let max = to.kind.facts().max_concurrent_copies;
        let slots = self.0.get(to);
        slots.is_none_or(|slots| slots.reserved.contains(job) || slots.has_room(max, now))
    }

    /// Reserves a slot for the copy that a job is about to start.
    pub(super) fn reserve(&mut self, to: &Destination, job: &JobName) {
        self.slots(to).reserved.insert(job.clone());
    }

    /// Gives up the slot of a job: its copy is counted from now on, or does not start.
    pub(super) fn release(&mut self, to: &Destination, job: &JobName) {
        if let Some(slots) = self.0.get_mut(to) {
            slots.reserved.remove(job);
        }
    }

    /// Counts a copy that AWS has accepted or was observed to make.
    pub(super) fn count(
        &mut self,
        to: &Destination,
        job: &JobName,
        at: &Location,
        copy: &ArtifactId,
        now: Timestamp,
    ) {
        let slots = self.slots(to);
        let known = InFlightCopy {
            job: job.clone(),
            at: at.clone(),
            last_seen: now,
        };
        slots.copies.insert(copy.clone(), known);
        slots.limit = slots.limit.max(slots.copies.len());
    }

    /// Lowers the limit to what AWS has accepted.
    pub(super) fn refuse(&mut self, to: &Destination, error: &ProviderError, now: Timestamp) {
        let slots = self.slots(to);
        slots.limit = slots.limit.min(slots.number());
        slots.refusal = Some(Refusal {
            error: error.clone(),
            at: now,
        });
    }

    /// Returns why a copy can't start now.
    pub(super) fn deferral(&self, to: &Destination, copy: &Copy) -> Problem {
        match self.0.get(to).and_then(|slots| slots.refusal.as_ref()) {
            Some(refusal) => refused(copy, &refusal.error),
            None => {
                let max = to.kind.facts().max_concurrent_copies;
                Problem::new(format!(
                    "{} is deferred: AWS's limit of {max} concurrent copies into {} is reached",
                    copy.id, to.region
                ))
                .help(CONCURRENT_COPIES_HELP)
            }
        }
    }

    /// Updates the copies that a job knows of with what was observed at that time.
    pub(super) fn update(&mut self, job: &JobName, answer: &Answer<Vec<Artifact>>, at: Timestamp) {
        let is_in_progress = |id: &ArtifactId, copy: &mut InFlightCopy| {
            let unseen = at.duration_since(copy.last_seen);
            match answer {
                _ if copy.job != *job => true,
                Ok(copies) => match copies.iter().find(|copy| copy.id == *id) {
                    Some(observed) => {
                        copy.last_seen = copy.last_seen.max(at);
                        observed.state.is_being_copied()
                    }
                    None => unseen <= MAX_LISTING_LAG,
                },
                // A copy that can't be read any more must not take the slot of others for ever.
                Err(error) => error.class.is_transient() && unseen <= MAX_UNREADABLE,
            }
        };
        for slots in self.0.values_mut() {
            slots.copies.retain(is_in_progress);
        }
    }

    /// Returns what has to be read to learn which copies are still in progress, by job.
    pub(super) fn requests(&self) -> BTreeMap<JobName, CopyRequest> {
        let mut requests = BTreeMap::new();
        for (to, slots) in &self.0 {
            for (id, copy) in &slots.copies {
                let request = requests.entry(copy.job.clone());
                let request = request.or_insert_with(|| CopyRequest {
                    job: copy.job.clone(),
                    kind: to.kind,
                    at: copy.at.clone(),
                    ids: BTreeSet::new(),
                });
                request.ids.insert(id.clone());
            }
        }
        requests
    }
}

/// Returns the problem of a copy that AWS has refused because of its limit.
pub(super) fn refused(copy: &Copy, error: &ProviderError) -> Problem {
    error.problem(format!(
        "{} is deferred: AWS accepts no more copies at the moment",
        copy.id
    ))
}
