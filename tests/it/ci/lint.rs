//! Checks the files against the JSON schemas of their formats, which `check-jsonschema` brings with it.

use std::path::Path;
use std::process::Command;

use super::place::{ACTION, GITLAB, NIGHTLY, Place, STATUS, XRS};
use crate::python;

/// Returns what the tool says about an invalid file, or an empty text if the file is valid.
fn lint(place: &Place, file: &str) -> Option<String> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/requirements.txt");
    let schema = match file {
        GITLAB => "--builtin-schema=vendor.gitlab-ci --data-transform=gitlab-ci",
        ACTION => "--builtin-schema=vendor.github-actions",
        _ => "--builtin-schema=vendor.github-workflows",
    };
    let output = Command::new(python::with(&requirements))
        .env_clear()
        .args(["-m", "check_jsonschema"])
        .args(schema.split(' '))
        .arg(file)
        .current_dir(place.path("repository"))
        .output()
        .expect("it runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    (!output.status.success()).then_some(said)
}

/// A file, a text in it, a mistake that replaces the text, and what the tool says about it.
const MISTAKES: [[&str; 4]; 5] = [
    [XRS, "needs: plan", "neds: plan", "neds"],
    [NIGHTLY, "runs-on:", "run-on:", "'runs-on' is a required"],
    [STATUS, "cron:", "crons:", "'cron' is a required"],
    [ACTION, "using: composite", "using: compost", "$.runs.using"],
    [GITLAB, "- xrs apply", "- x: xrs apply", "$.apply.script"],
];

#[test]
fn every_file_is_valid_and_its_mistakes_are_found() {
    for [file, right, wrong, says] in MISTAKES {
        let place = Place::new("");
        assert_eq!(lint(&place, file), None, "{file}");
        let path = format!("repository/{file}");
        let text = place.read(&path);
        assert!(text.contains(right), "{file}: {right}");
        place.write(&path, text.replace(right, wrong));
        let said = lint(&place, file).unwrap_or_default();
        assert!(said.contains(says), "{file}: {wrong}: {said}");
    }
}
