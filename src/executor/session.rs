//! What the jobs of one apply share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::awaited::Silence;
use super::flights::Flights;
use super::{Event, OnEvent, Options, Wait};
use crate::model::client_config::Place;
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::Provider;

/// One apply, as its jobs see it.
pub(super) struct Session<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) flights: Flights,
    /// How many jobs are worked on side by side.
    pub(super) parallelism: usize,
    /// Whether copies are waited for until they are available.
    pub(super) waits: bool,
    on_event: OnEvent<'a>,
    stop: &'a AtomicBool,
    /// Where credentials have expired, and the error that told.
    expired: Mutex<HashMap<Place, ProviderError>>,
    /// Where the last look before a copy that was put off has failed.
    silent: Mutex<HashMap<Place, Silence>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        provider: &'a dyn Provider,
        options: Options<'a>,
        on_event: OnEvent<'a>,
    ) -> Self {
        Self {
            provider,
            flights: Flights::default(),
            parallelism: options.parallelism.max(1),
            waits: options.wait != Wait::No,
            on_event,
            stop: options.stop,
            expired: Mutex::default(),
            silent: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        (self.on_event)(event);
    }

    /// Whether the apply was interrupted.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Why nothing more can be begun in these places, if so: the apply was interrupted, or the credentials have expired,
    /// which asking again does not change.
    pub(super) fn hindrance(&self, places: [&Place; 2]) -> Option<Problem> {
        if self.is_stopped() {
            let problem = Problem::new("not begun: the apply was interrupted");
            return Some(
                problem.help("apply the same plan, or run, again: what is done is not done again"),
            );
        }
        let error = self.expired(places)?;
        Some(error.problem("not begun: the credentials have expired"))
    }

    /// The error that told that the credentials have expired in one of these places, if they have.
    pub(super) fn expired(&self, places: [&Place; 2]) -> Option<ProviderError> {
        let known = self.known_expired();
        let mut errors = places.into_iter().filter_map(|place| known.get(place));
        errors.next().cloned()
    }

    /// Remembers credentials that turned out to have expired.
    pub(super) fn note_expired(&self, at: Place, error: &ProviderError) {
        if error.kind == ErrorKind::Expired {
            self.known_expired().insert(at, error.clone());
        }
    }

    /// Remembers that a place does not answer; since when.
    pub(super) fn note_silence(&self, at: Place) -> Silence {
        let now = self.provider.now();
        let mut silent = self.silent();
        let silence = Silence::after(silent.get(&at).copied(), now);
        silent.insert(at, silence);
        silence
    }

    /// Remembers that these places answer.
    pub(super) fn note_answer(&self, from: [&Place; 2]) {
        let mut silent = self.silent();
        for place in from {
            silent.remove(place);
        }
    }

    /// One of these places that does not answer, if any.
    pub(super) fn silent_one<'p>(&self, places: [&'p Place; 2]) -> Option<&'p Place> {
        let silent = self.silent();
        let mut places = places.into_iter();
        places.find(|place| silent.contains_key(*place))
    }

    fn silent(&self) -> MutexGuard<'_, HashMap<Place, Silence>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_expired(&self) -> MutexGuard<'_, HashMap<Place, ProviderError>> {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
