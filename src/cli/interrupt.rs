//! Ctrl-C, SIGTERM and SIGHUP: while planning, leave; while applying, begin nothing new, finish and report.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit::Failure;
use super::terminal::Terminal;

/// Work that writes nothing, left where it stands at the first signal.
pub(super) async fn leave_at_once<F: Future>(work: F) -> Result<F::Output, Failure> {
    tokio::select! {
        output = work => Ok(output),
        () = signal() => Err(Failure::Interrupted),
    }
}

/// Waits for Ctrl-C, SIGTERM or SIGHUP.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hang_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = hang_up.recv() => return,
                heard = tokio::signal::ctrl_c() => if heard.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // No signals can be heard here, so none is ever the reason to stop.
        std::future::pending::<()>().await;
    }
}

/// Does the work while listening: the first signal sets `stop`, upon which the work begins nothing new and comes to its
/// end; the second ends the process, as if nobody were listening.
pub(super) async fn watch<F: Future>(stop: &AtomicBool, terminal: &Terminal, work: F) -> F::Output {
    let mut work = pin!(work);
    tokio::select! {
        output = &mut work => return output,
        () = signal() => {}
    }
    stop.store(true, Ordering::Relaxed);
    terminal.warning(
        "interrupted: nothing new is begun, what is under way is finished; again to leave at once",
    );
    tokio::select! {
        output = work => output,
        () = signal() => leave(),
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "asked to leave at once, for the second time"
)]
fn leave<T>() -> T {
    std::process::exit(130)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::cli::world::block_on;

    #[test]
    fn a_lost_terminal_is_an_interrupt() {
        let hang_up = async {
            // It is listened for by now: the other future was polled first.
            let kill = format!("kill -HUP {}", std::process::id());
            let status = std::process::Command::new("sh")
                .args(["-c", &kill])
                .status();
            assert!(status.is_ok_and(|status| status.success()));
        };
        let both = async { tokio::join!(leave_at_once(std::future::pending::<()>()), hang_up) };
        let (ended, ()) = block_on(both).expect("a runtime");
        assert!(matches!(ended, Err(Failure::Interrupted)));
    }
}
