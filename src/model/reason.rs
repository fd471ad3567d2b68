//! Why something is done, kept, skipped or refused: every reason is a case of an enum here, and here alone it is put into words.

use std::fmt;

use jiff::SignedDuration;

use super::ids::{ActionId, ArtifactId};
use super::problem::Problem;
use super::provider_error::ProviderError;
use super::words::span;

/// Why a copy is kept, whatever its age: it is not ours to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// It has no sync tag of this source region that can be read.
    NoSyncTag,
    /// It carries `Sync-Keep`.
    Kept,
    /// AWS says it was copied from something else than its sync tag says.
    OtherSource,
    /// AWS does not say what it was copied from, and its id is not one that a copy of that source gets.
    OtherId,
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSyncTag => "it has no readable sync tag of this job",
            Self::Kept => "it carries the tag Sync-Keep",
            Self::OtherSource => "AWS states another source than its sync tag",
            Self::OtherId => "its id is not one that a copy of that source gets",
        })
    }
}

/// Why an action is skipped.
#[derive(Clone, Debug, PartialEq)]
pub enum SkipReason {
    /// An action that must be done before it was not done.
    AfterNotDone(ActionId),
    /// The job's copy did not become available.
    CopyNotAvailable(ArtifactId),
    /// The job could not be started; its errors say why.
    NotStarted,
    /// The job was stopped before the action was started.
    Stopped(StopReason),
    /// What the action depends on could not be read.
    NotRead(ActionId, ProviderError),
}

impl SkipReason {
    /// Returns the problem of a job of which an action is skipped for this reason; nothing if its errors say why already.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::AfterNotDone(_) | Self::CopyNotAvailable(_) | Self::NotStarted => None,
            Self::Stopped(reason) => {
                let message = format!("not started: {reason}");
                Some(match reason {
                    StopReason::Expired(error) => error.problem(message),
                    StopReason::Interrupted | StopReason::WaitOver(_) => Problem::new(message)
                        .help("apply the same plan, or run, again: nothing is done twice"),
                })
            }
            Self::NotRead(id, error) => {
                Some(error.problem(format!("failed to read what {id} depends on")))
            }
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterNotDone(id) => write!(f, "{id} was not done"),
            Self::CopyNotAvailable(id) => write!(f, "{id} is not available"),
            Self::NotStarted => f.write_str("the job was not started"),
            Self::Stopped(_) | Self::NotRead(..) => {
                self.problem().map_or(Ok(()), |problem| problem.fmt(f))
            }
        }
    }
}

/// Why a job can't go on.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The apply was interrupted.
    Interrupted,
    /// The credentials have expired, which trying again does not change.
    Expired(ProviderError),
    /// It has waited for as long as it may.
    WaitOver(SignedDuration),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the apply was interrupted"),
            Self::Expired(_) => f.write_str("the credentials have expired"),
            Self::WaitOver(limit) => write!(f, "the limit of {} is reached", span(limit.as_secs())),
        }
    }
}

/// Why an action is not needed any more.
#[derive(Clone, Debug, PartialEq)]
pub enum UnneededReason {
    /// The destination has a copy of a newer source.
    NewerCopy(ArtifactId),
    /// There is no copy of the very source that is to be tagged.
    NoCopyToName,
    /// The source that is to be tagged is gone.
    SourceGone,
}

impl fmt::Display for UnneededReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerCopy(id) => write!(f, "there is a copy of a newer source: {id}"),
            Self::NoCopyToName => f.write_str("there is no copy of this very source to name"),
            Self::SourceGone => f.write_str("the source is gone"),
        }
    }
}
