//! What changes the world besides xrs and people: time, AWS itself, and the owners of the sources.

use aws_xregion_sync::provider::sandbox::{Quotas, automated_id};
use jiff::{SignedDuration, Timestamp};

use super::older_copies;
use super::random::Random;
use super::setup::{Database, Setup, regions};
use crate::support::prelude::*;

/// Adds the contents of a new world: sources of the last days, and copies from various makers.
pub fn furnish(random: &mut Random, setup: &Setup, world: &mut World) {
    for database in &setup.databases {
        for day in (0..random.within(0, 4)).rev() {
            let taken = world.now
                - SignedDuration::from_hours(24 * day)
                - SignedDuration::from_secs(random.within(0, 7000));
            take_snapshot(world, database, taken);
        }
    }
    for (region, identifier, account) in &setup.images {
        if random.chance(90) {
            new_image(random, world, region, identifier, account);
        }
    }
    for job in &setup.jobs {
        for _ in 0..random.below(5) {
            older_copies::add(random, job, world);
        }
    }
}

/// Takes an automated snapshot, unless there is one from that minute.
pub fn take_snapshot(
    world: &mut World,
    database: &Database,
    taken: Timestamp,
) -> Option<ArtifactId> {
    let id = automated_id(&database.id, taken);
    let made = database.find(world)?;
    let mut snapshot = WorldArtifact::snapshot(made, id.as_str(), SnapshotType::Automated, taken);
    let here = world.region_mut(&database.region)?;
    let here = here.artifacts_mut(database.kind);
    let own = |s: &WorldArtifact| s.id == id && s.account == database.account;
    if here.iter().any(own) {
        return None;
    }
    for (key, value) in [
        ("Name", "db"),
        ("aws:origin", "x"),
        ("Sync-eu-west-2", "old"),
    ] {
        snapshot.tags.insert(key.to_owned(), value.to_owned());
    }
    here.push(snapshot);
    Some(id)
}

fn new_image(
    random: &mut Random,
    world: &mut World,
    region: &Region,
    identifier: &str,
    account: &AccountId,
) -> String {
    let id = world.new_image_id();
    let name = format!("{identifier} of {}", world.now.strftime("%Y-%m-%d %H.%M"));
    let mut image = WorldArtifact::image(id.as_str(), account, &name, world.now)
        .tag("Sync-Identifier", identifier)
        .tag("aws:origin", "x")
        .tag("Role", "web");
    image.encrypted = random.chance(20);
    if random.chance(10) {
        image.state = ArtifactState::from("pending");
    }
    world.add_image(region, image);
    id.to_string()
}

/// What happened: its name, and a line for the report.
type Event = (&'static str, String);

/// Makes one event happen to AWS or to the sources.
pub fn life(random: &mut Random, setup: &Setup, world: &mut World) -> Event {
    let event = match random.weighted(&[30, 12, 4, 4, 8, 5, 4, 6, 7, 4]) {
        0 => backup(random, setup, world),
        1 => expire(random, setup, world),
        2 => database_recreated(random, setup, world),
        3 => backup_in_progress(random, setup, world),
        4 => image_replaced(random, setup, world),
        5 => image_ready(world),
        6 => {
            world.copy_seconds = match random.below(4) {
                0 => 90,
                1 => 100_000,
                _ => u64::try_from(random.within(300, 20_000)).expect("a length"),
            };
            let description = format!("copies take {} s", world.copy_seconds);
            Some(("copies take another time", description))
        }
        7 => {
            let region = random.pick(&regions()).cloned().expect("a region");
            let description = format!("the next copy into {region} will fail");
            let reason = "Client.InternalError: it broke".to_owned();
            world.fail_next_copies.push(FailNextCopy { region, reason });
            Some(("a copy is going to fail", description))
        }
        8 => {
            let quotas = &mut world.quotas;
            quotas.snapshot_copies_in_flight = [1, 1, 20][random.below(3)];
            quotas.cluster_snapshot_copies_in_flight = [1, 1, 5][random.below(3)];
            quotas.image_copies_in_flight = [1, 1, 100][random.below(3)];
            quotas.manual_snapshots = [4, 7, 100][random.below(3)];
            quotas.manual_cluster_snapshots = [4, 7, 100][random.below(3)];
            Some(("limits change", format!("limits are {quotas:?}")))
        }
        _ => database_renamed(random, setup, world),
    };
    event.unwrap_or(("nothing", String::new()))
}

/// Advances the clock, sometimes with an automated snapshot of each database.
pub fn pass_time(random: &mut Random, setup: &Setup, world: &mut World) -> Event {
    let (what, seconds) = match random.below(4) {
        0 => ("seconds pass", random.within(1, 119)),
        1 => ("minutes pass", random.within(2, 119) * 60),
        2 => ("hours pass", random.within(2, 30) * 3600),
        _ => ("days pass", random.within(2, 9) * 86_400),
    };
    world.advance(SignedDuration::from_secs(seconds));
    if seconds > 600 {
        end_deletions(world);
    }
    if seconds > 20_000 && random.chance(70) {
        for database in &setup.databases {
            let taken = world.now - SignedDuration::from_secs(random.within(0, 3000));
            take_snapshot(world, database, taken);
        }
    }
    (what, format!("{seconds} s pass"))
}

fn backup(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let database = random.pick(&setup.databases)?;
    let taken = world.now - SignedDuration::from_secs(random.within(0, 50));
    let id = take_snapshot(world, database, taken)?;
    let description = format!("{} {id} is taken in {}", database.kind, database.region);
    Some(("an automated snapshot is taken", description))
}

/// Returns a random region, and the kind of the snapshots of a random database.
fn place(random: &mut Random, setup: &Setup) -> Option<(Region, Kind)> {
    let region = random.pick(&regions()).cloned()?;
    Some((region, random.pick(&setup.databases)?.kind))
}

fn is_automated(snapshot: &WorldArtifact) -> bool {
    snapshot.snapshot_type == SnapshotType::Automated
}

fn backup_in_progress(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let (region, kind) = place(random, setup)?;
    let here = world.region_mut(&region)?.artifacts_mut(kind);
    // Only the newest can be in progress, and the next call finishes it. Of several with the same time, it is the last.
    let automated = here.iter_mut().filter(|s| is_automated(s));
    let newest = automated.max_by_key(|s| s.data_time)?;
    let is_available = newest.state.is_available();
    newest.state = ArtifactState::from(if is_available {
        "creating"
    } else {
        "available"
    });
    let description = format!("{kind} {} is {}", newest.id, newest.state);
    Some(("an automated snapshot is in progress", description))
}

fn expire(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let (region, kind) = place(random, setup)?;
    let here = world.region_mut(&region)?.artifacts_mut(kind);
    let automated = here.iter().enumerate().filter(|(_, s)| is_automated(s));
    let (oldest, _) = automated.min_by_key(|(_, s)| s.data_time)?;
    let gone = here.remove(oldest);
    let description = format!("{kind} {} expires in {region}", gone.id);
    Some(("an automated snapshot expires", description))
}

/// Deletes a database with its automated snapshots, and recreates it under its name.
fn database_recreated(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let database = random.pick(&setup.databases)?;
    let now = world.now;
    let gone = remove_snapshots(database, world)?;
    let last = gone.iter().filter_map(|s| s.created).max();
    set_created(database, world, now)?;
    // Identifiers contain the minute, and two databases of the same name may have had snapshots in the same minute.
    let same_minute = last.map(|last| last + SignedDuration::from_secs(7));
    let taken = same_minute.filter(|_| random.chance(40)).unwrap_or(now);
    let taken = take_snapshot(world, database, taken);
    let description = format!("{database:?} is recreated, first snapshot {taken:?}");
    Some(("a database is recreated", description))
}

/// Removes the automated snapshots of a database, and returns them.
fn remove_snapshots(database: &Database, world: &mut World) -> Option<Vec<WorldArtifact>> {
    let here = world.region_mut(&database.region)?;
    let here = here.artifacts_mut(database.kind);
    Some(here.extract_if(.., |s| database.has(s)).collect())
}

fn set_created(database: &Database, world: &mut World, created: Timestamp) -> Option<()> {
    let here = world.region_mut(&database.region)?;
    let mut all = match database.kind {
        Kind::DbClusterSnapshot => here.clusters.iter_mut(),
        _ => here.databases.iter_mut(),
    };
    let is_it = |it: &&mut WorldDatabase| it.id == database.id && it.account == database.account;
    all.find(is_it)?.created = created;
    Some(())
}

/// Gives the name of a database to another one, which was restored a while ago. Its snapshots may be older than the copies of the
/// first one.
fn database_renamed(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let database = random.pick(&setup.databases)?;
    let now = world.now;
    remove_snapshots(database, world)?;
    let created = now - SignedDuration::from_hours(random.within(300, 20_000));
    set_created(database, world, created)?;
    let taken = now - SignedDuration::from_hours(random.within(1, 200));
    let taken = take_snapshot(world, database, taken);
    let description = format!("another database becomes {database:?}, snapshot {taken:?}");
    Some(("another database gets the name", description))
}

fn image_replaced(random: &mut Random, setup: &Setup, world: &mut World) -> Option<Event> {
    let (region, identifier, account) = random.pick(&setup.images)?;
    let how = random.below(3);
    let here = world.region_mut(region).expect("a region");
    let old = |image: &WorldArtifact| {
        image.account == *account
            && image.tags.get("Sync-Identifier") == Some(identifier)
            && !image.tags.keys().any(|key| key.starts_with("Sync-From-"))
    };
    match how {
        0 => here.images.retain(|image| !old(image)),
        1 => {
            for image in here.images.iter_mut().filter(|image| old(image)) {
                image.state = ArtifactState::from("deregistered");
            }
        }
        _ => {}
    }
    let id = new_image(random, world, region, identifier, account);
    let old = ["removed", "deregistered", "left"][how];
    let description = format!("{id} is made in {region} for {identifier}, older ones are {old}");
    Some(("an image is replaced", description))
}

/// Makes all source images available.
fn image_ready(world: &mut World) -> Option<Event> {
    let mut ready = Vec::new();
    for region in world.regions_mut() {
        for image in &mut region.images {
            if image.state.as_str() == "pending" && image.copied_from.is_none() {
                image.state = ArtifactState::available();
                ready.push(image.id.to_string());
            }
        }
    }
    let description = format!("{ready:?} become available");
    (!ready.is_empty()).then_some(("a source image becomes available", description))
}

/// Returns the snapshots of each region and kind.
fn all_snapshots(world: &mut World) -> impl Iterator<Item = &mut Vec<WorldArtifact>> {
    let regions = world.regions_mut();
    regions.flat_map(|region| [&mut region.snapshots, &mut region.cluster_snapshots])
}

/// Removes what is being deleted.
fn end_deletions(world: &mut World) {
    for snapshots in all_snapshots(world) {
        snapshots.retain(|snapshot| snapshot.state.as_str() != "deleting");
    }
}

/// Ends AWS's faults: everything in progress finishes, limits are high, and nothing fails any more.
pub fn calm_down(world: &mut World) {
    world.fail_next_copies.clear();
    world.quotas = Quotas {
        image_copies_in_flight: 100,
        snapshot_copies_in_flight: 100,
        manual_snapshots: 1000,
        cluster_snapshot_copies_in_flight: 100,
        manual_cluster_snapshots: 1000,
    };
    let _ready = image_ready(world);
    end_deletions(world);
    for snapshot in all_snapshots(world).flatten() {
        if is_automated(snapshot) {
            snapshot.state = ArtifactState::available();
        }
    }
    // Whatever is kept for a time only has been kept for longer: no rule about age changes anything from here on.
    world.advance(SignedDuration::from_hours(24 * 5));
    world.copy_seconds = 3000;
    finish_copies(world);
}

/// Waits until no copy is in progress.
pub fn finish_copies(world: &mut World) {
    let until = world.regions.values().flat_map(|region| {
        let kinds = Kind::ALL.into_iter();
        let artifacts = kinds.flat_map(|kind| region.artifacts(kind));
        artifacts.filter_map(|artifact| artifact.copying.as_ref())
    });
    if let Some(last) = until.map(|copying| copying.until).max() {
        let wait = last.duration_since(world.now).max(SignedDuration::ZERO);
        world.advance(wait + SignedDuration::from_secs(1));
    }
}
