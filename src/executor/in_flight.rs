//! The copies in progress, counted as AWS counts them: per account, source region, destination region and kind. See
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html>.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::facts::Target;
use crate::model::artifact::Artifact;
use crate::model::ids::{AccountId, ArtifactId, JobName, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::problem::Problem;
use crate::model::provider_error::{CONCURRENT_COPIES_HELP, ProviderError};
use crate::observe::CopyRequest;

/// How long after a refusal another copy is tried. When a known copy finishes, its slot is used without this delay. Every refused
/// request counts against the account's request rate.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Why a copy that AWS has refused is deferred.
pub(super) const NO_MORE_COPIES: &str = "AWS accepts no more copies at the moment";

/// The scope in which AWS counts concurrent copies.
type Route = (AccountId, Region, Region, Kind);

fn route(target: &Target) -> Route {
    let request = &target.request;
    let (from, to) = (&request.source.region, &request.destination.region);
    (
        target.account.clone(),
        from.clone(),
        to.clone(),
        request.kind,
    )
}

/// The copies in progress that an apply knows of: those that it has started and those that it has observed.
#[derive(Default)]
pub(super) struct InFlightCopies(HashMap<Route, Slots>);

/// The copies from one region into another.
#[derive(Default)]
struct Slots {
    /// Each with the job that knows of it, and where it can be read.
    copies: BTreeMap<ArtifactId, CopyRequest>,
    /// The jobs that are about to start a copy.
    reserved: BTreeSet<JobName>,
    refusal: Option<Refusal>,
}

/// Returns the limit that a message names, such as `Cannot copy more than 5 snapshots across regions`.
fn named_limit(message: &str) -> Option<usize> {
    let (_, rest) = message.split_once("more than ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// AWS's refusal of a copy.
struct Refusal {
    error: ProviderError,
    at: Timestamp,
    /// The number of copies that AWS has accepted.
    limit: usize,
    /// The limit that AWS's message names, if it names one.
    named: Option<usize>,
}

impl Slots {
    /// Returns the number of slots in use.
    fn taken(&self) -> usize {
        self.copies.len() + self.reserved.len()
    }

    /// Returns true if a copy can be started. Beyond the number that AWS has accepted, copies are tried one at a time: copies made
    /// by others, which are not observed here, finish too.
    fn has_room(&self, max: usize, now: Timestamp) -> bool {
        let is_next_try = |refusal: &Refusal| {
            self.reserved.is_empty() && now.duration_since(refusal.at) >= RETRY_AFTER
        };
        let named = self.refusal.as_ref().and_then(|refusal| refusal.named);
        match &self.refusal {
            Some(refusal) if !is_next_try(refusal) => self.taken() < refusal.limit,
            _ => self.taken() < named.unwrap_or(max),
        }
    }
}

impl InFlightCopies {
    fn slots(&mut self, target: &Target) -> &mut Slots {
        self.0.entry(route(target)).or_default()
    }

    /// Returns true if the job has a slot, or one is free.
    pub(super) fn has_slot(&self, target: &Target, now: Timestamp) -> bool {
        let max = target.request.kind.facts().max_concurrent_copies;
        let slots = self.0.get(&route(target));
        slots.is_none_or(|slots| {
            slots.reserved.contains(&target.request.job) || slots.has_room(max, now)
        })
    }

    /// Reserves a slot for the copy that a job is about to start.
    pub(super) fn reserve(&mut self, target: &Target) {
        let job = target.request.job.clone();
        self.slots(target).reserved.insert(job);
    }

    /// Releases the slot of a job: its copy is counted from now on, or does not start.
    pub(super) fn release(&mut self, target: &Target) {
        if let Some(slots) = self.0.get_mut(&route(target)) {
            slots.reserved.remove(&target.request.job);
        }
    }

    /// Counts a copy that AWS has accepted, or that was observed to be in progress.
    pub(super) fn count(&mut self, target: &Target, copy: &ArtifactId) {
        let slots = self.slots(target);
        slots.copies.insert(copy.clone(), target.copy_request(copy));
        if let Some(refusal) = &mut slots.refusal {
            refusal.limit = refusal.limit.max(slots.copies.len());
        }
    }

    /// Records that AWS accepts no more copies than there are now.
    pub(super) fn refuse(&mut self, target: &Target, error: &ProviderError, at: Timestamp) {
        let (error, slots) = (error.clone(), self.slots(target));
        let before = slots.refusal.as_ref().map(|refusal| refusal.limit);
        let limit = before.unwrap_or(usize::MAX).min(slots.taken());
        let named = named_limit(&error.message);
        slots.refusal = Some(Refusal {
            error,
            at,
            limit,
            named,
        });
    }

    /// Returns why a copy can't start now.
    pub(super) fn deferral(&self, target: &Target) -> Problem {
        let slots = self.0.get(&route(target));
        if let Some(refusal) = slots.and_then(|slots| slots.refusal.as_ref()) {
            return refusal.error.problem(NO_MORE_COPIES);
        }
        let max = target.request.kind.facts().max_concurrent_copies;
        let (_, from, to, _) = route(target);
        let message =
            format!("AWS's limit of {max} concurrent copies from {from} to {to} is reached");
        Problem::new(message).help(CONCURRENT_COPIES_HELP)
    }

    /// Drops a job's copies that are no longer observed to be in progress. After a transient read error they still count; after any
    /// other error they do not, so that a job that can no longer read them does not take slots from others forever.
    pub(super) fn update(&mut self, job: &JobName, answer: &Answer<Vec<Artifact>>) {
        let is_copied =
            |id: &ArtifactId, copy: &Artifact| copy.id == *id && copy.state.is_being_copied();
        let is_in_progress = |id: &ArtifactId| match answer {
            Ok(copies) => copies.iter().any(|copy| is_copied(id, copy)),
            Err(error) => error.class.is_transient(),
        };
        for slots in self.0.values_mut() {
            let copies = &mut slots.copies;
            copies.retain(|id, copy| copy.job != *job || is_in_progress(id));
        }
    }

    /// Returns the requests that show which copies are still in progress.
    pub(super) fn requests(&self) -> Vec<CopyRequest> {
        let copies = self.0.values().flat_map(|slots| slots.copies.values());
        copies.cloned().collect()
    }
}
