//! Runs tests with limits on time and memory.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Far longer than any run takes, even on a busy machine, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Far more memory than all tests of this process need together.
const MAX_BYTES: u64 = 4 << 30;

/// Runs each case on its own thread. A case that panics, takes too long or needs too much memory fails the test, which names it. A
/// thread that hangs is left behind and ends with the process.
pub fn run_within_limits(cases: u64, run: impl Fn(u64) + Send + 'static) {
    run_within(PATIENCE, cases, run);
}

fn run_within(patience: Duration, cases: u64, run: impl Fn(u64) + Send + 'static) {
    let (started, is_started) = channel();
    let worker = thread::spawn(move || {
        for case in 0..cases {
            started.send(case).expect("the watch waits");
            run(case);
        }
    });
    let (mut current, mut since) = (0, Instant::now());
    loop {
        match is_started.recv_timeout(Duration::from_millis(50)) {
            Ok(case) => (current, since) = (case, Instant::now()),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        assert!(since.elapsed() < patience, "case {current} does not end");
        let bytes = resident_bytes().unwrap_or_default();
        assert!(bytes < MAX_BYTES, "case {current} takes {bytes} bytes");
    }
    assert!(worker.join().is_ok(), "case {current} panicked");
}

/// Returns how much memory this process uses, if the system states it.
fn resident_bytes() -> Option<u64> {
    const PAGE: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}

#[test]
#[should_panic(expected = "case 3 panicked")]
fn a_case_that_panics_is_named() {
    run_within_limits(9, |case| assert_ne!(case, 3));
}

#[test]
#[should_panic(expected = "case 3 does not end")]
fn a_case_that_does_not_end_is_named() {
    run_within(Duration::from_secs(1), 9, |case| {
        if case == 3 {
            thread::sleep(PATIENCE);
        }
    });
}
