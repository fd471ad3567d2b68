//! The options of jobs, one by one.

use super::*;

#[test]
fn snapshots_to_retain_are_a_whole_number() {
    for good in ["0", "1", "\"7\"", "' 12 '", "4294967295"] {
        assert_eq!(
            database(&format!("max_snapshots_to_retain: {good}")),
            [""; 0],
            "{good}"
        );
    }
    let must = |text: &str, must: &str, not: &str| {
        let said = database(&format!("max_snapshots_to_retain: {text}"));
        assert_eq!(
            said,
            [format!(
                "option `max_snapshots_to_retain` of sync_x must be {must}, not {not}"
            )]
        );
    };
    must("many", "a whole number", "many");
    must("\"many\"", "a whole number", "\"many\"");
    must("-1", "0 or more", "-1");
    must("2.0", "a whole number", "2.0");
    must("0x2", "a whole number", "0x2");
    must("010", "a whole number", "010");
    must("''", "a whole number", "\"\"");
    must("true", "a whole number", "true");
    must("[2]", "a whole number", "a list");
    must("4294967296", "at most 4294967295", "4294967296");
    must(
        "99999999999999999999",
        "at most 4294967295",
        "99999999999999999999",
    );
    assert_eq!(
        database("max_snapshots_to_retain: "),
        ["option `max_snapshots_to_retain` of sync_x has no value"]
    );
}

#[test]
fn a_filter_has_one_equals_sign_or_is_a_mapping() {
    for good in [
        "[]",
        "['a=b']",
        "[{name: a, values: [b, '', 5, true]}]",
        "[{name: a, values: b}]",
    ] {
        assert_eq!(ami(&format!("filters: {good}")), [""; 0], "{good}");
    }
    for bad in ["a", "a=", "=a", "a=b=c", ""] {
        let said = ami(&format!("filters: ['{bad}']"));
        assert_eq!(
            said,
            [format!(
                "a filter of sync_x must be `name=value` with one `=`, not \"{bad}\""
            )]
        );
    }
    assert_eq!(
        ami("filters: a=b"),
        ["option `filters` of sync_x must be a list of filters, not a single value"]
    );
    assert_eq!(
        ami("filters: [{name: '', values: [], more: 1}]"),
        [
            "option `name` of a filter of sync_x must be a text, not an empty one",
            "option `values` of a filter of sync_x must be one value or more, not an empty list",
            "unknown option `more` in a filter of sync_x"
        ]
    );
}

#[test]
fn texts_are_texts() {
    let must = |options: &str, not: &str| {
        let said = ami(&format!("sync_identifier: {options}"));
        assert_eq!(
            said,
            [format!(
                "option `sync_identifier` of sync_x must be a text, not {not}"
            )]
        );
    };
    must("[a]", "a list");
    must("{a: b}", "a mapping");
    must("\"\"", "an empty one");
    must("'  '", "an empty one");
    must("true", "true");
    assert_eq!(
        ami("sync_identifier: ~"),
        ["option `sync_identifier` of sync_x has no value"]
    );
    assert_eq!(ami("sync_identifier: 'true'"), [""; 0]);
    assert_eq!(ami("sync_identifier: !!str true"), [""; 0]);
    assert_eq!(
        ami("most_recent: 1"),
        ["option `most_recent` of sync_x must be true or false, not 1"]
    );
}

#[test]
fn an_owner_under_both_its_names_must_be_the_same() {
    assert_eq!(ami("ami_owner: 5, owner_id: '5'"), [""; 0]);
    assert_eq!(
        ami("owner_id: 5, ami_owner: 6"),
        ["options `owner_id` and `ami_owner` of sync_x mean the same, but differ"]
    );
}

#[test]
fn a_kms_key_is_one_of_the_destination() {
    for good in [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "alias/copies",
        "mrk-1234",
        "arn:aws:kms:us-west-1:123456789012:key/1234abcd",
    ] {
        assert_eq!(
            database(&format!("kms_key_id: '{good}'")),
            [""; 0],
            "{good}"
        );
    }
    assert_eq!(
        database("kms_key_id: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd'"),
        [
            "option `kms_key_id` of sync_x must be a key of the destination region, us-west-1, not one of \"us-east-1\""
        ]
    );
    for bad in [
        "arn:aws:iam::123456789012:role/xrs",
        "arn:aws:kms:us-west-1:1234:key/1",
        "arn:",
    ] {
        assert!(
            database(&format!("kms_key_id: '{bad}'"))[0]
                .contains("must be the id, the alias or the ARN of a KMS key"),
            "{bad}"
        );
    }
}

#[test]
fn a_misspelt_option_is_never_passed_over() {
    let help = |options: &str| {
        let text = format!(
            "sync_x: {{sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1, db_instance: d, {options}}}"
        );
        read(&text).problems().remove(0).help.expect("help")
    };
    assert_eq!(
        help("max_snapshot_to_retain: 5"),
        "did you mean `max_snapshots_to_retain`?"
    );
    assert_eq!(
        help("Max-Snapshots-To-Retain: 5"),
        "did you mean `max_snapshots_to_retain`?"
    );
    assert_eq!(help("db_instances: x"), "did you mean `db_instance`?");
    assert_eq!(
        help("filters: []"),
        "it is an option of `ec2_ami` jobs, and this is an `rds_automated_snapshot` job"
    );
    assert_eq!(help("role_arn: x"), "put it inside aws_client_config");
    assert!(
        help("xyz: 1").starts_with("there are `sync_type`, `source_region`"),
        "{}",
        help("xyz: 1")
    );
}

#[test]
fn many_unknown_options_are_counted() {
    let many: String = (0..50).map(|n| format!("zz{n}: 1, ")).collect();
    let said = ami(&many);
    assert_eq!(said.len(), 21);
    assert_eq!(said[20], "30 more unknown options in sync_x");
}
