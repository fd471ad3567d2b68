//! Mistakes in `destinations`, each with its place and its help.

use super::destinations::*;
use super::*;

#[test]
fn options_that_choose_the_source_are_the_same_for_all_destinations() {
    let image = "sync_type: ec2_ami, source_region: us-east-1, sync_identifier: web";
    for (job, options) in [
        (
            SOURCE,
            "sync_type source_region db_instance aws_client_config",
        ),
        (
            image,
            "filters ami_owner owner_id sync_identifier most_recent include_copies",
        ),
    ] {
        for option in options.split(' ') {
            let text =
                format!("sync_x: {{{job}, destinations: [{{region: us-west-1, {option}: a}}]}}");
            let (message, help, at) = only_problem(&text);
            let expected = format!("option `{option}` does not belong in destination 1 of sync_x");
            let way_out = "all destinations share it: put it next to `destinations`";
            assert_eq!((&*message, &*help, &*at), (&*expected, way_out, option));
        }
    }
}

#[test]
fn a_problem_of_one_destination_leaves_the_others_valid() {
    let problem = |destination: &str| {
        let found = by_job(&listed(&format!("[us-west-2, {destination}]")));
        let [(first, none), (second, problems)] = found.as_slice() else {
            panic!("{destination}: {found:?}")
        };
        assert_eq!((first.as_str(), none.len()), ("sync_orders@us-west-2", 0));
        assert_eq!(problems.len(), 1, "{problems:?}");
        (second.clone(), problems[0].clone())
    };
    for (destination, name, message) in [
        (
            "{region: us-west-1, max_snapshots_to_retain: many}",
            "sync_orders@us-west-1",
            "option `max_snapshots_to_retain` of sync_orders must be a whole number from 0 to 4294967295, not many",
        ),
        (
            "{region: us-west-1, kms_key: alias/a}",
            "sync_orders@us-west-1",
            "unknown option `kms_key` in destination 2 of sync_orders",
        ),
        (
            "us-east-1",
            "sync_orders@us-east-1",
            "source and destination of sync_orders are the same region, us-east-1",
        ),
        (
            "cn-north-1",
            "sync_orders@cn-north-1",
            "sync_orders can't copy from us-east-1 to cn-north-1: they are in different partitions, aws and aws-cn",
        ),
        // These are not valid destinations, so the job has no region in its name.
        (
            "us-west-1a",
            "sync_orders",
            "option `region` of destination 2 of sync_orders must be the code of a region, not us-west-1a",
        ),
        (
            "{kms_key_id: alias/a}",
            "sync_orders",
            "destination 2 of sync_orders has no `region`, which is required",
        ),
        (
            "[us-west-1]",
            "sync_orders",
            "item 2 of option `destinations` of sync_orders must be a region or a mapping, not a list",
        ),
        (
            "'<%= region %>'",
            "sync_orders",
            "option `region` of destination 2 of sync_orders must be text without template syntax (`<%`, `{{` or `${`), \
             not \"<%= region %>\"",
        ),
    ] {
        let (job, problem) = problem(destination);
        assert_eq!(job, name, "{destination}");
        assert_says(&problem, message);
    }
}

/// Neither of them runs, because it is unclear which options, such as the retention, apply.
#[test]
fn a_destination_that_is_listed_twice_is_invalid() {
    let text = listed("[us-west-2, {region: us-west-1, max_snapshots_to_retain: 9}, us-west-1]");
    assert_eq!(
        names(&text),
        ["sync_orders@us-west-2", "sync_orders@us-west-1"]
    );
    let jobs = read(&text).jobs;
    assert!(jobs[0].valid().is_some() && jobs[1].valid().is_none());
    let (message, help, at) = only_problem(&text);
    let expected = "destination 3 of sync_orders is us-west-1, which is already listed";
    assert_eq!((&*message, &*at), (expected, "us-west-1"));
    assert_says(&help, "keep only one of them");
}

#[test]
fn an_invalid_list_is_one_problem_of_the_whole_job() {
    let many: Vec<String> = (0..101)
        .map(|n| format!("us-region{}-1", "a".repeat(n % 9)))
        .collect();
    let many = format!("[{}]", many.join(", "));
    for (destinations, message) in [
        (
            "us-west-1",
            "option `destinations` of sync_orders must be a list, not us-west-1",
        ),
        (
            "{region: us-west-1}",
            "option `destinations` of sync_orders must be a list, not a mapping",
        ),
        ("[]", "`destinations` of sync_orders is empty"),
        (many.as_str(), "sync_orders has 101 destinations"),
    ] {
        let text = listed(destinations);
        assert_eq!(names(&text), ["sync_orders"]);
        let (found, help, at) = only_problem(&text);
        assert_eq!(found, message);
        assert!(help.contains("us-west-1"), "{help}");
        assert!(destinations.starts_with(&at), "{at}");
    }
}

#[test]
fn one_destination_and_several_exclude_each_other() {
    let text = entry("destination_region: us-west-1, destinations: [us-west-2, eu-west-1]");
    assert_eq!(
        names(&text),
        ["sync_orders@us-west-2", "sync_orders@eu-west-1"]
    );
    let (message, help, at) = only_problem(&text);
    let expected = "sync_orders has both `destination_region` and `destinations`";
    let way_out = "remove `destination_region`, and list its region in `destinations`";
    assert_eq!(
        (&*message, &*help, &*at),
        (expected, way_out, "destination_region")
    );
}

#[test]
fn a_shared_problem_is_a_problem_of_every_destination_and_is_shown_once() {
    let text =
        entry("destinations: [us-west-1, eu-west-1], max_snapshots_to_retain: many, retain: 5");
    let found = by_job(&text);
    let [(first, problems), (second, same)] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("sync_orders@us-west-1", "sync_orders@eu-west-1")
    );
    assert_eq!(problems, same);
    assert_eq!(problems.len(), 2);
    assert_eq!(read(&text).problems().len(), 2);
    // Even if no item of the list can be read.
    let text = entry("destinations: [nowhere], max_snapshots_to_retain: many");
    assert_eq!(by_job(&text)[0].1.len(), 2);
    let both = "filters: ['tag:Role=a,b']";
    let text = format!(
        "sync_web: {{sync_type: ec2_ami, source_region: us-east-1, destinations: [us-west-1, eu-west-1], {both}}}"
    );
    assert_eq!(read(&text).warnings.len(), 1);
}

#[test]
fn the_error_for_a_name_with_an_at_sign_says_what_to_write() {
    let text = format!(
        "sync_a: {{{SOURCE}, destinations: [us-west-1]}}\nsync_a@us-west-1: {{{DATABASE}, db_instance: b}}\n"
    );
    let (message, help, at) = only_problem(&text);
    let expected = "the job name sync_a@us-west-1 contains `@`, which is not allowed";
    assert_eq!((&*message, &*at), (expected, "sync_a@us-west-1"));
    let way_out = "write `sync_a:` and `destinations: [us-west-1]`: the part after an `@` names one of the job's destinations";
    assert_eq!(help, way_out);
    // The two jobs have different names, and the valid one keeps its client settings.
    let config = read(&text);
    assert_eq!(names(&text), ["sync_a@us-west-1", "sync_a\\u{40}us-west-1"]);
    assert!(config.jobs[0].valid().is_some());
    assert_eq!(config.client_configs.len(), 2);
    let (_, help, _) = only_problem(&format!("sync_a@home: {{{DATABASE}, db_instance: b}}"));
    assert_says(&help, "write `sync_a_home:`: ");
}
