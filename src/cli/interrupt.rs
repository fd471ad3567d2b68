//! Ctrl-C, SIGTERM and SIGHUP: while planning, stop; while applying, start nothing new, finish what is running and report.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

#[cfg(unix)]
const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGHUP];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// How often a command checks for signals, and does what else is due from time to time.
const INTERVAL: Duration = Duration::from_millis(50);

/// The signals since a command started to listen. Before it [`begins`](Self::begin), a signal ends the process at once. After
/// that, the first one is remembered, so that it is not lost between two stages of the work; the second one ends the process.
pub(super) struct Interrupts {
    received: Arc<AtomicBool>,
}

impl Interrupts {
    /// Starts to listen.
    pub(super) fn listen() -> Result<Self, Failure> {
        let received = Arc::new(AtomicBool::new(true));
        let code = Exit::Interrupted as i32;
        for signal in SIGNALS {
            // In this order: the flag that the first signal sets is seen only by the second one.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&received))
                .and_then(|_| flag::register(signal, Arc::clone(&received)))
                .map_err(Failure::Runtime)?;
        }
        Ok(Self { received })
    }

    /// Remembers the next signal: the work begins.
    pub(super) fn begin(&self) {
        self.received.store(false, Ordering::Relaxed);
    }

    /// Returns the flag that a signal sets.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.received
    }

    /// Returns true if there was a signal.
    pub(super) fn is_interrupted(&self) -> bool {
        self.received.load(Ordering::Relaxed)
    }

    /// Runs work that writes nothing, and abandons it at a signal. A signal during the last step of the work counts.
    pub(super) async fn run_abandonable<F: Future>(&self, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let mut output = None;
        while output.is_none() && !self.is_interrupted() {
            output = for_a_while(&mut work).await;
        }
        let is_wanted = |_: &F::Output| !self.is_interrupted();
        output.filter(is_wanted).ok_or(Failure::Interrupted)
    }

    /// Runs work that checks the flag itself: it starts nothing new, and finishes. `meanwhile` is called at each interval.
    pub(super) async fn run_to_end<F: Future>(
        &self,
        terminal: &Terminal,
        work: F,
        meanwhile: impl Fn(),
    ) -> F::Output {
        let mut work = pin!(work);
        let mut is_reported = false;
        loop {
            let output = for_a_while(&mut work).await;
            if self.is_interrupted() && !std::mem::replace(&mut is_reported, true) {
                terminal.warning(
                    "interrupted: nothing new is started, what is running is finished; interrupt again to stop at once",
                );
            }
            match output {
                Some(output) => return output,
                None => meanwhile(),
            }
        }
    }
}

/// Runs a future on this thread: most of the work is waiting.
pub(super) fn block_on<F: Future>(work: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    Ok(runtime.block_on(work))
}

/// Runs work until the next check for signals, and returns its output if it has ended. Signals come in real time, also to a
/// sandbox.
async fn for_a_while<F: Future + Unpin>(work: F) -> Option<F::Output> {
    tokio::time::timeout(INTERVAL, work).await.ok()
}

#[cfg(all(test, unix))]
mod tests {
    use signal_hook::consts::SIGHUP;
    use signal_hook::low_level::raise;

    use super::*;

    /// One test, because signals are sent to the whole process.
    #[test]
    fn no_signal_is_lost() {
        let interrupts = Interrupts::listen().expect("handlers");
        interrupts.begin();
        let undisturbed = block_on(interrupts.run_abandonable(std::future::ready(1)));
        assert!(matches!(undisturbed, Ok(Ok(1))));
        let hang_up = async { raise(SIGHUP).expect("a signal") };
        let waiting = async {
            tokio::join!(
                interrupts.run_abandonable(std::future::pending::<()>()),
                hang_up
            )
        };
        let (left, ()) = block_on(waiting).expect("a runtime");
        assert!(matches!(left, Err(Failure::Interrupted)));
        // The next stage notices it as well, although it never waits for anything.
        let next = block_on(interrupts.run_abandonable(std::future::ready(2)));
        assert!(matches!(next, Ok(Err(Failure::Interrupted))));

        interrupts.begin();
        let last_step = async { raise(SIGHUP).expect("a signal") };
        let left = block_on(interrupts.run_abandonable(last_step)).expect("a runtime");
        assert!(matches!(left, Err(Failure::Interrupted)));
    }
}
