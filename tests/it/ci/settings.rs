//! What the pipelines state outside of their scripts: who gets credentials, who approves, what may write and when.

use std::collections::{BTreeMap, BTreeSet};

use yaml_serde::Value;

use super::place::Place;

#[test]
fn the_settings_are_those_that_users_rely_on() {
    let place = Place::new("");
    let settings: BTreeMap<String, BTreeMap<String, Value>> =
        yaml_serde::from_str(include_str!("settings.yml")).expect("YAML");
    for (file, settings) in settings {
        let pipeline = place.yaml(&file);
        for (path, expected) in settings {
            let found = path.split('/').fold(&pipeline, |value, key| &value[key]);
            assert_eq!(*found, expected, "{file}: {path}");
        }
    }
}

#[test]
fn the_steps_on_github_keep_its_rules() {
    let place = Place::new("");
    let mut all = vec![place.yaml(".github/actions/xrs/action.yml")["runs"].clone()];
    for file in ["xrs.yml", "xrs-nightly.yml", "xrs-status.yml"] {
        let workflow = place.yaml(&format!(".github/workflows/{file}"));
        let jobs = workflow["jobs"].as_mapping().expect("jobs").values();
        all.extend(jobs.cloned());
    }
    for job in &all {
        for step in job["steps"].as_sequence().expect("steps") {
            let uses = step["uses"].as_str().unwrap_or("./");
            let version = uses.split_once("@v").unwrap_or_default().1;
            let has_version = version.parse::<u32>().is_ok();
            assert!(has_version || uses.starts_with("./"), "{uses}");
            if uses.starts_with("actions/checkout@") {
                // Code from the repository must not find the token.
                assert_eq!(step["with"]["persist-credentials"], false);
            }
            let script = step["run"].as_str().unwrap_or_default();
            // The text of others reaches a script as a variable. In the script itself it would run as code.
            assert!(!script.contains("${{"), "{script}");
            // A cancelled job sends its signal to the shell, which doesn't pass it on: `exec` lets xrs take its place.
            let is_deaf = |line: &str| line.starts_with("xrs apply") || line.starts_with("xrs run");
            assert!(!script.lines().any(is_deaf), "{script}");
        }
    }
}

#[test]
fn the_readme_names_all_that_is_to_be_set_up() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("### In a pipeline\n").expect("a section");
    let (section, _) = section.split_once("\n### ").expect("an end of it");
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let files = [
        ".github/workflows/xrs.yml",
        ".github/workflows/xrs-nightly.yml",
        ".github/workflows/xrs-status.yml",
        ".github/actions/xrs/action.yml",
        ".gitlab-ci.yml",
    ];
    let text = files.map(|file| Place::new("").read(&format!("repository/{file}")));
    let lines = text.iter().flat_map(|text| text.lines());
    let names: BTreeSet<&str> = lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(|c| !is_part(c)))
        .filter(|word| word.starts_with("XRS_") || word.starts_with("xrs-"))
        .collect();
    // The pipelines' own names.
    let inner = ["XRS_DIGEST", "XRS_ID_TOKEN", "xrs-", "xrs-status"];
    let files = ["xrs-nightly.yml", "xrs-status.yml", "gitlab-ci.yml"];
    for name in names.into_iter().chain(files) {
        let is_named = section.contains(name) || inner.contains(&name);
        assert!(is_named, "{name} is not in the README");
    }
}
