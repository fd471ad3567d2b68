//! Law 7: the failure of one job never stops another.
//!
//! More tests are in `batches.rs` (reads that jobs share), `waiting/deferred.rs` (limits of concurrent copies), `cli/run.rs` (entries
//! that are not valid) and `moto/batches.rs`.

use std::sync::Arc;

use crate::support::*;

#[test]
fn law_7_the_failure_of_one_job_never_stops_another() {
    for (call, expected) in [
        ("CopyImage", "sync_my_web_app"),
        ("CopyDBSnapshot", "sync_my_database"),
        ("DescribeImages", "sync_my_web_app"),
        ("DescribeDBSnapshots", "sync_my_database"),
    ] {
        let (sandbox, jobs) = both_types();
        let refused = Fault::new(call, "UnauthorizedOperation", "no", None);
        sandbox.edit(|world| world.faults.push(refused));
        let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
        let (failed, _) = failed_and_others(&results);
        let failed: Vec<&str> = failed.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(failed, [expected], "{call}");
        let mut created = results.iter().map(|result| &result.created_resource);
        assert!(created.any(Option::is_some), "{call}");
    }
}

#[test]
fn law_7_a_refused_deletion_does_not_stop_the_other_deletions() {
    let (sandbox, jobs) = both_types();
    let refused = Fault::new("DeleteDBSnapshot", "AccessDenied", "no", Some(1));
    sandbox.edit(|world| world.faults.push(refused));
    let results = apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    assert!(!results[0].failed());
    assert!(results[1].failed());
    assert_eq!(results[1].deleted_resources.len(), 1);
}

#[test]
fn law_7_a_job_for_other_images_holds_up_no_deletion() {
    let mut other = ami_job("sync_other", "Other");
    other.client_config = Arc::new(ClientConfig {
        max_attempts: Some(2),
        ..ClientConfig::default()
    });
    for (call, at) in [("GetCallerIdentity", west()), ("DescribeImages", east())] {
        let mut world = copied_images(0..5);
        let throttle = Fault::new(call, "Throttling", "Rate exceeded", Some(1));
        world.faults = vec![in_region(&at, throttle)];
        let plan = Planned::new(world, [other.clone(), retaining_job(2)]).plan;
        assert_eq!(job(&plan, "sync_other").outcome, Outcome::Failed, "{call}");
        assert_eq!(plan.summary.delete, 2, "{call}");
    }
}

fn milan() -> Region {
    Region::from("eu-south-1")
}

/// Returns a world and two jobs for it, the first of which copies to Milan.
fn with_milan(is_enabled: bool) -> (World, [SyncJob; 2]) {
    let mut world = copied("db", 0..0);
    world.add_region(&milan()).enabled = is_enabled;
    add_automated(&mut world, "other", days_ago(0));
    let mut to_milan = snapshot_job("sync_to_milan", "db", 2);
    to_milan.destination_region = milan();
    (world, [to_milan, snapshot_job("sync_other", "other", 2)])
}

#[test]
fn law_7_a_region_that_is_not_enabled_fails_its_own_jobs_in_any_order() {
    let (world, [to_milan, other]) = with_milan(false);
    for jobs in [[to_milan.clone(), other.clone()], [other, to_milan]] {
        let plan = Planned::new(world.clone(), jobs).plan;
        assert_eq!(job(&plan, "sync_to_milan").outcome, Outcome::Failed);
        assert_eq!(job(&plan, "sync_other").outcome, Outcome::Changes);
    }
}

#[test]
fn law_7_credentials_that_one_region_refuses_are_used_in_the_others() {
    let (world, jobs) = with_milan(true);
    let planned = Planned::new(world, jobs);
    let (code, message) = ("InvalidClientTokenId", "The security token is invalid");
    let refused = Fault::new("DescribeDBSnapshots", code, message, None);
    let refused = in_region(&milan(), refused);
    planned.sandbox.edit(|world| world.faults.push(refused));
    let results = planned.apply();
    assert!(results[0].failed());
    no_failures(&results[1..]);
}
