//! An independent, naive restatement of the retention rules, applied to the world itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::rules::{
    Source, copy_tag, is_available, is_copy, is_dead, is_given_name, manual, named_copy,
    newest_automated, origin, retained, seconds,
};
use crate::support::prelude::*;

/// Returns why a copy, judging by its tag and its source, is not one that xrs made for this job.
fn not_ours(copy: &WorldArtifact, job: &SyncJob) -> Option<&'static str> {
    let Some((_, id)) = copy_tag(copy, job) else {
        return Some("it has no readable sync tag for this job");
    };
    let from = &job.source_region;
    let is_ours = match &copy.copied_from {
        Some(arn) => {
            let arn = arn.as_str();
            arn.contains(&format!(":rds:{from}:")) && arn.ends_with(&format!("snapshot:{id}"))
        }
        None => is_given_name(copy.id.as_str(), &id, from),
    };
    (!is_ours).then_some("it is a copy of something else")
}

/// Returns why a copy, judging by its own tags and state, may not be deleted.
fn not_deletable(copy: &WorldArtifact, job: &SyncJob) -> Option<&'static str> {
    let is_kept = copy.tags.contains_key("Sync-Keep");
    let is_usual = ["available", "failed"].contains(&copy.state.as_str());
    not_ours(copy, job)
        .or(is_kept.then_some("it is to be kept"))
        .or((!is_usual).then_some("it is neither available nor failed"))
}

/// Returns the newest copy that is not dead, whoever made it.
fn newest_copy<'a>(world: &'a World, job: &'a SyncJob) -> Option<&'a WorldArtifact> {
    manual(world, job)
        .filter(|copy| !is_dead(&copy.state))
        .filter_map(|copy| Some((origin(copy, job)?.1?, copy)))
        .max_by_key(|(taken, copy)| (*taken, copy.id.clone()))
        .map(|(_, copy)| copy)
}

/// Returns when the current database was created, as its newest snapshot states. This is uncertain if a copy is newer and may be of
/// a different database.
fn current_database(world: &World, job: &SyncJob, source: &WorldArtifact) -> Option<Timestamp> {
    let newest = newest_copy(world, job);
    let taken = newest.and_then(|copy| origin(copy, job)?.1);
    let of_copy = newest.and_then(|copy| copy.parent_created);
    match source.parent_created {
        None => of_copy,
        Some(_) if taken > source.data_time.map(seconds) && of_copy != source.parent_created => {
            None
        }
        stated => stated,
    }
}

/// Returns the copy of a snapshot that may get a missing sync tag, if none of its copies has one: the copy that the snapshot's own
/// tag names.
pub fn to_be_tagged<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
) -> Option<&'a WorldArtifact> {
    let copies: Vec<&WorldArtifact> = manual(world, job)
        .filter(|copy| !is_dead(&copy.state) && is_copy(copy, job, Source::of(source)))
        .collect();
    if copies.iter().any(|copy| copy_tag(copy, job).is_some()) {
        return None;
    }
    let named = named_copy(source, job);
    let mut copies = copies.into_iter();
    copies.find(|copy| named.as_deref() == Some(copy.id.as_str()))
}

/// Returns the time of a copy. The tag that a copy is about to get states the time of its source.
fn counted_time(
    copy: &WorldArtifact,
    job: &SyncJob,
    source: &WorldArtifact,
    untagged: Option<&ArtifactId>,
) -> Option<i64> {
    if untagged == Some(&copy.id) {
        return source.data_time.map(seconds);
    }
    origin(copy, job)?.1
}

/// Returns the copies that retention counts with their times, newest first: ours, and the one that is about to be tagged, but none
/// of an earlier database of that name.
fn counted<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
    current_parent: Option<Timestamp>,
) -> Vec<(i64, &'a WorldArtifact)> {
    let untagged = to_be_tagged(world, job, source).map(|copy| &copy.id);
    let mut counted: Vec<(i64, &WorldArtifact)> = manual(world, job)
        .filter(|copy| not_ours(copy, job).is_none() || Some(&copy.id) == untagged)
        .filter(|copy| copy.parent_created.is_none() || copy.parent_created == current_parent)
        .filter_map(|copy| Some((counted_time(copy, job, source, untagged)?, copy)))
        .collect();
    counted.sort_by_key(|(taken, copy)| Reverse((*taken, copy.id.clone())));
    counted
}

/// Returns the copies of earlier databases that have been kept long enough, if it is certain which database is the current one.
fn expired<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
    current_parent: Option<Timestamp>,
) -> Vec<(i64, &'a WorldArtifact)> {
    let limit = job
        .rules
        .retention()
        .and_then(|rules| rules.earlier_parents);
    let (Some(limit), Some(_)) = (limit, current_parent) else {
        return Vec::new();
    };
    let limit = limit.as_secs();
    let day = world.now.as_second() / 86_400 * 86_400;
    let untagged = to_be_tagged(world, job, source).map(|copy| &copy.id);
    manual(world, job)
        .filter(|copy| not_ours(copy, job).is_none() || Some(&copy.id) == untagged)
        .filter(|copy| copy.parent_created.is_some() && copy.parent_created != current_parent)
        .filter_map(|copy| Some((counted_time(copy, job, source, untagged)?, copy)))
        .filter(|(taken, _)| *taken < day - limit)
        .collect()
}

/// Returns exactly the copies that retention must delete from this world. `source` is the newest snapshot; `is_due` says whether a
/// copy of it is made at the same time.
pub fn due_for_deletion(
    world: &World,
    job: &SyncJob,
    source: &WorldArtifact,
    is_due: bool,
) -> BTreeSet<String> {
    let current_parent = current_database(world, job, source);
    let counted = counted(world, job, source, current_parent);
    let available = counted.iter().filter(|(_, copy)| is_available(copy));
    let Some((newest, _)) = available.clone().next() else {
        return BTreeSet::new();
    };
    let is_in_progress = counted
        .iter()
        .any(|(taken, copy)| taken > newest && !is_available(copy) && !is_dead(&copy.state));
    let retain = retained(job);
    let kept = if is_due || is_in_progress {
        retain.max(1)
    } else {
        retain + 1
    };
    let failed = counted
        .iter()
        .filter(|(taken, copy)| is_dead(&copy.state) && taken < newest);
    let due_for_deletion = available.skip(kept).chain(failed);
    let mut expired = expired(world, job, source, current_parent);
    expired.retain(|(taken, _)| taken <= newest);
    let due_for_deletion = due_for_deletion.chain(&expired);
    due_for_deletion
        .filter(|(_, copy)| not_deletable(copy, job).is_none())
        .map(|(_, copy)| copy.id.to_string())
        .collect()
}

/// Returns why a copy may not be deleted from this world, if there is a reason. `sources` is the world in which
/// the source region is read.
pub fn reason_not_to_delete(
    world: &World,
    sources: &World,
    job: &SyncJob,
    id: &str,
) -> Option<String> {
    let Some(copy) = manual(world, job).find(|copy| copy.id.as_str() == id) else {
        return Some("it is no copy of this database".to_owned());
    };
    if let Some(why) = not_deletable(copy, job) {
        return Some(why.to_owned());
    }
    let current_parent = match newest_automated(sources, job) {
        Some(source) => current_database(world, job, source),
        None => newest_copy(world, job).and_then(|newest| newest.parent_created),
    };
    if copy.parent_created.is_some() && copy.parent_created != current_parent {
        let limit = job
            .rules
            .retention()
            .and_then(|rules| rules.earlier_parents);
        let taken = origin(copy, job)?.1?;
        let is_old = limit.is_some_and(|limit| taken < world.now.as_second() - limit.as_secs());
        let has_other = || {
            let mut copies = manual(world, job);
            copies.any(|copy| {
                is_available(copy)
                    && copy
                        .parent_created
                        .is_none_or(|made| Some(made) == current_parent)
            })
        };
        let is_due = is_old && current_parent.is_some() && has_other();
        let made = copy.parent_created;
        return (!is_due).then(|| {
            format!("it is of a different database of that name: {made:?}, not {current_parent:?}")
        });
    }
    // A copy that counted during planning because it was to be tagged still counts, no matter what has happened to its tag since.
    let of_copy = (origin(copy, job)?.1?, copy.id.clone());
    let is_newer = |other: &&WorldArtifact| {
        let Some((id, Some(taken))) = origin(other, job) else {
            return false;
        };
        let is_named = copy_tag(other, job).is_some()
            || is_given_name(other.id.as_str(), &id, &job.source_region);
        let is_same = copy
            .parent_created
            .and(current_parent)
            .is_none_or(|current_parent| {
                other
                    .parent_created
                    .is_none_or(|made| made == current_parent)
            });
        is_available(other) && is_named && is_same && (taken, other.id.clone()) > of_copy
    };
    let newer = manual(world, job).filter(is_newer).count();
    let wanted = if is_available(copy) {
        retained(job).max(1)
    } else {
        1
    };
    (newer < wanted).then(|| format!("{newer} newer ones are available, and {wanted} have to be"))
}
