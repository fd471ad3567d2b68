//! Creates the copy and tag actions of a plan.

use super::case::Case;
use super::copy_tags;
use crate::model::action::{
    Action, Copy, ExpectedCopy, ExpectedSource, KnownCopy, NewCopy, Tag, TagCopy, TagSource,
};
use crate::model::artifact::Artifact;
use crate::model::identity::is_ours;
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

/// Returns the actions that make a copy and record it on the source, and the id of the copy action.
pub(super) fn copy(
    case: &Case<'_>,
    settings: CopySettings,
    copy_id: Option<ArtifactId>,
    reason: &str,
    warnings: &mut Vec<String>,
) -> (Vec<Action>, ActionId) {
    let Case { job, artifact, .. } = case;
    let (tags, tag_warnings) =
        copy_tags::for_copy(&artifact.tags, artifact.kind, &job.rules.selecting_keys());
    warnings.extend(tag_warnings);
    let CopySettings {
        name,
        description,
        option_group_name,
        copy_within,
    } = settings;
    let id = action_id(job, "copy");
    let copy = Copy {
        id: id.clone(),
        kind: artifact.kind,
        reason: reason.to_owned(),
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
        copy_within_minutes: copy_within.and_then(|time| u32::try_from(time.as_mins()).ok()),
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

/// Returns the actions that give the copy of the source the tags that it lacks: its sync tag, and those that the job selects by. A
/// copy that retention does not keep (`beyond_limit`) is left as it is, and so is one without room for the tags.
pub(super) fn tags(
    case: &Case<'_>,
    synced_by: &Artifact,
    beyond_limit: &[&ArtifactId],
    warnings: &mut Vec<String>,
) -> Vec<Action> {
    let Case { job, source, .. } = case;
    let to_tag = case.copy_to_tag();
    let is_own = |copy: &&Artifact| is_ours(copy, source.region) && source.is_source_of(copy);
    let Some(copy) = to_tag.or(Some(synced_by).filter(is_own)) else {
        return Vec::new();
    };
    let tags = copy_tags::changed(copy, &case.artifact.tags, &job.rules.selecting_keys());
    if beyond_limit.contains(&&copy.id) || to_tag.is_none() && tags.is_empty() {
        return Vec::new();
    }
    let (copy_id, source_id) = (copy.id.clone(), source.id.clone());
    let reason = if to_tag.is_some() {
        TagReason::NoSyncTag {
            copy: copy_id,
            source: source_id,
        }
    } else {
        TagReason::Changed {
            copy: copy_id,
            source: source_id,
            keys: tags.keys().map(str::to_owned).collect(),
        }
    };
    let mut sync_tag = sync_tag(case);
    if let Some(has) = copy.tags.get(&sync_tag.key).filter(|_| to_tag.is_none()) {
        has.clone_into(&mut sync_tag.value);
    }
    let id = action_id(job, "tag-copy");
    let tag_copy = TagCopy {
        id: id.clone(),
        kind: copy.kind,
        reason: reason.to_string(),
        copy: copy.to_ref(&job.destination_region),
        source: case.artifact.to_ref(&job.source_region),
        sync_tag,
        tags,
        expects: ExpectedCopy {
            data_time: copy.data_time.map(|_| source.data_time),
        },
    };
    if !copy_tags::has_room(&copy.tags, &tag_copy.all_tags()) {
        warnings.push(format!(
            "{reason}, but has no room for more tags: remove one of its tags"
        ));
        return Vec::new();
    }
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
