//! Images: found by everything that ties them, and copied with their tags in the same call.

use std::collections::BTreeMap;

use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::model::ids::{ArtifactId, Region};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::ErrorClass;
use aws_xregion_sync::model::query::{ImageFilter, ImageSelector, Query};
use aws_xregion_sync::model::tags::Tags;
use serde_json::json;

use super::caller::{Caller, copy_of, ids, names, tags_of_copy};
use super::world::{EAST, TIME, WEST, World, longest_chain};

fn images(world: &World, region: &str) -> Caller {
    Caller::new(world, region, Kind::Image)
}

fn matching(owner: &str, identifiers: &[&str], filters: &[(&str, &[&str])]) -> Query {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let filter = |(name, values): &(&str, &[&str])| ImageFilter {
        name: (*name).to_owned(),
        values: texts(values),
    };
    Query::Matching(ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: texts(identifiers),
        filters: filters.iter().map(filter).collect(),
    })
}

fn copies_of(ids: impl IntoIterator<Item = ArtifactId>) -> Query {
    Query::CopiesOf {
        region: Region::from(EAST),
        ids: ids.into_iter().collect(),
    }
}

/// Ids of images that do not exist.
fn absent(number: usize) -> impl Iterator<Item = ArtifactId> {
    (0..number).map(|n| ArtifactId::from(format!("ami-{n:017x}")))
}

/// How many ids one request can ask for.
fn most() -> usize {
    Kind::Image.facts().ids_per_read
}

#[tokio::test]
async fn a_selector_finds_images_in_all_states_by_owner_identifier_and_filters() {
    let world = World::new();
    let web = json!({"Sync-Identifier": "web-01", "Role": "web"});
    let other = json!({"Sync-Identifier": "web-02", "Role": "web"});
    let db = json!({"Sync-Identifier": "web-01", "Role": "db"});
    for (region, image) in [
        (
            EAST,
            json!({"name": "a", "tags": web, "created": TIME, "size": 30}),
        ),
        (
            EAST,
            json!({"name": "b", "tags": other, "state": "pending"}),
        ),
        (EAST, json!({"name": "c", "tags": db, "state": "failed"})),
        (
            EAST,
            json!({"name": "d", "tags": web, "owner": "999999999999"}),
        ),
        (EAST, json!({"name": "e", "tags": {"Role": "web"}})),
        (WEST, json!({"name": "f", "tags": web})),
    ] {
        world.image(region, image);
    }
    let east = images(&world, EAST);
    let cases: [(&[&str], Query); 4] = [
        (&["a", "c"], matching("self", &["web-01"], &[])),
        (
            &["a", "b"],
            matching("self", &["web-02", "web-01"], &[("tag:Role", &["web"])]),
        ),
        (
            &["a", "b", "e"],
            matching("self", &[], &[("tag:Role", &["w*", "x"])]),
        ),
        (&["d"], matching("999999999999", &["web-01"], &[])),
    ];
    for (expected, query) in cases {
        assert_eq!(names(&east.find(query).await), expected);
    }

    let found = east.find(matching("self", &[], &[("name", &["a"])])).await;
    let image = &found[0];
    assert_eq!(image.created, Some(TIME.parse().expect("a time")));
    assert_eq!((image.size_gib, image.encrypted), (Some(30), Some(false)));
    assert_eq!(
        (image.copied_from.as_ref(), image.parent.as_ref()),
        (None, None)
    );
    assert_eq!(image.owner(), Some(&world.account));
    assert_eq!(json!(image.tags), web);
    assert!(image.state.is_available());
}

#[tokio::test]
async fn every_page_is_read() {
    let world = World::new();
    for n in 0..7 {
        let tags = json!({"Sync-Identifier": format!("id-{n}")});
        world.image(EAST, json!({"name": format!("image-{n}"), "tags": tags}));
    }
    world.settings(json!({"page_size": 2}));
    let identifiers: Vec<String> = (0..most() - 1).map(|n| format!("id-{n}")).collect();
    let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
    let east = images(&world, EAST);
    let query = matching("self", &identifiers, &[("name", &["image-*"])]);
    assert_eq!(east.find(query).await.len(), 7);

    let disabled = |n| json!({"name": format!("x{n}"), "state": "disabled"});
    let existing = (0..3).map(|n| world.image(EAST, disabled(n)).id);
    let query = Query::ByIds(absent(most() - 3).chain(existing).collect());
    let found = east.find(query).await;
    assert_eq!(names(&found), ["x0", "x1", "x2"], "absent ones are skipped");
    let calls = world.calls();
    assert!(calls.iter().all(|call| call.params["MaxResults"] == "1000"));
    assert!(
        calls
            .iter()
            .any(|call| call.params.contains_key("NextToken"))
    );
}

#[tokio::test]
async fn copies_are_found_by_what_aws_states_and_by_their_tag_at_the_same_time() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"}));
    let older = world.image(EAST, json!({"name": "old"}));
    let west = images(&world, WEST);
    let copy = copy_of(Kind::Image, &source);
    let stated = west.copy(&copy, Some("token-1")).await.expect("a copy");
    let tag = format!("20131201000000+0000 / {}", older.id);
    let tagged = |name: &str, key: &str, tag: &str| json!({"name": name, "tags": {key: tag}});
    let other = "20131201000000+0000 / ami-1";
    let old = world.image(WEST, tagged("old", "Sync-From-us-east-1", &tag));
    world.image(WEST, tagged("x", "Sync-From-us-east-1", other));
    world.image(WEST, tagged("y", "Sync-From-eu-west-1", &tag));
    let mut foreign = tagged("z", "Sync-From-us-east-1", &tag);
    foreign["owner"] = json!("999999999999");
    world.image(WEST, foreign);
    world.set_state(WEST, stated.as_str(), "disabled");
    world.reset();
    world.settings(json!({"latency": 0.3}));

    let twice = [&source.id, &older.id, &source.id].map(Clone::clone);
    let found = west.find(copies_of(twice)).await;
    let mut expected = [stated.as_str(), old.id.as_str()];
    expected.sort_unstable();
    assert_eq!(ids(&found), expected);
    let copy = found.iter().find(|image| image.id == stated);
    assert_eq!(copy.expect("it").copied_from, Some(source.arn));
    let calls = world.calls();
    assert_eq!((calls.len(), longest_chain(&calls)), (2, 1), "{calls:?}");

    world.settings(json!({"latency": 0.0}));
    let from = west.find(Query::CopiedFrom(Region::from(EAST))).await;
    assert_eq!(
        names(&from),
        ["old", "web", "x"],
        "whatever they are copies of"
    );
    let many = copies_of(absent(most() - 2).chain([stated]));
    assert_eq!(west.find(many).await, []);
}

#[tokio::test]
async fn a_copy_gets_its_tags_in_the_same_call() {
    let world = World::new();
    let tags = json!({"Sync-us-west-1": "x", "Role": "web"});
    let source = world.image(EAST, json!({"name": "web", "size": 30, "tags": tags}));
    world.settings(json!({"copy_describes": 2}));
    let west = images(&world, WEST);
    let copy = copy_of(Kind::Image, &source);
    let id = west.copy(&copy, Some("token-1")).await.expect("a copy");

    let stored = world.stored(WEST, id.as_str());
    assert_eq!(stored["tags"], tags_of_copy(&source));
    assert_eq!(stored["snapshot_tags"], tags_of_copy(&source));
    let calls = world.calls();
    assert_eq!((calls.len(), calls[0].action.as_str()), (1, "CopyImage"));
    for unset in [
        "Encrypted",
        "KmsKeyId",
        "CopyImageTags",
        "Description",
        "DryRun",
        "SnapshotCopyCompletionDurationMinutes",
    ] {
        assert!(!calls[0].params.contains_key(unset), "{unset}");
    }
    for state in ["pending", "pending", "available"] {
        assert_eq!(west.get(&id).await.state.as_str(), state);
    }

    let encrypted = Copy {
        kms_key_id: Some("alias/dr".to_owned()),
        copy_within_minutes: Some(45),
        ..copy
    };
    let id = west
        .copy(&encrypted, Some("token-2"))
        .await
        .expect("a copy");
    let stored = world.stored(WEST, id.as_str());
    assert_eq!(
        (&stored["encrypted"], &stored["kms_key_id"]),
        (&json!(true), &json!("alias/dr"))
    );
    let calls = world.calls();
    let sent = calls.iter().rfind(|call| call.action == "CopyImage");
    let sent = sent.expect("the call");
    assert_eq!(sent.params["SnapshotCopyCompletionDurationMinutes"], "45");
    let image = west.get(&id).await;
    assert_eq!((image.encrypted, image.size_gib), (Some(true), Some(30)));
}

#[tokio::test]
async fn law_9_the_same_token_returns_the_same_copy_also_after_a_lost_response() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"}));
    let west = images(&world, WEST);
    let mut copy = copy_of(Kind::Image, &source);
    world.fail(
        json!({"action": "CopyImage", "code": "InternalError", "status": 500, "after": true}),
    );
    let first = west
        .copy(&copy, Some("token"))
        .await
        .expect("the SDK retries");
    assert_eq!(west.copy(&copy, Some("token")).await.as_ref(), Ok(&first));
    assert_eq!(world.calls_of("CopyImage").len(), 3);
    assert_eq!(
        ids(&west.find(copies_of([source.id])).await),
        [first.as_str()]
    );

    copy.copy.description = Some("another".to_owned());
    let error = west
        .copy(&copy, Some("token"))
        .await
        .expect_err("another request");
    assert_eq!(error.code, "IdempotentParameterMismatch");
    assert_eq!(error.class, ErrorClass::Conflict);
    assert_ne!(west.copy(&copy, Some("token-2")).await, Ok(first));
}

#[tokio::test]
async fn a_source_that_does_not_exist_is_absent() {
    let world = World::new();
    let mut source = world.image(WEST, json!({"name": "web"}));
    source.id = ArtifactId::from("ami-0123456789abcdef0");
    let copy = images(&world, WEST)
        .copy(&copy_of(Kind::Image, &source), None)
        .await;
    let error = copy.expect_err("no such image");
    assert_eq!(
        (error.call, error.code.as_str()),
        ("CopyImage", "InvalidAMIID.NotFound")
    );
    assert_eq!(
        (error.region.as_str(), error.class),
        (WEST, ErrorClass::Absent)
    );
}

#[tokio::test]
async fn a_tagged_image_keeps_its_other_tags() {
    let world = World::new();
    let tags = json!({"Role": "web", "Sync-us-west-1": "old"});
    let image = world.image(EAST, json!({"name": "web", "tags": tags}));
    let east = images(&world, EAST);
    east.tag(&image, &Tags::from([("Sync-us-west-1", "new")]))
        .await;
    let tags = Tags::from([("Role", "web"), ("Sync-us-west-1", "new")]);
    assert_eq!(east.get(&image.id).await.tags, tags);
}

#[tokio::test]
async fn what_uses_images_is_told_for_ten_of_them_at_a_time() {
    let world = World::new();
    let image = world.image(WEST, json!({"name": "web"})).id;
    let parameter = "arn:aws:ssm:us-west-1:1:parameter/amis/web";
    let users = json!([{"Arn": parameter, "ResourceType": "ssm:Parameter"}]);
    let used = json!({"region": WEST, "id": image, "users": users});
    world.control("image_use", used);
    let others = (0..10).map(|n| world.image(WEST, json!({"name": format!("x{n}")})).id);
    let ids: Vec<ArtifactId> = [image.clone()].into_iter().chain(others).collect();
    let west = images(&world, WEST);
    let found = west.references(&ids[..10]).await.expect("an answer");
    let expected = vec!["parameter amis/web".to_owned()];
    assert_eq!(found, BTreeMap::from([(image, expected)]));
    let error = west.references(&ids).await.expect_err("too many");
    assert_eq!(
        (error.call, error.class),
        ("DescribeImageReferences", ErrorClass::Invalid)
    );
    let absent: Vec<ArtifactId> = absent(1).collect();
    let error = west.references(&absent).await.expect_err("no such image");
    assert_eq!(error.class, ErrorClass::Absent);
}

#[tokio::test]
async fn an_image_is_deleted_with_its_snapshots_unless_it_is_protected() {
    let world = World::new();
    let image = world.image(WEST, json!({"name": "web"}));
    let set = |protection: &str| {
        let set = json!({"region": WEST, "id": image.id, "protection": protection});
        world.control("image_use", set);
    };
    set("enabled-without-cooldown");
    let west = images(&world, WEST);
    assert!(west.get(&image.id).await.is_protected());
    let error = west.delete(&image).await.expect_err("it is protected");
    assert_eq!(
        (error.code.as_str(), error.class),
        ("OperationNotPermitted", ErrorClass::Invalid)
    );
    set("disabled");
    let found = west.get(&image.id).await;
    assert!(!found.is_protected() && found.backing_snapshots().len() == 1);
    assert_eq!(west.delete(&image).await, Ok(Vec::new()));
    assert_eq!(world.control("disks", json!({"region": WEST})), json!([]));
    let again = west.delete(&image).await.expect_err("it is gone");
    assert_eq!(again.class, ErrorClass::Conflict);
}

#[tokio::test]
async fn what_images_do_not_have_is_an_invalid_request_and_no_call() {
    let world = World::new();
    let image = world.image(WEST, json!({"name": "web"}));
    let west = images(&world, WEST);
    world.reset();
    let error = west.error(Query::AllManual).await;
    assert_eq!(
        (error.call, error.class),
        ("DescribeImages", ErrorClass::Invalid)
    );
    let mut copy = copy_of(Kind::Image, &image);
    copy.copy.name = None;
    let error = west.copy(&copy, None).await.expect_err("it has no name");
    assert_eq!(
        (error.call, error.class),
        ("CopyImage", ErrorClass::Invalid)
    );
    assert_eq!(world.calls().len(), 0);
}
