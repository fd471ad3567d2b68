//! `delete_snapshot`: only what is still ours, and only while all that the plan keeps is there.

use super::Written;
use super::verdict::{Difference, Verdict, snapshots};
use crate::model::action::{DeleteSnapshot, KeptCopy};
use crate::model::client_config::Place;
use crate::model::id::Region;
use crate::model::inventory::{Found, Looked, Snapshot};
use crate::model::lineage::{NotOurs, SourceSnapshot, ours, snapshot_origin};
use crate::model::provider_error::ErrorKind;
use crate::model::sync_tag::whole_seconds;
use crate::provider::Provider;

pub(super) fn check(deletion: &DeleteSnapshot, found: &Found) -> Looked<Verdict> {
    let (automated, manual) = snapshots(found)?;
    let Some(copy) = there(deletion, manual) else {
        return Ok(Verdict::AlreadyDone(deletion.snapshot_id.to_string()));
    };
    let difference = of_the_copy(deletion, copy)
        .or_else(|| of_its_database(deletion, copy, automated, manual))
        .or_else(|| of_what_is_kept(deletion, manual));
    Ok(difference.map_or(Verdict::Go, Verdict::Stale))
}

/// The copy to delete, unless it is gone or on its way out.
fn there<'a>(deletion: &DeleteSnapshot, manual: &'a [Snapshot]) -> Option<&'a Snapshot> {
    manual
        .iter()
        .find(|copy| copy.id == deletion.snapshot_id && !copy.status.is_being_deleted())
}

fn of_the_copy(deletion: &DeleteSnapshot, copy: &Snapshot) -> Option<Difference> {
    let expects = &deletion.expects;
    let Some(region) = source_region(deletion) else {
        return Some(Difference::new(
            format!("sync tag of {}", copy.id),
            "a tag Sync-From-…",
            &expects.sync_tag.key,
        ));
    };
    let tag = copy.tags.get(&expects.sync_tag.key);
    if tag != Some(&expects.sync_tag.value) {
        let found = tag.unwrap_or("none");
        return Some(Difference::new(
            format!("tag {} of {}", expects.sync_tag.key, copy.id),
            &expects.sync_tag.value,
            found,
        ));
    }
    if let Err(reason) = ours(copy, &region) {
        return Some(Difference::new(
            copy.id.as_str(),
            "a copy of this job",
            reason,
        ));
    }
    if copy.status.as_str() != expects.state {
        return Some(Difference::new(
            format!("state of {}", copy.id),
            &expects.state,
            &copy.status,
        ));
    }
    let taken = taken(copy, &region);
    if taken != Some(expects.taken) {
        let found = taken.map_or("none".to_owned(), |taken| taken.to_string());
        return Some(Difference::new(
            format!("time of {}", copy.id),
            expects.taken,
            found,
        ));
    }
    None
}

/// The database has not been made anew under its name since: then this copy is one of the last of the earlier one.
/// Where neither the newest copy nor its source says when its database was made, that cannot be ruled out.
fn of_its_database(
    deletion: &DeleteSnapshot,
    copy: &Snapshot,
    automated: &[Snapshot],
    manual: &[Snapshot],
) -> Option<Difference> {
    let region = source_region(deletion)?;
    let newest = manual
        .iter()
        .filter(|other| !other.status.is_gone())
        .filter_map(|other| Some((taken(other, &region)?, other)))
        .max_by_key(|(taken, other)| (*taken, &other.id))?
        .1;
    let made = copy.instance_created.map(whole_seconds)?;
    let present = newest
        .instance_created
        .or_else(|| source_of(newest, automated, &region)?.instance_created)
        .map(whole_seconds);
    let what = format!("database of {}, by the newest copy {}", copy.id, newest.id);
    let found = present.map_or("one of unknown time".to_owned(), |time| time.to_string());
    (present != Some(made)).then(|| Difference::new(what, made, found))
}

/// The automated snapshot that `copy` was made of.
fn source_of<'a>(
    copy: &Snapshot,
    automated: &'a [Snapshot],
    region: &Region,
) -> Option<&'a Snapshot> {
    automated.iter().find(|snapshot| {
        snapshot.taken().is_some_and(|taken| {
            let (id, arn) = (&snapshot.id, &snapshot.arn);
            let source = SourceSnapshot {
                id,
                arn,
                region,
                taken,
            };
            source.is_source_of(copy)
        })
    })
}

/// Every kept copy is there, available and the same, and one of them is as new as what is deleted.
fn of_what_is_kept(deletion: &DeleteSnapshot, manual: &[Snapshot]) -> Option<Difference> {
    let expects = &deletion.expects;
    if !expects.kept.iter().any(|kept| kept.taken >= expects.taken) {
        return Some(Difference::new(
            "copies kept",
            "one as new as the one deleted",
            "none",
        ));
    }
    let region = source_region(deletion)?;
    let planned: Vec<String> = expects
        .kept
        .iter()
        .map(|kept| shown(kept, "available"))
        .collect();
    let found: Vec<String> = expects
        .kept
        .iter()
        .map(|kept| now(kept, manual, &region))
        .collect();
    Difference::of_lists("copies that the plan keeps", &planned, &found)
}

/// A kept copy as it is now. One that has lost the marks of ours no longer counts as kept.
fn now(kept: &KeptCopy, manual: &[Snapshot], source_region: &Region) -> String {
    let Some(copy) = manual.iter().find(|snapshot| snapshot.id == kept.id) else {
        return format!("{} gone", kept.id);
    };
    match (ours(copy, source_region), taken(copy, source_region)) {
        (Ok(_) | Err(NotOurs::Kept), Some(taken)) => {
            let id = copy.id.clone();
            shown(&KeptCopy { id, taken }, copy.status.as_str())
        }
        (Err(why), _) => format!("{}, but {why}", copy.id),
        (_, None) => format!("{} of unknown time ({})", copy.id, copy.status),
    }
}

fn shown(KeptCopy { id, taken }: &KeptCopy, state: &str) -> String {
    format!("{id} of {taken} ({state})")
}

/// The source region, as the key of the planned sync tag names it.
fn source_region(deletion: &DeleteSnapshot) -> Option<Region> {
    deletion
        .expects
        .sync_tag
        .key
        .strip_prefix("Sync-From-")
        .map(Region::from)
}

fn taken(copy: &Snapshot, source_region: &Region) -> Option<jiff::Timestamp> {
    snapshot_origin(copy, source_region).and_then(|origin| origin.taken)
}

pub(super) async fn carry_out(
    provider: &dyn Provider,
    destination: &Place,
    deletion: &DeleteSnapshot,
) -> Looked<Written> {
    let id = &deletion.snapshot_id;
    match provider.delete_snapshot(destination, id).await {
        Ok(()) => Ok(Written::Done(id.to_string())),
        Err(error) if error.kind == ErrorKind::Absent => Ok(Written::AlreadyDone(id.to_string())),
        // So RDS answers whoever comes second.
        Err(error) if error.code == "InvalidDBSnapshotState" => {
            match provider
                .snapshots(destination, std::slice::from_ref(id))
                .await
            {
                Ok(seen) if there(deletion, &seen).is_none() => {
                    Ok(Written::AlreadyDone(id.to_string()))
                }
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}
