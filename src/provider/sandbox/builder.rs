//! Building a world piece by piece.

use jiff::{SignedDuration, Timestamp};

use super::contents::{SnapshotType, WorldArtifact, WorldDatabase};
use super::world::{World, WorldRegion};
use crate::model::ids::{AccountId, ArtifactId, ParentId, Region};

impl World {
    /// Returns a region, which is added if the world does not have it.
    pub fn add_region(&mut self, region: &Region) -> &mut WorldRegion {
        self.regions.entry(region.clone()).or_default()
    }

    /// Adds an account, unless the world has it.
    pub fn add_account(&mut self, account: &AccountId) {
        if !self.accounts.contains(account) {
            self.accounts.push(account.clone());
        }
    }

    /// Adds an image, and returns its id.
    pub fn add_image(&mut self, region: &Region, image: WorldArtifact) -> ArtifactId {
        let id = image.id.clone();
        self.add_region(region).images.push(image);
        id
    }

    /// Adds a DB instance.
    pub fn add_database(&mut self, region: &Region, database: WorldDatabase) {
        self.add_region(region).databases.push(database);
    }

    /// Adds an automated snapshot of a database, which belongs to the default account if the world does not have it, and returns
    /// the id that RDS gives the snapshot.
    pub fn add_automated_snapshot(
        &mut self,
        region: &Region,
        of: &ParentId,
        taken: Timestamp,
    ) -> ArtifactId {
        let account = self.default_account();
        let databases = &mut self.add_region(region).databases;
        let known = databases.iter().filter(|database| database.id == *of);
        let known = known.max_by_key(|database| database.account == account);
        let database = known.cloned().unwrap_or_else(|| {
            let a_year = SignedDuration::from_hours(24 * 365);
            let created = taken.checked_sub(a_year).unwrap_or(taken);
            let database = WorldDatabase::new(of.as_str(), &account, created);
            databases.push(database.clone());
            database
        });
        let id = automated_id(of, taken);
        let how = SnapshotType::Automated;
        let snapshot = WorldArtifact::snapshot(&database, id.as_str(), how, taken);
        self.add_snapshot(region, snapshot)
    }

    /// Adds a snapshot as it is, and returns its id.
    pub fn add_snapshot(&mut self, region: &Region, snapshot: WorldArtifact) -> ArtifactId {
        let id = snapshot.id.clone();
        self.add_region(region).snapshots.push(snapshot);
        id
    }

    /// Returns an image id that nothing in the world has. It comes from a counter, so that the same history gives the same ids.
    pub fn new_image_id(&mut self) -> ArtifactId {
        loop {
            self.images_made = self.images_made.wrapping_add(1);
            let id = ArtifactId::from(format!("ami-{:017x}", self.images_made));
            // This ends: a world holds fewer images than there are numbers.
            let mut regions = self.regions.keys();
            if regions.all(|region| self.image(region, &id).is_none()) {
                return id;
            }
        }
    }
}

/// Returns the id that RDS gives an automated snapshot.
pub fn automated_id(of: &ParentId, taken: Timestamp) -> ArtifactId {
    ArtifactId::from(format!("rds:{of}-{}", taken.strftime("%Y-%m-%d-%H-%M")))
}
