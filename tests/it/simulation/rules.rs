//! What DESIGN says of copies and of retention, said a second time, naively, about the world itself. Nothing of the
//! planner, the executor or the lineage rules is used here.

use std::collections::BTreeSet;

use aws_xregion_sync::model::artifact::ArtifactState;
use aws_xregion_sync::model::ids::{AccountId, Region};
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::sandbox::{SnapshotType, World, WorldArtifact};
use aws_xregion_sync::sync_types::SyncJob;
use jiff::Timestamp;

/// A job in the words of these rules.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    pub account: &'a AccountId,
    pub from: &'a Region,
    pub to: &'a Region,
}

/// The account that a job works in.
pub fn account_of(job: &SyncJob) -> AccountId {
    let stated = job.client_config.account_id.clone();
    stated.unwrap_or_else(|| AccountId::from("123456789012"))
}

pub fn retained(job: &SyncJob) -> usize {
    let retained = job.rules.retention().unwrap_or(0);
    usize::try_from(retained).expect("a small number")
}

pub fn seconds(time: Timestamp) -> i64 {
    time.as_second()
}

/// A sync tag as it has to be written.
pub fn tag_value(time: Timestamp, id: &str) -> String {
    format!("{} / {id}", time.strftime("%Y%m%d%H%M%S+0000"))
}

/// Time and id of a sync tag, if it can be read.
pub fn read_tag(tags: &Tags, key: &str) -> Option<(i64, String)> {
    let (time, id) = tags.get(key)?.split_once(" / ")?;
    let digits = time.strip_suffix("+0000")?;
    if digits.len() != 14 || id.is_empty() {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    );
    let time: Timestamp = text.parse().ok()?;
    Some((seconds(time), id.to_owned()))
}

fn is_failed(state: &ArtifactState) -> bool {
    ["failed", "error", "invalid"].contains(&state.as_str())
}

/// Failed, or on its way out.
pub fn is_dead(state: &ArtifactState) -> bool {
    is_failed(state) || ["deleting", "deleted", "deregistered"].contains(&state.as_str())
}

/// The snapshot that a snapshot was copied from, as AWS says or else its tag, and when the data was taken.
pub fn origin(copy: &WorldArtifact, from: &Region) -> Option<(String, Option<i64>)> {
    let tag = read_tag(&copy.tags, &format!("Sync-From-{from}"));
    let stated = copy.data_time.map(seconds);
    if let Some(arn) = &copy.copied_from {
        let parts: Vec<&str> = arn.as_str().splitn(7, ':').collect();
        if parts[3] != from.as_str() {
            return None;
        }
        return Some((parts[6].to_owned(), stated.or(tag.map(|tag| tag.0))));
    }
    let (time, id) = tag?;
    Some((id, stated.or(Some(time))))
}

/// The manual snapshots of a database in a destination.
pub fn manual<'a>(
    world: &'a World,
    route: Route<'a>,
    database: &'a str,
) -> impl Iterator<Item = &'a WorldArtifact> {
    let here = world.region(route.to).expect("a region");
    here.snapshots.iter().filter(move |snapshot| {
        snapshot.snapshot_type == SnapshotType::Manual
            && snapshot.account == *route.account
            && snapshot
                .parent
                .as_ref()
                .is_some_and(|parent| parent.as_str() == database)
    })
}

/// The newest available automated snapshot.
pub fn newest_automated<'a>(
    world: &'a World,
    route: Route<'a>,
    database: &str,
) -> Option<&'a WorldArtifact> {
    let here = world.region(route.from).expect("a region");
    here.snapshots
        .iter()
        .filter(|s| s.snapshot_type == SnapshotType::Automated && s.account == *route.account)
        .filter(|s| {
            s.parent
                .as_ref()
                .is_some_and(|parent| parent.as_str() == database)
                && s.state.as_str() == "available"
        })
        .max_by_key(|s| (s.data_time.map(seconds), s.id.clone()))
}

/// Whether a snapshot is a copy of this one, whatever its state.
pub fn is_copy(copy: &WorldArtifact, from: &Region, id: &str, taken: i64) -> bool {
    origin(copy, from)
        .is_some_and(|(source, time)| source == id && time.is_none_or(|time| time == taken))
}

/// Whether a copy makes another one of this source needless: it is one, or one of a later snapshot, and has not failed
/// nor is being deleted.
pub fn serves(copy: &WorldArtifact, from: &Region, id: &str, taken: i64) -> bool {
    let later = origin(copy, from)
        .and_then(|o| o.1)
        .is_some_and(|time| time > taken);
    !is_dead(&copy.state) && (later || is_copy(copy, from, id, taken))
}

/// Whether a name is one that a copy of this source is given: the older tool's, with the region, or numbered, too.
pub fn is_given_name(name: &str, source: &str, from: &Region) -> bool {
    let Some(rest) = name.strip_prefix(&source.replace(':', "-")) else {
        return false;
    };
    let rest = rest.strip_prefix(&format!("-{from}")).unwrap_or(rest);
    rest.is_empty()
        || name.contains(from.as_str())
            && rest
                .strip_prefix('-')
                .is_some_and(|n| n.parse::<u32>().is_ok())
}

/// Whether an image is a copy of this one, whatever its state.
pub fn is_image_copy(
    image: &WorldArtifact,
    from: &Region,
    source: &str,
    named: Option<&String>,
) -> bool {
    if let Some(stated) = &image.copied_from {
        return stated
            .as_str()
            .ends_with(&format!(":{from}::image/{source}"));
    }
    match read_tag(&image.tags, &format!("Sync-From-{from}")) {
        Some((_, id)) => id == source,
        None => named.is_some_and(|named| named == image.id.as_str()),
    }
}

/// The id in the tag by which a source image names its copy.
pub fn named_copy(world: &World, route: Route<'_>, source: &str) -> Option<String> {
    let image = world.image(route.from, &source.into())?;
    Some(read_tag(&image.tags, &format!("Sync-{}", route.to))?.1)
}

/// One's own images in a destination.
pub fn own_images<'a>(
    world: &'a World,
    route: Route<'a>,
) -> impl Iterator<Item = &'a WorldArtifact> {
    let here = world.region(route.to).expect("a region");
    here.images
        .iter()
        .filter(|image| image.account == *route.account)
}

/// Why a copy is none of those that xrs has made for this job, by its marks.
pub fn not_ours(copy: &WorldArtifact, from: &Region) -> Option<&'static str> {
    let Some((_, id)) = read_tag(&copy.tags, &format!("Sync-From-{from}")) else {
        return Some("it has no readable sync tag of this job");
    };
    let ours = match &copy.copied_from {
        Some(arn) => {
            let arn = arn.as_str();
            arn.contains(&format!(":rds:{from}:")) && arn.ends_with(&format!("snapshot:{id}"))
        }
        None => is_given_name(copy.id.as_str(), &id, from),
    };
    (!ours).then_some("it is a copy of something else")
}

/// Why a copy is none that xrs may delete, by its own marks and state.
pub fn not_deletable(copy: &WorldArtifact, from: &Region) -> Option<&'static str> {
    let kept = copy
        .tags
        .contains_key("Sync-Keep")
        .then_some("it is to be kept");
    let usual = ["available", "failed"].contains(&copy.state.as_str());
    let state = (!usual).then_some("it is neither available nor failed");
    not_ours(copy, from).or(kept).or(state)
}

/// The newest copy that has not failed, by whatever hand.
fn newest_copy<'a>(
    world: &'a World,
    route: Route<'a>,
    database: &'a str,
) -> Option<&'a WorldArtifact> {
    manual(world, route, database)
        .filter(|c| !is_dead(&c.state))
        .filter_map(|c| Some((origin(c, route.from)?.1, c)))
        .max_by_key(|(taken, c)| (*taken, c.id.clone()))
        .map(|(_, c)| c)
}

/// When the database that is there now was made, where AWS says: that of the copy being made, else of the newest, or,
/// where that does not say, of what it was copied from.
fn present_database(
    world: &World,
    route: Route<'_>,
    database: &str,
    source: &WorldArtifact,
    due: bool,
) -> Option<Timestamp> {
    let of_due = source.parent_created.filter(|_| due);
    of_due.or_else(|| {
        let newest = newest_copy(world, route, database)?;
        let taken = source.data_time.map_or(0, seconds);
        let of_source = is_copy(newest, route.from, source.id.as_str(), taken);
        newest
            .parent_created
            .or(source.parent_created.filter(|_| of_source))
    })
}

/// The copy of a snapshot that may be given the sync tag it lacks, if none of its copies has one: the first of them
/// that bears a name as xrs gives it.
pub fn to_be_tagged<'a>(
    world: &'a World,
    route: Route<'a>,
    database: &'a str,
    source: &WorldArtifact,
) -> Option<&'a WorldArtifact> {
    let key = format!("Sync-From-{}", route.from);
    let taken = source.data_time.map_or(0, seconds);
    let copies: Vec<&WorldArtifact> = manual(world, route, database)
        .filter(|c| !is_dead(&c.state) && is_copy(c, route.from, source.id.as_str(), taken))
        .collect();
    if copies.iter().any(|c| read_tag(&c.tags, &key).is_some()) {
        return None;
    }
    copies
        .into_iter()
        .filter(|c| is_given_name(c.id.as_str(), source.id.as_str(), route.from))
        .min_by_key(|c| c.id.clone())
}

/// The copies that retention counts, newest first, each with its age: ours, and the one that is about to be tagged.
/// Those of an earlier database of that name are left out.
fn counted<'a>(
    world: &'a World,
    route: Route<'a>,
    database: &'a str,
    source: &WorldArtifact,
    present: Option<Timestamp>,
) -> Vec<(i64, &'a WorldArtifact)> {
    let untagged = to_be_tagged(world, route, database, source).map(|copy| copy.id.clone());
    let mut counted: Vec<(i64, &WorldArtifact)> = manual(world, route, database)
        .filter(|copy| not_ours(copy, route.from).is_none() || Some(&copy.id) == untagged.as_ref())
        .filter(|copy| copy.parent_created.is_none() || copy.parent_created == present)
        .filter_map(|copy| Some((origin(copy, route.from)?.1?, copy)))
        .collect();
    counted.sort_by_key(|(taken, copy)| std::cmp::Reverse((*taken, copy.id.clone())));
    counted
}

fn is_available(copy: &WorldArtifact) -> bool {
    copy.state.as_str() == "available"
}

/// The copies that retention has to delete from this world, no more and no less. `due` is the source of a copy that
/// is made at the same time; `source` is the newest snapshot there is.
pub fn outlived(
    world: &World,
    route: Route<'_>,
    database: &str,
    retain: usize,
    source: &WorldArtifact,
    due: bool,
) -> BTreeSet<String> {
    let present = present_database(world, route, database, source, due);
    let counted = counted(world, route, database, source, present);
    let available: Vec<(i64, &WorldArtifact)> = counted
        .iter()
        .copied()
        .filter(|c| is_available(c.1))
        .collect();
    let Some((newest, _)) = available.first() else {
        return BTreeSet::new();
    };
    let in_progress = counted
        .iter()
        .any(|(taken, copy)| taken > newest && !is_available(copy) && !is_dead(&copy.state));
    let kept = if due || in_progress {
        retain.max(1)
    } else {
        retain + 1
    };
    let failed = counted
        .iter()
        .filter(|c| is_dead(&c.1.state) && c.0 < *newest);
    let outlived = available.iter().skip(kept).chain(failed);
    outlived
        .filter(|c| not_deletable(c.1, route.from).is_none())
        .map(|c| c.1.id.to_string())
        .collect()
}

/// Why a copy may not be deleted from this world, if it may not.
pub fn not_to_delete(
    world: &World,
    route: Route<'_>,
    database: &str,
    retain: usize,
    id: &str,
) -> Option<String> {
    let Some(copy) = manual(world, route, database).find(|copy| copy.id.as_str() == id) else {
        return Some("it is no copy of this database".to_owned());
    };
    if let Some(why) = not_deletable(copy, route.from) {
        return Some(why.to_owned());
    }
    let present = newest_copy(world, route, database).and_then(|newest| newest.parent_created);
    if copy
        .parent_created
        .is_some_and(|made| present.is_some_and(|present| made != present))
    {
        return Some("it is of an earlier database of that name".to_owned());
    }
    // What counted when it was planned, for it was to be tagged, counts whatever has become of its tag since.
    let key = format!("Sync-From-{}", route.from);
    let of_copy = (origin(copy, route.from)?.1?, copy.id.clone());
    let is_newer = |other: &&WorldArtifact| {
        let Some((id, Some(taken))) = origin(other, route.from) else {
            return false;
        };
        let named = read_tag(&other.tags, &key).is_some()
            || is_given_name(other.id.as_str(), &id, route.from);
        let same = copy
            .parent_created
            .and(present)
            .is_none_or(|present| other.parent_created.is_none_or(|made| made == present));
        is_available(other) && named && same && (taken, other.id.clone()) > of_copy
    };
    let newer = manual(world, route, database).filter(is_newer).count();
    let wanted = if is_available(copy) { retain.max(1) } else { 1 };
    (newer < wanted).then(|| format!("{newer} newer ones are available, and {wanted} have to be"))
}
