//! Worlds made to fit a config.

use std::collections::BTreeSet;

use aws_xregion_sync::model::id::JobName;
use aws_xregion_sync::model::job::{
    AmiJob, ImageFilter, ImageSelector, JobKind, SnapshotJob, SyncJob,
};
use aws_xregion_sync::model::lineage::ours;
use proptest::prelude::*;

use super::*;

fn job(name: &str, account: Option<&str>, kind: JobKind) -> SyncJob {
    SyncJob {
        name: JobName::from(name),
        source_region: east(),
        destination_region: west(),
        client_config: Arc::new(ClientConfig {
            account_id: account.map(AccountId::from),
            ..ClientConfig::default()
        }),
        kms_key_id: None,
        kind,
    }
}

fn ami(name: &str, owner: &str, identifier: Option<&str>, filters: &[(&str, &[&str])]) -> SyncJob {
    let filters = filters.iter().map(|(name, values)| ImageFilter {
        name: (*name).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    });
    let selector = ImageSelector {
        owner: owner.to_owned(),
        sync_identifiers: identifier.iter().map(|text| (*text).to_owned()).collect(),
        filters: filters.collect(),
    };
    job(
        name,
        None,
        JobKind::Ami(AmiJob {
            selector,
            most_recent: false,
        }),
    )
}

fn database(name: &str, database: &str, retain: u32) -> SyncJob {
    let options = SnapshotJob {
        db_instance: DbInstance::from(database),
        max_snapshots_to_retain: retain,
        option_group_name: None,
        is_namesake: false,
    };
    job(name, None, JobKind::Snapshot(options))
}

/// The jobs of the example that the older tool came with.
fn example() -> Vec<SyncJob> {
    let filters: [(&str, &[&str]); 2] = [
        ("tag:Environment", &["Production"]),
        ("tag-value", &["Sync"]),
    ];
    let snapshots = database("sync_my_database", "mydatabase", 5);
    vec![
        ami(
            "sync_my_web_app",
            "12345678910123",
            Some("Web Application"),
            &filters,
        ),
        job("sync_my_database", Some("432143214321"), snapshots.kind),
    ]
}

/// What a job finds at its source: (available images or snapshots, and what is there of copies).
fn images_of(sandbox: &Sandbox, job: &SyncJob) -> Vec<Image> {
    let JobKind::Ami(options) = &job.kind else {
        panic!("no image job")
    };
    wait(sandbox.source_images(&job.source(), &options.selector)).expect("images")
}

fn snapshots_of(sandbox: &Sandbox, job: &SyncJob) -> (Vec<Snapshot>, Vec<Snapshot>) {
    let JobKind::Snapshot(options) = &job.kind else {
        panic!("no snapshot job")
    };
    let of = std::slice::from_ref(&options.db_instance);
    let mut source = wait(sandbox.automated_snapshots(&job.source(), of)).expect("snapshots");
    let mut copies = wait(sandbox.manual_snapshots(&job.destination(), of)).expect("snapshots");
    source.sort_by_key(Snapshot::taken);
    copies.sort_by_key(Snapshot::taken);
    (source, copies)
}

#[test]
fn the_example_finds_what_it_looks_for() {
    let jobs = example();
    let sandbox = Sandbox::new(World::fitting(&jobs));
    assert_eq!(sandbox.now(), time("2026-01-15T06:00:00Z"));

    let [image] = images_of(&sandbox, &jobs[0]).try_into().expect("one image");
    assert!(image.state.is_available());
    assert_eq!(image.owner, AccountId::from("12345678910123"));
    assert_eq!(image.tags.get("Sync-Identifier"), Some("Web Application"));
    assert_eq!(image.tags.get("Environment"), Some("Production"));
    assert!(image.tags.values().any(|value| value == "Sync"));
    assert_eq!(image.name, "my-web-app-2026-01-14");
    let copies =
        wait(sandbox.image_copies(&jobs[0].destination(), &east(), &[image.id])).expect("images");
    assert_eq!(copies, [], "not copied yet");

    let identity = wait(sandbox.caller_identity(&jobs[1].source())).expect("an identity");
    assert_eq!(identity.account_id, AccountId::from("432143214321"));
    let (source, copies) = snapshots_of(&sandbox, &jobs[1]);
    assert_eq!(source.len(), 7);
    assert_eq!(
        source[6].id,
        SnapshotId::from("rds:mydatabase-2026-01-15-05-10")
    );
    assert_eq!(source[6].arn.account(), Some("432143214321"));
    assert_eq!(copies.len(), 7);
    let newest = copies.last().expect("a copy");
    assert_eq!(
        newest.id,
        SnapshotId::from("rds-mydatabase-2026-01-14-05-10")
    );
    assert_eq!(
        newest.tags.get("Sync-From-us-east-1"),
        Some("20260114051033+0000 / rds:mydatabase-2026-01-14-05-10")
    );
    assert_eq!(newest.copied_from.as_ref(), Some(&source[5].arn));
    assert_eq!(newest.taken(), source[5].taken());
    assert!(newest.created > newest.original_created);
    assert!(newest.created < Some(sandbox.now()));
    assert_eq!(
        source[5].tags.get("Sync-us-west-1"),
        Some("20260114051033+0000 / rds-mydatabase-2026-01-14-05-10")
    );
    assert!(!source[6].tags.contains_key("Sync-us-west-1"));
    for copy in &copies {
        ours(copy, &east()).expect("ours to delete");
        assert!(copy.status.is_available());
    }
    // Others of that account, and nobody of another.
    let (none, _) = snapshots_of(&sandbox, &database("sync_other", "mydatabase", 5));
    assert_eq!(none, []);
}

#[test]
fn the_example_is_always_the_same_world_and_a_sound_one() {
    let world = World::fitting(&example());
    assert_eq!(world, World::fitting(&example()));
    assert_eq!(World::from_json(&world.to_json()), Ok(world.clone()));
    insta::with_settings!({ snapshot_path => "../../../testdata/worlds", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("seed_example", world.to_json());
    });
}

#[test]
fn what_is_found_can_be_copied() {
    let jobs = example();
    let sandbox = Sandbox::new(World::fitting(&jobs));
    let [image] = images_of(&sandbox, &jobs[0]).try_into().expect("one image");
    let request = CopyImage {
        name: image.name,
        tags: image.tags,
        ..copy_of_image(image.id.as_str())
    };
    wait(sandbox.copy_image(&jobs[0].destination(), &request, "t")).expect("a copy");
    let (source, _) = snapshots_of(&sandbox, &jobs[1]);
    let newest = source.last().expect("a snapshot");
    let request = CopySnapshot {
        source_snapshot_arn: newest.arn.clone(),
        ..copy_of_snapshot(newest.id.as_str())
    };
    wait(sandbox.copy_snapshot(&jobs[1].destination(), &request)).expect("a copy");
}

#[test]
fn each_selector_finds_one_image() {
    let jobs = [
        ami(
            "sync_all_of_it",
            "self",
            None,
            &[("state", &["available"]), ("name", &["base-*"])],
        ),
        ami(
            "sync_web",
            "self",
            Some("Web"),
            &[("tag:Env", &["Prod*"]), ("architecture", &["arm64"])],
        ),
        ami(
            "sync_web_again",
            "self",
            Some("Web"),
            &[("tag:Env", &["Prod*"]), ("architecture", &["arm64"])],
        ),
        ami("sync_wide", "self", None, &[("tag:Env", &["Prod*"])]),
        ami(
            "sync_linux",
            "amazon",
            None,
            &[
                ("name", &["al2023-ami-*-x86_64"]),
                ("owner-alias", &["amazon"]),
            ],
        ),
        ami(
            "sync_nested",
            "self",
            None,
            &[("name", &["web-*", "app-*"]), ("name", &["*-prod"])],
        ),
        ami(
            "sync_db",
            "self",
            None,
            &[("tag-key", &["Database?"]), ("tag-value", &["data*", "x"])],
        ),
        ami(
            "sync_odd",
            "self",
            None,
            &[
                ("creation-date", &["2025-03-*"]),
                ("description", &["*odd*"]),
            ],
        ),
        ami(
            "sync_id",
            "self",
            None,
            &[
                ("image-id", &["ami-0fedcba9876543210"]),
                ("is-public", &["true"]),
            ],
        ),
        ami(
            "sync_copy",
            "self",
            None,
            &[
                ("source-image-id", &["ami-77"]),
                ("source-image-region", &["eu-west-1"]),
            ],
        ),
        ami(
            "sync_disk",
            "self",
            None,
            &[
                ("block-device-mapping.volume-size", &["500"]),
                ("platform", &["windows"]),
            ],
        ),
        ami("sync_star", "self", None, &[("tag:\u{c4}rger", &["*"])]),
        ami(
            "sync_shared",
            "210987654321",
            None,
            &[("name", &["golden-??"])],
        ),
    ];
    let world = World::fitting(&jobs);
    assert_eq!(
        world.regions[&east()].images.len(),
        jobs.len() - 2,
        "two find what others look for"
    );
    assert_eq!(World::from_json(&world.to_json()), Ok(world.clone()));
    let sandbox = Sandbox::new(world);
    for job in &jobs {
        let images = images_of(&sandbox, job);
        assert_eq!(images.len(), 1, "{}: {images:#?}", job.name);
        assert!(images[0].state.is_available(), "{}", job.name);
        let request = CopyImage {
            name: images[0].name.clone(),
            ..copy_of_image(images[0].id.as_str())
        };
        wait(sandbox.copy_image(&job.destination(), &request, job.name.as_str())).expect("a copy");
    }
}

#[test]
fn what_cannot_be_met_leaves_an_image_that_meets_the_rest() {
    let jobs = [
        ami("sync_foreign", "self", Some("Web"), &[("colour", &["red"])]),
        ami(
            "sync_contrary",
            "self",
            Some("App"),
            &[("name", &["a"]), ("name", &["b"])],
        ),
        ami(
            "sync_failed",
            "self",
            Some("Bad"),
            &[("state", &["failed"])],
        ),
    ];
    let world = World::fitting(&jobs);
    let identifiers: Vec<_> = world.regions[&east()]
        .images
        .iter()
        .map(|image| image.tags.get("Sync-Identifier"))
        .collect();
    assert_eq!(identifiers, ["App", "Web", "Bad"].map(Some));
}

#[test]
fn keys_that_jobs_name_are_there_and_their_databases_are_encrypted() {
    let keyed = |name: &str, key: &str| SyncJob {
        kms_key_id: Some(key.to_owned()),
        ..database(name, name, 2)
    };
    let jobs = [
        keyed("mydb", "arn:aws:kms:us-west-1:123456789012:key/abc"),
        keyed("again", "abc"),
        keyed("away", "arn:aws:kms:us-east-1:123456789012:key/def"),
        database("plain", "plain", 2),
    ];
    let world = World::fitting(&jobs);
    let there = &world.regions[&west()];
    assert!(there.has_kms_key(&west(), "abc"));
    assert!(
        !there.has_kms_key(&west(), "def"),
        "a key elsewhere is not made one here"
    );
    assert_eq!(there.kms_keys.len(), 1);
    let sandbox = Sandbox::new(world);
    let encrypted = |job: &SyncJob| {
        let (source, copies) = snapshots_of(&sandbox, job);
        source
            .iter()
            .chain(&copies)
            .all(|snapshot| snapshot.encrypted)
    };
    assert!(encrypted(&jobs[0]));
    assert!(!encrypted(&jobs[3]));
}

#[test]
fn jobs_that_share_a_source_find_the_same_one() {
    let mut elsewhere = database("sync_elsewhere", "mydb", 1);
    elsewhere.destination_region = Region::from("eu-west-1");
    let mut from_elsewhere = database("sync_from_elsewhere", "mydb", 1);
    from_elsewhere.source_region = Region::from("eu-west-1");
    let jobs = [database("sync_mydb", "mydb", 0), elsewhere, from_elsewhere];
    let world = World::fitting(&jobs);
    assert_eq!(world.regions[&east()].databases.len(), 1);
    assert_eq!(World::from_json(&world.to_json()), Ok(world.clone()));
    let sandbox = Sandbox::new(world);
    let (source, copies) = snapshots_of(&sandbox, &jobs[0]);
    assert_eq!(source.len(), 7);
    assert_eq!(copies.len(), 2 + 3, "those from both sources");
    let names: BTreeSet<_> = copies.iter().map(|copy| copy.id.as_str()).collect();
    assert!(names.contains("rds-mydb-2026-01-14-05-10"));
    assert!(
        names.contains("rds-mydb-2026-01-14-05-10-eu-west-1"),
        "{names:?}"
    );
    let (_, copies) = snapshots_of(&sandbox, &jobs[1]);
    assert_eq!(copies.len(), 3);
}

#[test]
fn however_many_are_to_be_retained_the_world_stays_small_and_has_room() {
    let mut jobs: Vec<SyncJob> = (0..12)
        .map(|n| database(&format!("sync_{n}"), &format!("db{n}"), u32::MAX))
        .collect();
    jobs.push(database("sync_0_again", "db0", 3));
    let world = World::fitting(&jobs);
    assert_eq!(world.regions[&west()].snapshots.len(), 12 * 20);
    assert!(world.quotas.manual_snapshots > 12 * 20 + 12);
    let sandbox = Sandbox::new(world);
    let request = CopySnapshot {
        source_snapshot_arn: arn("rds:db3-2026-01-15-05-10"),
        ..copy_of_snapshot("rds:db3-2026-01-15-05-10")
    };
    wait(sandbox.copy_snapshot(&at(west()), &request)).expect("a copy");
}

proptest! {
    /// Whatever the jobs say, there is a world, it can be read again, and selectors of own images that don't
    /// contradict themselves are met.
    #[test]
    fn there_is_a_world_for_any_jobs(
        texts in prop::collection::vec("[a-zA-Z0-9*?:_ -]{0,12}", 8),
        names in prop::collection::vec("[a-z-]{1,12}|name|tag:[a-zA-Z]{1,4}|tag-key|tag-value|image-id|state", 3),
        owner in "self|amazon|[0-9]{0,14}|[a-z]{0,5}",
        retain in any::<u32>(),
    ) {
        let values: [&str; 1] = [&texts[0]];
        let filters: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), &values[..])).collect();
        let mut strange = database(&texts[1], &texts[2].to_lowercase(), retain);
        strange.source_region = Region::from(texts[3].as_str());
        let mut keyed = database(&texts[4], "mydb", retain);
        keyed.kms_key_id = Some(texts[5].clone());
        let stated = job(&texts[6], Some(&texts[7]), database("x", &texts[2].to_lowercase(), 1).kind);
        let jobs = [ami(&texts[6], &owner, Some(&texts[7]), &filters), strange, keyed, stated];
        let world = World::fitting(&jobs);
        let again = World::from_json(&world.to_json());
        prop_assert_eq!(again, Ok(world));
    }

    #[test]
    fn a_name_with_wildcards_is_met(pattern in "[a-z*?-]{1,12}", value in "[a-zA-Z*? -]{1,12}") {
        let filters: [(&str, &[&str]); 2] = [("name", &[&pattern]), ("tag:Role", &[&value])];
        let jobs = [ami("sync_it", "self", Some("It"), &filters)];
        let sandbox = Sandbox::new(World::fitting(&jobs));
        prop_assert_eq!(images_of(&sandbox, &jobs[0]).len(), 1);
    }
}
