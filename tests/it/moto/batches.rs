//! Jobs that share their reads, with pages, refusals and throttles.

use std::collections::BTreeMap;

use aws_xregion_sync::model::ids::{ArtifactId, JobName, ParentId};
use aws_xregion_sync::model::inventory::Answer;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::ErrorClass;
use aws_xregion_sync::model::query::{CopiesQuery, Queries, Query};
use aws_xregion_sync::observe::{References, Request, observe};
use aws_xregion_sync::provider::aws::Aws;
use serde_json::json;

use super::world::{EAST, TIME, WEST, World};

/// How many sources and copies were observed for each job, or the error.
type Counts = BTreeMap<String, (Answer<usize>, Answer<usize>)>;

/// A source and a copy.
const BOTH: (Answer<usize>, Answer<usize>) = (Ok(1), Ok(1));

/// What is observed for jobs about these things, from one region to the other.
async fn observed(world: &World, kind: Kind, jobs: Vec<(&str, Queries)>) -> Counts {
    let requests = jobs.into_iter().map(|(name, queries)| Request {
        is_for_plan: false,
        references: References::Unneeded,
        job: JobName::from(name),
        kind,
        source: world.at(EAST),
        destination: world.at(WEST),
        queries,
    });
    let inventory = observe(&Aws::new(), &requests.collect::<Vec<_>>(), 10).await;
    let jobs = inventory.jobs.into_iter().map(|(name, observed)| {
        let (sources, copies) = (observed.sources, observed.copies);
        let counts = (
            sources.map(|found| found.len()),
            copies.map(|found| found.len()),
        );
        (name.to_string(), counts)
    });
    jobs.collect()
}

/// What is observed for a job for each of these databases.
async fn observed_databases(world: &World, names: &[String]) -> Counts {
    let job = |name: &String| Queries::of_parent(&ParentId::from(name.as_str()));
    let jobs = names.iter().map(|name| (name.as_str(), job(name)));
    observed(world, Kind::DbSnapshot, jobs.collect()).await
}

/// Creates databases, each with a snapshot in both regions.
fn databases(world: &World, number: usize) -> Vec<String> {
    let names: Vec<String> = (0..number).map(|n| format!("db{n:03}")).collect();
    for name in &names {
        world.database(EAST, name, None);
        world.snapshot(EAST, name, TIME, json!({}));
        world.database(WEST, name, None);
        world.manual(WEST, name, &format!("copy-of-{name}"));
    }
    world.reset();
    names
}

/// The jobs with sources that could not be observed, and the classes of the errors.
fn failed(observed: &Counts) -> Vec<(&str, ErrorClass)> {
    let failed = observed.iter().filter_map(|(name, (sources, _))| {
        let error = sources.as_ref().err()?;
        Some((name.as_str(), error.class))
    });
    failed.collect()
}

fn with_class(names: &[String], class: ErrorClass) -> Vec<(&str, ErrorClass)> {
    names.iter().map(|name| (name.as_str(), class)).collect()
}

fn is_both(observed: &Counts) -> bool {
    observed.values().all(|counts| *counts == BOTH)
}

#[tokio::test]
async fn databases_are_read_many_at_a_time_over_all_pages() {
    let world = World::new();
    let names = databases(&world, 45);
    world.settings(json!({"page_size": 10}));
    let observed = observed_databases(&world, &names).await;
    assert_eq!(observed.len(), 45);
    assert!(is_both(&observed), "{observed:?}");
    // Three times 14 on two pages each, and three on one page; of the copies 25 on three pages, and 20 on two.
    assert_eq!(world.calls_of("DescribeDBSnapshots").len(), 12);
    assert_eq!(world.calls_of("GetCallerIdentity").len(), 1);
}

#[tokio::test]
async fn law_6_a_throttled_page_fails_the_jobs_of_its_batch_and_no_others() {
    let world = World::new();
    let names = databases(&world, 45);
    world.settings(json!({"page_size": 10}));
    // The second page of every batch, as often as the SDK tries. Batches of 14 have one, the last one of three has none.
    let throttle = |contains: &str| json!({"region": EAST, "code": "Throttling", "times": -1, "contains": contains});
    world.fail(throttle("Marker=page-10"));
    let observed = observed_databases(&world, &names).await;
    assert_eq!(
        failed(&observed),
        with_class(&names[..42], ErrorClass::Throttled)
    );
    assert!(
        observed.values().all(|(_, copies)| *copies == Ok(1)),
        "{observed:?}"
    );

    world.reset();
    world.fail(throttle("db025"));
    let observed = observed_databases(&world, &names).await;
    assert_eq!(
        failed(&observed),
        with_class(&names[14..28], ErrorClass::Throttled)
    );
}

#[tokio::test]
async fn law_7_a_database_that_does_not_exist_does_not_affect_the_others_of_its_batch() {
    let world = World::new();
    let mut names = databases(&world, 12);
    world.settings(json!({"strict_databases": true}));
    names.push("absent".to_owned());
    let mut observed = observed_databases(&world, &names).await;
    assert_eq!(observed.remove("absent"), Some((Ok(0), Ok(0))));
    assert!(observed.len() == 12 && is_both(&observed), "{observed:?}");
}

#[tokio::test]
async fn a_destination_without_the_databases_is_listed_once_for_all_batches() {
    let world = World::new();
    let names = databases(&world, 60);
    // As in most destinations: the copies are there, the databases are not.
    for name in &names {
        world.control("forget", json!({"region": WEST, "id": name}));
    }
    world.settings(json!({"strict_databases": true}));
    let observed = observed_databases(&world, &names).await;
    assert!(is_both(&observed), "{observed:?}");
    // Three batches are refused, and one page lists everything; in the source, 14 databases at a time make five batches.
    assert_eq!(world.calls_of("DescribeDBSnapshots").len(), 3 + 1 + 5);
}

#[tokio::test]
async fn a_batch_that_rds_refuses_as_too_long_is_split() {
    let world = World::new();
    let names = databases(&world, 7);
    world
        .fail(json!({"code": "InvalidParameterValue", "times": -1, "contains": "Values.Value.3="}));
    let observed = observed_databases(&world, &names).await;
    assert!(observed.len() == 7 && is_both(&observed), "{observed:?}");
}

#[tokio::test]
async fn images_are_read_by_as_many_ids_as_ec2_accepts() {
    let world = World::new();
    let source = world.image(EAST, json!({"name": "web"})).id;
    let tags = json!({"Sync-From-us-east-1": format!("20131201000000+0000 / {source}")});
    world.image(WEST, json!({"name": "web", "tags": tags}));
    world.reset();
    let absent: Vec<String> = (0..450).map(|n| format!("ami-{n:017x}")).collect();
    let ids = absent.iter().map(String::as_str).chain([source.as_str()]);
    let jobs = ids.map(|id| {
        let queries = Queries {
            sources: Query::ByIds(vec![ArtifactId::from(id)]),
            copies: CopiesQuery::BySource,
        };
        (id, queries)
    });
    let mut observed = observed(&world, Kind::Image, jobs.collect()).await;
    assert_eq!(observed.remove(source.as_str()), Some(BOTH));
    assert_eq!(observed.len(), 450);
    assert!(observed.values().all(|counts| *counts == (Ok(0), Ok(0))));
    // Three reads of the sources, and three of the copies, each of which is two requests.
    assert_eq!(world.calls_of("DescribeImages").len(), 9);
}

#[tokio::test]
async fn law_6_a_repeated_marker_is_not_the_end_of_a_list() {
    let world = World::new();
    let names = databases(&world, 3);
    world.settings(json!({"page_size": 1}));
    let body = "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><Marker>page-1</Marker><DBSnapshots/>\
                </DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>";
    world.fail(json!({"region": EAST, "status": 200, "times": -1, "contains": "Marker=page-1", "body": body}));
    let observed = observed_databases(&world, &names).await;
    assert_eq!(
        failed(&observed),
        with_class(&names, ErrorClass::Unknown),
        "{observed:?}"
    );
}
