//! DB snapshots: read page by page, copied, tagged, deleted.

use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::model::artifact::ArtifactRef;
use aws_xregion_sync::model::ids::{Arn, ArtifactId, ParentId, Region};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::ErrorClass;
use aws_xregion_sync::model::query::{ImageSelector, Query};
use aws_xregion_sync::model::tags::Tags;
use serde_json::json;

use super::caller::{Caller, copy_of, ids, tags_of_copy};
use super::world::{EAST, TIME, WEST, World};

fn snapshots(world: &World, region: &str) -> Caller {
    Caller::new(world, region, Kind::DbSnapshot)
}

fn automated(names: &[&str]) -> Query {
    Query::Automated(databases(names))
}

fn manual(names: &[&str]) -> Query {
    Query::Manual(databases(names))
}

fn databases(names: &[&str]) -> Vec<ParentId> {
    names.iter().map(|name| ParentId::from(*name)).collect()
}

/// Makes a manual snapshot of `mydb` in the destination, as xrs makes it.
async fn copied(world: &World, west: &Caller) -> Copy {
    world.database(EAST, "mydb", None);
    let created = json!({"instance_created": "2025-06-01T00:00:00Z"});
    let copy = copy_of(
        Kind::DbSnapshot,
        &world.snapshot(EAST, "mydb", TIME, created),
    );
    let id = west.copy(&copy, None).await.expect("a copy");
    assert_eq!(Some(id), copy.copy.id);
    copy
}

/// What that makes.
fn made(copy: &Copy) -> ArtifactRef {
    let id = copy.copy.id.clone().expect("an id");
    let arn = copy.source.arn.as_str().replace(EAST, WEST);
    ArtifactRef {
        region: Region::from(WEST),
        arn: Arn::from(arn.replace(copy.source.id.as_str(), id.as_str())),
        id,
        parent: copy.source.parent.clone(),
    }
}

#[tokio::test]
async fn automated_snapshots_are_read_over_all_pages() {
    let world = World::new();
    world.database(EAST, "mydb", None);
    world.database(EAST, "other", None);
    for hour in 10..17 {
        let created = format!("2026-01-14T{hour}:00:00Z");
        let more = json!({"option_group_name": "tde", "tags": {"Role": "db"}});
        world.snapshot(EAST, "mydb", &created, more);
    }
    world.manual(EAST, "mydb", "by-hand");
    world.snapshot(EAST, "other", TIME, json!({"status": "creating"}));
    world.settings(json!({"page_size": 3}));
    let east = snapshots(&world, EAST);
    let found = east.find(automated(&["MyDB"])).await;
    assert_eq!((found.len(), world.calls().len()), (7, 3));
    let first = found
        .iter()
        .find(|snapshot| snapshot.id.as_str() == "rds:mydb-2026-01-14-10-00");
    let first = first.expect("the first");
    assert_eq!(
        first.created,
        Some("2026-01-14T10:00:00Z".parse().expect("a time"))
    );
    assert_eq!(
        (first.source_time(), first.copied_from.as_ref()),
        (first.created, None)
    );
    assert_eq!(
        (first.option_group().map(|group| &**group), first.size_gib),
        (Some("tde"), Some(20))
    );
    assert_eq!(
        (first.tags.get("Role"), first.encrypted),
        (Some("db"), Some(false))
    );
    assert_eq!(first.parent, Some(ParentId::from("mydb")));

    let found = east.find(automated(&["mydb", "other", "absent"])).await;
    let creating = found
        .iter()
        .filter(|snapshot| snapshot.state.as_str() == "creating");
    assert_eq!((found.len(), creating.count()), (8, 1));
}

#[tokio::test]
async fn a_database_that_aws_says_is_absent_has_no_automated_snapshots() {
    let world = World::new();
    world.settings(json!({"strict_databases": true}));
    let east = snapshots(&world, EAST);
    assert_eq!(east.find(automated(&["absent"])).await, []);
    // Of several, the error does not say which it means.
    let error = east.error(automated(&["absent", "gone"])).await;
    assert_eq!(error.class, ErrorClass::Absent);

    world.fail(json!({"code": "AccessDenied", "status": 403, "contains": "gone"}));
    let error = east.error(automated(&["gone"])).await;
    assert_eq!(error.class, ErrorClass::Denied, "unknown is not absent");
}

#[tokio::test]
async fn copies_are_listed_although_their_database_is_not_in_the_region() {
    let world = World::new();
    let west = snapshots(&world, WEST);
    let copy = copied(&world, &west).await;
    world.database(WEST, "other", None);
    world.manual(WEST, "other", "other-by-hand");
    let copy = made(&copy);
    assert_eq!(ids(&west.find(manual(&["mydb"])).await), [copy.id.as_str()]);

    // If RDS refuses to list the snapshots of a database that is not there, all can be listed.
    world.reset();
    world.settings(json!({"strict_databases": true, "page_size": 1}));
    let error = west.error(manual(&["mydb", "absent"])).await;
    assert_eq!(error.class, ErrorClass::Absent);
    let all = west.find(Query::AllManual).await;
    assert_eq!(ids(&all), ["other-by-hand", copy.id.as_str()]);
    assert_eq!(world.calls().len(), 3, "a refused one, and two pages");
}

#[tokio::test]
async fn law_5_an_artifact_on_two_pages_is_returned_once() {
    let world = World::new();
    world.database(WEST, "mydb", None);
    for n in 0..5 {
        world.manual(WEST, "mydb", &format!("by-hand-{n}"));
        world.image(WEST, json!({"name": format!("web{n}")}));
    }
    world.settings(json!({"page_size": 2, "page_overlap": 1}));
    let found = snapshots(&world, WEST).find(manual(&["mydb"])).await;
    let expected: Vec<String> = (0..5).map(|n| format!("by-hand-{n}")).collect();
    assert_eq!(ids(&found), expected);

    let all = Query::Matching(ImageSelector {
        owner: "self".to_owned(),
        sync_identifiers: Vec::new(),
        filters: Vec::new(),
    });
    let images = Caller::new(&world, WEST, Kind::Image).find(all).await;
    assert_eq!(images.len(), 5);
    assert!(world.calls().len() >= 6, "both were paged");
}

#[tokio::test]
async fn snapshots_are_found_by_id() {
    let world = World::new();
    world.database(EAST, "mydb", None);
    world.snapshot(EAST, "mydb", TIME, json!({}));
    for n in 0..3 {
        world.manual(EAST, "mydb", &format!("by-hand-{n}"));
    }
    world.settings(json!({"page_size": 1}));
    let absent = (0..30).map(|n| ArtifactId::from(format!("absent-{n}")));
    let others = ["by-hand-0", "By-Hand-2", "rds:mydb-2026-01-14-05-10"].map(ArtifactId::from);
    let east = snapshots(&world, EAST);
    let found = east
        .find(Query::ByIds(absent.chain(others).collect()))
        .await;
    assert_eq!(ids(&found), ["by-hand-0", "by-hand-2"]);

    world.fail(json!({"code": "DBSnapshotNotFound", "status": 404, "contains": "absent"}));
    let found = east
        .find(Query::ByIds(vec![ArtifactId::from("absent")]))
        .await;
    assert_eq!(found, []);
}

#[tokio::test]
async fn a_copy_gets_its_tags_in_the_same_call_and_takes_its_time() {
    let world = World::new();
    world.settings(json!({"copy_describes": 2}));
    let west = snapshots(&world, WEST);
    let copy = copied(&world, &west).await;
    let calls = world.calls();
    assert_eq!(
        (calls.len(), calls[0].action.as_str()),
        (1, "CopyDBSnapshot")
    );
    for unset in [
        "PreSignedUrl",
        "CopyTags",
        "KmsKeyId",
        "OptionGroupName",
        "CopyOptionGroup",
    ] {
        assert!(!calls[0].params.contains_key(unset), "{unset}");
    }

    let id = &made(&copy).id;
    for (state, percent) in [("creating", 0), ("creating", 50), ("available", 100)] {
        let snapshot = west.get(id).await;
        assert_eq!(
            (snapshot.state.as_str(), snapshot.percent),
            (state, Some(percent))
        );
    }
    let snapshot = west.get(id).await;
    assert_eq!(snapshot.copied_from.as_ref(), Some(&copy.source.arn));
    assert_eq!(snapshot.source_time(), Some(copy.expects.data_time));
    assert_ne!(snapshot.created, snapshot.data_time);
    let parent_created = "2025-06-01T00:00:00Z".parse().expect("a time");
    assert_eq!(snapshot.parent_created(), Some(parent_created));
    assert_eq!(json!(snapshot.tags), tags_of_copy(&copy.source));

    let again = west.copy(&copy, None).await.expect_err("the id is taken");
    assert_eq!(
        (again.call, again.code.as_str()),
        ("CopyDBSnapshot", "DBSnapshotAlreadyExists")
    );
    assert_eq!(
        (again.region.as_str(), again.class),
        (WEST, ErrorClass::Conflict)
    );
}

#[tokio::test]
async fn key_and_option_group_are_part_of_the_call() {
    let world = World::new();
    world.database(EAST, "mydb", Some(&world.key(EAST)));
    let source = world.snapshot(EAST, "mydb", TIME, json!({}));
    let found = snapshots(&world, EAST).find(automated(&["mydb"])).await;
    assert_eq!(found[0].encrypted, Some(true));
    let key = world.key(WEST);
    let copy = Copy {
        kms_key_id: Some(key.clone()),
        option_group_name: Some("tde".to_owned()),
        ..copy_of(Kind::DbSnapshot, &source)
    };
    let west = snapshots(&world, WEST);
    let id = west.copy(&copy, None).await.expect("a copy");
    assert_eq!(world.stored(WEST, id.as_str())["kms_key_id"], key);
    let snapshot = west.get(&id).await;
    assert_eq!(
        (
            snapshot.encrypted,
            snapshot.kms_key(),
            snapshot.option_group().map(|group| &**group)
        ),
        (Some(true), Some(key.as_str()), Some("tde"))
    );

    let mut copy = copy;
    copy.kms_key_id = Some(world.key(EAST));
    copy.copy.id = Some(ArtifactId::from("another"));
    let error = west
        .copy(&copy, None)
        .await
        .expect_err("a key of another region");
    assert_eq!(
        (error.code.as_str(), error.class),
        ("KMSKeyNotAccessible", ErrorClass::Invalid)
    );
}

#[tokio::test]
async fn a_source_that_does_not_exist_is_absent() {
    let world = World::new();
    world.database(WEST, "mydb", None);
    let mut source = world.snapshot(WEST, "mydb", TIME, json!({}));
    source.arn = Arn::from(source.arn.as_str().replace(WEST, EAST));
    let copy = copy_of(Kind::DbSnapshot, &source);
    let error = snapshots(&world, WEST)
        .copy(&copy, None)
        .await
        .expect_err("no such snapshot");
    assert_eq!(
        (error.call, error.code.as_str()),
        ("CopyDBSnapshot", "DBSnapshotNotFound")
    );
    assert_eq!(error.class, ErrorClass::Absent);
}

#[tokio::test]
async fn tags_are_added_and_snapshots_deleted_but_never_automated_ones() {
    let world = World::new();
    let (east, west) = (snapshots(&world, EAST), snapshots(&world, WEST));
    let copy = copied(&world, &west).await;
    let snapshot = made(&copy);
    let value = format!("20260114051033+0000 / {}", snapshot.id);
    let tags = Tags::from([("Sync-us-west-1", value)]);
    east.tag(&copy.source, &tags).await;
    assert_eq!(east.find(automated(&["mydb"])).await[0].tags, tags);

    assert!(west.get(&snapshot.id).await.state.is_available());
    west.delete(&snapshot).await.expect("deleted");
    let again = west.delete(&snapshot).await.expect_err("it is gone");
    assert_eq!(
        (again.call, again.class),
        ("DeleteDBSnapshot", ErrorClass::Absent)
    );
    let error = east
        .delete(&copy.source)
        .await
        .expect_err("it is automated");
    assert_eq!(
        (error.code.as_str(), error.class),
        ("InvalidDBSnapshotState", ErrorClass::Conflict)
    );
}

#[tokio::test]
async fn what_snapshots_do_not_have_is_an_invalid_request_and_no_call() {
    let world = World::new();
    world.database(WEST, "mydb", None);
    let source = world.snapshot(WEST, "mydb", TIME, json!({}));
    world.reset();
    let west = snapshots(&world, WEST);
    let error = west.error(Query::CopiedFrom(Region::from(EAST))).await;
    assert_eq!(
        (error.call, error.class),
        ("DescribeDBSnapshots", ErrorClass::Invalid)
    );
    let mut copy = copy_of(Kind::DbSnapshot, &source);
    copy.copy.id = None;
    let error = west.copy(&copy, None).await.expect_err("it has no id");
    assert_eq!(
        (error.call, error.class),
        ("CopyDBSnapshot", ErrorClass::Invalid)
    );
    assert_eq!(world.calls().len(), 0);
}
