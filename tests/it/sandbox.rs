//! The sandbox behaves as AWS is known to.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests, too"
)]

use std::sync::Arc;
use std::time::Duration;

use aws_xregion_sync::model::Tags;
use aws_xregion_sync::model::action::{CopyImage, CopySnapshot, ExpectedSource, Tag};
use aws_xregion_sync::model::client_config::{ClientConfig, Place};
use aws_xregion_sync::model::id::{
    AccountId, ActionId, DbInstance, ImageId, Region, SnapshotArn, SnapshotId,
};
use aws_xregion_sync::model::inventory::{Image, Looked, Snapshot};
use aws_xregion_sync::model::provider_error::{ErrorKind, ProviderError};
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{
    DEFAULT_ACCOUNT, Sandbox, World, WorldDatabase, WorldImage, WorldSnapshot,
};
use jiff::Timestamp;

mod calls;
mod ec2;
mod file;
mod fitting;
mod images;
mod rds;

const MINUTE: Duration = Duration::from_secs(60);

fn east() -> Region {
    Region::from("us-east-1")
}

fn west() -> Region {
    Region::from("us-west-1")
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn account() -> AccountId {
    AccountId::from(DEFAULT_ACCOUNT)
}

fn at(region: Region) -> Place {
    Place {
        credentials: Arc::new(ClientConfig::default()),
        region,
    }
}

fn at_as(account: &str, region: Region) -> Place {
    let config = ClientConfig {
        account_id: Some(AccountId::from(account)),
        ..ClientConfig::default()
    };
    Place {
        credentials: Arc::new(config),
        region,
    }
}

/// Runs a future to its end, on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Both regions, an image and a database with three automated snapshots in the east.
fn world() -> World {
    let mut world = World::new(time("2026-01-15T06:00:00Z"));
    world
        .add_region(&west())
        .kms_keys
        .push("1234abcd-12ab-34cd-56ef-1234567890ab".to_owned());
    let image = WorldImage::new(
        "ami-0123456789abcdef0",
        &account(),
        "web",
        time("2026-01-14T12:00:00Z"),
    );
    world.add_image(&east(), image.tag("Role", "web"));
    world.add_database(
        &east(),
        WorldDatabase::new("mydb", &account(), time("2024-01-01T00:00:00Z")),
    );
    for day in 12..=14 {
        world.add_automated_snapshot(
            &east(),
            &DbInstance::from("mydb"),
            time(&format!("2026-01-{day}T05:10:33.417Z")),
        );
    }
    world
}

fn copy_of_image(id: &str) -> CopyImage {
    CopyImage {
        id: ActionId::from("sync_web/copy"),
        reason: "not copied yet".to_owned(),
        source_image_id: ImageId::from(id),
        source_region: east(),
        name: "web".to_owned(),
        description: String::new(),
        tags: tags(&[("Role", "web")]),
        sync_tag: tag(
            "Sync-From-us-east-1",
            &format!("20260114120000+0000 / {id}"),
        ),
        kms_key_id: None,
        size_gib: None,
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: time("2026-01-14T12:00:00Z"),
        },
    }
}

fn the_image() -> CopyImage {
    copy_of_image("ami-0123456789abcdef0")
}

fn arn(id: &str) -> SnapshotArn {
    SnapshotArn::from(format!(
        "arn:aws:rds:us-east-1:{DEFAULT_ACCOUNT}:snapshot:{id}"
    ))
}

fn copy_of_snapshot(id: &str) -> CopySnapshot {
    CopySnapshot {
        id: ActionId::from("sync_db/copy"),
        reason: "not copied yet".to_owned(),
        db_instance: DbInstance::from("mydb"),
        source_snapshot_id: SnapshotId::from(id),
        source_snapshot_arn: arn(id),
        source_region: east(),
        target_snapshot_id: SnapshotId::from(id.replace(':', "-")),
        tags: tags(&[("Owner", "dba")]),
        sync_tag: tag(
            "Sync-From-us-east-1",
            &format!("20260114051033+0000 / {id}"),
        ),
        kms_key_id: None,
        option_group_name: None,
        size_gib: None,
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: time("2026-01-14T05:10:33Z"),
        },
    }
}

fn the_snapshot() -> CopySnapshot {
    copy_of_snapshot("rds:mydb-2026-01-14-05-10")
}

fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// The error, which must be of this code and kind.
fn refused<T: std::fmt::Debug>(answer: Looked<T>, code: &str, kind: ErrorKind) -> ProviderError {
    let error = answer.expect_err("an error");
    assert_eq!((error.code.as_str(), error.kind), (code, kind), "{error}");
    error
}

/// The one image of that id.
fn image(sandbox: &Sandbox, region: Region, id: &ImageId) -> Image {
    let images = wait(sandbox.images(&at(region), std::slice::from_ref(id))).expect("images");
    let [image] = images.try_into().expect("one image");
    image
}

/// The one manual snapshot of that identifier.
fn snapshot(sandbox: &Sandbox, region: Region, id: &SnapshotId) -> Snapshot {
    let snapshots =
        wait(sandbox.snapshots(&at(region), std::slice::from_ref(id))).expect("snapshots");
    let [snapshot] = snapshots.try_into().expect("one snapshot");
    snapshot
}

/// The stored snapshot of that identifier, for changing it by hand.
fn stored<'a>(world: &'a mut World, region: &Region, id: &str) -> &'a mut WorldSnapshot {
    world
        .snapshot_mut(region, &SnapshotId::from(id))
        .expect("it is there")
}
