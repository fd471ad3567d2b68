//! The rules that planning, status and applying share: what is a copy of what, what xrs may delete, and what belongs to the same
//! database.

use std::borrow::Cow;

use jiff::Timestamp;
use smol_str::SmolStr;

use super::artifact::Artifact;
use super::client_config::sha256;
use super::fail_reason::FailReason;
use super::ids::{AccountId, Arn, ArnParts, ArtifactId, Region};
use super::kind::{CopyId, Kind};
use super::reason::NotOurs;
use super::sync_tag::{
    SYNC_KEEP, SyncTag, is_key_on_copy, key_on_copy, key_on_source, whole_seconds,
};

/// The properties by which copies of a source are recognised.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: &'a ArtifactId,
    /// Its ARN.
    pub arn: &'a Arn,
    /// The region it is in.
    pub region: &'a Region,
    /// When its data was captured (UTC, whole seconds).
    pub data_time: Timestamp,
    /// When its database was created (UTC, whole seconds), if AWS states it.
    pub parent_created: Option<Timestamp>,
    /// The copy that its own sync tag names: the gem left copies without a tag of their own.
    pub named_copy: Option<ArtifactId>,
}

impl<'a> Source<'a> {
    /// Returns an artifact as a source, or `None` if AWS does not state its time.
    pub fn new(artifact: &'a Artifact, region: &'a Region) -> Option<Self> {
        Some(Self {
            kind: artifact.kind,
            id: &artifact.id,
            arn: &artifact.arn,
            region,
            data_time: artifact.source_time()?,
            parent_created: artifact.parent_created(),
            named_copy: None,
        })
    }

    /// Returns the same source, with the copy in `destination` that its own sync tag names.
    #[must_use]
    pub fn with_copy_named_by(mut self, artifact: &Artifact, destination: &Region) -> Self {
        self.named_copy = copy_named_by(artifact, destination);
        self
    }

    /// Returns true if its own sync tag names this copy.
    pub fn names(&self, copy: &Artifact) -> bool {
        self.named_copy.as_ref() == Some(&copy.id)
    }

    /// Returns true if `copy` is a copy of exactly this source: the same id, and the same time if ids can be reused.
    pub fn is_source_of(&self, copy: &Artifact) -> bool {
        // Fast path: most copies have a different source, and AWS reports which one, so their tags need not be parsed.
        if copy.copied_from.as_ref().is_some_and(|arn| arn != self.arn) {
            return false;
        }
        match self.origin_of(copy) {
            Some(origin) => {
                let is_same_time = || origin.data_time.is_none_or(|time| time == self.data_time);
                origin.id == self.id.as_str() && (!self.kind.facts().ids_recur || is_same_time())
            }
            // The tag of the source proves nothing if the copy's id can be reused.
            None => {
                let is_named = !self.kind.facts().ids_recur && self.names(copy);
                is_named && copy.copied_from.is_none()
            }
        }
    }

    /// Returns true if `copy` is a copy of a newer source of the same database. If two databases have had the same name, a newer
    /// copy of one does not replace a copy of the other.
    pub fn is_older_than_source_of(&self, copy: &Artifact) -> bool {
        let time = || self.origin_of(copy)?.data_time;
        self.is_of_same_parent(copy) && time().is_some_and(|time| time > self.data_time)
    }

    /// Returns true unless AWS states that a copy is of a different database with the same name.
    pub fn is_of_same_parent(&self, copy: &Artifact) -> bool {
        self.parent_created.is_none() || is_of_parent(copy, self.parent_created)
    }

    /// Returns true if `copy`, which has an id that a copy of this source could get, is certainly something else.
    pub fn is_certainly_not_source_of(&self, copy: &Artifact) -> bool {
        let key = key_on_copy(self.region);
        let is_from_other_region = |(other, value): (&str, &str)| {
            is_key_on_copy(other) && other != key && SyncTag::parse(value).is_some()
        };
        let tag = SyncTag::find(&copy.tags, &key);
        copy.copied_from.as_ref().is_some_and(|arn| arn != self.arn)
            || copy
                .data_time
                .is_some_and(|time| whole_seconds(time) != self.data_time)
            || tag
                .is_some_and(|tag| tag.other_end != self.id.as_str() || tag.time != self.data_time)
            || copy.tags.iter().any(is_from_other_region)
    }

    /// Returns the copy that makes a new one unnecessary: a copy of this source or, if that suffices, of a newer one. Copies
    /// that have failed or are being deleted do not count. If there are several, this prefers copies of exactly this source,
    /// then available ones, then those that xrs made, then the oldest.
    pub fn synced_by<'c>(
        &self,
        copies: impl IntoIterator<Item = &'c Artifact>,
    ) -> Option<&'c Artifact> {
        copies
            .into_iter()
            .filter(|copy| !copy.state.is_gone())
            .filter(|copy| self.is_reached_by(copy))
            .min_by_key(|copy| {
                (
                    !self.is_source_of(copy),
                    !copy.state.is_available(),
                    !is_ours(copy, self.region),
                    copy.created,
                    &copy.id,
                )
            })
    }

    /// Returns true if `copy` is a copy of this source, or of a newer one if that suffices, in any state.
    pub fn is_reached_by(&self, copy: &Artifact) -> bool {
        let is_newer =
            || self.kind.facts().newer_copy_suffices && self.is_older_than_source_of(copy);
        self.is_source_of(copy) || is_newer()
    }

    /// Returns the value of the sync tag of its copies.
    pub fn sync_tag_value(&self) -> String {
        SyncTag::new(self.data_time, self.id.as_str()).to_string()
    }

    /// Returns where `copy` comes from, if that is this source's region and account.
    fn origin_of<'c>(&self, copy: &'c Artifact) -> Option<Origin<'c>> {
        let is_other_account = |arn: &Arn| arn.account() != self.arn.account();
        if copy.copied_from.as_ref().is_some_and(is_other_account) {
            return None;
        }
        origin(copy, self.region)
    }
}

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The id of its source.
    pub id: Cow<'a, str>,
    /// When its data was captured (UTC, whole seconds): as AWS states it, or else the time in its sync tag.
    pub data_time: Option<Timestamp>,
}

/// Returns where a copy comes from, if AWS, or else its sync tag, says that it was copied from `source_region`.
pub fn origin<'a>(copy: &'a Artifact, source_region: &Region) -> Option<Origin<'a>> {
    // The tag is parsed only if AWS does not state everything: parsing takes time, and this function is called for every copy.
    let tag = || SyncTag::find(&copy.tags, &key_on_copy(source_region));
    let data_time = copy.data_time.map(whole_seconds);
    match &copy.copied_from {
        Some(arn) => {
            let ArnParts { region, id, .. } = arn.parts()?;
            if region != source_region.as_str() {
                return None;
            }
            let tagged = || tag().filter(|tag| tag.other_end == id);
            Some(Origin {
                id: id.into(),
                data_time: data_time.or_else(|| Some(tagged()?.time)),
            })
        }
        None => {
            let tag = tag()?;
            Some(Origin {
                id: tag.other_end.into(),
                data_time: data_time.or(Some(tag.time)),
            })
        }
    }
}

/// Returns when the data of a copy from `source_region` was captured (UTC, whole seconds), if that is known.
pub fn copy_time(copy: &Artifact, source_region: &Region) -> Option<Timestamp> {
    origin(copy, source_region).and_then(|origin| origin.data_time)
}

/// Returns the copy in `destination` that the source's own sync tag names.
pub fn copy_named_by(source: &Artifact, destination: &Region) -> Option<ArtifactId> {
    let tag = SyncTag::find(&source.tags, &key_on_source(destination))?;
    Some(ArtifactId::from(tag.other_end))
}

/// Returns true if a copy has a readable sync tag for this source region.
pub fn has_sync_tag(copy: &Artifact, source_region: &Region) -> bool {
    SyncTag::find(&copy.tags, &key_on_copy(source_region)).is_some()
}

/// Returns true if a copy belongs to this account: the owner of an image, or the account that a snapshot was copied in.
pub fn is_in_account(copy: &Artifact, account: &AccountId) -> bool {
    let is_own = |owner: &AccountId| owner == account;
    let is_from = |arn: &Arn| arn.account().is_none_or(|other| other == account.as_str());
    copy.owner().is_none_or(is_own) && copy.copied_from.as_ref().is_none_or(is_from)
}

/// Returns true for a snapshot with the kind of id that xrs chooses for copies. A copy that xrs made has a sync tag, but a list
/// may not show it: RDS omits tags from its lists if the caller is not allowed to read them.
pub fn has_id_of_copy(artifact: &Artifact) -> bool {
    artifact.kind.facts().copy_id != CopyId::AssignedByAws
        && artifact.id.as_str().starts_with("rds-")
}

/// Returns the ids that xrs may choose for a copy of a source, in order of preference: first the id that the gem would choose,
/// then one with the source region appended, then numbered ones. Returns none if AWS assigns the id.
pub fn copy_ids(
    kind: Kind,
    source: &ArtifactId,
    source_region: &Region,
) -> impl Iterator<Item = ArtifactId> + use<> {
    const MOST: usize = 100;
    let max_length = match kind.facts().copy_id {
        CopyId::Chosen { max_length } => Some(max_length),
        CopyId::AssignedByAws => None,
    };
    let plain = source.as_str().replace(':', "-");
    let with_region = format!("{plain}-{source_region}");
    let numbered = with_region.clone();
    let ids = [plain, with_region]
        .into_iter()
        .chain((2..MOST).map(move |n| format!("{numbered}-{n}")));
    ids.map_while(move |id| Some(shortened(id, max_length?)))
}

/// The number of digits of the hash in an id that is shortened.
const HASH_DIGITS: usize = 8;

/// Returns an id of at most this length. A longer id is truncated, and a hash of the whole id is appended, so that the same id is
/// always shortened in the same way.
fn shortened(id: String, max_length: usize) -> ArtifactId {
    if id.len() <= max_length {
        return ArtifactId::from(id);
    }
    let hash = sha256(id.as_bytes());
    let (_, digits) = hash.split_at(hash.len() - HASH_DIGITS);
    let start = id.get(..prefix_length(max_length)).unwrap_or_default();
    // RDS does not allow two hyphens in a row.
    let start = start.trim_end_matches('-');
    ArtifactId::from(format!("{start}-{digits}"))
}

/// Returns how many characters of an id remain, at most, when it is shortened to this length.
fn prefix_length(max_length: usize) -> usize {
    max_length - HASH_DIGITS - 1
}

/// Returns the pattern of the ids of copies, given the pattern of the ids of their sources. In both, `*` stands for any text, and
/// `?` for a character that is not a hyphen.
pub fn copy_id_pattern(kind: Kind, sources: &str) -> String {
    let pattern = sources.replace(':', "-");
    let start = match kind.facts().copy_id {
        CopyId::Chosen { max_length } => pattern.get(..prefix_length(max_length)),
        CopyId::AssignedByAws => None,
    };
    match start {
        Some(start) => format!("{start}*"),
        None => pattern,
    }
}

/// Returns true if a copy of `source` may get this id.
pub fn is_copy_id(
    kind: Kind,
    id: &ArtifactId,
    source: &ArtifactId,
    source_region: &Region,
) -> bool {
    copy_ids(kind, source, source_region).any(|other| other == *id)
}

/// Returns the sync tag of a copy that a job from `source_region` made and may delete, in any state, or why it may not.
pub fn ours(copy: &Artifact, source_region: &Region) -> Result<SyncTag, NotOurs> {
    let tag = SyncTag::find(&copy.tags, &key_on_copy(source_region)).ok_or(NotOurs::NoSyncTag)?;
    match &copy.copied_from {
        Some(arn) => {
            let is_same = |parts: ArnParts<'_>| {
                parts.region == source_region.as_str() && parts.id == tag.other_end
            };
            if !arn.parts().is_some_and(is_same) {
                return Err(NotOurs::OtherSource);
            }
        }
        None => {
            let source = ArtifactId::from(tag.other_end.as_str());
            if !is_copy_id(copy.kind, &copy.id, &source, source_region) {
                return Err(NotOurs::OtherId);
            }
        }
    }
    // This comes last: a copy with `Sync-Keep` still counts as ours, unlike a copy of a different source.
    if copy.tags.contains_key(SYNC_KEEP) {
        return Err(NotOurs::Kept);
    }
    Ok(tag)
}

/// Returns true if a job from `source_region` made a copy, whether or not it may delete it.
pub fn is_ours(copy: &Artifact, source_region: &Region) -> bool {
    matches!(ours(copy, source_region), Ok(_) | Err(NotOurs::Kept))
}

/// Returns when the current database, that of the newest source, was created (UTC, whole seconds). Returns `None` if that is
/// uncertain, because a copy has newer data and might be of a different database.
pub fn current_parent_created<'a>(
    sources: impl IntoIterator<Item = &'a Artifact>,
    copies: impl IntoIterator<Item = &'a Artifact>,
    source_region: &Region,
) -> Option<Timestamp> {
    let available = sources
        .into_iter()
        .filter(|source| source.state.is_available());
    let source = newest(available, Artifact::source_time);
    let there = copies.into_iter().filter(|copy| !copy.state.is_gone());
    let copy = newest(there, |copy| copy_time(copy, source_region));
    let created = |found: Option<(Timestamp, &Artifact)>| found?.1.parent_created();
    let (of_source, of_copy) = (created(source), created(copy));
    let is_copy_newer = copy.map(|(time, _)| time) > source.map(|(time, _)| time);
    if is_copy_newer && of_source.is_some() && of_copy != of_source {
        return None;
    }
    of_source.or(of_copy)
}

/// Returns the newest artifact, with its time.
fn newest<'a>(
    artifacts: impl Iterator<Item = &'a Artifact>,
    time: impl Fn(&Artifact) -> Option<Timestamp>,
) -> Option<(Timestamp, &'a Artifact)> {
    let dated = artifacts.filter_map(|artifact| Some((time(artifact)?, artifact)));
    dated.max_by_key(|(time, artifact)| (*time, &artifact.id))
}

/// Returns true if a copy is of the database that was created at this time. A copy without a stated time counts as such.
pub fn is_of_parent(copy: &Artifact, parent_created: Option<Timestamp>) -> bool {
    let of_copy = copy.parent_created();
    of_copy.is_none() || of_copy == parent_created
}

/// Returns the option group of a snapshot, unless it is a default one, which every region has.
pub fn own_option_group(artifact: &Artifact) -> Option<&SmolStr> {
    artifact
        .option_group()
        .filter(|group| !group.starts_with("default:"))
}

/// Returns when the database that a status is about was created (UTC, whole seconds). This is the database of the source. If AWS
/// does not state when that was created, or the source region does not answer, it is the newest database that has a copy.
pub fn newest_parent_created<'a>(
    source: Option<&Artifact>,
    copies: impl IntoIterator<Item = &'a Artifact>,
) -> Option<Timestamp> {
    let of_source = source.and_then(Artifact::parent_created);
    let of_copies = copies.into_iter().filter_map(Artifact::parent_created);
    of_source.or_else(|| of_copies.max())
}

/// Returns an error if several copies of a source have failed, so that repeated failures do not go unnoticed. `failed` holds the
/// failed copies of that source.
pub fn repeated_failure(source: &ArtifactId, failed: &[&Artifact]) -> Option<FailReason> {
    const MANY: usize = 3;
    let newest = failed.iter().max_by_key(|copy| (copy.created, &copy.id))?;
    (failed.len() >= MANY).then(|| FailReason::RepeatedFailures {
        source: source.clone(),
        number: failed.len(),
        reason: newest.state_reason().map(str::to_owned),
    })
}
