//! Which copies of a database are no longer asked for.

use jiff::Timestamp;

use super::snapshot::{Case, untagged};
use super::{Notes, action_id};
use crate::model::action::{Action, DeleteSnapshot, ExpectedDeletion, KeptCopy, Tag};
use crate::model::id::{ActionId, SnapshotId};
use crate::model::inventory::Snapshot;
use crate::model::job::{SnapshotJob, SyncJob};
use crate::model::lineage::{NotOurs, ours, snapshot_origin};
use crate::model::sync_tag::{key_on_copy, whole_seconds};
use crate::model::words;

/// A copy and when its data was taken.
#[derive(Clone, Copy)]
struct Dated<'a> {
    copy: &'a Snapshot,
    taken: Timestamp,
}

/// The copy that a plan makes.
#[derive(Clone, Copy)]
pub(super) struct Due<'a> {
    /// Its action, which deletions wait for.
    pub(super) action: &'a ActionId,
    /// When the database it goes back to was made, where AWS states it.
    pub(super) instance_created: Option<Timestamp>,
}

/// What retention comes to.
#[derive(Default)]
pub(super) struct Retention<'a> {
    /// The deletions that are due, oldest copy first.
    pub(super) deletions: Vec<Action>,
    /// Available copies that are not retained, whether or not they are ours to delete.
    pub(super) beyond: Vec<&'a SnapshotId>,
}

/// Which copies are to go. `due` is the copy that this plan makes, if it makes one.
pub(super) fn decide<'a>(
    case: &Case<'a>,
    due: Option<Due<'_>>,
    notes: &mut Notes,
) -> Retention<'a> {
    let Case { job, options, .. } = case;
    let current = of_this_database(
        counted(case, untagged(case).map(|copy| &copy.id)),
        case,
        due,
        notes,
    );
    let available: Vec<Dated<'_>> = current
        .iter()
        .copied()
        .filter(|c| c.copy.status.is_available())
        .collect();
    let Some(newest) = available.first() else {
        return Retention::default();
    };
    let under_way = current
        .iter()
        .any(|c| c.copy.status.is_under_way() && c.taken > newest.taken);

    let retained = usize::try_from(options.max_snapshots_to_retain).unwrap_or(usize::MAX);
    let keep = if due.is_some() || under_way {
        retained.max(1)
    } else {
        retained.saturating_add(1)
    };
    if retained == 0 && (due.is_some() || under_way) {
        notes.warn(format!(
            "max_snapshots_to_retain is 0: {}, the last usable copy, stays until the new one is available",
            newest.copy.id
        ));
    }
    let (kept, beyond) = available.split_at(keep.min(available.len()));
    let kept: Vec<KeptCopy> = kept
        .iter()
        .map(|c| KeptCopy {
            id: c.copy.id.clone(),
            taken: c.taken,
        })
        .collect();
    let is_outlived = |c: &&Dated<'_>| c.copy.status.is_failed() && c.taken < newest.taken;
    let mut outlived: Vec<Dated<'_>> = beyond
        .iter()
        .chain(current.iter().filter(is_outlived))
        .copied()
        .collect();
    outlived.sort_by_key(|c| (c.taken, &c.copy.id));
    Retention {
        deletions: outlived
            .into_iter()
            .filter_map(|c| deletion(job, options, c, &kept, due))
            .collect(),
        beyond: beyond.iter().map(|c| &c.copy.id).collect(),
    }
}

/// Copies that retention counts, newest first: ours, and the one that is about to be given its sync tag. Copies made by
/// hand are not counted, so they never push out one of ours.
fn counted<'a>(Case { job, copies, .. }: &Case<'a>, to_tag: Option<&SnapshotId>) -> Vec<Dated<'a>> {
    let counts = |copy: &Snapshot| {
        matches!(ours(copy, &job.source_region), Ok(_) | Err(NotOurs::Kept))
            || to_tag.is_some_and(|id| *id == copy.id)
    };
    let dated = |copy: &'a Snapshot| {
        let taken = snapshot_origin(copy, &job.source_region)?.taken?;
        Some(Dated { copy, taken })
    };
    let mut counted: Vec<Dated<'a>> = copies
        .iter()
        .copied()
        .filter(|copy| counts(copy))
        .filter_map(dated)
        .collect();
    counted.sort_by(|a, b| (b.taken, &b.copy.id).cmp(&(a.taken, &a.copy.id)));
    counted
}

/// Leaves out the copies of an earlier database of the same name: they are all that is left of it. This database is
/// the one of the newest copy (whoever made it), which is the one being made where one is.
fn of_this_database<'a>(
    counted: Vec<Dated<'a>>,
    case: &Case<'_>,
    due: Option<Due<'_>>,
    notes: &mut Notes,
) -> Vec<Dated<'a>> {
    let Case {
        job,
        options,
        copies,
        source,
        ..
    } = case;
    let taken = |copy: &Snapshot| snapshot_origin(copy, &job.source_region)?.taken;
    let of_newest = copies
        .iter()
        .filter(|copy| !copy.status.is_gone())
        .max_by_key(|copy| (taken(copy), &copy.id))
        .and_then(|copy| {
            let known = source
                .is_source_of(copy)
                .then_some(case.snapshot.instance_created)
                .flatten();
            copy.instance_created.or(known)
        });
    let made = due
        .and_then(|due| due.instance_created)
        .or(of_newest)
        .map(whole_seconds);
    let is_earlier = |c: &Dated<'_>| {
        c.copy
            .instance_created
            .is_some_and(|time| Some(whole_seconds(time)) != made)
    };
    let (earlier, current): (Vec<_>, Vec<_>) = counted.into_iter().partition(is_earlier);
    if !earlier.is_empty() {
        notes.warn(format!(
            "copies of an earlier database named {} are kept until somebody deletes them by hand: {}",
            options.db_instance,
            words::list(earlier.iter().map(|c| &c.copy.id))
        ));
    }
    current
}

/// The deletion of a copy, if it is ours to delete.
fn deletion(
    job: &SyncJob,
    options: &SnapshotJob,
    Dated { copy, taken }: Dated<'_>,
    kept: &[KeptCopy],
    due: Option<Due<'_>>,
) -> Option<Action> {
    ours(copy, &job.source_region).ok()?;
    let key = key_on_copy(&job.source_region);
    let value = copy.tags.get(&key)?.to_owned();
    let reason = if copy.status.is_failed() {
        format!(
            "the copy of {} failed, and a newer one is available",
            words::utc(taken)
        )
    } else {
        let beside = if due.is_some() {
            "the one being made"
        } else {
            "the newest"
        };
        format!(
            "the copy of {} is older than the {} kept (max_snapshots_to_retain is {} beside {beside})",
            words::utc(taken),
            words::count(kept.len(), "copy", "copies"),
            options.max_snapshots_to_retain,
        )
    };
    Some(Action::DeleteSnapshot(DeleteSnapshot {
        id: action_id(&job.name, &format!("delete/{}", copy.id)),
        reason,
        after: due.map(|due| due.action.clone()),
        db_instance: options.db_instance.clone(),
        snapshot_id: copy.id.clone(),
        size_gib: copy.size_gib,
        expects: ExpectedDeletion {
            taken,
            state: copy.status.to_string(),
            sync_tag: Tag { key, value },
            kept: kept.to_vec(),
        },
    }))
}
