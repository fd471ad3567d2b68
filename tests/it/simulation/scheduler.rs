//! Runs futures concurrently in an order determined by the seed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::random::Random;

/// One of the futures that run concurrently.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// If it takes more turns than this, something waits for what never comes.
const MOST_TURNS: usize = 2_000_000;

/// Gives turns to random tasks until all are done. Tasks wait for nothing but their turn.
pub fn side_by_side<T>(random: &mut Random, tasks: Vec<Task<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = tasks.iter().map(|_| None).collect();
    let mut waiting: Vec<(usize, Task<'_, T>)> = tasks.into_iter().enumerate().collect();
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_TURNS {
        if waiting.is_empty() {
            return done.into_iter().map(|done| done.expect("done")).collect();
        }
        let at = random.below(waiting.len());
        if let Poll::Ready(output) = waiting[at].1.as_mut().poll(&mut context) {
            let (number, _) = waiting.swap_remove(at);
            done[number] = Some(output);
        }
    }
    panic!("a run hangs");
}

/// Runs one task alone.
pub fn alone<T>(task: impl Future<Output = T>) -> T {
    let mut task = std::pin::pin!(task);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..MOST_TURNS {
        if let Poll::Ready(output) = task.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("a run hangs");
}
