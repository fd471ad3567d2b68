//! Worlds and jobs that the tests of laws and of applying start from, and what was written.

use std::ops::Range;

use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::provider::sandbox::{Sandbox, World, WorldArtifact};
use aws_xregion_sync::sync_types::SyncJob;
use proptest::prelude::ProptestConfig;

use crate::support::*;

/// No artifact.
pub const NONE: [ArtifactId; 0] = [];

/// Returns this number of random cases, or more where PROPTEST_CASES asks for more.
pub fn cases(number: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: number.max(usual.cases),
        failure_persistence: None,
        ..usual
    }
}

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

/// Returns a job for the database `db` that keeps two copies beside the one being made.
pub fn database_job() -> [SyncJob; 1] {
    [snapshot_job("sync_db", "db", 2)]
}

/// Returns a world with a database, one snapshot of today, and copies of the snapshots of these days before.
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

/// Returns the calls that were to write, in order.
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
