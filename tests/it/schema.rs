//! The JSON Schemas: what they say is checked in, the documents of the tests fit them, and that of the config takes and
//! refuses what the reader does, as far as a schema can tell.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws_xregion_sync::config;
use aws_xregion_sync::model::json::document;
use aws_xregion_sync::ops::{Document, schema};
use aws_xregion_sync::sync_types::ConfiguredJob;
use jsonschema::Validator;
use serde_json::Value;

use crate::cli::Folder;

/// Mistakes that no schema can tell: they lie between jobs, or between the global settings and a job's own.
const BETWEEN: [&str; 5] = [
    "sync_half",
    "sync_other_half",
    "sync_retention",
    "same_database",
    "two_documents",
];

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(path)
}

fn validator(of: Document) -> Validator {
    let schema = schema(of);
    jsonschema::draft7::meta::validate(&schema).expect("a schema of draft 7");
    jsonschema::draft7::new(&schema).expect("a schema")
}

/// A config as an editor reads it.
fn yaml(text: &str) -> Result<Value, serde_yaml::Error> {
    let mut value: serde_yaml::Value = serde_yaml::from_str(text)?;
    // It takes in one `<<` after the other: what came in by one may hold another.
    for _ in 0..3 {
        value.apply_merge()?;
    }
    serde_yaml::from_value(value)
}

/// Where and what is wrong, a line each.
fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(testdata(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(end))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = fs::read_to_string(&path).expect("a text");
            (name.into_owned(), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

#[test]
fn the_schemas_are_those_that_are_checked_in() {
    for (of, name) in [
        (Document::Config, "config"),
        (Document::Plan, "plan"),
        (Document::Results, "results"),
        (Document::Status, "status"),
        (Document::Problems, "problems"),
    ] {
        let path = testdata(&format!("schema/{name}.json"));
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == document(&schema(of)).expect("JSON"),
            "after a change that is meant: xrs schema {name} > {}",
            path.display()
        );
    }
}

#[test]
fn sound_configs_fit_the_schema() {
    let validator = validator(Document::Config);
    let starter = ("starter".to_owned(), config::STARTER.to_owned());
    for (name, text) in files("config", ".yaml").into_iter().chain([starter]) {
        let value = yaml(&text).expect("YAML");
        assert_eq!(faults(&validator, &value), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn bad_configs_do_not_fit_the_schema() {
    let validator = validator(Document::Config);
    for (name, text) in files("config/bad", ".yaml") {
        // What is no YAML needs no schema.
        let Ok(value) = yaml(&text) else { continue };
        let faults = faults(&validator, &value);
        let Ok(read) = config::read(text.as_bytes()) else {
            assert!(!faults.is_empty(), "{name}");
            continue;
        };
        for job in read.jobs {
            let job_name = job.name().as_str();
            let at = format!("/{job_name}");
            let faulty = faults.iter().any(|fault| fault.starts_with(&at));
            let broken = matches!(job, ConfiguredJob::Invalid { .. });
            let hidden = [job_name, name.as_str()]
                .iter()
                .any(|n| BETWEEN.contains(n));
            if !hidden || !broken {
                assert_eq!(faulty, broken, "{name}: {job_name}: {faults:#?}");
            }
        }
    }
}

/// Whether reader and schema take a job with these options, written in flow style.
fn taken(validator: &Validator, sync_type: &str, options: &str) -> (bool, bool) {
    let common = "source_region: us-east-1, destination_region: us-west-1";
    let text = format!("{{sync_x: {{sync_type: {sync_type}, {common}, {options}}}}}");
    let by_reader = config::read(text.as_bytes()).is_ok_and(|config| config.problems().is_empty());
    let by_schema = validator.is_valid(&yaml(&text).expect("YAML"));
    (by_reader, by_schema)
}

/// Short account ids that are numbers are not among them: of `012345678901`, an editor sees no zero.
#[test]
fn reader_and_schema_agree_on_values() {
    let validator = validator(Document::Config);
    let long = "a".repeat(64);
    let ami = [
        "",
        "ami_owner: self",
        "ami_owner: 123456789012",
        "ami_owner: ''",
        "ami_owner: null",
        "ami_owner: [self]",
        "ami_owner: true",
        "owner_id: {}",
        "sync_identifier: web",
        "sync_identifier: 17",
        "sync_identifier: '  '",
        "sync_identifier: null",
        "sync_identifier: true",
        "sync_identifier: 'true'",
        "filters: []",
        "filters: null",
        "filters: 'a=b'",
        "filters: ['a=b']",
        "filters: ['a=b=c']",
        "filters: ['a=']",
        "filters: ['=b']",
        "filters: [' =b']",
        "filters: ['a']",
        "filters: [17]",
        "filters: [null]",
        "filters: [{name: a, values: [b]}]",
        "filters: [{name: a, values: b}]",
        "filters: [{name: a, values: []}]",
        "filters: [{name: a, values: ['']}]",
        "filters: [{name: a, values: [true, 17]}]",
        "filters: [{name: a, values: [null]}]",
        "filters: [{name: a}]",
        "filters: [{values: [b]}]",
        "filters: [{name: a, values: [b], more: c}]",
        "filters: [{name: '', values: [b]}]",
        "most_recent: true",
        "most_recent: 'true'",
        "most_recent: yes",
        "most_recent: null",
        "kms_key_id: alias/a",
        "kms_key_id: 1234abcd",
        "kms_key_id: 1234",
        "kms_key_id: ''",
        "kms_key_id: null",
        "kms_key_id: {id: a}",
        "kms_key_id: 'arn:aws:kms:us-west-1:123456789012:key/a'",
        "kms_key_id: 'arn:aws:kms:us-west-1:1:key/a'",
        "kms_key_id: 'arn:aws:ec2:us-west-1:123456789012:key/a'",
        "db_instance: a",
        "nonsense: 1",
        "profile: a",
        "aws_client_config: null",
        "aws_client_config: {}",
        "aws_client_config: []",
    ];
    let client = [
        "profile: a",
        "profile: ''",
        "profile: null",
        "aws_access_key: a, aws_secret_key: b",
        "access_key_id: a, secret_access_key: b, aws_session_token: c",
        "aws_access_key: [a], aws_secret_key: b",
        "aws_access_key: a, aws_secret_key: b, profile: c",
        "aws_account_id: 123456789012",
        "aws_account_id: '1234-5678-9012'",
        "aws_account_id: '1234'",
        "aws_account_id: null",
        "role_arn: 'arn:aws:iam::123456789012:role/a/b'",
        "role_arn: 'arn:aws-us-gov:iam::123456789012:role/a'",
        "role_arn: 'arn:aws:iam::1:role/a'",
        "role_arn: 'arn:aws:iam::123456789012:role/'",
        "role_arn: 'arn:aws:iam::123456789012:user/a'",
        "role_arn: 17",
        "endpoint_url: 'http://localhost:5000'",
        "endpoint_url: 'https://a.b/c'",
        "endpoint_url: 'localhost'",
        "endpoint_url: 'http://u:p@host'",
        "endpoint_url: 'http://host?x'",
        "endpoint_url: 17",
        "use_fips_endpoint: true",
        "use_fips_endpoint: maybe",
        "use_dualstack_endpoint: 'false'",
        "max_attempts: 1",
        "max_attempts: '3'",
        "max_attempts: 0",
        "max_attempts: -1",
        "max_attempts: 1.5",
        "max_attempts: '03'",
        "connect_timeout: 2.5",
        "connect_timeout: '2'",
        "connect_timeout: 0",
        "read_timeout: -1",
        "read_timeout: 86401",
        "read_timeout: soon",
        "logger: stdout",
        "max_retries: 3",
        "external_id: 17",
        "role_session_name: nightly",
        "nonsense: 1",
        "source_region: us-east-1",
    ];
    let snapshot = [
        "db_instance: mydatabase".to_owned(),
        "db_instance: Orders-DB".to_owned(),
        "db_instance: ''".to_owned(),
        "db_instance: 'a_b'".to_owned(),
        "db_instance: 1a".to_owned(),
        format!("db_instance: {long}"),
        "max_snapshots_to_retain: 2".to_owned(),
        "db_instance: a, max_snapshots_to_retain: 0".to_owned(),
        "db_instance: a, max_snapshots_to_retain: '7'".to_owned(),
        "db_instance: a, max_snapshots_to_retain: ' 7 '".to_owned(),
        "db_instance: a, max_snapshots_to_retain: -1".to_owned(),
        "db_instance: a, max_snapshots_to_retain: many".to_owned(),
        "db_instance: a, max_snapshots_to_retain: 4294967296".to_owned(),
        "db_instance: a, max_snapshots_to_retain: null".to_owned(),
        "db_instance: a, option_group_name: b".to_owned(),
        "db_instance: a, option_group_name: [b]".to_owned(),
        "db_instance: a, most_recent: true".to_owned(),
    ];
    let client = client
        .iter()
        .map(|c| ("ec2_ami", format!("aws_client_config: {{{c}}}")));
    let cases = ami
        .iter()
        .map(|options| ("ec2_ami", (*options).to_owned()))
        .chain(client)
        .chain(
            snapshot
                .into_iter()
                .map(|options| ("rds_automated_snapshot", options)),
        )
        .chain([("ec2_amis", String::new())]);
    let differ: Vec<_> = cases
        .map(|(sync_type, options)| (taken(&validator, sync_type, &options), options))
        .filter(|((reader, schema), _)| reader != schema)
        // Null means "not given"; where an option has a default, an editor points out that it can be omitted.
        .filter(|((reader, _), options)| !(*reader && options.contains("null")))
        .collect();
    assert!(differ.is_empty(), "(reader, schema): {differ:#?}");
}

#[test]
fn reader_and_schema_know_the_same_options() {
    let schema = schema(Document::Config);
    let jobs = schema["patternProperties"]
        .as_object()
        .and_then(|patterns| patterns.values().next()?["oneOf"].as_array())
        .expect("types");
    let common =
        "source_region: us-east-1, destination_region: us-west-1, db_instance: a, zzqqyyxx: 1";
    for job in jobs {
        let sync_type = job["properties"]["sync_type"]["const"]
            .as_str()
            .expect("a type");
        let known = told(&format!("{{sync_x: {{sync_type: {sync_type}, {common}}}}}"));
        let described = described(&job["properties"]);
        assert_eq!(described, known, "{sync_type}");
    }
    let client = &schema["definitions"]["ClientConfig"]["properties"];
    let known = told(&format!(
        "{{aws_client_config: {{zzqqyyxx: 1}}, sync_x: {{sync_type: ec2_ami, {common}}}}}"
    ));
    assert_eq!(described(client), known);
    for (name, _) in client
        .as_object()
        .expect("options")
        .iter()
        .filter(|(_, o)| o["deprecated"] == true)
    {
        let text = format!(
            "{{aws_client_config: {{{name}: 1}}, sync_x: {{sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1}}}}"
        );
        let config = config::read(text.as_bytes()).expect("a config");
        assert!(
            config.problems().is_empty() && config.notes.len() == 1,
            "{name}"
        );
    }
}

/// The options that the schema describes and that have an effect.
fn described(properties: &Value) -> BTreeSet<String> {
    let options = properties.as_object().expect("options");
    options
        .iter()
        .filter(|(_, option)| option["deprecated"] != true)
        .map(|(name, option)| {
            assert!(
                option["description"].is_string(),
                "{name} has no description"
            );
            name.clone()
        })
        .collect()
}

/// The options that the reader tells of where it meets one that it does not know.
fn told(text: &str) -> BTreeSet<String> {
    let problems = config::read(text.as_bytes()).expect("a config").problems();
    let help = problems
        .iter()
        .filter(|problem| problem.message.contains("zzqqyyxx"))
        .find_map(|problem| problem.help.clone())
        .expect("what there is");
    help.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

#[test]
fn golden_documents_fit_their_schemas() {
    for (name, text) in files("screens", "_json.snap") {
        let json = text
            .splitn(3, "---\n")
            .nth(2)
            .expect("what follows the head");
        let value = serde_json::from_str(json).expect("JSON");
        let of = match name.split('_').next() {
            Some("plan") => Document::Plan,
            Some("results") => Document::Results,
            Some("status") => Document::Status,
            Some("problems") => Document::Problems,
            _ => panic!("{name} is of no document that is known"),
        };
        assert_eq!(
            faults(&validator(of), &value),
            Vec::<String>::new(),
            "{name}"
        );
    }
}

#[test]
fn what_the_program_writes_fits_its_schemas() {
    let folder = Folder::new();
    let config = folder.read("xrs.yaml");
    folder.write("xrs.yaml", config.replace("ec2_ami", "ec2_amis"));
    let _ = folder.xrs(&["plan", "--out", "plan.json", "--sandbox", "world.json"]);
    let _ = folder.xrs(&[
        "apply",
        "plan.json",
        "--sandbox",
        "world.json",
        "--results",
        "results.json",
    ]);
    let status = folder.xrs(&["status", "--sandbox", "world.json", "--format", "json"]);
    folder.write("status.json", status.out);
    let problems = folder.xrs(&["validate", "--format", "json"]);
    folder.write("problems.json", problems.out);
    for (of, file) in [
        (Document::Plan, "plan.json"),
        (Document::Results, "results.json"),
        (Document::Status, "status.json"),
        (Document::Problems, "problems.json"),
    ] {
        let written = folder.json(file);
        assert!(
            written.to_string().contains("ec2_amis"),
            "one job is broken: {written}"
        );
        assert_eq!(
            faults(&validator(of), &written),
            Vec::<String>::new(),
            "{file}"
        );
        let mut cut = written.clone();
        cut.as_object_mut()
            .expect("an object")
            .remove("format_version");
        assert!(!validator(of).is_valid(&cut), "{file}");
    }
}
