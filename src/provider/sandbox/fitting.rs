//! A world to try a config in: each job finds what it looks for, and old copies that are due to go.

use jiff::{SignedDuration, Timestamp};

use super::builder::automated_id;
use super::file::is_account;
use super::world::{SnapshotKind, World, WorldDatabase, WorldImage, WorldSnapshot, snapshot_arn};
use super::{fitting_images, listing};
use crate::model::id::{AccountId, Region, SnapshotId};
use crate::model::job::{JobKind, SnapshotJob, SyncJob};
use crate::model::lineage::target_names;
use crate::model::sync_tag::{SyncTag, key_on_copy, key_on_source};

/// The time in a world that was made to fit: 2026-01-15T06:00:00Z. A fixed one, so that the same config makes the
/// same world.
pub(super) const NOW: Timestamp = Timestamp::constant(1_768_456_800, 0);

/// When its databases were made: 2024-03-04T09:21:07Z.
const DATABASE_CREATED: Timestamp = Timestamp::constant(1_709_544_067, 0);

/// How long before [`NOW`] the newest automated snapshot was taken: at 05:10:33.417 of the same day.
const SINCE_NEWEST: SignedDuration = SignedDuration::from_millis(((49 * 60) + 26) * 1000 + 583);

/// How many days RDS keeps automated snapshots, where nobody chose: one snapshot a day.
const AUTOMATED_DAYS: i64 = 7;

/// Beside what is to be retained: so many copies that retention has something to delete.
const BESIDE_RETAINED: u32 = 2;

/// At most so many old copies for one job.
const MAX_OLD_COPIES: u32 = 20;

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl World {
    /// A world in which each job finds what it looks for. Jobs that look for the same find the same.
    ///
    /// An `ec2_ami` job finds one image, not copied yet. An image of another owner is shared with the job's account,
    /// which gave it the tags that the job looks for: an account does not see the tags of others. A
    /// `rds_automated_snapshot` job finds automated snapshots, the newest not copied yet, and in its destination
    /// copies that the older tool made, more than are to be retained.
    ///
    /// The same jobs make the same world.
    pub fn fitting(jobs: &[SyncJob]) -> Self {
        let mut world = Self::new(NOW);
        for job in jobs {
            if let Some(account) = job
                .client_config
                .account_id
                .as_ref()
                .filter(|account| is_account(account))
            {
                world.add_account(account);
            }
            for region in [&job.source_region, &job.destination_region] {
                if Region::is_well_formed(region.as_str()) {
                    world.add_region(region);
                }
            }
        }
        for job in jobs {
            world.fit_key(job);
        }
        fitting_images::fit(&mut world, jobs);
        for job in jobs {
            if let JobKind::Snapshot(options) = &job.kind {
                world.fit_database(jobs, job, options);
            }
        }
        world.fit_quotas(jobs);
        world
    }

    /// Whether there is nothing here that a job looks for: one of its regions is missing, or its image or database.
    pub fn lacks(&self, job: &SyncJob) -> bool {
        let (source, destination) = (&job.source_region, &job.destination_region);
        let (Some(here), Some(_)) = (self.region(source), self.region(destination)) else {
            return true;
        };
        let account = self.account_at(&job.source());
        match &job.kind {
            JobKind::Ami(options) => {
                let meant = |image: &WorldImage| image.is_selected(&account, &options.selector);
                !here.images.iter().any(meant)
            }
            JobKind::Snapshot(options) => {
                let wanted = (&options.db_instance, &account);
                let is_it = |it: &WorldDatabase| (&it.id, &it.account) == wanted;
                let of_it = |it: &WorldSnapshot| (&it.db_instance, &it.account) == wanted;
                !here.databases.iter().any(is_it) && !here.snapshots.iter().any(of_it)
            }
        }
    }

    /// The key that a job names is in its destination, unless it says itself that it is elsewhere.
    fn fit_key(&mut self, job: &SyncJob) {
        let Some(key) = &job.kms_key_id else { return };
        let Some(here) = self.region_mut(&job.destination_region) else {
            return;
        };
        if !here.has_kms_key(&job.destination_region, key) {
            here.kms_keys.push(key.clone());
            if !here.has_kms_key(&job.destination_region, key) {
                here.kms_keys.pop();
            }
        }
    }

    fn fit_database(&mut self, jobs: &[SyncJob], job: &SyncJob, options: &SnapshotJob) {
        let regions = [&job.source_region, &job.destination_region];
        if regions.iter().any(|region| self.region(region).is_none())
            || options.db_instance.as_str().is_empty()
        {
            return;
        }
        let account = self.account_at(&job.source());
        let database = self.database_for(jobs, job, options, &account);
        let copies = options
            .max_snapshots_to_retain
            .saturating_add(BESIDE_RETAINED)
            .min(MAX_OLD_COPIES);
        let newest = before(NOW, SINCE_NEWEST);
        // The newest snapshot has no copy yet; the one of the day before has.
        for days in (1..=copies).rev() {
            let taken = before(newest, times(DAY, days.into()));
            self.add_old_copy(job, options, &database, taken);
        }
    }

    /// The database of a job with its automated snapshots, made if it is not there.
    fn database_for(
        &mut self,
        jobs: &[SyncJob],
        job: &SyncJob,
        options: &SnapshotJob,
        account: &AccountId,
    ) -> WorldDatabase {
        let here = self.add_region(&job.source_region);
        let known = here
            .databases
            .iter()
            .find(|db| db.id == options.db_instance && db.account == *account);
        if let Some(known) = known {
            return known.clone();
        }
        // It is encrypted, and has an option group of its own, only if every job that copies it can deal with that.
        let mut encrypted = true;
        let mut own_group = true;
        for other in jobs
            .iter()
            .filter(|other| other.source_region == job.source_region)
        {
            if let JobKind::Snapshot(same) = &other.kind
                && same.db_instance == options.db_instance
            {
                encrypted &= other.kms_key_id.is_some();
                own_group &= same.option_group_name.is_some();
            }
        }
        let mut database =
            WorldDatabase::new(options.db_instance.as_str(), account, DATABASE_CREATED);
        database.size_gib = pick(&[20, 50, 100, 200, 500], options.db_instance.as_str());
        database.kms_key_id = encrypted.then(|| "alias/aws/rds".to_owned());
        if own_group {
            database.option_group_name = format!("{}-options", options.db_instance);
        }
        self.add_database(&job.source_region, database.clone());
        let newest = before(NOW, SINCE_NEWEST);
        for days in (0..AUTOMATED_DAYS).rev() {
            let taken = before(newest, times(DAY, days));
            let id = automated_id(&options.db_instance, taken);
            let snapshot =
                WorldSnapshot::of(&database, id.as_str(), SnapshotKind::Automated, taken)
                    .tag("Database", options.db_instance.as_str());
            self.add_region(&job.source_region).snapshots.push(snapshot);
        }
        database
    }

    /// A copy as the older tool made it, and its note on the source, if that is still there.
    fn add_old_copy(
        &mut self,
        job: &SyncJob,
        options: &SnapshotJob,
        database: &WorldDatabase,
        taken: Timestamp,
    ) {
        let source_id = automated_id(&options.db_instance, taken);
        let source_arn = snapshot_arn(&job.source_region, &database.account, &source_id);
        let there = self.add_region(&job.destination_region);
        let mut own = there
            .snapshots
            .iter()
            .filter(|snapshot| snapshot.account == database.account);
        if own.any(|snapshot| snapshot.copied_from.as_ref() == Some(&source_arn)) {
            return;
        }
        let held = |id: &SnapshotId| {
            there
                .snapshots
                .iter()
                .any(|snapshot| snapshot.account == database.account && snapshot.id == *id)
        };
        let Some(id) = target_names(&source_id, &job.source_region).find(|id| !held(id)) else {
            return;
        };
        let tag = SyncTag::new(taken, source_id.as_str()).to_string();
        let mut copy = WorldSnapshot::of(database, id.as_str(), SnapshotKind::Manual, taken)
            .tag(&key_on_copy(&job.source_region), &tag);
        // The older tool ran at six o'clock, and the copy took its time.
        copy.created = Some(before(taken, times(SINCE_NEWEST, -2)));
        copy.copied_from = Some(source_arn);
        copy.kms_key_id = database.kms_key_id.as_ref().and(job.kms_key_id.clone());
        if let Some(group) = &options.option_group_name {
            copy.option_group_name = Some(group.clone());
        }
        there.snapshots.push(copy);
        let tag = SyncTag::new(taken, id.as_str()).to_string();
        let sources = self.add_region(&job.source_region).snapshots.iter_mut();
        let mut own = sources
            .filter(|snapshot| snapshot.account == database.account && snapshot.id == source_id);
        if let Some(source) = own.next() {
            source
                .tags
                .insert(key_on_source(&job.destination_region), tag);
        }
    }

    /// Room for all that is there and for one more copy of each job: whoever has so many jobs had the limit raised.
    fn fit_quotas(&mut self, jobs: &[SyncJob]) {
        let stored = self
            .regions
            .values()
            .map(|region| region.snapshots.len())
            .max()
            .unwrap_or(0);
        self.quotas.manual_snapshots = self
            .quotas
            .manual_snapshots
            .max(stored.saturating_add(jobs.len()));
    }
}

/// One of some plausible sizes, always the same for one name.
pub(super) fn pick(sizes: &[u64], name: &str) -> u64 {
    let count = u64::try_from(sizes.len()).unwrap_or(1).max(1);
    let at = usize::try_from(listing::scatter(0, name) % count).unwrap_or(0);
    sizes.get(at).copied().unwrap_or(8)
}

fn times(length: SignedDuration, n: i64) -> SignedDuration {
    SignedDuration::from_millis(
        i64::try_from(length.as_millis())
            .unwrap_or(0)
            .saturating_mul(n),
    )
}

/// Far from the ends of time, all of it.
pub(super) fn before(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(time)
}
