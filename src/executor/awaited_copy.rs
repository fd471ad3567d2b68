//! A copy that a job waits for, from when AWS has accepted it until it is available or lost.

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
    /// As it was last observed; `None` before the first time.
    progress: Option<Progress>,
    last_seen: Timestamp,
    unchanged_since: Timestamp,
    /// The time of the first failed read since the copy was last observed.
    unreadable_since: Option<Timestamp>,
}

/// The progress of a copy: its state, and the percentage if AWS states it.
type Progress = (ArtifactState, Option<u8>);

/// What has become of a copy that a job waits for.
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

    /// Returns the copy, if it was read and has changed since it was last observed.
    pub(super) fn changed<'c>(&self, answer: &'c Answer<Vec<Artifact>>) -> Option<&'c Artifact> {
        let copy = answer.iter().flatten().find(|copy| copy.id == self.id)?;
        (self.progress != Some(progress(copy))).then_some(copy)
    }

    /// Returns what has become of the copy, according to what was observed at that time. `source` is given if the job itself copies
    /// it.
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
        let progress = Some(progress(copy));
        let is_unchanged = self.progress == progress;
        let unchanged_since = if is_unchanged {
            self.unchanged_since
        } else {
            at
        };
        let unchanged = at.duration_since(unchanged_since);
        let (id, state) = (self.id, &copy.state);
        if state.is_being_copied() || state.is_in_progress() && unchanged <= MAX_UNKNOWN_STATE {
            return CopyStatus::InProgress(Self {
                id,
                progress,
                last_seen: at,
                unchanged_since,
                unreadable_since: None,
            });
        }
        let is_usable = state.is_available() || state.is_disabled();
        if is_usable && source.is_some_and(|source| is_something_else(copy, source)) {
            let noun = copy.kind;
            return CopyStatus::Lost(again(format!(
                "the copy {id} is gone, and another {noun} has its id"
            )));
        }
        if is_usable {
            return CopyStatus::Available;
        }
        let reason = copy.state_reason();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let problem = again(format!(
            "the copy {id} did not become available; its state is {state}{reason}"
        ));
        CopyStatus::Lost(if state.is_in_progress() {
            problem.help("look up that state in AWS's documentation; xrs makes no other copy until this one has failed or is deleted")
        } else {
            problem
        })
    }

    /// Returns the problem of a job that no longer waits for the copy.
    pub(super) fn still_in_progress(&self, why: &StopReason) -> Problem {
        let id = &self.id;
        let progress = match &self.progress {
            Some((state, Some(percent))) => format!(" ({state}, {percent}%)"),
            Some((state, None)) => format!(" ({state})"),
            None => String::new(),
        };
        Problem::new(format!("the copy {id} is still in progress{progress}: {why}"))
            .help("AWS continues to copy. To finish the rest, run `xrs apply` with the same plan, or `xrs run`, again with --wait; completed actions are not repeated")
    }
}

fn progress(copy: &Artifact) -> Progress {
    (copy.state.clone(), copy.percent)
}

/// Returns true if what has the id of the copy is not a copy of its source. An id that AWS assigns never names anything else.
fn is_something_else(copy: &Artifact, source: &Source<'_>) -> bool {
    let is_chosen = matches!(copy.kind.facts().copy_id, CopyId::Chosen { .. });
    is_chosen && !source.is_reached_by(copy)
}

fn again(message: String) -> Problem {
    Problem::new(message).help("plan again: xrs then makes a new copy")
}
