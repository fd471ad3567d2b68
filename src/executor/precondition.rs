//! Checks whether the preconditions of an action still hold.

use jiff::Timestamp;

use super::deletion::check_delete;
use super::difference::{Precondition, compared, difference, shown};
use super::facts::{Facts, Target};
use crate::model::action::{Action, Copy, Tag, TagCopy, TagSource};
use crate::model::artifact::{Artifact, ArtifactRef};
use crate::model::identity::{Source, is_in_account};
use crate::model::ids::ArtifactId;
use crate::model::kind::Kind;
use crate::model::reason::UnneededReason;
use crate::model::sync_tag::{SyncTag, whole_seconds};

/// Compares an action with what was observed for its job. `copy` is the copy that the source's tag will name, if there is one.
pub(super) fn check(
    action: &Action,
    target: &Target,
    copy: Option<&ArtifactId>,
    facts: &Facts,
) -> Precondition {
    if let Some(difference) = difference("account", &target.account, &facts.account) {
        return Precondition::Stale(difference);
    }
    match action {
        Action::Copy(copy) => check_copy(copy, target, facts),
        Action::TagCopy(tag) => check_tag_copy(tag, target, facts),
        Action::TagSource(tag) => check_tag_source(tag, copy, facts),
        Action::Delete(delete) => check_delete(delete, target, facts),
    }
}

fn find<'a>(artifacts: &'a [Artifact], artifact: &ArtifactRef) -> Option<&'a Artifact> {
    let mut artifacts = artifacts.iter();
    artifacts.find(|other| other.id == artifact.id && other.arn == artifact.arn)
}

/// Returns the source of a copy action, with the properties that the action states.
pub(super) fn source_of(copy: &Copy) -> Source<'_> {
    Source {
        parent_created: copy.expects.parent_created,
        ..source(copy.kind, &copy.source, copy.expects.data_time)
    }
}

fn source(kind: Kind, artifact: &ArtifactRef, data_time: Timestamp) -> Source<'_> {
    Source {
        kind,
        id: &artifact.id,
        arn: &artifact.arn,
        region: &artifact.region,
        data_time,
        parent_created: None,
        named_copy: None,
    }
}

/// Adds the copy that the source's own tag names, if the source is there.
fn with_named_copy<'s>(
    source: Source<'s>,
    artifact: &ArtifactRef,
    target: &Target,
    facts: &Facts,
) -> Source<'s> {
    match find(&facts.sources, artifact) {
        Some(found) => source.with_copy_named_by(found, &target.request.destination.region),
        None => source,
    }
}

/// Returns a warning if there is a newer source than the one to be copied. The copy is made anyway.
pub(super) fn newer_source(action: &Action, facts: &Facts) -> Option<String> {
    let Action::Copy(copy) = action else {
        return None;
    };
    let sources = facts.sources.iter();
    let available = sources.filter(|source| source.state.is_available());
    let newest = available.max_by_key(|source| (source.source_time(), &source.id))?;
    let is_newer = newest.source_time() > Some(copy.expects.data_time);
    let (newest, planned) = (&newest.id, &copy.source.id);
    let warning = format!("{newest} is newer than the planned {planned}: plan again to sync it");
    (is_newer && copy.kind.facts().newer_copy_suffices).then_some(warning)
}

/// Checks that neither the source nor a newer one has a copy, that the source is unchanged and available, and that the id is free.
fn check_copy(copy: &Copy, target: &Target, facts: &Facts) -> Precondition {
    let found = find(&facts.sources, &copy.source);
    let source = with_named_copy(source_of(copy), &copy.source, target, facts);
    let is_own = |copy: &&Artifact| is_in_account(copy, &target.account);
    if let Some(existing) = source.synced_by(facts.copies.iter().filter(is_own)) {
        let id = existing.id.clone();
        return if source.is_source_of(existing) {
            Precondition::AlreadyDone(id)
        } else {
            Precondition::Unneeded(UnneededReason::NewerCopy(id))
        };
    }
    let (id, planned) = (&copy.source.id, copy.expects.data_time);
    let source = format!("source {} {id}", copy.kind);
    let state = found.map_or("no source with that id", |source| source.state.as_str());
    let time = shown(found.and_then(Artifact::source_time));
    let created = found.and_then(Artifact::parent_created);
    let (of_source, then) = (format!("database of {source}"), copy.expects.parent_created);
    let has_its_id = |other: &&Artifact| Some(&other.id) == copy.copy.id.as_ref();
    let holder = facts.copies.iter().find(has_its_id);
    let holder = holder.map_or("free".to_owned(), |holder| {
        let origin = holder.copied_from.as_ref();
        let origin = origin.map_or("made in that region".to_owned(), |arn| {
            format!("copied from {arn}")
        });
        format!("held by a {} {origin} ({})", copy.kind, holder.state)
    });
    compared([
        difference(&format!("state of {source}"), &copy.expects.state, state),
        difference(&format!("creation time of {source}"), planned, time),
        difference(
            &format!("creation time of the {of_source}"),
            shown(then),
            shown(created),
        ),
        difference("id of the copy", "free", holder),
    ])
}

/// Checks that the copy is there, has not failed, and is still a copy of that source. It must have the planned sync tag. If it
/// has no readable sync tag, the tag of the source must name it.
fn check_tag_copy(tag: &TagCopy, target: &Target, facts: &Facts) -> Precondition {
    let (id, Tag { key, value }) = (&tag.copy.id, &tag.sync_tag);
    let copy = find(&facts.copies, &tag.copy).filter(|copy| !copy.state.is_gone());
    let readable = |copy: &Artifact| {
        let tag = copy.tags.get(key);
        tag.filter(|value| SyncTag::parse(value).is_some())
            .map(str::to_owned)
    };
    let is_copy = |copy: &&Artifact| {
        SyncTag::parse(value).is_some_and(|planned| {
            let source = source(tag.kind, &tag.source, planned.time);
            let source = with_named_copy(source, &tag.source, target, facts);
            source.is_source_of(copy) && (readable(copy).is_some() || source.names(copy))
        })
    };
    let Some(copy) = copy.filter(is_copy) else {
        let found = "gone, failed, or no longer a copy of that source";
        return compared([difference(&format!("copy {id}"), "present", found)]);
    };
    let mut written = tag.all_tags();
    written.retain(|key, value| copy.tags.get(key) != Some(value));
    if written.is_empty() {
        return Precondition::AlreadyDone(id.clone());
    }
    let planned = tag.expects.data_time;
    let found = planned.and(copy.data_time.map(whole_seconds));
    let readable = readable(copy).unwrap_or_else(|| value.clone());
    let mut snapshots = tag.snapshots.iter();
    let foreign = snapshots.find(|snapshot| !copy.backing_snapshots().contains(*snapshot));
    compared([
        foreign.and_then(|id| {
            difference(
                &format!("snapshot {id}"),
                "a snapshot of the copy",
                "a different one",
            )
        }),
        difference(&format!("time of copy {id}"), shown(planned), shown(found)),
        difference(&format!("tag {key} of {id}"), value, readable),
    ])
}

/// Checks that the source is there. Automated snapshots expire; if the source is gone, the tag is not needed.
fn check_tag_source(tag: &TagSource, copy: Option<&ArtifactId>, facts: &Facts) -> Precondition {
    let Some(copy) = copy else {
        return Precondition::Unneeded(UnneededReason::NoCopyToName);
    };
    match find(&facts.sources, &tag.source) {
        None => Precondition::Unneeded(UnneededReason::SourceGone),
        Some(source) if source.tags.get(&tag.key) == Some(&tag.tag(copy).value) => {
            Precondition::AlreadyDone(tag.source.id.clone())
        }
        Some(_) => Precondition::Go,
    }
}
