//! What the jobs of one apply share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Event, OnEvent};
use crate::model::client_config::ClientConfig;
use crate::model::id::Region;
use crate::model::problem::Problem;
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::Provider;

/// One apply, as its jobs see it.
pub(super) struct Session<'a> {
    pub(super) provider: &'a dyn Provider,
    on_event: OnEvent<'a>,
    stop: &'a AtomicBool,
    expired: Mutex<HashMap<(Arc<ClientConfig>, Region), ProviderError>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        provider: &'a dyn Provider,
        on_event: OnEvent<'a>,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            provider,
            on_event,
            stop,
            expired: Mutex::default(),
        }
    }

    pub(super) fn tell(&self, event: Event<'_>) {
        (self.on_event)(event);
    }

    /// Why nothing more can be begun with these credentials, if so: the apply was interrupted, or they have expired,
    /// which asking again does not change.
    pub(super) fn hindrance(
        &self,
        credentials: &Arc<ClientConfig>,
        regions: [&Region; 2],
    ) -> Option<Problem> {
        if self.stop.load(Ordering::Relaxed) {
            let problem = Problem::new("not begun: the apply was interrupted");
            return Some(problem.help("apply the same plan again: what is done is not done again"));
        }
        let expired = self.expired();
        let error = regions
            .into_iter()
            .find_map(|region| expired.get(&(Arc::clone(credentials), region.clone())))?;
        Some(error.problem("not begun: the credentials have expired"))
    }

    /// Remembers credentials that turned out to have expired.
    pub(super) fn note(&self, credentials: &Arc<ClientConfig>, error: &ProviderError) {
        if error.kind == ErrorKind::Expired {
            self.expired().insert(
                (Arc::clone(credentials), error.region.clone()),
                error.clone(),
            );
        }
    }

    fn expired(&self) -> MutexGuard<'_, HashMap<(Arc<ClientConfig>, Region), ProviderError>> {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
