//! Warnings for the reviewer, regardless of the decision.

use super::case::Case;
use crate::model::artifact::Artifact;
use crate::model::identity::{is_ours, origin};
use crate::model::sync_tag::{SyncTag, key_on_copy};
use crate::model::words::list;
use crate::sync_types::SyncJob;

/// Warns about failed and disabled copies, and about sync tags that can't be parsed.
pub(super) fn about_copies(case: &Case<'_>, warnings: &mut Vec<String>) {
    about_failed_copies(case, warnings);
    about_disabled_copy(case, warnings);
    about_unreadable_tags(case, warnings);
    about_unknown_tags(case, warnings);
}

/// Returns a warning if a job would delete old copies, but `first`, which syncs the same source, does not.
pub(super) fn without_retention(job: &SyncJob, first: &SyncJob) -> Option<String> {
    let rules = job.rules.retention()?;
    Some(format!(
        "{} has no effect while {} syncs the same {}: to use it, put {} above {} in the config",
        rules.option,
        first.name,
        job.kind(),
        job.name,
        first.name
    ))
}

fn about_unknown_tags(case: &Case<'_>, warnings: &mut Vec<String>) {
    let mut unknown = case
        .copies
        .iter()
        .filter(|copy| copy.has_unknown_tags)
        .peekable();
    if unknown.peek().is_some() {
        warnings.push(format!(
            "retention can't run for copies whose tags can't be read: {}; allow rds:ListTagsForResource",
            list(unknown.map(|copy| &copy.id))
        ));
    }
}

/// Warns about failed copies: if no apply waited for a copy, the next plan is the first to report its failure.
fn about_failed_copies(case: &Case<'_>, warnings: &mut Vec<String>) {
    let region = &case.job.destination_region;
    for copy in case.copies.iter().filter(|copy| copy.state.is_failed()) {
        let reason = copy.state_reason();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        let (id, state) = (&copy.id, &copy.state);
        warnings.push(format!("the copy {id} in {region} is {state}{reason}"));
    }
}

fn about_disabled_copy(case: &Case<'_>, warnings: &mut Vec<String>) {
    let synced_by = case.source.synced_by(case.copies.iter().copied());
    if let Some(copy) = synced_by.filter(|copy| copy.state.is_disabled()) {
        warnings.push(format!(
            "the copy {} is disabled: nothing can be launched from it until it is enabled",
            copy.id
        ));
    }
}

fn about_unreadable_tags(case: &Case<'_>, warnings: &mut Vec<String>) {
    let key = key_on_copy(&case.job.source_region);
    let is_unreadable = |value: &str| SyncTag::parse(value).is_none();
    let mut unreadable = case
        .found
        .iter()
        .filter(|copy| copy.tags.get(&key).is_some_and(is_unreadable))
        .peekable();
    if unreadable.peek().is_some() {
        let ids = list(unreadable.map(|copy| &copy.id));
        warnings.push(format!(
            "the tag {key} on {ids} can't be parsed and is ignored"
        ));
    }
}

/// Warns that the copy that makes a new one unnecessary is not ours, and says how to hand it over.
pub(super) fn about_foreign_copy(case: &Case<'_>, copy: &Artifact, warnings: &mut Vec<String>) {
    let (from, to) = (&case.job.source_region, &case.job.destination_region);
    let is_to_tag = case.copy_to_tag().is_some_and(|other| other.id == copy.id);
    let is_known = !copy.has_unknown_tags && !is_ours(copy, from) && !is_to_tag;
    let Some(origin) = origin(copy, from).filter(|_| is_known) else {
        return;
    };
    let time = origin.data_time.unwrap_or(case.source.data_time);
    let (key, value) = (key_on_copy(from), SyncTag::new(time, origin.id));
    let command = copy.kind.facts().tag_command;
    let command = command
        .replace("{region}", to.as_str())
        .replace("{id}", copy.id.as_str())
        .replace("{arn}", copy.arn.as_str());
    warnings.push(format!(
        "{} was not made by xrs: it counts as synced, and xrs neither tags nor deletes it; to hand it over to xrs, run: \
         {command} 'Key={key},Value={value}'",
        copy.id
    ));
}

/// Warns that the copy will be a full one, because the previous copy is encrypted with a different key from the one of the job. An
/// alias does not reveal which key it stands for.
/// See <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_CopySnapshot.html>.
pub(super) fn about_key(case: &Case<'_>, warnings: &mut Vec<String>) {
    let Some(key) = case
        .job
        .kms_key_id
        .as_deref()
        .filter(|key| !key.contains("alias/"))
    else {
        return;
    };
    let last = case.newest_copy();
    let last = last.and_then(|copy| Some((&copy.id, copy.kms_key()?)));
    if let Some((id, other)) = last.filter(|(_, other)| !other.ends_with(key)) {
        warnings.push(format!(
            "the last copy {id} is encrypted with a different key ({other}), so the next one transfers all data"
        ));
    }
}

/// Warns that a source may expire before its copy is done.
pub(super) fn about_expiry(case: &Case<'_>, warnings: &mut Vec<String>) {
    if !case.artifact.kind.facts().sources_expire {
        return;
    }
    // A source in progress states no time yet, so it is newer.
    let is_oldest = case.sources.iter().all(|other| {
        let time = other.source_time();
        other.is_of_other_service() || time.is_none_or(|time| time >= case.source.data_time)
    });
    if is_oldest {
        warnings.push(format!(
            "{} is the oldest source left: if it expires before the copy is done, the copy may fail",
            case.source.id
        ));
    }
}
