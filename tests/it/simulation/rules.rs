//! An independent, naive restatement of the rules for copies and retention, applied to the world itself. It uses nothing from the
//! planner, the executor or `model::identity`.

use std::sync::LazyLock;

use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::provider::sandbox::DEFAULT_ACCOUNT;
use jiff::Timestamp;

use crate::support::prelude::*;

static USUAL_ACCOUNT: LazyLock<AccountId> = LazyLock::new(|| AccountId::from(DEFAULT_ACCOUNT));

/// Returns the account of these credentials.
pub fn account_of(config: &ClientConfig) -> &AccountId {
    config.account_id.as_ref().unwrap_or(&USUAL_ACCOUNT)
}

pub fn retained(job: &SyncJob) -> usize {
    let retained = job.rules.retention().map_or(0, |rules| rules.max_retained);
    usize::try_from(retained).expect("a small number")
}

pub fn seconds(time: Timestamp) -> i64 {
    time.as_second()
}

/// A snapshot or image that is copied: its id and the time of its data.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    pub id: &'a str,
    pub taken: i64,
    /// When its database was created.
    pub database: Option<i64>,
}

impl<'a> Source<'a> {
    pub fn of(artifact: &'a WorldArtifact) -> Self {
        Self {
            id: artifact.id.as_str(),
            taken: artifact.data_time.map_or(0, seconds),
            database: artifact.parent_created.map(seconds),
        }
    }

    pub fn planned(copy: &'a Copy) -> Self {
        Self {
            id: copy.source.id.as_str(),
            taken: seconds(copy.expects.data_time),
            database: copy.expects.parent_created.map(seconds),
        }
    }
}

/// Returns the key of the sync tag on the copies of a job.
pub fn copy_key(job: &SyncJob) -> String {
    format!("Sync-From-{}", job.source_region)
}

/// Returns a sync tag as it must be written.
pub fn tag_value(time: Timestamp, id: &str) -> String {
    format!("{} / {id}", time.strftime("%Y%m%d%H%M%S+0000"))
}

/// Returns the time and the id in a sync tag, if it can be parsed.
pub fn read_tag(tags: &Tags, key: &str) -> Option<(i64, String)> {
    let (time, id) = tags.get(key)?.split_once(" / ")?;
    let digits = time.strip_suffix("+0000")?;
    if digits.len() != 14 || id.is_empty() {
        return None;
    }
    let (date, clock) = (digits.get(..8)?, digits.get(8..)?);
    let time: Timestamp = format!("{date}T{clock}Z").parse().ok()?;
    Some((seconds(time), id.to_owned()))
}

/// Returns the time and the id in the sync tag of a copy.
pub fn copy_tag(copy: &WorldArtifact, job: &SyncJob) -> Option<(i64, String)> {
    read_tag(&copy.tags, &copy_key(job))
}

/// Returns true for an artifact that has failed or is going away.
pub fn is_dead(state: &ArtifactState) -> bool {
    let dead = [
        "failed",
        "error",
        "invalid",
        "deleting",
        "deleted",
        "deregistered",
    ];
    dead.contains(&state.as_str())
}

pub fn is_available(copy: &WorldArtifact) -> bool {
    copy.state.as_str() == "available"
}

/// Returns when the data of a copy was captured, if AWS states it. For clusters it does not.
pub fn stated_time(copy: &WorldArtifact, job: &SyncJob) -> Option<Timestamp> {
    copy.data_time
        .filter(|_| job.kind() != Kind::DbClusterSnapshot)
}

/// Returns the first snapshot of the kind of a job that has this id, of any account.
pub fn snapshot<'a>(
    world: &'a World,
    job: &SyncJob,
    region: &Region,
    id: &ArtifactId,
) -> Option<&'a WorldArtifact> {
    let mut here = world.region(region)?.artifacts(job.kind()).iter();
    here.find(|snapshot| snapshot.id == *id)
}

/// Returns the first snapshot of the kind of a job that has this id, of any account.
pub fn snapshot_mut<'a>(
    world: &'a mut World,
    job: &SyncJob,
    region: &Region,
    id: &ArtifactId,
) -> Option<&'a mut WorldArtifact> {
    let here = world.region_mut(region)?.artifacts_mut(job.kind());
    here.iter_mut().find(|snapshot| snapshot.id == *id)
}

/// Returns the id of the snapshot that a snapshot was copied from, and when its data was captured, as AWS states them, or else its
/// tag.
pub fn origin(copy: &WorldArtifact, job: &SyncJob) -> Option<(String, Option<i64>)> {
    let tag = copy_tag(copy, job);
    let stated = stated_time(copy, job).map(seconds);
    if let Some(arn) = &copy.copied_from {
        let parts: Vec<&str> = arn.as_str().splitn(7, ':').collect();
        if parts[3] != job.source_region.as_str() {
            return None;
        }
        let tag = tag.filter(|tag| tag.1 == parts[6]);
        return Some((parts[6].to_owned(), stated.or(tag.map(|tag| tag.0))));
    }
    let (time, id) = tag?;
    Some((id, stated.or(Some(time))))
}

/// Returns the snapshots of a job's account in a region that were taken of a database.
pub fn snapshots_of<'a>(
    world: &'a World,
    job: &'a SyncJob,
    region: &Region,
    database: &'a ParentId,
) -> impl Iterator<Item = &'a WorldArtifact> {
    let account = account_of(&job.client_config);
    let here = world.region(region).expect("a region");
    let snapshots = here.artifacts(job.kind()).iter();
    snapshots.filter(move |s| s.account == *account && s.parent.as_ref() == Some(database))
}

/// Returns the manual snapshots of a job's database in its destination.
pub fn manual<'a>(world: &'a World, job: &'a SyncJob) -> impl Iterator<Item = &'a WorldArtifact> {
    let database = job.rules.parent().into_iter();
    database
        .flat_map(|database| snapshots_of(world, job, &job.destination_region, database))
        .filter(|snapshot| snapshot.snapshot_type == SnapshotType::Manual)
}

/// Returns the newest available automated snapshot of a job's database.
pub fn newest_automated<'a>(world: &'a World, job: &'a SyncJob) -> Option<&'a WorldArtifact> {
    snapshots_of(world, job, &job.source_region, job.rules.parent()?)
        .filter(|s| s.snapshot_type == SnapshotType::Automated && is_available(s))
        .max_by_key(|s| (s.data_time.map(seconds), s.id.clone()))
}

/// Returns true if a snapshot is a copy of this one, in any state.
pub fn is_copy(copy: &WorldArtifact, job: &SyncJob, source: Source<'_>) -> bool {
    origin(copy, job)
        .is_some_and(|(id, time)| id == source.id && time.is_none_or(|time| time == source.taken))
}

/// Returns true if a copy makes a new copy of this source unnecessary: it is a copy of it or of a later snapshot of the same
/// database, and is not dead.
pub fn serves(copy: &WorldArtifact, job: &SyncJob, source: Source<'_>) -> bool {
    let time = origin(copy, job).and_then(|origin| origin.1);
    let databases = copy.parent_created.map(seconds).zip(source.database);
    let is_same = databases.is_none_or(|(copied, source)| copied == source);
    let is_later = is_same && time.is_some_and(|time| time > source.taken);
    !is_dead(&copy.state) && (is_later || is_copy(copy, job, source))
}

/// Returns true for a name that a copy of this source may get: the gem's, one with the region, or a numbered one.
pub fn is_given_name(name: &str, source: &str, from: &Region) -> bool {
    let Some(rest) = name.strip_prefix(&source.replace(':', "-")) else {
        return false;
    };
    let rest = rest.strip_prefix(&format!("-{from}")).unwrap_or(rest);
    let number = rest.strip_prefix('-');
    rest.is_empty()
        || name.contains(from.as_str()) && number.is_some_and(|n| n.parse::<u32>().is_ok())
}

/// Returns true if an image is a copy of this one, in any state. `named` is the id that the source's tag names.
pub fn is_image_copy(
    image: &WorldArtifact,
    job: &SyncJob,
    source: &str,
    named: Option<&String>,
) -> bool {
    if let Some(stated) = &image.copied_from {
        let end = format!(":{}::image/{source}", job.source_region);
        return stated.as_str().ends_with(&end);
    }
    match copy_tag(image, job) {
        Some((_, id)) => id == source,
        None => named.is_some_and(|named| named == image.id.as_str()),
    }
}

/// Returns the id of the copy that a source's own tag names.
pub fn named_copy(source: &WorldArtifact, job: &SyncJob) -> Option<String> {
    let key = format!("Sync-{}", job.destination_region);
    read_tag(&source.tags, &key).map(|tag| tag.1)
}

/// Returns the copies of an image in the destination. `sources` is the world in which the source's tag is read.
pub fn image_copies<'a>(
    world: &'a World,
    sources: &World,
    job: &'a SyncJob,
    source: &'a str,
) -> impl Iterator<Item = &'a WorldArtifact> {
    let image = sources.image(&job.source_region, &source.into());
    let named = image.and_then(|image| named_copy(image, job));
    own_images(world, job).filter(move |image| is_image_copy(image, job, source, named.as_ref()))
}

/// Returns the images of a job's account in its destination.
pub fn own_images<'a>(
    world: &'a World,
    job: &'a SyncJob,
) -> impl Iterator<Item = &'a WorldArtifact> {
    let account = account_of(&job.client_config);
    let here = world.region(&job.destination_region).expect("a region");
    let images = here.images.iter();
    images.filter(move |image| image.account == *account)
}
