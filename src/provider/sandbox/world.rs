//! What a sandbox holds: plain data, as it is kept in the world file.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::calls::Fault;
use crate::model::Tags;
use crate::model::id::{AccountId, DbInstance, ImageId, Region, SnapshotArn, SnapshotId};
use crate::model::inventory::{ImageRef, State};

/// The format of world files that this version reads and writes.
pub const FORMAT_VERSION: &str = "1.0";

/// The account of callers that state none, in a world that was not given another.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// How long a copy takes, in a world that was not told otherwise.
const COPY_SECONDS: u64 = 600;

/// An AWS in memory.
///
/// Every field is open: tests and people change the world "by hand" as they like. What is odd then
/// is answered oddly, but nothing here panics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// `major.minor`.
    pub format_version: String,
    /// The clock (UTC). A call moves it on by a second, a pause by its length.
    pub now: Timestamp,
    /// The accounts whose credentials are good here; the first is that of callers who state none.
    pub accounts: Vec<AccountId>,
    /// The accounts whose credentials have expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expired_credentials: Vec<AccountId>,
    /// How long a copy takes.
    #[serde(default = "copy_seconds")]
    pub copy_seconds: u64,
    /// Decides the order in which things are listed; AWS promises none.
    #[serde(default)]
    pub listing_seed: u64,
    /// How many image ids were given out; the next id is made from it.
    #[serde(default)]
    pub images_made: u64,
    /// Limits that hold in each region for each account.
    #[serde(default)]
    pub quotas: Quotas,
    /// Copies that are accepted and then fail; each entry is used up by one copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fail_next_copies: Vec<FailNextCopy>,
    /// Calls that are answered with an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
    /// The regions, by code. A region that is not here cannot be reached.
    pub regions: BTreeMap<Region, WorldRegion>,
}

/// Limits that hold in each region for each account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    /// Image copies in flight into one region.
    pub image_copies_in_flight: usize,
    /// DB snapshot copies in flight into one region.
    pub snapshot_copies_in_flight: usize,
    /// Manual DB snapshots in one region, copies among them.
    pub manual_snapshots: usize,
}

impl Default for Quotas {
    /// What AWS states for a new account.
    fn default() -> Self {
        Self {
            image_copies_in_flight: 100,
            snapshot_copies_in_flight: 20,
            manual_snapshots: 100,
        }
    }
}

/// The next copy into a region is accepted and then fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailNextCopy {
    /// The destination.
    pub region: Region,
    /// What AWS says of it, where it says anything (of images it does).
    pub reason: String,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldRegion {
    /// Whether the accounts have opted in to it.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub enabled: bool,
    /// Images of every owner.
    #[serde(default)]
    pub images: Vec<WorldImage>,
    /// DB instances of every account.
    #[serde(default)]
    pub databases: Vec<WorldDatabase>,
    /// DB snapshots of every account, automated and manual.
    #[serde(default)]
    pub snapshots: Vec<WorldSnapshot>,
    /// KMS keys: ids, ARNs or aliases. AWS's own (`alias/aws/ebs`, `alias/aws/rds`) are always there.
    #[serde(default)]
    pub kms_keys: Vec<String>,
    /// Client tokens that CopyImage has seen. They are never forgotten: what AWS forgets, and when, is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_tokens: Vec<ClientToken>,
}

impl Default for WorldRegion {
    fn default() -> Self {
        Self {
            enabled: true,
            images: Vec::new(),
            databases: Vec::new(),
            snapshots: Vec::new(),
            kms_keys: Vec::new(),
            client_tokens: Vec::new(),
        }
    }
}

/// A client token that was used, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientToken {
    /// The token.
    pub token: String,
    /// Whose.
    pub account: AccountId,
    /// SHA-256 over the request it came with.
    pub request: String,
    /// What the request made.
    pub image_id: ImageId,
}

/// A copy that is being made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Copying {
    /// When it was accepted.
    pub since: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Why it fails then; `None` if it becomes available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// An EC2 image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldImage {
    /// Its id.
    pub id: ImageId,
    /// The account that owns it; need not be one of the world's own.
    pub owner: AccountId,
    /// The alias its owner goes by, such as `amazon`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_alias: Option<String>,
    /// Its name; not unique.
    pub name: String,
    /// Its description, or nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// `pending`, `available`, `failed`, `disabled`, `deregistered`, …
    pub state: State,
    /// What AWS says of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// When it was made (UTC). Of a copy: when the copy was asked for.
    pub created: Timestamp,
    /// What it was copied from. Copies made before AWS stated this have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<ImageRef>,
    /// Set while it is being copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copying: Option<Copying>,
    /// Its backing snapshots.
    #[serde(default)]
    pub backing_snapshots: Vec<BackingSnapshot>,
    /// Whether its backing snapshots are encrypted.
    #[serde(default, skip_serializing_if = "is_no")]
    pub encrypted: bool,
    /// Whether everyone may see it.
    #[serde(default, skip_serializing_if = "is_no")]
    pub public: bool,
    /// The accounts it is shared with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<AccountId>,
    /// The tags its owner gave it. No other account sees them.
    #[serde(default)]
    pub tags: Tags,
    /// The tags that other accounts gave it: EC2 lets them tag what is public or shared with them, and
    /// each sees its own tags only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags_by_others: BTreeMap<AccountId, Tags>,
    /// What else can be filtered by, under the filter's name (`architecture`, `platform`, …), where it differs
    /// from the usual.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// The EBS snapshot of one disk of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackingSnapshot {
    /// The size of the disk.
    pub size_gib: u64,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl WorldImage {
    /// A private, unencrypted, available image with one disk of 8 GiB and no tags.
    pub fn new(id: &str, owner: &AccountId, name: &str, created: Timestamp) -> Self {
        Self {
            id: ImageId::from(id),
            owner: owner.clone(),
            owner_alias: None,
            name: name.to_owned(),
            description: String::new(),
            state: State::available(),
            state_reason: None,
            created,
            copied_from: None,
            copying: None,
            backing_snapshots: vec![BackingSnapshot {
                size_gib: 8,
                tags: Tags::new(),
            }],
            encrypted: false,
            public: false,
            shared_with: Vec::new(),
            tags: Tags::new(),
            tags_by_others: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// The same, with a tag of its owner.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// An RDS DB instance. Nothing is asked about it; its snapshots are made from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldDatabase {
    /// Its identifier, in lower case.
    pub id: DbInstance,
    /// Whose it is.
    pub account: AccountId,
    /// When it was made (UTC).
    pub created: Timestamp,
    /// Its storage.
    pub size_gib: u64,
    /// The key it is encrypted with, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Its option group.
    pub option_group_name: String,
}

impl WorldDatabase {
    /// An unencrypted database of 20 GiB with the default option group.
    pub fn new(id: &str, account: &AccountId, created: Timestamp) -> Self {
        Self {
            id: DbInstance::from(id),
            account: account.clone(),
            created,
            size_gib: 20,
            kms_key_id: None,
            option_group_name: "default:postgres-16".to_owned(),
        }
    }
}

/// How a DB snapshot came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotKind {
    /// Taken by RDS itself, once a day.
    Automated,
    /// Taken by a person, or copied.
    Manual,
}

/// An RDS DB snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldSnapshot {
    /// Its identifier, in lower case.
    pub id: SnapshotId,
    /// Whose it is; no other account sees it.
    pub account: AccountId,
    /// The database it goes back to.
    pub db_instance: DbInstance,
    /// Automated or manual.
    pub kind: SnapshotKind,
    /// `creating`, `available`, `failed`, …
    pub status: State,
    /// When it was made (UTC); of a copy, when the copy was finished. None while it is being made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When the snapshot it goes back to was made (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_created: Option<Timestamp>,
    /// What it was copied from, if from another region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<SnapshotArn>,
    /// Set while it is being copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copying: Option<Copying>,
    /// When its database was made (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance_created: Option<Timestamp>,
    /// The key it is encrypted with, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// The option group it needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_group_name: Option<String>,
    /// The storage of its database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gib: Option<u64>,
    /// Its tags.
    #[serde(default)]
    pub tags: Tags,
}

impl WorldSnapshot {
    /// An available snapshot of a database, taken at this time.
    pub fn of(database: &WorldDatabase, id: &str, kind: SnapshotKind, taken: Timestamp) -> Self {
        Self {
            id: SnapshotId::from(id),
            account: database.account.clone(),
            db_instance: database.id.clone(),
            kind,
            status: State::available(),
            created: Some(taken),
            original_created: Some(taken),
            copied_from: None,
            copying: None,
            instance_created: Some(database.created),
            kms_key_id: database.kms_key_id.clone(),
            option_group_name: Some(database.option_group_name.clone()),
            size_gib: Some(database.size_gib),
            tags: Tags::new(),
        }
    }

    /// The same, with a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Its ARN in this region.
    pub fn arn(&self, region: &Region) -> SnapshotArn {
        snapshot_arn(region, &self.account, &self.id)
    }
}

/// The ARN of a DB snapshot.
pub fn snapshot_arn(region: &Region, account: &AccountId, id: &SnapshotId) -> SnapshotArn {
    SnapshotArn::from(format!(
        "arn:{}:rds:{region}:{account}:snapshot:{id}",
        region.partition()
    ))
}

fn copy_seconds() -> u64 {
    COPY_SECONDS
}

fn yes() -> bool {
    true
}

fn is_yes(flag: &bool) -> bool {
    *flag
}

fn is_no(flag: &bool) -> bool {
    !flag
}

impl World {
    /// A world without regions and with the default account.
    pub fn new(now: Timestamp) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            now,
            accounts: vec![AccountId::from(DEFAULT_ACCOUNT)],
            expired_credentials: Vec::new(),
            copy_seconds: COPY_SECONDS,
            listing_seed: 0,
            images_made: 0,
            quotas: Quotas::default(),
            fail_next_copies: Vec::new(),
            faults: Vec::new(),
            regions: BTreeMap::new(),
        }
    }
}
