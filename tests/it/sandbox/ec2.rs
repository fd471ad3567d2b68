//! Copying and tagging images.

use aws_xregion_sync::provider::sandbox::{BackingSnapshot, FailNextCopy, Fault};

use super::ErrorClass::{Absent, Busy, Conflict, Denied, Invalid};
use super::*;

fn tag(sandbox: &Sandbox, id: &str, tags: &Tags) -> Answer<()> {
    let image = a_ref(id, &Arn::of_image(&east(), &ArtifactId::from(id)));
    wait(sandbox.tag(&at(east()), Kind::Image, &image, &[], tags))
}

fn state_of(sandbox: &Sandbox, id: &ArtifactId) -> String {
    image(sandbox, west(), id).state.to_string()
}

#[test]
fn a_copy_is_pending_until_it_is_due() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    let pending = image(&sandbox, west(), &id);
    assert_eq!(pending.state.as_str(), "pending");
    assert_eq!(pending.name(), "web");
    assert_eq!(pending.owner(), Some(&account()));
    assert_eq!(pending.copied_from, Some(the_image().source.arn));
    assert_eq!(pending.arn, Arn::of_image(&west(), &id));
    let sync_tag = format!("20260114120000+0000 / {IMAGE}");
    let tags = Tags::from([("Role", "web"), ("Sync-From-us-east-1", &sync_tag)]);
    assert_eq!(pending.tags, tags);
    let of_the_call = time("2026-01-15T06:00:01Z");
    assert_eq!(pending.created, Some(of_the_call));
    assert_eq!((pending.size_gib, pending.encrypted), (None, None));
    assert_eq!(pending.percent, None);

    wait(sandbox.pause(9 * MINUTE));
    assert_eq!(state_of(&sandbox, &id), "pending");
    wait(sandbox.pause(MINUTE));
    assert_eq!(state_of(&sandbox, &id), "available");
    let done = image(&sandbox, west(), &id);
    assert_eq!((done.size_gib, done.created), (Some(8), Some(of_the_call)));
}

#[test]
fn backing_snapshots_get_ids_and_the_tags_of_the_copy() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    let world = sandbox.world();
    let copy = world.image(&west(), &id).expect("the copy");
    let tags = copy.tags.clone();
    assert_eq!(tags.len(), 2, "with the sync tag");
    let id = "snap-00000000000000010".into();
    let disk = BackingSnapshot {
        id,
        size_gib: 8,
        tags,
    };
    assert_eq!(copy.backing_snapshots, [disk]);
}

#[test]
fn ids_are_new_and_the_same_in_the_same_history() {
    let mut taken = world();
    taken.add_image(&east(), an_image("ami-00000000000000001", "web"));
    let ids = |world| {
        let sandbox = Sandbox::new(world);
        let tokens = ["t1", "t2"];
        tokens.map(|token| copy(&sandbox, &the_image(), token).expect("a copy"))
    };
    let [one, two] = ids(taken.clone());
    assert_ne!(one, two, "names need not be unique, ids are");
    assert_eq!(one.as_str(), "ami-00000000000000002");
    assert_eq!(ids(taken), [one, two]);
}

#[test]
fn the_same_token_with_the_same_request_gives_the_same_image_even_if_it_is_gone() {
    let mut world = world();
    world.add_account(&other_account());
    let source = world.image_mut(&east(), &ArtifactId::from(IMAGE));
    source.expect("the source").public = true;
    let sandbox = Sandbox::new(world);
    let id = copy(&sandbox, &the_image(), "token").expect("a copy");
    assert_eq!(copy(&sandbox, &the_image(), "token"), Ok(id.clone()));
    let mut other_tag = the_image();
    other_tag.sync_tag.value = "else".to_owned();
    let other_time = changed(the_image(), |copy| copy.copy_within_minutes = Some(15));
    for other in [image_named("another"), other_tag, other_time] {
        let answer = copy(&sandbox, &other, "token");
        refused(answer, "IdempotentParameterMismatch", Conflict);
    }
    let same = changed(the_image(), |copy| copy.reason = "for people".to_owned());
    let answer = copy(&sandbox, &same, "token");
    assert_eq!(answer, Ok(id.clone()), "only what is sent matters");

    sandbox.edit(|world| world.add_region(&west()).images.clear());
    assert_eq!(copy(&sandbox, &the_image(), "token"), Ok(id.clone()));
    let gone = images(&sandbox, west(), &by_ids(&[id.as_str()]));
    assert_eq!(gone, Ok(vec![]));
    assert_ne!(copy(&sandbox, &the_image(), "next"), Ok(id.clone()));
    let without_token = wait(sandbox.copy(&at(west()), &the_image(), None));
    assert_ne!(without_token, Ok(id.clone()));

    let there = at_as(OTHER_ACCOUNT, west());
    let theirs = wait(sandbox.copy(&there, &image_named("another"), Some("token")));
    assert_ne!(theirs.expect("a copy"), id, "tokens are per account");
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let mut world = world();
    let mut hidden = an_image("ami-hidden", "theirs");
    hidden.account = AccountId::from("999999999999");
    world.add_image(&east(), hidden);
    let mut pending = an_image("ami-pending", "pending");
    pending.state = ArtifactState::from("pending");
    world.add_image(&east(), pending);
    world.add_region(&Region::from("cn-north-1"));
    world.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(world);
    let refuse = |request: &Copy, token: &str, code: &str, class| {
        refused(copy(&sandbox, request, token), code, class);
    };
    let absent = "InvalidAMIID.NotFound";
    refuse(&copy_of_image("ami-none"), "t", absent, Absent);
    refuse(&copy_of_image("ami-hidden"), "t", absent, Absent);
    let pending = copy_of_image("ami-pending");
    refuse(&pending, "t", "InvalidAMIID.Unavailable", Invalid);
    for region in ["us-east-9", "me-south-1", "cn-north-1"] {
        let mut away = the_image();
        away.source.region = Region::from(region);
        refuse(&away, "t", "InvalidRequest", Invalid);
    }
    for name in ["ab", "semi;colon", &"x".repeat(129)] {
        let named = image_named(name);
        refuse(&named, "t", "InvalidAMIName.Malformed", Invalid);
    }
    let long = "x".repeat(257);
    let described = |copy: &mut Copy| copy.copy.description = Some(long.clone());
    wrong_value(copy(&sandbox, &changed(the_image(), described), "t"));
    for token in ["", &long, "tökën"] {
        wrong_value(copy(&sandbox, &the_image(), token));
    }
    let tagged = |tags: Tags| changed(the_image(), |copy| copy.tags = tags);
    for (key, value) in [("aws:x", "1"), ("AWS:x", "1"), ("", "1"), ("k", &long)] {
        let tagged = tagged(Tags::from([(key, value)]));
        wrong_value(copy(&sandbox, &tagged, "t"));
    }
    let fifty = (0..50).map(|n| (format!("k{n}"), "")).collect();
    refuse(&tagged(fifty), "t", "TagLimitExceeded", Invalid);
    assert_eq!(sandbox.world().regions[&west()].images, []);
}

#[test]
fn concurrent_copies_are_limited_in_each_destination() {
    let eu = Region::from("eu-west-1");
    let mut world = world();
    world.quotas.image_copies_in_flight = 1;
    world.add_region(&eu);
    let sandbox = Sandbox::new(world);
    copy(&sandbox, &the_image(), "t1").expect("a copy");
    let second = copy(&sandbox, &the_image(), "t2");
    refused(second, "ResourceLimitExceeded", Busy);
    copy(&sandbox, &the_image(), "t1").expect("the same copy again");
    let elsewhere = wait(sandbox.copy(&at(eu), &the_image(), Some("t2")));
    elsewhere.expect("a copy elsewhere");
    wait(sandbox.pause(10 * MINUTE));
    copy(&sandbox, &the_image(), "t2").expect("there is room again");
}

#[test]
fn an_unknown_key_and_a_planned_failure_show_only_later() {
    let mut world = world();
    world.fail_next_copies.push(FailNextCopy {
        region: west(),
        reason: "Internal error".to_owned(),
    });
    let sandbox = Sandbox::new(world);
    let failing = copy(&sandbox, &the_image(), "t").expect("accepted");
    let with_key = |key: &str, token: &str| {
        let key = Some(key.to_owned());
        let keyed = changed(the_image(), |copy| copy.kms_key_id = key);
        copy(&sandbox, &keyed, token).expect("accepted")
    };
    let arn_in = |region: &str| format!("arn:aws:kms:{region}:{DEFAULT_ACCOUNT}:key/{KEY}");
    let unknown = with_key("no-such-key", "t1");
    let away = with_key(&arn_in("us-east-1"), "t2");
    let known = [KEY, "alias/aws/ebs", &arn_in("us-west-1")];
    let known = known.map(|key| with_key(key, &key[..4]));
    let plain = copy(&sandbox, &the_image(), "t6").expect("accepted");
    assert_eq!(state_of(&sandbox, &failing), "pending");
    wait(sandbox.pause(10 * MINUTE));
    let end = |id: &ArtifactId| {
        let image = image(&sandbox, west(), id);
        let reason = image.state_reason().map(str::to_owned);
        (image.state.is_available(), reason, image.encrypted)
    };
    let failed = |reason: &str, encrypted| (false, Some(reason.to_owned()), Some(encrypted));
    assert_eq!(end(&failing), failed("Internal error", false));
    let no_key = failed("Given key ID is not accessible", true);
    assert_eq!((end(&unknown), end(&away)), (no_key.clone(), no_key));
    for id in &known {
        assert_eq!(end(id), (true, None, Some(true)));
    }
    let used_up = "a planned failure is used up by one copy";
    assert_eq!(end(&plain), (true, None, Some(false)), "{used_up}");
}

#[test]
fn a_copy_that_was_changed_by_hand_keeps_its_state() {
    let sandbox = Sandbox::new(world());
    let id = copy(&sandbox, &the_image(), "t").expect("a copy");
    sandbox.edit(|world| {
        let copy = world.image_mut(&west(), &id).expect("the copy");
        copy.state = ArtifactState::from("deregistered");
    });
    wait(sandbox.pause(60 * MINUTE));
    assert_eq!(state_of(&sandbox, &id), "deregistered");

    let id = copy(&sandbox, &the_image(), "t2").expect("a copy");
    sandbox.edit(|world| world.now = time("2031-01-01T00:00:00Z"));
    let world = sandbox.world();
    let copy = world.image(&west(), &id).expect("the copy");
    assert!(copy.state.is_available(), "settled at once");
}

#[test]
fn tags_replace_those_with_the_same_key_and_keep_the_others() {
    let sandbox = Sandbox::new(world());
    let new = Tags::from([("Role", "app"), ("Sync-us-west-1", "x")]);
    tag(&sandbox, IMAGE, &new).expect("tagged");
    let tags = || image(&sandbox, east(), &ArtifactId::from(IMAGE)).tags;
    assert_eq!(tags(), new);
    let answer = tag(&sandbox, "ami-none", &new);
    refused(answer, "InvalidAMIID.NotFound", Absent);
    let (id, others) = (ArtifactId::from(IMAGE), ["snap-of-another".into()]);
    let tagged = a_ref(IMAGE, &Arn::of_image(&east(), &id));
    let answer = wait(sandbox.tag(
        &at(east()),
        Kind::Image,
        &tagged,
        &others,
        &Tags::from([("k", "v")]),
    ));
    refused(answer, "InvalidSnapshot.NotFound", Absent);
    assert_eq!(tags(), new, "nothing is written");
    let many = |count: usize, prefix: &str| -> Tags {
        (0..count).map(|n| (format!("{prefix}{n}"), "")).collect()
    };
    wrong_value(tag(&sandbox, IMAGE, &many(1, "aws:")));
    let too_many = tag(&sandbox, IMAGE, &many(49, "k"));
    refused(too_many, "TagLimitExceeded", Invalid);
    assert_eq!(tags().len(), 2, "nothing is written");
    sandbox.edit(|world| {
        let image = world.image_mut(&east(), &ArtifactId::from(IMAGE));
        image.expect("it").tags.extend(many(50, "aws:").iter());
    });
    tag(&sandbox, IMAGE, &many(48, "k")).expect("tags of AWS do not count");

    let fault = Fault::new("CreateTags", "UnauthorizedOperation", "no", None);
    sandbox.edit(|world| world.faults.push(fault));
    let denied = tag(&sandbox, IMAGE, &new);
    refused(denied, "UnauthorizedOperation", Denied);
}
