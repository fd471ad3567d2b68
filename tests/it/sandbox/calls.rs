//! What holds for every call: identity, regions, the clock, planned errors, saving.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::ErrorClass::{Absent, Denied, Expired, Throttled, Unknown};
use super::*;

#[test]
fn the_caller_belongs_to_the_stated_account_if_the_world_has_it() {
    let mut world = world();
    world.add_account(&other_account());
    let sandbox = Sandbox::new(world);
    let account_at = |at: Location| {
        let identity = wait(sandbox.caller_identity(&at));
        identity.expect("an identity").account_id
    };
    assert_eq!(account_at(at(east())), account());
    assert_eq!(account_at(at_as(OTHER_ACCOUNT, east())), other_account());
    assert_eq!(account_at(at_as("999999999999", east())), account());
    assert_eq!(sandbox.kind(), ProviderKind::Sandbox);

    let endpoint_url = Some("http://localhost:5000".to_owned());
    let config = ClientConfig {
        endpoint_url: endpoint_url.clone(),
        ..ClientConfig::default()
    };
    let identity = wait(sandbox.caller_identity(&at_with(config, east())));
    assert_eq!(identity.expect("an identity").endpoint_url, endpoint_url);
}

#[test]
fn a_region_that_does_not_exist_is_not_reached_and_one_that_is_not_enabled_refuses() {
    let mut world = world();
    world.add_region(&Region::from("me-south-1")).enabled = false;
    let sandbox = Sandbox::new(world);
    let nowhere = Region::from("us-east-9");
    let closed = Region::from("me-south-1");
    let found = images(&sandbox, nowhere.clone(), &by_ids(&[IMAGE]));
    let error = refused(found, "DispatchFailure", Unknown);
    assert_eq!((error.call, &error.region), ("DescribeImages", &nowhere));
    let identity = wait(sandbox.caller_identity(&at(nowhere)));
    refused(identity, "DispatchFailure", Unknown);
    let found = images(&sandbox, closed.clone(), &by_ids(&[IMAGE]));
    refused(found, "AuthFailure", Denied);
    let found = snapshots(&sandbox, closed, &automated(&["mydb"]));
    refused(found, "OptInRequired", Denied);
}

#[test]
fn the_clock_moves_a_second_with_each_call_and_by_the_length_of_a_pause() {
    let sandbox = Sandbox::new(world());
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:00Z"));
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
    let (code, message) = ("RequestLimitExceeded", "Request limit exceeded.");
    let throttled = Fault::new("DescribeImages", code, message, Some(2));
    let denied = Fault::new("DescribeDBSnapshots", "AccessDenied", "no", None);
    world.faults.push(throttled);
    world.faults.push(Fault {
        region: Some(west()),
        ..denied
    });
    let sandbox = Sandbox::new(world);
    for _ in 0..2 {
        let found = images(&sandbox, east(), &by_ids(&[IMAGE]));
        assert_eq!(refused(found, code, Throttled).message, message);
    }
    assert_eq!(ids(images(&sandbox, east(), &by_ids(&[IMAGE]))), [IMAGE]);
    for _ in 0..5 {
        let found = snapshots(&sandbox, west(), &manual(&["mydb"]));
        refused(found, "AccessDenied", Denied);
    }
    let found = snapshots(&sandbox, east(), &automated(&["mydb"]));
    assert_eq!(found.expect("snapshots").len(), 3);
    assert_eq!(sandbox.world().faults.len(), 1, "a used fault is gone");
}

#[test]
fn a_planned_error_has_no_effect() {
    let mut world = world();
    let fault = Fault::new("CopyImage", "InternalError", "sorry", Some(1));
    world.faults.push(fault);
    let sandbox = Sandbox::new(world);
    let answer = copy(&sandbox, &the_image(), "t");
    refused(answer, "InternalError", Unknown);
    assert_eq!(sandbox.world().regions[&west()].images, []);
}

#[test]
fn expired_credentials_stop_one_account_only() {
    let mut world = world();
    world.add_account(&other_account());
    world.expired_credentials.push(other_account());
    let sandbox = Sandbox::new(world);
    let expired = at_as(OTHER_ACCOUNT, east());
    let identity = wait(sandbox.caller_identity(&expired));
    refused(identity, "ExpiredToken", Expired);
    let found = wait(sandbox.find(&expired, Kind::Image, &by_ids(&[IMAGE])));
    refused(found, "RequestExpired", Expired);
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
}

#[test]
fn calls_are_recorded_in_order() {
    let sandbox = Sandbox::new(world());
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
    images(&sandbox, west(), &copies_of(&[IMAGE])).expect("images");
    snapshots(&sandbox, west(), &manual(&["a", "b"])).expect("snapshots");
    copy(&sandbox, &copy_of_image("ami-2"), "t").expect_err("no such image");
    let calls = sandbox.calls();
    let recorded: Vec<_> = calls
        .iter()
        .map(|call| (call.call, call.region.as_str(), call.write))
        .collect();
    let west = "us-west-1";
    assert_eq!(
        recorded,
        [
            ("GetCallerIdentity", "us-east-1", false),
            ("DescribeImages", west, false),
            ("DescribeImages", west, false),
            ("DescribeDBSnapshots", west, false),
            ("CopyImage", west, true),
        ]
    );
    assert_eq!(calls[4].error.as_deref(), Some("InvalidAMIID.NotFound"));
    assert_eq!(calls[0].at, time("2026-01-15T06:00:01Z"));
    assert_eq!(calls[4].at, time("2026-01-15T06:00:05Z"));
}

#[test]
fn a_query_for_another_kind_is_refused_and_not_answered_with_nothing() {
    let sandbox = Sandbox::new(world());
    wrong_value(images(&sandbox, east(), &Query::AllManual));
    wrong_value(snapshots(&sandbox, east(), &Query::CopiedFrom(west())));
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
    let last = || saved.lock().expect("not poisoned").last().cloned();
    wait(sandbox.caller_identity(&at(east()))).expect("an identity");
    let refusal = copy(&sandbox, &copy_of_image("ami-2"), "t");
    refused(refusal, "InvalidAMIID.NotFound", Absent);
    assert_eq!(last(), None, "nothing has changed");
    copy(&sandbox, &the_image(), "t").expect("a copy");
    assert_eq!(last(), Some(sandbox.world()));
    wait(sandbox.pause(MINUTE));
    sandbox.save().expect("saved");
    assert_eq!(last(), Some(sandbox.world()));
    assert_eq!(Sandbox::new(world()).save(), Ok(()), "there is no place");
}

#[test]
fn a_write_that_is_not_saved_takes_effect_and_is_answered_with_an_error() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&is_broken);
    let save = move |_: &World| match asked.load(Ordering::Relaxed) {
        true => Err("disk full".to_owned()),
        false => Ok(()),
    };
    let sandbox = Sandbox::with_save(world(), Box::new(save));
    let answer = copy(&sandbox, &the_image(), "t");
    let error = refused(answer, "SandboxNotSaved", Unknown);
    assert_eq!(error.message, "disk full");
    assert_eq!(sandbox.save(), Err("disk full".to_owned()));
    is_broken.store(false, Ordering::Relaxed);
    let id = copy(&sandbox, &the_image(), "t").expect("the same copy");
    let world = sandbox.world();
    let [image] = world.regions[&west()].images.as_slice() else {
        panic!("one copy");
    };
    assert_eq!(image.id, id);
}

#[test]
fn only_the_seed_decides_the_order_of_lists() {
    let listed = |seed, is_reversed| {
        let mut world = world();
        world.listing_seed = seed;
        if is_reversed {
            world.add_region(&east()).snapshots.reverse();
        }
        let sandbox = Sandbox::new(world);
        let found = snapshots(&sandbox, east(), &automated(&["mydb"]));
        let found = found.expect("snapshots").into_iter();
        found.map(|snapshot| snapshot.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(7, false), listed(7, true));
    assert!((0..10).any(|seed| listed(seed, false) != listed(7, false)));
}

#[test]
fn concurrent_calls_interleave() {
    let sandbox = Sandbox::new(world());
    let twice = async |region: Region| {
        for _ in 0..2 {
            let identity = sandbox.caller_identity(&at(region.clone())).await;
            identity.expect("an identity");
        }
    };
    wait(async { tokio::join!(twice(east()), twice(west())) });
    let calls = sandbox.calls().into_iter();
    let regions: Vec<_> = calls.map(|call| call.region).collect();
    assert_ne!(regions[0], regions[1]);
    assert_ne!(regions[2], regions[3]);
}

#[test]
fn a_panic_while_the_world_is_edited_does_not_close_it() {
    let sandbox = Sandbox::new(world());
    let edit = std::panic::AssertUnwindSafe(|| sandbox.edit(|_| panic!("slip")));
    std::panic::catch_unwind(edit).expect_err("a panic");
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:00Z"));
}
