//! Reads shared by many jobs: there are few of them, and each job gets the observation that it would get alone.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::model::inventory::{Inventory, Observation};
use aws_xregion_sync::model::query::Queries;
use proptest::prelude::*;

use crate::random_world::recipes;
use crate::support::*;

fn observed(provider: &dyn Provider, jobs: &[SyncJob]) -> Inventory {
    let requests: Vec<Request> = jobs.iter().map(Request::of_job).collect();
    block_on(observe(provider, &requests, 10))
}

/// Returns an observation without the order in which AWS listed it.
fn in_order(observation: &Observation) -> Observation {
    let mut observation = observation.clone();
    let Observation {
        sources, copies, ..
    } = &mut observation;
    for found in [sources, copies].into_iter().flatten() {
        found.sort_by_key(|artifact| artifact.id.clone());
    }
    observation
}

fn many(number: usize, images: usize) -> (Vec<SyncJob>, World) {
    let (mut world, mut jobs) = databases(number, 0..0);
    jobs.extend(add_images(&mut world, images));
    (jobs, world)
}

/// Returns the same with clusters, too, which have the same names as the databases.
fn many_of_all(clusters: usize, number: usize, images: usize) -> (Vec<SyncJob>, World) {
    let (mut jobs, mut world) = many(number, images);
    for (region, here) in with_clusters(databases(clusters, 1..4).0).regions {
        let both = world.add_region(&region);
        both.clusters.clone_from(&here.clusters);
        both.cluster_snapshots.clone_from(&here.cluster_snapshots);
    }
    jobs.extend(
        (0..clusters).map(|n| cluster_job(&format!("sync_cluster{n}"), &format!("db{n}"), 2)),
    );
    (jobs, world)
}

proptest! {
    #[test]
    fn a_job_gets_the_same_observation_alone_and_with_others(recipe in recipes()) {
        let jobs = recipe.jobs();
        let together = observed(&Sandbox::new(recipe.world()), &jobs);
        for job in &jobs {
            let alone = observed(&Sandbox::new(recipe.world()), std::slice::from_ref(job));
            prop_assert_eq!(
                in_order(&together.jobs[&job.name]),
                in_order(&alone.jobs[&job.name])
            );
        }
    }
}

#[test]
fn the_number_of_reads_follows_batches_and_not_jobs() {
    let calls_of_all = |clusters, databases, images| {
        let (jobs, world) = many_of_all(clusters, databases, images);
        let sandbox = Sandbox::new(world);
        let inventory = observed(&sandbox, &jobs);
        assert_eq!(inventory.jobs.len(), clusters + databases + images);
        let is_complete = |job: &Observation| job.error().is_none() && job.sources != Ok(vec![]);
        assert!(inventory.jobs.values().all(is_complete));
        sandbox.calls().len()
    };
    let calls = |databases, images| calls_of_all(0, databases, images);
    // Reads of the identity, the source, the destination and its limit; copies of images are read in two ways.
    assert_eq!([1, 14, 15, 26].map(|n| calls(n, 0)), [4, 4, 5, 6]);
    assert_eq!([1, 199, 200].map(|n| calls(0, n)), [4, 4, 6]);
    assert_eq!(calls(200, 100), 28);
    // Clusters share the reads of the identity and the limits with databases, and need eight reads of sources and four of copies.
    assert_eq!(calls_of_all(100, 200, 100), 28 + 8 + 4);
}

#[test]
fn identifiers_leave_room_for_the_values_of_other_filters() {
    let (mut jobs, world) = many(0, 195);
    for job in &mut jobs {
        change_ami(job, |ami| {
            ami.filters = vec![ImageFilter {
                name: "name".to_owned(),
                values: (0..10).map(|n| format!("app {n}*")).collect(),
            }];
        });
    }
    let sandbox = Sandbox::new(world);
    let inventory = observed(&sandbox, &jobs);
    assert!(inventory.jobs.values().all(|job| job.error().is_none()));
    // Reads of the identity, of 190 and 5 identifiers, and of their copies.
    assert_eq!(sandbox.calls().len(), 1 + 2 + 2);
    assert!(sandbox.calls().iter().all(|call| call.error.is_none()));
}

#[test]
fn identical_reads_happen_once() {
    let (mut jobs, world) = many(1, 1);
    for n in 0..3 {
        let again = |job: &SyncJob| SyncJob {
            name: JobName::from(format!("{}_{n}", job.name)),
            ..job.clone()
        };
        let copies: Vec<SyncJob> = jobs[..2].iter().map(again).collect();
        jobs.extend(copies);
        let mut by_name = ami_job(&format!("sync_by_name_{n}"), "");
        change_ami(&mut by_name, |ami| {
            ami.sync_identifier = None;
            ami.filters = vec![ImageFilter {
                name: "name".to_owned(),
                values: vec!["app*".to_owned()],
            }];
        });
        jobs.push(by_name);
    }
    let sandbox = Sandbox::new(world);
    let inventory = observed(&sandbox, &jobs);
    assert_eq!(inventory.jobs.len(), jobs.len());
    // The same as for one job of each kind, and one more read for the images by name.
    assert_eq!(sandbox.calls().len(), 4 + 3 + 1);
    for job in &jobs {
        let sources = inventory.jobs[&job.name].sources.as_ref();
        assert_eq!(sources.map(Vec::len), Ok(1), "{}", job.name);
    }
}

/// A sandbox in which certain names make a read fail, no matter what else it asks for. It counts the reads in progress.
struct Refusing {
    sandbox: Sandbox,
    /// The name that must not be asked for, and the class of the error.
    bad: (&'static str, ErrorClass),
    /// A region that does not answer, and takes longer to fail than facts may be used.
    silent: Option<Region>,
    /// Whether the destination refuses to list the snapshots of databases that it does not have.
    is_strict: bool,
    /// The number of reads in progress, and the highest so far.
    in_progress: Mutex<(usize, usize)>,
}

impl Refusing {
    fn new(world: World, name: &'static str, kind: ErrorClass) -> Altered<Self> {
        Altered(Self {
            sandbox: Sandbox::new(world),
            bad: (name, kind),
            silent: None,
            is_strict: false,
            in_progress: Mutex::default(),
        })
    }

    async fn read<T>(
        &self,
        at: &Location,
        names: impl Iterator<Item = &str>,
        read: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        {
            let mut in_progress = self.in_progress.lock().expect("a lock");
            in_progress.0 += 1;
            in_progress.1 = in_progress.1.max(in_progress.0);
        }
        let names: Vec<&str> = names.collect();
        // Lets the others begin before this one ends.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.in_progress.lock().expect("a lock").0 -= 1;
        if self.silent.as_ref() == Some(&at.region) {
            self.sandbox.pause(Duration::from_secs(95)).await;
            return Err(refusal(at, ErrorClass::Unknown));
        }
        let (bad, kind) = self.bad;
        if names.contains(&bad) {
            return Err(refusal(at, kind));
        }
        read.await
    }
}

fn refusal(at: &Location, kind: ErrorClass) -> ProviderError {
    ProviderError {
        call: "Describe",
        region: at.region.clone(),
        code: "Bad".to_owned(),
        message: "one of the names".to_owned(),
        class: kind,
    }
}

#[async_trait]
impl Alters for Refusing {
    fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let names: Vec<String> = match query {
            Query::Matching(selector) => selector.sync_identifiers.clone(),
            Query::ByIds(ids) | Query::CopiesOf { ids, .. } if kind == Kind::Image => {
                ids.iter().map(ToString::to_string).collect()
            }
            Query::Automated(parents) => parents.iter().map(ToString::to_string).collect(),
            Query::Manual(_) if self.is_strict => return Err(refusal(at, ErrorClass::Absent)),
            Query::AllManual => vec!["everything".to_owned()],
            Query::Manual(_) => Vec::new(),
            Query::ByIds(_) | Query::CopiesOf { .. } | Query::CopiedFrom(_) => {
                return self.sandbox.find(at, kind, query).await;
            }
        };
        let names = names.iter().map(String::as_str);
        self.read(at, names, self.sandbox.find(at, kind, query))
            .await
    }
}

/// Returns the jobs that cannot be planned.
fn failed(provider: &dyn Provider, jobs: &[SyncJob]) -> Vec<String> {
    let jobs = plan(provider, jobs).jobs.into_iter();
    let failed = jobs.filter(|job| job.outcome == Outcome::Failed);
    failed.map(|job| job.name.to_string()).collect()
}

#[test]
fn law_7_a_batch_that_is_refused_for_one_member_fails_that_member_alone() {
    let (jobs, world) = many(45, 30);
    let refused = |name, kind| failed(&Refusing::new(world.clone(), name, kind), &jobs);
    for kind in [ErrorClass::Invalid, ErrorClass::Absent] {
        assert_eq!(refused("db17", kind), ["sync_db17"]);
        assert_eq!(refused("app 3", kind), ["sync_app3"]);
        assert_eq!(refused("ami-00000000000000004", kind), ["sync_app4"]);
    }
    assert_eq!(refused("nobody", ErrorClass::Invalid), [""; 0]);
}

#[test]
fn law_6_a_batch_that_fails_fails_its_jobs_and_no_others() {
    let (jobs, world) = many(45, 30);
    for kind in [
        ErrorClass::Throttled,
        ErrorClass::Denied,
        ErrorClass::Unknown,
        ErrorClass::Expired,
    ] {
        let refusing = Refusing::new(world.clone(), "db17", kind);
        let failed = failed(&refusing, &jobs);
        // The databases of a source are requested in order, 14 at a time: db0, db1, db10 … db20.
        assert_eq!(failed.len(), 14, "{failed:?}");
        assert!(failed.contains(&"sync_db17".to_owned()), "{failed:?}");
        assert!(failed.iter().all(|name| name.starts_with("sync_db")));
    }
}

#[test]
fn a_destination_that_refuses_absent_databases_is_listed_once() {
    let (jobs, mut world) = many(60, 0);
    for n in 0..60 {
        add_our_copy(&mut world, &format!("db{n}"), days_ago(1));
        add_our_copy(&mut world, &format!("others{n}"), days_ago(1));
    }
    let lax = Sandbox::new(world.clone());
    let mut strict = Refusing::new(world, "", ErrorClass::Unknown);
    strict.0.is_strict = true;
    let (expected, found) = (observed(&lax, &jobs), observed(&strict, &jobs));
    for job in &jobs {
        assert_eq!(
            in_order(&found.jobs[&job.name]),
            in_order(&expected.jobs[&job.name])
        );
    }
    let mut lists = strict.0.sandbox.calls();
    lists.retain(|call| call.region == west() && call.call == "DescribeDBSnapshots");
    assert_eq!(lists.len(), 1);
}

#[test]
fn law_6_a_destination_that_cannot_be_listed_either_fails_its_jobs() {
    let (jobs, world) = many(60, 3);
    for kind in [
        ErrorClass::Throttled,
        ErrorClass::Denied,
        ErrorClass::Unknown,
    ] {
        let mut strict = Refusing::new(world.clone(), "everything", kind);
        strict.0.is_strict = true;
        let failed = failed(&strict, &jobs);
        assert_eq!(failed.len(), 60, "{failed:?}");
        assert!(failed.iter().all(|name| name.starts_with("sync_db")));
    }
}

#[test]
fn law_7_a_region_that_does_not_answer_costs_the_other_jobs_one_more_observation() {
    let (mut jobs, mut world) = many(16, 0);
    let silent = Region::from("eu-west-1");
    world.add_region(&silent);
    let account = world.default_account();
    let database = WorldDatabase::new("eu", &account, days_ago(365));
    world.add_snapshot(&silent, WorldArtifact::automated(&database, days_ago(0)));
    jobs.push(SyncJob {
        source_region: silent.clone(),
        ..snapshot_job("sync_eu", "eu", 2)
    });
    let mut refusing = Refusing::new(world, "", ErrorClass::Unknown);
    let planned = plan(&refusing.0.sandbox, &jobs);
    let reads = |refusing: &Altered<Refusing>| {
        let calls = refusing.0.sandbox.calls().into_iter();
        let reads = calls.filter(|call| call.call == "DescribeDBSnapshots");
        reads.count()
    };
    let of_planning = reads(&refusing);
    refusing.0.silent = Some(silent);
    let results = apply(&refusing, &planned, &jobs);
    let (failed, _) = failed_and_others(&results);
    let failed: Vec<&str> = failed.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(failed, ["sync_eu"], "{results:?}");
    // Two batches of the source and one of the destination, twice.
    assert_eq!(reads(&refusing) - of_planning, 2 * 3);
}

#[test]
fn no_more_reads_are_in_progress_than_the_parallelism_allows() {
    let (jobs, world) = many(400, 0);
    let at_once = |parallelism| {
        let refusing = Refusing::new(world.clone(), "", ErrorClass::Unknown);
        let requests: Vec<Request> = jobs.iter().map(Request::of_job).collect();
        block_on(observe(&refusing, &requests, parallelism));
        refusing.0.in_progress.into_inner().expect("a lock").1
    };
    assert_eq!(at_once(1), 1);
    assert_eq!(at_once(3), 3);
    // Eight in each of two regions.
    assert_eq!(at_once(100), 16);
}

#[test]
fn the_copies_of_an_image_are_found_by_its_id_though_it_is_gone() {
    let (jobs, world) = many(0, 3);
    let sandbox = Sandbox::new(world);
    apply(&sandbox, &plan(&sandbox, &jobs), &jobs);
    let mut world = sandbox.world();
    let images = &mut source(&mut world).images;
    let gone = images.remove(0).id;
    let kept = images[0].id.clone();
    let sandbox = Sandbox::new(world);
    let request = |n: usize, id: &ArtifactId| {
        let mut request = Request::of_job(&jobs[n]);
        request.queries = Queries {
            sources: Query::ByIds(vec![id.clone()]),
            ..request.queries
        };
        request
    };
    let requests = [request(0, &gone), request(1, &kept)];
    let inventory = block_on(observe(&sandbox, &requests, 10));
    let found = |n: usize| {
        let found = &inventory.jobs[&jobs[n].name];
        [&found.sources, &found.copies].map(|found| found.as_ref().map(Vec::len))
    };
    assert_eq!((found(0), found(1)), ([Ok(0), Ok(1)], [Ok(1), Ok(1)]));
}
