//! The JSON Schemas: they are checked in, and the documents of the tests conform to them. The config schema has its own tests in
//! `config/schema.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use aws_xregion_sync::model::json::document;
use aws_xregion_sync::ops::{Document, schema};
use jsonschema::Validator;
use serde_json::Value;

use crate::cli::Folder;
use crate::support::assert_says;

fn testdata(path: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    folder.join(path)
}

pub fn validator(schema: &Value) -> Validator {
    jsonschema::draft7::meta::validate(schema).expect("a schema of draft 7");
    jsonschema::draft7::new(schema).expect("a schema")
}

fn validator_of(document: Document) -> Validator {
    validator(&schema(document))
}

/// Returns where and what is wrong, one line for each error.
pub fn faults(validator: &Validator, document: &Value) -> Vec<String> {
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Returns the properties of all objects that a schema describes.
pub fn properties(schema: &Value) -> Vec<(&String, &Value)> {
    let mut found = Vec::new();
    let mut nodes = vec![schema];
    while let Some(node) = nodes.pop() {
        found.extend(node["properties"].as_object().into_iter().flatten());
        match node {
            Value::Array(items) => nodes.extend(items),
            Value::Object(fields) => nodes.extend(fields.values()),
            _ => {}
        }
    }
    found
}

/// Returns the names and texts of the files in a folder of `testdata` with this ending.
pub fn files(folder: &str, end: &str) -> Vec<(String, String)> {
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
        let made = document(&schema(of)).expect("JSON");
        let path = path.display();
        assert!(
            kept == made,
            "after a change that is meant: xrs schema {name} > {path}"
        );
    }
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
        assert_eq!(faults(&validator_of(of), &value), [""; 0], "{name}");
    }
}

#[test]
fn what_the_program_writes_fits_its_schemas() {
    let folder = Folder::new();
    let config = folder.read("xrs.yaml");
    folder.write("xrs.yaml", config.replace("ec2_ami", "ec2_amis"));
    let _ = folder.on_sandbox("plan --out plan.json");
    let _ = folder.on_sandbox("apply plan.json --results results.json");
    let status = folder.on_sandbox("status --format json");
    folder.write("status.json", status.out);
    let problems = folder.xrs("validate --format json");
    folder.write("problems.json", problems.out);
    for (of, file) in [
        (Document::Plan, "plan.json"),
        (Document::Results, "results.json"),
        (Document::Status, "status.json"),
        (Document::Problems, "problems.json"),
    ] {
        let written = folder.json(file);
        // One job is invalid.
        assert_says(&written.to_string(), "ec2_amis");
        assert_eq!(faults(&validator_of(of), &written), [""; 0], "{file}");
        let mut cut = written;
        let fields = cut.as_object_mut().expect("an object");
        fields.remove("format_version");
        assert!(!validator_of(of).is_valid(&cut), "{file}");
    }
}
