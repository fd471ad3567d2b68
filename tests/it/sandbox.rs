//! The sandbox behaves as AWS does.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests are tests, too"
)]

use std::sync::Arc;
use std::time::Duration;

use aws_xregion_sync::model::action::{Copy, ExpectedSource, NewCopy, Tag};
use aws_xregion_sync::model::artifact::{Artifact, ArtifactRef, ArtifactState};
use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::{AccountId, ActionId, Arn, ArtifactId, ParentId, Region};
use aws_xregion_sync::model::inventory::Answer;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::location::Location;
use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::sandbox::{
    DEFAULT_ACCOUNT, Sandbox, World, WorldArtifact, WorldDatabase, snapshot_arn,
};
use jiff::Timestamp;

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

/// Runs a future to its end, on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

/// Both regions, an image and a database with three automated snapshots in the east.
fn world() -> World {
    let mut world = World::new(time("2026-01-15T06:00:00Z"));
    world.add_region(&west()).kms_keys.push(KEY.to_owned());
    world.add_image(&east(), an_image(IMAGE, "web").tag("Role", "web"));
    let created = time("2024-01-01T00:00:00Z");
    world.add_database(&east(), WorldDatabase::new("mydb", &account(), created));
    for day in 12..=14 {
        let taken = time(&format!("2026-01-{day}T05:10:33.417Z"));
        world.add_automated_snapshot(&east(), &ParentId::from("mydb"), taken);
    }
    world
}

fn an_image(id: &str, name: &str) -> WorldArtifact {
    WorldArtifact::image(id, &account(), name, time("2026-01-14T12:00:00Z"))
}

/// A copy of an image from the east.
fn copy_of_image(id: &str) -> Copy {
    let id = ArtifactId::from(id);
    let arn = Arn::of_image(&east(), &id);
    let value = format!("20260114120000+0000 / {id}");
    Copy {
        kind: Kind::Image,
        source: a_ref(&id, arn, None),
        copy: NewCopy {
            name: Some("web".to_owned()),
            ..new_copy()
        },
        tags: Tags::from([("Role", "web")]),
        ..a_copy(value)
    }
}

fn the_image() -> Copy {
    copy_of_image(IMAGE)
}

fn image_named(name: &str) -> Copy {
    let mut copy = the_image();
    copy.copy.name = Some(name.to_owned());
    copy
}

fn arn(id: &str) -> Arn {
    snapshot_arn(&east(), &account(), &ArtifactId::from(id))
}

/// A copy of a snapshot from the east.
fn copy_of_snapshot(id: &str) -> Copy {
    let value = format!("20260114051033+0000 / {id}");
    Copy {
        kind: Kind::DbSnapshot,
        source: a_ref(&ArtifactId::from(id), arn(id), Some("mydb")),
        copy: NewCopy {
            id: Some(ArtifactId::from(id.replace(':', "-"))),
            ..new_copy()
        },
        tags: Tags::from([("Owner", "dba")]),
        ..a_copy(value)
    }
}

fn the_snapshot() -> Copy {
    copy_of_snapshot(SNAPSHOT)
}

fn snapshot_named(id: &str) -> Copy {
    let mut copy = the_snapshot();
    copy.copy.id = Some(ArtifactId::from(id));
    copy
}

fn a_ref(id: &ArtifactId, arn: Arn, parent: Option<&str>) -> ArtifactRef {
    ArtifactRef {
        region: east(),
        id: id.clone(),
        arn,
        parent: parent.map(ParentId::from),
    }
}

fn new_copy() -> NewCopy {
    NewCopy {
        region: west(),
        id: None,
        name: None,
        description: None,
    }
}

/// What copies have in common; the rest is to be filled in.
fn a_copy(sync_tag: String) -> Copy {
    let expects = ExpectedSource {
        state: ArtifactState::available(),
        data_time: time("2026-01-14T05:10:33Z"),
    };
    Copy {
        id: ActionId::from("sync_it/copy"),
        kind: Kind::Image,
        reason: "not copied yet".to_owned(),
        source: a_ref(&ArtifactId::from(""), Arn::from(""), None),
        copy: new_copy(),
        tags: Tags::new(),
        sync_tag: Tag {
            key: "Sync-From-us-east-1".to_owned(),
            value: sync_tag,
        },
        kms_key_id: None,
        option_group_name: None,
        size_gib: None,
        expects,
    }
}

/// Returns the error, which must be of this code and class.
#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Answer<T>, code: &str, class: ErrorClass) -> ProviderError {
    let error = answer.expect_err("an error");
    assert_eq!((error.code.as_str(), error.class), (code, class), "{error}");
    error
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

/// Returns the ids in order.
fn ids(found: Answer<Vec<Artifact>>) -> Vec<String> {
    let found = found.expect("an answer").into_iter();
    let mut ids: Vec<String> = found.map(|artifact| artifact.id.to_string()).collect();
    ids.sort();
    ids
}

/// Returns the only image of that id.
fn image(sandbox: &Sandbox, region: Region, id: &ArtifactId) -> Artifact {
    let found = images(sandbox, region, &Query::ByIds(vec![id.clone()]));
    let [image] = found.expect("images").try_into().expect("one image");
    image
}

/// Returns the only manual snapshot of that id.
fn snapshot(sandbox: &Sandbox, region: Region, id: &ArtifactId) -> Artifact {
    let found = snapshots(sandbox, region, &Query::ByIds(vec![id.clone()]));
    let [snapshot] = found.expect("snapshots").try_into().expect("one snapshot");
    snapshot
}

/// Returns a stored snapshot of the east, for changing it by hand.
fn stored<'a>(world: &'a mut World, id: &str) -> &'a mut WorldArtifact {
    let found = world.snapshot_mut(&east(), &ArtifactId::from(id));
    found.expect("it is there")
}
