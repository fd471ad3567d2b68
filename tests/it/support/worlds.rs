//! Worlds that tests start from, and what is found in them.

use std::ops::Range;

use aws_xregion_sync::provider::sandbox::WorldRegion;
use jiff::{SignedDuration, Timestamp};

use super::*;

/// The time at which test worlds begin.
pub fn start() -> Timestamp {
    time("2026-01-15T06:00:00Z")
}

/// Returns the time this number of days before the start, at 05:10, when automated snapshots are taken.
pub fn days_ago(days: i64) -> Timestamp {
    time("2026-01-15T05:10:00Z") - SignedDuration::from_hours(24 * days)
}

/// Returns a world with both regions and nothing in them.
pub fn empty_world() -> World {
    let mut world = World::new(start());
    world.add_region(&east());
    world.add_region(&west());
    world
}

pub fn source(world: &mut World) -> &mut WorldRegion {
    world.region_mut(&east()).expect("the source")
}

pub fn destination(world: &mut World) -> &mut WorldRegion {
    world.region_mut(&west()).expect("the destination")
}

/// Returns a manual snapshot of the destination.
pub fn copy_mut<'a>(world: &'a mut World, id: &ArtifactId) -> &'a mut WorldArtifact {
    world.snapshot_mut(&west(), id).expect("the copy")
}

/// Returns an image of the source.
pub fn image_mut<'a>(world: &'a mut World, id: &str) -> &'a mut WorldArtifact {
    world.image_mut(&east(), &id.into()).expect("the image")
}

/// Returns the same fault, in one region only.
pub fn in_region(region: &Region, mut fault: Fault) -> Fault {
    fault.region = Some(region.clone());
    fault
}

/// Returns databases, each with a snapshot from today and copies from these days before, and with a job that keeps two copies
/// besides the one being made.
pub fn databases(number: usize, days: Range<i64>) -> (World, Vec<SyncJob>) {
    let mut world = empty_world();
    world.quotas.manual_snapshots = 10 * number;
    let jobs = (0..number).map(|n| {
        let name = format!("db{n}");
        add_automated(&mut world, &name, days_ago(0));
        for day in days.clone() {
            add_our_copy(&mut world, &name, days_ago(day));
        }
        snapshot_job(&format!("sync_{name}"), &name, 2)
    });
    let jobs = jobs.collect();
    (world, jobs)
}

/// Adds images, each with a job.
pub fn add_images(world: &mut World, number: usize) -> Vec<SyncJob> {
    let jobs = (0..number).map(|n| {
        let name = format!("app {n}");
        add_image(world, &format!("ami-{n:017x}"), &name, &name);
        ami_job(&format!("sync_app{n}"), &name)
    });
    jobs.collect()
}

pub fn add_image(world: &mut World, id: &str, name: &str, identifier: &str) -> ArtifactId {
    let owner = world.default_account();
    let image =
        WorldArtifact::image(id, &owner, name, days_ago(1)).tag("Sync-Identifier", identifier);
    world.add_image(&east(), image)
}

/// Returns a job that keeps this number of copies of images besides the one being made.
pub fn retaining_job(retain: u32) -> SyncJob {
    let mut job = ami_job("sync_web", "Web");
    change_ami(&mut job, |ami| ami.max_images_to_retain = Some(retain));
    job
}

/// Returns a copy, as xrs makes it, of an image that was made this number of days ago. Its id contains that number: `ami-c03`.
pub fn image_copy(world: &World, day: i64) -> WorldArtifact {
    let (made, source) = (days_ago(day), ArtifactId::from(format!("ami-{day:02}")));
    let value = format!("{}+0000 / {source}", made.strftime("%Y%m%d%H%M%S"));
    let id = format!("ami-c{day:02}");
    let mut copy = WorldArtifact::image(&id, &world.default_account(), "web", made)
        .tag("Sync-Identifier", "Web")
        .tag("Sync-From-us-east-1", &value);
    copy.copied_from = Some(Arn::of_image(&east(), &source));
    copy
}

/// Returns a world with today's image, and with copies of the images that were made this many days ago. Only today's image still
/// exists.
pub fn copied_images(days: Range<i64>) -> World {
    let mut world = empty_world();
    add_image(&mut world, "ami-00", "web", "Web");
    image_mut(&mut world, "ami-00").created = Some(days_ago(0));
    for day in days {
        let copy = image_copy(&world, day);
        world.add_image(&west(), copy);
    }
    world
}

/// Returns an image of the destination.
pub fn copied_image_mut<'a>(world: &'a mut World, id: &str) -> &'a mut WorldArtifact {
    world.image_mut(&west(), &id.into()).expect("the copy")
}

/// Returns the ids of the images in the destination, in order.
pub fn copied_image_ids(sandbox: &Sandbox) -> Vec<String> {
    let images = images_in_destination(sandbox).into_iter();
    images.map(|image| image.id.to_string()).collect()
}

/// Adds an image and its copy as the gem left them: with a tag on the source, but none on the copy.
pub fn add_image_of_gem(world: &mut World, identifier: &str) {
    add_image(world, "ami-0a", "web", identifier);
    let owner = world.default_account();
    let bare = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0));
    world.add_image(&west(), bare);
    let tag = "20260115051000+0000 / ami-0b";
    image_mut(world, "ami-0a")
        .tags
        .insert("Sync-us-west-1", tag);
}

/// Returns a database of the source region. Adds it, with an age of one year, if it does not exist.
pub fn database(world: &mut World, name: &str) -> WorldDatabase {
    let account = world.default_account();
    let here = world.add_region(&east());
    if let Some(found) = here
        .databases
        .iter()
        .find(|database| database.id.as_str() == name)
    {
        return found.clone();
    }
    let made = WorldDatabase::new(name, &account, days_ago(365));
    here.databases.push(made.clone());
    made
}

pub fn add_automated(world: &mut World, name: &str, taken: Timestamp) -> ArtifactId {
    let database = database(world, name);
    world.add_snapshot(&east(), WorldArtifact::automated(&database, taken))
}

/// Returns a copy for the destination as xrs and the gem leave it.
pub fn our_copy(world: &mut World, name: &str, taken: Timestamp) -> WorldArtifact {
    let database = database(world, name);
    let source = format!("rds:{name}-{}", taken.strftime("%Y-%m-%d-%H-%M"));
    let value = format!("{}+0000 / {source}", taken.strftime("%Y%m%d%H%M%S"));
    let arn = arn_of(
        Kind::DbSnapshot,
        &east(),
        &database.account,
        &ArtifactId::from(source.as_str()),
    );
    let mut copy = WorldArtifact::snapshot(
        &database,
        &source.replace(':', "-"),
        SnapshotType::Manual,
        taken,
    )
    .tag("Sync-From-us-east-1", &value);
    copy.created = Some(taken + SignedDuration::from_mins(40));
    copy.copied_from = Some(arn);
    copy
}

/// Records on a source which copy it has, as xrs and the gem do.
pub fn name_copy(world: &mut World, source: &ArtifactId, taken: Timestamp, copy: &ArtifactId) {
    let value = format!("{}+0000 / {copy}", taken.strftime("%Y%m%d%H%M%S"));
    let source = world.snapshot_mut(&east(), source).expect("the source");
    source.tags.insert("Sync-us-west-1", value);
}

/// Adds a copy without a sync tag that today's source names: the gem was stopped before it wrote the tag.
pub fn add_copy_of_the_gem(world: &mut World, name: &str) -> ArtifactId {
    let mut copy = our_copy(world, name, days_ago(0));
    copy.tags.clear();
    let copy = world.add_snapshot(&west(), copy);
    let source = ArtifactId::from(format!("rds:{name}-2026-01-15-05-10"));
    name_copy(world, &source, days_ago(0), &copy);
    copy
}

pub fn add_our_copy(world: &mut World, name: &str, taken: Timestamp) -> ArtifactId {
    let copy = our_copy(world, name, taken);
    world.add_snapshot(&west(), copy)
}

pub fn fail_next_copy(world: &mut World) {
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "internal error".to_owned(),
    });
}

/// Returns the manual snapshots of a database in the destination.
pub fn copies_of(world: &World, name: &str) -> Vec<WorldArtifact> {
    let is_copy = |s: &&WorldArtifact| {
        let parent = s.parent.as_ref().map(ParentId::as_str);
        parent == Some(name) && s.snapshot_type == SnapshotType::Manual
    };
    let here = world.region(&west()).expect("the destination");
    let snapshots = here.snapshots.iter().chain(&here.cluster_snapshots);
    snapshots.filter(is_copy).cloned().collect()
}

/// Advances the clock until all copies in progress are done.
pub fn wait_for_copies(sandbox: &Sandbox) {
    sandbox.edit(|world| {
        let length = i64::try_from(world.copy_seconds).expect("a length");
        world.advance(SignedDuration::from_secs(length + 1));
    });
}

/// No artifact.
pub const NONE: [ArtifactId; 0] = [];

/// Returns one job of each type with something to copy, and old copies to delete.
pub fn both_types() -> (Sandbox, Vec<SyncJob>) {
    let mut world = copied("mydatabase", 1..5);
    add_image(&mut world, "ami-0a", "web", "Web Application");
    let jobs = vec![
        ami_job("sync_my_web_app", "Web Application"),
        snapshot_job("sync_my_database", "mydatabase", 2),
    ];
    (Sandbox::new(world), jobs)
}

/// Returns a job for one image.
pub fn one_image() -> (Sandbox, [SyncJob; 1]) {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web");
    (Sandbox::new(world), [ami_job("sync_web", "Web")])
}

/// Returns a job for the database `db` that keeps two copies besides the one being made.
pub fn database_job() -> [SyncJob; 1] {
    [snapshot_job("sync_db", "db", 2)]
}

/// Returns a world with a database, a snapshot from today, and copies of the snapshots of these days before.
pub fn copied(database: &str, days: Range<i64>) -> World {
    let mut world = empty_world();
    add_automated(&mut world, database, days_ago(0));
    for day in days {
        add_our_copy(&mut world, database, days_ago(day));
    }
    world
}

/// Returns the images in the destination, ordered by id.
pub fn images_in_destination(sandbox: &Sandbox) -> Vec<WorldArtifact> {
    let world = sandbox.world();
    let mut images = world
        .region(&west())
        .expect("the destination")
        .images
        .clone();
    images.sort_by_key(|image| image.id.clone());
    images
}

/// Returns the calls that tried to write, in order.
pub fn writes(sandbox: &Sandbox) -> Vec<String> {
    let calls = sandbox.calls().into_iter();
    let writes = calls.filter(|call| call.write);
    writes.map(|call| call.call.to_owned()).collect()
}

/// Returns the number of writes that succeeded.
pub fn written(sandbox: &Sandbox) -> usize {
    let calls = sandbox.calls().into_iter();
    calls
        .filter(|call| call.write && call.error.is_none())
        .count()
}

/// Returns the same world with DB clusters in place of DB instances, and with snapshots, ARNs and quotas to match.
pub fn with_clusters(mut world: World) -> World {
    let quotas = &mut world.quotas;
    quotas.manual_cluster_snapshots = quotas.manual_snapshots;
    for region in world.regions_mut() {
        region.clusters.append(&mut region.databases);
        for mut snapshot in region.snapshots.drain(..) {
            let arn = snapshot
                .copied_from
                .map(|arn| arn.as_str().replace(":snapshot:", ":cluster-snapshot:"));
            snapshot.copied_from = arn.map(Arn::from);
            region.cluster_snapshots.push(snapshot);
        }
    }
    world
}
