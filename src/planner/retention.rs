//! Decides which copies are no longer kept.

use jiff::Timestamp;

use super::actions::action_id;
use super::case::Case;
use super::guards::{keep_reason, warning};
use crate::model::action::{Action, Delete, ExpectedDeletion, KeptCopy, Tag};
use crate::model::artifact::Artifact;
use crate::model::identity::{current_parent_created, is_of_parent, is_ours, ours};
use crate::model::ids::{ActionId, ArtifactId};
use crate::model::keep_reason::KeepReason;
use crate::model::plan::Kept;
use crate::model::reason::DeleteReason;
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};
use crate::model::words;
use crate::sync_types::RetentionRules;

/// A copy, and when its data was captured.
#[derive(Clone, Copy)]
struct DatedCopy<'a> {
    copy: &'a Artifact,
    time: Timestamp,
}

/// The outcome of applying retention to a job.
#[derive(Default)]
pub(super) struct Retention<'a> {
    /// The deletions that are due, oldest copy first.
    pub(super) deletions: Vec<Action>,
    /// The copies that are kept although retention would otherwise delete them, oldest first.
    pub(super) kept: Vec<Kept>,
    /// The available copies beyond the retention limit, whether or not they are ours to delete.
    pub(super) beyond_limit: Vec<&'a ArtifactId>,
}

/// Decides which copies are deleted. `copy_action` is the copy action of the plan, if there is one.
pub(super) fn decide<'a>(
    case: &Case<'a>,
    copy_action: Option<&ActionId>,
    warnings: &mut Vec<String>,
) -> Retention<'a> {
    let Some(rules) = case.job.rules.retention() else {
        return Retention::default();
    };
    let limit = rules.max_retained;
    let copies = case.copies.iter().copied();
    let current_parent = current_parent_created([case.artifact], copies, &case.job.source_region);
    let (current, earlier): (Vec<_>, Vec<_>) = counted(case)
        .into_iter()
        .partition(|dated| is_of_parent(dated.copy, current_parent));
    let is_available = |dated: &&DatedCopy<'_>| dated.copy.state.is_available();
    let available: Vec<DatedCopy<'_>> = current.iter().filter(is_available).copied().collect();
    let Some(newest) = available.first() else {
        warn_about_earlier_parent(case, rules, &earlier, warnings);
        return Retention::default();
    };
    let is_newer_coming = copy_action.is_some()
        || current
            .iter()
            .any(|dated| dated.copy.state.is_in_progress() && dated.time > newest.time);
    if limit == 0 && is_newer_coming {
        warnings.push(format!(
            "{} is 0: xrs keeps {}, the last usable copy, until the new one is available",
            rules.option, newest.copy.id
        ));
    }
    let (kept, beyond_limit) =
        available.split_at(number_kept(limit, is_newer_coming).min(available.len()));
    let own_identifier = case.job.rules.identifier();
    let kept = kept.iter().map(|dated| {
        let identifier = dated.copy.tags.get(SYNC_IDENTIFIER);
        let other = identifier.filter(|other| own_identifier.is_some_and(|own| own != *other));
        KeptCopy {
            id: dated.copy.id.clone(),
            data_time: dated.time,
            other_identifier: other.map(str::to_owned),
        }
    });
    let kept: Vec<KeptCopy> = kept.collect();
    let is_superseded =
        |dated: &&DatedCopy<'_>| dated.copy.state.is_failed() && dated.time < newest.time;
    let failed = current.iter().filter(is_superseded);
    // Copies of an earlier database are deleted only if the current database has a copy that is at least as new, and if it is
    // certain which database is the current one.
    let oldest = rules.earlier_parents.filter(|_| current_parent.is_some());
    let oldest = oldest.and_then(|limit| case.day.checked_sub(limit).ok());
    let is_expired = |dated: &DatedCopy<'_>| {
        dated.time <= newest.time && oldest.is_some_and(|oldest| dated.time < oldest)
    };
    let (expired, earlier): (Vec<_>, Vec<_>) = earlier.into_iter().partition(is_expired);
    warn_about_earlier_parent(case, rules, &earlier, warnings);
    let mut candidates: Vec<DatedCopy<'_>> = beyond_limit.iter().chain(failed).copied().collect();
    candidates.extend(expired.iter().filter(|dated| {
        let state = &dated.copy.state;
        state.is_available() || state.is_failed()
    }));
    candidates.sort_by_key(|dated| (dated.time, &dated.copy.id));
    let mut retention = Retention::default();
    let (mut selected, mut unknown) = (Vec::new(), None);
    for dated in candidates {
        match keep_reason(case, rules, dated.copy) {
            Some(reason) => {
                retention.kept.push(Kept {
                    id: dated.copy.id.clone(),
                    name: name_of(dated.copy),
                    reason: reason.to_string(),
                });
                if reason == KeepReason::CurrentSource {
                    selected.push(&dated.copy.id);
                }
                unknown = unknown.or_else(|| warning(&reason));
            }
            None => {
                let kept = (&*kept, current_parent);
                let deletion = deletion(case, rules, dated, kept, copy_action);
                retention.deletions.extend(deletion);
            }
        }
    }
    warnings.extend(unknown);
    let beyond_limit = beyond_limit.iter().map(|dated| &dated.copy.id);
    retention.beyond_limit = beyond_limit.filter(|id| !selected.contains(id)).collect();
    retention
}

/// Warns about copies of an earlier database of the same name: they may be all that is left of it.
fn warn_about_earlier_parent(
    case: &Case<'_>,
    rules: RetentionRules,
    earlier: &[DatedCopy<'_>],
    warnings: &mut Vec<String>,
) {
    let until = match rules.earlier_parents {
        Some(limit) => format!("they are {} old", words::span(limit.as_secs())),
        None => "someone deletes them".to_owned(),
    };
    if let (false, Some(parent)) = (earlier.is_empty(), case.job.rules.parent()) {
        warnings.push(format!(
            "copies of an earlier database named {parent} are kept until {until}: {}",
            words::list(earlier.iter().map(|dated| &dated.copy.id))
        ));
    }
}

/// Returns how many available copies are kept: if a newer copy is on its way, `limit`, but at least one; otherwise `limit` in
/// addition to the newest.
fn number_kept(limit: u32, is_newer_coming: bool) -> usize {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if is_newer_coming {
        limit.max(1)
    } else {
        limit.saturating_add(1)
    }
}

/// Returns the copies that retention counts, newest first: ours, and the one that is about to get its sync tag. Other copies do not
/// count, so that they never displace ours.
fn counted<'a>(case: &Case<'a>) -> Vec<DatedCopy<'a>> {
    let region = &case.job.source_region;
    // Its sync tag will make it ours only if AWS confirms the source.
    let to_tag = case.copy_to_tag().filter(|copy| copy.copied_from.is_some());
    let to_tag = to_tag.map(|copy| &copy.id);
    let is_counted = |copy: &Artifact| is_ours(copy, region) || to_tag == Some(&copy.id);
    let dated = |copy: &'a Artifact| {
        let time = case.time_of(copy)?;
        Some(DatedCopy { copy, time })
    };
    let copies = case.copies.iter().copied();
    let mut counted: Vec<DatedCopy<'a>> = copies
        .filter(|copy| is_counted(copy))
        .filter_map(dated)
        .collect();
    counted.sort_by(|a, b| (b.time, &b.copy.id).cmp(&(a.time, &a.copy.id)));
    counted
}

/// Returns the deletion of a copy, if it is ours to delete.
fn deletion(
    case: &Case<'_>,
    rules: RetentionRules,
    DatedCopy { copy, time }: DatedCopy<'_>,
    (kept, current_parent): (&[KeptCopy], Option<Timestamp>),
    copy_action: Option<&ActionId>,
) -> Option<Action> {
    let job = case.job;
    ours(copy, &job.source_region).ok()?;
    let key = key_on_copy(&job.source_region);
    let value = copy.tags.get(&key)?.to_owned();
    let is_earlier = !is_of_parent(copy, current_parent);
    let reason = match rules.earlier_parents.filter(|_| is_earlier) {
        Some(limit) => DeleteReason::EarlierParent {
            data_time: time,
            limit: limit.as_secs(),
        },
        None if copy.state.is_failed() => DeleteReason::Failed { data_time: time },
        None => DeleteReason::BeyondRetention {
            data_time: time,
            kept: kept.len(),
            option: rules.option,
            limit: rules.max_retained,
            is_copy_due: copy_action.is_some(),
        },
    };
    Some(Action::Delete(Delete {
        id: action_id(job, &format!("delete/{}", copy.id)),
        kind: copy.kind,
        reason: reason.to_string(),
        after: copy_action.cloned(),
        before: None,
        artifact: copy.to_ref(&job.destination_region),
        name: name_of(copy),
        size_gib: copy.size_gib,
        snapshots: copy.backing_snapshots().to_vec(),
        expects: ExpectedDeletion {
            data_time: time,
            state: copy.state.clone(),
            sync_tag: Tag { key, value },
            sync_identifier: job.rules.identifier().map(str::to_owned),
            earlier_parent: copy.parent_created().filter(|_| is_earlier),
            last_launched: copy.last_launched(),
            kept: kept.to_vec(),
        },
    }))
}

fn name_of(copy: &Artifact) -> Option<String> {
    Some(copy.name().to_owned()).filter(|name| !name.is_empty())
}
