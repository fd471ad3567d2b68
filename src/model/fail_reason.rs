//! Why a job can't be planned: every reason is an enum variant, and this file alone turns it into text.

use super::ids::{AccountId, ArtifactId, JobName, ParentId, Region};
use super::kind::Kind;
use super::problem::Problem;
use super::words::{count, list};

/// Why a job cannot be planned.
#[derive(Clone, Debug, PartialEq)]
pub enum FailReason {
    /// The credentials belong to a different account from the one in the config.
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
    /// Another job of the config syncs images with the same identifier to the same destination, and at least one of the two deletes
    /// copies.
    SameIdentifier {
        /// The other job.
        first: JobName,
        /// The identifier.
        identifier: String,
        /// The account.
        account: AccountId,
        /// The destination.
        destination: Region,
    },
    /// Another job copies the same source to the same destination, with a different KMS key.
    OtherKey {
        /// The other job.
        first: JobName,
        /// The kind of the source.
        kind: Kind,
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
    },
    /// The job that copies the same source for this one has not made the copy.
    FirstFailed {
        /// The other job.
        first: JobName,
    },
    /// AWS does not say when the source was created.
    NoTime {
        /// The kind of the source.
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
        /// What to do about it.
        help: String,
    },
    /// Several sources match, and the job takes exactly one.
    SeveralSources {
        /// The kind of the sources.
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
    /// A source that is not encrypted can't be copied with a key.
    NeedlessKmsKey {
        /// The source.
        source: ArtifactId,
    },
    /// The destination has no room for the copy.
    NoRoom {
        /// The kind of the copy.
        kind: Kind,
        /// The destination.
        destination: Region,
        /// The maximum number of artifacts of this kind.
        max: usize,
        /// By how many the limit would be exceeded.
        missing: usize,
    },
    /// The source needs an option group in the destination.
    NoOptionGroup {
        /// The source.
        source: ArtifactId,
        /// Its option group.
        group: String,
        /// The options of the group that stay with the data.
        options: Vec<String>,
        /// The destination.
        destination: Region,
    },
    /// The id that the copy would get is in use, and it is unknown whether the artifact with that id is the copy.
    UnknownHolder {
        /// The artifact that has the id.
        holder: ArtifactId,
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
        /// The tag that would mark it as the copy.
        tag: String,
    },
    /// Every id for the copy is in use.
    NoFreeId {
        /// The source.
        source: ArtifactId,
        /// The destination.
        destination: Region,
    },
    /// Several copies of the source have failed.
    RepeatedFailures {
        /// The source.
        source: ArtifactId,
        /// How many copies have failed.
        number: usize,
        /// AWS's reason for the last failure. For snapshots AWS states none.
        reason: Option<String>,
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
            Self::SameIdentifier {
                first,
                identifier,
                account,
                destination,
            } => format!(
                "{first} and {job} sync images with the sync_identifier {identifier} of account {account} to {destination}"
            ),
            Self::OtherKey {
                first,
                kind,
                source,
                destination,
            } => format!(
                "{first} and {job} copy the same {kind} {source} to {destination}, but with different kms_key_id options"
            ),
            Self::FirstFailed { first } => {
                format!(
                    "{first}, which copies the source of {job} on its behalf, has not made the copy"
                )
            }
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
                format!("{source} is encrypted, but {job} has no kms_key_id option")
            }
            Self::NeedlessKmsKey { source } => format!(
                "{source} is not encrypted, but {job} has a kms_key_id option: RDS refuses to copy it with a key"
            ),
            Self::NoRoom {
                kind,
                destination,
                max,
                missing,
            } => format!(
                "there is no room for the copy of {job}: {destination} may have {max} manual {}, and {missing} more would be needed",
                kind.noun(*max)
            ),
            Self::NoOptionGroup {
                source,
                group,
                options,
                ..
            } => format!(
                "{source} needs an option group with the persistent options of {group} ({}), but {job} has no \
                 option_group_name option",
                list(options)
            ),
            Self::UnknownHolder {
                holder,
                source,
                destination,
                ..
            } => format!(
                "{holder} in {destination} already has the id for the copy of {source}, and xrs can't tell whether it is that copy"
            ),
            Self::NoFreeId {
                source,
                destination,
            } => format!("every id for a copy of {source} is in use in {destination}"),
            Self::RepeatedFailures {
                source,
                number,
                reason,
            } => {
                let reason = reason.as_deref().map(|reason| format!(": {reason}"));
                format!(
                    "{number} copies of {source} have failed{}",
                    reason.unwrap_or_default()
                )
            }
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
                "keep one of them: two would delete each other's copies".to_owned()
            }
            Self::SameIdentifier { .. } => {
                "keep one of them, or remove max_images_to_retain: one would delete the other's copies".to_owned()
            }
            Self::OtherKey { kind, .. } => format!(
                "each {kind} is copied once: give both jobs the same kms_key_id, or remove one of them"
            ),
            Self::FirstFailed { first } => format!("see the errors of {first}"),
            Self::NoSource { help, .. } => help.clone(),
            Self::SeveralSources { .. } => {
                "narrow it down to one with sync_identifier and filters, or set most_recent: true"
                    .to_owned()
            }
            Self::NoKmsKey { destination, .. } => {
                format!("set kms_key_id to a KMS key of {destination}")
            }
            Self::NeedlessKmsKey { .. } => "remove kms_key_id, or encrypt the cluster".to_owned(),
            Self::NoRoom { kind, .. } => format!(
                "delete {} that are no longer needed, or ask AWS to raise the limit",
                kind.noun(2)
            ),
            Self::NoOptionGroup { destination, .. } => format!(
                "set option_group_name to an option group of {destination} with these options"
            ),
            Self::UnknownHolder { tag, .. } => {
                format!("if it is that copy, tag it {tag}; otherwise rename or delete it")
            }
            Self::RepeatedFailures { .. } => {
                "fix the cause; each run makes another attempt".to_owned()
            }
            Self::BrokenInvariant(_) => {
                "this is a bug in xrs; please report it with this plan".to_owned()
            }
            Self::NoTime { .. } | Self::NoFreeId { .. } => return None,
        })
    }
}
