//! Copying and tagging images.

use aws_xregion_sync::model::action::Resource;
use aws_xregion_sync::model::inventory::{ImageRef, State};
use aws_xregion_sync::provider::sandbox::{BackingSnapshot, FailNextCopy, Fault};

use super::*;

fn copy(sandbox: &Sandbox, copy: &CopyImage, token: &str) -> Looked<ImageId> {
    wait(sandbox.copy_image(&at(west()), copy, token))
}

#[test]
fn a_copy_is_pending_until_its_time_has_come() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    let pending = image(&sandbox, west(), &id);
    assert_eq!(pending.state, State::from("pending"));
    assert_eq!(pending.name, "web");
    assert_eq!(pending.owner, account());
    assert_eq!(
        pending.copied_from,
        Some(ImageRef {
            id: ImageId::from("ami-0123456789abcdef0"),
            region: east()
        })
    );
    let both = tags(&[
        ("Role", "web"),
        (
            "Sync-From-us-east-1",
            "20260114120000+0000 / ami-0123456789abcdef0",
        ),
    ]);
    assert_eq!(pending.tags, both);
    assert_eq!(
        pending.created,
        Some(time("2026-01-15T06:00:01Z")),
        "the time of the call"
    );

    wait(sandbox.pause(9 * MINUTE));
    assert_eq!(image(&sandbox, west(), &id).state, State::from("pending"));
    wait(sandbox.pause(MINUTE));
    assert_eq!(image(&sandbox, west(), &id).state, State::available());
    assert_eq!(image(&sandbox, west(), &id).size_gib, Some(8));
}

#[test]
fn backing_snapshots_get_the_tags_without_the_sync_tag() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    let world = sandbox.world();
    let disks = &world
        .image(&west(), &id)
        .expect("the copy")
        .backing_snapshots;
    assert_eq!(
        *disks,
        [BackingSnapshot {
            size_gib: 8,
            tags: tags(&[("Role", "web")])
        }]
    );
}

#[test]
fn ids_are_new_and_the_same_in_the_same_history() {
    let mut taken = world();
    taken.add_image(
        &east(),
        WorldImage::new(
            "ami-00000000000000001",
            &account(),
            "web",
            time("2026-01-01T00:00:00Z"),
        ),
    );
    let ids = |world| {
        let sandbox = Sandbox::new(world);
        [
            copy(&sandbox, &the_image(), "t1").expect("a copy"),
            copy(&sandbox, &the_image(), "t2").expect("a copy"),
        ]
    };
    let [one, two] = ids(taken.clone());
    assert_ne!(one, two, "names need not be unique, ids are");
    assert_eq!(one, ImageId::from("ami-00000000000000002"));
    assert_eq!(ids(taken), [one, two]);
}

#[test]
fn the_same_token_with_the_same_request_gives_the_same_image_also_when_it_is_gone() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "token").expect("a copy");
    assert_eq!(copy(&sandbox, &the_image(), "token"), Ok(id.clone()));
    let other = CopyImage {
        name: "another".to_owned(),
        ..the_image()
    };
    refused(
        copy(&sandbox, &other, "token"),
        "IdempotentParameterMismatch",
        ErrorKind::Invalid,
    );
    let elsewhere = CopyImage {
        sync_tag: tag("Sync-From-us-east-1", "else"),
        ..the_image()
    };
    refused(
        copy(&sandbox, &elsewhere, "token"),
        "IdempotentParameterMismatch",
        ErrorKind::Invalid,
    );
    let same = CopyImage {
        reason: "for people".to_owned(),
        size_gib: Some(3),
        ..the_image()
    };
    assert_eq!(
        copy(&sandbox, &same, "token"),
        Ok(id.clone()),
        "what is not sent makes no difference"
    );

    sandbox.edit(|world| world.add_region(&west()).images.clear());
    assert_eq!(copy(&sandbox, &the_image(), "token"), Ok(id.clone()));
    assert_eq!(
        wait(sandbox.images(&at(west()), std::slice::from_ref(&id))),
        Ok(vec![])
    );
    assert_ne!(copy(&sandbox, &the_image(), "next"), Ok(id.clone()));

    let mut two = sandbox.world();
    two.add_account(&AccountId::from("432143214321"));
    two.image_mut(&east(), &ImageId::from("ami-0123456789abcdef0"))
        .expect("the source")
        .public = true;
    let sandbox = Sandbox::new(two);
    let theirs =
        wait(sandbox.copy_image(&at_as("432143214321", west()), &other, "token")).expect("a copy");
    assert_ne!(theirs, id, "tokens are per account");
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let mut world = world();
    let hidden = AccountId::from("999999999999");
    world.add_image(
        &east(),
        WorldImage::new(
            "ami-hidden",
            &hidden,
            "theirs",
            time("2026-01-01T00:00:00Z"),
        ),
    );
    let mut pending = WorldImage::new(
        "ami-pending",
        &account(),
        "pending",
        time("2026-01-01T00:00:00Z"),
    );
    pending.state = State::from("pending");
    world.add_image(&east(), pending);
    world.add_region(&Region::from("cn-north-1"));
    world.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(world);
    let refuse = |request: &CopyImage, token: &str, code: &str, kind| {
        refused(copy(&sandbox, request, token), code, kind)
    };
    refuse(
        &copy_of_image("ami-none"),
        "t",
        "InvalidAMIID.NotFound",
        ErrorKind::Absent,
    );
    refuse(
        &copy_of_image("ami-hidden"),
        "t",
        "InvalidAMIID.NotFound",
        ErrorKind::Absent,
    );
    refuse(
        &copy_of_image("ami-pending"),
        "t",
        "InvalidAMIID.Unavailable",
        ErrorKind::Invalid,
    );
    for region in ["us-east-9", "me-south-1", "cn-north-1"] {
        let away = CopyImage {
            source_region: Region::from(region),
            ..the_image()
        };
        refuse(&away, "t", "InvalidRequest", ErrorKind::Invalid);
    }
    for name in ["ab", "semi;colon", &"x".repeat(129)] {
        let named = CopyImage {
            name: name.to_owned(),
            ..the_image()
        };
        refuse(&named, "t", "InvalidAMIName.Malformed", ErrorKind::Invalid);
    }
    let described = CopyImage {
        description: "x".repeat(256),
        ..the_image()
    };
    refuse(&described, "t", "InvalidParameterValue", ErrorKind::Invalid);
    for token in ["", &"x".repeat(65), "tökën"] {
        refuse(
            &the_image(),
            token,
            "InvalidParameterValue",
            ErrorKind::Invalid,
        );
    }
    let reserved = CopyImage {
        tags: tags(&[("aws:x", "1")]),
        ..the_image()
    };
    refuse(&reserved, "t", "InvalidParameterValue", ErrorKind::Invalid);
    let fifty = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    let many = CopyImage {
        tags: fifty,
        ..the_image()
    };
    refuse(&many, "t", "TagLimitExceeded", ErrorKind::Invalid);
    assert_eq!(sandbox.world().regions[&west()].images, []);
}

#[test]
fn copies_in_flight_are_limited_per_destination() {
    let mut world = world();
    world.quotas.image_copies_in_flight = 1;
    world.add_region(&Region::from("eu-west-1"));
    let sandbox = Sandbox::new(world);
    copy(&sandbox, &the_image(), "t1").expect("a copy");
    refused(
        copy(&sandbox, &the_image(), "t2"),
        "ResourceLimitExceeded",
        ErrorKind::Quota,
    );
    copy(&sandbox, &the_image(), "t1").expect("that one again");
    wait(sandbox.copy_image(&at(Region::from("eu-west-1")), &the_image(), "t2"))
        .expect("elsewhere");
    wait(sandbox.pause(10 * MINUTE));
    copy(&sandbox, &the_image(), "t2").expect("there is room again");
}

#[test]
fn a_key_that_is_not_there_and_a_planned_failure_show_only_later() {
    let mut world = world();
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "Internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    let fails = copy(&sandbox, &the_image(), "t1").expect("accepted");
    let keyed = |key: &str| CopyImage {
        kms_key_id: Some(key.to_owned()),
        ..the_image()
    };
    let keyless = copy(&sandbox, &keyed("no-such-key"), "t2").expect("accepted");
    let good = copy(
        &sandbox,
        &keyed("1234abcd-12ab-34cd-56ef-1234567890ab"),
        "t3",
    )
    .expect("accepted");
    let own = "arn:aws:kms:us-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let own = copy(&sandbox, &keyed(own), "t4").expect("accepted");
    let away = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let away = copy(&sandbox, &keyed(away), "t5").expect("accepted");
    let plain = copy(&sandbox, &the_image(), "t6").expect("accepted");
    assert_eq!(
        image(&sandbox, west(), &fails).state,
        State::from("pending")
    );
    wait(sandbox.pause(10 * MINUTE));
    let ended = |id: &ImageId| {
        let image = image(&sandbox, west(), id);
        (image.state.to_string(), image.state_reason, image.encrypted)
    };
    let failed =
        |reason: &str, encrypted| ("failed".to_owned(), Some(reason.to_owned()), encrypted);
    let fine = |encrypted| ("available".to_owned(), None, encrypted);
    assert_eq!(ended(&fails), failed("Internal error", false));
    assert_eq!(
        ended(&keyless),
        failed("Given key ID is not accessible", true)
    );
    assert_eq!(ended(&good), fine(true));
    assert_eq!(ended(&own), fine(true));
    assert_eq!(ended(&away), failed("Given key ID is not accessible", true));
    assert_eq!(
        ended(&plain),
        fine(false),
        "a planned failure is used up by one copy"
    );
}

#[test]
fn what_was_done_by_hand_to_a_copy_under_way_stays_done() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    sandbox.edit(|world| {
        world.image_mut(&west(), &id).expect("the copy").state = State::from("deregistered")
    });
    wait(sandbox.pause(60 * MINUTE));
    assert_eq!(
        image(&sandbox, west(), &id).state,
        State::from("deregistered")
    );
    sandbox.edit(|world| {
        world.now = time("2030-01-01T00:00:00Z");
        world.add_region(&west()).images.clear();
    });
    let id = copy(&sandbox, &the_image(), "t2").expect("a copy");
    sandbox.edit(|world| world.now = time("2031-01-01T00:00:00Z"));
    assert_eq!(
        sandbox.world().image(&west(), &id).expect("the copy").state,
        State::available(),
        "settled at once"
    );
}

#[test]
fn tags_are_written_over_and_beside_the_others() {
    let sandbox = Sandbox::new(world());
    let id = ImageId::from("ami-0123456789abcdef0");
    let write = |id: &str, pairs: &[(&str, &str)]| {
        wait(sandbox.tag(
            &at(east()),
            &Resource::Image(ImageId::from(id)),
            &tags(pairs),
        ))
    };
    write(id.as_str(), &[("Role", "app"), ("Sync-us-west-1", "x")]).expect("tagged");
    assert_eq!(
        image(&sandbox, east(), &id).tags,
        tags(&[("Role", "app"), ("Sync-us-west-1", "x")])
    );
    refused(
        write("ami-none", &[("a", "b")]),
        "InvalidAMIID.NotFound",
        ErrorKind::Absent,
    );
    refused(
        write(id.as_str(), &[("aws:a", "b")]),
        "InvalidParameterValue",
        ErrorKind::Invalid,
    );
    let many: Vec<(String, String)> = (0..49).map(|n| (format!("k{n}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    refused(
        write(id.as_str(), &many),
        "TagLimitExceeded",
        ErrorKind::Invalid,
    );
    assert_eq!(
        image(&sandbox, east(), &id).tags.len(),
        2,
        "refused is refused whole"
    );
    sandbox.edit(|world| {
        world.faults.push(Fault::new(
            "CreateTags",
            "UnauthorizedOperation",
            "no",
            None,
        ))
    });
    refused(
        write(id.as_str(), &[("a", "b")]),
        "UnauthorizedOperation",
        ErrorKind::Denied,
    );
}
