//! The options of jobs, one by one.

use super::*;
use crate::support::assert_help;

/// Checks a refused value of an option: what it must be, and what the message says it is.
fn must(option: &str, value: &str, must_be: &str, is: &str) {
    let expected = format!("option `{option}` of sync_x must be {must_be}, not {is}");
    let messages = match option {
        "max_images_to_retain" => ami(&format!("sync_identifier: a, {option}: {value}")),
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
fn images_to_retain_are_a_whole_number_and_need_an_identifier() {
    for valid in ["0", "\"7\"", "4294967295", "", "~"] {
        let option = format!("sync_identifier: a, max_images_to_retain: {valid}");
        assert_eq!(ami(&option), [""; 0], "{valid}");
    }
    let range = "a whole number from 0 to 4294967295";
    for value in "many -1 010 4294967296".split(' ') {
        must("max_images_to_retain", value, range, value);
    }
    must("max_images_to_retain", "2.0", "a whole number", "2.0");
    let alone = "option `max_images_to_retain` of sync_x needs a `sync_identifier`";
    assert_eq!(ami("max_images_to_retain: 2, filters: ['name=a']"), [alone]);
    for (option, help) in [
        ("max_images_to_retain: 2", "add `sync_identifier`, "),
        ("keep_launched_within: 0d", "it must be longer than 0"),
        ("keep_launched_within: soon", "use a duration such as "),
        (
            "max_snapshots_to_retain: 2",
            "it is an option of `rds_automated_snapshot` jobs and `rds_automated_cluster_snapshot` jobs, and this is an \
             `ec2_ami` job; here it is `max_images_to_retain`",
        ),
    ] {
        let problems = read(&format!("sync_x: {{{AMI}, {option}}}")).problems();
        assert_help(&problems[0], help);
    }
    for valid in ["30d", "12w", "1h", "''"] {
        let both = "sync_identifier: a, max_images_to_retain: 2";
        let option = format!("{both}, keep_launched_within: {valid}");
        assert_eq!(ami(&option), [""; 0], "{valid}");
    }
    must("keep_launched_within", "-3d", "a duration", "-3d");
    let unused =
        "option `keep_launched_within` of sync_x has no effect without `max_images_to_retain`";
    assert_eq!(ami("keep_launched_within: 30d"), [unused]);
}

#[test]
fn images_are_copied_within_a_time_that_aws_offers() {
    for valid in ["15m", "1h 30m", "48h", "2d", "''"] {
        let option = format!("sync_identifier: a, copy_within: {valid}");
        assert_eq!(ami(&option), [""; 0], "{valid}");
    }
    let must_be = "a duration from 15m to 48h, in steps of 15 minutes";
    for value in [
        "soon", "0", "-15m", "14m", "20m", "900.5s", "48h15m", "3d", "30",
    ] {
        must("copy_within", value, must_be, value);
    }
}

#[test]
fn jobs_with_the_same_identifier_may_not_delete_each_others_copies() {
    let conflicts = |first: &str, second: &str| {
        let jobs = format!("{{sync_a: {{{AMI}, {first}}}, sync_b: {{{AMI}, {second}}}}}");
        let problems = read(&jobs).problems();
        for problem in &problems {
            assert!(problem.at.is_some());
            assert_says(
                &problem.message,
                "sync_b syncs images with the sync_identifier Web",
            );
            assert_help(problem, "one would delete the other's copies");
        }
        problems.len()
    };
    let (plain, retaining) = (
        "sync_identifier: Web",
        "sync_identifier: Web, max_images_to_retain: 1",
    );
    assert_eq!(conflicts(plain, plain), 0);
    for (first, second) in [
        (plain, retaining),
        (retaining, plain),
        (retaining, retaining),
        ("filters: ['tag:Sync-Identifier=Web']", retaining),
    ] {
        assert_eq!(conflicts(first, second), 1, "{first}, {second}");
    }
    let other = "sync_identifier: web, max_images_to_retain: 1";
    assert_eq!(conflicts(retaining, other), 0);
    let other_account = "aws_client_config: {profile: other}";
    assert_eq!(
        conflicts(retaining, &format!("{retaining}, {other_account}")),
        0
    );
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
    let quotes = "put it in quotes if this is what you mean";
    assert_eq!(help("sync_identifier: 1.5"), quotes);
    assert_eq!(help("sync_identifier: true"), quotes);
    must("most_recent", "1", "true or false", "1");
    let without = "write true or false, without quotes";
    assert_eq!(help("most_recent: 'yes'"), without);
}

#[test]
fn an_owner_under_both_its_names_must_be_the_same() {
    for valid in each(
        "ami_owner: 012345678901, owner_id: '012345678901' | ami_owner: , owner_id: self | owner_id: self, ami_owner: ''",
    ) {
        assert_eq!(
            ami(&format!("{valid}, sync_identifier: a")),
            [""; 0],
            "{valid}"
        );
    }
    let message = "options `owner_id` and `ami_owner` of sync_x mean the same, but differ";
    assert_eq!(ami("owner_id: self, ami_owner: amazon"), [message]);
    assert_eq!(ami("owner_id: self, ami_owner: []"), [message]);
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
fn what_no_kms_key_and_no_option_group_is_called_is_refused_with_what_to_write() {
    let help = |option: &str| {
        let text = format!("{{sync_x: {{{DATABASE}, db_instance: d, {option}}}}}");
        read(&text).problems().remove(0).help.expect("help")
    };
    for key in
        each("None | none | 'null' | copies | aws/rds | default | 'alias/' | 'alias/a b' | mrk-")
    {
        let must_be = "must be the id, the alias or the ARN of a KMS key";
        let option = format!("kms_key_id: {key}");
        assert_says(&database(&option)[0], must_be);
        assert_says(
            &help(&option),
            "an alias starts with alias/, as in alias/copies; remove the option",
        );
    }
    let must_be = "option `option_group_name` of sync_x must be the name of an option group of the destination region, not ";
    let arn = "option_group_name: 'arn:aws:rds:us-west-1:123456789012:og:my-options'";
    assert_says(&database(arn)[0], must_be);
    assert_eq!(help(arn), "write its name, my-options");
    let none = "option_group_name: None";
    assert_says(&database(none)[0], must_be);
    assert_eq!(
        help(none),
        "write its name, or remove the option if no group is needed"
    );
    assert_eq!(database("option_group_name: 'default:mysql-8-0'"), [""; 0]);
}

#[test]
fn an_owner_is_an_account_id_or_a_word() {
    for (written, meant) in [
        ("Self", "self"),
        ("SELF", "self"),
        ("Amazon", "amazon"),
        ("AWS-Marketplace", "aws-marketplace"),
        ("1234-5678-9012", "123456789012"),
        ("' 1234 5678 9012 '", "123456789012"),
        ("012345678901", "012345678901"),
    ] {
        let text = format!("sync_x: {{{AMI}, sync_identifier: a, ami_owner: {written}}}");
        match valid(&text)[0].rules.queries().sources {
            Query::Matching(selector) => assert_eq!(selector.owner, meant),
            other => panic!("{other:?}"),
        }
    }
    let must_be =
        "an account id of 12 digits, or `self`, `amazon`, `aws-marketplace` or `aws-backup-vault`";
    for wrong in [
        "12345678901",
        "1234567890123",
        "1234-5678-901",
        "0x1F",
        "me",
        "Amazon Web Services",
    ] {
        must("ami_owner", wrong, must_be, wrong);
    }
}

#[test]
fn blanks_around_the_equals_sign_of_a_filter_do_not_count() {
    let rules = |filters: &str| {
        let text = format!("sync_x: {{{AMI}, filters: {filters}}}");
        format!("{:?}", valid(&text)[0].rules)
    };
    let plain = rules("['name=web-*', 'tag:My Role=the web']");
    assert_eq!(rules("['name = web-*', \" tag:My Role= the web \"]"), plain);
    let blank = ami("filters: ['name= ']");
    assert_says(&blank[0], "`name=value` with one `=`");
}

#[test]
fn a_comma_in_a_filter_is_a_warning_that_says_what_to_write() {
    let text = |filters: &str| format!("sync_x: {{{AMI}, filters: [{filters}]}}");
    let doubtful = text("'name=a', 'tag:Env = Production, \"Staging'");
    let config = read(&doubtful);
    assert_eq!(valid(&doubtful).len(), 1);
    let [warning] = config.warnings.as_slice() else {
        panic!("{:?}", config.warnings)
    };
    let message = "item 2 of option `filters` of sync_x has one value with a comma in it";
    assert_eq!(warning.message, message);
    let column = 1 + doubtful.find("'tag").expect("there");
    let place = TextPlace {
        line: 1,
        column,
        length: 32,
    };
    assert_eq!(warning.at, Some(place));
    let help = warning.help.clone().expect("help");
    let ways = help.split("{name").skip(1);
    let ways = ways.filter_map(|way| way.split_once('}'));
    let values: Vec<Vec<String>> = ways
        .map(|(way, _)| {
            match valid(&text(&format!("{{name{way}}}")))[0]
                .rules
                .queries()
                .sources
            {
                Query::Matching(selector) => selector.filters[0].values.clone(),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    let expected = [vec!["a", "b"], vec!["a,b"]];
    assert_eq!(values, expected);
    let ways = "{name: a, values: ['b,c']}, {name: a, values: 'b,c'}";
    assert_eq!(read(&text(ways)).warnings, vec![]);
}

#[test]
fn every_image_of_another_account_is_too_many() {
    let message = "option `ami_owner` of sync_x names a different account, and no filter limits which of its images are read";
    let unlimited = each(
        "ami_owner: amazon | ami_owner: AWS-marketplace, most_recent: true | ami_owner: 123456789012, filters: [] |
         ami_owner: amazon, filters: ['name=*'] | ami_owner: amazon, filters: [{name: name, values: [a, '**']}] |
         ami_owner: amazon, filters: ['name=?*', 'state=available', 'is-public=true', 'owner-alias=amazon'] |
         ami_owner: amazon, sync_identifier: '*'",
    );
    for options in unlimited {
        assert_eq!(ami(options), [message], "{options}");
    }
    assert_says(
        &ami("owner_id: amazon")[0],
        "option `owner_id` of sync_x names a different account",
    );
    let limited = each(
        "ami_owner: self | filters: ['name=*'] | ami_owner: Self, filters: ['name=*'] | ami_owner: amazon, filters: ['name=al2023-*'] |
         ami_owner: 123456789012, sync_identifier: web | ami_owner: amazon, filters: ['name=*', 'image-id=ami-1'] |
         ami_owner: amazon, filters: ['name=????']",
    );
    for options in limited {
        assert_eq!(ami(options), [""; 0], "{options}");
    }
    let help = read(&format!("sync_x: {{{AMI}, ami_owner: amazon}}"))
        .problems()
        .remove(0)
        .help;
    assert_says(&help.expect("help"), "add a filter such as \"name=web-*\"");
}

#[test]
fn a_template_that_was_not_filled_in_is_refused() {
    for option in each(
        "db_instance: <%= db %> | db_instance: '${DB}' | db_instance: '{{ db }}' | kms_key_id: <%= key %> |
         max_snapshots_to_retain: <%= 5 %> | option_group_name: <%= group %>",
    ) {
        let (name, _) = option.split_once(':').expect("a name");
        let text = match name {
            "db_instance" => format!("{DATABASE}, {option}"),
            _ => format!("{DATABASE}, db_instance: d, {option}"),
        };
        let start = format!("option `{name}` of sync_x must be text without template syntax (`<%`, ");
        assert_says(&messages(&text)[0], &start);
    }
    assert_says(&ami("sync_identifier: <%= id %>")[0], "template syntax");
    assert_says(&ami("filters: ['name=<%= id %>']")[0], "template syntax");
    assert_says(
        &ami("filters: [{name: a, values: ['${x}']}]")[0],
        "template syntax",
    );
    let settings = merged(
        "",
        "aws_access_key: <%= a %>, aws_secret_key: \"<%= ENV['S'] %>\"",
    );
    let settings = settings.expect_err("templates");
    assert_eq!(settings.len(), 2);
    assert_eq!(
        settings[1].message,
        "option `aws_secret_key` of aws_client_config of sync_x must be text without template syntax (`<%`, `{{` or `${`)"
    );
    let name = read("sync_<%= env %>: {}").problems().pop();
    assert_says(
        &name.expect("a problem").message,
        "contains template syntax, which is not allowed",
    );
    let code =
        refused("<% jobs.each do |job| %>\nsync_<%= job %>:\n  sync_type: ec2_ami\n<% end %>\n");
    let erb = "xrs does not process templates: run erb first, and give its output to xrs";
    assert_eq!(code.help.as_deref(), Some(erb));
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
    // If the type is unknown, options of any type are possible.
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
