//! Building a world piece by piece, and passing the time in it.

use jiff::{SignedDuration, Timestamp};

use super::world::{
    Copying, DEFAULT_ACCOUNT, SnapshotKind, World, WorldDatabase, WorldImage, WorldRegion,
    WorldSnapshot,
};
use crate::model::id::{AccountId, DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::State;

impl World {
    /// The account of callers who state none.
    pub fn default_account(&self) -> AccountId {
        self.accounts
            .first()
            .cloned()
            .unwrap_or_else(|| AccountId::from(DEFAULT_ACCOUNT))
    }

    /// A region, if the world has it.
    pub fn region(&self, region: &Region) -> Option<&WorldRegion> {
        self.regions.get(region)
    }

    /// A region, if the world has it.
    pub fn region_mut(&mut self, region: &Region) -> Option<&mut WorldRegion> {
        self.regions.get_mut(region)
    }

    /// A region, made and enabled if the world has none of that code.
    pub fn add_region(&mut self, region: &Region) -> &mut WorldRegion {
        self.regions.entry(region.clone()).or_default()
    }

    /// Adds an account, unless it is there.
    pub fn add_account(&mut self, account: &AccountId) {
        if !self.accounts.contains(account) {
            self.accounts.push(account.clone());
        }
    }

    /// Adds an image and gives its id.
    pub fn add_image(&mut self, region: &Region, image: WorldImage) -> ImageId {
        let id = image.id.clone();
        self.add_region(region).images.push(image);
        id
    }

    /// Adds a DB instance.
    pub fn add_database(&mut self, region: &Region, database: WorldDatabase) {
        self.add_region(region).databases.push(database);
    }

    /// Takes an automated snapshot of a database of the default account, or of whichever account has one of that
    /// name, as RDS does: named after the minute. Gives its identifier. Makes the database if there is none.
    pub fn add_automated_snapshot(
        &mut self,
        region: &Region,
        of: &DbInstance,
        taken: Timestamp,
    ) -> SnapshotId {
        let account = self.default_account();
        let here = self.add_region(region);
        let own = |db: &&WorldDatabase| db.id == *of && db.account == account;
        let database = here
            .databases
            .iter()
            .find(own)
            .or_else(|| here.databases.iter().find(|db| db.id == *of));
        let database = match database {
            Some(database) => database.clone(),
            None => {
                let created = taken
                    .checked_sub(SignedDuration::from_hours(24 * 365))
                    .unwrap_or(taken);
                let database = WorldDatabase::new(of.as_str(), &account, created);
                here.databases.push(database.clone());
                database
            }
        };
        let id = automated_id(of, taken);
        here.snapshots.push(WorldSnapshot::of(
            &database,
            id.as_str(),
            SnapshotKind::Automated,
            taken,
        ));
        id
    }

    /// Adds a snapshot as it is, and gives its identifier.
    pub fn add_manual_snapshot(&mut self, region: &Region, snapshot: WorldSnapshot) -> SnapshotId {
        let id = snapshot.id.clone();
        self.add_region(region).snapshots.push(snapshot);
        id
    }

    /// An image by id.
    pub fn image(&self, region: &Region, id: &ImageId) -> Option<&WorldImage> {
        self.region(region)?
            .images
            .iter()
            .find(|image| image.id == *id)
    }

    /// An image by id.
    pub fn image_mut(&mut self, region: &Region, id: &ImageId) -> Option<&mut WorldImage> {
        self.region_mut(region)?
            .images
            .iter_mut()
            .find(|image| image.id == *id)
    }

    /// The first DB snapshot of that identifier, of whichever account.
    pub fn snapshot(&self, region: &Region, id: &SnapshotId) -> Option<&WorldSnapshot> {
        self.region(region)?
            .snapshots
            .iter()
            .find(|snapshot| snapshot.id == *id)
    }

    /// The first DB snapshot of that identifier, of whichever account.
    pub fn snapshot_mut(&mut self, region: &Region, id: &SnapshotId) -> Option<&mut WorldSnapshot> {
        self.region_mut(region)?
            .snapshots
            .iter_mut()
            .find(|snapshot| snapshot.id == *id)
    }

    /// An image id that nothing in the world has yet: made from a counter, so that the same history gives the same ids.
    pub fn new_image_id(&mut self) -> ImageId {
        loop {
            self.images_made = self.images_made.wrapping_add(1);
            let id = ImageId::from(format!("ami-{:017x}", self.images_made));
            let taken = self
                .regions
                .values()
                .any(|region| region.images.iter().any(|image| image.id == id));
            // Ends: a world holds fewer images than there are numbers.
            if !taken {
                return id;
            }
        }
    }

    /// Moves the clock on, and ends the copies whose time has come.
    pub fn advance(&mut self, by: SignedDuration) {
        self.now = later(self.now, by);
        self.settle();
    }

    /// Ends the copies whose time has come: they become available or fail. One whose state was changed by hand
    /// while it was under way keeps that state.
    pub fn settle(&mut self) {
        let now = self.now;
        for region in self.regions.values_mut() {
            for image in &mut region.images {
                let Some(done) = image.copying.take_if(|copying| copying.until <= now) else {
                    continue;
                };
                if image.state.as_str() == "pending" {
                    image.state = end_state(&done);
                    image.state_reason = done.fails;
                }
            }
            for snapshot in &mut region.snapshots {
                let Some(done) = snapshot.copying.take_if(|copying| copying.until <= now) else {
                    continue;
                };
                if snapshot.status.as_str() == "creating" {
                    snapshot.status = end_state(&done);
                    snapshot.created = snapshot.status.is_available().then_some(done.until);
                }
            }
        }
    }

    /// A copy into this region that begins now. Uses up a planned failure; `doomed` is another reason to fail.
    pub(super) fn start_copy(&mut self, into: &Region, doomed: Option<String>) -> Copying {
        let planned = self
            .fail_next_copies
            .iter()
            .position(|planned| planned.region == *into);
        let planned = planned.map(|at| self.fail_next_copies.remove(at).reason);
        let length =
            SignedDuration::from_secs(i64::try_from(self.copy_seconds).unwrap_or(i64::MAX));
        Copying {
            since: self.now,
            until: later(self.now, length),
            fails: planned.or(doomed),
        }
    }
}

impl WorldRegion {
    /// Whether a KMS key is in this region, whose code is `here`: an id, an alias, or the ARN of either. AWS's own
    /// keys are.
    pub fn has_kms_key(&self, here: &Region, key: &str) -> bool {
        if key.starts_with("arn:") && key.split(':').nth(3) != Some(here.as_str()) {
            return false;
        }
        let name = key_name(key);
        name.starts_with("alias/aws/") || self.kms_keys.iter().any(|known| key_name(known) == name)
    }
}

/// The id or alias of a KMS key, however it is given.
fn key_name(key: &str) -> &str {
    let name = if key.starts_with("arn:") {
        key.rsplit(':').next().unwrap_or(key)
    } else {
        key
    };
    name.strip_prefix("key/").unwrap_or(name)
}

/// The identifier RDS gives an automated snapshot.
pub fn automated_id(of: &DbInstance, taken: Timestamp) -> SnapshotId {
    SnapshotId::from(format!("rds:{of}-{}", taken.strftime("%Y-%m-%d-%H-%M")))
}

fn end_state(done: &Copying) -> State {
    if done.fails.is_some() {
        State::from("failed")
    } else {
        State::available()
    }
}

/// Never beyond the end of time.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
