//! RDS: DB snapshots.

use super::access::Access;
use super::calls::{Refusal, Reply};
use super::contents::{SnapshotType, WorldArtifact, snapshot_arn};
use super::tag_limits;
use crate::model::action::Copy;
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::ids::{AccountId, Arn, ArtifactId, Region};
use crate::model::inventory::AccountLimit;
use crate::model::kind::Kind;
use crate::model::query::Query;
use crate::model::tags::Tags;

/// See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
const MAX_IDENTIFIER: usize = 255;

impl Access<'_> {
    /// Answers DescribeDBSnapshots. Only manual snapshots are found by id.
    pub(super) fn describe_snapshots(&self, query: &Query) -> Reply<Vec<Artifact>> {
        let (how, ids, parents) = match query {
            Query::Automated(parents) => (SnapshotType::Automated, None, Some(parents)),
            Query::Manual(parents) => (SnapshotType::Manual, None, Some(parents)),
            Query::AllManual => (SnapshotType::Manual, None, None),
            Query::ByIds(ids) => (SnapshotType::Manual, Some(ids), None),
            Query::Matching(_) | Query::CopiesOf { .. } | Query::CopiedFrom(_) => {
                return Err(Refusal::invalid("Snapshots are not found as images are"));
            }
        };
        let mut found = self.list(Kind::DbSnapshot, |snapshot| {
            snapshot.account == self.account
                && snapshot.snapshot_type == how
                && ids.is_none_or(|ids| ids.contains(&snapshot.id))
                && parents.is_none_or(|parents| snapshot.is_of(parents))
        });
        if self.world.hides_snapshot_tags {
            found.iter_mut().for_each(|snapshot| snapshot.tags.clear());
        }
        Ok(found)
    }

    /// Answers ListTagsForResource.
    pub(super) fn list_tags(&self, arn: &Arn) -> Reply<Tags> {
        let mut own = self.own(Kind::DbSnapshot);
        let snapshot = own.find(|snapshot| has_arn(snapshot, self.region, &self.account, arn));
        let snapshot = snapshot.ok_or_else(|| not_found(arn.as_str()))?;
        Ok(snapshot.tags.clone())
    }

    /// Answers DescribeAccountAttributes.
    pub(super) fn describe_account(&self, kind: Kind) -> AccountLimit {
        let is_manual = |artifact: &&WorldArtifact| artifact.snapshot_type == SnapshotType::Manual;
        AccountLimit {
            used: self.own(kind).filter(is_manual).count(),
            max: self.world.quotas.manual_snapshots,
        }
    }

    /// Answers DescribeOptionGroups: the persistent and permanent options of a group.
    pub(super) fn describe_option_group(&self, name: &str) -> Vec<String> {
        let here = self.world.region(self.region);
        let options = here.and_then(|here| here.option_groups.get(name));
        options.cloned().unwrap_or_default()
    }

    /// Answers CopyDBSnapshot, which goes to the destination.
    pub(super) fn copy_snapshot(&mut self, copy: &Copy) -> Reply<ArtifactId> {
        let id = copy.copy.id.as_ref().map_or("", ArtifactId::as_str);
        let id = ArtifactId::from(id.to_ascii_lowercase());
        let tags = copy.all_tags();
        check_id(id.as_str())?;
        tag_limits::check(Kind::DbSnapshot, &Tags::new(), &tags)?;
        let arn = &copy.source.arn;
        let source = self.source_snapshot(arn)?.clone();
        let is_from_elsewhere = arn.region() != Some(self.region.as_str());
        if is_from_elsewhere {
            self.check_needs(copy, &source)?;
        }
        let (key, group) = (
            copy.kms_key_id.as_deref(),
            copy.option_group_name.as_deref(),
        );
        if let Some(key) = key.filter(|key| !self.world.has_kms_key(self.region, key)) {
            let message = format!(
                "The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it."
            );
            return Err(Refusal::new("KMSKeyNotAccessibleFault", message));
        }
        self.check_room(&id, arn)?;
        let snapshot = WorldArtifact {
            id,
            snapshot_type: SnapshotType::Manual,
            state: ArtifactState::from("creating"),
            created: None,
            data_time: source.data_time.or(source.created),
            copied_from: is_from_elsewhere.then(|| arn.clone()),
            copying: Some(self.world.start_copy(self.region, None)),
            kms_key_id: copy.kms_key_id.clone().or(source.kms_key_id),
            option_group_name: group.map(Into::into).or(source.option_group_name),
            tags,
            ..source
        };
        Ok(self.world.add_snapshot(self.region, snapshot))
    }

    /// Refuses a copy to another region without the key or the option group that it needs there.
    fn check_needs(&self, copy: &Copy, source: &WorldArtifact) -> Reply<()> {
        if source.kms_key_id.is_some() && copy.kms_key_id.is_none() {
            let message = "Must specify new KMS key for cross region encrypted snapshot copy";
            return Err(Refusal::invalid(message));
        }
        let there = self.world.region(&copy.source.region);
        let group = source.option_group_name.as_ref();
        let options = there
            .zip(group)
            .and_then(|(there, group)| there.option_groups.get(group));
        match options {
            Some(options) if !options.is_empty() && copy.option_group_name.is_none() => {
                Err(Refusal::invalid(format!(
                    "The snapshot requires a target option group with the following options: [{}]",
                    options.join(", ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the snapshot to copy.
    fn source_snapshot(&self, arn: &Arn) -> Reply<&WorldArtifact> {
        let region = Region::from(arn.region().unwrap_or_default());
        let Some(there) = self.source_region(&region) else {
            let message = format!("Invalid source snapshot or region: {arn}");
            return Err(Refusal::invalid(message));
        };
        let mut snapshots = there.snapshots.iter();
        match snapshots.find(|snapshot| has_arn(snapshot, &region, &self.account, arn)) {
            Some(source) if source.state.is_available() => Ok(source),
            Some(source) => Err(wrong_state("copy", source)),
            None => Err(not_found(arn.as_str())),
        }
    }

    /// Refuses a copy with an id that is in use, or beyond a limit.
    fn check_room(&self, id: &ArtifactId, source: &Arn) -> Reply<()> {
        let own = self.own(Kind::DbSnapshot);
        if own.clone().any(|snapshot| snapshot.id == *id) {
            let message = format!(
                "Cannot create the snapshot because a snapshot with the identifier {id} already exists."
            );
            return Err(Refusal::new("DBSnapshotAlreadyExists", message));
        }
        let manual = own.filter(|snapshot| snapshot.snapshot_type == SnapshotType::Manual);
        let is_from_there = |copy: &&WorldArtifact| {
            let from = copy.copied_from.as_ref().and_then(Arn::region);
            copy.state.is_being_copied() && from == source.region()
        };
        let copies = manual.clone().filter(is_from_there);
        let quotas = &self.world.quotas;
        let (most, most_copies) = (quotas.manual_snapshots, quotas.snapshot_copies_in_flight);
        let message = if manual.count() >= most {
            format!("Cannot create more than {most} manual snapshots")
        } else if copies.count() >= most_copies {
            format!("Cannot copy more than {most_copies} snapshots across regions")
        } else {
            return Ok(());
        };
        Err(Refusal::new("SnapshotQuotaExceeded", message))
    }

    /// Answers AddTagsToResource.
    pub(super) fn tag_snapshot(&mut self, arn: &Arn, tags: &Tags) -> Reply<()> {
        if arn.region() != Some(self.region.as_str()) {
            let message = format!("Unexpected ARN for {}: {arn}", self.region);
            return Err(Refusal::invalid(message));
        }
        let (region, account) = (self.region, &self.account);
        let mut snapshots = self.world.add_region(region).snapshots.iter_mut();
        let snapshot = snapshots.find(|snapshot| has_arn(snapshot, region, account, arn));
        let snapshot = snapshot.ok_or_else(|| not_found(arn.id().unwrap_or_default()))?;
        tag_limits::check(Kind::DbSnapshot, &snapshot.tags, tags)?;
        snapshot.tags.extend(tags.iter());
        Ok(())
    }

    /// Answers DeleteDBSnapshot.
    pub(super) fn delete_snapshot(&mut self, id: &ArtifactId) -> Reply<()> {
        let is_it =
            |snapshot: &WorldArtifact| snapshot.id == *id && snapshot.account == self.account;
        let snapshots = &mut self.world.add_region(self.region).snapshots;
        let snapshot = snapshots.iter().find(|snapshot| is_it(snapshot));
        let snapshot = snapshot.ok_or_else(|| not_found(id.as_str()))?;
        if snapshot.snapshot_type == SnapshotType::Automated {
            let message = format!("Automated snapshots cannot be deleted: {id}");
            return Err(Refusal::new("InvalidDBSnapshotState", message));
        }
        if !matches!(snapshot.state.as_str(), "available" | "failed") {
            return Err(wrong_state("delete", snapshot));
        }
        snapshots.retain(|snapshot| !is_it(snapshot));
        Ok(())
    }
}

/// Refuses an id that RDS does not accept.
fn check_id(id: &str) -> Reply<()> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_valid = id.len() <= MAX_IDENTIFIER
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id.bytes().all(is_allowed)
        && !id.ends_with('-')
        && !id.contains("--");
    if is_valid {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "Invalid snapshot identifier: {id}. It must begin with a letter, contain only letters, digits and hyphens, and not end \
         with a hyphen or contain two in a row"
    )))
}

/// Returns true if a snapshot of a region is the account's own and has this ARN.
fn has_arn(snapshot: &WorldArtifact, region: &Region, account: &AccountId, arn: &Arn) -> bool {
    // The id is compared first, because building an ARN for the comparison is costly.
    snapshot.account == *account
        && arn.id() == Some(snapshot.id.as_str())
        && snapshot_arn(region, account, &snapshot.id) == *arn
}

fn wrong_state(what: &str, snapshot: &WorldArtifact) -> Refusal {
    let (id, state) = (&snapshot.id, &snapshot.state);
    let message = format!("Cannot {what} the snapshot {id} because it is in the state {state}");
    Refusal::new("InvalidDBSnapshotState", message)
}

fn not_found(id: &str) -> Refusal {
    Refusal::new("DBSnapshotNotFound", format!("DBSnapshot {id} not found."))
}
