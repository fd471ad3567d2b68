//! The JSON Schema of the config accepts and refuses what the reader does, as far as a schema can tell.

use std::collections::BTreeMap;

use jsonschema::Validator;
use serde_json::Value;

use super::*;
use crate::schema;

/// Mistakes that a schema can't detect: conflicts between jobs, or between the global settings and a job's own.
const BETWEEN: [&str; 9] = [
    "sync_half",
    "sync_other_half",
    "sync_retention",
    "circle",
    "same_database",
    "sync_same_destination_twice",
    "sync_to_its_source",
    "sync_with_a_key_of_one_destination",
    "two_documents",
];

fn validator() -> Validator {
    schema::validator(&config::schema())
}

/// A config as an editor reads it.
fn yaml(text: &str) -> Result<Value, serde_yaml::Error> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text)?;
    // It applies one `<<` after the other, because what one merges in may contain another.
    for _ in 0..3 {
        value.apply_merge()?;
    }
    serde_yaml::from_value(value)
}

fn faults(document: &Value) -> Vec<String> {
    schema::faults(&validator(), document)
}

#[test]
fn valid_configs_fit_the_schema() {
    let starter = ("starter".to_owned(), config::STARTER.to_owned());
    for (name, text) in schema::files("config", ".yaml")
        .into_iter()
        .chain([starter])
    {
        assert_eq!(faults(&yaml(&text).expect("YAML")), [""; 0], "{name}");
    }
}

#[test]
fn invalid_configs_do_not_fit_the_schema() {
    for (name, text) in schema::files("config/bad", ".yaml") {
        // A file that is not YAML needs no schema.
        let Ok(value) = yaml(&text) else { continue };
        let faults = faults(&value);
        let Ok(read) = config::read(text.as_bytes()) else {
            assert!(!faults.is_empty(), "{name}");
            continue;
        };
        // The jobs for the destinations of one entry are checked together.
        let mut invalid: BTreeMap<&str, bool> = BTreeMap::new();
        for job in &read.jobs {
            *invalid.entry(job.name().key()).or_default() |= job.valid().is_none();
        }
        for (job_name, is_invalid) in invalid {
            let at = format!("/{job_name}");
            let is_faulty = faults.iter().any(|fault| fault.starts_with(&at));
            let is_between = [job_name, name.as_str()]
                .iter()
                .any(|name| BETWEEN.contains(name));
            if !is_between || !is_invalid {
                assert_eq!(is_faulty, is_invalid, "{name}: {job_name}: {faults:#?}");
            }
        }
    }
}

/// Short account ids that are numbers are not among them: of `012345678901`, an editor sees no zero. Nor are empty texts, which
/// count as not given, but need not please an editor.
#[test]
fn reader_and_schema_agree_on_values() {
    let validator = validator();
    let ami = "ami_owner: self | ami_owner: 123456789012, sync_identifier: a | ami_owner: [self] | ami_owner: true | ami_owner: 1.5 | owner_id: {} |
        owner_id: self | sync_identifier: web | sync_identifier: 17 | sync_identifier: null | sync_identifier: '' |
        sync_identifier: true | sync_identifier: 'true' | filters: [] | filters: 'a=b' | filters: ['a=b'] |
        filters: ['a=b=c'] | filters: ['a='] | filters: ['=b'] | filters: [' =b'] | filters: ['a'] | filters: [17] |
        filters: [null] | filters: [{name: a, values: [b]}] | filters: [{name: a, values: b}] |
        filters: [{name: a, values: []}] | filters: [{name: a, values: ['']}] | filters: [{name: a, values: [true, 17]}] |
        filters: [{name: a, values: [null]}] | filters: [{name: a}] | filters: [{values: [b]}] |
        filters: [{name: a, values: [b], more: c}] | filters: [{name: '', values: [b]}] | most_recent: true |
        most_recent: 'true' | most_recent: yes | kms_key_id: alias/a | kms_key_id: 1234abcd | kms_key_id: 1234 |
        kms_key_id: null | ami_owner: null | filters: null | most_recent: ~ | kms_key_id: {id: a} |
        kms_key_id: 'arn:aws:kms:us-west-1:123456789012:key/a' |
        kms_key_id: 'arn:aws:kms:us-west-1:1:key/a' | kms_key_id: 'arn:aws:ec2:us-west-1:123456789012:key/a' |
        db_instance: a | nonsense: 1 | profile: a | aws_client_config: null | aws_client_config: {} |
        aws_client_config: [] | sync_identifier: a, max_images_to_retain: 2, keep_launched_within: 30d |
        sync_identifier: a, max_images_to_retain: -1 | copy_within: 30m | copy_within: [] | sync_identifier: a, max_images_to_retain: many";
    let client = "profile: a | profile: null | aws_access_key: a, aws_secret_key: b |
        access_key_id: a, secret_access_key: b, aws_session_token: c | aws_access_key: [a], aws_secret_key: b |
        aws_access_key: a, aws_secret_key: b, profile: c | aws_account_id: 123456789012 |
        aws_account_id: '1234-5678-9012' | aws_account_id: '1234' | role_arn: 'arn:aws:iam::123456789012:role/a/b' |
        role_arn: 'arn:aws-us-gov:iam::123456789012:role/a' | role_arn: 'arn:aws:iam::1:role/a' |
        role_arn: 'arn:aws:iam::123456789012:role/' | role_arn: 'arn:aws:iam::123456789012:user/a' | role_arn: 17 |
        endpoint_url: 'http://localhost:5000' | endpoint_url: 'https://a.b/c' | endpoint_url: 'localhost' |
        endpoint_url: 'http://u:p@host' | endpoint_url: 'http://host?x' | endpoint_url: 17 | use_fips_endpoint: true |
        use_fips_endpoint: null | aws_account_id: null | read_timeout: null | max_attempts: null |
        use_fips_endpoint: maybe | use_dualstack_endpoint: 'false' | max_attempts: 1 |
        max_attempts: '3' | max_attempts: 0 | max_attempts: -1 | max_attempts: 1.5 | max_attempts: '03' |
        connect_timeout: 2.5 | connect_timeout: '2' | connect_timeout: 0 | read_timeout: -1 | read_timeout: 86401 |
        read_timeout: soon | read_deadline: 60 | read_deadline: 0 |
        http_proxy: 'http://proxy:3128' | http_proxy: 'http://u:p@proxy:3128/' | http_proxy: 'proxy:3128' |
        http_proxy: 'http://proxy/path' | http_proxy: 'http://@proxy' | http_proxy: 17 | ssl_ca_bundle: /a.pem |
        rds_endpoint: 'http://u:p@host' | sts_endpoint: 'https://a.b/c' | ec2_endpoint: localhost | logger: stdout | max_retries: 3 | external_id: 17 | role_session_name: nightly |
        nonsense: 1 | source_region: us-east-1";
    let snapshot = "db_instance: mydatabase | db_instance: Orders-DB | db_instance: '' | db_instance: null | db_instance: 'a_b' |
        db_instance: 1a | db_instance: a- | db_instance: a--b | db_instance: a-b-c | max_snapshots_to_retain: 2 | db_instance: a, max_snapshots_to_retain: null |
        db_instance: a, max_snapshots_to_retain: 0 |
        db_instance: a, max_snapshots_to_retain: '7' | db_instance: a, max_snapshots_to_retain: ' 7 ' |
        db_instance: a, max_snapshots_to_retain: -1 | db_instance: a, max_snapshots_to_retain: many |
        db_instance: a, max_snapshots_to_retain: 4294967296 | db_instance: a, option_group_name: b |
        db_instance: a, option_group_name: [b] | db_instance: a, most_recent: true |
        db_instance: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa |
        db_instance: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let destinations = "[us-west-1] | [{region: us-west-1}] | [us-west-1, {region: eu-west-1}] | null | [] | us-west-1 |
        {region: us-west-1} | [[us-west-1]] | [null] | [{}] | [US-West-1] | [17] | [{region: us-west-1a}] | [{region: null}] |
        [{region: us-west-1, kms_key_id: alias/a}] | [{region: us-west-1, kms_key_id: null}] |
        [{region: us-west-1, kms_key_id: {id: a}}] | [{region: us-west-1, max_snapshots_to_retain: '7'}] |
        [{region: us-west-1, max_snapshots_to_retain: -1}] | [{region: us-west-1, retain_earlier_databases: 30d}] |
        [{region: us-west-1, option_group_name: a}] | [{region: us-west-1, db_instance: b}] |
        [{region: us-west-1, nonsense: 1}] | [us-west-1], destination_region: null | [us-west-1], destination_region: us-west-2 |
        null, destination_region: us-west-1";
    let ami = each(ami).map(|options| format!("{AMI}, {options}"));
    let client = each(client).map(|options| format!("{AMI}, aws_client_config: {{{options}}}"));
    let snapshot = each(snapshot).map(|options| format!("{DATABASE}, {options}"));
    let other = each("sync_type: ec2_amis | sync_type: 5").map(|options| {
        format!("{options}, source_region: us-east-1, destination_region: us-west-1")
    });
    let listed = each(destinations).map(|destinations| {
        let (job, _) = DATABASE
            .rsplit_once(", ")
            .expect("a destination at the end");
        format!("{job}, db_instance: a, destinations: {destinations}")
    });
    let cases = ami.chain(client).chain(snapshot).chain(other).chain(listed);
    let verdict = |options: String| {
        let text = format!("{{sync_x: {{{options}}}}}");
        let by_schema = validator.is_valid(&yaml(&text).expect("YAML"));
        (read(&text).problems().is_empty(), by_schema, options)
    };
    let differ: Vec<_> = cases
        .map(verdict)
        .filter(|(reader, schema, _)| reader != schema)
        .collect();
    assert!(differ.is_empty(), "(reader, schema): {differ:#?}");
}

#[test]
fn reader_and_schema_agree_on_names() {
    for (name, is_valid) in [
        ("sync_x", true),
        ("Sync_é x", true),
        ("sync_x@us-west-1", false),
        (":sync_@", false),
    ] {
        let text = format!("'{name}': {{{AMI}}}\n'a@b': {{}}\n");
        assert_eq!(read(&text).problems().is_empty(), is_valid, "{name}");
        assert_eq!(
            faults(&yaml(&text).expect("YAML")).is_empty(),
            is_valid,
            "{name}"
        );
    }
}

#[test]
fn every_option_is_described_in_the_schema_and_in_the_reference() {
    let groups: Vec<_> = config::reference().collect();
    let of: Vec<&str> = groups.iter().map(|group| group.of.as_str()).collect();
    let expected = [
        "all jobs",
        "`ec2_ami` jobs",
        "`rds_automated_snapshot` jobs",
        "`rds_automated_cluster_snapshot` jobs",
        "`destinations`",
        "`aws_client_config`",
    ];
    assert_eq!(of, expected);
    let schema = config::schema();
    let described = schema::properties(&schema);
    for option in groups.iter().flat_map(|group| &group.options) {
        let is_told = option.description.ends_with('.') && !option.must_be.is_empty();
        assert!(is_told, "{option:?}");
        for name in std::iter::once(&option.name).chain(&option.aliases) {
            let mut of_name = described.iter().filter(|(other, _)| *other == name);
            let is_described = of_name.any(|(_, option)| option["description"].is_string());
            assert!(is_described, "{name}");
        }
    }
    let default = |name: &str| {
        let option = described.iter().find(|(other, _)| *other == name);
        option.expect("an option").1.get("default")
    };
    assert_eq!(default("ami_owner"), Some(&"self".into()));
    assert_eq!(default("max_snapshots_to_retain"), Some(&2.into()));
    assert_eq!(default("db_instance"), None);
}

#[test]
fn every_setting_of_the_gem_in_the_schema_gets_a_note() {
    let client = &config::schema()["definitions"]["ClientConfig"]["properties"];
    let options = client.as_object().expect("options").iter();
    let deprecated = options.filter(|(_, option)| option["deprecated"] == true);
    let mut count = 0;
    for (name, _) in deprecated {
        let text = format!("{{aws_client_config: {{{name}: 1}}, sync_x: {{{AMI}}}}}");
        let config = read(&text);
        assert_eq!(
            (config.problems(), config.notes.len()),
            (vec![], 1),
            "{name}"
        );
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn every_sync_type_is_read_as_itself() {
    let jobs = valid(&format!(
        "{{sync_a: {{{AMI}}}, sync_b: {{{DATABASE}, db_instance: d}}, sync_c: {{{CLUSTER}}}}}"
    ));
    assert!(jobs.iter().map(SyncJob::sync_type).eq(SyncTypeName::ALL));
}
