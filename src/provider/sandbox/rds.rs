//! RDS: snapshots of DB instances and clusters.

use super::access::Access;
use super::calls::{Refusal, Reply};
use super::contents::{SnapshotType, WorldArtifact, arn_of};
use super::tag_limits;
use crate::model::action::Copy;
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::ids::{Arn, ArtifactId, ParentId, Region};
use crate::model::inventory::{AccountLimit, AccountLimits};
use crate::model::kind::Kind;
use crate::model::query::Query;
use crate::model::tags::Tags;

impl Access<'_> {
    /// Answers DescribeDBSnapshots. Only manual snapshots are found by id.
    pub(super) fn describe_snapshots(&self, kind: Kind, query: &Query) -> Reply<Vec<Artifact>> {
        let (how, ids, parents) = match query {
            Query::Automated(parents) => (SnapshotType::Automated, None, Some(parents)),
            Query::Manual(parents) => (SnapshotType::Manual, None, Some(parents)),
            Query::AllManual => (SnapshotType::Manual, None, None),
            Query::ByIds(ids) => (SnapshotType::Manual, Some(ids), None),
            Query::Matching(_) | Query::CopiesOf { .. } | Query::CopiedFrom(_) => {
                return Err(Refusal::invalid("Snapshots are not found as images are"));
            }
        };
        let mut found = self.list(kind, |snapshot| {
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
    pub(super) fn list_tags(&self, kind: Kind, arn: &Arn) -> Reply<Tags> {
        let mut own = self.own(kind);
        let is_it = |snapshot: &&WorldArtifact| self.has_arn(kind, snapshot, self.region, arn);
        let snapshot = own.find(is_it);
        let snapshot = snapshot.ok_or_else(|| not_found(kind, arn.as_str()))?;
        Ok(snapshot.tags.clone())
    }

    /// Answers DescribeAccountAttributes.
    pub(super) fn describe_account(&self) -> AccountLimits {
        let is_manual = |artifact: &&WorldArtifact| artifact.snapshot_type == SnapshotType::Manual;
        let limited = Kind::ALL.into_iter();
        let limited = limited.filter(|kind| kind.facts().account_quota.is_some());
        let limits = limited.map(|kind| {
            let limit = AccountLimit {
                used: self.own(kind).filter(is_manual).count(),
                max: self.world.quotas.of_snapshots(kind).0,
            };
            (kind, limit)
        });
        limits.collect()
    }

    /// Answers DescribeDBInstances: the cluster of a DB instance.
    pub(super) fn cluster_of(&self, database: &ParentId) -> Option<ParentId> {
        let mut databases = self.world.region(self.region)?.databases.iter();
        let found = databases.find(|other| other.id == *database && other.account == self.account);
        found?.cluster.clone()
    }

    /// Answers DescribeOptionGroups: the persistent and permanent options of a group.
    pub(super) fn describe_option_group(&self, name: &str) -> Vec<String> {
        let here = self.world.region(self.region);
        let options = here.and_then(|here| here.option_groups.get(name));
        options.cloned().unwrap_or_default()
    }

    /// Answers CopyDBSnapshot, which goes to the destination.
    pub(super) fn copy_snapshot(&mut self, copy: &Copy) -> Reply<ArtifactId> {
        let kind = copy.kind;
        let id = copy.copy.id.as_ref().map_or("", ArtifactId::as_str);
        let id = ArtifactId::from(id.to_ascii_lowercase());
        let tags = copy.all_tags();
        check_id(kind, id.as_str())?;
        tag_limits::check(kind, &Tags::new(), &tags)?;
        let arn = &copy.source.arn;
        let source = self.source_snapshot(kind, arn)?.clone();
        let is_from_elsewhere = arn.region() != Some(self.region.as_str());
        if is_from_elsewhere {
            self.check_needs(copy, &source)?;
        }
        if kind == Kind::DbClusterSnapshot
            && copy.kms_key_id.is_some()
            && source.kms_key_id.is_none()
        {
            let message = "KmsKeyId can't be specified for an unencrypted DB cluster snapshot";
            return Err(Refusal::new("InvalidParameterCombination", message));
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
        self.check_room(kind, &id, arn)?;
        let copying = self.world.start_copy(copy, None);
        let snapshot = WorldArtifact {
            id,
            snapshot_type: SnapshotType::Manual,
            state: ArtifactState::from("creating"),
            created: None,
            data_time: source.data_time.or(source.created),
            copied_from: is_from_elsewhere.then(|| arn.clone()),
            copying: Some(copying),
            kms_key_id: copy.kms_key_id.clone().or(source.kms_key_id),
            option_group_name: group.map(Into::into).or(source.option_group_name),
            tags,
            ..source
        };
        Ok(self.world.add_artifact(self.region, kind, snapshot))
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
    fn source_snapshot(&self, kind: Kind, arn: &Arn) -> Reply<&WorldArtifact> {
        let region = Region::from(arn.region().unwrap_or_default());
        let Some(there) = self.source_region(&region) else {
            let message = format!("Invalid source snapshot or region: {arn}");
            return Err(Refusal::invalid(message));
        };
        let mut snapshots = there.artifacts(kind).iter();
        match snapshots.find(|snapshot| self.has_arn(kind, snapshot, &region, arn)) {
            Some(source) if source.state.is_available() => Ok(source),
            Some(source) => Err(wrong_state(kind, "copy", source)),
            None => Err(not_found(kind, arn.as_str())),
        }
    }

    /// Returns true if a snapshot of a region is the account's own and has this ARN.
    fn has_arn(&self, kind: Kind, snapshot: &WorldArtifact, region: &Region, arn: &Arn) -> bool {
        // The id is compared first, because building an ARN for the comparison is costly.
        snapshot.account == self.account
            && arn.id() == Some(snapshot.id.as_str())
            && arn_of(kind, region, &self.account, &snapshot.id) == *arn
    }

    /// Refuses a copy with an id that is in use, or beyond a limit.
    fn check_room(&self, kind: Kind, id: &ArtifactId, source: &Arn) -> Reply<()> {
        let own = self.own(kind);
        if own.clone().any(|snapshot| snapshot.id == *id) {
            let message = format!(
                "Cannot create the snapshot because a snapshot with the identifier {id} already exists."
            );
            let code = format!("{}AlreadyExists", resource_name(kind));
            return Err(Refusal::new(&code, message));
        }
        let manual = own.filter(|snapshot| snapshot.snapshot_type == SnapshotType::Manual);
        let is_from_there = |copy: &&WorldArtifact| {
            let from = copy.copied_from.as_ref().and_then(Arn::region);
            copy.state.is_being_copied() && from == source.region()
        };
        let copies = manual.clone().filter(is_from_there);
        let (most, most_copies) = self.world.quotas.of_snapshots(kind);
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
    pub(super) fn tag_snapshot(&mut self, kind: Kind, arn: &Arn, tags: &Tags) -> Reply<()> {
        if arn.region() != Some(self.region.as_str()) {
            let message = format!("Unexpected ARN for {}: {arn}", self.region);
            return Err(Refusal::invalid(message));
        }
        let is_it = |snapshot: &&WorldArtifact| self.has_arn(kind, snapshot, self.region, arn);
        let snapshots = self.world.artifacts(self.region, kind);
        let position = snapshots.iter().position(|snapshot| is_it(&snapshot));
        let here = self.world.add_region(self.region).artifacts_mut(kind);
        let snapshot = position.and_then(|position| here.get_mut(position));
        let snapshot = snapshot.ok_or_else(|| not_found(kind, arn.id().unwrap_or_default()))?;
        tag_limits::check(kind, &snapshot.tags, tags)?;
        snapshot.tags.extend(tags.iter());
        Ok(())
    }

    /// Answers DeleteDBSnapshot.
    pub(super) fn delete_snapshot(&mut self, kind: Kind, id: &ArtifactId) -> Reply<()> {
        let is_it =
            |snapshot: &WorldArtifact| snapshot.id == *id && snapshot.account == self.account;
        let snapshots = self.world.add_region(self.region).artifacts_mut(kind);
        let snapshot = snapshots.iter().find(|snapshot| is_it(snapshot));
        let snapshot = snapshot.ok_or_else(|| not_found(kind, id.as_str()))?;
        if snapshot.snapshot_type == SnapshotType::Automated {
            let message = format!("Automated snapshots cannot be deleted: {id}");
            return Err(Refusal::new(&wrong_state_code(kind), message));
        }
        if !matches!(snapshot.state.as_str(), "available" | "failed") {
            return Err(wrong_state(kind, "delete", snapshot));
        }
        snapshots.retain(|snapshot| !is_it(snapshot));
        Ok(())
    }
}

/// Refuses an id that RDS does not accept.
fn check_id(kind: Kind, id: &str) -> Reply<()> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_valid = id.len() <= max_id_length(kind)
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

/// Returns the maximum length of an id. See <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CopyDBSnapshot.html>.
fn max_id_length(kind: Kind) -> usize {
    match kind {
        Kind::Image | Kind::DbSnapshot => 255,
        Kind::DbClusterSnapshot => 63,
    }
}

/// Returns how error codes name a resource.
fn resource_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Image | Kind::DbSnapshot => "DBSnapshot",
        Kind::DbClusterSnapshot => "DBClusterSnapshot",
    }
}

fn wrong_state_code(kind: Kind) -> String {
    format!("Invalid{}State", resource_name(kind))
}

fn wrong_state(kind: Kind, what: &str, snapshot: &WorldArtifact) -> Refusal {
    let (id, state) = (&snapshot.id, &snapshot.state);
    let message = format!("Cannot {what} the snapshot {id} because it is in the state {state}");
    Refusal::new(&wrong_state_code(kind), message)
}

fn not_found(kind: Kind, id: &str) -> Refusal {
    let resource = resource_name(kind);
    let message = format!("{resource} {id} not found.");
    Refusal::new(&format!("{resource}NotFound"), message)
}
