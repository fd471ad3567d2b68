//! What is accepted, and the resulting jobs.

use super::*;

fn keys(access: &str, secret: &str) -> ClientConfig {
    ClientConfig {
        access_key: Some(Secret::new(access)),
        secret_key: Some(Secret::new(secret)),
        ..ClientConfig::default()
    }
}

/// Returns the options of a job's type.
fn rules(job: &SyncJob) -> String {
    format!("{:?}", job.rules)
}

/// Returns the identifier of a job's images.
fn identifier(job: &SyncJob) -> String {
    match job.rules.queries().sources {
        Query::Matching(selector) => selector.sync_identifiers.concat(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_of_the_gem_works_as_it_is() {
    let jobs = valid(SEED);
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
    let options = AmiOptions {
        include_copies: false,
        max_images_to_retain: None,
        keep_launched_within: None,
        copy_within: None,
        ami_owner: "12345678910123".to_owned(),
        sync_identifier: Some("Web Application".to_owned()),
        filters: vec![
            filter("tag:Environment", "Production"),
            filter("tag-value", "Sync"),
        ],
        most_recent: false,
    };
    assert_eq!(rules(web_app), format!("{options:?}"));
    let global = keys("my_access_key", "my_secret_key");
    assert_eq!(*web_app.client_config, global);

    assert_eq!(database.name.as_str(), "sync_my_database");
    let options = DbSnapshotOptions {
        retain_earlier_databases: None,
        db_instance: ParentId::from("mydatabase"),
        max_snapshots_to_retain: 5,
        option_group_name: None,
    };
    assert_eq!(rules(database), format!("{options:?}"));
    let own = ClientConfig {
        account_id: Some(AccountId::from("432143214321")),
        ..keys("my_other_access_key", "my_other_secret_key")
    };
    assert_eq!(*database.client_config, own);
    assert_eq!(read(SEED).notes, vec![]);
}

#[test]
fn every_option_is_read() {
    insta::assert_debug_snapshot!("all_options", valid(ALL_OPTIONS));
    assert_eq!(read(ALL_OPTIONS).notes, vec![]);
}

#[test]
fn the_starter_config_is_valid_and_mentions_every_option() {
    assert_eq!(valid(config::STARTER).len(), 2);
    for option in config::reference().flat_map(|group| &group.options) {
        let is_mentioned = config::STARTER.contains(&format!(" {}:", option.name));
        assert!(is_mentioned, "{}", option.name);
    }
}

#[test]
fn anchors_aliases_and_merges_work_also_merges_of_merges() {
    let jobs = valid(ANCHORS);
    let regions: Vec<_> = jobs
        .iter()
        .map(|job| (job.name.as_str(), job.destination_region.as_str()))
        .collect();
    let expected = [
        ("sync_orders", "us-west-1"),
        ("sync_customers", "us-west-2"),
        ("sync_web", "us-west-1"),
    ];
    assert_eq!(regions, expected);
    // Own options win over merged ones, and earlier sources over later ones, even if these merge others themselves.
    let retained = jobs.iter().filter_map(|job| job.rules.retention());
    let retained = retained.map(|rules| rules.max_retained);
    let retained: Vec<u32> = retained.collect();
    assert_eq!(retained, [30, 3]);
    let profile = |job: &SyncJob| job.client_config.profile.clone();
    for job in &jobs {
        assert_eq!(profile(job).as_deref(), Some("backup"));
    }
    let notes = read(ANCHORS).notes;
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    let expected = [
        "line 2, column 1: the top-level key `.database` is ignored",
        "line 9, column 1: the top-level key `.kept_long` is ignored",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn sources_of_merges_keep_their_order() {
    let text = format!(
        "a: &a {{<<: &c {{sync_identifier: '1'}}}}\nb: &b {{<<: {{kms_key_id: '3'}}, sync_identifier: '2'}}\nsync_x: {{<<: [*a, *b], {AMI}}}"
    );
    let job = &valid(&text)[0];
    assert_eq!(identifier(job), "1");
    assert_eq!(job.kms_key_id.as_deref(), Some("3"));
}

#[test]
fn an_anchor_given_anew_means_the_new_value_from_there_on() {
    let text =
        format!("{{x: &a one, y: &a two, z: &b three, sync_x: {{{AMI}, sync_identifier: *a}}}}");
    assert_eq!(identifier(&valid(&text)[0]), "two");
}

#[test]
fn integers_keep_the_text_they_are_written_with() {
    for written in "012345678901 123456789012 0x1F 0o17 1_000 +5".split(' ') {
        let text = format!("sync_x: {{{AMI}, sync_identifier: {written}}}");
        assert_eq!(identifier(&valid(&text)[0]), written);
    }
    for written in ["012345678901", "\"0123-4567-8901\"", "0123-4567-8901"] {
        let settings = merged("", &format!("aws_account_id: {written}")).expect("valid");
        let expected = Some(AccountId::from("012345678901"));
        assert_eq!(settings.account_id, expected, "{written}");
    }
}

#[test]
fn jobs_keep_the_order_of_the_file_and_their_names() {
    let text = format!(
        "sync_z: {{{AMI}}}\nSYNC_A: {{{AMI}}}\n? 'sync_ m: \"é\" 🙂'\n: {{{AMI}}}\nsync_: {{{AMI}}}\n"
    );
    let jobs = valid(&text);
    let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
    assert_eq!(names, ["sync_z", "SYNC_A", "sync_ m: \"é\" 🙂", "sync_"]);
}

#[test]
fn an_instance_and_a_cluster_may_have_the_same_name() {
    let option = |kind: &str, option: &str, from: &str| {
        format!(
            "{{sync_type: {kind}, source_region: {from}, destination_region: us-west-1, {option}: orders}}"
        )
    };
    let instance = option("rds_automated_snapshot", "db_instance", "us-east-1");
    let cluster = |from| option("rds_automated_cluster_snapshot", "db_cluster", from);
    let (cluster, elsewhere) = (cluster("us-east-1"), cluster("eu-west-1"));
    let jobs = valid(&format!(
        "sync_i: {instance}\nsync_c: {cluster}\nsync_e: {elsewhere}"
    ));
    let shared = jobs.iter().map(|job| job.has_shared_parent_name);
    assert_eq!(shared.collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn what_is_not_given_or_empty_has_its_default() {
    let empty = "ami_owner: , sync_identifier: '', filters: ~, most_recent: null, aws_client_config: {profile: }";
    let text = format!(
        "{{sync_a: {{{AMI}}}, sync_b: {{{AMI}, {empty}}}, sync_c: {{{AMI}, aws_client_config: }},
          sync_d: {{{DATABASE}, db_instance: D}}, sync_e: {{{DATABASE}, db_instance: e, max_snapshots_to_retain: , kms_key_id: ''}}}}"
    );
    let jobs = valid(&text);
    let images = AmiOptions {
        include_copies: false,
        max_images_to_retain: None,
        keep_launched_within: None,
        copy_within: None,
        ami_owner: "self".to_owned(),
        sync_identifier: None,
        filters: vec![],
        most_recent: false,
    };
    let snapshots = |name: &str| DbSnapshotOptions {
        retain_earlier_databases: None,
        db_instance: ParentId::from(name),
        max_snapshots_to_retain: 2,
        option_group_name: None,
    };
    for job in &jobs[..3] {
        assert_eq!(rules(job), format!("{images:?}"));
    }
    assert_eq!(rules(&jobs[3]), format!("{:?}", snapshots("d")));
    assert_eq!(rules(&jobs[4]), format!("{:?}", snapshots("e")));
    for job in &jobs {
        assert!(job.client_config.is_default_chain());
        assert_eq!(job.kms_key_id, None);
    }
}

/// Every option of jobs and of client settings, under each of its names.
#[test]
fn an_option_that_is_null_or_empty_is_not_given() {
    let image = format!("{AMI}, sync_identifier: web");
    let snapshot = format!("{DATABASE}, db_instance: d");
    let cluster = CLUSTER.to_owned();
    let read = |options: &str| {
        let config = read(&format!("{{sync_x: {{{options}}}}}"));
        let problems = config.problems().into_iter();
        let problems: Vec<String> = problems.map(|problem| problem.message).collect();
        (format!("{:?}", config.jobs), problems, config.notes)
    };
    let mut count = 0;
    // The options of a destination have a test of their own.
    for group in config::reference().filter(|group| group.of != "`destinations`") {
        for option in &group.options {
            for name in std::iter::once(&option.name).chain(&option.aliases) {
                for empty in ["", "~", "null", "NULL", "''", "\" \"", "!!null ''"] {
                    let job = match group.of.as_str() {
                        "`rds_automated_snapshot` jobs" => &snapshot,
                        "`rds_automated_cluster_snapshot` jobs" => &cluster,
                        _ => &image,
                    };
                    let without = job
                        .split(", ")
                        .filter(|given| !given.starts_with(&format!("{}:", option.name)));
                    let without = without.collect::<Vec<_>>().join(", ");
                    let given = format!("{name}: {empty}");
                    let with = match group.of.contains("client") {
                        true => format!("{without}, aws_client_config: {{{given}}}"),
                        false => format!("{given}, {without}"),
                    };
                    let (expected, actual) = (read(&without), read(&with));
                    assert_eq!(actual.1, expected.1, "{with}");
                    // Required unless there are `destinations`.
                    let is_required = option.is_required || option.name == "destination_region";
                    assert_eq!(actual.1.is_empty(), !is_required, "{with}");
                    if !is_required {
                        assert_eq!(actual, expected, "{with}");
                    }
                    count += 1;
                }
            }
        }
    }
    assert!(count > 150, "{count}");
    let ruby = format!("{image}, aws_client_config: {{region: , logger: ~, max_retries: ''}}");
    assert_eq!(read(&ruby), read(&image));
    let own = merged(
        "profile: p, max_attempts: 2",
        "profile: ~, max_attempts: ''",
    );
    assert_eq!(own, merged("profile: p, max_attempts: 2", ""));
    let nothing = format!("aws_client_config:\nsync_x: {{{image}}}\n");
    assert!(valid(&nothing)[0].client_config.is_default_chain());
}

#[test]
fn byte_order_marks_line_ends_and_tabs_change_nothing() {
    let same = |text: &str| format!("{:?}", read(text).jobs) == format!("{:?}", read(SEED).jobs);
    assert!(same(&format!("\u{feff}{}", SEED.replace('\n', "\r\n"))));
    assert!(same(&format!("--- # jobs\n{SEED}...\n")));
    assert!(same(&SEED.replace(": ", ":\t")));
    let invalid = "\u{feff}sync_x:\r\n  sync_type: ec2_image\r\n";
    let shown = whole_screen(invalid);
    let line = "2 |   sync_type: ec2_image\n  |              ^^^^^^^^^\n";
    assert!(shown.contains(line), "{shown}");
}

#[test]
fn a_tab_may_follow_a_colon_and_places_stay_right() {
    let written = "sync_x:\t\n  sync_type\t:\tec2_ami\t# images\n  source_region:\t\tus-east-1\n  destination_region: \tus-west-1\n  \
                   filters:\t[\"a=b\",\tc=d\t]\n  most_recent:\ttrue\n";
    let plain = format!("sync_x: {{{AMI}, filters: [a=b, c=d], most_recent: true}}");
    let jobs = |text: &str| format!("{:?}", valid(text));
    assert_eq!(jobs(written), jobs(&plain));
    let database =
        format!("sync_x:\t{{{DATABASE}, db_instance:\td, max_snapshots_to_retain:\t-5}}");
    for (text, line, column, length) in [
        (written.replace("\tus-west-1", "\té:\tx"), 4, 25, 1),
        (written.replace("\ttrue", "\tmaybe"), 6, 16, 5),
        (written.replace("filters:", "filtres:"), 5, 3, 7),
        (
            database.clone(),
            1,
            database.find("-5").expect("there") + 1,
            2,
        ),
    ] {
        let problems = match config::read(text.as_bytes()) {
            Ok(config) => config.problems(),
            Err(problems) => problems,
        };
        let place = TextPlace {
            line,
            column,
            length,
        };
        assert_eq!(problems[0].at, Some(place), "{text:?}: {problems:?}");
    }
}

/// The gem accepted Ruby symbols as keys of jobs and of client settings.
#[test]
fn keys_may_be_symbols() {
    let symbols = format!(
        ":sync_a: {{{AMI}}}\n':SYNC_B':\n  :sync_type: ec2_ami\n  :source_region: us-east-1\n  destination_region: us-west-1\n  \
         aws_client_config: {{:access_key_id: A, :secret_access_key: S}}\n"
    );
    let names = symbols.replace("':SYNC_B'", "SYNC_B");
    let names = names
        .replace(":sync_", "sync_")
        .replace(":source", "source");
    let names = names
        .replace(":access", "access")
        .replace(":secret", "secret");
    let config = read(&symbols);
    assert_eq!((config.warnings, config.notes), (vec![], vec![]));
    assert!(config.holds_keys);
    assert_eq!(
        format!("{:?}", valid(&symbols)),
        format!("{:?}", valid(&names))
    );
    let settings = merged("", ":profile: p, :region: x").expect("valid");
    assert_eq!(settings.profile.as_deref(), Some("p"));
    let twice = config::read(b":sync_a: {}\nsync_a: {}").expect_err("twice");
    assert_eq!(twice[0].message, "the key `sync_a` is given twice");
    let misspelt = read(":sync_a: {:sync_typ: ec2_ami}").problems();
    assert!(
        misspelt
            .iter()
            .any(|problem| problem.help.as_deref() == Some("did you mean `sync_type`?"))
    );
}

#[test]
fn ten_thousand_jobs_are_read() {
    let shared =
        "shared: &shared\n  aws_client_config:\n    profile: backup\n    read_timeout: 60\n";
    let job = |n: usize| match n % 2 {
        0 => format!(
            "sync_database_{n}:\n  <<: *shared\n  sync_type: rds_automated_snapshot\n  source_region: us-east-1\n  \
             destination_region: us-west-1\n  db_instance: database-{n}\n  max_snapshots_to_retain: 5\n  kms_key_id: alias/copies\n"
        ),
        _ => format!(
            "sync_image_{n}:\n  sync_type: ec2_ami\n  source_region: us-east-1\n  destination_region: us-west-1\n  \
             sync_identifier: Web Application {n}\n  filters: [\"tag:Environment=Production\", \"architecture=x86_64\"]\n  \
             aws_client_config:\n    role_arn: arn:aws:iam::123456789012:role/xrs\n    external_id: \"{n}\"\n"
        ),
    };
    let text: String = std::iter::once(shared.to_owned())
        .chain((0..10_000).map(job))
        .collect();
    assert!(text.len() > 2 * 1024 * 1024, "{}", text.len());
    let jobs = valid(&text);
    assert_eq!(jobs.len(), 10_000);
    assert_eq!(jobs[9_999].name.as_str(), "sync_image_9999");
}
