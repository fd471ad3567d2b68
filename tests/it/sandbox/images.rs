//! Finding images.

use aws_xregion_sync::model::action::Resource;
use aws_xregion_sync::model::inventory::{ImageRef, State};
use aws_xregion_sync::model::job::{ImageFilter, ImageSelector};

use super::*;

fn selector(owner: &str, identifiers: &[&str], filters: &[(&str, &[&str])]) -> ImageSelector {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: owned(identifiers),
        filters: filters
            .iter()
            .map(|(name, values)| ImageFilter {
                name: (*name).to_owned(),
                values: owned(values),
            })
            .collect(),
    }
}

fn found(sandbox: &Sandbox, selector: &ImageSelector) -> Vec<String> {
    let images = wait(sandbox.source_images(&at(east()), selector)).expect("images");
    let mut ids: Vec<String> = images.iter().map(|image| image.id.to_string()).collect();
    ids.sort();
    ids
}

#[test]
fn copies_are_found_by_what_aws_states_and_by_their_tag_disabled_ones_too() {
    let source = ImageId::from("ami-0123456789abcdef0");
    let mut world = world();
    let plain = |id: &str| WorldImage::new(id, &account(), "web", time("2026-01-14T00:00:00Z"));
    let mut stated = plain("ami-stated");
    stated.copied_from = Some(ImageRef {
        id: source.clone(),
        region: east(),
    });
    stated.state = State::from("disabled");
    let mut elsewhere = plain("ami-elsewhere");
    elsewhere.copied_from = Some(ImageRef {
        id: source.clone(),
        region: Region::from("eu-west-1"),
    });
    let value = format!("20260114120000+0000 / {source}");
    let mut foreign = plain("ami-foreign").tag("Sync-From-us-east-1", &value);
    foreign.owner = AccountId::from("999999999999");
    foreign.public = true;
    let both = WorldImage {
        id: ImageId::from("ami-both"),
        ..stated.clone()
    }
    .tag("Sync-From-us-east-1", &value);
    for image in [
        stated,
        elsewhere,
        foreign,
        both,
        plain("ami-tagged").tag("Sync-From-us-east-1", &value),
        plain("ami-other").tag("Sync-From-us-east-1", &format!("{value}1")),
        plain("ami-plain"),
    ] {
        world.add_image(&west(), image);
    }
    let sandbox = Sandbox::new(world);
    let copies = wait(sandbox.image_copies(&at(west()), &east(), &[source])).expect("images");
    let mut ids: Vec<_> = copies.iter().map(|image| image.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ami-both", "ami-stated", "ami-tagged"]);

    let from = wait(sandbox.images_from(&at(west()), &east())).expect("images");
    let mut ids: Vec<_> = from.iter().map(|image| image.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["ami-both", "ami-other", "ami-stated", "ami-tagged"]);
}

#[test]
fn images_of_others_are_seen_if_shared_and_their_tags_are_not() {
    let mut world = world();
    let other = AccountId::from("999999999999");
    let theirs = |id: &str| {
        WorldImage::new(id, &other, "base", time("2026-01-14T00:00:00Z")).tag("Role", "base")
    };
    world.add_image(&east(), theirs("ami-private"));
    world.add_image(
        &east(),
        WorldImage {
            shared_with: vec![account()],
            ..theirs("ami-shared")
        },
    );
    let alias = Some("amazon".to_owned());
    world.add_image(
        &east(),
        WorldImage {
            public: true,
            owner_alias: alias,
            ..theirs("ami-public")
        },
    );
    let sandbox = Sandbox::new(world);
    assert_eq!(
        found(&sandbox, &selector("999999999999", &[], &[])),
        ["ami-public", "ami-shared"]
    );
    assert_eq!(
        found(&sandbox, &selector("amazon", &[], &[])),
        ["ami-public"]
    );
    assert_eq!(
        found(
            &sandbox,
            &selector("999999999999", &[], &[("tag:Role", &["base"])])
        ),
        [""; 0]
    );
    assert_eq!(
        found(&sandbox, &selector("self", &[], &[])),
        ["ami-0123456789abcdef0"]
    );
    assert_eq!(
        found(&sandbox, &selector(DEFAULT_ACCOUNT, &[], &[])),
        ["ami-0123456789abcdef0"]
    );
    let by_id = wait(sandbox.images(
        &at(east()),
        &[ImageId::from("ami-private"), ImageId::from("ami-shared")],
    ));
    let [shared] = by_id.expect("images").try_into().expect("one");
    assert_eq!((shared.id.as_str(), shared.tags.len()), ("ami-shared", 0));

    // One may tag what is shared, and alone sees it.
    let resource = Resource::Image(ImageId::from("ami-shared"));
    wait(sandbox.tag(&at(east()), &resource, &tags(&[("Role", "ours")]))).expect("tagged");
    assert_eq!(
        found(
            &sandbox,
            &selector("999999999999", &[], &[("tag:Role", &["ours"])])
        ),
        ["ami-shared"]
    );
    assert_eq!(
        sandbox.world().image(&east(), &shared.id).expect("it").tags,
        tags(&[("Role", "base")])
    );
}

#[test]
fn filters_find_what_they_say() {
    let mut world = world();
    let mut odd = WorldImage::new(
        "ami-odd",
        &account(),
        "web-2026",
        time("2025-03-01T10:00:00Z"),
    )
    .tag("Sync-Identifier", "Web Application")
    .tag("Environment", "Production");
    odd.description = "odd one".to_owned();
    odd.state = State::from("failed");
    odd.state_reason = Some("Internal error".to_owned());
    odd.copied_from = Some(ImageRef {
        id: ImageId::from("ami-1"),
        region: Region::from("eu-west-1"),
    });
    odd.encrypted = true;
    odd.public = true;
    odd.attributes = [("architecture", "arm64"), ("platform", "windows")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    world.add_image(&east(), odd);
    let mut disabled = WorldImage::new(
        "ami-disabled",
        &account(),
        "web-old",
        time("2025-01-01T00:00:00Z"),
    );
    disabled.state = State::from("disabled");
    world.add_image(&east(), disabled);
    let sandbox = Sandbox::new(world);
    let odd = ["ami-odd"];
    let web = ["ami-0123456789abcdef0"];
    let both = ["ami-0123456789abcdef0", "ami-odd"];
    let cases: [(&str, &[&str], &[&str]); 26] = [
        ("name", &["web*"], &both),
        ("name", &["web"], &web),
        ("name", &["nothing", "web-*"], &odd),
        ("tag:Environment", &["Prod*"], &odd),
        ("tag:environment", &["Production"], &[]),
        ("tag-key", &["Role"], &web),
        ("tag-value", &["Web Application"], &odd),
        ("description", &["odd*"], &odd),
        ("image-id", &["ami-odd"], &odd),
        ("state", &["available"], &web),
        ("state", &["available", "failed"], &both),
        ("state-reason-message", &["Internal*"], &odd),
        ("owner-id", &[DEFAULT_ACCOUNT], &both),
        ("owner-alias", &["amazon"], &[]),
        ("architecture", &["x86_64"], &web),
        ("architecture", &["arm64"], &odd),
        ("platform", &["windows"], &odd),
        ("image-type", &["machine"], &both),
        ("root-device-type", &["ebs"], &both),
        ("virtualization-type", &["hvm"], &both),
        ("is-public", &["true"], &odd),
        ("block-device-mapping.encrypted", &["false"], &web),
        ("block-device-mapping.volume-size", &["8"], &both),
        ("source-image-id", &["ami-1"], &odd),
        ("source-image-region", &["eu-west-*"], &odd),
        ("creation-date", &["2025-03-01T10:00:00.000Z"], &odd),
    ];
    for (name, values, ids) in cases {
        assert_eq!(
            found(&sandbox, &selector("self", &[], &[(name, values)])),
            ids,
            "{name} {values:?}"
        );
    }
    assert_eq!(
        found(&sandbox, &selector("self", &["x", "Web Application"], &[])),
        odd
    );
    assert_eq!(
        found(&sandbox, &selector("self", &["Web*"], &[])),
        [""; 0],
        "an identifier has no wildcards"
    );
    let ands = selector(
        "self",
        &["Web Application"],
        &[("name", &["web*"]), ("tag:Role", &["web"])],
    );
    assert_eq!(found(&sandbox, &ands), [""; 0]);
    let unknown = selector("self", &[], &[("colour", &["red"])]);
    let error = refused(
        wait(sandbox.source_images(&at(east()), &unknown)),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    assert_eq!(error.message, "The filter 'colour' is invalid");
}
