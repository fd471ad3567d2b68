//! The life of a copy that is waited for, from when AWS has accepted it until it is available or lost.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::identity::Source;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::kind::CopyId;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::reason::StopReason;

/// How long a copy may be missing from AWS's listings, which lag behind its answers, before it counts as gone.
const MAX_LISTING_LAG: SignedDuration = SignedDuration::from_secs(150);

/// How long reads may fail before they end the wait: longer than a storm of throttles.
pub(super) const MAX_UNREADABLE: SignedDuration = SignedDuration::from_mins(10);

/// How long a copy may stay in a state that may or may not end: RDS documents no closed list of states.
const MAX_UNKNOWN_STATE: SignedDuration = SignedDuration::from_hours(1);

/// A copy in progress.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AwaitedCopy {
    pub(super) id: ArtifactId,
    /// As it was last observed; nothing before the first time.
    progress: Option<Progress>,
    last_seen: Timestamp,
    unchanged_since: Timestamp,
    /// When the first of the reads failed that have failed since it was last observed.
    unreadable_since: Option<Timestamp>,
}

/// How far a copy is.
#[derive(Clone, Debug, PartialEq)]
struct Progress {
    state: ArtifactState,
    percent: Option<u8>,
}

/// What has become of a copy that is waited for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CopyStatus {
    InProgress(AwaitedCopy),
    Available,
    /// It will not become available, or it is not known whether it will.
    Lost(Problem),
}

impl AwaitedCopy {
    pub(super) fn new(id: ArtifactId, now: Timestamp) -> Self {
        Self {
            id,
            progress: None,
            last_seen: now,
            unchanged_since: now,
            unreadable_since: None,
        }
    }

    /// Returns true if the copy was observed to have changed.
    pub(super) fn has_changed(&self, copy: &Artifact) -> bool {
        self.progress.as_ref() != Some(&Progress::of(copy))
    }

    /// Returns what has become of the copy, by what was observed at that time. `source` is given if the job itself copies it.
    pub(super) fn observed(
        self,
        answer: &Answer<Vec<Artifact>>,
        source: Option<&Source<'_>>,
        at: Timestamp,
    ) -> CopyStatus {
        match answer {
            Err(error) => self.unreadable(error, at),
            Ok(copies) => match copies.iter().find(|copy| copy.id == self.id) {
                Some(copy) => self.seen(copy, source, at),
                None if at.duration_since(self.last_seen) <= MAX_LISTING_LAG => {
                    CopyStatus::InProgress(self)
                }
                None => CopyStatus::Lost(again(format!("the copy {} is gone", self.id))),
            },
        }
    }

    fn unreadable(self, error: &ProviderError, at: Timestamp) -> CopyStatus {
        let since = self.unreadable_since.unwrap_or(at);
        if error.class.is_transient() && at.duration_since(since) <= MAX_UNREADABLE {
            return CopyStatus::InProgress(Self {
                unreadable_since: Some(since),
                ..self
            });
        }
        CopyStatus::Lost(error.problem(format!("failed to read the state of the copy {}", self.id)))
    }

    fn seen(self, copy: &Artifact, source: Option<&Source<'_>>, at: Timestamp) -> CopyStatus {
        let unchanged_since = if self.has_changed(copy) {
            at
        } else {
            self.unchanged_since
        };
        let state = &copy.state;
        let unchanged = at.duration_since(unchanged_since);
        if state.is_being_copied() || state.is_in_progress() && unchanged <= MAX_UNKNOWN_STATE {
            return CopyStatus::InProgress(Self {
                id: self.id,
                progress: Some(Progress::of(copy)),
                last_seen: at,
                unchanged_since,
                unreadable_since: None,
            });
        }
        if state.is_available() || state.is_disabled() {
            return if source.is_some_and(|source| is_something_else(copy, source)) {
                let noun = copy.kind;
                CopyStatus::Lost(again(format!(
                    "the copy {} is gone, and another {noun} has its id",
                    self.id
                )))
            } else {
                CopyStatus::Available
            };
        }
        let reason = copy.state_reason.as_ref();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let message = format!(
            "the copy {} did not become available; its state is {state}{reason}",
            self.id
        );
        CopyStatus::Lost(if state.is_in_progress() {
            Problem::new(message)
                .help("check what AWS says about that state: no other copy is made until this one has failed or is deleted")
        } else {
            again(message)
        })
    }

    /// Returns the problem of a job that waits for the copy no longer.
    pub(super) fn still_in_progress(&self, why: &StopReason) -> Problem {
        let progress = self.progress.as_ref();
        let progress = progress.map_or(String::new(), |progress| format!(" ({progress})"));
        Problem::new(format!(
            "the copy {} is still in progress{progress}: {why}",
            self.id
        ))
        .help("AWS goes on copying; apply the same plan, or run, again with --wait for the rest: nothing is copied twice")
    }
}

impl Progress {
    fn of(copy: &Artifact) -> Self {
        Self {
            state: copy.state.clone(),
            percent: copy.percent,
        }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.percent {
            Some(percent) => write!(f, "{}, {percent}%", self.state),
            None => write!(f, "{}", self.state),
        }
    }
}

/// Returns true if what has the id of the copy is not a copy of its source. An id that AWS assigns never names anything else.
fn is_something_else(copy: &Artifact, source: &Source<'_>) -> bool {
    match copy.kind.facts().copy_id {
        CopyId::AssignedByAws => false,
        CopyId::Chosen { .. } => !source.is_reached_by(copy),
    }
}

fn again(message: String) -> Problem {
    Problem::new(message).help("plan again: a copy that is missing or has failed is made again")
}
