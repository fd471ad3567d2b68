//! Runs workflows as GitHub does.

use std::collections::BTreeMap;
use std::fs;

use super::expressions::{filled, is_true, names, unwrapped};
use super::github::{ACTION, Action, Job, SIGN_IN, Step, Workflow};
use super::machine::{Ended, Machine, Place, Variables};
use super::{Event, JobRun, Outcome, Pipeline};

/// `shell: bash`, and unset variables are errors beside.
const SHELL: [&str; 5] = ["bash", "--noprofile", "--norc", "-euo", "pipefail"];

pub struct Run<'a> {
    place: &'a Place,
    workflow: Workflow,
    event: Event,
    done: BTreeMap<String, JobRun>,
}

impl<'a> Run<'a> {
    pub fn new(place: &'a Place, event: Event) -> Self {
        let file = match event {
            Event::Change { .. } | Event::Merge => "xrs.yml",
            Event::Nightly => "xrs-nightly.yml",
            Event::Hourly => "xrs-status.yml",
        };
        let text = place.read(&format!("repository/.github/workflows/{file}"));
        let workflow: Workflow = yaml_serde::from_str(&text).expect("a workflow");
        assert!(
            workflow.on.contains_key(name_of(event)),
            "{file}: {event:?}"
        );
        Self {
            place,
            workflow,
            event,
            done: BTreeMap::new(),
        }
    }

    /// What a name stands for in every job.
    fn value(&self, job: &Job, name: &str) -> String {
        let head = |own, of_fork| match self.event {
            Event::Change { fork: false } => own,
            Event::Change { fork: true } => of_fork,
            _ => panic!("{name}: this is no pull request"),
        };
        let of_environment = |value| job.environment.as_ref().map_or("", |_| value);
        let value = match name {
            "github.event_name" => name_of(self.event),
            "github.ref" => match self.event {
                Event::Change { .. } => "refs/pull/7/merge",
                Event::Merge | Event::Nightly | Event::Hourly => "refs/heads/main",
            },
            "github.repository" => "example/copies",
            "github.token" => "token",
            "github.event.pull_request.number" => head("7", "7"),
            "github.event.pull_request.head.sha" => head("c0ffee", "c0ffee"),
            "github.event.pull_request.head.repo.full_name" => {
                head("example/copies", "stranger/copies")
            }
            "runner.os" => "Linux",
            "runner.arch" => "X64",
            "vars.XRS_REGION" => "us-west-1",
            "vars.XRS_PLAN_ROLE" => "the-plan-role",
            // A variable of the environments, and of nothing else.
            "vars.XRS_APPLY_ROLE" => of_environment("the-apply-role"),
            "cancelled()" => "false",
            "always()" => "true",
            _ => return self.of_needed(name),
        };
        value.to_owned()
    }

    fn of_needed(&self, name: &str) -> String {
        let parts: Vec<&str> = name.split('.').collect();
        let job = |name| self.done.get(name).expect("a job that is done");
        match parts.as_slice() {
            ["needs", other, "result"] => job(*other).outcome.word().to_owned(),
            ["needs", other, "outputs", output] => job(*other)
                .outputs
                .get(*output)
                .cloned()
                .unwrap_or_default(),
            _ => panic!("{name} is not known"),
        }
    }
}

fn name_of(event: Event) -> &'static str {
    match event {
        Event::Change { .. } => "pull_request",
        Event::Merge => "push",
        Event::Nightly | Event::Hourly => "schedule",
    }
}

/// Without a word on it, what comes after a failure is left out.
fn holds(condition: Option<&String>, well: bool, values: &dyn Fn(&str) -> String) -> bool {
    let Some(condition) = condition else {
        return well;
    };
    let asks = |name: &String| matches!(name.as_str(), "always" | "cancelled" | "failure");
    let regardless = names(unwrapped(condition)).iter().any(asks);
    (well || regardless) && is_true(condition, values)
}

impl Pipeline for Run<'_> {
    fn job(&mut self, name: &str) -> &JobRun {
        let job = self.workflow.jobs.get(name).expect("a job of this name");
        let needed = job.needs.as_ref().map(|needed| &self.done[needed]);
        let well = needed.is_none_or(|needed| needed.outcome == Outcome::Success);
        let values = |name: &str| self.value(job, name);
        let run = if holds(job.condition.as_ref(), well, &values) {
            let mut running = Running {
                run: self,
                job,
                machine: self.place.machine(),
                variables: self.workflow.env.clone(),
                steps: BTreeMap::new(),
                ended: JobRun::default(),
            };
            running.steps(&job.steps, &BTreeMap::new());
            running.end()
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

/// A job under way.
struct Running<'a> {
    run: &'a Run<'a>,
    job: &'a Job,
    machine: Machine<'a>,
    /// Of the workflow, and what steps add.
    variables: Variables,
    steps: BTreeMap<String, (Outcome, Variables)>,
    ended: JobRun,
}

impl Running<'_> {
    fn steps(&mut self, steps: &[Step], inputs: &Variables) {
        for step in steps {
            let well = self.ended.outcome == Outcome::Success;
            let runs = holds(step.condition.as_ref(), well, &|name| {
                self.value(name, inputs)
            });
            let (outcome, outputs) = if runs {
                self.step(step, inputs)
            } else {
                (Outcome::Skipped, Variables::new())
            };
            if let Some(id) = &step.id {
                self.steps.insert(id.clone(), (outcome, outputs));
            }
        }
    }

    fn value(&self, name: &str, inputs: &Variables) -> String {
        let parts: Vec<&str> = name.split('.').collect();
        let step = |id| self.steps.get(id).expect("a step that is done");
        match parts.as_slice() {
            ["inputs", input] => inputs[*input].clone(),
            ["steps", id, "outcome"] => match self.steps.get(*id) {
                Some((outcome, _)) => outcome.word().to_owned(),
                None => panic!("{name}: no such step"),
            },
            ["steps", id, "outputs", output] => {
                step(*id).1.get(*output).cloned().unwrap_or_default()
            }
            _ => self.run.value(self.job, name),
        }
    }

    fn step(&mut self, step: &Step, inputs: &Variables) -> (Outcome, Variables) {
        let values = |name: &str| self.value(name, inputs);
        let with = |key: &str| step.with(key).map(|text| filled(&text, &values));
        match step.action() {
            "" => {
                let env = step.env.iter();
                let env = env.map(|(name, text)| (name.clone(), filled(text, &values)));
                let env = env.collect();
                let script = step.run.as_ref().expect("something to run");
                return self.shell(script, env);
            }
            "actions/checkout" => self.machine.check_out(),
            "actions/cache" => {
                let key = with("key").expect("a key");
                assert!(key.starts_with("xrs-Linux-X64-"), "{key}");
            }
            SIGN_IN => {
                let role = with("role-to-assume").expect("a role");
                assert!(!role.is_empty(), "a role that this job cannot see");
                // As the action does it, but that the key is the role's name.
                self.variables.insert("AWS_ACCESS_KEY_ID".to_owned(), role);
            }
            "actions/upload-artifact" => {
                let files = with("path").expect("paths");
                let files: Vec<&str> = files.lines().collect();
                let kept = self.machine.keep(&with("name").expect("a name"), &files);
                let ignored = with("if-no-files-found").as_deref() == Some("ignore");
                assert!(kept > 0 || ignored, "nothing to keep");
            }
            "actions/download-artifact" => self.machine.fetch(&with("name").expect("a name")),
            ACTION => {
                // It has to be checked out, and says itself what it is given.
                let file = self.machine.work().join(".github/actions/xrs/action.yml");
                let text = fs::read_to_string(file).expect("the action");
                let action: Action = yaml_serde::from_str(&text).expect("an action");
                let defaults = action.inputs.into_iter();
                let inputs = defaults.map(|(name, input)| (name, input.default));
                self.steps(&action.runs.steps, &inputs.collect());
            }
            other => panic!("{other} is not known"),
        }
        (Outcome::Success, Variables::new())
    }

    fn shell(&mut self, script: &str, env: Variables) -> (Outcome, Variables) {
        let mut variables = self.variables.clone();
        variables.extend(env);
        variables.insert("GITHUB_REPOSITORY".to_owned(), "example/copies".to_owned());
        let files = ["OUTPUT", "STEP_SUMMARY", "ENV", "PATH"].map(|what| {
            let file = self.machine.temp(what);
            fs::write(&file, "").expect("written");
            variables.insert(format!("GITHUB_{what}"), file.display().to_string());
            file
        });
        let Ended { code, said } = self.machine.run(&SHELL, script, &variables);
        let [outputs, summary, env, path] =
            files.map(|file| fs::read_to_string(file).expect("readable"));
        self.ended.said += &said;
        self.ended.shown += &summary;
        self.variables.extend(pairs(&env));
        let before = self.variables.get("PATH").cloned();
        let mut all: Vec<&str> = path.lines().collect();
        let before = before.unwrap_or_else(|| self.machine.tools());
        all.push(&before);
        self.variables.insert("PATH".to_owned(), all.join(":"));
        let outcome = if code == 0 {
            Outcome::Success
        } else {
            if self.ended.outcome == Outcome::Success {
                self.ended.code = code;
            }
            self.ended.outcome = Outcome::Failure;
            Outcome::Failure
        };
        (outcome, pairs(&outputs))
    }

    /// A job that fails has outputs, too.
    fn end(self) -> JobRun {
        let none = Variables::new();
        let values = |name: &str| self.value(name, &none);
        let outputs = self.job.outputs.iter();
        let outputs = outputs.map(|(name, text)| (name.clone(), filled(text, &values)));
        JobRun {
            outputs: outputs.collect(),
            ..self.ended
        }
    }
}

/// `name=value`, a line each.
pub fn pairs(text: &str) -> Variables {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=').expect("name=value");
        (name.to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}
