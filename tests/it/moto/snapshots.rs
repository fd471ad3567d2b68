//! DB snapshots: read in pages, copied, tagged, deleted.

use aws_xregion_sync::model::Tags;
use aws_xregion_sync::model::action::{CopySnapshot, ExpectedSource, Resource, Tag};
use aws_xregion_sync::model::client_config::Place;
use aws_xregion_sync::model::id::{ActionId, DbInstance, Region, SnapshotArn, SnapshotId};
use aws_xregion_sync::model::inventory::Snapshot;
use aws_xregion_sync::model::job::ImageSelector;
use aws_xregion_sync::model::provider_error::ErrorKind;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use serde_json::json;

use super::world::{EAST, WEST, World};

const TAKEN: &str = "2026-01-14T05:10:33Z";

fn databases(names: &[&str]) -> Vec<DbInstance> {
    names.iter().map(|name| DbInstance::from(*name)).collect()
}

fn ids(snapshots: &[Snapshot]) -> Vec<&str> {
    let mut ids: Vec<&str> = snapshots
        .iter()
        .map(|snapshot| snapshot.id.as_str())
        .collect();
    ids.sort_unstable();
    ids
}

fn copy_of(id: &SnapshotId, arn: &SnapshotArn) -> CopySnapshot {
    CopySnapshot {
        id: ActionId::from("sync_mydb/copy"),
        reason: "there is no copy".to_owned(),
        db_instance: DbInstance::from("mydb"),
        source_snapshot_id: id.clone(),
        source_snapshot_arn: arn.clone(),
        source_region: Region::from(EAST),
        target_snapshot_id: SnapshotId::from(id.as_str().replace(':', "-")),
        tags: Tags::from([("Role".to_owned(), "db".to_owned())]),
        sync_tag: Tag {
            key: "Sync-From-us-east-1".to_owned(),
            value: format!("20260114051033+0000 / {id}"),
        },
        kms_key_id: None,
        option_group_name: None,
        size_gib: Some(20),
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: TAKEN.parse().expect("a time"),
        },
    }
}

/// A manual snapshot of `mydb` in the destination, made as the tool makes it.
async fn copied(world: &World, aws: &Aws, at: &Place) -> (CopySnapshot, SnapshotArn) {
    world.database(EAST, "mydb", None);
    let (id, arn) = world.snapshot(
        EAST,
        "mydb",
        TAKEN,
        json!({"instance_created": "2025-06-01T00:00:00Z"}),
    );
    let copy = copy_of(&id, &arn);
    let made = aws.copy_snapshot(at, &copy).await.expect("a copy");
    assert_eq!(made, copy.target_snapshot_id);
    (copy, arn)
}

#[tokio::test]
async fn automated_snapshots_are_read_over_all_pages() {
    let world = World::new();
    world.database(EAST, "mydb", None);
    world.database(EAST, "other", None);
    for hour in 10..17 {
        let at = format!("2026-01-14T{hour}:00:00Z");
        world.snapshot(
            EAST,
            "mydb",
            &at,
            json!({"option_group_name": "tde", "tags": {"Role": "db"}}),
        );
    }
    world.snapshot(
        EAST,
        "mydb",
        TAKEN,
        json!({"type": "manual", "id": "by-hand"}),
    );
    world.snapshot(EAST, "other", TAKEN, json!({"status": "creating"}));
    world.control("settings", json!({"page_size": 3}));
    let aws = Aws::new();
    let at = world.at(EAST);
    let seen = aws
        .automated_snapshots(&at, &databases(&["MyDB"]))
        .await
        .expect("snapshots");
    assert_eq!(seen.len(), 7);
    assert_eq!(world.calls().len(), 3);
    let first = seen
        .iter()
        .find(|snapshot| snapshot.id.as_str() == "rds:mydb-2026-01-14-10-00")
        .expect("the first");
    assert_eq!(
        first.created,
        Some("2026-01-14T10:00:00Z".parse().expect("a time"))
    );
    assert_eq!(
        (first.taken(), first.copied_from.as_ref()),
        (first.created, None)
    );
    assert_eq!(
        (first.option_group_name.as_deref(), first.size_gib),
        (Some("tde"), Some(20))
    );
    assert_eq!(
        (first.tags.get("Role"), first.encrypted),
        (Some("db"), false)
    );

    let seen = aws
        .automated_snapshots(&at, &databases(&["mydb", "other", "absent"]))
        .await
        .expect("snapshots");
    assert_eq!(seen.len(), 8);
    assert_eq!(
        seen.iter()
            .filter(|snapshot| snapshot.status.as_str() == "creating")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_database_that_aws_says_is_not_there_has_no_automated_snapshots() {
    let world = World::new();
    world.control("settings", json!({"strict_databases": true}));
    let aws = Aws::new();
    let at = world.at(EAST);
    assert_eq!(
        aws.automated_snapshots(&at, &databases(&["absent"])).await,
        Ok(Vec::new())
    );
    // Of several it cannot be told which is meant.
    let error = aws
        .automated_snapshots(&at, &databases(&["absent", "gone"]))
        .await
        .expect_err("one of them");
    assert_eq!(error.kind, ErrorKind::Absent);

    let denial = json!({"action": "DescribeDBSnapshots", "code": "AccessDenied", "status": 403, "contains": "gone"});
    world.control("errors", denial);
    let error = aws
        .automated_snapshots(&at, &databases(&["gone"]))
        .await
        .expect_err("unknown is not absent");
    assert_eq!(error.kind, ErrorKind::Denied);
}

#[tokio::test]
async fn copies_are_listed_although_their_database_is_not_in_the_region() {
    let world = World::new();
    let aws = Aws::new();
    let at = world.at(WEST);
    let (copy, _) = copied(&world, &aws, &at).await;
    world.database(WEST, "other", None);
    world.snapshot(
        WEST,
        "other",
        TAKEN,
        json!({"type": "manual", "id": "other-by-hand"}),
    );
    let target = copy.target_snapshot_id.as_str();
    let seen = aws
        .manual_snapshots(&at, &databases(&["mydb"]))
        .await
        .expect("snapshots");
    assert_eq!(ids(&seen), [target]);

    // Should RDS refuse to look for a database that is not there, that is no answer; all can be listed.
    world.control("reset", json!({}));
    world.control(
        "settings",
        json!({"strict_databases": true, "page_size": 1}),
    );
    let error = aws
        .manual_snapshots(&at, &databases(&["mydb", "absent"]))
        .await
        .expect_err("unknown is not absent");
    assert_eq!(error.kind, ErrorKind::Absent);
    let seen = aws.all_manual_snapshots(&at).await.expect("snapshots");
    assert_eq!(ids(&seen), ["other-by-hand", target]);
    assert_eq!(
        world.calls().len(),
        3,
        "one that was refused, and two pages"
    );
}

#[tokio::test]
async fn law_5_what_two_pages_list_is_there_once() {
    let world = World::new();
    world.database(WEST, "mydb", None);
    for n in 0..5 {
        let by_hand = json!({"type": "manual", "id": format!("by-hand-{n}")});
        world.snapshot(WEST, "mydb", TAKEN, by_hand);
        world.image(WEST, json!({"name": format!("web{n}")}));
    }
    world.control("settings", json!({"page_size": 2, "page_overlap": 1}));
    let aws = Aws::new();
    let at = world.at(WEST);
    let snapshots = aws.manual_snapshots(&at, &databases(&["mydb"])).await;
    let snapshots = snapshots.expect("snapshots");
    let expected = (0..5).map(|n| format!("by-hand-{n}"));
    assert_eq!(ids(&snapshots), expected.collect::<Vec<_>>());

    let every = ImageSelector {
        owner: "self".to_owned(),
        sync_identifiers: Vec::new(),
        filters: Vec::new(),
    };
    let images = aws.source_images(&at, &every).await.expect("images");
    assert_eq!(images.len(), 5);
    assert!(world.calls().len() >= 6, "both were paged");
}

#[tokio::test]
async fn snapshots_are_found_by_identifier() {
    let world = World::new();
    world.database(EAST, "mydb", None);
    world.snapshot(EAST, "mydb", TAKEN, json!({}));
    for n in 0..3 {
        world.snapshot(
            EAST,
            "mydb",
            TAKEN,
            json!({"type": "manual", "id": format!("by-hand-{n}")}),
        );
    }
    world.control("settings", json!({"page_size": 1}));
    let mut asked: Vec<SnapshotId> = (0..30)
        .map(|n| SnapshotId::from(format!("absent-{n}")))
        .collect();
    asked.extend(["by-hand-0", "By-Hand-2", "rds:mydb-2026-01-14-05-10"].map(SnapshotId::from));
    let aws = Aws::new();
    let seen = aws
        .snapshots(&world.at(EAST), &asked)
        .await
        .expect("snapshots");
    assert_eq!(ids(&seen), ["by-hand-0", "by-hand-2"]);

    let absent = json!({"action": "DescribeDBSnapshots", "code": "DBSnapshotNotFound", "status": 404, "contains": "absent"});
    world.control("errors", absent);
    assert_eq!(
        aws.snapshots(&world.at(EAST), &[SnapshotId::from("absent")])
            .await,
        Ok(Vec::new())
    );
}

#[tokio::test]
async fn a_copy_has_its_tags_from_the_call_itself_and_takes_its_time() {
    let world = World::new();
    world.control("settings", json!({"copy_describes": 2}));
    let aws = Aws::new();
    let at = world.at(WEST);
    let (copy, arn) = copied(&world, &aws, &at).await;
    let calls = world.calls();
    assert_eq!(
        calls
            .iter()
            .map(|call| call.action.as_str())
            .collect::<Vec<_>>(),
        ["CopyDBSnapshot"]
    );
    for left_out in [
        "PreSignedUrl",
        "CopyTags",
        "KmsKeyId",
        "OptionGroupName",
        "CopyOptionGroup",
    ] {
        assert!(!calls[0].params.contains_key(left_out), "{left_out}");
    }

    let id = std::slice::from_ref(&copy.target_snapshot_id);
    let first = aws.snapshots(&at, id).await.expect("the copy").remove(0);
    assert_eq!(
        (first.status.as_str(), first.percent),
        ("creating", Some(0))
    );
    assert_eq!(
        aws.snapshots(&at, id).await.expect("the copy")[0].percent,
        Some(50)
    );
    let last = aws.snapshots(&at, id).await.expect("the copy").remove(0);
    assert_eq!(
        (last.status.is_available(), last.percent),
        (true, Some(100))
    );
    assert_eq!(last.copied_from, Some(arn));
    assert_eq!(last.taken(), Some(copy.expects.taken));
    assert_ne!(last.created, last.original_created);
    assert_eq!(
        last.instance_created,
        Some("2025-06-01T00:00:00Z".parse().expect("a time"))
    );
    let expected = json!({"Role": "db", "Sync-From-us-east-1": copy.sync_tag.value});
    assert_eq!(json!(last.tags), expected);

    let again = aws
        .copy_snapshot(&at, &copy)
        .await
        .expect_err("the name is taken");
    assert_eq!(
        (again.call, again.code.as_str()),
        ("CopyDBSnapshot", "DBSnapshotAlreadyExists")
    );
    assert_eq!(
        (again.region.as_str(), again.kind),
        (WEST, ErrorKind::Invalid)
    );
}

#[tokio::test]
async fn key_and_option_group_go_into_the_call() {
    let world = World::new();
    world.database(EAST, "mydb", Some(&world.key(EAST)));
    let (id, arn) = world.snapshot(EAST, "mydb", TAKEN, json!({}));
    let aws = Aws::new();
    assert!(
        aws.automated_snapshots(&world.at(EAST), &databases(&["mydb"]))
            .await
            .expect("snapshots")[0]
            .encrypted
    );
    let key = world.key(WEST);
    let group = Some("tde".to_owned());
    let copy = CopySnapshot {
        kms_key_id: Some(key.clone()),
        option_group_name: group.clone(),
        ..copy_of(&id, &arn)
    };
    let made = aws
        .copy_snapshot(&world.at(WEST), &copy)
        .await
        .expect("a copy");
    assert_eq!(world.look(WEST, made.as_str())["kms_key_id"], json!(key));
    let seen = aws
        .snapshots(&world.at(WEST), &[made])
        .await
        .expect("the copy");
    assert_eq!(
        (seen[0].encrypted, seen[0].option_group_name.as_deref()),
        (true, group.as_deref())
    );

    let copy = CopySnapshot {
        kms_key_id: Some(world.key(EAST)),
        target_snapshot_id: SnapshotId::from("another"),
        ..copy
    };
    let error = aws
        .copy_snapshot(&world.at(WEST), &copy)
        .await
        .expect_err("a key of another region");
    assert_eq!(
        (error.code.as_str(), error.kind),
        ("KMSKeyNotAccessible", ErrorKind::Invalid)
    );
}

#[tokio::test]
async fn a_source_that_is_not_there_is_absent() {
    let world = World::new();
    let id = SnapshotId::from("rds:mydb-2026-01-14-05-10");
    let arn = SnapshotArn::from(format!(
        "arn:aws:rds:us-east-1:{}:snapshot:{id}",
        world.account
    ));
    let error = Aws::new()
        .copy_snapshot(&world.at(WEST), &copy_of(&id, &arn))
        .await
        .expect_err("no such snapshot");
    assert_eq!(
        (error.call, error.code.as_str()),
        ("CopyDBSnapshot", "DBSnapshotNotFound")
    );
    assert_eq!(error.kind, ErrorKind::Absent);
}

#[tokio::test]
async fn tags_are_added_and_snapshots_deleted_but_never_automated_ones() {
    let world = World::new();
    let aws = Aws::new();
    let (east, west) = (world.at(EAST), world.at(WEST));
    let (copy, source) = copied(&world, &aws, &west).await;
    let note = Tags::from([(
        "Sync-us-west-1".to_owned(),
        format!("20260114051033+0000 / {}", copy.target_snapshot_id),
    )]);
    aws.tag(&east, &Resource::Snapshot(source), &note)
        .await
        .expect("tagged");
    let seen = aws
        .automated_snapshots(&east, &databases(&["mydb"]))
        .await
        .expect("the source");
    assert_eq!(seen[0].tags, note);

    let seen = aws
        .snapshots(&west, std::slice::from_ref(&copy.target_snapshot_id))
        .await
        .expect("the copy");
    assert!(seen[0].status.is_available());
    aws.delete_snapshot(&west, &copy.target_snapshot_id)
        .await
        .expect("deleted");
    let again = aws
        .delete_snapshot(&west, &copy.target_snapshot_id)
        .await
        .expect_err("gone");
    assert_eq!(
        (again.call, again.kind),
        ("DeleteDBSnapshot", ErrorKind::Absent)
    );
    let automated = aws
        .delete_snapshot(&east, &copy.source_snapshot_id)
        .await
        .expect_err("automated");
    assert_eq!(
        (automated.code.as_str(), automated.kind),
        ("InvalidDBSnapshotState", ErrorKind::Invalid)
    );
}
