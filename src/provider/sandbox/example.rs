//! A simple world for trying a config: every job finds something to copy, and old copies that are due for deletion.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::contents::{SnapshotType, WorldArtifact, arn_of, automated_id};
use super::database::WorldDatabase;
use super::ec2::is_selected;
use super::image_filters;
use super::world::World;
use crate::model::identity::copy_ids;
use crate::model::ids::{AccountId, ArtifactId, ParentId};
use crate::model::kind::Kind;
use crate::model::problem::Problem;
use crate::model::query::{ImageFilter, ImageSelector, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, SyncTag, key_on_copy, key_on_source};
use crate::sync_types::SyncJob;

/// The present time of an example: 2026-01-15T06:00:00Z. It is fixed, so that the same config makes the same world.
const NOW: Timestamp = Timestamp::constant(1_768_456_800, 0);
/// 2026-01-14T22:00:00Z
const IMAGE_CREATED: Timestamp = Timestamp::constant(1_768_428_000, 0);
/// 2024-03-04T09:21:07Z
const DATABASE_CREATED: Timestamp = Timestamp::constant(1_709_544_067, 0);
/// When the newest automated snapshot was taken: 2026-01-15T05:10:33.417Z.
const NEWEST_SNAPSHOT: Timestamp = Timestamp::constant(1_768_453_833, 417_000_000);
/// How long RDS keeps automated snapshots by default.
const AUTOMATED_DAYS: i64 = 7;
/// The number of copies beyond those that are retained, so that some are deleted.
const SURPLUS_COPIES: u32 = 2;
const MAX_COPIES: u32 = 20;
/// The key that RDS encrypts with by default.
const DEFAULT_KEY: &str = "alias/aws/rds";
/// The account behind an alias such as `amazon`.
const ALIASED_ACCOUNT: &str = "137112412989";

impl World {
    /// Returns a world in which every job finds something to copy, and a problem for each job with filters that no simple image
    /// matches. Jobs with the same source find the same artifact, and the same jobs give the same world.
    ///
    /// A job that selects images finds an image with the literal values of its filters. A job for a database finds automated
    /// snapshots, the newest of which is not copied yet, and more copies of older ones than it retains.
    pub fn example(jobs: &[SyncJob]) -> (Self, Vec<Problem>) {
        let mut world = Self::new(NOW);
        for job in jobs {
            if let Some(account) = &job.client_config.account_id {
                world.add_account(account);
            }
            world.add_region(&job.source_region);
            let keys = &mut world.add_region(&job.destination_region).kms_keys;
            keys.extend(job.kms_key_id.clone());
        }
        let jobs = jobs.iter().map(|job| (job, job.rules.queries().sources));
        let mut jobs: Vec<(&SyncJob, Query)> = jobs.collect();
        // Jobs with the most filters come first, so that the other jobs may find the same images. Jobs with a key come before others,
        // so that they decide whether a cluster is encrypted.
        jobs.sort_by_key(|(job, sources)| {
            let filters = match sources {
                Query::Matching(selector) => {
                    selector.filters.len() + selector.sync_identifiers.len()
                }
                _ => 0,
            };
            (Reverse(filters), job.kms_key_id.is_none())
        });
        let mut problems = Vec::new();
        for (job, sources) in &jobs {
            let account = world.account_at(&job.client_config);
            match sources {
                Query::Matching(selector) if !world.has_source_for(job) => {
                    problems.extend(world.add_matching_image(job, selector, &account));
                }
                Query::Automated(parents) => parents
                    .iter()
                    .for_each(|parent| world.add_backups(job, parent, &account)),
                _ => {}
            }
        }
        // An account with this many copies has a higher limit.
        let stored = world.regions.values().map(|region| region.snapshots.len());
        let room = stored.max().unwrap_or(0) + jobs.len();
        world.quotas.manual_snapshots = world.quotas.manual_snapshots.max(room);
        (world, problems)
    }

    /// Returns true if there is something that a job could copy, and its destination exists.
    pub fn has_source_for(&self, job: &SyncJob) -> bool {
        let account = self.account_at(&job.client_config);
        let mut artifacts = self.artifacts(&job.source_region, job.kind()).iter();
        let has_source = match job.rules.queries().sources {
            Query::Matching(selector) => {
                artifacts.any(|image| is_selected(image, &selector, &account))
            }
            Query::Automated(parents) => {
                artifacts.any(|snapshot| snapshot.account == account && snapshot.is_of(&parents))
            }
            _ => false,
        };
        has_source && self.region(&job.destination_region).is_some()
    }

    /// Adds an image for a job, and returns a problem if it does not match all filters.
    fn add_matching_image(
        &mut self,
        job: &SyncJob,
        selector: &ImageSelector,
        account: &AccountId,
    ) -> Option<Problem> {
        let mut image = plain_image(
            self.new_image_id(),
            job.name.key(),
            &selector.owner,
            account,
        );
        if let Some(identifier) = selector.sync_identifiers.first() {
            let tags = image.tags_of_mut(account);
            tags.insert(SYNC_IDENTIFIER, identifier.as_str());
        }
        let is_met = |image: &WorldArtifact, filter: &ImageFilter| {
            image_filters::is_met(filter, image, image.tags_of(account))
        };
        for filter in &selector.filters {
            if let Some(value) = filter.values.first().filter(|_| !is_met(&image, filter)) {
                let plain = value.replace(['*', '?'], "");
                set(&mut image, account, &filter.name, &plain);
            }
        }
        let mut filters = selector.filters.iter();
        let unmet = filters.find(|filter| !is_met(&image, filter));
        let (name, region) = (&job.name, &job.source_region);
        let id = self.add_image(region, image);
        let filter = unmet.map(|filter| format!("{}={}", filter.name, filter.values.join(",")))?;
        let message = format!("no simple image matches the filter {filter} of {name}");
        let help = format!("edit the world file: change image {id} of {region} so that it matches");
        Some(Problem::new(message).help(help))
    }

    /// Adds the automated snapshots of a database, unless they exist already, and copies of all but the newest. Some are copies of
    /// snapshots that RDS has deleted since.
    fn add_backups(&mut self, job: &SyncJob, parent: &ParentId, account: &AccountId) {
        let kind = job.kind();
        // Only an encrypted snapshot of a cluster can be copied with a key.
        let needs_key = kind == Kind::DbClusterSnapshot && job.kms_key_id.is_some();
        let database = WorldDatabase {
            size_gib: 200,
            kms_key_id: needs_key.then(|| DEFAULT_KEY.to_owned()),
            ..WorldDatabase::new(parent.as_str(), account, DATABASE_CREATED)
        };
        let here = self.add_region(&job.source_region);
        let is_same =
            |other: &WorldDatabase| other.id == database.id && other.account == database.account;
        if !here.databases(kind).iter().any(is_same) {
            here.add_database(kind, database.clone());
            let taken = (0..AUTOMATED_DAYS).rev().map(taken_days_ago);
            let snapshots = taken.map(|taken| WorldArtifact::automated(&database, taken));
            let snapshots = snapshots.map(|snapshot| snapshot.tag("Database", parent.as_str()));
            here.artifacts_mut(kind).extend(snapshots);
        }
        let copies = job.rules.retention().map_or(0, |rules| {
            let retained = rules.max_retained;
            retained.saturating_add(SURPLUS_COPIES).min(MAX_COPIES)
        });
        for days in (1..=i64::from(copies)).rev() {
            self.add_copy(job, &database, taken_days_ago(days));
        }
    }

    /// Adds a copy as the gem made it, and its sync tag on the source, if the source still exists.
    fn add_copy(&mut self, job: &SyncJob, database: &WorldDatabase, taken: Timestamp) {
        let (kind, here, there) = (job.kind(), &job.source_region, &job.destination_region);
        let source_id = automated_id(&database.id, taken);
        let stored = self.artifacts(there, kind);
        let is_free = |id: &ArtifactId| stored.iter().all(|other| other.id != *id);
        let Some(id) = copy_ids(kind, &source_id, here).find(is_free) else {
            return;
        };
        let tag = |other: &ArtifactId| SyncTag::new(taken, other.as_str()).to_string();
        let mut sources = self.add_region(here).artifacts_mut(kind).iter_mut();
        if let Some(source) = sources.find(|source| source.id == source_id) {
            source.tags.insert(key_on_source(there), tag(&id));
        }
        let copy = WorldArtifact::snapshot(database, id.as_str(), SnapshotType::Manual, taken);
        let copy = WorldArtifact {
            // The gem ran at six o'clock, and the copy took a while.
            created: taken.checked_add(SignedDuration::from_mins(99)).ok(),
            copied_from: Some(arn_of(kind, here, &database.account, &source_id)),
            kms_key_id: job.kms_key_id.clone(),
            ..copy.tag(&key_on_copy(here), &tag(&source_id))
        };
        self.add_artifact(there, kind, copy);
    }
}

fn taken_days_ago(days: i64) -> Timestamp {
    let taken = NEWEST_SNAPSHOT.checked_sub(SignedDuration::from_hours(24 * days));
    taken.unwrap_or(NEWEST_SNAPSHOT)
}

/// Returns an image that an account finds under this owner. `sync_my_web_app` gets `my-web-app-2026-01-14`.
fn plain_image(id: ArtifactId, job: &str, owner: &str, account: &AccountId) -> WorldArtifact {
    let name = job.to_ascii_lowercase();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name = name.get(..100).unwrap_or(&name).trim_start_matches("sync-");
    let name = format!("{name}-2026-01-14");
    let mut image = WorldArtifact::image(id.as_str(), account, &name, IMAGE_CREATED);
    image.description = format!("Image for {job}").into();
    for disk in &mut image.backing_snapshots {
        disk.size_gib = 16;
    }
    if owner.bytes().all(|byte| byte.is_ascii_digit()) {
        image.account = AccountId::from(owner);
        image.shared_with.push(account.clone());
    } else if owner != "self" {
        image.account = AccountId::from(ALIASED_ACCOUNT);
        image.owner_alias = Some(owner.to_owned());
        image.public = true;
    }
    image.tags_of_mut(account).insert("Name", name);
    image
}

/// Gives an image the value of a filter, if that is simple.
fn set(image: &mut WorldArtifact, account: &AccountId, filter: &str, value: &str) {
    let tags = image.tags_of_mut(account);
    match filter {
        "tag-key" => tags.insert(value, ""),
        "tag-value" => tags.insert("Purpose", value),
        "name" => image.name = value.into(),
        "description" => image.description = value.into(),
        "is-public" => image.public = value == "true",
        _ => {
            if let Some(key) = filter.strip_prefix("tag:") {
                tags.insert(key, value);
            } else if image_filters::attribute(filter).is_some() {
                image.attributes.insert(filter.to_owned(), value.to_owned());
            }
        }
    }
}
