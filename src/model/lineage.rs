//! Which image or snapshot was made from which, and which copies are ours: the rules that planning and
//! applying share.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::id::{ImageId, Region, SnapshotArn, SnapshotId};
use super::inventory::{Image, Snapshot};
use super::sync_tag::{SYNC_KEEP, SyncTag, key_on_copy, key_on_source, whole_seconds};

/// Whether `image`, found in a destination, is a copy of the image `source` in `source_region`.
///
/// Where AWS states what an image was copied from, that alone decides; else its own sync tag. The copy that
/// the source's sync tag names (`named`) counts only if it has neither, as the older tool left them.
pub fn is_image_copy(
    image: &Image,
    source: &ImageId,
    source_region: &Region,
    named: Option<&ImageId>,
) -> bool {
    if let Some(from) = &image.copied_from {
        return from.id == *source && from.region == *source_region;
    }
    if let Some(tag) = SyncTag::find(&image.tags, &key_on_copy(source_region)) {
        return tag.other_end == source.as_str();
    }
    named == Some(&image.id)
}

/// The copy that the source's own sync tag names.
pub fn copy_named_by_source(source: &Image, destination: &Region) -> Option<ImageId> {
    SyncTag::find(&source.tags, &key_on_source(destination)).map(|tag| ImageId::from(tag.other_end))
}

/// Where `image` comes from, if AWS or else its sync tag says that it is a copy from `source_region`. The time is that
/// of the tag, if the tag is about the same image.
pub fn image_origin(image: &Image, source_region: &Region) -> Option<(ImageId, Option<Timestamp>)> {
    let tag = SyncTag::find(&image.tags, &key_on_copy(source_region));
    match (&image.copied_from, tag) {
        (Some(from), _) if from.region != *source_region => None,
        (Some(from), tag) => {
            let tag = tag.filter(|tag| tag.other_end == from.id.as_str());
            Some((from.id.clone(), tag.map(|tag| tag.time)))
        }
        (None, Some(tag)) => Some((ImageId::from(tag.other_end), Some(tag.time))),
        (None, None) => None,
    }
}

/// A snapshot that is to be in the destination, in the words by which its copies are known.
#[derive(Clone, Copy, Debug)]
pub struct SourceSnapshot<'a> {
    /// Its identifier.
    pub id: &'a SnapshotId,
    /// Its ARN.
    pub arn: &'a SnapshotArn,
    /// Its region.
    pub region: &'a Region,
    /// When it was made (UTC, whole seconds).
    pub taken: Timestamp,
}

impl SourceSnapshot<'_> {
    /// Whether `snapshot` is a copy of this very one: the same source, and taken at the same time where that can
    /// be told, for identifiers come again when a database is made anew under its old name.
    pub fn is_source_of(&self, snapshot: &Snapshot) -> bool {
        self.origin_of(snapshot).is_some_and(|origin| {
            origin.id == self.id.as_str() && origin.taken.is_none_or(|taken| taken == self.taken)
        })
    }

    /// Whether `snapshot` is a copy of a later snapshot of the same database.
    pub fn is_older_than_source_of(&self, snapshot: &Snapshot) -> bool {
        let taken = self.origin_of(snapshot).and_then(|origin| origin.taken);
        taken.is_some_and(|taken| taken > self.taken)
    }

    /// Whether `snapshot`, which may hold a name that a copy would get, is positively something else than a copy
    /// of this one.
    pub fn is_positively_not_source_of(&self, snapshot: &Snapshot) -> bool {
        let other_region = |(key, value): (&str, &str)| {
            let foreign = key.starts_with("Sync-From-") && key != key_on_copy(self.region);
            foreign && SyncTag::parse(value).is_some()
        };
        let tag = SyncTag::find(&snapshot.tags, &key_on_copy(self.region));
        snapshot
            .copied_from
            .as_ref()
            .is_some_and(|arn| arn != self.arn)
            || snapshot
                .original_created
                .is_some_and(|time| whole_seconds(time) != self.taken)
            || tag.is_some_and(|tag| tag.other_end != self.id.as_str() || tag.time != self.taken)
            || snapshot.tags.iter().any(other_region)
    }

    /// The copy that makes a further one needless: one of this snapshot, or else of a later one, that has not
    /// failed and is not being deleted. The best there is: available before under way, then by identifier.
    pub fn synced_by<'s>(&self, copies: &'s [Snapshot]) -> Option<&'s Snapshot> {
        copies
            .iter()
            .filter(|copy| !copy.status.is_gone())
            .filter(|copy| self.is_source_of(copy) || self.is_older_than_source_of(copy))
            .min_by_key(|copy| {
                (
                    !self.is_source_of(copy),
                    !copy.status.is_available(),
                    &copy.id,
                )
            })
    }

    /// Where `snapshot` comes from, if from this one's region and account.
    fn origin_of<'s>(&self, snapshot: &'s Snapshot) -> Option<Origin<'s>> {
        let other_account = |arn: &SnapshotArn| arn.account() != self.arn.account();
        if snapshot.copied_from.as_ref().is_some_and(other_account) {
            return None;
        }
        snapshot_origin(snapshot, self.region)
    }
}

/// Where a snapshot found in the destination comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The identifier of the snapshot it was copied from.
    pub id: Cow<'a, str>,
    /// When its data was taken (UTC, whole seconds): AWS's word, else its sync tag's.
    pub taken: Option<Timestamp>,
}

/// Where `snapshot` comes from, if AWS or else its sync tag says that it is a copy from `source_region`.
pub fn snapshot_origin<'a>(snapshot: &'a Snapshot, source_region: &Region) -> Option<Origin<'a>> {
    // Asked of every copy, time and again: the tag is read only where AWS leaves something open.
    let tag = || SyncTag::find(&snapshot.tags, &key_on_copy(source_region));
    let taken = snapshot.original_created.map(whole_seconds);
    match &snapshot.copied_from {
        Some(arn) if arn.region() == Some(source_region.as_str()) => Some(Origin {
            id: arn.snapshot_id()?.into(),
            taken: taken.or_else(|| Some(tag()?.time)),
        }),
        Some(_) => None,
        None => {
            let tag = tag()?;
            Some(Origin {
                id: tag.other_end.into(),
                taken: taken.or(Some(tag.time)),
            })
        }
    }
}

/// The identifiers a copy of `source` may be given, in order of preference: the older tool's, then with the
/// source region, then numbered.
pub fn target_names(
    source: &SnapshotId,
    source_region: &Region,
) -> impl Iterator<Item = SnapshotId> {
    // Nobody has a hundred snapshots of one name; and loops have bounds.
    const MOST: usize = 100;
    let base = source.as_str().replace(':', "-");
    let with_region = format!("{base}-{source_region}");
    let numbered = with_region.clone();
    [base, with_region]
        .into_iter()
        .chain((2..MOST).map(move |n| format!("{numbered}-{n}")))
        .map(SnapshotId::from)
}

/// Whether `id` is one that a copy of `source` may have been given.
pub fn is_target_name(id: &SnapshotId, source: &SnapshotId, source_region: &Region) -> bool {
    target_names(source, source_region).any(|name| name == *id)
}

/// Why a copy is not ours to delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// It has no sync tag of this source region that can be read.
    NoSyncTag,
    /// It carries `Sync-Keep`.
    Kept,
    /// AWS says it was copied from something else than its sync tag says.
    OtherSource,
    /// AWS does not say what it was copied from, and its identifier is not one we would have given.
    OtherName,
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSyncTag => "it has no readable sync tag of this job",
            Self::Kept => "it carries the tag Sync-Keep",
            Self::OtherSource => "AWS states another source than its sync tag",
            Self::OtherName => "its identifier is not one that a copy of that source is given",
        })
    }
}

/// Whether `snapshot` is a copy that a job from `source_region` made and may delete; its sync tag if so.
/// Its state is not looked at here.
pub fn ours(snapshot: &Snapshot, source_region: &Region) -> Result<SyncTag, NotOurs> {
    let tag =
        SyncTag::find(&snapshot.tags, &key_on_copy(source_region)).ok_or(NotOurs::NoSyncTag)?;
    match &snapshot.copied_from {
        Some(arn) => {
            let same = arn.region() == Some(source_region.as_str())
                && arn.snapshot_id() == Some(&tag.other_end);
            if !same {
                return Err(NotOurs::OtherSource);
            }
        }
        None => {
            let source = SnapshotId::from(tag.other_end.as_str());
            if !is_target_name(&snapshot.id, &source, source_region) {
                return Err(NotOurs::OtherName);
            }
        }
    }
    // Last: one that is kept counts as ours, and one of something else does not.
    if snapshot.tags.contains_key(SYNC_KEEP) {
        return Err(NotOurs::Kept);
    }
    Ok(tag)
}
