//! The copies and tags that a plan lists.

use super::case::Case;
use super::copy_tags;
use crate::model::action::{
    Action, Copy, ExpectedCopy, ExpectedSource, KnownCopy, NewCopy, Tag, TagCopy, TagSource,
};
use crate::model::ids::{ActionId, ArtifactId};
use crate::model::reason::{CopyDue, TagReason};
use crate::model::sync_tag::{key_on_copy, key_on_source};
use crate::sync_types::{CopySettings, SyncJob};

/// Returns the id of an action of a job.
pub(super) fn action_id(job: &SyncJob, rest: &str) -> ActionId {
    ActionId::from(format!("{}/{rest}", job.name))
}

/// Returns why a copy is due, and how far behind the destination is.
pub(super) fn copy_due(case: &Case<'_>) -> CopyDue {
    let Case { job, artifact, .. } = case;
    let copies = case.copies.iter();
    let available =
        copies.filter(|copy| copy.state.is_available() && case.source.is_of_same_parent(copy));
    let name = artifact.name().to_owned();
    CopyDue {
        kind: artifact.kind,
        source: artifact.id.clone(),
        name: Some(name).filter(|name| !name.is_empty()),
        data_time: case.source.data_time,
        region: job.destination_region.clone(),
        newest_copy: available.filter_map(|copy| case.time_of(copy)).max(),
    }
}

/// Returns the actions that make a copy and record it on the source, and the id of the first.
pub(super) fn copy(
    case: &Case<'_>,
    settings: CopySettings,
    copy_id: Option<ArtifactId>,
    reason: &CopyDue,
    warnings: &mut Vec<String>,
) -> (Vec<Action>, ActionId) {
    let Case { job, artifact, .. } = case;
    let (tags, tag_warnings) = copy_tags::for_copy(&artifact.tags, artifact.kind);
    warnings.extend(tag_warnings);
    let CopySettings {
        name,
        description,
        option_group_name,
    } = settings;
    let id = action_id(job, "copy");
    let copy = Copy {
        id: id.clone(),
        kind: artifact.kind,
        reason: reason.to_string(),
        source: artifact.to_ref(&job.source_region),
        copy: NewCopy {
            region: job.destination_region.clone(),
            id: copy_id,
            name,
            description,
        },
        tags,
        sync_tag: sync_tag(case),
        kms_key_id: job.kms_key_id.clone(),
        option_group_name,
        size_gib: artifact.size_gib,
        expects: ExpectedSource {
            state: artifact.state.clone(),
            data_time: case.source.data_time,
            parent_created: case.source.parent_created,
        },
    };
    let tag = tag_source(case, &id, KnownCopy::OfAction(id.clone()));
    (vec![Action::Copy(copy), tag], id)
}

/// Returns the actions that give the copy of the source the sync tag it lacks. A copy that retention does not keep (`beyond`) stays as it is,
/// and so does one without room for the tag.
pub(super) fn tags(
    case: &Case<'_>,
    beyond: &[&ArtifactId],
    warnings: &mut Vec<String>,
) -> Vec<Action> {
    let Case { job, source, .. } = case;
    let Some(copy) = case.copy_to_tag() else {
        return Vec::new();
    };
    if beyond.contains(&&copy.id) {
        return Vec::new();
    }
    if !copy_tags::has_room(&copy.tags, &key_on_copy(&job.source_region)) {
        warnings.push(format!(
            "{} has no sync tag, and no room for one: remove one of its tags",
            copy.id
        ));
        return Vec::new();
    }
    let id = action_id(job, "tag-copy");
    let reason = TagReason::NoSyncTag {
        copy: copy.id.clone(),
        source: source.id.clone(),
    };
    let tag_copy = TagCopy {
        id: id.clone(),
        kind: copy.kind,
        reason: reason.to_string(),
        copy: copy.to_ref(&job.destination_region),
        source: case.artifact.to_ref(&job.source_region),
        sync_tag: sync_tag(case),
        expects: ExpectedCopy {
            data_time: copy.data_time.map(|_| source.data_time),
        },
    };
    let tag_source = tag_source(case, &id, KnownCopy::Id(copy.id.clone()));
    vec![Action::TagCopy(tag_copy), tag_source]
}

/// Returns the action that records on the source where its copy is.
fn tag_source(case: &Case<'_>, after: &ActionId, copy: KnownCopy) -> Action {
    let Case { job, artifact, .. } = case;
    let reason = TagReason::RecordsCopy {
        source: artifact.id.clone(),
    };
    Action::TagSource(TagSource {
        id: action_id(job, "tag-source"),
        kind: artifact.kind,
        reason: reason.to_string(),
        after: after.clone(),
        source: artifact.to_ref(&job.source_region),
        key: key_on_source(&job.destination_region),
        data_time: case.source.data_time,
        copy,
    })
}

/// Returns the sync tag of a copy of the source.
fn sync_tag(case: &Case<'_>) -> Tag {
    Tag {
        key: key_on_copy(&case.job.source_region),
        value: case.source.sync_tag_value(),
    }
}
