//! A copy that AWS has accepted, until it is available.

use std::collections::BTreeSet;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::model::inventory::{Found, Looked, State};
use crate::model::problem::Problem;
use crate::model::provider_error::ErrorKind;

/// How long a copy may be missing from AWS's listings before it counts as gone: they may lag behind for so long.
const MOST_MISSING: SignedDuration = SignedDuration::from_secs(150);

/// How long a copy may stay in a state of which it is not known whether it ever ends; RDS has no closed list of states.
const MOST_UNKNOWN: SignedDuration = SignedDuration::from_hours(1);

/// For how long every look may fail before nothing more is to be expected: longer than a storm of throttles.
const MOST_BLIND: SignedDuration = SignedDuration::from_mins(10);

/// How far apart two looks that fail may be to be told of as one silence: longer than the pause between looks and the time
/// that a region takes which does not answer.
const MOST_APART: SignedDuration = SignedDuration::from_mins(5);

/// Looks that failed, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Silence {
    since: Timestamp,
    last: Timestamp,
}

impl Silence {
    /// Goes on, or begins, with a look that failed now.
    pub(super) fn after(before: Option<Self>, now: Timestamp) -> Self {
        let before = before.filter(|before| now.duration_since(before.last) <= MOST_APART);
        Self {
            since: before.map_or(now, |before| before.since),
            last: now,
        }
    }

    /// Whether nothing more is to be expected.
    pub(super) fn is_too_long(self) -> bool {
        self.last.duration_since(self.since) > MOST_BLIND
    }
}

/// A copy under way.
pub(super) struct Awaited {
    pub(super) id: String,
    /// As it was last seen; nothing before the first time.
    pub(super) seen: Option<Seen>,
    last_seen: Timestamp,
    /// Since when it is as it was last seen.
    unchanged_since: Timestamp,
    /// Since it could last be looked at.
    silence: Option<Silence>,
}

/// An image or snapshot, as far as waiting for it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) state: State,
    pub(super) percent: Option<u8>,
    reason: Option<String>,
}

/// What comes of looking at a copy under way.
pub(super) enum Standing {
    UnderWay,
    /// It is there, to be used.
    There,
    /// It will not come, or it cannot be told.
    Lost(Problem),
}

impl Awaited {
    pub(super) fn new(id: String, accepted: Timestamp) -> Self {
        Self {
            id,
            seen: None,
            last_seen: accepted,
            unchanged_since: accepted,
            silence: None,
        }
    }

    /// Takes over what was seen at that time.
    pub(super) fn learn(&mut self, found: &Found, at: Timestamp) -> Standing {
        let id = &self.id;
        let looked = copy(found, id);
        let silence = Silence::after(self.silence.take(), at);
        match looked {
            Err(error) => {
                if may_pass(error.kind) && !silence.is_too_long() {
                    self.silence = Some(silence);
                    return Standing::UnderWay;
                }
                Standing::Lost(error.problem(format!(
                    "failed to look at {id}, which AWS had begun to copy"
                )))
            }
            Ok(None) if at.duration_since(self.last_seen) <= MOST_MISSING => Standing::UnderWay,
            Ok(None) => Standing::Lost(
                Problem::new(format!("the copy {id} is gone"))
                    .help("plan again: a copy that is missing is made anew"),
            ),
            Ok(Some(seen)) => {
                self.last_seen = at;
                if self.seen.as_ref() != Some(&seen) {
                    self.unchanged_since = at;
                }
                let standing = seen.standing(id, at.duration_since(self.unchanged_since));
                self.seen = Some(seen);
                standing
            }
        }
    }

    /// The problem of a copy that is waited for no longer.
    pub(super) fn still_under_way(&self, why: &str) -> Problem {
        let seen = self.seen.as_ref().map(Seen::to_string);
        let seen = seen.map_or(String::new(), |seen| format!(" ({seen})"));
        Problem::new(format!(
            "the copy {} is still under way{seen}: {why}",
            self.id
        ))
        .help(
            "AWS goes on copying; apply the same plan, or run, again with --wait for what is to follow: nothing is copied twice",
        )
    }
}

/// Whether looking again may fare better.
pub(super) fn may_pass(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Throttled | ErrorKind::Quota | ErrorKind::Unknown => true,
        ErrorKind::Absent | ErrorKind::Denied | ErrorKind::Expired | ErrorKind::Invalid => false,
    }
}

impl Seen {
    fn standing(&self, id: &str, unchanged: SignedDuration) -> Standing {
        let Self { state, reason, .. } = self;
        if state.is_in_flight() || state.is_under_way() && unchanged <= MOST_UNKNOWN {
            return Standing::UnderWay;
        }
        if state.is_available() || state.is_disabled() {
            return Standing::There;
        }
        let reason = reason.as_ref();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let problem = Problem::new(format!(
            "the copy {id} did not become available; its state is {state}{reason}"
        ));
        Standing::Lost(problem.help(if state.is_under_way() {
            "see what AWS says of that state: the copy counts as one until it has failed or is deleted"
        } else {
            "plan again: a copy that failed is made anew"
        }))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent {
            Some(percent) => write!(f, "{}, {percent}%", self.state),
            None => write!(f, "{}", self.state),
        }
    }
}

/// A copy by its id.
fn copy(found: &Found, id: &str) -> Looked<Option<Seen>> {
    match found {
        Found::Images { copies, .. } => {
            let copy = copies.as_ref().map_err(Clone::clone)?;
            let copy = copy.iter().find(|image| image.id.as_str() == id);
            Ok(copy.map(|image| Seen {
                state: image.state.clone(),
                percent: None,
                reason: image.state_reason.clone(),
            }))
        }
        Found::Snapshots { copies, .. } => {
            let copy = copies.as_ref().map_err(Clone::clone)?;
            let copy = copy.iter().find(|snapshot| snapshot.id.as_str() == id);
            Ok(copy.map(|snapshot| Seen {
                state: snapshot.status.clone(),
                percent: snapshot.percent,
                reason: None,
            }))
        }
    }
}

/// The copies that AWS counts as in flight; nothing if it could not be looked.
pub(super) fn in_flight(found: &Found) -> Option<BTreeSet<String>> {
    match found {
        Found::Images { copies, .. } => {
            let copies = copies.as_ref().ok()?.iter();
            let flying = copies.filter(|image| image.state.is_in_flight());
            Some(flying.map(|image| image.id.to_string()).collect())
        }
        Found::Snapshots { copies, .. } => {
            let copies = copies.as_ref().ok()?.iter();
            let flying = copies.filter(|snapshot| snapshot.status.is_in_flight());
            Some(flying.map(|snapshot| snapshot.id.to_string()).collect())
        }
    }
}
