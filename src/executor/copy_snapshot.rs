//! `copy_snapshot`: RDS knows no client token, but it makes no second snapshot of one name.

use super::Written;
use super::look::until_seen;
use super::verdict::{Difference, Verdict, snapshots};
use crate::model::action::CopySnapshot;
use crate::model::client_config::Place;
use crate::model::id::SnapshotId;
use crate::model::inventory::{Found, Looked, Snapshot};
use crate::model::lineage::SourceSnapshot;
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::Provider;

pub(super) fn check(copy: &CopySnapshot, found: &Found) -> Looked<Verdict> {
    let (automated, manual) = snapshots(found)?;
    if let Some(there) = source(copy).synced_by(manual) {
        return Ok(if source(copy).is_source_of(there) {
            Verdict::AlreadyDone(there.id.to_string())
        } else {
            Verdict::Needless(format!("a newer copy is there: {}", there.id))
        });
    }
    let what = format!("source snapshot {}", copy.source_snapshot_id);
    let Some(snapshot) = automated
        .iter()
        .find(|snapshot| snapshot.id == copy.source_snapshot_id)
    else {
        return Ok(Verdict::Stale(Difference::new(
            what,
            &copy.expects.state,
            "none of that identifier",
        )));
    };
    if snapshot.status.as_str() != copy.expects.state {
        let what = format!("state of {what}");
        return Ok(Verdict::Stale(Difference::new(
            what,
            &copy.expects.state,
            &snapshot.status,
        )));
    }
    if snapshot.taken() != Some(copy.expects.taken) {
        let found = snapshot
            .taken()
            .map_or("none".to_owned(), |taken| taken.to_string());
        return Ok(Verdict::Stale(Difference::new(
            format!("creation time of {what}"),
            copy.expects.taken,
            found,
        )));
    }
    Ok(
        match manual
            .iter()
            .find(|snapshot| snapshot.id == copy.target_snapshot_id)
        {
            Some(holder) => {
                let what = format!("identifier {} of the copy", copy.target_snapshot_id);
                let from = holder
                    .copied_from
                    .as_ref()
                    .map_or("made there".to_owned(), |arn| format!("copied from {arn}"));
                Verdict::Stale(Difference::new(
                    what,
                    "free",
                    format!("held by a snapshot {from} ({})", holder.status),
                ))
            }
            None => Verdict::Go,
        },
    )
}

/// The copy in which what the action is for has been reached: of the same snapshot, or of a newer one.
pub(super) fn reached_in<'a>(copy: &CopySnapshot, found: &'a Found) -> Option<&'a SnapshotId> {
    let (_, manual) = snapshots(found).ok()?;
    source(copy).synced_by(manual).map(|copy| &copy.id)
}

/// Whether a snapshot of that name is a copy that the action is for: a name that has come free may be given to another.
pub(super) fn is_reached_in(copy: &CopySnapshot, id: &str, found: &Found) -> bool {
    let Found::Snapshots { copies, .. } = found else {
        return false;
    };
    let source = source(copy);
    let mut named = copies
        .iter()
        .flatten()
        .filter(|copy| copy.id.as_str() == id);
    named.any(|copy| source.is_source_of(copy) || source.is_older_than_source_of(copy))
}

/// A newer source than the planned one: no reason to stop, but one to say so.
pub(super) fn newer_source<'a>(copy: &CopySnapshot, found: &'a Found) -> Option<&'a SnapshotId> {
    let (automated, _) = snapshots(found).ok()?;
    let newest = automated
        .iter()
        .filter(|s| s.status.is_available())
        .max_by_key(|s| (s.taken(), &s.id))?;
    (newest.taken() > Some(copy.expects.taken)).then_some(&newest.id)
}

pub(super) async fn carry_out(
    provider: &dyn Provider,
    destination: &Place,
    copy: &CopySnapshot,
) -> Looked<Written> {
    let refused = match provider.copy_snapshot(destination, copy).await {
        Ok(id) => return Ok(Written::Done(id.to_string())),
        Err(error) => error,
    };
    let holder = if refused.code == "DBSnapshotAlreadyExists" {
        until_seen(provider, async || holder(provider, destination, copy).await).await?
    } else if refused.kind == ErrorKind::Unknown {
        // Perhaps only the answer was lost. Who cannot see it now finds it at the next apply.
        holder(provider, destination, copy).await.ok().flatten()
    } else {
        None
    };
    let Some(holder) = holder else {
        return Err(refused);
    };
    let is_copy = source(copy).is_source_of(&holder);
    if is_copy && !holder.status.is_gone() {
        return Ok(Written::AlreadyDone(holder.id.to_string()));
    }
    if refused.code != "DBSnapshotAlreadyExists" {
        return Err(refused);
    }
    let what = if is_copy { "a copy" } else { "no copy" };
    Err(ProviderError {
        message: format!(
            "{}; what holds that name ({}) is {what} of {}",
            refused.message, holder.status, copy.source_snapshot_id
        ),
        ..refused
    })
}

/// What has the name of the copy.
async fn holder(
    provider: &dyn Provider,
    at: &Place,
    copy: &CopySnapshot,
) -> Looked<Option<Snapshot>> {
    let id = &copy.target_snapshot_id;
    let found = provider.snapshots(at, std::slice::from_ref(id)).await?;
    Ok(found.into_iter().find(|snapshot| snapshot.id == *id))
}

fn source(copy: &CopySnapshot) -> SourceSnapshot<'_> {
    SourceSnapshot {
        id: &copy.source_snapshot_id,
        arn: &copy.source_snapshot_arn,
        region: &copy.source_region,
        taken: copy.expects.taken,
    }
}
