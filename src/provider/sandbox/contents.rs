//! What the regions of a sandbox contain: images, snapshots and databases.

use std::collections::BTreeMap;
use std::ops::Not;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

use crate::model::artifact::{Artifact, ArtifactState, ImageDetails, SnapshotDetails};
use crate::model::ids::{AccountId, Arn, ArtifactId, ParentId, Region};
use crate::model::kind::Kind;
use crate::model::tags::Tags;

/// The tags that an account sees on an image to which it has given none.
static NO_TAGS: Tags = Tags::new();

/// An image or DB snapshot, as AWS stores it. The list that contains it determines its kind.
///
/// The aliases are the names in format 1.0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct WorldArtifact {
    /// The id; snapshot ids are lowercase.
    pub id: ArtifactId,
    /// The account that owns it. Images may belong to accounts outside the world.
    #[serde(alias = "owner")]
    pub account: AccountId,
    /// The alias of the owner of an image, such as `amazon`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_alias: Option<String>,
    /// The name of an image, which is not unique.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub name: SmolStr,
    /// The description of an image.
    #[serde(default, skip_serializing_if = "SmolStr::is_empty")]
    pub description: SmolStr,
    /// The database that a snapshot was taken of.
    #[serde(alias = "db_instance", skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentId>,
    /// How a snapshot was made.
    #[serde(default, alias = "kind", skip_serializing_if = "is_manual")]
    pub snapshot_type: SnapshotType,
    /// `available`, `pending` (images) or `creating` (snapshots), `failed`, …
    #[serde(alias = "status")]
    pub state: ArtifactState,
    /// Why it failed. For snapshots AWS does not state it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// When it was created (UTC): for a copied image, when the copy was requested; for a copied snapshot, when the copy was
    /// finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the data in a snapshot was captured (UTC).
    #[serde(alias = "original_created", skip_serializing_if = "Option::is_none")]
    pub data_time: Option<Timestamp>,
    /// The time of the last transaction in a snapshot (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_time: Option<Timestamp>,
    /// The ARN of the artifact that it was copied from. A snapshot has it only if it was copied from another region.
    #[serde(default, deserialize_with = "source_arn")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<Arn>,
    /// Set while it is being copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copying: Option<Copying>,
    /// When the database was created (UTC).
    #[serde(alias = "instance_created", skip_serializing_if = "Option::is_none")]
    pub parent_created: Option<Timestamp>,
    /// The key that a snapshot is encrypted with, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// The engine of the database of a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<SmolStr>,
    /// The option group that a snapshot needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option_group_name: Option<SmolStr>,
    /// The size of the storage of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gib: Option<u32>,
    /// The snapshots behind an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backing_snapshots: Vec<BackingSnapshot>,
    /// Whether the snapshots behind an image are encrypted.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub encrypted: bool,
    /// When the owner of an image starts to advise against using it (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Timestamp>,
    /// Whether everyone may see an image.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub public: bool,
    /// The accounts that an image is shared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<AccountId>,
    /// The values that filters such as `architecture` compare, if they differ from those of most images.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// The tags that its owner gave it, which no other account sees.
    #[serde(default)]
    pub tags: Tags,
    /// The tags that other accounts gave a public or shared image. Each account sees only its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags_by_others: BTreeMap<AccountId, Tags>,
}

/// How a DB snapshot was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotType {
    /// RDS took it, as it does once a day.
    Automated,
    /// Someone took or copied it.
    #[default]
    Manual,
}

/// The snapshot of one disk of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct BackingSnapshot {
    /// The size of the disk.
    pub size_gib: u32,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

/// A copy in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Copying {
    /// When it started.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why it will fail; `None` if it will become available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// A DB instance. xrs reads only its snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct WorldDatabase {
    /// Its identifier, in lower case.
    pub id: ParentId,
    /// The account that owns it.
    pub account: AccountId,
    /// When it was created (UTC).
    pub created: Timestamp,
    /// The size of its storage.
    pub size_gib: u32,
    /// The key that it is encrypted with, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Its engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<SmolStr>,
    /// Its option group.
    pub option_group_name: SmolStr,
    /// The cluster that a DB instance is a member of. It has no snapshots of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ParentId>,
}

impl WorldDatabase {
    /// Returns an unencrypted database of 20 GiB with the default option group.
    pub fn new(id: &str, account: &AccountId, created: Timestamp) -> Self {
        Self {
            id: ParentId::from(id),
            account: account.clone(),
            created,
            size_gib: 20,
            kms_key_id: None,
            engine: None,
            option_group_name: SmolStr::new_static("default:postgres-16"),
            cluster: None,
        }
    }
}

impl WorldArtifact {
    /// Returns a private, available image with one disk of 8 GiB and no tags.
    pub fn image(id: &str, account: &AccountId, name: &str, created: Timestamp) -> Self {
        Self {
            id: ArtifactId::from(id),
            account: account.clone(),
            owner_alias: None,
            name: name.into(),
            description: SmolStr::default(),
            parent: None,
            snapshot_type: SnapshotType::Manual,
            state: ArtifactState::available(),
            state_reason: None,
            created: Some(created),
            data_time: None,
            database_time: None,
            copied_from: None,
            copying: None,
            parent_created: None,
            kms_key_id: None,
            engine: None,
            option_group_name: None,
            size_gib: None,
            backing_snapshots: vec![BackingSnapshot {
                size_gib: 8,
                tags: Tags::new(),
            }],
            encrypted: false,
            deprecated: None,
            public: false,
            shared_with: Vec::new(),
            attributes: BTreeMap::new(),
            tags: Tags::new(),
            tags_by_others: BTreeMap::new(),
        }
    }

    /// Returns an available snapshot of a database, without tags.
    pub fn snapshot(of: &WorldDatabase, id: &str, how: SnapshotType, taken: Timestamp) -> Self {
        Self {
            parent: Some(of.id.clone()),
            snapshot_type: how,
            data_time: Some(taken),
            parent_created: Some(of.created),
            kms_key_id: of.kms_key_id.clone(),
            engine: of.engine.clone(),
            option_group_name: Some(of.option_group_name.clone()),
            size_gib: Some(of.size_gib),
            backing_snapshots: Vec::new(),
            ..Self::image(id, &of.account, "", taken)
        }
    }

    /// Returns an available automated snapshot of a database, with the id that RDS gives it and without tags.
    pub fn automated(of: &WorldDatabase, taken: Timestamp) -> Self {
        let id = automated_id(&of.id, taken);
        Self::snapshot(of, id.as_str(), SnapshotType::Automated, taken)
    }

    /// Returns the same artifact with a tag of its owner.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key, value);
        self
    }

    /// Finishes a copy in progress. If the state was changed in the meantime, it is kept.
    pub(super) fn end_copying(&mut self) {
        let ended = self.copying.take();
        match ended.filter(|_| self.state.is_being_copied()) {
            Some(Copying {
                fails: None, until, ..
            }) => {
                self.state = ArtifactState::available();
                self.created.get_or_insert(until);
            }
            Some(failed) => {
                self.state = ArtifactState::from("failed");
                self.state_reason = failed.fails;
            }
            None => {}
        }
    }

    /// Returns true if it is a snapshot of one of these databases.
    pub(super) fn is_of(&self, parents: &[ParentId]) -> bool {
        self.parent
            .as_ref()
            .is_some_and(|parent| parents.contains(parent))
    }

    /// Returns true if an account can read it. A disabled image is listed for its owner only.
    pub(super) fn is_visible_to(&self, account: &AccountId) -> bool {
        let is_shared = self.public || self.shared_with.contains(account);
        self.account == *account || is_shared && !self.state.is_disabled()
    }

    /// Returns its tags as an account sees them.
    pub(super) fn tags_of(&self, account: &AccountId) -> &Tags {
        if self.account == *account {
            &self.tags
        } else {
            self.tags_by_others.get(account).unwrap_or(&NO_TAGS)
        }
    }

    /// Returns its tags as an account sees them, mutable by that account.
    pub(super) fn tags_of_mut(&mut self, account: &AccountId) -> &mut Tags {
        if self.account == *account {
            &mut self.tags
        } else {
            self.tags_by_others.entry(account.clone()).or_default()
        }
    }

    /// Returns it as AWS describes it to an account.
    pub(super) fn seen(
        &self,
        kind: Kind,
        region: &Region,
        by: &AccountId,
        now: Timestamp,
    ) -> Artifact {
        let is_image = kind == Kind::Image;
        let sizes = self.backing_snapshots.iter().map(|disk| disk.size_gib);
        // The disks of an image that is being copied do not exist yet.
        let disk_size = sizes
            .reduce(u32::saturating_add)
            .filter(|_| !self.state.is_being_copied());
        let details = || ImageDetails {
            name: self.name.to_string(),
            description: self.description.to_string(),
            state_reason: self.state_reason.clone(),
            owner: Some(self.account.clone()),
            is_deprecated: self.deprecated.is_some_and(|time| time <= now),
        };
        Artifact {
            kind,
            id: self.id.clone(),
            arn: arn_of(kind, region, &self.account, &self.id),
            parent: self.parent.clone(),
            state: self.state.clone(),
            created: self.created,
            // AWS states no such time for snapshots of clusters.
            data_time: self.data_time.filter(|_| kind != Kind::DbClusterSnapshot),
            database_time: self.database_time,
            copied_from: self.copied_from.clone(),
            encrypted: self.encrypted || self.kms_key_id.is_some(),
            size_gib: if is_image { disk_size } else { self.size_gib },
            percent: self.percent(now).filter(|_| !is_image),
            tags: self.tags_of(by).clone(),
            has_unknown_tags: false,
            image: is_image.then(|| Box::new(details())),
            snapshot: (!is_image).then(|| {
                Arc::new(SnapshotDetails {
                    parent_created: self.parent_created,
                    kms_key: self.kms_key_id.as_deref().map(Into::into),
                    engine: self.engine.clone(),
                    option_group: self.option_group_name.clone(),
                })
            }),
        }
    }

    /// Returns the percentage that is done.
    fn percent(&self, now: Timestamp) -> Option<u8> {
        if self.state.is_available() {
            return Some(100);
        }
        let copying = self.copying.as_ref()?;
        let length = copying.until.duration_since(copying.since).as_secs().max(1);
        let done = now.duration_since(copying.since).as_secs().max(0);
        u8::try_from((i128::from(done) * 100 / i128::from(length)).clamp(0, 99)).ok()
    }
}

/// Returns the id that RDS gives an automated snapshot.
pub fn automated_id(of: &ParentId, taken: Timestamp) -> ArtifactId {
    ArtifactId::from(format!("rds:{of}-{}", taken.strftime("%Y-%m-%d-%H-%M")))
}

/// Returns the ARN of an artifact.
pub fn arn_of(kind: Kind, region: &Region, account: &AccountId, id: &ArtifactId) -> Arn {
    let resource = match kind {
        Kind::Image => return Arn::of_image(region, id),
        Kind::DbSnapshot => "snapshot",
        Kind::DbClusterSnapshot => "cluster-snapshot",
    };
    let partition = region.partition();
    Arn::from(format!(
        "arn:{partition}:rds:{region}:{account}:{resource}:{id}"
    ))
}

fn is_manual(snapshot_type: &SnapshotType) -> bool {
    *snapshot_type == SnapshotType::Manual
}

/// Reads the ARN of what was copied. Format 1.0 has the id and region of an image instead of its ARN.
fn source_arn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arn>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected an ARN")]
    enum Source {
        Arn(Arn),
        Image { id: ArtifactId, region: Region },
    }
    let source = Option::<Source>::deserialize(deserializer)?;
    Ok(source.map(|source| match source {
        Source::Arn(arn) => arn,
        Source::Image { id, region } => Arn::of_image(&region, &id),
    }))
}
