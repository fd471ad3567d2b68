//! How long an apply waits, and the pauses between its reads of copies in progress.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};

/// Short at first, so that small copies are noticed soon. The jitter of `backon`, which at most doubles a pause, keeps several applies
/// from reading at the same time; with it the first pause is about half a second, and none is longer than a minute.
const PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_jitter()
    .with_factor(1.5)
    .with_min_delay(Duration::from_millis(300))
    .with_max_delay(Duration::from_secs(30))
    .without_max_times();

/// A wait that has begun.
pub(super) struct WaitTime {
    since: Timestamp,
    limit: SignedDuration,
    pauses: ExponentialBackoff,
}

impl WaitTime {
    pub(super) fn new(limit: SignedDuration, now: Timestamp) -> Self {
        Self {
            since: now,
            limit,
            pauses: pauses(now),
        }
    }

    /// Makes the pauses short again.
    pub(super) fn restart_pauses(&mut self, now: Timestamp) {
        self.pauses = pauses(now);
    }

    /// Takes the next pause, or returns `None` if the limit has been reached.
    pub(super) fn next_pause(&mut self, now: Timestamp) -> Option<Duration> {
        let left = self.limit.saturating_sub(now.duration_since(self.since));
        let left = Duration::try_from(left)
            .ok()
            .filter(|left| !left.is_zero())?;
        self.pauses.next().map(|pause| pause.min(left))
    }
}

/// Returns the pauses from now on. The provider's clock seeds the jitter, so that a sandbox is deterministic.
fn pauses(now: Timestamp) -> ExponentialBackoff {
    let seed = now.as_millisecond().unsigned_abs();
    PAUSES.with_jitter_seed(seed).build()
}
