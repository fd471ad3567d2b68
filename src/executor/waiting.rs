//! Waiting for copies, and beginning those that were put off when others are done.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures::future::join;
use jiff::{SignedDuration, Timestamp};

use super::flights::Destination;
use super::job_run::JobRun;
use super::session::Session;
use super::{Wait, carry_out, look_at_copies};
use crate::model::action::Wave;
use crate::model::client_config::{Place, sha256};
use crate::model::words::span;

/// The pause before the first look, in milliseconds; who has little to copy is not kept waiting.
const FIRST_PAUSE: u64 = 500;

/// By how much each pause is longer than the one before, in percent.
const GROWTH: u64 = 50;

/// The longest pause, in milliseconds: copies take hours, and a minute more does not matter.
const LONGEST_PAUSE: u64 = 60_000;

/// By how much a pause may be shorter by chance, in percent, so that many who wait do not all look at once.
const JITTER: u64 = 20;

/// An interrupt is heeded within so long.
const SLICE: Duration = Duration::from_secs(1);

/// Begins copies that were put off for as long as others turn out to be done.
pub(super) async fn begin_all_there_is_room_for(session: &Session<'_>, runs: &mut [JobRun<'_>]) {
    let mut left = put_off(runs);
    while left > 0 {
        begin_put_off(session, runs).await;
        let before = std::mem::replace(&mut left, put_off(runs));
        if left >= before {
            return;
        }
    }
}

/// Looks at the copies in flight, and begins as many of those that were put off as there is room for now. Meanwhile the
/// sources of those begun before get their tags.
async fn begin_put_off(session: &Session<'_>, runs: &mut [JobRun<'_>]) {
    let under_way = runs.iter().filter_map(JobRun::look_again_at_copies);
    let look = look_at_copies(session, under_way.collect());
    let (copies, ()) = join(look, carry_out(session, runs.iter_mut(), Wave::Tags)).await;
    runs.iter_mut().for_each(|run| run.learn_copies(&copies));
    session.flights.ask_for_more(session.provider.now());
    // Where no answer comes, it is asked again for one of its jobs, beyond the room that others can take; its other jobs
    // come last.
    let mut silent: HashSet<Place> = HashSet::new();
    let mut room: HashMap<Destination, usize> = HashMap::new();
    let mut fits = |run: &JobRun<'_>, takes_a_place: bool| {
        let Some(to) = run.put_off_to() else {
            return false;
        };
        let room = room
            .entry(to.clone())
            .or_insert_with(|| session.flights.room(to));
        let fits = *room > 0;
        *room = room.saturating_sub(usize::from(takes_a_place));
        fits
    };
    let (mut due, mut last) = (Vec::new(), Vec::new());
    for run in runs.iter_mut().filter(|run| run.put_off_to().is_some()) {
        let silent_end = run.silent_end();
        let is_probe = silent_end.is_some();
        if silent_end.is_some_and(|end| !silent.insert(end)) {
            last.push(run);
        } else if fits(run, !is_probe) {
            due.push(run);
        }
    }
    due.extend(last.into_iter().filter(|run| fits(run, true)));
    carry_out(session, due, Wave::Copies).await;
}

fn put_off(runs: &[JobRun<'_>]) -> usize {
    runs.iter().filter(|run| run.put_off_to().is_some()).count()
}

/// Stays until no copy is put off or under way any more, or the wait has come to its end.
pub(super) async fn wait(session: &Session<'_>, runs: &mut [JobRun<'_>], wait: Wait) {
    let limit = match wait {
        Wait::No => {
            runs.iter_mut().for_each(JobRun::give_up);
            return;
        }
        Wait::UpTo(limit) => limit,
        Wait::ToTheEnd => SignedDuration::MAX,
    };
    runs.iter().for_each(JobRun::tell_if_put_off);
    let begun = session.provider.now();
    let mut pauses = Pauses::since(begun);
    while runs.iter().any(JobRun::waits) {
        let left = limit.saturating_sub(session.provider.now().duration_since(begun));
        let over = if session.is_stopped() {
            Some("the apply was interrupted".to_owned())
        } else if !left.is_positive() {
            let limit = span(limit.as_secs());
            Some(format!("it was waited for {limit}, and that was the limit"))
        } else {
            None
        };
        if let Some(why) = over {
            runs.iter_mut().for_each(|run| run.stop_waiting(&why));
            return;
        }
        let left = Duration::try_from(left).unwrap_or(Duration::MAX);
        pause(session, pauses.next_one().min(left)).await;
        if session.is_stopped() {
            continue;
        }
        let before = put_off(runs);
        if before > 0 {
            begin_put_off(session, runs).await;
            carry_out(session, runs.iter_mut(), Wave::Tags).await;
            // Then copies have begun, as a rule, and these may be short ones.
            if put_off(runs) < before {
                pauses.start_over();
            }
        } else {
            let waited_for = runs.iter().filter(|run| run.is_waited_for());
            let under_way = waited_for.filter_map(JobRun::look_again_at_copies);
            let copies = look_at_copies(session, under_way.collect()).await;
            runs.iter_mut().for_each(|run| run.learn_copies(&copies));
        }
        for run in runs.iter_mut().filter(|run| run.has_expired()) {
            run.stop_waiting("the credentials have expired");
        }
    }
}

/// Pauses, and less long if the apply is interrupted meanwhile.
async fn pause(session: &Session<'_>, length: Duration) {
    let mut left = length;
    while !left.is_zero() && !session.is_stopped() {
        let slice = left.min(SLICE);
        session.provider.pause(slice).await;
        left = left.saturating_sub(slice);
    }
}

/// The pauses between looks: short at first and whenever a copy has begun, then ever longer.
struct Pauses {
    seed: Timestamp,
    number: usize,
    next: u64,
}

impl Pauses {
    fn since(seed: Timestamp) -> Self {
        Self {
            seed,
            number: 0,
            next: FIRST_PAUSE,
        }
    }

    fn start_over(&mut self) {
        self.next = FIRST_PAUSE;
    }

    fn next_one(&mut self) -> Duration {
        let pause = self.next * (100 - self.chance() % (JITTER + 1)) / 100;
        self.number += 1;
        self.next = (self.next * (100 + GROWTH) / 100).min(LONGEST_PAUSE);
        Duration::from_millis(pause)
    }

    /// Another number for each pause and each apply, and the same if all is the same.
    fn chance(&self) -> u64 {
        let hash = sha256(format!("{} {}", self.seed, self.number).as_bytes());
        let digits = hash.rsplit(':').next().and_then(|hex| hex.get(..4));
        let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        number.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_half_a_second_to_a_minute() {
        let mut pauses = Pauses::since(Timestamp::UNIX_EPOCH);
        let lengths: Vec<f64> = (0..40).map(|_| pauses.next_one().as_secs_f64()).collect();
        assert!((0.4..=0.5).contains(&lengths[0]), "{lengths:?}");
        assert!(lengths.iter().all(|length| *length <= 60.0), "{lengths:?}");
        let late = &lengths[20..];
        assert!(late.iter().all(|length| *length >= 48.0), "{lengths:?}");
        assert!(late.windows(2).any(|two| two[0] != two[1]), "{lengths:?}");

        pauses.start_over();
        let again: Vec<f64> = (0..2).map(|_| pauses.next_one().as_secs_f64()).collect();
        assert!((0.4..=0.5).contains(&again[0]), "{again:?}");
        assert!((0.6..=0.75).contains(&again[1]), "{again:?}");
    }
}
