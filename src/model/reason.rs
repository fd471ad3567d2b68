//! Why something is done, kept, skipped or refused: every reason is a case of an enum here, and here alone it is put into words.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::artifact::ArtifactState;
use super::ids::{AccountId, ActionId, ArtifactId, JobName, ParentId, Region};
use super::kind::Kind;
use super::problem::Problem;
use super::provider_error::ProviderError;
use super::words::{count, list, span, utc};

/// Why a job has the outcome it has.
#[derive(Clone, Debug, PartialEq)]
pub enum JobReason {
    /// The source has no copy.
    CopyDue(CopyDue),
    /// The source has a copy.
    Synced {
        /// What it is.
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
        /// What it is.
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
        /// What it is.
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
    /// When the data of the newest usable copy was captured, where one copy after another is made of the same data.
    pub newest_copy: Option<Timestamp>,
}

impl fmt::Display for JobReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to_delete = |deletions: usize| match deletions {
            0 => String::new(),
            n => format!("; {} to delete", count(n, "old copy", "old copies")),
        };
        match self {
            Self::CopyDue(due) => due.fmt(f),
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
    /// A copy has no sync tag that can be read.
    NoSyncTag {
        /// The copy.
        copy: ArtifactId,
        /// Its source.
        source: ArtifactId,
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
    /// It is older than the copies that are kept.
    BeyondRetention {
        /// When its data was captured.
        data_time: Timestamp,
        /// How many are kept.
        kept: usize,
        /// How many the config keeps beside the newest, or beside the one being made.
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
            Self::BeyondRetention {
                data_time,
                kept,
                limit,
                is_copy_due,
            } => {
                let beside = if *is_copy_due {
                    "the one being made"
                } else {
                    "the newest"
                };
                write!(
                    f,
                    "the copy of {} is older than the {} kept (max_snapshots_to_retain is {limit} beside {beside})",
                    utc(*data_time),
                    count(*kept, "copy", "copies"),
                )
            }
        }
    }
}

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

/// Why a job cannot be planned.
#[derive(Clone, Debug, PartialEq)]
pub enum FailReason {
    /// The credentials belong to another account than the config says.
    OtherAccount {
        /// The account of the credentials.
        account: AccountId,
        /// The account in the config.
        stated: AccountId,
    },
    /// Another job of the config copies the snapshots of the same database to the same destination.
    SameParent {
        /// The other job.
        first: JobName,
        /// The database.
        parent: ParentId,
        /// The account.
        account: AccountId,
        /// The destination.
        destination: Region,
    },
    /// Another job copies the same source to the same destination, with another KMS key.
    OtherKey {
        /// The other job.
        first: JobName,
        /// What it is.
        kind: Kind,
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
    },
    /// AWS does not say when the source was created.
    NoTime {
        /// What it is.
        kind: Kind,
        /// The source.
        source: ArtifactId,
    },
    /// Nothing that can be copied was found.
    NoSource {
        /// What was not found, such as "available image".
        what: String,
        /// What was found instead, with the states.
        instead: Vec<String>,
        /// The source region.
        region: Region,
        /// The way out.
        help: String,
    },
    /// Several sources match, and the job takes exactly one.
    SeveralSources {
        /// What they are.
        kind: Kind,
        /// The sources.
        ids: Vec<ArtifactId>,
        /// The source region.
        region: Region,
    },
    /// An encrypted source needs a key in the destination.
    NoKmsKey {
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
    },
    /// A copy of an encrypted source between GovCloud regions needs a request that xrs does not make.
    NeedsPresigning {
        /// The source.
        source: ArtifactId,
    },
    /// The source needs an option group in the destination.
    NoOptionGroup {
        /// The source.
        source: ArtifactId,
        /// Its option group.
        group: String,
        /// The destination.
        destination: Region,
    },
    /// The id that the copy would get is in use, and it cannot be told what uses it.
    UnknownHolder {
        /// What has the id.
        holder: ArtifactId,
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
        /// The tag that would say that it is the copy.
        tag: String,
    },
    /// Every id for the copy is in use.
    NoFreeId {
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
    },
    /// The finished plan breaks a rule that holds for every plan.
    BrokenInvariant(String),
}

impl FailReason {
    /// Returns the problem of a job that fails for this reason.
    pub fn problem(&self, job: &JobName) -> Problem {
        let problem = Problem::new(self.message(job));
        match self.help() {
            Some(help) => problem.help(help),
            None => problem,
        }
    }

    fn message(&self, job: &JobName) -> String {
        match self {
            Self::OtherAccount { account, stated } => format!(
                "the credentials of {job} belong to account {account}, but its aws_account_id is {stated}"
            ),
            Self::SameParent {
                first,
                parent,
                account,
                destination,
            } => format!(
                "{first} and {job} sync the same database {parent} of account {account} to {destination}"
            ),
            Self::OtherKey {
                first,
                kind,
                source,
                destination,
            } => format!(
                "{first} and {job} copy the same {kind} {source} to {destination}, but with different kms_key_id options"
            ),
            Self::NoTime { kind, source } => {
                format!("AWS does not state when {kind} {source} of {job} was created")
            }
            Self::NoSource {
                what,
                instead,
                region,
                ..
            } => {
                let found = if instead.is_empty() {
                    String::new()
                } else {
                    format!("; found {}", list(instead))
                };
                format!("no {what} for {job} in {region}{found}")
            }
            Self::SeveralSources { kind, ids, region } => {
                let (one, many) = kind.facts().noun;
                let found = count(
                    ids.len(),
                    &format!("{one} matches"),
                    &format!("{many} match"),
                );
                format!("{found} {job} in {region}: {}", list(ids))
            }
            Self::NoKmsKey { source, .. } => {
                format!("{source} is encrypted, and {job} has no option kms_key_id")
            }
            Self::NeedsPresigning { source } => format!(
                "{source} of {job} is encrypted, and between GovCloud regions encrypted snapshots need a pre-signed request, \
                 which xrs does not make"
            ),
            Self::NoOptionGroup { source, group, .. } => format!(
                "{source} needs option group {group}, and {job} has no option option_group_name"
            ),
            Self::UnknownHolder {
                holder,
                source,
                destination,
                ..
            } => format!(
                "{holder} in {destination} has the id for the copy of {source}, and it is not known what it is"
            ),
            Self::NoFreeId {
                source,
                destination,
            } => format!("every id for a copy of {source} is in use in {destination}"),
            Self::BrokenInvariant(what) => {
                format!("the plan of {job} breaks an invariant of xrs: {what}")
            }
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::OtherAccount { .. } => {
                "correct aws_account_id, or give the job credentials of that account".to_owned()
            }
            Self::SameParent { .. } => {
                "remove one of them, or set max_snapshots_to_retain of the other".to_owned()
            }
            Self::OtherKey { kind, .. } => format!(
                "each {kind} is copied once: give both jobs the same kms_key_id, or remove one of them"
            ),
            Self::NoSource { help, .. } => help.clone(),
            Self::SeveralSources { .. } => {
                "narrow it down to one with sync_identifier and filters, or set most_recent: true"
                    .to_owned()
            }
            Self::NoKmsKey { destination, .. } => {
                format!("set kms_key_id to a KMS key of {destination}")
            }
            Self::NeedsPresigning { .. } => {
                "copy it with the AWS CLI and --source-region, which signs the request".to_owned()
            }
            Self::NoOptionGroup { destination, .. } => format!(
                "set option_group_name to an option group of {destination} with the same options"
            ),
            Self::UnknownHolder { tag, .. } => {
                format!("if it is that copy, tag it {tag}; otherwise rename or delete it")
            }
            Self::BrokenInvariant(_) => {
                "this is a bug in xrs; please report it with this plan".to_owned()
            }
            Self::NoTime { .. } | Self::NoFreeId { .. } => return None,
        })
    }
}
