//! Which image or snapshot was made from which, and which copies are ours: the rules that planning and
//! applying share.

use std::fmt;

use jiff::Timestamp;

use super::id::{ImageId, Region, SnapshotId};
use super::inventory::{Image, Snapshot};
use super::sync_tag::{SYNC_KEEP, SyncTag, key_on_copy, key_on_source, whole_seconds};

/// Whether `image`, found in `destination`, is a copy of `source` in `source_region`.
///
/// Where AWS states what an image was copied from, that alone decides; else its own sync tag; the source's
/// sync tag counts only for an image that has neither, as the older tool left them.
pub fn is_image_copy(image: &Image, source: &Image, source_region: &Region, destination: &Region) -> bool {
    if let Some(from) = &image.copied_from {
        return from.id == source.id && from.region == *source_region;
    }
    if let Some(tag) = SyncTag::find(&image.tags, &key_on_copy(source_region)) {
        return tag.other_end == source.id.as_str();
    }
    copy_named_by_source(source, destination).is_some_and(|id| id == image.id)
}

/// The copy that the source's own sync tag names.
pub fn copy_named_by_source(source: &Image, destination: &Region) -> Option<ImageId> {
    SyncTag::find(&source.tags, &key_on_source(destination)).map(|tag| ImageId::from(tag.other_end))
}

/// Where a snapshot found in the destination comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The identifier of the snapshot it was copied from.
    pub id: SnapshotId,
    /// When its data was taken (UTC, whole seconds): AWS's word, else its sync tag's.
    pub taken: Option<Timestamp>,
    /// Its sync tag for this source region, if it has one that can be read.
    pub sync_tag: Option<SyncTag>,
}

/// Where `snapshot` comes from, if AWS or its sync tag says that it is a copy from `source_region`.
pub fn snapshot_origin(snapshot: &Snapshot, source_region: &Region) -> Option<Origin> {
    let sync_tag = SyncTag::find(&snapshot.tags, &key_on_copy(source_region));
    let id = match &snapshot.copied_from {
        Some(arn) if arn.region() == Some(source_region.as_str()) => SnapshotId::from(arn.snapshot_id()?),
        Some(_) => return None,
        None => SnapshotId::from(sync_tag.as_ref()?.other_end.as_str()),
    };
    let taken = snapshot.original_created.map(whole_seconds).or(sync_tag.as_ref().map(|tag| tag.time));
    Some(Origin { id, taken, sync_tag })
}

/// Whether `snapshot` is a copy of `source`: the same identifier, and taken at the same time where both say
/// when, for identifiers come again when a database is made anew under its old name.
pub fn is_snapshot_copy(snapshot: &Snapshot, source: &Snapshot, source_region: &Region) -> bool {
    snapshot_origin(snapshot, source_region).is_some_and(|origin| {
        let same_source = match &snapshot.copied_from {
            Some(arn) => *arn == source.arn,
            None => origin.id == source.id,
        };
        same_source && (origin.taken.is_none() || origin.taken == source.taken())
    })
}

/// The identifiers a copy of `source` may be given, in order of preference: the older tool's, then with the
/// source region, then numbered.
pub fn target_names(source: &SnapshotId, source_region: &Region) -> impl Iterator<Item = SnapshotId> {
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
    let tag = SyncTag::find(&snapshot.tags, &key_on_copy(source_region)).ok_or(NotOurs::NoSyncTag)?;
    if snapshot.tags.contains_key(SYNC_KEEP) {
        return Err(NotOurs::Kept);
    }
    match &snapshot.copied_from {
        Some(arn) => {
            let same = arn.region() == Some(source_region.as_str()) && arn.snapshot_id() == Some(&tag.other_end);
            same.then_some(tag).ok_or(NotOurs::OtherSource)
        }
        None => {
            let source = SnapshotId::from(tag.other_end.as_str());
            is_target_name(&snapshot.id, &source, source_region).then_some(tag).ok_or(NotOurs::OtherName)
        }
    }
}
