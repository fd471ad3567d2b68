//! The sandbox behaves like AWS.

#![expect(clippy::expect_used, reason = "helpers of tests are tests, too")]

use std::sync::Arc;
use std::time::Duration;

use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::provider::sandbox::DEFAULT_ACCOUNT;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::prelude::*;
use crate::support::{block_on as wait, east, rows, time, west};

mod calls;
mod ec2;
mod example;
mod file;
mod images;
mod rds;

const MINUTE: Duration = Duration::from_secs(60);
const OTHER_ACCOUNT: &str = "432143214321";
const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const IMAGE: &str = "ami-0123456789abcdef0";
const SNAPSHOT: &str = "rds:mydb-2026-01-14-05-10";

fn account() -> AccountId {
    AccountId::from(DEFAULT_ACCOUNT)
}

fn other_account() -> AccountId {
    AccountId::from(OTHER_ACCOUNT)
}

fn at(region: Region) -> Location {
    at_with(ClientConfig::default(), region)
}

fn at_as(account: &str, region: Region) -> Location {
    let account_id = Some(AccountId::from(account));
    let config = ClientConfig {
        account_id,
        ..ClientConfig::default()
    };
    at_with(config, region)
}

fn at_with(config: ClientConfig, region: Region) -> Location {
    Location {
        credentials: Arc::new(config),
        region,
    }
}

/// Both regions, an image and a database with three automated snapshots in the east.
fn world() -> World {
    let mut world = World::new(time("2026-01-15T06:00:00Z"));
    world.add_region(&west()).kms_keys.push(KEY.to_owned());
    world.add_image(&east(), an_image(IMAGE, "web").tag("Role", "web"));
    let created = time("2024-01-01T00:00:00Z");
    let database = WorldDatabase::new("mydb", &account(), created);
    for day in 12..=14 {
        let taken = time(&format!("2026-01-{day}T05:10:33.417Z"));
        world.add_snapshot(&east(), WorldArtifact::automated(&database, taken));
    }
    world.add_region(&east()).databases.push(database);
    world
}

fn an_image(id: &str, name: &str) -> WorldArtifact {
    WorldArtifact::image(id, &account(), name, time("2026-01-14T12:00:00Z"))
}

/// A copy of an image from the east.
fn copy_of_image(id: &str) -> Copy {
    let arn = Arn::of_image(&east(), &ArtifactId::from(id));
    let new = json!({"region": "us-west-1", "name": "web"});
    let value = format!("20260114120000+0000 / {id}");
    a_copy(Kind::Image, id, &arn, new, json!({"Role": "web"}), &value)
}

fn the_image() -> Copy {
    copy_of_image(IMAGE)
}

fn image_named(name: &str) -> Copy {
    changed(the_image(), |copy| copy.copy.name = Some(name.to_owned()))
}

fn arn(id: &str) -> Arn {
    arn_of(Kind::DbSnapshot, &east(), &account(), &ArtifactId::from(id))
}

/// A copy of a snapshot from the east.
fn copy_of_snapshot(id: &str) -> Copy {
    let new = json!({"region": "us-west-1", "id": id.replace(':', "-")});
    let value = format!("20260114051033+0000 / {id}");
    let tags = json!({"Owner": "dba"});
    a_copy(Kind::DbSnapshot, id, &arn(id), new, tags, &value)
}

fn the_snapshot() -> Copy {
    copy_of_snapshot(SNAPSHOT)
}

fn snapshot_named(id: &str) -> Copy {
    let id = Some(ArtifactId::from(id));
    changed(the_snapshot(), |copy| copy.copy.id = id)
}

fn a_copy(kind: Kind, id: &str, arn: &Arn, new: Value, tags: Value, sync_tag: &str) -> Copy {
    let copy = json!({
        "id": "sync_it/copy",
        "kind": kind,
        "reason": "not copied yet",
        "source": a_ref(id, arn),
        "copy": new,
        "tags": tags,
        "sync_tag": {"key": "Sync-From-us-east-1", "value": sync_tag},
        "expects": {"state": "available", "data_time": "2026-01-14T05:10:33Z"},
    });
    serde_json::from_value(copy).expect("a copy")
}

fn a_ref(id: &str, arn: &Arn) -> ArtifactRef {
    ArtifactRef {
        region: east(),
        id: ArtifactId::from(id),
        arn: arn.clone(),
        parent: None,
    }
}

/// Returns the error, which must have this code and class.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Answer<T>, code: &str, class: ErrorClass) -> ProviderError {
    let error = answer.expect_err("an error");
    assert_eq!((error.code.as_str(), error.class), (code, class), "{error}");
    error
}

/// Returns the error, which must be about an invalid value.
#[track_caller]
fn wrong_value<T: std::fmt::Debug>(answer: Answer<T>) -> ProviderError {
    refused(answer, "InvalidParameterValue", ErrorClass::Invalid)
}

/// Returns a copy request with this change.
fn changed(mut copy: Copy, change: impl FnOnce(&mut Copy)) -> Copy {
    change(&mut copy);
    copy
}

fn copy(sandbox: &Sandbox, copy: &Copy, token: &str) -> Answer<ArtifactId> {
    wait(sandbox.copy(&at(west()), copy, Some(token)))
}

fn images(sandbox: &Sandbox, region: Region, query: &Query) -> Answer<Vec<Artifact>> {
    wait(sandbox.find(&at(region), Kind::Image, query))
}

fn snapshots(sandbox: &Sandbox, region: Region, query: &Query) -> Answer<Vec<Artifact>> {
    wait(sandbox.find(&at(region), Kind::DbSnapshot, query))
}

fn automated(parents: &[&str]) -> Query {
    Query::Automated(parents.iter().map(|id| ParentId::from(*id)).collect())
}

fn manual(parents: &[&str]) -> Query {
    Query::Manual(parents.iter().map(|id| ParentId::from(*id)).collect())
}

fn by_ids(ids: &[&str]) -> Query {
    Query::ByIds(ids.iter().map(|id| ArtifactId::from(*id)).collect())
}

fn copies_of(ids: &[&str]) -> Query {
    Query::CopiesOf {
        region: east(),
        ids: ids.iter().map(|id| ArtifactId::from(*id)).collect(),
    }
}

/// Returns the ids in order.
fn ids(found: Answer<Vec<Artifact>>) -> Vec<String> {
    let found = found.expect("an answer").into_iter();
    let mut ids: Vec<String> = found.map(|artifact| artifact.id.to_string()).collect();
    ids.sort();
    ids
}

/// Returns the only image with that id.
fn image(sandbox: &Sandbox, region: Region, id: &ArtifactId) -> Artifact {
    let found = images(sandbox, region, &Query::ByIds(vec![id.clone()]));
    let [image] = found.expect("images").try_into().expect("one image");
    image
}

/// Returns the only manual snapshot with that id.
fn snapshot(sandbox: &Sandbox, region: Region, id: &ArtifactId) -> Artifact {
    let found = snapshots(sandbox, region, &Query::ByIds(vec![id.clone()]));
    let [snapshot] = found.expect("snapshots").try_into().expect("one snapshot");
    snapshot
}

/// Returns a stored snapshot of the east, to be changed by hand.
fn stored<'a>(world: &'a mut World, id: &str) -> &'a mut WorldArtifact {
    let found = world.snapshot_mut(&east(), &ArtifactId::from(id));
    found.expect("it is there")
}
