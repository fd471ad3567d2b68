//! `destinations`: several jobs from one entry of the config.

use std::collections::BTreeSet;

use super::*;

/// The required options of a database job, apart from its destinations.
pub const SOURCE: &str =
    "sync_type: rds_automated_snapshot, source_region: us-east-1, db_instance: orders";

pub fn entry(options: &str) -> String {
    format!("sync_orders: {{{SOURCE}, {options}}}")
}

pub fn listed(destinations: &str) -> String {
    entry(&format!("destinations: {destinations}"))
}

pub fn names(text: &str) -> Vec<String> {
    let jobs = read(text).jobs;
    jobs.iter().map(|job| job.name().to_string()).collect()
}

/// Returns the problems of each job.
pub fn by_job(text: &str) -> Vec<(String, Vec<String>)> {
    let jobs = read(text).jobs;
    let of_job = |job: &ConfiguredJob| {
        let problems = job.problems().iter();
        let problems = problems.map(ToString::to_string);
        (job.name().to_string(), problems.collect())
    };
    jobs.iter().map(of_job).collect()
}

/// Returns the only problem of a config: message, help, and the text at its place.
#[track_caller]
pub fn only_problem(text: &str) -> (String, String, String) {
    let problems = read(text).problems();
    let [problem] = problems.as_slice() else {
        panic!("{}", screen(text, &problems))
    };
    let at = problem.at.expect("a place");
    let line = text.lines().nth(at.line - 1).expect("the line");
    let marked = line.chars().skip(at.column - 1).take(at.length);
    let help = problem.help.clone().expect("help");
    (problem.message.clone(), help, marked.collect())
}

#[test]
fn each_destination_is_the_job_that_it_would_be_alone() {
    let text = "
sync_orders:
  sync_type: rds_automated_snapshot
  source_region: us-east-1
  db_instance: orders
  max_snapshots_to_retain: 3
  kms_key_id: alias/copies
  aws_client_config: {profile: backup}
  destinations:
    - us-west-1
    - {region: us-west-2, max_snapshots_to_retain: 7, kms_key_id: alias/other, option_group_name: orders}
    - {region: eu-west-1, kms_key_id: 'arn:aws:kms:eu-west-1:123456789012:key/1', retain_earlier_databases: 30d}
";
    let alone = |region: &str, options: &str| {
        let job = format!("destination_region: {region}, aws_client_config: {{profile: backup}}");
        let mut job = valid(&entry(&format!("{job}, {options}"))).remove(0);
        job.name = JobName::from(format!("sync_orders@{region}"));
        format!("{job:?}")
    };
    let jobs = valid(text).into_iter().map(|job| format!("{job:?}"));
    let expected = [
        alone(
            "us-west-1",
            "max_snapshots_to_retain: 3, kms_key_id: alias/copies",
        ),
        alone(
            "us-west-2",
            "max_snapshots_to_retain: 7, kms_key_id: alias/other, option_group_name: orders",
        ),
        alone(
            "eu-west-1",
            "max_snapshots_to_retain: 3, kms_key_id: 'arn:aws:kms:eu-west-1:123456789012:key/1', retain_earlier_databases: 30d",
        ),
    ];
    assert_eq!(jobs.collect::<Vec<_>>(), expected);
    let settings = read(text).client_configs;
    let names = settings.keys().map(JobName::as_str);
    assert!(names.eq([
        "sync_orders@eu-west-1",
        "sync_orders@us-west-1",
        "sync_orders@us-west-2"
    ]));
    assert!(settings.values().all(Result::is_ok));
}

#[test]
fn images_have_destinations_too() {
    let image =
        "sync_type: ec2_ami, source_region: us-east-1, sync_identifier: web, kms_key_id: alias/a";
    let jobs = valid(&format!(
        "sync_web: {{{image}, destinations: [us-west-1, {{region: eu-west-1, kms_key_id: alias/b}}]}}"
    ));
    let found = jobs
        .iter()
        .map(|job| (job.name.as_str(), job.kms_key_id.as_deref()));
    let expected = [
        ("sync_web@us-west-1", Some("alias/a")),
        ("sync_web@eu-west-1", Some("alias/b")),
    ];
    assert!(found.eq(expected));
}

#[test]
fn a_list_of_one_is_a_list() {
    assert_eq!(names(&listed("[us-west-1]")), ["sync_orders@us-west-1"]);
    assert_eq!(
        names(&listed("[{region: us-west-1}]")),
        ["sync_orders@us-west-1"]
    );
    let symbols = ":sync_orders: {:sync_type: rds_automated_snapshot, source_region: us-east-1, :db_instance: orders, \
                   :destinations: [{:region: us-west-1}]}";
    assert_eq!(valid(symbols)[0].name.as_str(), "sync_orders@us-west-1");
}

#[test]
fn what_is_null_or_empty_in_a_destination_is_not_given() {
    for group in config::reference() {
        for option in group
            .options
            .iter()
            .filter(|option| option.is_per_destination)
        {
            for empty in ["", "~", "null", "''"] {
                let job = match group.of.contains("ec2") {
                    true => "sync_type: ec2_ami, source_region: us-east-1, sync_identifier: web",
                    false => SOURCE,
                };
                let shared = format!("{job}, kms_key_id: alias/a");
                let text = |more: &str| {
                    format!("sync_x: {{{shared}, destinations: [{{region: us-west-1{more}}}]}}")
                };
                let given = text(&format!(", {}: {empty}", option.name));
                assert_eq!(
                    format!("{:?}", valid(&given)),
                    format!("{:?}", valid(&text(""))),
                    "{given}"
                );
            }
        }
    }
    for empty in ["", "~", "''"] {
        let one = entry(&format!(
            "destinations: {empty}, destination_region: us-west-1"
        ));
        assert_eq!(names(&one), ["sync_orders"]);
        let several = entry(&format!(
            "destinations: [us-west-1], destination_region: {empty}"
        ));
        assert_eq!(valid(&several)[0].name.as_str(), "sync_orders@us-west-1");
        let neither = entry(&format!("destinations: {empty}"));
        let missing = "sync_orders has neither `destination_region` nor `destinations`, one of which is required";
        assert_eq!(only_problem(&neither).0, missing);
        let region = listed(&format!("[{{region: {empty}}}]"));
        let missing = "destination 1 of sync_orders has no `region`, which is required";
        assert_eq!(only_problem(&region).0, missing);
    }
}

#[test]
fn a_list_in_destination_region_belongs_in_destinations() {
    let (message, help, _) = only_problem(&entry("destination_region: [us-west-1, eu-west-1]"));
    let expected = "option `destination_region` of sync_orders must be text, not a list";
    assert_eq!(message, expected);
    let expected = "for several regions, write `destinations: [us-west-1, eu-west-1]`";
    assert_eq!(help, expected);
}

#[test]
fn an_option_that_destinations_share_must_have_an_effect_in_one_of_them() {
    let image = |shared: &str, destinations: &str| {
        let job = "sync_type: ec2_ami, source_region: us-east-1, sync_identifier: web";
        format!("sync_web: {{{job}, {shared}destinations: [us-west-1, {destinations}]}}")
    };
    let shared = "keep_launched_within: 9d, ";
    let used = image(shared, "{region: eu-west-1, max_images_to_retain: 1}");
    assert_eq!(valid(&used).len(), 2);
    let has_no_effect = |owner: &str| {
        format!(
            "option `keep_launched_within` of {owner} has no effect without `max_images_to_retain`"
        )
    };
    let unused = image(shared, "eu-west-1");
    assert_eq!(only_problem(&unused).0, has_no_effect("sync_web"));
    let unused = image("", "{region: eu-west-1, keep_launched_within: 9d}");
    let of_destination = has_no_effect("sync_web@eu-west-1");
    assert_eq!(only_problem(&unused).0, of_destination);
    let elsewhere = "{region: eu-west-1, max_images_to_retain: 1}";
    let unused = format!("{elsewhere}, {{region: eu-west-2, keep_launched_within: 9d}}");
    let of_destination = has_no_effect("sync_web@eu-west-2");
    assert_eq!(only_problem(&image("", &unused)).0, of_destination);
}

#[test]
fn only_options_about_the_copies_differ_between_destinations() {
    let options = config::reference().flat_map(|group| &group.options);
    let (of_destinations, of_jobs): (Vec<_>, Vec<_>) =
        options.partition(|option| option.is_per_destination);
    let names = of_destinations.iter().map(|option| option.name.as_str());
    let expected = [
        "copy_within",
        "keep_launched_within",
        "kms_key_id",
        "max_images_to_retain",
        "max_snapshots_to_retain",
        "option_group_name",
        "retain_earlier_databases",
    ];
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(expected));
    for source in [
        "sync_type",
        "source_region",
        "db_instance",
        "db_cluster",
        "filters",
        "ami_owner",
        "sync_identifier",
        "most_recent",
        "include_copies",
        "aws_client_config",
    ] {
        assert!(
            of_jobs.iter().any(|option| option.name == source),
            "{source}"
        );
    }
}

#[test]
fn conflicts_are_found_between_destinations() {
    let text = format!(
        "sync_orders: {{{SOURCE}, destinations: [us-west-1, eu-west-1]}}\n\
         sync_again: {{{SOURCE}, destinations: [us-west-2, eu-west-1]}}\n\
         sync_alone: {{{DATABASE}, db_instance: Orders}}\n"
    );
    let problems = read(&text).problems();
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        "line 2, column 1: sync_again@eu-west-1 copies orders from us-east-1 to eu-west-1, and so does sync_orders@eu-west-1 above it",
        "line 3, column 1: sync_alone copies orders from us-east-1 to us-west-1, and so does sync_orders@us-west-1 above it",
    ];
    assert_eq!(problems, expected);
    let is_valid = |job: &ConfiguredJob| job.valid().is_some();
    assert!(
        read(&text)
            .jobs
            .iter()
            .map(is_valid)
            .eq([true, true, true, false, false])
    );

    // A database of the same name in another region.
    let text = format!(
        "sync_a: {{{SOURCE}, destinations: [us-west-1, eu-west-1]}}\n\
         sync_b: {{sync_type: rds_automated_snapshot, source_region: us-west-1, db_instance: orders, destinations: [us-east-1, eu-west-1]}}\n"
    );
    let shared = valid(&text)
        .into_iter()
        .map(|job| job.has_shared_parent_name);
    assert!(shared.eq([false, false, false, true]));
}

#[test]
fn a_cycle_is_found_through_destinations() {
    let image = |from: &str, to: &str| {
        format!(
            "{{sync_type: ec2_ami, source_region: {from}, destinations: [{to}], sync_identifier: a, include_copies: true}}"
        )
    };
    let text = format!(
        "sync_there: {}\nsync_back: {}\n",
        image("us-east-1", "us-west-1, eu-west-1"),
        image("eu-west-1", "eu-central-1, us-east-1")
    );
    let (message, ..) = only_problem(&text);
    let expected = "sync_back@us-east-1 closes a cycle of jobs with include_copies: eu-west-1, us-east-1, eu-west-1";
    assert_eq!(message, expected);
    let is_valid = |job: &ConfiguredJob| job.valid().is_some();
    assert!(
        read(&text)
            .jobs
            .iter()
            .map(is_valid)
            .eq([true, true, true, false])
    );
}

#[test]
fn all_forms_of_the_list_are_read() {
    let text = include_str!("../../../testdata/config/destinations.yaml");
    let jobs = valid(text);
    let found = jobs.iter().map(|job| {
        let retained = job.rules.retention().map(|rules| rules.max_retained);
        (job.name.as_str(), job.kms_key_id.as_deref(), retained)
    });
    let key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
    let expected = [
        ("sync_web@us-west-2", None, None),
        ("sync_web@eu-west-1", Some("alias/copies"), None),
        ("sync_orders@us-west-2", Some("alias/orders"), Some(3)),
        ("sync_orders@eu-west-1", Some(key), Some(7)),
        ("sync_customers@eu-west-1", None, Some(2)),
    ];
    assert_eq!(found.collect::<Vec<_>>(), expected);
}
