//! Copies in flight, kept within what AWS takes instead of running into it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::model::id::{AccountId, ActionId, JobName, Region};
use crate::model::problem::Problem;
use crate::model::provider_error::{COPIES_IN_FLIGHT_HELP, ProviderError};
use crate::model::words::count;

/// DB snapshot copies in flight into one region, for one account; it cannot be raised. See
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html>.
const MOST_SNAPSHOT_COPIES: usize = 20;

/// Image copies in flight into one region, for one account. Older documentation says 50. The larger number is the safer
/// one: if it is too large, AWS refuses a copy and that is heeded; if too small, copies would not be made that could be. See
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html>.
const MOST_IMAGE_COPIES: usize = 100;

/// How long after a refusal more copies are asked for. Places of our own come free without that, and each request in vain
/// counts against the rate that AWS allows an account.
const ASK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// What AWS counts copies in flight by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Destination {
    pub(super) account: AccountId,
    pub(super) region: Region,
    pub(super) copies: Copies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Copies {
    Images,
    Snapshots,
}

impl Copies {
    fn most(self) -> usize {
        match self {
            Self::Images => MOST_IMAGE_COPIES,
            Self::Snapshots => MOST_SNAPSHOT_COPIES,
        }
    }
}

/// The copies in flight that one apply knows of: those it has begun, and those that were there.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Destination, Flight>>);

/// Those into one destination.
struct Flight {
    /// By the job that knows of them; several may know of one.
    known: BTreeMap<JobName, BTreeSet<String>>,
    /// How many there may be: as many as AWS states, or as it has turned out to take.
    limit: usize,
    /// By how much the limit is raised next, once AWS has refused a copy: ever more, as long as it refuses none.
    step: usize,
    refusal: Option<Refusal>,
}

/// That AWS takes no more copies than it was found to.
struct Refusal {
    error: ProviderError,
    /// When that was found out, or the limit was raised after it.
    at: Timestamp,
}

impl Flight {
    fn to(to: &Destination) -> Self {
        Self {
            known: BTreeMap::new(),
            limit: to.copies.most(),
            step: 1,
            refusal: None,
        }
    }

    fn number(&self) -> usize {
        let copies: BTreeSet<&String> = self.known.values().flatten().collect();
        copies.len()
    }
}

impl Flights {
    /// Begins a copy, if there is room for one more; else why it is put off.
    pub(super) fn begin(
        &self,
        to: &Destination,
        job: &JobName,
        action: &ActionId,
    ) -> Result<(), Problem> {
        let mut flights = self.lock();
        let flight = flights.entry(to.clone()).or_insert_with(|| Flight::to(to));
        let number = flight.number();
        if number < flight.limit {
            let known = flight.known.entry(job.clone()).or_default();
            // Until the copy is known by its own name.
            known.insert(action.to_string());
            return Ok(());
        }
        Err(match &flight.refusal {
            Some(refusal) => refused(action, &refusal.error),
            None => Problem::new(format!(
                "{action} is deferred: {} into {}, and AWS takes no more than {}",
                count(number, "copy is under way", "copies are under way"),
                to.region,
                flight.limit
            ))
            .help(COPIES_IN_FLIGHT_HELP),
        })
    }

    /// Replaces what a job knows of copies in flight.
    pub(super) fn know(&self, to: &Destination, job: &JobName, copies: BTreeSet<String>) {
        let mut flights = self.lock();
        let flight = flights.entry(to.clone()).or_insert_with(|| Flight::to(to));
        if copies.is_empty() {
            flight.known.remove(job);
        } else {
            flight.known.insert(job.clone(), copies);
        }
    }

    /// AWS takes no more than there are without this one; why it is put off.
    pub(super) fn refuse(
        &self,
        to: &Destination,
        job: &JobName,
        action: &ActionId,
        error: &ProviderError,
        at: Timestamp,
    ) -> Problem {
        if let Some(flight) = self.lock().get_mut(to) {
            if let Some(known) = flight.known.get_mut(job) {
                known.remove(action.as_str());
            }
            flight.limit = flight.limit.min(flight.number());
            flight.step = 1;
            let error = error.clone();
            flight.refusal = Some(Refusal { error, at });
        }
        refused(action, error)
    }

    /// How many more copies may be begun.
    pub(super) fn room(&self, to: &Destination) -> usize {
        self.lock().get(to).map_or(to.copies.most(), |flight| {
            flight.limit.saturating_sub(flight.number())
        })
    }

    /// Where AWS has refused copies, more may be asked for from time to time: others' copies, which are not seen here, come
    /// to an end.
    pub(super) fn ask_for_more(&self, now: Timestamp) {
        for (to, flight) in self.lock().iter_mut() {
            let Some(refusal) = &mut flight.refusal else {
                continue;
            };
            if now.duration_since(refusal.at) < ASK_AGAIN {
                continue;
            }
            refusal.at = now;
            flight.limit = flight
                .limit
                .saturating_add(flight.step)
                .min(to.copies.most());
            flight.step = flight.step.saturating_mul(2);
            if flight.limit == to.copies.most() {
                flight.refusal = None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(action: &ActionId, error: &ProviderError) -> Problem {
    error.problem(format!(
        "{action} is deferred: AWS takes no more copies for the moment"
    ))
}
