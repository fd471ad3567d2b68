//! How long programs take.

use std::process::{Command, Output};
use std::time::Instant;

/// Runs a program to its end, and returns its output and the seconds it took.
pub(crate) fn timed(command: &mut Command) -> (Output, f64) {
    let start = Instant::now();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    (output, start.elapsed().as_secs_f64())
}

/// Returns the median of measurements, by one of their values.
pub(crate) fn median_by<T>(mut measured: Vec<T>, by: impl Fn(&T) -> f64) -> T {
    measured.sort_by(|a, b| by(a).total_cmp(&by(b)));
    let middle = measured.len() / 2;
    measured.swap_remove(middle)
}

/// Returns the median of numbers.
pub(crate) fn median(numbers: Vec<f64>) -> f64 {
    median_by(numbers, |number| *number)
}
