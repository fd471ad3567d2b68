//! What holds for every call: identity, regions, the clock, errors planned and unplanned, saving.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::provider::sandbox::Fault;

use super::*;

#[test]
fn the_caller_is_whom_the_config_states_if_the_world_knows_him() {
    let mut world = world();
    world.add_account(&AccountId::from("432143214321"));
    let sandbox = Sandbox::new(world);
    let as_whom = |place| {
        wait(sandbox.caller_identity(&place))
            .expect("an identity")
            .account_id
    };
    assert_eq!(as_whom(at(east())), account());
    assert_eq!(
        as_whom(at_as("432143214321", east())),
        AccountId::from("432143214321")
    );
    assert_eq!(
        as_whom(at_as("999999999999", east())),
        account(),
        "the caller finds out that it is another"
    );
    assert_eq!(sandbox.kind(), ProviderKind::Sandbox);

    let config = ClientConfig {
        endpoint_url: Some("http://localhost:5000".to_owned()),
        ..ClientConfig::default()
    };
    let place = Place {
        credentials: Arc::new(config),
        region: east(),
    };
    let identity = wait(sandbox.caller_identity(&place)).expect("an identity");
    assert_eq!(
        identity.endpoint_url.as_deref(),
        Some("http://localhost:5000")
    );
}

#[test]
fn a_region_that_is_not_there_cannot_be_reached_and_one_not_enabled_refuses() {
    let mut world = world();
    world.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(world);
    let nowhere = at(Region::from("us-east-9"));
    let closed = at(Region::from("me-south-1"));
    let image = [ImageId::from("ami-0123456789abcdef0")];
    let database = [DbInstance::from("mydb")];
    let error = refused(
        wait(sandbox.images(&nowhere, &image)),
        "DispatchFailure",
        ErrorKind::Unknown,
    );
    assert_eq!(
        (error.call, error.region),
        ("DescribeImages", Region::from("us-east-9"))
    );
    refused(
        wait(sandbox.caller_identity(&nowhere)),
        "DispatchFailure",
        ErrorKind::Unknown,
    );
    refused(
        wait(sandbox.images(&closed, &image)),
        "AuthFailure",
        ErrorKind::Denied,
    );
    refused(
        wait(sandbox.automated_snapshots(&closed, &database)),
        "OptInRequired",
        ErrorKind::Denied,
    );
}

#[test]
fn the_clock_moves_a_second_with_each_call_and_as_long_as_one_pauses() {
    let sandbox = Sandbox::new(world());
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:00Z"));
    assert_eq!(
        sandbox.now(),
        time("2026-01-15T06:00:00Z"),
        "looking at a clock takes no time"
    );
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:01Z"));
    wait(sandbox.pause(Duration::from_secs(90)));
    assert_eq!(sandbox.now(), time("2026-01-15T06:01:31Z"));
    wait(sandbox.pause(Duration::MAX));
    assert_eq!(sandbox.now(), Timestamp::MAX);
}

#[test]
fn planned_errors_come_as_often_as_planned_and_only_where_planned() {
    let mut world = world();
    world.faults.push(Fault::new(
        "DescribeImages",
        "RequestLimitExceeded",
        "Request limit exceeded.",
        Some(2),
    ));
    let denied = Fault::new(
        "DescribeDBSnapshots",
        "AccessDenied",
        "not authorized",
        None,
    );
    world.faults.push(Fault {
        region: Some(west()),
        ..denied
    });
    let sandbox = Sandbox::new(world);
    let image = [ImageId::from("ami-0123456789abcdef0")];
    let database = [DbInstance::from("mydb")];
    for _ in 0..2 {
        let error = refused(
            wait(sandbox.images(&at(east()), &image)),
            "RequestLimitExceeded",
            ErrorKind::Throttled,
        );
        assert_eq!(error.message, "Request limit exceeded.");
    }
    assert_eq!(
        wait(sandbox.images(&at(east()), &image))
            .expect("images")
            .len(),
        1
    );
    for _ in 0..5 {
        refused(
            wait(sandbox.manual_snapshots(&at(west()), &database)),
            "AccessDenied",
            ErrorKind::Denied,
        );
    }
    assert_eq!(
        wait(sandbox.automated_snapshots(&at(east()), &database))
            .expect("snapshots")
            .len(),
        3
    );
    assert_eq!(sandbox.world().faults.len(), 1, "what is used up is gone");
}

#[test]
fn a_planned_error_has_no_effect() {
    let mut world = world();
    world.faults.push(Fault::new(
        "CopyImage",
        "InternalError",
        "An internal error has occurred",
        Some(1),
    ));
    let sandbox = Sandbox::new(world);
    refused(
        wait(sandbox.copy_image(&at(west()), &the_image(), "t")),
        "InternalError",
        ErrorKind::Unknown,
    );
    assert_eq!(sandbox.world().regions[&west()].images, []);
}

#[test]
fn expired_credentials_stop_one_account_alone() {
    let mut world = world();
    world.add_account(&AccountId::from("432143214321"));
    world
        .expired_credentials
        .push(AccountId::from("432143214321"));
    let sandbox = Sandbox::new(world);
    refused(
        wait(sandbox.caller_identity(&at_as("432143214321", east()))),
        "ExpiredToken",
        ErrorKind::Expired,
    );
    let image = [ImageId::from("ami-0123456789abcdef0")];
    refused(
        wait(sandbox.images(&at_as("432143214321", east()), &image)),
        "RequestExpired",
        ErrorKind::Expired,
    );
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
}

#[test]
fn calls_are_written_down_in_order() {
    let sandbox = Sandbox::new(world());
    let image = [ImageId::from("ami-0123456789abcdef0")];
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
    wait(sandbox.image_copies(&at(west()), &east(), &image)).expect("images");
    wait(sandbox.manual_snapshots(&at(west()), &[DbInstance::from("a"), DbInstance::from("b")]))
        .expect("snapshots");
    wait(sandbox.copy_image(&at(west()), &copy_of_image("ami-2"), "t")).expect_err("no such image");
    let calls = sandbox.calls();
    let said: Vec<_> = calls
        .iter()
        .map(|call| (call.call, call.region.as_str(), call.write))
        .collect();
    let west = "us-west-1";
    assert_eq!(
        said,
        [
            ("GetCallerIdentity", "us-east-1", false),
            ("DescribeImages", west, false),
            ("DescribeImages", west, false),
            ("DescribeDBSnapshots", west, false),
            ("CopyImage", west, true),
        ]
    );
    assert_eq!(calls[4].error.as_deref(), Some("InvalidAMIID.NotFound"));
    assert_eq!(
        (calls[0].at, calls[4].at),
        (time("2026-01-15T06:00:01Z"), time("2026-01-15T06:00:05Z"))
    );
}

#[test]
fn nothing_is_asked_for_an_empty_list() {
    let sandbox = Sandbox::new(world());
    assert_eq!(wait(sandbox.images(&at(west()), &[])), Ok(vec![]));
    assert_eq!(
        wait(sandbox.image_copies(&at(west()), &east(), &[])),
        Ok(vec![])
    );
    assert_eq!(
        wait(sandbox.automated_snapshots(&at(east()), &[])),
        Ok(vec![])
    );
    assert_eq!(wait(sandbox.manual_snapshots(&at(west()), &[])), Ok(vec![]));
    assert_eq!(wait(sandbox.snapshots(&at(west()), &[])), Ok(vec![]));
    assert_eq!(sandbox.calls(), []);
}

#[test]
fn a_write_is_saved_before_it_is_answered_and_a_read_is_not() {
    let saved = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&saved);
    let save = move |world: &World| {
        into.lock().expect("not poisoned").push(world.clone());
        Ok(())
    };
    let sandbox = Sandbox::with_save(world(), Box::new(save));
    let count = || saved.lock().expect("not poisoned").len();
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
    assert_eq!(count(), 0);
    wait(sandbox.copy_image(&at(west()), &copy_of_image("ami-2"), "t")).expect_err("no such image");
    assert_eq!(count(), 0, "nothing has changed");
    wait(sandbox.copy_image(&at(west()), &the_image(), "t")).expect("a copy");
    assert_eq!(count(), 1);
    sandbox.save().expect("saved");
    assert_eq!(
        *saved.lock().expect("not poisoned").last().expect("saved"),
        sandbox.world()
    );
    assert_eq!(
        Sandbox::new(world()).save(),
        Ok(()),
        "there is nowhere to save it to"
    );
}

#[test]
fn what_cannot_be_saved_has_happened_all_the_same_and_is_answered_with_an_error() {
    let broken = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&broken);
    let save = move |_: &World| {
        if asked.load(Ordering::Relaxed) {
            Err("disk full".to_owned())
        } else {
            Ok(())
        }
    };
    let sandbox = Sandbox::with_save(world(), Box::new(save));
    let error = refused(
        wait(sandbox.copy_image(&at(west()), &the_image(), "t")),
        "SandboxNotSaved",
        ErrorKind::Unknown,
    );
    assert_eq!(error.message, "disk full");
    assert_eq!(sandbox.save(), Err("disk full".to_owned()));
    broken.store(false, Ordering::Relaxed);
    let id = wait(sandbox.copy_image(&at(west()), &the_image(), "t")).expect("the same copy");
    let images = &sandbox.world().regions[&west()].images;
    assert_eq!(
        images.iter().map(|image| &image.id).collect::<Vec<_>>(),
        [&id]
    );
}

#[test]
fn things_are_listed_in_an_order_that_only_the_seed_decides() {
    let listed = |seed, backwards| {
        let mut world = world();
        world.listing_seed = seed;
        let here = world.add_region(&east());
        if backwards {
            here.snapshots.reverse();
        }
        let sandbox = Sandbox::new(world);
        let snapshots = wait(sandbox.automated_snapshots(&at(east()), &[DbInstance::from("mydb")]));
        snapshots
            .expect("snapshots")
            .into_iter()
            .map(|snapshot| snapshot.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(7, false), listed(7, true));
    assert!((0..10).any(|seed| listed(seed, false) != listed(7, false)));
}

#[test]
fn calls_side_by_side_take_turns() {
    let sandbox = Sandbox::new(world());
    let one = async {
        for _ in 0..2 {
            sandbox
                .caller_identity(&at(east()))
                .await
                .expect("an identity");
        }
    };
    let other = async {
        for _ in 0..2 {
            sandbox
                .caller_identity(&at(west()))
                .await
                .expect("an identity");
        }
    };
    wait(async { tokio::join!(one, other) });
    let regions: Vec<_> = sandbox
        .calls()
        .into_iter()
        .map(|call| call.region)
        .collect();
    let [first, second, third, fourth] = regions.try_into().expect("four calls");
    assert_ne!(first, second);
    assert_ne!(third, fourth);
}

#[test]
fn a_panic_of_somebody_who_edits_the_world_does_not_close_it() {
    let sandbox = Sandbox::new(world());
    let edit = std::panic::AssertUnwindSafe(|| sandbox.edit(|_| panic!("slip")));
    std::panic::catch_unwind(edit).expect_err("a panic");
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:00Z"));
}
