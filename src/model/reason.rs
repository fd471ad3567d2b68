//! Why something is kept, skipped or not needed: the reasons for decisions, and their text.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::artifact::ArtifactState;
use super::ids::{ActionId, ArtifactId, JobName, Region};
use super::kind::Kind;
use super::problem::Problem;
use super::provider_error::ProviderError;
use super::words::{count, list, span, utc};

/// Why a job has the outcome it has.
#[derive(Clone, Debug, PartialEq)]
pub enum JobReason {
    /// The source has a copy.
    Synced {
        /// The kind of the source.
        kind: Kind,
        /// The source.
        source: ArtifactId,
        /// The destination.
        region: Region,
        /// The copy.
        copy: ArtifactId,
        /// The state of the copy.
        state: ArtifactState,
        /// How many old copies are to be deleted.
        deletions: usize,
    },
    /// The destination has a copy of a newer source.
    NewerCopy {
        /// The kind of the source.
        kind: Kind,
        /// The source.
        source: ArtifactId,
        /// The destination.
        region: Region,
        /// The copy.
        copy: ArtifactId,
        /// How many old copies are to be deleted.
        deletions: usize,
    },
    /// Another job of the plan copies the same source to the same destination.
    SyncedBy {
        /// The kind of the source.
        kind: Kind,
        /// The source.
        source: ArtifactId,
        /// The destination.
        region: Region,
        /// The other job.
        job: JobName,
    },
    /// The config of the job is not valid.
    InvalidConfig,
}

/// Why a copy is due.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyDue {
    /// What is copied.
    pub kind: Kind,
    /// The source.
    pub source: ArtifactId,
    /// The name of the source, if it has one.
    pub name: Option<String>,
    /// When the data of the source was captured.
    pub data_time: Timestamp,
    /// The destination.
    pub region: Region,
    /// When the data of the newest usable copy was captured, if a newer copy of this kind replaces an older one.
    pub newest_copy: Option<Timestamp>,
}

impl fmt::Display for JobReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to_delete = |deletions: usize| match deletions {
            0 => String::new(),
            n => format!("; {} to delete", count(n, "old copy", "old copies")),
        };
        match self {
            Self::Synced {
                kind,
                source,
                region,
                copy,
                state,
                deletions,
            } => write!(
                f,
                "{kind} {source} has the copy {copy} ({state}) in {region}{}",
                to_delete(*deletions)
            ),
            Self::NewerCopy {
                kind,
                source,
                region,
                copy,
                deletions,
            } => write!(
                f,
                "{region} has {copy}, a copy of a newer {kind} than {source}{}",
                to_delete(*deletions)
            ),
            Self::SyncedBy {
                kind,
                source,
                region,
                job,
            } => write!(f, "{job} syncs {kind} {source} to {region}"),
            Self::InvalidConfig => f.write_str("its configuration is not valid"),
        }
    }
}

impl fmt::Display for CopyDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            source,
            name,
            data_time,
            region,
            newest_copy,
        } = self;
        let name = name
            .as_ref()
            .map_or(String::new(), |name| format!(" ({name})"));
        let time = utc(*data_time);
        write!(f, "{kind} {source}{name} of {time} has no copy in {region}")?;
        if !kind.facts().newer_copy_suffices {
            return Ok(());
        }
        match newest_copy {
            Some(newest) => {
                let age = span(data_time.duration_since(*newest).as_secs());
                write!(f, "; the newest copy there is {age} older")
            }
            None => f.write_str("; there is no usable copy yet"),
        }
    }
}

/// Why a tag is written.
#[derive(Clone, Debug, PartialEq)]
pub enum TagReason {
    /// A copy has no readable sync tag.
    NoSyncTag {
        /// The copy.
        copy: ArtifactId,
        /// Its source.
        source: ArtifactId,
    },
    /// Tags that the job selects its sources by have changed on the source since the copy was made.
    Changed {
        /// The copy.
        copy: ArtifactId,
        /// Its source.
        source: ArtifactId,
        /// The keys of the tags.
        keys: Vec<String>,
    },
    /// The source records where its copy is.
    RecordsCopy {
        /// The source.
        source: ArtifactId,
    },
}

impl fmt::Display for TagReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSyncTag { copy, source } => {
                write!(
                    f,
                    "{copy} is a copy of {source} without a readable sync tag"
                )
            }
            Self::Changed { copy, source, keys } => {
                write!(
                    f,
                    "{copy} has tags that differ from those of {source} ({})",
                    list(keys)
                )
            }
            Self::RecordsCopy { source } => write!(f, "records on {source} where its copy is"),
        }
    }
}

/// Why a copy is deleted.
#[derive(Clone, Debug, PartialEq)]
pub enum DeleteReason {
    /// The copy failed, and a newer one is available.
    Failed {
        /// When its data was captured.
        data_time: Timestamp,
    },
    /// It is of an earlier database of the same name, whose copies are kept only for a while.
    EarlierParent {
        /// When its data was captured.
        data_time: Timestamp,
        /// How long copies of an earlier database are kept, in seconds.
        limit: i64,
    },
    /// It is older than the copies that are kept.
    BeyondRetention {
        /// When its data was captured.
        data_time: Timestamp,
        /// How many are kept.
        kept: usize,
        /// The option that says how many are kept besides the newest, or besides the one being made.
        option: &'static str,
        /// Its value.
        limit: u32,
        /// Whether the plan makes a copy.
        is_copy_due: bool,
    },
}

impl fmt::Display for DeleteReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { data_time } => write!(
                f,
                "the copy of {} failed, and a newer one is available",
                utc(*data_time)
            ),
            Self::EarlierParent { data_time, limit } => write!(
                f,
                "the copy of {} is of an earlier database of this name, and older than {}",
                utc(*data_time),
                span(*limit)
            ),
            Self::BeyondRetention {
                data_time,
                kept,
                option,
                limit,
                is_copy_due,
            } => {
                let besides = if *is_copy_due {
                    "the one being made"
                } else {
                    "the newest"
                };
                write!(
                    f,
                    "the copy of {} is older than the {} kept ({option} is {limit}, not counting {besides})",
                    utc(*data_time),
                    count(*kept, "copy", "copies"),
                )
            }
        }
    }
}

/// Why a copy is kept regardless of its age: it is not ours to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// It has no readable sync tag for this source region.
    NoSyncTag,
    /// It carries `Sync-Keep`.
    Kept,
    /// AWS reports a different source from the one in its sync tag.
    OtherSource,
    /// AWS reports no source, and its id does not match the source in its sync tag.
    OtherId,
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSyncTag => "it has no readable sync tag for this job's source region",
            Self::Kept => "it carries the tag Sync-Keep",
            Self::OtherSource => "AWS reports a different source from the one in its sync tag",
            Self::OtherId => "its id does not match the source in its sync tag",
        })
    }
}

/// Why an action is skipped.
#[derive(Clone, Debug, PartialEq)]
pub enum SkipReason {
    /// An earlier action that this one depends on was not done.
    AfterNotDone(ActionId),
    /// The job's copy did not become available.
    CopyNotAvailable(ArtifactId),
    /// The job could not be started. Its errors say why.
    NotStarted,
    /// The job was stopped before the action was started.
    Stopped(StopReason),
    /// What the action depends on could not be read.
    NotRead(ActionId, ProviderError),
}

impl SkipReason {
    /// Returns the problem of a job that skips an action for this reason, or `None` if its errors already say why.
    pub fn problem(&self) -> Option<Problem> {
        match self {
            Self::AfterNotDone(_) | Self::CopyNotAvailable(_) | Self::NotStarted => None,
            Self::Stopped(reason) => {
                let message = format!("not started: {reason}");
                Some(match reason {
                    StopReason::Expired(error) => error.problem(message),
                    StopReason::Interrupted | StopReason::WaitOver(_) => Problem::new(message)
                        .help("run `xrs apply` with the same plan, or `xrs run`, again; completed actions are not repeated"),
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

/// Why a job can't continue.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The apply was interrupted.
    Interrupted,
    /// The credentials have expired, so retrying does not help.
    Expired(ProviderError),
    /// The time to wait is over.
    WaitOver(SignedDuration),
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the apply was interrupted"),
            Self::Expired(_) => f.write_str("the credentials have expired"),
            Self::WaitOver(limit) => {
                write!(f, "the wait limit of {} was reached", span(limit.as_secs()))
            }
        }
    }
}

/// Why an action is not needed any more.
#[derive(Clone, Debug, PartialEq)]
pub enum UnneededReason {
    /// The destination has a copy of a newer source.
    NewerCopy(ArtifactId),
    /// There is no copy of the exact source that is to be tagged.
    NoCopyToName,
    /// The source that is to be tagged is gone.
    SourceGone,
}

impl fmt::Display for UnneededReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewerCopy(id) => write!(f, "there is a copy of a newer source: {id}"),
            Self::NoCopyToName => f.write_str("there is no copy of this exact source to name"),
            Self::SourceGone => f.write_str("the source is gone"),
        }
    }
}
