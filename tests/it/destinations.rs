//! Jobs with several destinations: each destination obeys the laws like a job of its own, and they share the reads of the source.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use aws_xregion_sync::config;
use aws_xregion_sync::executor::{self, Options};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::render::text;

use crate::simulation::random::Random;
use crate::simulation::scheduler::{Task, side_by_side};
use crate::support::*;

/// An image and a database with two destinations each. In the west, two copies of the database are kept besides the one being
/// made; in Ireland, none.
const CONFIG: &str = "
sync_web:
  sync_type: ec2_ami
  source_region: us-east-1
  sync_identifier: Web
  destinations: [us-west-1, eu-west-1]
sync_db:
  sync_type: rds_automated_snapshot
  source_region: us-east-1
  db_instance: db
  destinations:
    - us-west-1
    - {region: eu-west-1, max_snapshots_to_retain: 0}
";

fn ireland() -> Region {
    Region::from("eu-west-1")
}

/// Returns the jobs of a config without problems.
fn jobs_of(config: &str) -> Vec<SyncJob> {
    let config = config::read(config.as_bytes()).expect("a config");
    assert_eq!(config.problems(), vec![]);
    let valid = config.jobs.iter().filter_map(|job| job.valid().cloned());
    valid.collect()
}

/// Returns a world with the sources of the jobs, and with copies of the database in both destinations, made this many days ago.
fn world(days: Range<i64>) -> World {
    let mut world = copied("db", days.clone());
    world.add_region(&ireland());
    add_image(&mut world, "ami-0a", "web", "Web");
    for day in days {
        let copy = our_copy(&mut world, "db", days_ago(day));
        world.add_snapshot(&ireland(), copy);
    }
    world
}

fn planned(world: World) -> Planned {
    Planned::new(world, jobs_of(CONFIG))
}

#[test]
fn law_3_every_destination_converges_and_each_source_names_both_copies() {
    let planned = planned(world(1..5));
    planned.succeeds();
    planned.assert_nothing_to_do();
    let planned = planned.when_copied();
    planned.succeeds();
    planned.assert_nothing_to_do();
    let world = planned.sandbox.world();
    let here = world.region(&east()).expect("the source");
    let newest = "rds:db-2026-01-15-05-10".into();
    let snapshot = world.snapshot(&east(), &newest).expect("the snapshot");
    for source in [&here.images[0], snapshot] {
        for destination in [west(), ireland()] {
            let tag = source.tags.get(&format!("Sync-{destination}"));
            let (_, id) = tag.and_then(|tag| tag.split_once(" / ")).expect("a tag");
            let there = world.region(&destination).expect("a destination");
            let mut copies = there.images.iter().chain(&there.snapshots);
            let is_named = copies.any(|copy| copy.id.as_str() == id);
            assert!(is_named, "{destination}: {tag:?}");
        }
    }
}

#[test]
fn law_3_copies_made_before_a_job_had_several_destinations_count() {
    let (sandbox, jobs) = one_image();
    sync(&sandbox, &jobs);
    wait_for_copies(&sandbox);
    sandbox.edit(|world| {
        world.add_region(&ireland());
    });
    let plan = plan(&sandbox, &jobs_of(CONFIG)[..2]);
    let expected = ["sync_web@eu-west-1/copy", "sync_web@eu-west-1/tag-source"];
    assert_eq!(actions(&plan), expected);
    assert_eq!(job(&plan, "sync_web@us-west-1").outcome, Outcome::UpToDate);
}

#[test]
fn law_5_every_destination_has_its_own_retention() {
    let planned = planned(world(1..5));
    let deletions = |name: &str| {
        let actions = job(&planned.plan, name).actions.iter();
        actions
            .filter(|action| matches!(action, Action::Delete(_)))
            .count()
    };
    let both = [
        deletions("sync_db@us-west-1"),
        deletions("sync_db@eu-west-1"),
    ];
    assert_eq!(both, [2, 3]);
    let of = |days: &[u32]| {
        let ids = days.iter().map(|day| format!("rds-db-2026-01-{day}-05-10"));
        ids.collect::<Vec<_>>().join(", ")
    };
    let (in_west, in_ireland) = (of(&[11, 12]), of(&[11, 12, 13]));
    let screen = text::plan(&planned.plan, None, &Styles::default());
    assert_says(
        &screen,
        &format!("\nDELETES 5 snapshots: in us-west-1: {in_west}; in eu-west-1: {in_ireland}\n"),
    );
    planned.succeeds();
    let planned = planned.when_copied();
    planned.succeeds();
    let world = planned.sandbox.world();
    for (destination, days) in [(west(), &[13, 14, 15][..]), (ireland(), &[15])] {
        let there = world.region(&destination).expect("a destination");
        let mut left: Vec<&str> = there
            .snapshots
            .iter()
            .map(|copy| copy.id.as_str())
            .collect();
        left.sort_unstable();
        let expected = days.iter().map(|day| format!("rds-db-2026-01-{day}-05-10"));
        assert_eq!(left, expected.collect::<Vec<_>>(), "{destination}");
    }
}

#[test]
fn law_7_the_failure_of_one_destination_never_stops_the_others() {
    for (call, expected) in [
        ("DescribeImages", "sync_web@eu-west-1"),
        ("CopyImage", "sync_web@eu-west-1"),
        ("DescribeDBSnapshots", "sync_db@eu-west-1"),
        ("CopyDBSnapshot", "sync_db@eu-west-1"),
        ("DeleteDBSnapshot", "sync_db@eu-west-1"),
    ] {
        let mut world = world(1..5);
        let refused = Fault::new(call, "UnauthorizedOperation", "no", None);
        world.faults.push(in_region(&ireland(), refused));
        let results = planned(world).apply();
        let (failed, others) = failed_and_others(&results);
        let failed: Vec<&str> = failed.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(failed, [expected], "{call}");
        assert!(others.iter().all(|job| created(job).is_some()), "{call}");
    }
}

#[test]
fn law_7_a_destination_that_is_not_enabled_stops_no_other() {
    let mut world = world(1..5);
    world.add_region(&ireland()).enabled = false;
    let planned = planned(world);
    let outcomes = planned.plan.jobs.iter();
    let outcomes = outcomes.map(|job| (job.name.as_str(), job.outcome));
    let expected = [
        ("sync_web@us-west-1", Outcome::Changes),
        ("sync_web@eu-west-1", Outcome::Failed),
        ("sync_db@us-west-1", Outcome::Changes),
        ("sync_db@eu-west-1", Outcome::Failed),
    ];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
    let results = planned.apply();
    let (_, others) = failed_and_others(&results);
    assert_eq!(others.len(), 2);
    assert!(others.iter().all(|job| created(job).is_some()));
}

#[test]
fn law_9_concurrent_applies_make_one_copy_in_each_destination() {
    for seed in 0..50 {
        let Planned {
            sandbox,
            jobs,
            plan,
        } = planned(world(0..0));
        let (callers, stop) = (callers(&jobs), AtomicBool::new(false));
        let options = Options {
            parallelism: 3,
            wait: Wait::No,
            stop: &stop,
        };
        let tasks = (0..3).map(|_| -> Task<'_, _> {
            let apply = executor::apply(&sandbox, &plan, &callers, None, options, &|_| {});
            Box::pin(apply)
        });
        let results = side_by_side(&mut Random::new(seed), tasks.collect());
        results.iter().for_each(|results| no_failures(results));
        let world = sandbox.world();
        for destination in [west(), ireland()] {
            let there = world.region(&destination).expect("a destination");
            let copies = (there.images.len(), there.snapshots.len());
            assert_eq!(copies, (1, 1), "{destination}, seed {seed}");
        }
        assert_nothing_to_do(&sandbox, &jobs);
    }
}

/// Plans jobs for 20 databases and 10 images with these destinations. Returns the number of reads of the source, and those of each
/// destination.
fn reads(destinations: &[Region]) -> (usize, Vec<usize>) {
    let (mut world, mut jobs) = databases(20, 0..0);
    jobs.extend(add_images(&mut world, 10));
    let jobs = jobs.iter().flat_map(|job| {
        destinations.iter().map(|region| SyncJob {
            name: JobName::of_destination(job.name.as_str(), region),
            destination_region: region.clone(),
            ..job.clone()
        })
    });
    let jobs: Vec<SyncJob> = jobs.collect();
    for region in destinations {
        world.add_region(region);
    }
    let sandbox = Sandbox::new(world);
    let plan = plan(&sandbox, &jobs);
    assert_eq!(plan.summary.copy, jobs.len());
    let calls = sandbox.calls();
    let reads = |region: &Region| calls.iter().filter(|call| call.region == *region).count();
    (reads(&east()), destinations.iter().map(reads).collect())
}

#[test]
fn the_source_is_read_once_for_all_destinations() {
    let regions = [west(), ireland(), Region::from("eu-south-1")];
    // Two batches of databases, and one of images. In a destination: the identity, the quota, the copies of databases, and those of
    // images in two ways.
    for number in 1..=3 {
        let expected = (3, vec![5; number]);
        assert_eq!(reads(&regions[..number]), expected);
    }
}
