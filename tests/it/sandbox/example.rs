//! The example world.

use aws_xregion_sync::model::identity::ours;
use aws_xregion_sync::model::ids::JobName;
use aws_xregion_sync::model::query::{ImageFilter, ImageSelector};
use aws_xregion_sync::provider::sandbox::{Example, ExampleJob};

use super::*;

/// A job, which is lent to the example.
#[derive(Clone)]
struct Job {
    name: JobName,
    source: Location,
    destination: Location,
    sources: Query,
    kms_key_id: Option<String>,
    max_retained: Option<u32>,
}

impl Job {
    fn new(name: &str, sources: Query, max_retained: Option<u32>) -> Self {
        Self {
            name: JobName::from(name),
            source: at(east()),
            destination: at(west()),
            sources,
            kms_key_id: None,
            max_retained,
        }
    }

    fn lent(&self) -> ExampleJob<'_> {
        ExampleJob {
            name: &self.name,
            source: self.source.clone(),
            destination: self.destination.clone(),
            sources: self.sources.clone(),
            kms_key_id: self.kms_key_id.as_deref(),
            max_retained: self.max_retained,
        }
    }
}

fn ami(name: &str, owner: &str, identifier: Option<&str>, filters: &[(&str, &str)]) -> Job {
    let filters = filters.iter().map(|(name, value)| ImageFilter {
        name: (*name).to_owned(),
        values: vec![(*value).to_owned()],
    });
    let selector = ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: identifier.iter().map(|text| (*text).to_owned()).collect(),
        filters: filters.collect(),
    };
    Job::new(name, Query::Matching(selector), None)
}

fn database(name: &str, parent: &str, max_retained: u32) -> Job {
    Job::new(name, automated(&[parent]), Some(max_retained))
}

fn example(jobs: &[Job]) -> Example {
    let lent: Vec<ExampleJob<'_>> = jobs.iter().map(Job::lent).collect();
    let example = World::example(&lent);
    let world = &example.world;
    assert_eq!(*world, World::example(&lent).world, "always the same");
    assert_eq!(World::from_json(&world.to_json()), Ok(world.clone()));
    example
}

/// A sandbox for jobs that all find something.
fn sandbox(jobs: &[Job]) -> Sandbox {
    let Example { world, problems } = example(jobs);
    assert_eq!(problems, []);
    assert!(!jobs.iter().any(|job| world.lacks(&job.lent())));
    Sandbox::new(world)
}

/// The jobs of `testdata/config/seed.yaml`.
fn seed() -> [Job; 2] {
    let filters = [("tag:Environment", "Production"), ("tag-value", "Sync")];
    let image = ami(
        "sync_my_web_app",
        "12345678910123",
        Some("Web Application"),
        &filters,
    );
    let mut snapshots = database("sync_my_database", "mydatabase", 5);
    snapshots.source = at_as(OTHER_ACCOUNT, east());
    snapshots.destination = at_as(OTHER_ACCOUNT, west());
    [image, snapshots]
}

/// Returns what a job finds as its sources and, in the destination, as snapshots, oldest first.
fn found(sandbox: &Sandbox, job: &Job) -> (Vec<Artifact>, Vec<Artifact>) {
    let kind = match job.sources {
        Query::Matching(_) => Kind::Image,
        _ => Kind::DbSnapshot,
    };
    let mut sources = wait(sandbox.find(&job.source, kind, &job.sources)).expect("sources");
    let copies = sandbox.find(&job.destination, Kind::DbSnapshot, &Query::AllManual);
    let mut copies = wait(copies).expect("copies");
    sources.sort_by_key(|source| source.data_time);
    copies.sort_by_key(|copy| copy.data_time);
    (sources, copies)
}

#[test]
fn the_seed_finds_two_sources_and_two_surplus_copies() {
    let jobs = seed();
    let sandbox = sandbox(&jobs);
    insta::with_settings!({ snapshot_path => "../../../testdata/worlds", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("seed_example", sandbox.world().to_json());
    });
    let (images, _) = found(&sandbox, &jobs[0]);
    let [image] = images.try_into().expect("one image");
    assert!(image.state.is_available());
    let mut request = copy_of_image(image.id.as_str());
    request.copy.name = Some(image.name.to_string());
    request.tags = image.tags;
    wait(sandbox.copy(&jobs[0].destination, &request, Some("t"))).expect("a copy");

    let (sources, copies) = found(&sandbox, &jobs[1]);
    assert_eq!((sources.len(), copies.len()), (7, 5 + 2));
    assert_eq!(sources[6].id.as_str(), "rds:mydatabase-2026-01-15-05-10");
    assert_eq!(
        copies[6].data_time, sources[5].data_time,
        "the newest has no copy"
    );
    assert_eq!(copies[6].copied_from.as_ref(), Some(&sources[5].arn));
    for copy in &copies {
        let tag = ours(copy, &east()).expect("a copy that may be deleted");
        let source = sources
            .iter()
            .find(|source| source.id.as_str() == tag.other_end);
        let names_it = source.is_none_or(|source| source.tags.contains_key("Sync-us-west-1"));
        assert!(names_it && copy.state.is_available());
    }
    let mut request = copy_of_snapshot(sources[6].id.as_str());
    request.source = sources[6].to_ref(&east());
    wait(sandbox.copy(&jobs[1].destination, &request, None)).expect("a copy");
}

#[test]
fn each_job_finds_one_image_that_has_what_its_filters_ask_for() {
    let jobs = [
        ami(
            "sync_base",
            "self",
            None,
            &[("state", "available"), ("name", "base-*")],
        ),
        ami(
            "sync_web",
            "self",
            Some("Web"),
            &[("tag:Env", "Prod*"), ("architecture", "arm64")],
        ),
        ami(
            "sync_again",
            "self",
            Some("Web"),
            &[("tag:Env", "Prod*"), ("architecture", "arm64")],
        ),
        ami("sync_wide", "self", None, &[("tag:Env", "Prod?")]),
        ami(
            "sync_linux",
            "amazon",
            None,
            &[("name", "al2023-ami-*-x86_64"), ("owner-alias", "amazon")],
        ),
        ami(
            "sync_tags",
            "self",
            None,
            &[("tag-key", "Database?"), ("tag-value", "data*")],
        ),
        ami(
            "sync_text",
            "self",
            None,
            &[("description", "*odd*"), ("platform", "windows")],
        ),
        ami(
            "sync_shared",
            "210987654321",
            None,
            &[("name", "golden-*"), ("is-public", "true")],
        ),
    ];
    let sandbox = sandbox(&jobs);
    let images = &sandbox.world().regions[&east()].images;
    assert_eq!(images.len(), jobs.len() - 2, "two find what others do");
    for job in &jobs {
        let (images, _) = found(&sandbox, job);
        assert_eq!(images.len(), 1, "{}: {images:#?}", job.name);
        let mut request = copy_of_image(images[0].id.as_str());
        request.copy.name = Some(images[0].name.to_string());
        copy(&sandbox, &request, job.name.as_str()).expect("a copy");
    }
}

#[test]
fn a_filter_that_nothing_simple_matches_is_named() {
    let jobs = [
        ami("sync_unknown", "self", Some("A"), &[("colour", "red")]),
        ami(
            "sync_contrary",
            "self",
            Some("B"),
            &[("name", "abc"), ("name", "def")],
        ),
        ami("sync_failed", "self", Some("C"), &[("state", "failed")]),
        database("sync_db", "mydb", 2),
    ];
    let Example { world, problems } = example(&jobs);
    let [contrary, unknown, failed] = problems.as_slice() else {
        panic!("three problems: {problems:#?}");
    };
    for (problem, parts) in [
        (unknown, ["sync_unknown", "filter colour=red"]),
        (contrary, ["sync_contrary", "filter name=abc"]),
        (failed, ["sync_failed", "filter state=failed"]),
    ] {
        assert!(
            parts.iter().all(|part| problem.message.contains(part)),
            "{problem}"
        );
        let help = problem.help.as_ref().expect("a way out");
        assert!(help.starts_with("edit the world file"), "{help}");
    }
    let lacking = jobs.iter().map(|job| world.lacks(&job.lent()));
    assert_eq!(lacking.collect::<Vec<_>>(), [true, true, true, false]);
    let images = world.regions[&east()].images.iter();
    let identifiers = images.map(|image| image.tags.get("Sync-Identifier"));
    let identifiers: Vec<_> = identifiers.collect();
    assert_eq!(identifiers, ["B", "A", "C"].map(Some), "the rest is met");
}

#[test]
fn jobs_with_the_same_database_share_it_and_copies_get_free_ids() {
    let mut elsewhere = database("sync_elsewhere", "mydb", 1);
    elsewhere.destination = at(Region::from("eu-west-1"));
    let mut from_elsewhere = database("sync_from_elsewhere", "mydb", 1);
    from_elsewhere.source = at(Region::from("eu-west-1"));
    let mut keyed = database("sync_keyed", "keyed", 0);
    keyed.kms_key_id = Some("alias/copies".to_owned());
    let jobs = [
        database("sync_mydb", "mydb", 0),
        elsewhere,
        from_elsewhere,
        keyed,
    ];
    let sandbox = sandbox(&jobs);
    let world = sandbox.world();
    assert_eq!(world.regions[&east()].databases.len(), 2);
    assert!(world.has_kms_key(&west(), "alias/copies"));
    let (sources, copies) = found(&sandbox, &jobs[0]);
    assert_eq!(sources.len(), 7);
    let of = |parent: &str, id: &str| {
        let of = copies
            .iter()
            .filter(|copy| copy.parent == Some(ParentId::from(parent)));
        of.filter(|copy| copy.id.as_str().ends_with(id)).count()
    };
    assert_eq!((of("mydb", ""), of("keyed", "")), (2 + 3, 2));
    assert_eq!(
        of("mydb", "-eu-west-1"),
        2,
        "the plain id is taken on two days"
    );
    assert_eq!(copies.iter().filter(|copy| copy.encrypted).count(), 2);
}

#[test]
fn however_many_copies_are_retained_the_world_stays_small_and_has_room() {
    let jobs = (0..12).map(|n| database(&format!("sync_{n}"), &format!("db{n}"), u32::MAX));
    let jobs: Vec<Job> = jobs.collect();
    let sandbox = sandbox(&jobs);
    let world = sandbox.world();
    assert_eq!(world.regions[&west()].snapshots.len(), 12 * 20);
    for job in &jobs {
        let (sources, _) = found(&sandbox, job);
        let newest = sources.last().expect("a source");
        let mut request = copy_of_snapshot(newest.id.as_str());
        request.source = newest.to_ref(&east());
        wait(sandbox.copy(&job.destination, &request, None)).expect("a copy");
    }
}
