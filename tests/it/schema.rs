//! The JSON Schemas: they are checked in, and the documents of the tests fit them. That of the config has tests of its own in
//! `config/schema.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use aws_xregion_sync::model::json::document;
use aws_xregion_sync::ops::{Document, schema};
use jsonschema::Validator;
use serde_json::Value;

use crate::cli::Folder;

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
