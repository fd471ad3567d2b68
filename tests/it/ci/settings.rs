//! What the pipelines define outside of their scripts: who gets credentials, who approves, what may write, and when.

use std::collections::BTreeMap;

use serde_yaml::{Mapping, Value};

use super::place::{ACTION, NIGHTLY, Place, STATUS, XRS};

#[test]
fn the_settings_are_those_that_users_rely_on() {
    let place = Place::new("");
    let settings: BTreeMap<String, BTreeMap<String, Value>> =
        serde_yaml::from_str(include_str!("settings.yml")).expect("YAML");
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
    let mut all = vec![place.yaml(ACTION)["runs"].clone()];
    for file in [XRS, NIGHTLY, STATUS] {
        let workflow = place.yaml(file);
        // Scripts run with pipefail. Each job has only the permissions that it states.
        assert_eq!(workflow["defaults"]["run"]["shell"], "bash");
        assert_eq!(workflow["permissions"], Value::Mapping(Mapping::new()));
        let jobs = workflow["jobs"].as_mapping().expect("jobs");
        all.extend(jobs.values().cloned());
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
            // Text from others reaches a script as a variable. In the script itself, it would run as code.
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
    // A job with a variable that `github` or `gitlab` doesn't state fails there.
    let names = "XRS_APPLY_ROLE XRS_COMMIT XRS_NOTES_TOKEN XRS_PLAN_ROLE XRS_REGION XRS_REPOSITORY \
                 XRS_SCHEDULE xrs-apply xrs-nightly xrs-nightly.yml xrs-status.yml gitlab-ci.yml \
                 actions/xrs/action.yml";
    for name in names.split(' ') {
        assert!(section.contains(name), "{name} is not in the README");
    }
}
