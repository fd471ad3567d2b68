//! The example world.

use aws_xregion_sync::model::identity::ours;

use super::*;
use crate::support::{Planned, cluster_job, job_of, snapshot_job};

/// Returns an image job, with filters such as `name=web-* architecture=arm64`.
fn ami(name: &str, owner: &str, identifier: &str, filters: &str) -> SyncJob {
    let filters = filters
        .split(' ')
        .filter_map(|filter| filter.split_once('='));
    let filters = filters.map(|(name, value)| ImageFilter {
        name: name.to_owned(),
        values: vec![value.to_owned()],
    });
    let identifier = Some(identifier.to_owned());
    job_of(
        name,
        AmiOptions {
            include_copies: false,
            max_images_to_retain: None,
            keep_launched_within: None,
            copy_within: None,
            ami_owner: owner.to_owned(),
            sync_identifier: identifier.filter(|text| !text.is_empty()),
            filters: filters.collect(),
            most_recent: false,
        },
    )
}

fn example(jobs: &[SyncJob]) -> (World, Vec<Problem>) {
    let (world, problems) = World::example(jobs);
    assert_eq!(world, World::example(jobs).0, "always the same");
    assert_eq!(World::from_json(&world.to_json()), Ok(world.clone()));
    (world, problems)
}

/// Returns a sandbox in which all jobs find something.
fn sandbox(jobs: &[SyncJob]) -> Sandbox {
    let (world, problems) = example(jobs);
    assert_eq!(problems, []);
    assert!(jobs.iter().all(|job| world.has_source_for(job)));
    Sandbox::new(world)
}

/// The jobs of `testdata/config/seed.yaml`.
fn seed() -> [SyncJob; 2] {
    let (owner, identifier) = ("12345678910123", "Web Application");
    let filters = "tag:Environment=Production tag-value=Sync";
    let image = ami("sync_my_web_app", owner, identifier, filters);
    let mut snapshots = snapshot_job("sync_my_database", "mydatabase", 5);
    snapshots.client_config = at_as(OTHER_ACCOUNT, east()).credentials;
    [image, snapshots]
}

/// Returns what a job finds as its sources and, in the destination, as snapshots, oldest first.
fn found(sandbox: &Sandbox, job: &SyncJob) -> (Vec<Artifact>, Vec<Artifact>) {
    let query = job.rules.queries().sources;
    let mut sources = wait(sandbox.find(&job.source(), job.kind(), &query)).expect("sources");
    let destination = job.destination();
    let copies = sandbox.find(&destination, Kind::DbSnapshot, &Query::AllManual);
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
    request.copy.name = Some(image.name().to_owned());
    request.tags = image.tags;
    wait(sandbox.copy(&jobs[0].destination(), &request, Some("t"))).expect("a copy");

    let (sources, copies) = found(&sandbox, &jobs[1]);
    assert_eq!((sources.len(), copies.len()), (7, 5 + 2));
    assert_eq!(sources[6].id.as_str(), "rds:mydatabase-2026-01-15-05-10");
    assert_eq!(copies[6].data_time, sources[5].data_time);
    assert_eq!(copies[6].copied_from.as_ref(), Some(&sources[5].arn));
    for copy in &copies {
        let tag = ours(copy, &east()).expect("a copy that may be deleted");
        let mut sources = sources.iter();
        let source = sources.find(|source| source.id.as_str() == tag.other_end);
        let names_it = source.is_none_or(|source| source.tags.contains_key("Sync-us-west-1"));
        assert!(names_it && copy.state.is_available());
    }
    let mut request = copy_of_snapshot(sources[6].id.as_str());
    request.source = sources[6].to_ref(&east());
    wait(sandbox.copy(&jobs[1].destination(), &request, None)).expect("a copy");
}

#[test]
fn each_job_finds_one_image_that_has_what_its_filters_ask_for() {
    let ami = |[name, owner, identifier, filters]: [&str; 4]| ami(name, owner, identifier, filters);
    let jobs: Vec<SyncJob> = rows(
        "sync_base | self | | state=available name=base-*
         sync_web | self | Web | tag:Env=Prod* architecture=arm64
         sync_again | self | Web | tag:Env=Prod* architecture=arm64
         sync_wide | self | | tag:Env=Prod?
         sync_linux | amazon | | name=al2023-*-x86_64 owner-alias=amazon
         sync_tags | self | | tag-key=Database? tag-value=data*
         sync_text | self | | description=*odd* platform=windows
         sync_shared | 210987654321 | | name=golden-* is-public=true",
    )
    .map(ami)
    .collect();
    let sandbox = sandbox(&jobs);
    let images = &sandbox.world().regions[&east()].images;
    assert_eq!(images.len(), jobs.len() - 2, "two find what others do");
    for job in &jobs {
        let (images, _) = found(&sandbox, job);
        assert_eq!(images.len(), 1, "{}: {images:#?}", job.name);
        let mut request = copy_of_image(images[0].id.as_str());
        request.copy.name = Some(images[0].name().to_owned());
        copy(&sandbox, &request, job.name.as_str()).expect("a copy");
    }
}

#[test]
fn a_filter_that_nothing_simple_matches_is_named() {
    let jobs = [
        ami("sync_unknown", "self", "A", "colour=red"),
        ami("sync_contrary", "self", "B", "name=abc name=def"),
        ami("sync_failed", "self", "C", "state=failed"),
        snapshot_job("sync_db", "mydb", 2),
    ];
    let (world, problems) = example(&jobs);
    let told: Vec<String> = problems
        .iter()
        .map(|problem| {
            let help = problem.help.as_deref().unwrap_or_default();
            assert!(help.starts_with("edit the world file"), "{help}");
            problem.to_string()
        })
        .collect();
    assert_eq!(
        told,
        [
            "no simple image matches the filter name=abc of sync_contrary",
            "no simple image matches the filter colour=red of sync_unknown",
            "no simple image matches the filter state=failed of sync_failed",
        ]
    );
    let has_source = jobs.iter().map(|job| world.has_source_for(job));
    assert_eq!(has_source.collect::<Vec<_>>(), [false, false, false, true]);
    let images = world.regions[&east()].images.iter();
    let identifiers = images.map(|image| image.tags.get("Sync-Identifier"));
    let identifiers: Vec<_> = identifiers.collect();
    assert_eq!(identifiers, ["B", "A", "C"].map(Some), "the rest is met");
}

#[test]
fn jobs_with_the_same_database_share_it_and_copies_get_free_ids() {
    let mut elsewhere = snapshot_job("sync_elsewhere", "mydb", 1);
    elsewhere.destination_region = Region::from("eu-west-1");
    let mut from_elsewhere = snapshot_job("sync_from_elsewhere", "mydb", 1);
    from_elsewhere.source_region = Region::from("eu-west-1");
    let mut keyed = snapshot_job("sync_keyed", "keyed", 0);
    keyed.kms_key_id = Some("alias/copies".to_owned());
    let plain = snapshot_job("sync_mydb", "mydb", 0);
    let jobs = [plain, elsewhere, from_elsewhere, keyed];
    let sandbox = sandbox(&jobs);
    let world = sandbox.world();
    assert_eq!(world.regions[&east()].databases.len(), 2);
    assert!(world.has_kms_key(&west(), "alias/copies"));
    let (sources, copies) = found(&sandbox, &jobs[0]);
    assert_eq!(sources.len(), 7);
    let count = |part: &str| {
        let copies = copies.iter().map(|copy| copy.id.as_str());
        copies.filter(|id| id.contains(part)).count()
    };
    assert_eq!((count("mydb"), count("keyed")), (2 + 3, 2));
    assert_eq!(count("-eu-west-1"), 2, "the plain id is taken on two days");
    assert_eq!(
        copies
            .iter()
            .filter(|copy| copy.encrypted == Some(true))
            .count(),
        2
    );
}

#[test]
fn however_many_copies_are_retained_the_world_stays_small_and_has_room() {
    let jobs = (0..12).map(|n| snapshot_job(&format!("sync_{n}"), &format!("db{n}"), u32::MAX));
    let jobs: Vec<SyncJob> = jobs.collect();
    let sandbox = sandbox(&jobs);
    let world = sandbox.world();
    assert_eq!(world.regions[&west()].snapshots.len(), 12 * 20);
    for job in &jobs {
        let (sources, _) = found(&sandbox, job);
        let newest = sources.last().expect("a source");
        let mut request = copy_of_snapshot(newest.id.as_str());
        request.source = newest.to_ref(&east());
        wait(sandbox.copy(&job.destination(), &request, None)).expect("a copy");
    }
}

#[test]
fn clusters_are_encrypted_if_a_job_has_a_key_for_them() {
    let mut keyed = cluster_job("sync_keyed", "orders", 1);
    keyed.kms_key_id = Some("alias/copies".to_owned());
    let mut elsewhere = keyed.clone();
    elsewhere.name = "sync_elsewhere".into();
    elsewhere.destination_region = Region::from("eu-west-1");
    let plain = cluster_job("sync_plain", "stock", 1);
    let jobs = [plain, keyed, elsewhere];
    let planned = Planned::new(example(&jobs).0, jobs);
    for job in &planned.plan.jobs {
        assert_eq!(job.errors, [], "{}", job.name);
        assert!(job.has_copy(), "{}", job.name);
    }
}
