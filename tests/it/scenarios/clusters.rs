//! The snapshots of DB clusters: what differs from those of DB instances.

use aws_xregion_sync::model::identity::copy_ids;
use aws_xregion_sync::model::status::Readiness;

use super::*;

/// The longest name that RDS allows.
const LONG: &str = "orders-of-the-european-and-the-american-web-shops-2026-prod-eu1";

fn planned_for(name: &str, change: impl FnOnce(&mut World)) -> Planned {
    let mut world = with_clusters(copied(name, 1..6));
    change(&mut world);
    Planned::new(world, [cluster_job("sync_cluster", name, 2)])
}

fn ids(world: &World) -> Vec<&str> {
    let copies = &world.region(&west()).expect("a region").cluster_snapshots;
    let mut ids: Vec<&str> = copies.iter().map(|copy| copy.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn plan_of(planned: &Planned) -> &JobPlan {
    job(&planned.plan, "sync_cluster")
}

#[test]
fn a_cluster_is_copied_with_retention_and_progress_and_then_nothing_is_left_to_do() {
    let planned = planned_for("orders", |_| {});
    let expected = [
        "sync_cluster/copy",
        "sync_cluster/tag-source",
        "sync_cluster/delete/rds-orders-2026-01-10-05-10",
        "sync_cluster/delete/rds-orders-2026-01-11-05-10",
        "sync_cluster/delete/rds-orders-2026-01-12-05-10",
    ];
    assert_eq!(actions(&planned.plan), expected);
    let progress = std::sync::Mutex::new(Vec::new());
    let results = planned.watched(Wait::ToTheEnd, &|event| {
        if let Event::CopyProgress { percent, .. } = event {
            progress.lock().expect("a lock").extend(percent);
        }
    });
    no_failures(&results);
    assert!(progress.into_inner().expect("a lock").len() > 3);
    let world = planned.sandbox.world();
    assert_eq!(
        ids(&world),
        [
            "rds-orders-2026-01-13-05-10",
            "rds-orders-2026-01-14-05-10",
            "rds-orders-2026-01-15-05-10"
        ]
    );
    planned.assert_nothing_to_do();
    let calls = planned.sandbox.calls();
    assert!(calls.iter().all(|call| !call.call.contains("DBSnapshot")));
}

#[test]
fn a_long_name_gives_a_short_id_that_is_the_same_each_time() {
    assert_eq!(LONG.len(), 63);
    let planned = planned_for(LONG, |world| {
        // No copies yet.
        destination(world).cluster_snapshots.clear();
    });
    planned.succeeds();
    let made = ids(&planned.sandbox.world())[0].to_owned();
    assert!(made.len() <= 63, "{made}");
    assert!(made.starts_with("rds-orders-of-the-european"), "{made}");
    let id = format!("rds:{LONG}-2026-01-15-05-10");
    let mut possible = copy_ids(Kind::DbClusterSnapshot, &id.as_str().into(), &east());
    assert_eq!(possible.next(), Some(made.as_str().into()));
    let next = possible.next().expect("an id");
    assert_ne!(next.as_str(), made);
    assert!(next.as_str().len() <= 63);
    planned.assert_nothing_to_do();

    // These copies are ours, and retention deletes them.
    let mut planned = planned.when_copied();
    for day in 1..4 {
        planned.sandbox.edit(|world| {
            world.now = days_ago(-day) + SignedDuration::from_mins(50);
            let here = source(world);
            let cluster = here.clusters[0].clone();
            here.cluster_snapshots
                .push(WorldArtifact::automated(&cluster, days_ago(-day)));
        });
        planned = planned.again();
        planned.succeeds();
        planned = planned.when_copied();
    }
    let left = planned.sandbox.world();
    assert_eq!(ids(&left).len(), 3);
    assert!(!ids(&left).contains(&made.as_str()), "the oldest is gone");
}

#[test]
fn a_key_is_given_if_and_only_if_the_cluster_is_encrypted() {
    let with = |is_encrypted: bool, key: Option<&str>| {
        let mut world = with_clusters(copied("orders", 0..0));
        destination(&mut world).kms_keys = vec!["alias/copies".to_owned()];
        let here = source(&mut world);
        for snapshot in &mut here.cluster_snapshots {
            snapshot.kms_key_id = is_encrypted.then(|| "alias/orders".to_owned());
        }
        let mut job = cluster_job("sync_cluster", "orders", 2);
        job.kms_key_id = key.map(str::to_owned);
        Planned::new(world, [job])
    };
    for (is_encrypted, key) in [(true, Some("alias/copies")), (false, None)] {
        with(is_encrypted, key).succeeds();
    }
    let superfluous = with(false, Some("alias/copies"));
    let error = &failed(&superfluous, "sync_cluster").errors[0];
    assert_says(&error.message, "is not encrypted");
    assert_help(error, "remove kms_key_id");
    let missing = with(true, None);
    let error = &failed(&missing, "sync_cluster").errors[0];
    assert_says(&error.message, "is encrypted");
    assert_help(error, "set kms_key_id");
}

#[test]
fn snapshots_of_neptune_and_documentdb_are_skipped_with_a_warning() {
    for engine in ["neptune", "docdb"] {
        let planned = planned_for("orders", |world| {
            let here = source(world);
            let mut other = here.cluster_snapshots[0].clone();
            other.id = "rds:orders-2026-01-15-05-30".into();
            other.created = Some(days_ago(0) + SignedDuration::from_mins(20));
            other.engine = Some(engine.into());
            other.parent_created = Some(days_ago(2));
            here.cluster_snapshots.push(other);
        });
        let plan = plan_of(&planned);
        let chosen = plan.observed.as_ref().and_then(|seen| seen.source.as_ref());
        assert_eq!(
            chosen.expect("a source").id,
            "rds:orders-2026-01-15-05-10".into()
        );
        assert_says(&plan.warnings.join("\n"), "rds:orders-2026-01-15-05-30");
        let results = planned.succeeds();
        assert_eq!(results[0].deleted_resources.len(), 3);
        assert_eq!(results[0].warnings, plan.warnings);

        let planned = planned_for("orders", |world| {
            for snapshot in &mut source(world).cluster_snapshots {
                snapshot.engine = Some(engine.into());
            }
        });
        let error = &failed(&planned, "sync_cluster").errors[0];
        assert_says(&error.message, "automated snapshot of cluster orders");
    }
}

#[test]
fn the_size_of_a_copy_of_an_aurora_cluster_is_unknown() {
    let planned = planned_for("orders", |world| {
        for snapshot in &mut destination(world).cluster_snapshots {
            snapshot.size_gib = None;
        }
    });
    let status = &status_within(&planned.sandbox, &planned.jobs, None)[0];
    let copies = status.copies.as_ref().expect("copies");
    let newest = copies.newest_usable.as_ref().expect("a copy");
    assert_eq!(newest.storage.size_gib, None);
    assert_eq!(newest.storage.encrypted, Some(false));
}

#[test]
fn the_age_of_a_copy_comes_from_its_sync_tag() {
    let planned = planned_for("orders", |world| {
        world.now = days_ago(0) + SignedDuration::from_mins(60);
    });
    no_failures(&planned.wait(Wait::ToTheEnd));
    let status = &status_within(&planned.sandbox, &planned.jobs, None)[0];
    assert_eq!(status.readiness, Readiness::Ready);
    let copies = status.copies.as_ref().expect("copies");
    let newest = copies.newest_usable.as_ref().expect("a copy");
    assert_eq!(
        newest.data_time,
        Some(days_ago(0)),
        "not when the copy was made"
    );
    assert_eq!(newest.behind_seconds, Some(0));
}

#[test]
fn five_copies_are_made_at_a_time_or_as_many_as_aws_allows() {
    for (limit, most) in [(5, 5), (2, 2)] {
        let (mut world, _) = databases(7, 1..2);
        world.quotas.cluster_snapshot_copies_in_flight = limit;
        let jobs: Vec<SyncJob> = (0..7)
            .map(|n| cluster_job(&format!("sync_db{n}"), &format!("db{n}"), 2))
            .collect();
        let planned = Planned::new(with_clusters(world), jobs);
        let at_once = std::sync::Mutex::new(0);
        let results = planned.watched(Wait::ToTheEnd, &|_| {
            let world = planned.sandbox.world();
            let copies = &world.region(&west()).expect("a region").cluster_snapshots;
            let copying = copies.iter().filter(|copy| copy.copying.is_some()).count();
            let mut at_once = at_once.lock().expect("a lock");
            *at_once = copying.max(*at_once);
        });
        no_failures(&results);
        assert_eq!(at_once.into_inner().expect("a lock"), most);
        let mut refused = planned.calls("CopyDBClusterSnapshot");
        refused.retain(|call| call.error.is_some());
        if limit == 5 {
            assert_eq!(refused, []);
        } else {
            // AWS's answer names its limit, and xrs stays below it from then on.
            assert!(refused.len() <= 4, "{}", refused.len());
        }
    }
}

#[test]
fn deletions_make_room_first_if_the_quota_of_cluster_snapshots_is_full() {
    let planned = planned_for("orders", |world| world.quotas.manual_cluster_snapshots = 5);
    assert_says(
        &plan_of(&planned).warnings.join("\n"),
        "no room for the copy",
    );
    let first = &actions(&planned.plan)[0];
    assert_says(first, "/delete/");
    planned.succeeds();
    planned.when_copied().assert_nothing_to_do();
    // DB snapshots have a separate quota.
    let planned = planned_for("orders", |world| world.quotas.manual_snapshots = 1);
    assert_eq!(actions(&planned.plan)[0], "sync_cluster/copy");
}

/// Returns a plan for the snapshots of a DB instance in two destinations, in a world without snapshots.
fn planned_for_member(change: impl FnOnce(&mut World)) -> Planned {
    let mut world = empty_world();
    database(&mut world, "orders-1");
    world.add_region(&Region::from("eu-west-1"));
    change(&mut world);
    let job = |name, destination: &str| SyncJob {
        destination_region: Region::from(destination),
        ..snapshot_job(name, "orders-1", 2)
    };
    let jobs = [job("sync_west", "us-west-1"), job("sync_eu", "eu-west-1")];
    Planned::new(world, jobs)
}

fn join_cluster(world: &mut World) {
    source(world).databases[0].cluster = Some("orders".into());
}

#[test]
fn the_error_for_an_instance_without_snapshots_names_its_cluster() {
    let planned = planned_for_member(join_cluster);
    for name in ["sync_west", "sync_eu"] {
        let error = &failed(&planned, name).errors[0];
        assert_says(&error.message, "automated snapshot of database orders-1");
        assert_help(error, "orders-1 is a member of a DB cluster");
        let instead = "use rds_automated_cluster_snapshot with db_cluster: orders";
        assert_help(error, instead);
    }
    let reads = planned.calls("DescribeDBInstances");
    assert_eq!(reads.len(), 1, "{reads:?}");
    assert_eq!(reads[0].region, east());
}

#[test]
fn an_instance_without_snapshots_that_is_in_no_known_cluster_gets_the_general_help() {
    let stands_alone = planned_for_member(|_| {});
    let absent = planned_for_member(|world| source(world).databases.clear());
    let of_another = planned_for_member(|world| {
        join_cluster(world);
        source(world).databases[0].account = "210987654321".into();
    });
    let denied = planned_for_member(|world| {
        join_cluster(world);
        let fault = Fault::new("DescribeDBInstances", "AccessDenied", "no", None);
        world.faults.push(fault);
    });
    for planned in [stands_alone, absent, of_another, denied] {
        let job = failed(&planned, "sync_west");
        assert_eq!((job.errors.len(), job.warnings.len()), (1, 0), "{job:?}");
        assert_help(&job.errors[0], "automated backups");
        assert!(!job.errors[0].to_string().contains("AccessDenied"));
        assert_eq!(planned.calls("DescribeDBInstances").len(), 1);
    }
}

#[test]
fn the_cluster_of_an_instance_with_snapshots_is_not_read() {
    let planned = planned_for_member(|world| {
        join_cluster(world);
        let young = add_automated(world, "orders-1", days_ago(0));
        let young = world.snapshot_mut(&east(), &young).expect("it");
        young.state = state("creating");
    });
    let error = &failed(&planned, "sync_west").errors[0];
    assert_says(&error.message, "(creating)");
    assert_eq!(planned.calls("DescribeDBInstances"), []);
}
