//! Jobs that share their reads, against an AWS with pages, refusals and throttles.

use std::collections::BTreeMap;

use aws_xregion_sync::model::id::{DbInstance, ImageId, JobName};
use aws_xregion_sync::model::inventory::{Found, Looked};
use aws_xregion_sync::model::provider_error::{ErrorKind, ProviderError};
use aws_xregion_sync::observe::{Look, Subject, observe};
use aws_xregion_sync::provider::aws::Aws;
use serde_json::json;

use super::world::{EAST, WEST, World};

const TAKEN: &str = "2026-01-14T05:10:33Z";

/// How many sources and copies a look found, or the error that came of it.
type Counts = (Looked<usize>, Looked<usize>);

fn counts(found: &Found) -> Counts {
    fn of<T>(seen: &Looked<Vec<T>>) -> Looked<usize> {
        seen.as_ref().map(Vec::len).map_err(Clone::clone)
    }
    match found {
        Found::Images { source, copies } => (of(source), of(copies)),
        Found::Snapshots { source, copies } => (of(source), of(copies)),
    }
}

/// Looks at all of these from the one region to the other.
async fn seen(world: &World, subjects: &[(&str, Subject)]) -> BTreeMap<String, Counts> {
    let looks: Vec<Look> = subjects
        .iter()
        .map(|(name, subject)| Look {
            job: JobName::from(*name),
            source: world.at(EAST),
            destination: world.at(WEST),
            subject: subject.clone(),
        })
        .collect();
    let inventory = observe(&Aws::new(), &looks, 10).await;
    let jobs = inventory.jobs.iter();
    jobs.map(|(name, seen)| (name.to_string(), counts(&seen.found)))
        .collect()
}

/// So many databases, each with a snapshot on either side.
fn databases(world: &World, number: usize) -> Vec<String> {
    let names: Vec<String> = (0..number).map(|n| format!("db{n:03}")).collect();
    for name in &names {
        world.database(EAST, name, None);
        world.snapshot(EAST, name, TAKEN, json!({}));
        world.database(WEST, name, None);
        let id = format!("copy-of-{name}");
        world.snapshot(WEST, name, TAKEN, json!({"type": "manual", "id": id}));
    }
    world.control("reset", json!({}));
    names
}

fn subjects(names: &[String]) -> Vec<(&str, Subject)> {
    let of = |name: &String| Subject::Snapshots(DbInstance::from(name.as_str()));
    names.iter().map(|name| (name.as_str(), of(name))).collect()
}

/// The names of the jobs that were told an error of their sources, and the kinds of it.
fn troubled(seen: &BTreeMap<String, Counts>) -> Vec<(&str, ErrorKind)> {
    let error = |counts: &Counts| -> Option<ProviderError> { counts.0.clone().err() };
    seen.iter()
        .filter_map(|(name, counts)| Some((name.as_str(), error(counts)?.kind)))
        .collect()
}

#[tokio::test]
async fn databases_are_read_many_at_a_time_over_all_pages() {
    let world = World::new();
    let names = databases(&world, 45);
    world.control("settings", json!({"page_size": 10}));
    let seen = seen(&world, &subjects(&names)).await;
    assert_eq!(seen.len(), 45);
    assert!(
        seen.values().all(|counts| *counts == (Ok(1), Ok(1))),
        "{seen:?}"
    );
    // Three times 14 on two pages each, and three on one; of the copies 25 on three pages, and 20 on two.
    assert_eq!(world.calls_of("DescribeDBSnapshots").len(), 12);
    assert_eq!(world.calls_of("GetCallerIdentity").len(), 1);
}

#[tokio::test]
async fn law_6_a_throttled_page_fails_the_jobs_of_its_batch_and_no_others() {
    let world = World::new();
    let names = databases(&world, 45);
    world.control("settings", json!({"page_size": 10}));
    // Every second page, for as often as the SDK tries.
    world.control(
        "errors",
        json!({"action": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "times": -1, "contains": "Marker=page-10"}),
    );
    let all = seen(&world, &subjects(&names)).await;
    let throttled: Vec<(&str, ErrorKind)> = troubled(&all);
    // Batches of 14 have a second page, the last one of three has none.
    let expected: Vec<&str> = names[..42].iter().map(String::as_str).collect();
    assert_eq!(
        throttled.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        expected
    );
    assert!(
        throttled
            .iter()
            .all(|(_, kind)| *kind == ErrorKind::Throttled)
    );
    assert!(all.values().all(|(_, copies)| *copies == Ok(1)), "{all:?}");

    world.control("reset", json!({}));
    world.control(
        "errors",
        json!({"action": "DescribeDBSnapshots", "region": EAST, "code": "Throttling", "times": -1, "contains": "db025"}),
    );
    let one = seen(&world, &subjects(&names)).await;
    let failed: Vec<&str> = troubled(&one).into_iter().map(|(name, _)| name).collect();
    let expected: Vec<&str> = names[14..28].iter().map(String::as_str).collect();
    assert_eq!(failed, expected);
}

#[tokio::test]
async fn law_7_a_database_that_is_not_there_leaves_the_others_of_its_batch_served() {
    let world = World::new();
    let mut names = databases(&world, 12);
    world.control("settings", json!({"strict_databases": true}));
    names.push("absent".to_owned());
    let seen = seen(&world, &subjects(&names)).await;
    assert_eq!(seen["absent"], (Ok(0), Ok(0)));
    let others = seen.iter().filter(|(name, _)| *name != "absent");
    assert_eq!(
        others
            .filter(|(_, counts)| **counts == (Ok(1), Ok(1)))
            .count(),
        12
    );
}

#[tokio::test]
async fn a_destination_without_the_databases_is_listed_once_for_all_batches() {
    let world = World::new();
    let names = databases(&world, 60);
    // As in most destinations: the copies are there, the databases are not.
    for name in &names {
        world.control("forget", json!({"region": WEST, "id": name}));
    }
    world.control("settings", json!({"strict_databases": true}));
    let seen = seen(&world, &subjects(&names)).await;
    assert!(
        seen.values().all(|counts| *counts == (Ok(1), Ok(1))),
        "{seen:?}"
    );
    // Three batches are refused, and one page has it all; 14 databases at a time of the source make five.
    assert_eq!(world.calls_of("DescribeDBSnapshots").len(), 3 + 1 + 5);
}

#[tokio::test]
async fn a_batch_that_rds_finds_too_long_is_split() {
    let world = World::new();
    let names = databases(&world, 7);
    let refusal = json!({
        "action": "DescribeDBSnapshots", "code": "InvalidParameterValue", "times": -1,
        "message": "too many values", "contains": "Values.Value.3=",
    });
    world.control("errors", refusal);
    let seen = seen(&world, &subjects(&names)).await;
    assert!(
        seen.values().all(|counts| *counts == (Ok(1), Ok(1))),
        "{seen:?}"
    );
}

#[tokio::test]
async fn images_are_read_by_as_many_ids_as_ec2_takes() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"}));
    let tag = format!("20131201000000+0000 / {source}");
    world.image(
        WEST,
        json!({"name": "web", "tags": {"Sync-From-us-east-1": tag}}),
    );
    world.control("reset", json!({}));
    let ids: Vec<String> = (0..450).map(|n| format!("ami-{n:017x}")).collect();
    let mut looks: Vec<(&str, Subject)> = ids
        .iter()
        .map(|id| (id.as_str(), Subject::Image(ImageId::from(id.as_str()))))
        .collect();
    looks.push(("web", Subject::Image(source)));
    let seen = seen(&world, &looks).await;
    assert_eq!(seen["web"], (Ok(1), Ok(1)));
    assert_eq!(
        seen.values()
            .filter(|counts| **counts == (Ok(0), Ok(0)))
            .count(),
        450
    );
    // Three reads of the sources, and three of the copies, each of which asks in two ways.
    assert_eq!(world.calls_of("DescribeImages").len(), 9);
}

#[tokio::test]
async fn law_6_a_marker_that_comes_again_is_not_the_end_of_a_list() {
    let world = World::new();
    let names = databases(&world, 3);
    world.control("settings", json!({"page_size": 1}));
    let body = "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><Marker>page-1</Marker><DBSnapshots/>\
                </DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>";
    world.control(
        "errors",
        json!({"action": "DescribeDBSnapshots", "region": EAST, "code": "none", "status": 200, "times": -1,
               "contains": "Marker=page-1", "body": body}),
    );
    let all = seen(&world, &subjects(&names)).await;
    let unknown: Vec<ErrorKind> = troubled(&all).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(unknown, [ErrorKind::Unknown; 3], "{all:?}");
}
