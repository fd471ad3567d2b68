//! `tag_copy`: the sync tag that a copy lacks.

use super::Written;
use super::verdict::{Difference, Verdict, images, snapshots};
use crate::model::Tags;
use crate::model::action::{Resource, TagCopy};
use crate::model::client_config::Place;
use crate::model::id::{Region, SnapshotId};
use crate::model::inventory::{Found, Looked, Snapshot};
use crate::model::lineage::SourceSnapshot;
use crate::model::sync_tag::SyncTag;
use crate::provider::Provider;

pub(super) fn check(tag: &TagCopy, found: &Found) -> Looked<Verdict> {
    let there = match &tag.copy {
        Resource::Image(id) => {
            let (_, copies) = images(found)?;
            let copy = copies
                .iter()
                .find(|copy| copy.id == *id && !copy.state.is_gone());
            copy.map(|copy| (&copy.tags, None))
        }
        Resource::Snapshot(arn) => {
            let (_, copies) = snapshots(found)?;
            let copy = copies
                .iter()
                .find(|copy| copy.arn == *arn && !copy.status.is_gone() && is_still_one(tag, copy));
            copy.map(|copy| (&copy.tags, copy.taken()))
        }
    };
    let what = format!("copy {}", tag.copy.id());
    let Some((tags, taken)) = there else {
        return Ok(Verdict::Stale(Difference::new(
            what,
            "there",
            "gone, failed or no copy of that source any more",
        )));
    };
    if let (Some(planned), Some(taken)) = (tag.expects.taken, taken)
        && planned != taken
    {
        return Ok(Verdict::Stale(Difference::new(
            format!("time of {what}"),
            planned,
            taken,
        )));
    }
    Ok(tag_verdict(
        tags,
        &tag.expects.no_tag,
        &tag.sync_tag.value,
        tag.copy.id(),
    ))
}

/// Whether AWS still says of a snapshot that it is a copy of the source that its tag is to name.
fn is_still_one(tag: &TagCopy, copy: &Snapshot) -> bool {
    let Resource::Snapshot(arn) = &tag.source else {
        return false;
    };
    let (Some(region), Some(id), Some(planned)) = (
        arn.region().map(Region::from),
        arn.snapshot_id().map(SnapshotId::from),
        SyncTag::parse(&tag.sync_tag.value),
    ) else {
        return false;
    };
    let source = SourceSnapshot {
        id: &id,
        arn,
        region: &region,
        taken: planned.time,
    };
    source.is_source_of(copy)
}

/// Go where the tag is not there or cannot be read, done where it is as it should be, else stale.
fn tag_verdict(tags: &Tags, key: &str, wanted: &str, id: &str) -> Verdict {
    match tags.get(key) {
        Some(value) if value == wanted => Verdict::AlreadyDone(id.to_owned()),
        Some(value) if SyncTag::parse(value).is_some() => {
            Verdict::Stale(Difference::new(format!("tag {key} of {id}"), "none", value))
        }
        _ => Verdict::Go,
    }
}

pub(super) async fn carry_out(
    provider: &dyn Provider,
    destination: &Place,
    tag: &TagCopy,
) -> Looked<Written> {
    let tags = Tags::from([(&tag.sync_tag.key, &tag.sync_tag.value)]);
    provider.tag(destination, &tag.copy, &tags).await?;
    Ok(Written::Done(tag.copy.id().to_owned()))
}
