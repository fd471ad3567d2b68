//! Law 11 for plans and applies: a job that needs no copy relies on one of this very database or image, and whatever prevents a
//! copy is reported.

use aws_xregion_sync::render::markdown::Commands;
use aws_xregion_sync::render::{self, styles::Styles};
use jiff::SignedDuration;

use crate::support::*;

#[test]
fn law_11_a_newer_copy_of_another_database_of_the_same_name_does_not_count() {
    // `db-restored` took the name of `db`, and its newest snapshot is older than the last copy of the old `db`.
    let mut world = copied("db", 0..3);
    world
        .region_mut(&east())
        .expect("the source")
        .snapshots
        .clear();
    let restored = add_automated(&mut world, "db", days_ago(1) + SignedDuration::from_mins(7));
    let restored = world.snapshot_mut(&east(), &restored).expect("it");
    restored.parent_created = Some(days_ago(2));
    let sandbox = Sandbox::new(world);
    let jobs = [snapshot_job("sync_db", "db", 1)];
    let planned = plan(&sandbox, &jobs);
    assert_eq!(actions(&planned), ["sync_db/copy", "sync_db/tag-source"]);
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    // It is certain which database is the current one once it has a newer snapshot.
    assert_nothing_to_do(&sandbox, &jobs);
    assert_eq!(copies_of(&sandbox.world(), "db").len(), 4);
}

#[test]
fn law_11_a_job_fails_with_the_job_that_copies_its_source_for_it() {
    let (sandbox, jobs) = one_image();
    let mut second = jobs[0].clone();
    second.name = JobName::from("sync_web_again");
    let refused = Fault::new("CopyImage", "UnauthorizedOperation", "no", None);
    sandbox.edit(|world| world.faults.push(refused));
    let jobs = [jobs[0].clone(), second];
    let planned = Planned::new(sandbox.world(), jobs);
    assert_eq!(planned.plan.summary.copy, 1);
    let results = planned.apply();
    assert!(results[0].failed());
    let message =
        "sync_web, which copies the source of sync_web_again on its behalf, has not made the copy";
    assert_eq!(results[1].errors[0].message, message);
    assert!(results[1].failed());
    planned.sandbox.edit(|world| world.faults.clear());
    planned.succeeds();
}

#[test]
fn law_11_a_retention_without_effect_is_named() {
    let mut first = ami_job("sync_first", "Web");
    change_ami(&mut first, |ami| {
        ami.sync_identifier = None;
        ami.filters = vec![ImageFilter {
            name: "name".to_owned(),
            values: vec!["web".to_owned()],
        }];
    });
    let jobs = [first, retaining_job(0)];
    let planned = Planned::new(copied_images(0..5), jobs.clone());
    planned.assert_nothing_to_do();
    let warnings = &job(&planned.plan, "sync_web").warnings;
    let says = "max_images_to_retain has no effect while sync_first syncs the same image";
    assert_says(&warnings.join("\n"), says);
    // The way out that it names.
    let [first, second] = jobs;
    let planned = Planned::new(copied_images(0..5), [second, first]);
    assert_eq!(planned.plan.summary.delete, 4);
}

#[test]
fn law_11_deletions_that_make_room_for_the_copy_come_before_it() {
    // Four copies, of which two are kept besides the one being made; the account may have four.
    let mut world = copied("db", 1..5);
    world.quotas.manual_snapshots = 4;
    let planned = Planned::new(world, [snapshot_job("sync_db", "db", 2)]);
    let deleted = ["rds-db-2026-01-11-05-10", "rds-db-2026-01-12-05-10"];
    let deleted = deleted.map(|id| format!("sync_db/delete/{id}"));
    let copied = ["sync_db/copy", "sync_db/tag-source"].map(str::to_owned);
    assert_eq!(actions(&planned.plan), [deleted, copied].concat());
    let says = "us-west-1 has no room for the copy (4 of 4 manual snapshots)";
    assert_says(&planned.plan.jobs[0].warnings.join("\n"), says);
    let text = render::text::plan(&planned.plan, None, &Styles::default());
    assert_says(
        &text,
        "deleted before the copy: without that, there is no room for it",
    );
    let commands = Commands {
        show: "xrs show plan.json".to_owned(),
        apply: None,
    };
    let markdown = render::markdown::plan(&planned.plan, &commands);
    assert_says(
        &markdown,
        "in `us-west-1`, **before the copy**, and keeps 2",
    );
    planned.succeeds();
    planned.assert_nothing_to_do();
}

#[test]
fn law_11_a_job_for_whose_copy_there_is_no_room_says_how_much_is_missing() {
    let mut world = copied("db", 1..3);
    world.quotas.manual_snapshots = 2;
    let jobs = [snapshot_job("sync_db", "db", 2)];
    let planned = Planned::new(world, jobs);
    let error = &planned.plan.jobs[0].errors[0];
    let says = "us-west-1 may have 2 manual snapshots, and 1 more would be needed";
    assert_says(&error.message, says);
    assert_eq!(actions(&planned.plan), Vec::<String>::new());
}

#[test]
fn law_11_an_unknown_quota_is_no_reason_to_delete_first() {
    let mut world = copied("db", 1..5);
    world.quotas.manual_snapshots = 4;
    let denied = Fault::new("DescribeAccountAttributes", "AccessDenied", "no", None);
    world.faults.push(denied);
    let planned = Planned::new(world, [snapshot_job("sync_db", "db", 2)]);
    assert_eq!(actions(&planned.plan)[0], "sync_db/copy");
    let says = "it is unknown whether us-west-1 has room for another snapshot";
    assert_says(&planned.plan.jobs[0].warnings.join("\n"), says);
}

#[test]
fn law_11_copies_listed_without_tags_are_read_once_more() {
    let mut world = copied("db", 0..5);
    world.hides_snapshot_tags = true;
    let jobs = [snapshot_job("sync_db", "db", 1)];
    let planned = Planned::new(world.clone(), jobs.clone());
    assert_eq!(deletions(&planned.plan).len(), 3);
    assert_eq!(planned.plan.jobs[0].warnings, Vec::<String>::new());
    planned.succeeds();
    // If tags can't be read, nothing is deleted or tagged, and the plan says why.
    let denied = Fault::new("ListTagsForResource", "AccessDenied", "no", None);
    world.faults.push(denied);
    let planned = Planned::new(world.clone(), jobs.clone());
    assert_eq!(actions(&planned.plan), Vec::<String>::new());
    let warnings = planned.plan.jobs[0].warnings.join("\n");
    assert_says(
        &warnings,
        "retention can't run for copies whose tags can't be read: rds-db-",
    );
    assert_says(&warnings, "allow rds:ListTagsForResource");
    // With any other error, the job fails.
    world.faults[0].code = "Throttling".to_owned();
    let planned = Planned::new(world, jobs);
    assert_eq!(planned.plan.summary.failed, 1);
}
