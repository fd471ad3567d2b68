//! Checks the files with tools that know the formats: jactionlint for GitHub, the JSON schema of `.gitlab-ci.yml` for GitLab.

use std::path::Path;
use std::process::Command;

use super::place::{ACTION, GITLAB, NIGHTLY, Place, STATUS, XRS};
use crate::python;

/// The examples name actions by their major version, as most people do. The empty options keep what else is installed from
/// changing the result.
const JACTIONLINT: &str = "jactionlint --oneline --ignore=unpinned-uses --shellcheck= --pyflakes=";
const CHECK_JSONSCHEMA: &str =
    "check_jsonschema --builtin-schema=vendor.gitlab-ci --data-transform=gitlab-ci";

/// Returns what the tool says of an invalid file, or nothing if the file is valid.
fn lint(place: &Place, file: &str) -> Option<String> {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint/requirements.txt");
    let tool = match file {
        GITLAB => CHECK_JSONSCHEMA,
        _ => JACTIONLINT,
    };
    let output = Command::new(python::with(&requirements))
        .env_clear()
        .arg("-m")
        .args(tool.split(' '))
        .arg(file)
        .current_dir(place.path("repository"))
        .output()
        .expect("it runs");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    (!output.status.success()).then_some(said)
}

/// A file, a text in it, a mistake that replaces the text, and what the tool says of it.
const MISTAKES: [[&str; 4]; 6] = [
    [XRS, "needs: plan", "needs: plans", "undefined-job-needs"],
    [XRS, "pull_request:", "pull_request_target:", "dangerous"],
    [NIGHTLY, "40 5 * * *", "40 5 * *", "invalid-cron"],
    [STATUS, "github.ref", "github.reff", "undefined-property"],
    [ACTION, "inputs.commit", "inputs.c", "undefined-property"],
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
