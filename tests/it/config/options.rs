//! The options of jobs, one by one.

use super::*;

/// Checks the value of an option: what it must be, and what the message says it is.
fn must(option: &str, value: &str, must_be: &str, is: &str) {
    let expected = format!("option `{option}` of sync_x must be {must_be}, not {is}");
    let messages = match option {
        "max_snapshots_to_retain" => database(&format!("{option}: {value}")),
        _ => ami(&format!("{option}: {value}")),
    };
    assert_eq!(messages, [expected]);
}

#[test]
fn snapshots_to_retain_are_a_whole_number() {
    for valid in ["0", "1", "\"7\"", "' 12 '", "4294967295", "", "''"] {
        let option = format!("max_snapshots_to_retain: {valid}");
        assert_eq!(database(&option), [""; 0], "{valid}");
    }
    let must = |value, must_be, is| must("max_snapshots_to_retain", value, must_be, is);
    let range = "a whole number from 0 to 4294967295";
    for value in "many -1 0x2 010 +1 4294967296 99999999999999999999".split(' ') {
        must(value, range, value);
    }
    must("\"many\"", range, "\"many\"");
    must("2.0", "a whole number", "2.0");
    must("true", "a whole number", "true");
    must("[2]", "a whole number", "a list");
}

#[test]
fn a_filter_has_one_equals_sign_or_is_a_mapping() {
    for valid in
        each("[] | ['a=b'] | [{name: a, values: [b, '', 5, true]}] | [{name: a, values: b}]")
    {
        assert_eq!(ami(&format!("filters: {valid}")), [""; 0], "{valid}");
    }
    let must_be = "`name=value` with one `=`, or {name: …, values: […]}";
    let message =
        |n, is: &str| format!("item {n} of option `filters` of sync_x must be {must_be}, not {is}");
    for invalid in ["a", "a=", "=a", "a=b=c"] {
        let messages = ami(&format!("filters: ['{invalid}']"));
        assert_eq!(messages, [message(1, &format!("\"{invalid}\""))]);
    }
    for invalid in each(
        "{name: '', values: [b]} | {name: a} | {values: [b]} | {name: a, values: []} |
         {name: a, values: [[]]} | {name: a, values: [b], more: 1}",
    ) {
        let messages = ami(&format!("filters: [{invalid}]"));
        assert_eq!(messages, [message(1, "a mapping")], "{invalid}");
    }
    let several = ami("filters: ['a=b', 'a', 'c=d', [], ~, 'e=f', 5]");
    let expected = [
        message(2, "\"a\""),
        message(4, "a list"),
        message(5, "~"),
        message(7, "5"),
    ];
    assert_eq!(several, expected);
    must("filters", "a=b", "a list", "a=b");
}

#[test]
fn text_is_text() {
    let text = |value, is| must("sync_identifier", value, "text", is);
    text("[a]", "a list");
    text("{a: b}", "a mapping");
    text("true", "true");
    text("1.5", "1.5");
    for valid in
        each(" | '' | '  ' | ~ | 'true' | !!str true | '1.5' | 17 | 12345678901234567890123")
    {
        let option = format!("sync_identifier: {valid}");
        assert_eq!(ami(&option), [""; 0], "{valid}");
    }
    let help = |option: &str| {
        let problems = read(&format!("{{sync_x: {{{AMI}, {option}}}}}")).problems();
        problems[0].help.clone().expect("help")
    };
    let quotes = "put it in quotes, if this is what is meant";
    assert_eq!(help("sync_identifier: 1.5"), quotes);
    assert_eq!(help("sync_identifier: true"), quotes);
    must("most_recent", "1", "true or false", "1");
    let without = "write true or false, without quotes";
    assert_eq!(help("most_recent: 'yes'"), without);
}

#[test]
fn an_owner_under_both_its_names_must_be_the_same() {
    for valid in
        each("ami_owner: 5, owner_id: '5' | ami_owner: , owner_id: 5 | owner_id: 5, ami_owner: ''")
    {
        assert_eq!(ami(valid), [""; 0], "{valid}");
    }
    let message = "options `owner_id` and `ami_owner` of sync_x mean the same, but differ";
    assert_eq!(ami("owner_id: 5, ami_owner: 6"), [message]);
    assert_eq!(ami("owner_id: 5, ami_owner: []"), [message]);
}

#[test]
fn a_kms_key_is_one_of_the_destination() {
    for valid in each(
        "1234abcd-12ab-34cd-56ef-1234567890ab | alias/copies | mrk-1234 |
         arn:aws:kms:us-west-1:123456789012:key/1234abcd",
    ) {
        let option = format!("kms_key_id: '{valid}'");
        assert_eq!(database(&option), [""; 0], "{valid}");
    }
    let other = "kms_key_id: 'arn:aws:kms:us-east-1:123456789012:key/1234abcd'";
    let message = "option `kms_key_id` of sync_x must be a key of the destination region, us-west-1, not of us-east-1";
    assert_eq!(database(other), [message]);
    for invalid in
        each("arn:aws:iam::123456789012:role/xrs | arn:aws:kms:us-west-1:1234:key/1 | arn:")
    {
        let messages = database(&format!("kms_key_id: '{invalid}'"));
        let must_be = "must be the id, the alias or the ARN of a KMS key";
        assert_says(&messages[0], must_be);
    }
}

#[test]
fn required_options_are_missing_also_if_they_are_empty() {
    let missing = |option| [format!("sync_x has no `{option}`, which is required")];
    for empty in each(" | , source_region: | , source_region: '' | , source_region: null") {
        let options = format!("sync_type: ec2_ami, destination_region: us-west-1{empty}");
        assert_eq!(messages(&options), missing("source_region"));
    }
    assert_eq!(messages(DATABASE), missing("db_instance"));
}

#[test]
fn a_misspelt_option_is_never_ignored() {
    let help = |options: &str| {
        let text = format!("{{sync_x: {{{DATABASE}, db_instance: d, {options}}}}}");
        read(&text).problems().remove(0).help.expect("help")
    };
    let meant = "did you mean `max_snapshots_to_retain`?";
    assert_eq!(help("max_snapshot_to_retain: 5"), meant);
    assert_eq!(help("Max-Snapshots-To-Retain: 5"), meant);
    assert_eq!(help("db_instances: x"), "did you mean `db_instance`?");
    let other = "it is an option of `ec2_ami` jobs, and this is an `rds_automated_snapshot` job";
    assert_eq!(help("filters: []"), other);
    assert_eq!(help("role_arn: x"), "put it inside aws_client_config");
    let all = help("xyz: 1");
    assert_says(&all, "the options are `aws_client_config`, ");
    assert_eq!(help("5: 1"), all);
    // Of an unknown type, the options of any type may be meant.
    let unknown = messages("sync_type: x, filters: 5, db_instance: 5");
    assert_eq!(unknown.len(), 3, "{unknown:?}");
}

#[test]
fn many_mistakes_are_not_all_reported() {
    let many: String = (0..50).map(|n| format!("zz{n}: 1, ")).collect();
    let messages = ami(&many);
    assert_eq!(messages.len(), 21);
    assert_eq!(messages[20], "30 more unknown options in sync_x");
    let filters = "a, ".repeat(50_000);
    assert_eq!(ami(&format!("filters: [{filters}]")).len(), 20);
}
