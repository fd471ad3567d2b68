//! Ctrl-C, SIGTERM and SIGHUP: while planning, leave; while applying, begin nothing new, finish and report.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::SigId;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// How often a command glances up from its work: for a signal, and for what else is to be done now and then.
const GLANCE: Duration = Duration::from_millis(50);

/// What a command has heard of signals since it began to listen: the first is remembered for good, so that none is
/// lost between two stages of the work; the second ends the process there and then.
pub(super) struct Interrupts {
    heard: Arc<AtomicBool>,
    handlers: Vec<SigId>,
}

impl Interrupts {
    /// Begins to listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let mut interrupts = Self {
            heard: Arc::default(),
            handlers: Vec::new(),
        };
        for signal in SIGNALS {
            let heard = || Arc::clone(&interrupts.heard);
            // In this order: the second signal finds the flag that the first has set.
            let leave =
                flag::register_conditional_shutdown(signal, i32::from(Exit::INTERRUPTED), heard());
            let remember = flag::register(signal, heard());
            for handler in [leave, remember] {
                interrupts.handlers.push(handler.map_err(Failure::Runtime)?);
            }
        }
        Ok(interrupts)
    }

    /// Set once a signal was heard.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.heard
    }

    /// Whether a signal was heard.
    pub(super) fn heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    /// Work that writes nothing, left where it stands at a signal. One that comes with the work's last step counts.
    pub(super) async fn leave_at_once<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        let output = tokio::select! {
            output = work => Some(output),
            () = self.signal() => None,
        };
        output.filter(|_| !self.heard()).ok_or(Failure::Interrupted)
    }

    /// Work that heeds the flag itself: it begins nothing new and comes to its end. `meanwhile` is called at each glance.
    pub(super) async fn watch<F: Future>(
        &self,
        terminal: &Terminal,
        work: F,
        meanwhile: impl Fn(),
    ) -> F::Output {
        let mut work = pin!(work);
        let mut is_told = false;
        loop {
            let output = tokio::select! {
                output = &mut work => Some(output),
                () = glance() => None,
            };
            if self.heard() && !std::mem::replace(&mut is_told, true) {
                terminal.warning(
                    "interrupted: nothing new is begun, what is under way is finished; again to leave at once",
                );
            }
            match output {
                Some(output) => return output,
                None => meanwhile(),
            }
        }
    }

    async fn signal(&self) {
        while !self.heard() {
            glance().await;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "signals come in the time of the machine, also to a sandbox"
)]
async fn glance() {
    tokio::time::sleep(GLANCE).await;
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::consts::SIGHUP;
    use signal_hook::low_level::raise;

    use super::*;
    use crate::cli::world::block_on;

    /// One test, for signals are of the whole process.
    #[test]
    fn no_signal_is_lost() {
        let interrupts = Interrupts::listen().expect("handlers");
        let calm = block_on(interrupts.leave_at_once(std::future::ready(1)));
        assert!(matches!(calm, Ok(Ok(1))));
        let hang_up = async { raise(SIGHUP).expect("a signal") };
        let waiting = async {
            tokio::join!(
                interrupts.leave_at_once(std::future::pending::<()>()),
                hang_up
            )
        };
        let (left, ()) = block_on(waiting).expect("a runtime");
        assert!(matches!(left, Err(Failure::Interrupted)));
        // The next stage has heard of it, too, though it never waits for anything.
        let next = block_on(interrupts.leave_at_once(std::future::ready(2)));
        assert!(matches!(next, Ok(Err(Failure::Interrupted))));
        drop(interrupts);

        let interrupts = Interrupts::listen().expect("handlers");
        let last_step = async { raise(SIGHUP).expect("a signal") };
        let left = block_on(interrupts.leave_at_once(last_step)).expect("a runtime");
        assert!(matches!(left, Err(Failure::Interrupted)));
    }
}
