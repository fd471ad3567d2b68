//! Scenarios of images.

use super::*;

const APP: &str = "sync_my_web_app";
const COPIED: [&str; 2] = ["sync_my_web_app/copy", "sync_my_web_app/tag-source"];

fn web_app(world: &World) -> Planned {
    Planned::new(world.clone(), [ami_job(APP, "Web Application")])
}

fn with_image() -> World {
    let mut world = empty_world();
    add_image(&mut world, "ami-0a", "web", "Web Application");
    world
}

#[test]
fn syncing_there_and_back_does_not_loop() {
    let there = ami_job("sync_there", "Web Application");
    let mut back = ami_job("sync_back", "Web Application");
    std::mem::swap(&mut back.source_region, &mut back.destination_region);
    let planned = Planned::new(with_image(), [there.clone()]);
    planned.succeeds();
    wait_for_copies(&planned.sandbox);
    let planned = Planned::new(planned.sandbox.world(), [there, back]);
    planned.assert_nothing_to_do();
    let back = failed(&planned, "sync_back");
    assert_says(&back.errors[0].message, "ami-00000000000000001 (a copy)");
}

#[test]
fn two_jobs_that_select_the_same_image_make_one_copy() {
    let mut jobs = ["sync_first", "sync_second"].map(|name| ami_job(name, "Web Application"));
    let expected = ["sync_first/copy", "sync_first/tag-source"];
    let planned = Planned::new(with_image(), jobs.clone());
    assert_eq!(actions(&planned.plan), expected);
    assert_says(&job(&planned.plan, "sync_second").reason, "sync_first");

    jobs[1].kms_key_id = Some("alias/aws/ebs".to_owned());
    let planned = Planned::new(with_image(), jobs);
    failed(&planned, "sync_second");
    assert_eq!(actions(&planned.plan), expected);
}

#[test]
fn images_are_chosen_as_the_config_says() {
    let none = web_app(&empty_world());
    let error = &failed(&none, APP).errors[0];
    assert_says(&error.message, "no available image for sync_my_web_app");
    assert_help(error, "not visible");

    let mut world = with_image();
    add_image(&mut world, "ami-0b", "web 2", "Web Application");
    image_mut(&mut world, "ami-0b").state = state("pending");
    let pending = web_app(&world);
    assert_eq!(actions(&pending.plan), COPIED);
    assert_says(&job(&pending.plan, APP).warnings[0], "ami-0b");

    let second = image_mut(&mut world, "ami-0b");
    (second.state, second.created) = (state("available"), Some(days_ago(0)));
    let several = web_app(&world);
    let error = &failed(&several, APP).errors[0];
    assert_says(&error.message, "ami-0a, ami-0b");
    let mut newest = ami_job(APP, "Web Application");
    change_ami(&mut newest, |ami| ami.most_recent = true);
    let newest = Planned::new(world, [newest]);
    let Action::Copy(copy) = &newest.plan.jobs[0].actions[0] else {
        panic!("{:?}", newest.plan.jobs[0])
    };
    assert_eq!(copy.source.id.as_str(), "ami-0b");
}

#[test]
fn the_source_that_aws_states_outranks_the_tags_of_a_copy() {
    let mut world = with_image();
    let owner = world.default_account();
    // Tagged as a copy of the image, but AWS says that it was copied from another.
    let mut other = WorldArtifact::image("ami-0b", &owner, "web", days_ago(0))
        .tag("Sync-From-us-east-1", "20260114051000+0000 / ami-0a");
    other.copied_from = Some(Arn::of_image(&east(), &"ami-0f".into()));
    world.add_image(&west(), other);
    assert_eq!(actions(&web_app(&world).plan), COPIED);
}

#[test]
fn a_deprecated_image_is_taken_only_if_no_other_one_matches() {
    let mut world = with_image();
    image_mut(&mut world, "ami-0a").deprecated = Some(days_ago(3));
    let alone = web_app(&world);
    assert_eq!(actions(&alone.plan), COPIED);
    let says = "image ami-0a is deprecated, and no other image matches";
    assert_says(&alone.plan.jobs[0].warnings.join("\n"), says);
    add_image(&mut world, "ami-0b", "other", "Web Application");
    let planned = web_app(&world);
    assert_says(&planned.plan.jobs[0].reason, "image ami-0b ");
    assert_eq!(planned.plan.jobs[0].warnings, Vec::<String>::new());
}

#[test]
fn a_disabled_image_is_named_where_none_matches() {
    let mut world = with_image();
    image_mut(&mut world, "ami-0a").state = state("disabled");
    let planned = web_app(&world);
    let error = &failed(&planned, APP).errors[0];
    assert_says(&error.message, "found ami-0a (disabled)");
}

#[test]
fn the_snapshots_of_a_copy_get_the_tags_that_the_copy_gets_later() {
    const ADOPTED: [&str; 2] = ["sync_my_web_app/tag-copy", "sync_my_web_app/tag-source"];
    let tags_of_copy = |sandbox: &Sandbox| {
        let [copy] = <[WorldArtifact; 1]>::try_from(images_in_destination(sandbox)).expect("one");
        for snapshot in &copy.backing_snapshots {
            assert_eq!(snapshot.tags, copy.tags);
        }
        assert_ne!(copy.backing_snapshots.len(), 0);
        copy.tags
    };
    let mut world = with_image();
    let source = image_mut(&mut world, "ami-0a");
    let named = "20260114051000+0000 / ami-0c";
    *source = source.clone().tag("Sync-us-west-1", named);
    let owner = world.default_account();
    let mut copy = WorldArtifact::image("ami-0c", &owner, "web", days_ago(0));
    copy.copied_from = Some(Arn::of_image(&east(), &"ami-0a".into()));
    world.add_image(&west(), copy);

    let adopted = web_app(&world);
    assert_eq!(actions(&adopted.plan), ADOPTED);
    adopted.succeeds();
    let tags = tags_of_copy(&adopted.sandbox);
    let keys: Vec<&str> = tags.keys().collect();
    assert_eq!(keys, ["Sync-From-us-east-1", "Sync-Identifier"]);

    let mut world = adopted.sandbox.world();
    let source = image_mut(&mut world, "ami-0a");
    source.tags.insert("Sync-Identifier", "Web Shop");
    let renamed = Planned::new(world, [ami_job(APP, "Web Shop")]);
    assert_eq!(actions(&renamed.plan), ADOPTED);
    renamed.succeeds();
    let identifier = tags_of_copy(&renamed.sandbox);
    assert_eq!(identifier.get("Sync-Identifier"), Some("Web Shop"));
}
