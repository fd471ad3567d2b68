//! RDS: DB snapshots.

use jiff::Timestamp;

use super::calls::{Answer, Caller, Refusal};
use super::world::{SnapshotKind, World, WorldSnapshot};
use super::{listing, tags};
use crate::model::Tags;
use crate::model::action::CopySnapshot;
use crate::model::id::{DbInstance, Region, SnapshotArn, SnapshotId};
use crate::model::inventory::{Snapshot, State};

/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
const MAX_IDENTIFIER: usize = 255;

impl WorldSnapshot {
    /// As DescribeDBSnapshots answers it.
    fn seen(&self, region: &Region, now: Timestamp) -> Snapshot {
        Snapshot {
            id: self.id.clone(),
            arn: self.arn(region),
            db_instance: self.db_instance.clone(),
            status: self.status.clone(),
            created: self.created,
            original_created: self.original_created,
            copied_from: self.copied_from.clone(),
            instance_created: self.instance_created,
            encrypted: self.kms_key_id.is_some(),
            option_group_name: self.option_group_name.as_deref().map(Into::into),
            size_gib: self.size_gib,
            percent: self.percent(now),
            tags: self.tags.clone(),
        }
    }

    /// How much of it is done, if that can be told.
    fn percent(&self, now: Timestamp) -> Option<u8> {
        if self.status.is_available() {
            return Some(100);
        }
        let copying = self.copying.as_ref()?;
        let length = copying.until.duration_since(copying.since).as_secs().max(1);
        let done = now.duration_since(copying.since).as_secs().max(0);
        u8::try_from((i128::from(done) * 100 / i128::from(length)).clamp(0, 99)).ok()
    }

    fn is_in_flight(&self) -> bool {
        self.copying.is_some() || self.status.as_str() == "creating"
    }
}

/// DescribeDBSnapshots by database.
pub(super) fn of_databases(
    world: &World,
    caller: &Caller<'_>,
    kind: SnapshotKind,
    of: &[DbInstance],
) -> Vec<Snapshot> {
    describe(world, caller, |snapshot| {
        snapshot.kind == kind && of.contains(&snapshot.db_instance)
    })
}

/// DescribeDBSnapshots of all manual snapshots.
pub(super) fn manual(world: &World, caller: &Caller<'_>) -> Vec<Snapshot> {
    describe(world, caller, |snapshot| {
        snapshot.kind == SnapshotKind::Manual
    })
}

/// DescribeDBSnapshots of manual snapshots by identifier; those that are not there are left out.
pub(super) fn by_id(world: &World, caller: &Caller<'_>, ids: &[SnapshotId]) -> Vec<Snapshot> {
    describe(world, caller, |snapshot| {
        snapshot.kind == SnapshotKind::Manual && ids.contains(&snapshot.id)
    })
}

fn describe(
    world: &World,
    caller: &Caller<'_>,
    wanted: impl Fn(&WorldSnapshot) -> bool,
) -> Vec<Snapshot> {
    let own = own(world, caller).filter(|snapshot| wanted(snapshot));
    let found = own
        .map(|snapshot| snapshot.seen(caller.region, world.now))
        .collect();
    listing::in_some_order(world.listing_seed, found, |snapshot: &Snapshot| {
        snapshot.id.as_str()
    })
}

/// The caller's own snapshots in the region that is asked; others' are not seen.
fn own<'a>(world: &'a World, caller: &Caller<'a>) -> impl Iterator<Item = &'a WorldSnapshot> {
    let snapshots = world
        .region(caller.region)
        .map(|region| region.snapshots.as_slice())
        .unwrap_or_default();
    let account = caller.account.clone();
    snapshots
        .iter()
        .filter(move |snapshot| snapshot.account == account)
}

/// CopyDBSnapshot, into the region that is asked.
pub(super) fn copy(
    world: &mut World,
    caller: &Caller<'_>,
    copy: &CopySnapshot,
) -> Answer<SnapshotId> {
    let target = SnapshotId::from(copy.target_snapshot_id.as_str().to_ascii_lowercase());
    if !is_valid_identifier(target.as_str()) {
        let message = format!(
            "Invalid snapshot identifier: {target}. It must begin with a letter, hold only letters, digits and \
             hyphens, and not end with a hyphen or hold two in a row"
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let mut all_tags = copy.tags.clone();
    all_tags.insert(&copy.sync_tag.key, &copy.sync_tag.value);
    tags::check_rds(&Tags::new(), &all_tags)?;

    let source = source_of(world, caller, &copy.source_snapshot_arn)?.clone();
    let crosses = copy.source_snapshot_arn.region() != Some(caller.region.as_str());
    check_needs(world, caller, copy, &source, crosses)?;
    check_room(world, caller, &target)?;

    let copying = world.start_copy(caller.region, None);
    let snapshot = WorldSnapshot {
        id: target.clone(),
        account: caller.account.clone(),
        db_instance: source.db_instance,
        kind: SnapshotKind::Manual,
        status: State::from("creating"),
        created: None,
        original_created: source.original_created.or(source.created),
        copied_from: crosses.then(|| copy.source_snapshot_arn.clone()),
        copying: Some(copying),
        instance_created: source.instance_created,
        kms_key_id: copy.kms_key_id.clone().or(source.kms_key_id),
        option_group_name: copy.option_group_name.clone().or(source.option_group_name),
        size_gib: source.size_gib,
        tags: all_tags,
    };
    if let Some(here) = world.region_mut(caller.region) {
        here.snapshots.push(snapshot);
    }
    Ok(target)
}

/// Letters, digits and hyphens; a letter first; no hyphen last, nor two in a row.
pub(super) fn is_valid_identifier(id: &str) -> bool {
    id.len() <= MAX_IDENTIFIER
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !id.ends_with('-')
        && !id.contains("--")
}

/// The snapshot to copy, if it can be copied.
fn source_of<'a>(
    world: &'a World,
    caller: &Caller<'_>,
    arn: &SnapshotArn,
) -> Answer<&'a WorldSnapshot> {
    let code = arn.region().map(Region::from);
    let code = code.filter(|code| code.partition() == caller.region.partition());
    let region = code
        .as_ref()
        .and_then(|code| world.region(code))
        .filter(|region| region.enabled);
    let (Some(code), Some(region)) = (code, region) else {
        let message = format!("Invalid source snapshot or region: {arn}");
        return Err(Refusal::new("InvalidParameterValue", message));
    };
    let own = region
        .snapshots
        .iter()
        .filter(|snapshot| snapshot.account == caller.account);
    let Some(source) = own.into_iter().find(|snapshot| snapshot.arn(&code) == *arn) else {
        return Err(Refusal::new(
            "DBSnapshotNotFound",
            format!("The source snapshot could not be found: {arn}"),
        ));
    };
    if !source.status.is_available() {
        let message = format!(
            "Cannot copy snapshot {} because its state is {}",
            source.id, source.status
        );
        return Err(Refusal::new("InvalidDBSnapshotState", message));
    }
    Ok(source)
}

/// The key and the option group that a copy into another region needs.
fn check_needs(
    world: &World,
    caller: &Caller<'_>,
    copy: &CopySnapshot,
    source: &WorldSnapshot,
    crosses: bool,
) -> Answer<()> {
    if crosses && source.kms_key_id.is_some() && copy.kms_key_id.is_none() {
        let message = "Must specify new KMS key for cross region encrypted snapshot copy";
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let own_group = source
        .option_group_name
        .as_deref()
        .filter(|group| !group.starts_with("default:"));
    if let (true, Some(group), None) = (crosses, own_group, &copy.option_group_name) {
        let message = format!(
            "The snapshot requires a target option group with the options of its own: {group}"
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    if let (Some(key), Some(here)) = (&copy.kms_key_id, world.region(caller.region))
        && !here.has_kms_key(caller.region, key)
    {
        let message = format!(
            "The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it."
        );
        return Err(Refusal::new("KMSKeyNotAccessibleFault", message));
    }
    Ok(())
}

/// A free name, and no quota in the way.
fn check_room(world: &World, caller: &Caller<'_>, target: &SnapshotId) -> Answer<()> {
    if own(world, caller).any(|snapshot| snapshot.id == *target) {
        let message = format!(
            "Cannot create the snapshot because a snapshot with the identifier {target} already exists."
        );
        return Err(Refusal::new("DBSnapshotAlreadyExists", message));
    }
    let manual = |snapshot: &&WorldSnapshot| snapshot.kind == SnapshotKind::Manual;
    let limit = world.quotas.manual_snapshots;
    if own(world, caller).filter(manual).count() >= limit {
        return Err(Refusal::new(
            "SnapshotQuotaExceeded",
            format!("Cannot create more than {limit} manual snapshots"),
        ));
    }
    let limit = world.quotas.snapshot_copies_in_flight;
    if own(world, caller)
        .filter(manual)
        .filter(|snapshot| snapshot.is_in_flight())
        .count()
        >= limit
    {
        let message = format!("Cannot copy more than {limit} snapshots across regions");
        return Err(Refusal::new("SnapshotQuotaExceeded", message));
    }
    Ok(())
}

/// AddTagsToResource on a DB snapshot.
pub(super) fn tag(
    world: &mut World,
    caller: &Caller<'_>,
    arn: &SnapshotArn,
    new: &Tags,
) -> Answer<()> {
    let Some(id) = arn
        .snapshot_id()
        .filter(|_| arn.region() == Some(caller.region.as_str()))
    else {
        return Err(Refusal::new(
            "InvalidParameterValue",
            format!("Unexpected ARN for {}: {arn}", caller.region),
        ));
    };
    let snapshots = world
        .region_mut(caller.region)
        .map(|region| region.snapshots.as_mut_slice())
        .unwrap_or_default();
    let mut own = snapshots
        .iter_mut()
        .filter(|snapshot| snapshot.account == caller.account);
    let Some(snapshot) = own.find(|snapshot| snapshot.arn(caller.region) == *arn) else {
        return Err(not_found(id));
    };
    tags::check_rds(&snapshot.tags, new)?;
    snapshot.tags.extend(new.iter());
    Ok(())
}

/// DeleteDBSnapshot.
pub(super) fn delete(world: &mut World, caller: &Caller<'_>, id: &SnapshotId) -> Answer<()> {
    let Some(here) = world.region_mut(caller.region) else {
        return Err(not_found(id.as_str()));
    };
    let at = here
        .snapshots
        .iter()
        .position(|snapshot| snapshot.account == caller.account && snapshot.id == *id);
    let Some((at, snapshot)) =
        at.and_then(|at| here.snapshots.get(at).map(|snapshot| (at, snapshot)))
    else {
        return Err(not_found(id.as_str()));
    };
    if snapshot.kind == SnapshotKind::Automated {
        let message = format!("Automated snapshots cannot be deleted: {id}");
        return Err(Refusal::new("InvalidDBSnapshotState", message));
    }
    if !matches!(snapshot.status.as_str(), "available" | "failed") {
        let message = format!(
            "Cannot delete the snapshot {id} because it is in the state {}",
            snapshot.status
        );
        return Err(Refusal::new("InvalidDBSnapshotState", message));
    }
    here.snapshots.remove(at);
    Ok(())
}

fn not_found(id: &str) -> Refusal {
    Refusal::new("DBSnapshotNotFound", format!("DBSnapshot {id} not found."))
}
