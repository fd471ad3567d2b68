//! Finding images.

use super::ErrorClass::{Absent, Invalid, Unknown};
use super::rds::deletion;
use super::*;

fn filter(name: &str, values: &[&str]) -> ImageFilter {
    ImageFilter {
        name: name.to_owned(),
        values: values.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn selector(owner: &str, identifiers: &[&str], filters: &[ImageFilter]) -> Query {
    let identifiers = identifiers.iter().map(|text| (*text).to_owned());
    Query::Matching(ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: identifiers.collect(),
        filters: filters.to_vec(),
    })
}

fn found(sandbox: &Sandbox, query: &Query) -> Vec<String> {
    ids(images(sandbox, east(), query))
}

const NONE: [&str; 0] = [];

#[test]
fn copies_are_found_by_what_aws_states_and_by_their_tag_even_if_disabled() {
    let source = ArtifactId::from(IMAGE);
    let key = "Sync-From-us-east-1";
    let value = format!("20260114120000+0000 / {source}");
    let plain = |id: &str| an_image(id, "web");
    let mut stated = plain("ami-stated");
    stated.copied_from = Some(Arn::of_image(&east(), &source));
    stated.state = ArtifactState::from("disabled");
    let mut elsewhere = plain("ami-elsewhere");
    elsewhere.copied_from = Some(Arn::of_image(&Region::from("eu-west-1"), &source));
    let mut foreign = plain("ami-foreign").tag(key, &value);
    foreign.account = AccountId::from("999999999999");
    foreign.public = true;
    let mut both = stated.clone().tag(key, &value);
    both.id = ArtifactId::from("ami-both");
    let tagged = plain("ami-tagged").tag(key, &value);
    let other = plain("ami-other").tag(key, &format!("{value}1"));
    let plain = plain("ami-plain");
    let mut world = world();
    for image in [stated, elsewhere, foreign, both, tagged, other, plain] {
        world.add_image(&west(), image);
    }
    let sandbox = Sandbox::new(world);
    let copies = ids(images(&sandbox, west(), &copies_of(&[IMAGE])));
    assert_eq!(copies, ["ami-both", "ami-stated", "ami-tagged"]);
    let all = ids(images(&sandbox, west(), &Query::CopiedFrom(east())));
    assert_eq!(all, ["ami-both", "ami-other", "ami-stated", "ami-tagged"]);
}

#[test]
fn images_of_others_are_seen_if_shared_and_their_tags_are_not() {
    const THEM: &str = "999999999999";
    let theirs = |id: &str| {
        let account = AccountId::from(THEM);
        let image = an_image(id, "base").tag("Role", "base");
        WorldArtifact { account, ..image }
    };
    let mut shared = theirs("ami-shared");
    shared.shared_with.push(account());
    let mut public = theirs("ami-public");
    public.public = true;
    public.owner_alias = Some("amazon".to_owned());
    let mut world = world();
    for image in [theirs("ami-private"), shared, public] {
        world.add_image(&east(), image);
    }
    let sandbox = Sandbox::new(world);
    let of = |owner: &str| found(&sandbox, &selector(owner, &[], &[]));
    assert_eq!(of(THEM), ["ami-public", "ami-shared"]);
    assert_eq!(of("amazon"), ["ami-public"]);
    // A disabled image is listed for its owner only.
    let set_state = |word: &str| {
        sandbox.edit(|world| {
            let image = world.image_mut(&east(), &ArtifactId::from("ami-shared"));
            image.expect("it").state = ArtifactState::from(word);
        });
    };
    set_state("disabled");
    assert_eq!(of(THEM), ["ami-public"]);
    set_state("available");
    assert_eq!(of("self"), [IMAGE]);
    assert_eq!(of(DEFAULT_ACCOUNT), [IMAGE]);
    let with_role = |role: &str| selector(THEM, &[], &[filter("tag:Role", &[role])]);
    assert_eq!(found(&sandbox, &with_role("base")), NONE);
    let by_id = found(&sandbox, &by_ids(&["ami-private", "ami-shared"]));
    assert_eq!(by_id, ["ami-shared"]);

    // An account with which an image is shared may tag it, and sees only its own tags.
    let shared = image(&sandbox, east(), &ArtifactId::from("ami-shared"));
    assert_eq!(shared.tags, Tags::new());
    let ours = Tags::from([("Role", "ours")]);
    let shared = shared.to_ref(&east());
    wait(sandbox.tag(&at(east()), Kind::Image, &shared, &ours)).expect("tagged");
    assert_eq!(found(&sandbox, &with_role("ours")), ["ami-shared"]);
    let world = sandbox.world();
    let stored = world.image(&east(), &shared.id).expect("the image");
    assert_eq!(stored.tags, Tags::from([("Role", "base")]));
}

/// An image with many odd facts, besides the usual one.
fn with_odd_image() -> Sandbox {
    let mut world = world();
    let odd = an_image("ami-odd", "web-2026").tag("Sync-Identifier", "Web Application");
    let mut odd = odd.tag("Environment", "Production");
    odd.created = Some(time("2025-03-01T10:00:00Z"));
    odd.description = "odd one".into();
    odd.state = ArtifactState::from("failed");
    odd.state_reason = Some("Internal error".to_owned());
    odd.copied_from = Some(Arn::from("arn:aws:ec2:eu-west-1::image/ami-1"));
    (odd.encrypted, odd.public) = (true, true);
    for (name, value) in [("architecture", "arm64"), ("platform", "windows")] {
        odd.attributes.insert(name.to_owned(), value.to_owned());
    }
    world.add_image(&east(), odd);
    Sandbox::new(world)
}

#[test]
fn filters_find_what_they_say() {
    let sandbox = with_odd_image();
    let (odd, web, both) = (["ami-odd"], [IMAGE], [IMAGE, "ami-odd"]);
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
        let query = selector("self", &[], &[filter(name, values)]);
        assert_eq!(found(&sandbox, &query), ids, "{name} {values:?}");
    }
    let identified = |identifiers: &[&str]| found(&sandbox, &selector("self", identifiers, &[]));
    assert_eq!(identified(&["x", "Web Application"]), odd);
    assert_eq!(identified(&["Web*"]), NONE, "without wildcards");
    let filters = [filter("name", &["web*"]), filter("tag:Role", &["web"])];
    let all = selector("self", &["Web Application"], &filters);
    assert_eq!(found(&sandbox, &all), NONE);
}

#[test]
fn filters_that_ec2_does_not_know_and_too_many_values_are_refused() {
    let sandbox = Sandbox::new(world());
    let refuse = |query: &Query, code: &str| {
        // Even if there is no image to compare with.
        refused(images(&sandbox, west(), query), code, Invalid).message
    };
    for (name, values) in [("tag", 1), ("tag:", 1), ("colour", 1), ("name", 0)] {
        let bad = filter(name, &vec!["x"; values]);
        let message = refuse(&selector("self", &[], &[bad]), "InvalidParameterValue");
        assert!(
            message.starts_with(&format!("The filter '{name}' ")),
            "{message}"
        );
    }
    let names = |count| filter("name", &vec!["x"; count]);
    let limit = "FilterLimitExceeded";
    images(&sandbox, west(), &selector("self", &["x"], &[names(199)])).expect("200 values");
    refuse(&selector("self", &["x"], &[names(200)]), limit);
    let states = filter("state", &["x"; 51]);
    refuse(&selector("self", &[], &[names(150), states]), limit);
    refuse(&by_ids(&["ami-1"; 201]), limit);
    refuse(&copies_of(&["ami-1"; 200]), limit);
}

fn deregister(sandbox: &Sandbox, account: &str, id: &str) -> Answer<Vec<String>> {
    let at = at_as(account, east());
    let left = wait(sandbox.delete(&at, &deletion(Kind::Image, id)))?;
    Ok(left.iter().map(ToString::to_string).collect())
}

#[test]
fn an_image_is_deregistered_with_the_snapshots_that_no_other_image_uses() {
    let mut world = world();
    world.add_account(&other_account());
    let image = world.image(&east(), &IMAGE.into()).expect("it");
    let mut shared = an_image("ami-shared", "web");
    shared
        .backing_snapshots
        .extend(image.backing_snapshots.clone());
    world.add_image(&east(), shared);
    let mut protected = an_image("ami-protected", "web");
    protected.deregistration_protection = true;
    world.add_image(&east(), protected);
    let sandbox = Sandbox::new(world);
    let deregister = |account, id| deregister(&sandbox, account, id);
    let left = deregister(DEFAULT_ACCOUNT, "ami-shared").expect("it is gone");
    assert_eq!(left, ["snap-0123456789abcdef0 (skipped)"]);
    assert_eq!(deregister(DEFAULT_ACCOUNT, IMAGE), Ok(Vec::new()));
    let gone = deregister(DEFAULT_ACCOUNT, IMAGE);
    refused(gone, "InvalidAMIID.NotFound", Absent);
    let of_other = deregister(OTHER_ACCOUNT, "ami-protected");
    refused(of_other, "InvalidAMIID.NotFound", Absent);
    let refusal = deregister(DEFAULT_ACCOUNT, "ami-protected");
    refused(refusal, "OperationNotPermitted", Unknown);
    assert_eq!(sandbox.world().regions[&east()].images.len(), 1);
}

#[test]
fn faults_keep_snapshots_of_a_deregistered_image() {
    for (code, reason) in [
        ("UnauthorizedOperation", "missing-permissions"),
        ("InternalError", "internal-error"),
        ("InvalidParameter", "client-error"),
    ] {
        let mut world = world();
        world
            .faults
            .push(Fault::new("DeleteSnapshot", code, "no", Some(1)));
        let left = deregister(&Sandbox::new(world), DEFAULT_ACCOUNT, IMAGE).expect("it is gone");
        assert_eq!(left, [format!("snap-0123456789abcdef0 ({reason})")]);
    }
}

#[test]
fn the_users_of_up_to_ten_own_images_are_named() {
    let mut world = world();
    let users = vec!["instance i-1".to_owned()];
    let image = world.image_mut(&east(), &IMAGE.into());
    image.expect("it").references = users.clone();
    let sandbox = Sandbox::new(world);
    let at = at(east());
    let read = |ids: &[&str]| {
        let ids: Vec<ArtifactId> = ids.iter().map(|id| ArtifactId::from(*id)).collect();
        wait(sandbox.image_references(&at, &ids))
    };
    let found = read(&[IMAGE]).expect("an answer");
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [(IMAGE.into(), users)]
    );
    refused(read(&[IMAGE, "ami-gone"]), "InvalidAMIID.NotFound", Absent);
    refused(read(&[IMAGE; 11]), "InvalidParameterValue", Invalid);
    refused(read(&[]), "InvalidParameterValue", Invalid);
}
