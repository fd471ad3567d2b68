//! Law 7: the failure of one job never stops another.
//!
//! More tests are in `batches.rs` (reads that jobs share), `waiting/deferred.rs` (limits of concurrent copies), `cli/run.rs` (entries
//! that are not valid) and `moto/batches.rs`.

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
        let failed = results.iter().filter(|result| result.failed());
        let failed: Vec<&str> = failed.map(|result| result.name.as_str()).collect();
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
fn law_7_a_region_that_is_not_enabled_fails_its_own_jobs_in_any_order() {
    let milan = Region::from("eu-south-1");
    let mut world = copied("db", 0..0);
    world.add_region(&milan).enabled = false;
    add_automated(&mut world, "other", days_ago(0));
    let sandbox = Sandbox::new(world);
    let mut to_milan = snapshot_job("sync_to_milan", "db", 2);
    to_milan.destination_region = milan;
    let other = snapshot_job("sync_other", "other", 2);
    for jobs in [[to_milan.clone(), other.clone()], [other, to_milan]] {
        let planned = plan(&sandbox, &jobs);
        assert_eq!(job(&planned, "sync_to_milan").outcome, Outcome::Failed);
        assert_eq!(job(&planned, "sync_other").outcome, Outcome::Changes);
    }
}

#[test]
fn law_7_credentials_that_one_region_refuses_are_used_in_the_others() {
    let milan = Region::from("eu-south-1");
    let mut world = copied("db", 0..0);
    world.add_region(&milan);
    add_automated(&mut world, "other", days_ago(0));
    let sandbox = Sandbox::new(world);
    let mut to_milan = snapshot_job("sync_to_milan", "db", 2);
    to_milan.destination_region = milan.clone();
    let jobs = [to_milan, snapshot_job("sync_other", "other", 2)];
    let planned = plan(&sandbox, &jobs);
    let refused = Fault::new(
        "DescribeDBSnapshots",
        "InvalidClientTokenId",
        "The security token is invalid",
        None,
    );
    sandbox.edit(|world| world.faults.push(in_region(&milan, refused)));
    let results = apply(&sandbox, &planned, &jobs);
    assert!(results[0].failed());
    no_failures(&results[1..]);
}
