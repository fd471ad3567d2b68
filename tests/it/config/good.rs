//! What is accepted, and what it comes to.

use super::*;

#[test]
fn the_example_of_the_older_tool_works_as_it_is() {
    let jobs = sound(SEED);
    let [web_app, database] = jobs.as_slice() else {
        panic!("two jobs, not {}", jobs.len())
    };
    assert_eq!(web_app.name.as_str(), "sync_my_web_app");
    assert_eq!(web_app.source_region, Region::from("us-east-1"));
    assert_eq!(web_app.destination_region, Region::from("us-west-1"));
    assert_eq!(web_app.kms_key_id, None);
    let filter = |name: &str, value: &str| ImageFilter {
        name: name.to_owned(),
        values: vec![value.to_owned()],
    };
    let selector = ImageSelector {
        owner: "12345678910123".to_owned(),
        sync_identifiers: vec!["Web Application".to_owned()],
        filters: vec![
            filter("tag:Environment", "Production"),
            filter("tag-value", "Sync"),
        ],
    };
    assert_eq!(
        web_app.kind,
        JobKind::Ami(AmiJob {
            selector,
            most_recent: false
        })
    );
    let keys = |access: &str, secret: &str| ClientConfig {
        access_key: Some(Secret::new(access)),
        secret_key: Some(Secret::new(secret)),
        ..ClientConfig::default()
    };
    assert_eq!(
        *web_app.client_config,
        keys("my_access_key", "my_secret_key")
    );

    assert_eq!(database.name.as_str(), "sync_my_database");
    let kind = SnapshotJob {
        db_instance: DbInstance::from("mydatabase"),
        max_snapshots_to_retain: 5,
        option_group_name: None,
        is_namesake: false,
    };
    assert_eq!(database.kind, JobKind::Snapshot(kind));
    let own = keys("my_other_access_key", "my_other_secret_key");
    assert_eq!(
        *database.client_config,
        ClientConfig {
            account_id: Some(AccountId::from("432143214321")),
            ..own
        }
    );
    assert_eq!(read(SEED).notes, vec![]);
}

#[test]
fn every_option_is_read() {
    insta::assert_debug_snapshot!("all_options", sound(ALL_OPTIONS));
    assert_eq!(read(ALL_OPTIONS).notes, vec![]);
}

#[test]
fn anchors_aliases_and_merges_work_also_merges_of_merges() {
    let jobs = sound(ANCHORS);
    let said: Vec<_> = jobs
        .iter()
        .map(|job| (job.name.as_str(), job.destination_region.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("sync_orders", "us-west-1"),
            ("sync_customers", "us-west-2"),
            ("sync_web", "us-west-1")
        ]
    );
    let retained = jobs.iter().filter_map(|job| match &job.kind {
        JobKind::Snapshot(snapshot) => Some(snapshot.max_snapshots_to_retain),
        JobKind::Ami(_) => None,
    });
    // Own options win over merged ones, and earlier sources over later ones.
    assert_eq!(retained.collect::<Vec<_>>(), [30, 3]);
    assert!(
        jobs.iter()
            .all(|job| job.client_config.profile.as_deref() == Some("backup"))
    );
    let notes: Vec<String> = read(ANCHORS)
        .notes
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        notes,
        [
            "line 2, column 1: the top-level key `.database` is ignored",
            "line 9, column 1: the top-level key `.kept_long` is ignored"
        ]
    );
}

#[test]
fn an_anchor_given_anew_means_the_new_value_from_there_on() {
    let text = "{x: &a one, y: &a two, z: &b three, \
                sync_x: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, ami_owner: *a}}";
    let jobs = sound(text);
    assert!(
        matches!(&jobs[0].kind, JobKind::Ami(ami) if ami.selector.owner == "two"),
        "{jobs:?}"
    );
}

#[test]
fn numbers_keep_the_text_they_are_written_with() {
    for written in [
        "012345678901",
        "123456789012",
        "0x1F",
        "1e3",
        "1_000",
        "12345678901234567890123",
    ] {
        let text = format!(
            "sync_x: {{sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, ami_owner: {written}}}"
        );
        let jobs = sound(&text);
        assert!(
            matches!(&jobs[0].kind, JobKind::Ami(ami) if ami.selector.owner == written),
            "{jobs:?}"
        );
    }
    let account = |text: &str| {
        merged("", &format!("aws_account_id: {text}"))
            .expect("sound")
            .account_id
    };
    for written in ["012345678901", "\"0123-4567-8901\"", "0123-4567-8901"] {
        assert_eq!(
            account(written),
            Some(AccountId::from("012345678901")),
            "{written}"
        );
    }
}

#[test]
fn jobs_keep_the_order_of_the_file_and_their_names() {
    let job = "{sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}";
    let text =
        format!("sync_z: {job}\nSYNC_A: {job}\n? 'sync_ m: \"é\" 🙂'\n: {job}\nsync_: {job}\n");
    let names: Vec<String> = sound(&text)
        .into_iter()
        .map(|job| job.name.to_string())
        .collect();
    assert_eq!(names, ["sync_z", "SYNC_A", "sync_ m: \"é\" 🙂", "sync_"]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = "{sync_a: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, ami_owner: , aws_client_config: },\
                 sync_d: {sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1, db_instance: D}}";
    let jobs = sound(text);
    let selector = ImageSelector {
        owner: "self".to_owned(),
        sync_identifiers: vec![],
        filters: vec![],
    };
    assert_eq!(
        jobs[0].kind,
        JobKind::Ami(AmiJob {
            selector,
            most_recent: false
        })
    );
    assert!(jobs[0].client_config.is_default_chain());
    let db_instance = DbInstance::from("d");
    let kind = SnapshotJob {
        db_instance,
        max_snapshots_to_retain: 2,
        option_group_name: None,
        is_namesake: false,
    };
    assert_eq!(jobs[1].kind, JobKind::Snapshot(kind));
}

#[test]
fn a_byte_order_mark_and_other_line_ends_change_nothing() {
    let windows = format!("\u{feff}{}", SEED.replace('\n', "\r\n"));
    assert_eq!(read(&windows), read(SEED));
    assert_eq!(
        read(&format!("--- # jobs\n{SEED}...\n")).jobs,
        read(SEED).jobs
    );
    let broken = "\u{feff}sync_x:\r\n  sync_type: ec2_image\r\n";
    assert!(
        whole_screen(broken).contains("2 |   sync_type: ec2_image\n  |              ^^^^^^^^^\n"),
        "{}",
        whole_screen(broken)
    );
}
