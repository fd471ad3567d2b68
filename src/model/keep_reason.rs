//! The reasons to keep copies that retention would otherwise delete, and their texts.

use std::fmt;

use jiff::Timestamp;

use super::ids::JobName;
use super::provider_error::ProviderError;
use super::words::list;

/// A reason to keep a copy that retention would otherwise delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepReason {
    /// It carries `Sync-Keep`.
    SyncKeep,
    /// A job of the plan currently selects its source, so it would be copied again.
    CurrentSource,
    /// This job copies it to another region.
    SourceOf(JobName),
    /// This job may need it, but the reads for the job failed.
    UnreadJob(JobName, ProviderError),
    /// AWS refuses to deregister it.
    Protected,
    /// An instance was launched from it recently.
    Launched(Timestamp),
    /// These resources use it.
    UsedBy(Vec<String>),
    /// It is unknown whether anything uses it, perhaps because of an error.
    UnknownUse(Option<ProviderError>),
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
            Self::Launched(time) => {
                write!(f, "it was last launched on {}", time.strftime("%Y-%m-%d"))
            }
            Self::UsedBy(users) => write!(f, "it is used by {}", list(users)),
            Self::UnknownUse(None) => f.write_str("it is unknown whether it is in use"),
            Self::UnknownUse(Some(error)) => {
                write!(f, "it is unknown whether it is in use ({})", error.code)
            }
        }
    }
}
