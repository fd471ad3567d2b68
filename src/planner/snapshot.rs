//! What is to be done about the newest automated snapshot of an `rds_automated_snapshot` job.

use super::claims::Claims;
use super::retention::{self, Due};
use super::snapshot_copy;
use super::tags;
use super::{Decision, Notes, action_id};
use crate::model::action::{Action, CopyId, ExpectedCopy, Resource, Tag, TagCopy, TagSource};
use crate::model::id::{AccountId, ActionId, SnapshotId};
use crate::model::inventory::Snapshot;
use crate::model::job::{SnapshotJob, SyncJob};
use crate::model::lineage::{SourceSnapshot, is_target_name, snapshot_origin};
use crate::model::plan::{Observed, Seen, Subject};
use crate::model::problem::Problem;
use crate::model::sync_tag::{SyncTag, key_on_copy, key_on_source};
use crate::model::words;

/// All that a job's snapshot is decided by.
pub(super) struct Case<'a> {
    pub(super) job: &'a SyncJob,
    pub(super) options: &'a SnapshotJob,
    pub(super) account: &'a AccountId,
    /// The snapshot to have in the destination.
    pub(super) snapshot: &'a Snapshot,
    /// The same, in the words by which its copies are known.
    pub(super) source: SourceSnapshot<'a>,
    /// What the destination holds under the database's name.
    pub(super) manual: &'a [Snapshot],
    /// Those of them that come from the job's source region, in order of identifier.
    pub(super) copies: Vec<&'a Snapshot>,
}

pub(super) fn decide(
    job: &SyncJob,
    options: &SnapshotJob,
    account: &AccountId,
    automated: &[Snapshot],
    manual: &[Snapshot],
    claims: &mut Claims,
    notes: &mut Notes,
) -> Result<Decision, Problem> {
    notes.subject = Some(Subject::Database(options.db_instance.clone()));
    let (snapshot, source) = choose(job, options, automated)?;
    let copies = copies(job, manual, notes);
    notes.observed = Some(Observed {
        source: Some(seen(job, snapshot)),
        newest_copy: newest(job, &copies).map(|copy| seen(job, copy)),
        sources: automated.len(),
        copies: copies.len(),
    });
    warn_of_failed(job, &copies, notes);
    let case = Case {
        job,
        options,
        account,
        snapshot,
        source,
        manual,
        copies,
    };
    match source.synced_by(manual) {
        Some(copy) => Ok(synced(&case, copy, notes)),
        None => {
            // One that is being made states no time yet: it is newer.
            let is_oldest =
                |other: &Snapshot| other.taken().is_none_or(|taken| taken >= source.taken);
            if automated.iter().all(is_oldest) {
                notes.warn(format!(
                    "{} is the oldest automated snapshot left: if it expires before the copy is done, the copy may fail",
                    source.id
                ));
            }
            due(&case, claims, notes)
        }
    }
}

/// The destination is not behind: old copies may have to go, and a sync tag may be missing.
fn synced(case: &Case<'_>, copy: &Snapshot, notes: &mut Notes) -> Decision {
    let Case { job, source, .. } = case;
    let retention = retention::decide(case, None, notes);
    let place = if source.is_source_of(copy) {
        format!(
            "newest automated snapshot {} is in {} as {} ({})",
            source.id, job.destination_region, copy.id, copy.status
        )
    } else {
        format!(
            "{} holds a newer copy than automated snapshot {}: {}",
            job.destination_region, source.id, copy.id
        )
    };
    let to_delete = match retention.deletions.len() {
        0 => String::new(),
        n => format!("; {} to delete", words::count(n, "old copy", "old copies")),
    };
    let mut actions = tag_actions(case, &retention.beyond, notes);
    actions.extend(retention.deletions);
    Decision {
        reason: format!("{place}{to_delete}"),
        actions,
    }
}

/// The destination is behind: a copy, and what goes in its stead.
fn due(case: &Case<'_>, claims: &mut Claims, notes: &mut Notes) -> Result<Decision, Problem> {
    let copy = snapshot_copy::decide(case, claims, notes)?;
    let reason = copy.reason.clone();
    let due = Due {
        action: &copy.id,
        instance_created: case.snapshot.instance_created,
    };
    let retention = retention::decide(case, Some(due), notes);
    let tag_source = tag_source(case, &copy.id, CopyId::OfAction(copy.id.clone()));
    let mut actions = vec![Action::CopySnapshot(copy), tag_source];
    actions.extend(retention.deletions);
    Ok(Decision { reason, actions })
}

/// The newest available automated snapshot.
fn choose<'a>(
    job: &'a SyncJob,
    options: &SnapshotJob,
    automated: &'a [Snapshot],
) -> Result<(&'a Snapshot, SourceSnapshot<'a>), Problem> {
    let dated = |snapshot: &'a Snapshot| {
        let taken = snapshot.taken()?;
        let source = SourceSnapshot {
            id: &snapshot.id,
            arn: &snapshot.arn,
            region: &job.source_region,
            taken,
        };
        Some((snapshot, source))
    };
    let newest = automated
        .iter()
        .filter(|snapshot| snapshot.status.is_available())
        .filter_map(dated)
        .max_by_key(|(_, source)| (source.taken, source.id));
    newest.ok_or_else(|| {
        let database = &options.db_instance;
        let region = &job.source_region;
        if automated.is_empty() {
            Problem::new(format!("no automated snapshots of database {database} ({}) in {region}", job.name)).help(
                "see that db_instance and source_region are right and that its automated backups are on; \
                 Aurora clusters and AWS Backup make no automated DB snapshots",
            )
        } else {
            let mut states: Vec<String> = automated.iter().map(|s| format!("{} ({})", s.id, s.status)).collect();
            states.sort();
            let list = words::list(states);
            Problem::new(format!("no automated snapshot of database {database} ({}) in {region} is available: {list}", job.name))
                .help("plan again when one of them is available")
        }
    })
}

/// Copies from the job's source region, as AWS or their sync tag states, in order of identifier.
fn copies<'a>(job: &SyncJob, manual: &'a [Snapshot], notes: &mut Notes) -> Vec<&'a Snapshot> {
    let key = key_on_copy(&job.source_region);
    let mut copies: Vec<&Snapshot> = manual
        .iter()
        .filter(|snapshot| snapshot_origin(snapshot, &job.source_region).is_some())
        .collect();
    copies.sort_by_key(|copy| &copy.id);
    let mut unreadable: Vec<&SnapshotId> = manual
        .iter()
        .filter(|snapshot| {
            snapshot
                .tags
                .get(&key)
                .is_some_and(|value| SyncTag::parse(value).is_none())
        })
        .map(|snapshot| &snapshot.id)
        .collect();
    unreadable.sort();
    if !unreadable.is_empty() {
        notes.warn(format!(
            "the tag {key} cannot be read and counts as none on {}",
            words::list(unreadable)
        ));
    }
    copies
}

/// Nobody waits for a copy: that it failed is seen when the next plan is made.
fn warn_of_failed(job: &SyncJob, copies: &[&Snapshot], notes: &mut Notes) {
    for copy in copies.iter().filter(|copy| copy.status.is_failed()) {
        let of = snapshot_origin(copy, &job.source_region)
            .map_or_else(String::new, |origin| format!(" of {}", origin.id));
        notes.warn(format!(
            "the copy {}{of} in {} is {}",
            copy.id, job.destination_region, copy.status
        ));
    }
}

/// The newest copy that is there or will be; of two, the one that can be restored from.
fn newest<'a>(job: &SyncJob, copies: &[&'a Snapshot]) -> Option<&'a Snapshot> {
    let taken =
        |copy: &Snapshot| snapshot_origin(copy, &job.source_region).and_then(|origin| origin.taken);
    let sound = copies.iter().copied().filter(|copy| !copy.status.is_gone());
    sound.max_by_key(|copy| (taken(copy), copy.status.is_available(), &copy.id))
}

/// The copy of the source that may be given the sync tag it lacks, where the older tool was stopped before it wrote it.
pub(super) fn untagged<'a>(case: &Case<'a>) -> Option<&'a Snapshot> {
    let mut copies = untagged_copies(case).into_iter();
    copies.find(|copy| is_target_name(&copy.id, case.source.id, case.source.region))
}

/// The copies of the source, where none of them has a sync tag that can be read.
fn untagged_copies<'a>(
    Case {
        job,
        source,
        copies,
        ..
    }: &Case<'a>,
) -> Vec<&'a Snapshot> {
    let key = key_on_copy(&job.source_region);
    let sound = |copy: &&Snapshot| !copy.status.is_gone() && source.is_source_of(copy);
    let sound: Vec<&Snapshot> = copies.iter().copied().filter(sound).collect();
    let is_tagged = |copy: &&Snapshot| SyncTag::find(&copy.tags, &key).is_some();
    if sound.iter().any(is_tagged) {
        Vec::new()
    } else {
        sound
    }
}

/// A sync tag for the copy of the source that lacks one. A copy that retention would not keep stays as it is, and so
/// does one that has no room for it.
fn tag_actions(case: &Case<'_>, beyond: &[&SnapshotId], notes: &mut Notes) -> Vec<Action> {
    let Case { job, source, .. } = case;
    let key = key_on_copy(&job.source_region);
    let Some(copy) = untagged(case) else {
        let by_hand = untagged_copies(case);
        if !by_hand.is_empty() {
            let ids = words::list(by_hand.iter().map(|copy| &copy.id));
            notes.warn(format!(
                "{ids} is a copy made by hand: it counts as synced and is never deleted by xrs"
            ));
        }
        return Vec::new();
    };
    if beyond.contains(&&copy.id) {
        return Vec::new();
    }
    if !tags::has_room(&copy.tags, &key) {
        notes.warn(format!(
            "{} has no sync tag, and no room for one: remove one of its tags",
            copy.id
        ));
        return Vec::new();
    }
    let id = action_id(&job.name, "tag-copy");
    let tag = TagCopy {
        id: id.clone(),
        reason: format!(
            "{} is a copy of {} without a readable sync tag",
            copy.id, source.id
        ),
        copy: Resource::Snapshot(copy.arn.clone()),
        source: Resource::Snapshot(source.arn.clone()),
        sync_tag: sync_tag(job, source),
        expects: ExpectedCopy {
            no_tag: key,
            taken: copy.original_created.map(|_| source.taken),
        },
    };
    vec![
        Action::TagCopy(tag),
        tag_source(case, &id, CopyId::Id(copy.id.to_string())),
    ]
}

fn tag_source(case: &Case<'_>, after: &ActionId, copy: CopyId) -> Action {
    let Case { job, source, .. } = case;
    Action::TagSource(TagSource {
        id: action_id(&job.name, "tag-source"),
        reason: format!("notes on {} where its copy is", source.id),
        after: after.clone(),
        source: Resource::Snapshot(source.arn.clone()),
        key: key_on_source(&job.destination_region),
        taken: source.taken,
        copy,
    })
}

/// The sync tag of a copy of `source`.
pub(super) fn sync_tag(job: &SyncJob, source: &SourceSnapshot<'_>) -> Tag {
    Tag {
        key: key_on_copy(&job.source_region),
        value: SyncTag::new(source.taken, source.id.as_str()).to_string(),
    }
}

fn seen(job: &SyncJob, snapshot: &Snapshot) -> Seen {
    let origin = snapshot_origin(snapshot, &job.source_region);
    Seen {
        id: snapshot.id.to_string(),
        taken: origin.map_or_else(|| snapshot.taken(), |origin| origin.taken),
        state: snapshot.status.to_string(),
        size_gib: snapshot.size_gib,
    }
}
