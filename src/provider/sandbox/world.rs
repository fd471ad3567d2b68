//! The state of a sandbox: plain data, as stored in the sandbox file.

use std::collections::BTreeMap;
use std::ops::Not;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::calls::Fault;
use super::contents::{Copying, WorldArtifact};
use super::database::WorldDatabase;
use crate::model::action::Copy;
use crate::model::client_config::ClientConfig;
use crate::model::ids::{AccountId, ArtifactId, Region};
use crate::model::kind::Kind;
use crate::model::words::kms_key_name;

/// The format of sandbox files that this version writes.
pub const FORMAT_VERSION: &str = "2.0";

/// The account of callers that state none, in a world without accounts of its own.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// An in-memory AWS.
///
/// Every field is public, so that tests and people can change the world as they like. Odd values lead to odd answers, but never
/// to a panic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub struct World {
    /// `major.minor`.
    pub format_version: String,
    /// The clock (UTC). A call advances it by a second, a pause by its length.
    pub now: Timestamp,
    /// The accounts that callers can belong to. The first is the account of callers that state none.
    pub accounts: Vec<AccountId>,
    /// The accounts with expired credentials.
    pub expired_credentials: Vec<AccountId>,
    /// How long a copy takes.
    pub copy_seconds: u64,
    /// Determines the order of lists: AWS promises none, so nothing may rely on it.
    pub listing_seed: u64,
    /// The number of image ids that were assigned. The next id is derived from it.
    pub images_made: u64,
    /// Limits for each account in each region.
    pub quotas: Quotas,
    /// Copies that are accepted and then fail. Each entry applies to one copy.
    pub fail_next_copies: Vec<FailNextCopy>,
    /// Whether lists of snapshots leave out their tags, as RDS does for callers that may not read them.
    #[serde(skip_serializing_if = "Not::not")]
    pub hides_snapshot_tags: bool,
    /// Calls that are answered with an error.
    pub faults: Vec<Fault>,
    /// The regions, by code. A region that is not listed can't be reached. Clones of a world share the regions that have not
    /// changed since.
    pub regions: BTreeMap<Region, Arc<WorldRegion>>,
}

/// Limits for each account in each region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub struct Quotas {
    /// Concurrent copies of images into one region.
    pub image_copies_in_flight: usize,
    /// Concurrent copies of DB snapshots from one region into another.
    pub snapshot_copies_in_flight: usize,
    /// Manual DB snapshots in one region, copies included.
    pub manual_snapshots: usize,
    /// Concurrent copies of DB cluster snapshots from one region into another.
    pub cluster_snapshot_copies_in_flight: usize,
    /// Manual DB cluster snapshots in one region, copies included.
    pub manual_cluster_snapshots: usize,
}

impl Quotas {
    /// Returns the quotas of manual snapshots of a kind, and of their concurrent copies.
    pub(super) fn of_snapshots(&self, kind: Kind) -> (usize, usize) {
        match kind {
            Kind::Image => (usize::MAX, self.image_copies_in_flight),
            Kind::DbSnapshot => (self.manual_snapshots, self.snapshot_copies_in_flight),
            Kind::DbClusterSnapshot => (
                self.manual_cluster_snapshots,
                self.cluster_snapshot_copies_in_flight,
            ),
        }
    }
}

impl Default for Quotas {
    /// Returns what AWS states for a new account.
    fn default() -> Self {
        Self {
            image_copies_in_flight: 100,
            snapshot_copies_in_flight: 20,
            manual_snapshots: 100,
            cluster_snapshot_copies_in_flight: 5,
            manual_cluster_snapshots: 100,
        }
    }
}

/// The next copy into a region is accepted and then fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct FailNextCopy {
    /// The destination.
    pub region: Region,
    /// AWS's reason. For snapshots AWS states none.
    pub reason: String,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an object")]
pub struct WorldRegion {
    /// Whether the accounts have opted in to this region.
    pub enabled: bool,
    /// The images of every owner.
    pub images: Vec<WorldArtifact>,
    /// The DB instances of every account.
    pub databases: Vec<WorldDatabase>,
    /// The DB snapshots of every account, automated and manual.
    pub snapshots: Vec<WorldArtifact>,
    /// The DB clusters of every account.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<WorldDatabase>,
    /// The DB cluster snapshots of every account, automated and manual.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_snapshots: Vec<WorldArtifact>,
    /// The option groups of every account that have persistent or permanent options: their names, each with the names of these
    /// options.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub option_groups: BTreeMap<SmolStr, Vec<String>>,
    /// KMS keys: ids, ARNs or aliases. AWS's own (`alias/aws/ebs`, `alias/aws/rds`) are always there.
    pub kms_keys: Vec<String>,
    /// The client tokens that CopyImage has seen. They are never forgotten: AWS does not document when it forgets them.
    pub client_tokens: Vec<ClientToken>,
}

impl WorldRegion {
    /// Returns the artifacts of a kind, of every account.
    pub fn artifacts(&self, kind: Kind) -> &[WorldArtifact] {
        match kind {
            Kind::Image => &self.images,
            Kind::DbSnapshot => &self.snapshots,
            Kind::DbClusterSnapshot => &self.cluster_snapshots,
        }
    }

    /// Returns the artifacts of a kind, of every account.
    pub fn artifacts_mut(&mut self, kind: Kind) -> &mut Vec<WorldArtifact> {
        match kind {
            Kind::Image => &mut self.images,
            Kind::DbSnapshot => &mut self.snapshots,
            Kind::DbClusterSnapshot => &mut self.cluster_snapshots,
        }
    }

    /// Returns the databases that have snapshots of a kind.
    pub fn databases(&self, kind: Kind) -> &[WorldDatabase] {
        match kind {
            Kind::Image => &[],
            Kind::DbSnapshot => &self.databases,
            Kind::DbClusterSnapshot => &self.clusters,
        }
    }

    /// Adds a database that has snapshots of a kind.
    pub fn add_database(&mut self, kind: Kind, database: WorldDatabase) {
        match kind {
            Kind::Image => {}
            Kind::DbSnapshot => self.databases.push(database),
            Kind::DbClusterSnapshot => self.clusters.push(database),
        }
    }
}

impl Default for WorldRegion {
    fn default() -> Self {
        Self {
            enabled: true,
            images: Vec::new(),
            databases: Vec::new(),
            snapshots: Vec::new(),
            clusters: Vec::new(),
            cluster_snapshots: Vec::new(),
            option_groups: BTreeMap::new(),
            kms_keys: Vec::new(),
            client_tokens: Vec::new(),
        }
    }
}

/// A client token, and the request that it came with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct ClientToken {
    /// The token.
    pub token: SmolStr,
    /// The account of the caller.
    pub account: AccountId,
    /// The SHA-256 of the request.
    pub request: SmolStr,
    /// The image that the request made.
    pub image_id: ArtifactId,
}

impl Default for World {
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH)
    }
}

impl World {
    /// Returns a world without regions and with the default account, in which a copy takes ten minutes.
    pub fn new(now: Timestamp) -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            now,
            accounts: vec![AccountId::from(DEFAULT_ACCOUNT)],
            expired_credentials: Vec::new(),
            copy_seconds: 600,
            listing_seed: 0,
            images_made: 0,
            quotas: Quotas::default(),
            fail_next_copies: Vec::new(),
            hides_snapshot_tags: false,
            faults: Vec::new(),
            regions: BTreeMap::new(),
        }
    }

    /// Returns the account of callers that state none.
    pub fn default_account(&self) -> AccountId {
        let first = self.accounts.first().cloned();
        first.unwrap_or_else(|| AccountId::from(DEFAULT_ACCOUNT))
    }

    /// Returns the account of a caller: the account that the client config states, if this world has it, or else the default one.
    pub(super) fn account_at(&self, caller: &ClientConfig) -> AccountId {
        let stated = caller.account_id.as_ref();
        let known = stated.filter(|account| self.accounts.contains(account));
        known.cloned().unwrap_or_else(|| self.default_account())
    }

    /// Returns a region, if the world has it.
    pub fn region(&self, region: &Region) -> Option<&WorldRegion> {
        self.regions.get(region).map(Arc::as_ref)
    }

    /// Returns a region, if the world has it.
    pub fn region_mut(&mut self, region: &Region) -> Option<&mut WorldRegion> {
        self.regions.get_mut(region).map(Arc::make_mut)
    }

    /// Returns the regions, in the order of their codes.
    pub fn regions_mut(&mut self) -> impl Iterator<Item = &mut WorldRegion> {
        self.regions.values_mut().map(Arc::make_mut)
    }

    /// Returns the artifacts of a kind in a region, of every account.
    pub(super) fn artifacts(&self, region: &Region, kind: Kind) -> &[WorldArtifact] {
        let region = self.region(region);
        region.map_or(&[], |region| region.artifacts(kind))
    }

    /// Returns an image by its id.
    pub fn image(&self, region: &Region, id: &ArtifactId) -> Option<&WorldArtifact> {
        let mut images = self.artifacts(region, Kind::Image).iter();
        images.find(|image| image.id == *id)
    }

    /// Returns an image by its id.
    pub fn image_mut(&mut self, region: &Region, id: &ArtifactId) -> Option<&mut WorldArtifact> {
        let mut images = self.region_mut(region)?.images.iter_mut();
        images.find(|image| image.id == *id)
    }

    /// Returns the first DB snapshot with this id, of any account.
    pub fn snapshot(&self, region: &Region, id: &ArtifactId) -> Option<&WorldArtifact> {
        let mut snapshots = self.artifacts(region, Kind::DbSnapshot).iter();
        snapshots.find(|snapshot| snapshot.id == *id)
    }

    /// Returns the first DB snapshot with this id, of any account.
    pub fn snapshot_mut(&mut self, region: &Region, id: &ArtifactId) -> Option<&mut WorldArtifact> {
        let mut snapshots = self.region_mut(region)?.snapshots.iter_mut();
        snapshots.find(|snapshot| snapshot.id == *id)
    }

    /// Returns a region. Adds it if the world does not have it.
    pub fn add_region(&mut self, region: &Region) -> &mut WorldRegion {
        Arc::make_mut(self.regions.entry(region.clone()).or_default())
    }

    /// Adds an account, unless the world has it.
    pub fn add_account(&mut self, account: &AccountId) {
        if !self.accounts.contains(account) {
            self.accounts.push(account.clone());
        }
    }

    /// Adds an image, and returns its id.
    pub fn add_image(&mut self, region: &Region, image: WorldArtifact) -> ArtifactId {
        self.add_artifact(region, Kind::Image, image)
    }

    /// Adds a snapshot of a DB instance, and returns its id.
    pub fn add_snapshot(&mut self, region: &Region, snapshot: WorldArtifact) -> ArtifactId {
        self.add_artifact(region, Kind::DbSnapshot, snapshot)
    }

    /// Adds an artifact of a kind, and returns its id.
    pub fn add_artifact(
        &mut self,
        region: &Region,
        kind: Kind,
        artifact: WorldArtifact,
    ) -> ArtifactId {
        let id = artifact.id.clone();
        self.add_region(region).artifacts_mut(kind).push(artifact);
        id
    }

    /// Returns an unused image id. It comes from a counter, so that the same history gives the same ids.
    pub fn new_image_id(&mut self) -> ArtifactId {
        loop {
            self.images_made = self.images_made.wrapping_add(1);
            let id = ArtifactId::from(format!("ami-{:017x}", self.images_made));
            // This terminates: a world holds fewer images than there are numbers.
            let mut regions = self.regions.keys();
            if regions.all(|region| self.image(region, &id).is_none()) {
                return id;
            }
        }
    }

    /// Advances the clock, and finishes the copies that are due by then.
    pub fn advance(&mut self, by: SignedDuration) {
        self.now = later(self.now, by);
        self.settle();
    }

    /// Finishes the copies that are due: they become available or fail. If the state was changed in the meantime, it is kept.
    pub fn settle(&mut self) {
        let now = self.now;
        let is_due = |artifact: &WorldArtifact| {
            let copying = artifact.copying.as_ref();
            copying.is_some_and(|copying| copying.until <= now)
        };
        for region in self.regions.values_mut() {
            for kind in Kind::ALL {
                if region.artifacts(kind).iter().any(is_due) {
                    let artifacts = Arc::make_mut(region).artifacts_mut(kind).iter_mut();
                    let due = artifacts.filter(|artifact| is_due(artifact));
                    due.for_each(WorldArtifact::end_copying);
                }
            }
        }
    }

    /// Starts a copy. It will fail if a failure is planned for its region, or if `failure` gives a reason.
    pub(super) fn start_copy(&mut self, copy: &Copy, failure: Option<String>) -> Copying {
        let mut planned = self.fail_next_copies.iter();
        let planned = planned.position(|planned| planned.region == copy.copy.region);
        let planned = planned.map(|at| self.fail_next_copies.remove(at).reason);
        let within = copy.copy_within_minutes;
        let within = within.map_or(u64::MAX, |minutes| u64::from(minutes) * 60);
        let seconds = i64::try_from(self.copy_seconds.min(within)).unwrap_or(i64::MAX);
        Copying {
            since: self.now,
            until: later(self.now, SignedDuration::from_secs(seconds)),
            fails: planned.or(failure),
        }
    }

    /// Returns true if a region has a KMS key, given by its id, its alias, or the ARN of either.
    pub fn has_kms_key(&self, region: &Region, key: &str) -> bool {
        if key.starts_with("arn:") && key.split(':').nth(3) != Some(region.as_str()) {
            return false;
        }
        let name = kms_key_name(key);
        let is_known =
            |here: &WorldRegion| here.kms_keys.iter().any(|key| kms_key_name(key) == name);
        name.starts_with("alias/aws/") || self.region(region).is_some_and(is_known)
    }
}

/// Returns a later time, at most the latest that can be represented.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
