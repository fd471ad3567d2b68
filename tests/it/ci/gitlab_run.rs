//! Runs a pipeline as GitLab does.

use std::collections::BTreeMap;
use std::fs;

use super::expressions::is_true;
use super::github_run::pairs;
use super::gitlab::{Global, Job, KNOWN, Rule, read};
use super::machine::{Ended, Place, Variables};
use super::{Event, JobRun, Outcome, Pipeline};

pub struct Run<'a> {
    place: &'a Place,
    global: Global,
    jobs: BTreeMap<String, Job>,
    event: Event,
    done: BTreeMap<String, JobRun>,
}

impl<'a> Run<'a> {
    pub fn new(place: &'a Place, event: Event) -> Self {
        let (global, jobs) = read(&place.read("repository/.gitlab-ci.yml")).expect("a pipeline");
        Self {
            place,
            global,
            jobs,
            event,
            done: BTreeMap::new(),
        }
    }

    /// What GitLab sets, and what the project does.
    fn given(&self) -> Variables {
        let (source, branch, schedule) = match self.event {
            Event::Change { .. } => ("merge_request_event", "", ""),
            Event::Merge => ("push", "main", ""),
            Event::Nightly => ("schedule", "main", "nightly"),
            Event::Hourly => ("schedule", "main", "hourly"),
        };
        let (own, from) = match self.event {
            Event::Change { fork: false } => ("42", "42"),
            Event::Change { fork: true } => ("42", "66"),
            _ => ("", ""),
        };
        let given = [
            ("CI_API_V4_URL", "https://gitlab.example/api/v4"),
            ("CI_COMMIT_BRANCH", branch),
            ("CI_COMMIT_SHA", "c0ffee"),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_JOB_ID", "1234"),
            (
                "CI_MERGE_REQUEST_IID",
                if own.is_empty() { "" } else { "7" },
            ),
            ("CI_MERGE_REQUEST_PROJECT_ID", own),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", from),
            ("CI_PIPELINE_SOURCE", source),
            ("CI_PROJECT_ID", "42"),
            ("CI_SERVER_URL", "https://gitlab.example"),
            ("XRS_APPLY_ROLE", "the-apply-role"),
            ("XRS_NOTES_TOKEN", "token"),
            ("XRS_PLAN_ROLE", "the-plan-role"),
            ("XRS_REGION", "us-west-1"),
            ("XRS_SCHEDULE", schedule),
        ];
        // One that is empty here is not set there.
        let set = given.into_iter().filter(|(_, value)| !value.is_empty());
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        set.chain(self.global.variables.clone()).collect()
    }

    /// The rule by which a job is in the pipeline.
    fn rule<'j>(&self, job: &'j Job) -> Option<&'j Rule> {
        let given = self.given();
        let values = |name: &str| {
            let name = name.strip_prefix('$').expect("a variable");
            assert!(KNOWN.contains(&name), "{name} is not known");
            given.get(name).cloned().unwrap_or_default()
        };
        // The change is always one of xrs.yaml.
        let changed = |rule: &Rule| {
            rule.changes.is_empty() || rule.changes.iter().any(|path| path == "xrs.yaml")
        };
        let mut rules = job.rules.iter();
        rules.find(|rule| is_true(&rule.condition, &values) && changed(rule))
    }

    fn run(&self, name: &str, job: &Job) -> JobRun {
        let machine = self.place.machine();
        let mut variables = self.given();
        for (name, text) in &job.variables {
            variables.insert(name.clone(), with_values(text, &variables));
        }
        for (name, token) in &job.id_tokens {
            let audience = with_values(&token.aud, &variables);
            variables.insert(name.clone(), format!("shown to {audience}"));
        }
        if variables
            .get("GIT_STRATEGY")
            .is_none_or(|how| how != "none")
        {
            machine.check_out();
        }
        for needed in &job.needs {
            machine.fetch(needed);
            variables.extend(self.done[needed].outputs.clone());
        }
        // One script, in the shell that the image has.
        let shell: &[&str] = if job.image.starts_with("alpine:") {
            &["sh", "-eu"]
        } else {
            &["bash", "-euo", "pipefail"]
        };
        let lines: Vec<&str> = job
            .before_script
            .iter()
            .chain(&job.script)
            .map(String::as_str)
            .collect();
        let Ended { code, said } = machine.run(shell, &lines.join("\n"), &variables);
        let mut outputs = Variables::new();
        if let Some(artifacts) = &job.artifacts {
            let paths: Vec<&str> = artifacts.paths.iter().map(String::as_str).collect();
            machine.keep(name, &paths);
            if let Some(file) = artifacts.reports.get("dotenv") {
                let file = fs::read_to_string(machine.work().join(file));
                outputs = pairs(&file.expect("variables"));
            }
        }
        JobRun {
            outcome: if code == 0 {
                Outcome::Success
            } else {
                Outcome::Failure
            },
            code,
            shown: said.clone(),
            said,
            outputs,
        }
    }
}

/// A text with the values of its variables.
fn with_values(text: &str, variables: &Variables) -> String {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = part.split_at(length.unwrap_or(part.len()));
        filled += variables
            .get(name)
            .unwrap_or_else(|| panic!("{name} is not set"));
        filled += rest;
    }
    filled
}

impl Pipeline for Run<'_> {
    fn job(&mut self, name: &str) -> &JobRun {
        let job = self.jobs.get(name).expect("a job of this name");
        let rule = self.rule(job);
        let needed = |name: &String| match self.done[name].outcome {
            Outcome::Success => true,
            Outcome::Failure => rule.is_some_and(|rule| rule.when.as_deref() == Some("always")),
            Outcome::Skipped => panic!("{name} is needed, and is not in this pipeline"),
        };
        // Whoever asks for a manual job plays it.
        let run = if rule.is_some() && job.needs.iter().all(needed) {
            self.run(name, job)
        } else {
            JobRun {
                outcome: Outcome::Skipped,
                ..JobRun::default()
            }
        };
        self.done.insert(name.to_owned(), run);
        &self.done[name]
    }

    fn outputs(&mut self, job: &str) -> &mut Variables {
        let done = self.done.get_mut(job);
        &mut done.expect("a job that is done").outputs
    }
}
