//! Runs the steps of a GitHub job. The values of expressions are stated here, not computed.

use serde_yaml::{Value, from_value};

use super::place::{JobRun, NIGHTLY, Place, STATUS, Variables, XRS, pairs};

/// `shell: bash`. An unset variable is an error too.
const SHELL: &str = "bash --noprofile --norc -euo pipefail";

/// An expression that is not listed fails the test.
const STATED: [(&str, &str); 10] = [
    ("always() && steps.apply.outcome != 'skipped'", "true"),
    ("always() && steps.run.outcome != 'skipped'", "true"),
    ("github.event.pull_request.head.sha", "c0ffee"),
    ("github.event.pull_request.number", "7"),
    ("github.token", "token"),
    ("runner.arch", "X64"),
    ("runner.os", "Linux"),
    ("vars.XRS_APPLY_ROLE", "the-apply-role"),
    ("vars.XRS_PLAN_ROLE", "the-plan-role"),
    ("vars.XRS_REGION", "us-west-1"),
];

pub fn run(place: &Place, name: &str) -> JobRun {
    let workflow = place.yaml(match name {
        "nightly" => NIGHTLY,
        "status" => STATUS,
        _ => XRS,
    });
    let stated = STATED.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut job = Job {
        place,
        run: JobRun::default(),
        values: place.outputs.borrow().clone(),
        variables: texts(&workflow["env"]),
    };
    job.values.extend(stated);
    job.variables
        .extend(pairs("GITHUB_REPOSITORY=example/copies"));
    place.start_job();
    job.steps(&workflow["jobs"][name]["steps"]);
    for (output, text) in texts(&workflow["jobs"][name]["outputs"]) {
        let output = format!("needs.{name}.outputs.{output}");
        place.outputs.borrow_mut().insert(output, job.filled(&text));
    }
    job.run.shown = place.read("job/STEP_SUMMARY");
    job.run
}

/// Returns a mapping of texts, which is empty if there is none.
fn texts(mapping: &Value) -> Variables {
    from_value(mapping.clone()).unwrap_or_default()
}

struct Job<'a> {
    place: &'a Place,
    run: JobRun,
    /// The values of expressions.
    values: Variables,
    /// The environment of the workflow, and what steps add to it.
    variables: Variables,
}

impl Job<'_> {
    fn steps(&mut self, steps: &Value) {
        for step in steps.as_sequence().expect("steps") {
            let runs = match step["if"].as_str() {
                Some(condition) => self.values[condition] == "true",
                None => self.run.code == 0,
            };
            if runs {
                self.step(step);
            }
        }
    }

    /// Returns a text with the values of its expressions.
    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (expression, value): (&String, &String)| {
            text.replace(&format!("${{{{ {expression} }}}}"), value)
        };
        let filled = self.values.iter().fold(text.to_owned(), fill);
        assert!(!filled.contains("${{"), "no value is stated for {filled}");
        filled
    }

    fn step(&mut self, step: &Value) {
        let with = |key| self.filled(step["with"][key].as_str().expect(key));
        let uses = step["uses"].as_str().unwrap_or_default();
        match uses.split('@').next().unwrap_or_default() {
            "" => self.script(step),
            "./.github/actions/xrs" => {
                let action = self.place.read("job/work/.github/actions/xrs/action.yml");
                let action: Value = serde_yaml::from_str(&action).expect("an action");
                for (input, value) in action["inputs"].as_mapping().expect("inputs") {
                    let name = format!("inputs.{}", input.as_str().expect("a name"));
                    let default = value["default"].as_str().expect("a text");
                    self.values.insert(name, default.to_owned());
                }
                self.steps(&action["runs"]["steps"]);
            }
            "actions/checkout" => self.place.fetch("repository"),
            "actions/cache" => assert!(with("key").ends_with(&self.values["inputs.commit"])),
            "actions/upload-artifact" => self.place.keep(&with("name"), &with("path")),
            "actions/download-artifact" => {
                let folder = format!("artifacts/{}", with("name"));
                self.place.fetch(&folder);
            }
            "aws-actions/configure-aws-credentials" => {
                assert_eq!(with("aws-region"), "us-west-1");
                // As the action does it, except that the key is the name of the role.
                let key = "AWS_ACCESS_KEY_ID".to_owned();
                self.variables.insert(key, with("role-to-assume"));
            }
            other => panic!("{other} is not known"),
        }
    }

    fn script(&mut self, step: &Value) {
        let mut variables = self.variables.clone();
        for (name, text) in texts(&step["env"]) {
            variables.insert(name, self.filled(&text));
        }
        for file in ["OUTPUT", "PATH", "STEP_SUMMARY"] {
            let path = self.place.path("job").join(file).display().to_string();
            variables.insert(format!("GITHUB_{file}"), path);
        }
        // Each step has its own output file.
        self.place.write("job/OUTPUT", "");
        let script = step["run"].as_str().expect("something to run");
        self.place.shell(&mut self.run, SHELL, script, &variables);
        if let Some(id) = step["id"].as_str() {
            for (name, value) in pairs(&self.place.read("job/OUTPUT")) {
                let output = format!("steps.{id}.outputs.{name}");
                self.values.insert(output, value);
            }
        }
    }
}
