//! Images: found by all that ties them, and copied with their tags in the call itself.

use aws_xregion_sync::model::Tags;
use aws_xregion_sync::model::action::{CopyImage, ExpectedSource, Resource, Tag};
use aws_xregion_sync::model::id::{ActionId, ImageId, Region};
use aws_xregion_sync::model::inventory::{Image, ImageRef};
use aws_xregion_sync::model::job::{ImageFilter, ImageSelector};
use aws_xregion_sync::model::provider_error::ErrorKind;
use aws_xregion_sync::provider::aws::Aws;
use aws_xregion_sync::provider::{IMAGE_VALUES_PER_READ, Provider};
use serde_json::json;

use super::world::{EAST, WEST, World, longest_chain};

fn selector(owner: &str, identifiers: &[&str], filters: &[(&str, &[&str])]) -> ImageSelector {
    let texts = |list: &[&str]| {
        list.iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: texts(identifiers),
        filters: filters
            .iter()
            .map(|(name, values)| ImageFilter {
                name: (*name).to_owned(),
                values: texts(values),
            })
            .collect(),
    }
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn names(images: &[Image]) -> Vec<&str> {
    let mut names: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn copy_of(source: &ImageId) -> CopyImage {
    CopyImage {
        id: ActionId::from("sync_web/copy"),
        reason: "there is no copy".to_owned(),
        source_image_id: source.clone(),
        source_region: Region::from(EAST),
        name: "web".to_owned(),
        description: String::new(),
        tags: tags(&[("Role", "web"), ("Sync-Identifier", "web-01")]),
        sync_tag: Tag {
            key: "Sync-From-us-east-1".to_owned(),
            value: format!("20260114051033+0000 / {source}"),
        },
        kms_key_id: None,
        size_gib: Some(30),
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: "2026-01-14T05:10:33Z".parse().expect("a time"),
        },
    }
}

#[tokio::test]
async fn a_selector_finds_images_in_all_states_by_owner_identifier_and_filters() {
    let world = World::new();
    let tagged = |id: &str, role: &str| json!({"Sync-Identifier": id, "Role": role});
    world.image(
        EAST,
        json!({"name": "a", "tags": tagged("web-01", "web"), "created": "2026-01-14T05:10:33Z", "size": 30}),
    );
    world.image(
        EAST,
        json!({"name": "b", "tags": tagged("web-02", "web"), "state": "pending"}),
    );
    world.image(
        EAST,
        json!({"name": "c", "tags": tagged("web-01", "db"), "state": "failed"}),
    );
    world.image(
        EAST,
        json!({"name": "d", "tags": tagged("web-01", "web"), "owner": "999999999999"}),
    );
    world.image(EAST, json!({"name": "e", "tags": {"Role": "web"}}));
    world.image(WEST, json!({"name": "f", "tags": tagged("web-01", "web")}));
    let aws = Aws::new();
    let at = world.at(EAST);

    let by_identifier = aws
        .source_images(&at, &selector("self", &["web-01"], &[]))
        .await
        .expect("images");
    assert_eq!(names(&by_identifier), ["a", "c"]);
    let two = aws
        .source_images(
            &at,
            &selector("self", &["web-02", "web-01"], &[("tag:Role", &["web"])]),
        )
        .await;
    assert_eq!(names(&two.expect("images")), ["a", "b"]);
    let wild = aws
        .source_images(&at, &selector("self", &[], &[("tag:Role", &["w*", "x"])]))
        .await
        .expect("images");
    assert_eq!(names(&wild), ["a", "b", "e"]);
    let others = aws
        .source_images(&at, &selector("999999999999", &["web-01"], &[]))
        .await
        .expect("images");
    assert_eq!(names(&others), ["d"]);

    let image = by_identifier
        .iter()
        .find(|image| image.name == "a")
        .expect("a");
    assert_eq!(
        image.created,
        Some("2026-01-14T05:10:33Z".parse().expect("a time"))
    );
    assert_eq!(
        (image.size_gib, image.encrypted, image.copied_from.as_ref()),
        (Some(30), false, None)
    );
    assert_eq!(
        (image.owner.clone(), image.sync_identifier()),
        (world.account.clone(), Some("web-01"))
    );
    assert!(image.state.is_available());
}

#[tokio::test]
async fn every_page_is_read() {
    let world = World::new();
    for n in 0..7 {
        world.image(
            EAST,
            json!({"name": format!("image-{n}"), "tags": {"Sync-Identifier": format!("id-{n}")}}),
        );
    }
    world.control("settings", json!({"page_size": 2}));
    let identifiers: Vec<String> = (0..IMAGE_VALUES_PER_READ - 1)
        .map(|n| format!("id-{n}"))
        .collect();
    let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
    let aws = Aws::new();
    let found = aws
        .source_images(
            &world.at(EAST),
            &selector("self", &identifiers, &[("name", &["image-*"])]),
        )
        .await;
    assert_eq!(found.expect("images").len(), 7);

    let mut ids: Vec<ImageId> = (0..IMAGE_VALUES_PER_READ - 3)
        .map(|n| ImageId::from(format!("ami-{n:017x}")))
        .collect();
    let real: Vec<ImageId> = (0..3)
        .map(|n| world.image(EAST, json!({"name": format!("x{n}"), "state": "disabled"})))
        .collect();
    ids.extend(real.iter().cloned());
    let found = aws.images(&world.at(EAST), &ids).await.expect("images");
    assert_eq!(
        found.len(),
        3,
        "absent ones are left out, disabled ones are not"
    );
    let calls = world.calls();
    assert!(calls.iter().all(|call| {
        call.params
            .get("MaxResults")
            .is_some_and(|size| size == "1000")
    }));
    assert!(
        calls
            .iter()
            .any(|call| call.params.contains_key("NextToken"))
    );
}

#[tokio::test]
async fn copies_are_found_by_what_aws_states_and_by_their_tag_in_two_requests_side_by_side() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"}));
    let older = world.image(EAST, json!({"name": "old"}));
    let aws = Aws::new();
    let stated = aws
        .copy_image(&world.at(WEST), &copy_of(&source), "token-1")
        .await
        .expect("a copy");
    let tag = format!("20131201000000+0000 / {older}");
    let tagged = world.image(
        WEST,
        json!({"name": "old", "tags": {"Sync-From-us-east-1": tag}}),
    );
    world.image(
        WEST,
        json!({"name": "x", "tags": {"Sync-From-us-east-1": "20131201000000+0000 / ami-1"}}),
    );
    world.image(
        WEST,
        json!({"name": "y", "tags": {"Sync-From-eu-west-1": tag}}),
    );
    world.image(
        WEST,
        json!({"name": "z", "tags": {"Sync-From-us-east-1": tag}, "owner": "999999999999"}),
    );
    world.set_state(WEST, stated.as_str(), "disabled");
    world.control("reset", json!({}));
    world.control("settings", json!({"latency": 0.3}));

    let of = [source.clone(), older, source.clone()];
    let found = aws
        .image_copies(&world.at(WEST), &Region::from(EAST), &of)
        .await
        .expect("copies");
    let mut ids: Vec<&ImageId> = found.iter().map(|image| &image.id).collect();
    ids.sort();
    let mut expected = vec![&stated, &tagged];
    expected.sort();
    assert_eq!(ids, expected);
    let copy = found
        .iter()
        .find(|image| image.id == stated)
        .expect("the copy");
    assert_eq!(
        copy.copied_from,
        Some(ImageRef {
            id: source,
            region: Region::from(EAST)
        })
    );
    let calls = world.calls();
    assert_eq!((calls.len(), longest_chain(&calls)), (2, 1), "{calls:?}");

    world.control("settings", json!({"latency": 0.0}));
    let from = aws
        .images_from(&world.at(WEST), &Region::from(EAST))
        .await
        .expect("images");
    assert_eq!(
        names(&from),
        ["old", "web", "x"],
        "whatever they are copies of"
    );
    let many: Vec<ImageId> = (0..IMAGE_VALUES_PER_READ - 2)
        .map(|n| ImageId::from(format!("ami-{n:017x}")))
        .chain([stated])
        .collect();
    assert_eq!(
        aws.image_copies(&world.at(WEST), &Region::from(EAST), &many)
            .await,
        Ok(Vec::new())
    );
}

#[tokio::test]
async fn a_copy_has_its_tags_from_the_call_itself() {
    let world = World::new();
    let source = world.image(
        EAST,
        json!({"name": "web", "size": 30, "tags": {"Sync-us-west-1": "x", "Role": "web"}}),
    );
    world.control("settings", json!({"copy_describes": 2}));
    let aws = Aws::new();
    let at = world.at(WEST);
    let copy = copy_of(&source);
    let id = aws.copy_image(&at, &copy, "token-1").await.expect("a copy");

    let kept = world.look(WEST, id.as_str());
    let expected = json!({"Role": "web", "Sync-Identifier": "web-01", "Sync-From-us-east-1": copy.sync_tag.value});
    assert_eq!(kept["tags"], expected);
    assert_eq!(
        kept["snapshot_tags"],
        json!({"Role": "web", "Sync-Identifier": "web-01"})
    );
    let calls = world.calls();
    assert_eq!(
        calls
            .iter()
            .map(|call| call.action.as_str())
            .collect::<Vec<_>>(),
        ["CopyImage"]
    );
    for left_out in [
        "Encrypted",
        "KmsKeyId",
        "CopyImageTags",
        "Description",
        "DryRun",
    ] {
        assert!(!calls[0].params.contains_key(left_out), "{left_out}");
    }
    let states: Vec<String> = [
        aws.images(&at, std::slice::from_ref(&id)).await,
        aws.images(&at, std::slice::from_ref(&id)).await,
        aws.images(&at, std::slice::from_ref(&id)).await,
    ]
    .into_iter()
    .map(|seen| seen.expect("the copy")[0].state.to_string())
    .collect();
    assert_eq!(states, ["pending", "pending", "available"]);

    let encrypted = CopyImage {
        kms_key_id: Some("alias/dr".to_owned()),
        tags: Tags::new(),
        ..copy
    };
    let encrypted = aws
        .copy_image(&at, &encrypted, "token-2")
        .await
        .expect("a copy");
    let kept = world.look(WEST, encrypted.as_str());
    assert_eq!(
        (&kept["encrypted"], &kept["kms_key_id"]),
        (&json!(true), &json!("alias/dr"))
    );
    assert_eq!(
        kept["snapshot_tags"],
        json!({}),
        "an empty list of tags is left out"
    );
    let seen = aws.images(&at, &[encrypted]).await.expect("the copy");
    assert_eq!((seen[0].encrypted, seen[0].size_gib), (true, Some(30)));
}

#[tokio::test]
async fn law_9_the_same_token_gives_the_same_copy_also_after_a_lost_response() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"}));
    let aws = Aws::new();
    let at = world.at(WEST);
    let copy = copy_of(&source);
    world.control(
        "errors",
        json!({"action": "CopyImage", "code": "InternalError", "status": 500, "after": true}),
    );
    let first = aws
        .copy_image(&at, &copy, "token")
        .await
        .expect("tried again by the SDK");
    assert_eq!(aws.copy_image(&at, &copy, "token").await, Ok(first.clone()));
    assert_eq!(world.calls_of("CopyImage").len(), 3);
    let copies = aws
        .image_copies(&at, &Region::from(EAST), &[source])
        .await
        .expect("copies");
    assert_eq!(
        copies.iter().map(|image| &image.id).collect::<Vec<_>>(),
        [&first]
    );

    let other = CopyImage {
        description: "another".to_owned(),
        ..copy
    };
    let error = aws
        .copy_image(&at, &other, "token")
        .await
        .expect_err("another request");
    assert_eq!(
        (error.code.as_str(), error.kind),
        ("IdempotentParameterMismatch", ErrorKind::Invalid)
    );
    assert_ne!(aws.copy_image(&at, &other, "token-2").await, Ok(first));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_absent() {
    let world = World::new();
    let copy = copy_of(&ImageId::from("ami-0123456789abcdef0"));
    let error = Aws::new()
        .copy_image(&world.at(WEST), &copy, "token")
        .await
        .expect_err("no such image");
    assert_eq!(
        (error.call, error.code.as_str()),
        ("CopyImage", "InvalidAMIID.NotFound")
    );
    assert_eq!(
        (error.region.as_str(), error.kind),
        (WEST, ErrorKind::Absent)
    );
}

#[tokio::test]
async fn tagging_an_image_leaves_its_other_tags() {
    let world = World::new();
    let id = world.image(
        EAST,
        json!({"name": "web", "tags": {"Role": "web", "Sync-us-west-1": "old"}}),
    );
    let aws = Aws::new();
    let at = world.at(EAST);
    aws.tag(
        &at,
        &Resource::Image(id.clone()),
        &tags(&[("Sync-us-west-1", "new")]),
    )
    .await
    .expect("tagged");
    let seen = aws.images(&at, &[id]).await.expect("the image");
    assert_eq!(
        seen[0].tags,
        tags(&[("Role", "web"), ("Sync-us-west-1", "new")])
    );
}
