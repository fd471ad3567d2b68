//! A plain world to try a config in: every job finds something to copy, and old copies that are due for deletion.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::builder::automated_id;
use super::contents::{BackingSnapshot, SnapshotType, WorldArtifact, WorldDatabase, snapshot_arn};
use super::ec2::is_selected;
use super::image_filters;
use super::world::World;
use crate::model::identity::copy_ids;
use crate::model::ids::{AccountId, ArtifactId, JobName, ParentId};
use crate::model::location::Location;
use crate::model::problem::Problem;
use crate::model::query::{ImageFilter, ImageSelector, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, SyncTag, key_on_copy, key_on_source};
use crate::model::tags::Tags;
use crate::model::wildcard::{Piece, pieces};

/// The time in an example: 2026-01-15T06:00:00Z. It is fixed, so that the same config makes the same world.
const NOW: Timestamp = Timestamp::constant(1_768_456_800, 0);
/// 2026-01-14T22:00:00Z
const IMAGE_CREATED: Timestamp = Timestamp::constant(1_768_428_000, 0);
/// 2024-03-04T09:21:07Z
const DATABASE_CREATED: Timestamp = Timestamp::constant(1_709_544_067, 0);
/// When the newest automated snapshot was taken: 2026-01-15T05:10:33.417Z.
const NEWEST_SNAPSHOT: Timestamp = Timestamp::constant(1_768_453_833, 417_000_000);
/// How long RDS keeps automated snapshots unless it is told otherwise.
const AUTOMATED_DAYS: i64 = 7;
/// How many copies there are beyond those that are retained, so that some are deleted.
const SURPLUS_COPIES: u32 = 2;
const MAX_COPIES: u32 = 20;
/// The account behind an alias such as `amazon`.
const ALIASED_ACCOUNT: &str = "137112412989";

/// What an example has to know about a job.
#[derive(Clone, Debug)]
pub struct ExampleJob<'a> {
    /// Its key in the config.
    pub name: &'a JobName,
    /// Where its sources are.
    pub source: Location,
    /// Where its copies go.
    pub destination: Location,
    /// What it reads in the source region.
    pub sources: Query,
    /// The key of the destination that its copies are encrypted with.
    pub kms_key_id: Option<&'a str>,
    /// How many copies it keeps; nothing if it never deletes any.
    pub max_retained: Option<u32>,
}

/// An example world, and what it lacks.
#[derive(Clone, Debug)]
pub struct Example {
    /// The world.
    pub world: World,
    /// One problem for each job with a filter that nothing simple matches.
    pub problems: Vec<Problem>,
}

impl World {
    /// Returns a world in which every job finds something to copy. Jobs with the same source find the same artifact, and the same
    /// jobs make the same world.
    ///
    /// A job that selects images finds one that has, literally, what the filters ask for. A job about a database finds automated
    /// snapshots, the newest of them not copied yet, and older copies, more than it retains.
    pub fn example(jobs: &[ExampleJob<'_>]) -> Example {
        let mut world = Self::new(NOW);
        for job in jobs {
            let account = job.source.credentials.account_id.as_ref();
            account
                .into_iter()
                .for_each(|account| world.add_account(account));
            world.add_region(&job.source.region);
            let destination = world.add_region(&job.destination.region);
            destination
                .kms_keys
                .extend(job.kms_key_id.map(str::to_owned));
        }
        // The most demanding jobs come first, so that the others find what is there for those.
        let mut jobs: Vec<&ExampleJob<'_>> = jobs.iter().collect();
        jobs.sort_by_key(|job| match &job.sources {
            Query::Matching(selector) => {
                Reverse(selector.filters.len() + selector.sync_identifiers.len())
            }
            _ => Reverse(0),
        });
        let mut problems = Vec::new();
        for job in &jobs {
            let account = world.account_at(&job.source);
            match &job.sources {
                Query::Matching(selector) if world.lacks(job) => {
                    problems.extend(world.add_matching_image(job, selector, &account));
                }
                Query::Automated(parents) => {
                    for parent in parents {
                        world.add_backups(job, parent, &account);
                    }
                }
                _ => {}
            }
        }
        // Whoever has this many copies has had the limit raised.
        let stored = world.regions.values().map(|region| region.snapshots.len());
        let room = stored.max().unwrap_or(0) + jobs.len();
        world.quotas.manual_snapshots = world.quotas.manual_snapshots.max(room);
        Example { world, problems }
    }

    /// Returns true if there is nothing that a job could copy, or if one of its regions is missing.
    pub fn lacks(&self, job: &ExampleJob<'_>) -> bool {
        let account = self.account_at(&job.source);
        let Some(here) = self.region(&job.source.region) else {
            return true;
        };
        let has_source = match &job.sources {
            Query::Matching(selector) => {
                let mut images = here.images.iter();
                images.any(|image| is_selected(image, selector, &account))
            }
            Query::Automated(parents) => {
                let mut snapshots = here.snapshots.iter();
                snapshots.any(|snapshot| snapshot.account == account && snapshot.is_of(parents))
            }
            _ => false,
        };
        !has_source || self.region(&job.destination.region).is_none()
    }

    /// Adds an image for a job, and returns a problem if it does not match all filters.
    fn add_matching_image(
        &mut self,
        job: &ExampleJob<'_>,
        selector: &ImageSelector,
        account: &AccountId,
    ) -> Option<Problem> {
        let mut image = plain_image(self.new_image_id(), job.name, &selector.owner, account);
        if let Some(identifier) = selector.sync_identifiers.first() {
            let tags = image.tags_of_mut(account);
            tags.insert(SYNC_IDENTIFIER, identifier.as_str());
        }
        let is_met = |image: &WorldArtifact, filter: &ImageFilter| {
            image_filters::is_met(filter, image, image.tags_of(account))
        };
        for filter in &selector.filters {
            if let Some(value) = filter.values.first().filter(|_| !is_met(&image, filter)) {
                set(&mut image, account, &filter.name, &without_wildcards(value));
            }
        }
        let unmet = selector
            .filters
            .iter()
            .find(|filter| !is_met(&image, filter));
        let (name, region) = (job.name, &job.source.region);
        let id = self.add_image(region, image);
        let ImageFilter {
            name: filter,
            values,
        } = unmet?;
        let message = format!(
            "the sandbox has image {id} for {name}, which does not match its filter {filter}={}",
            values.join(",")
        );
        let help =
            format!("edit the world file: give image {id} of {region} what the filter asks for");
        Some(Problem::new(message).help(help))
    }

    /// Adds the automated snapshots of a database, unless they are there, and copies of all but the newest: also of some that RDS
    /// has deleted since.
    fn add_backups(&mut self, job: &ExampleJob<'_>, parent: &ParentId, account: &AccountId) {
        let database = WorldDatabase {
            size_gib: 200,
            ..WorldDatabase::new(parent.as_str(), account, DATABASE_CREATED)
        };
        if self.lacks(job) {
            self.add_database(&job.source.region, database.clone());
            for days in (0..AUTOMATED_DAYS).rev() {
                let taken = taken_days_ago(days);
                let id = automated_id(parent, taken);
                let how = SnapshotType::Automated;
                let snapshot = WorldArtifact::snapshot(&database, id.as_str(), how, taken);
                let snapshot = snapshot.tag("Database", parent.as_str());
                self.add_snapshot(&job.source.region, snapshot);
            }
        }
        let copies = job.max_retained.map_or(0, |retained| {
            retained.saturating_add(SURPLUS_COPIES).min(MAX_COPIES)
        });
        for days in (1..=i64::from(copies)).rev() {
            self.add_copy(job, &database, taken_days_ago(days));
        }
    }

    /// Adds a copy as the gem made it, and its sync tag on the source, if that is still there.
    fn add_copy(&mut self, job: &ExampleJob<'_>, database: &WorldDatabase, taken: Timestamp) {
        let (here, there) = (&job.source.region, &job.destination.region);
        let source_id = automated_id(&database.id, taken);
        let is_free = |id: &ArtifactId| self.snapshot(there, id).is_none();
        let Some(id) = copy_ids(&source_id, here).find(is_free) else {
            return;
        };
        let tag = |other: &ArtifactId| SyncTag::new(taken, other.as_str()).to_string();
        if let Some(source) = self.snapshot_mut(here, &source_id) {
            source.tags.insert(key_on_source(there), tag(&id));
        }
        let copy = WorldArtifact::snapshot(database, id.as_str(), SnapshotType::Manual, taken);
        let copy = WorldArtifact {
            // The gem ran at six o'clock, and the copy took its time.
            created: taken.checked_add(SignedDuration::from_mins(99)).ok(),
            copied_from: Some(snapshot_arn(here, &database.account, &source_id)),
            kms_key_id: job.kms_key_id.map(str::to_owned),
            ..copy.tag(&key_on_copy(here), &tag(&source_id))
        };
        self.add_snapshot(there, copy);
    }
}

fn taken_days_ago(days: i64) -> Timestamp {
    let length = SignedDuration::from_hours(24 * days);
    NEWEST_SNAPSHOT
        .checked_sub(length)
        .unwrap_or(NEWEST_SNAPSHOT)
}

/// Returns an image that an account finds under this owner. `sync_my_web_app` gets `my-web-app-2026-01-14`.
fn plain_image(id: ArtifactId, job: &JobName, owner: &str, account: &AccountId) -> WorldArtifact {
    let name = job.as_str().to_ascii_lowercase();
    let name = name
        .strip_prefix("sync_")
        .unwrap_or(&name)
        .chars()
        .take(100);
    let name = name.map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let name = format!("{}-2026-01-14", name.collect::<String>());
    let mut image = WorldArtifact::image(id.as_str(), account, &name, IMAGE_CREATED);
    image.description = format!("Image for {job}");
    image.backing_snapshots = vec![BackingSnapshot {
        size_gib: 16,
        tags: Tags::new(),
    }];
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

/// Gives an image what a filter asks for, if that is simple.
fn set(image: &mut WorldArtifact, account: &AccountId, filter: &str, value: &str) {
    let tags = image.tags_of_mut(account);
    match filter {
        "tag-key" => tags.insert(value, ""),
        "tag-value" => tags.insert("Purpose", value),
        "name" => value.clone_into(&mut image.name),
        "description" => value.clone_into(&mut image.description),
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

/// Returns a filter value without its wildcards.
fn without_wildcards(value: &str) -> String {
    let literal = |piece| match piece {
        Piece::Is(c) => Some(c),
        Piece::AtMostOne | Piece::Any => None,
    };
    pieces(value).filter_map(literal).collect()
}
