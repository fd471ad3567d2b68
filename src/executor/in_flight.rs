//! The copies in progress, counted as AWS counts them: per account, destination region and kind.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::precondition::Target;
use crate::model::action::Copy;
use crate::model::artifact::Artifact;
use crate::model::client_config::ClientConfig;
use crate::model::ids::{AccountId, ArtifactId, JobName, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::{CONCURRENT_COPIES_HELP, ProviderError};
use crate::observe::{CopyRequest, Request};

/// How long after a refusal another copy is tried. A slot that a known copy leaves is taken without that, and every request in
/// vain counts against the rate that AWS allows an account.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// What AWS counts concurrent copies by.
type Destination = (AccountId, Region, Kind);

fn destination(target: &Target) -> Destination {
    let request = &target.request;
    (
        target.account.clone(),
        request.destination.region.clone(),
        request.kind,
    )
}

/// The copies in progress that an apply knows of: those that it has started, and those that it has observed.
#[derive(Default)]
pub(super) struct InFlightCopies(HashMap<Destination, Slots>);

/// The copies into one destination.
struct Slots {
    /// With the job that knows of it, and where it can be read.
    copies: BTreeMap<ArtifactId, (JobName, Location)>,
    /// The jobs that are about to start a copy.
    reserved: BTreeSet<JobName>,
    /// How many copies there can be: as many as AWS documents, or fewer if it has refused one.
    limit: usize,
    refusal: Option<Refusal>,
}

struct Refusal {
    error: ProviderError,
    at: Timestamp,
}

impl Slots {
    fn new(max: usize) -> Self {
        Self {
            copies: BTreeMap::new(),
            reserved: BTreeSet::new(),
            limit: max,
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

    fn insert(&mut self, copy: &ArtifactId, job: &JobName, at: Location) {
        self.copies.insert(copy.clone(), (job.clone(), at));
        self.limit = self.limit.max(self.copies.len());
    }
}

impl InFlightCopies {
    fn slots(&mut self, to: Destination) -> &mut Slots {
        let max = to.2.facts().max_concurrent_copies;
        self.0.entry(to).or_insert_with(|| Slots::new(max))
    }

    /// Returns true if the job has a slot, or there is one for it.
    pub(super) fn has_slot(&self, target: &Target, now: Timestamp) -> bool {
        let request = &target.request;
        let max = request.kind.facts().max_concurrent_copies;
        let slots = self.0.get(&destination(target));
        slots.is_none_or(|slots| slots.reserved.contains(&request.job) || slots.has_room(max, now))
    }

    /// Reserves a slot for the copy that a job is about to start.
    pub(super) fn reserve(&mut self, target: &Target) {
        let slots = self.slots(destination(target));
        slots.reserved.insert(target.request.job.clone());
    }

    /// Gives up the slot of a job: its copy is counted from now on, or does not start.
    pub(super) fn release(&mut self, target: &Target) {
        if let Some(slots) = self.0.get_mut(&destination(target)) {
            slots.reserved.remove(&target.request.job);
        }
    }

    /// Counts a copy that AWS has accepted or was observed to make.
    pub(super) fn count(&mut self, target: &Target, copy: &ArtifactId) {
        let Request {
            job,
            destination: at,
            ..
        } = &target.request;
        self.slots(destination(target))
            .insert(copy, job, at.clone());
    }

    /// Counts the copy that AWS was making when the plan was made, if the plan makes no other.
    pub(super) fn count_planned(&mut self, plan: &JobPlan, credentials: &Arc<ClientConfig>) {
        if let (Some(copy), Some(account), Some(end), Some(kind)) = (
            plan.copy_being_made(),
            &plan.account_id,
            &plan.destination,
            plan.kind(),
        ) {
            let (credentials, region) = (Arc::clone(credentials), end.region.clone());
            let slots = self.slots((account.clone(), region.clone(), kind));
            slots.insert(
                copy,
                &plan.name,
                Location {
                    credentials,
                    region,
                },
            );
        }
    }

    /// Lowers the limit to what AWS has accepted.
    pub(super) fn refuse(&mut self, target: &Target, error: &ProviderError, at: Timestamp) {
        let slots = self.slots(destination(target));
        slots.limit = slots.limit.min(slots.number());
        slots.refusal = Some(Refusal {
            error: error.clone(),
            at,
        });
    }

    /// Returns why a copy can't start now.
    pub(super) fn deferral(&self, target: &Target, copy: &Copy) -> Problem {
        let slots = self.0.get(&destination(target));
        if let Some(refusal) = slots.and_then(|slots| slots.refusal.as_ref()) {
            return refused(copy, &refusal.error);
        }
        let max = copy.kind.facts().max_concurrent_copies;
        let (id, region) = (&copy.id, &copy.copy.region);
        let message = format!(
            "{id} is deferred: AWS's limit of {max} concurrent copies into {region} is reached"
        );
        Problem::new(message).help(CONCURRENT_COPIES_HELP)
    }

    /// Keeps of the copies that a job knows of those that were observed to be copied. Copies that can't be read at the moment
    /// still count, but a job that can't read them any more must not take the slots of others for ever.
    pub(super) fn update(&mut self, job: &JobName, answer: &Answer<Vec<Artifact>>) {
        let is_in_progress = |id: &ArtifactId| match answer {
            Ok(copies) => copies
                .iter()
                .any(|copy| copy.id == *id && copy.state.is_being_copied()),
            Err(error) => error.class.is_transient(),
        };
        for slots in self.0.values_mut() {
            slots
                .copies
                .retain(|id, (knows, _)| knows != job || is_in_progress(id));
        }
    }

    /// Returns what has to be read to learn which copies are still in progress, by job.
    pub(super) fn requests(&self) -> BTreeMap<JobName, CopyRequest> {
        let mut requests = BTreeMap::new();
        for ((_, _, kind), slots) in &self.0 {
            for (id, (job, at)) in &slots.copies {
                let request = requests.entry(job.clone());
                let request = request.or_insert_with(|| CopyRequest {
                    job: job.clone(),
                    kind: *kind,
                    at: at.clone(),
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
