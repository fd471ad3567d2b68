//! An independent, naive restatement of the rules for copies and retention, applied to the world itself. It uses nothing from the
//! planner, the executor or `model::identity`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
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

/// Returns the id of the snapshot that a snapshot was copied from, and when its data was captured, as AWS states them, or else its
/// tag.
pub fn origin(copy: &WorldArtifact, job: &SyncJob) -> Option<(String, Option<i64>)> {
    let tag = copy_tag(copy, job);
    let stated = copy.data_time.map(seconds);
    if let Some(arn) = &copy.copied_from {
        let parts: Vec<&str> = arn.as_str().splitn(7, ':').collect();
        if parts[3] != job.source_region.as_str() {
            return None;
        }
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
    let snapshots = here.snapshots.iter();
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

/// Returns why a copy, judging by its tag and its source, is not one that xrs made for this job.
fn not_ours(copy: &WorldArtifact, job: &SyncJob) -> Option<&'static str> {
    let Some((_, id)) = copy_tag(copy, job) else {
        return Some("it has no readable sync tag for this job");
    };
    let from = &job.source_region;
    let is_ours = match &copy.copied_from {
        Some(arn) => {
            let arn = arn.as_str();
            arn.contains(&format!(":rds:{from}:")) && arn.ends_with(&format!("snapshot:{id}"))
        }
        None => is_given_name(copy.id.as_str(), &id, from),
    };
    (!is_ours).then_some("it is a copy of something else")
}

/// Returns why a copy, judging by its own tags and state, may not be deleted.
fn not_deletable(copy: &WorldArtifact, job: &SyncJob) -> Option<&'static str> {
    let is_kept = copy.tags.contains_key("Sync-Keep");
    let is_usual = ["available", "failed"].contains(&copy.state.as_str());
    not_ours(copy, job)
        .or(is_kept.then_some("it is to be kept"))
        .or((!is_usual).then_some("it is neither available nor failed"))
}

/// Returns the newest copy that is not dead, whoever made it.
fn newest_copy<'a>(world: &'a World, job: &'a SyncJob) -> Option<&'a WorldArtifact> {
    manual(world, job)
        .filter(|copy| !is_dead(&copy.state))
        .filter_map(|copy| Some((origin(copy, job)?.1, copy)))
        .max_by_key(|(taken, copy)| (*taken, copy.id.clone()))
        .map(|(_, copy)| copy)
}

/// Returns when the current database was created, as its newest snapshot states. This is uncertain if a copy is newer and may be of
/// a different database.
fn current_database(world: &World, job: &SyncJob, source: &WorldArtifact) -> Option<Timestamp> {
    let newest = newest_copy(world, job);
    let taken = newest.and_then(|copy| origin(copy, job)?.1);
    let of_copy = newest.and_then(|copy| copy.parent_created);
    match source.parent_created {
        None => of_copy,
        Some(_) if taken > source.data_time.map(seconds) && of_copy != source.parent_created => {
            None
        }
        stated => stated,
    }
}

/// Returns the copy of a snapshot that may get a missing sync tag, if none of its copies has one: the copy that the snapshot's own
/// tag names.
pub fn to_be_tagged<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
) -> Option<&'a WorldArtifact> {
    let copies: Vec<&WorldArtifact> = manual(world, job)
        .filter(|copy| !is_dead(&copy.state) && is_copy(copy, job, Source::of(source)))
        .collect();
    if copies.iter().any(|copy| copy_tag(copy, job).is_some()) {
        return None;
    }
    let named = named_copy(source, job);
    let mut copies = copies.into_iter();
    copies.find(|copy| named.as_deref() == Some(copy.id.as_str()))
}

/// Returns the copies that retention counts with their times, newest first: ours, and the one that is about to be tagged, but none
/// of an earlier database of that name.
fn counted<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
    current_parent: Option<Timestamp>,
) -> Vec<(i64, &'a WorldArtifact)> {
    let untagged = to_be_tagged(world, job, source).map(|copy| &copy.id);
    let mut counted: Vec<(i64, &WorldArtifact)> = manual(world, job)
        .filter(|copy| not_ours(copy, job).is_none() || Some(&copy.id) == untagged)
        .filter(|copy| copy.parent_created.is_none() || copy.parent_created == current_parent)
        .filter_map(|copy| Some((origin(copy, job)?.1?, copy)))
        .collect();
    counted.sort_by_key(|(taken, copy)| Reverse((*taken, copy.id.clone())));
    counted
}

/// Returns the copies of earlier databases that have been kept long enough, if it is certain which database is the current one.
fn expired<'a>(
    world: &'a World,
    job: &'a SyncJob,
    source: &WorldArtifact,
    current_parent: Option<Timestamp>,
) -> Vec<(i64, &'a WorldArtifact)> {
    let limit = job
        .rules
        .retention()
        .and_then(|rules| rules.earlier_parents);
    let (Some(limit), Some(_)) = (limit, current_parent) else {
        return Vec::new();
    };
    let limit = limit.as_secs();
    let day = world.now.as_second() / 86_400 * 86_400;
    let untagged = to_be_tagged(world, job, source).map(|copy| &copy.id);
    manual(world, job)
        .filter(|copy| not_ours(copy, job).is_none() || Some(&copy.id) == untagged)
        .filter(|copy| copy.parent_created.is_some() && copy.parent_created != current_parent)
        .filter_map(|copy| Some((origin(copy, job)?.1?, copy)))
        .filter(|(taken, _)| *taken < day - limit)
        .collect()
}

/// Returns exactly the copies that retention must delete from this world. `source` is the newest snapshot; `is_due` says whether a
/// copy of it is made at the same time.
pub fn outlived(
    world: &World,
    job: &SyncJob,
    source: &WorldArtifact,
    is_due: bool,
) -> BTreeSet<String> {
    let current_parent = current_database(world, job, source);
    let counted = counted(world, job, source, current_parent);
    let available = counted.iter().filter(|(_, copy)| is_available(copy));
    let Some((newest, _)) = available.clone().next() else {
        return BTreeSet::new();
    };
    let is_in_progress = counted
        .iter()
        .any(|(taken, copy)| taken > newest && !is_available(copy) && !is_dead(&copy.state));
    let retain = retained(job);
    let kept = if is_due || is_in_progress {
        retain.max(1)
    } else {
        retain + 1
    };
    let failed = counted
        .iter()
        .filter(|(taken, copy)| is_dead(&copy.state) && taken < newest);
    let outlived = available.skip(kept).chain(failed);
    let mut expired = expired(world, job, source, current_parent);
    expired.retain(|(taken, _)| taken <= newest);
    let outlived = outlived.chain(&expired);
    outlived
        .filter(|(_, copy)| not_deletable(copy, job).is_none())
        .map(|(_, copy)| copy.id.to_string())
        .collect()
}

/// Returns why a copy may not be deleted from this world, if there is a reason.
pub fn not_to_delete(world: &World, job: &SyncJob, id: &str) -> Option<String> {
    let Some(copy) = manual(world, job).find(|copy| copy.id.as_str() == id) else {
        return Some("it is no copy of this database".to_owned());
    };
    if let Some(why) = not_deletable(copy, job) {
        return Some(why.to_owned());
    }
    let current_parent = match newest_automated(world, job) {
        Some(source) => current_database(world, job, source),
        None => newest_copy(world, job).and_then(|newest| newest.parent_created),
    };
    if copy.parent_created.is_some() && copy.parent_created != current_parent {
        let limit = job
            .rules
            .retention()
            .and_then(|rules| rules.earlier_parents);
        let taken = origin(copy, job)?.1?;
        let is_old = limit.is_some_and(|limit| taken < world.now.as_second() - limit.as_secs());
        let has_other = || {
            let mut copies = manual(world, job);
            copies.any(|copy| {
                is_available(copy)
                    && copy
                        .parent_created
                        .is_none_or(|made| Some(made) == current_parent)
            })
        };
        let is_due = is_old && current_parent.is_some() && has_other();
        return (!is_due).then(|| "it is of an earlier database of that name".to_owned());
    }
    // A copy that counted during planning because it was to be tagged still counts, no matter what has happened to its tag since.
    let of_copy = (origin(copy, job)?.1?, copy.id.clone());
    let is_newer = |other: &&WorldArtifact| {
        let Some((id, Some(taken))) = origin(other, job) else {
            return false;
        };
        let is_named = copy_tag(other, job).is_some()
            || is_given_name(other.id.as_str(), &id, &job.source_region);
        let is_same = copy
            .parent_created
            .and(current_parent)
            .is_none_or(|current_parent| {
                other
                    .parent_created
                    .is_none_or(|made| made == current_parent)
            });
        is_available(other) && is_named && is_same && (taken, other.id.clone()) > of_copy
    };
    let newer = manual(world, job).filter(is_newer).count();
    let wanted = if is_available(copy) {
        retained(job).max(1)
    } else {
        1
    };
    (newer < wanted).then(|| format!("{newer} newer ones are available, and {wanted} have to be"))
}
