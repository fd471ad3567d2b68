//! Why copies are kept although retention does not need them, and the text of these reasons.

use std::fmt;

use jiff::Timestamp;

use super::ids::JobName;
use super::provider_error::ProviderError;
use super::words::list;

/// Why a copy is kept although retention does not need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// It carries `Sync-Keep`.
    SyncKeep,
    /// A job of the plan currently selects its source, so it would be copied again.
    CurrentSource,
    /// This job copies it to a further region.
    SourceOf(JobName),
    /// This job may need it, but could not be read.
    UnreadJob(JobName, ProviderError),
    /// AWS refuses to deregister it.
    Protected,
    /// An instance was launched from it not long ago.
    Launched(Timestamp),
    /// These resources use it.
    UsedBy(Vec<String>),
    /// What uses it was not read, perhaps because of an error.
    UseUnknown(Option<ProviderError>),
}

impl fmt::Display for KeepReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SyncKeep => f.write_str("it carries the tag Sync-Keep"),
            Self::CurrentSource => f.write_str("it is the copy of the current source"),
            Self::SourceOf(job) => write!(f, "it is the source of {job}"),
            Self::UnreadJob(job, error) => {
                write!(f, "{job} may need it ({})", error.code)
            }
            Self::Protected => f.write_str("it is protected from deregistration"),
            Self::Launched(time) => write!(f, "launched on {}", time.strftime("%Y-%m-%d")),
            Self::UsedBy(users) => write!(f, "used by {}", list(users)),
            Self::UseUnknown(None) => f.write_str("it is unknown what uses it"),
            Self::UseUnknown(Some(error)) => {
                write!(f, "it is unknown what uses it ({})", error.code)
            }
        }
    }
}
