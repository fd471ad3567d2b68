//! Workflows and actions of GitHub: their shape, and what is amiss in them.

use std::collections::BTreeMap;

use serde::Deserialize;
use yaml_serde::Value;

use super::expressions::{expressions, names, unwrapped};

pub const ACTION: &str = "./.github/actions/xrs";
pub const SIGN_IN: &str = "aws-actions/configure-aws-credentials";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workflow {
    pub name: String,
    pub on: BTreeMap<String, Option<Trigger>>,
    pub permissions: BTreeMap<String, String>,
    pub concurrency: Concurrency,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub defaults: Defaults,
    pub jobs: BTreeMap<String, Job>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Trigger {
    Paths(Paths),
    Schedule(Vec<Schedule>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    #[serde(default)]
    pub branches: Vec<String>,
    pub paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    pub cron: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Concurrency {
    pub group: String,
    pub cancel_in_progress: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    pub run: DefaultRun,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRun {
    pub shell: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Job {
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub needs: Option<String>,
    pub runs_on: String,
    pub timeout_minutes: u32,
    pub permissions: BTreeMap<String, String>,
    pub environment: Option<String>,
    #[serde(default)]
    pub outputs: BTreeMap<String, String>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    pub id: Option<String>,
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub uses: Option<String>,
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub run: Option<String>,
    pub shell: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    pub name: String,
    pub description: String,
    pub inputs: BTreeMap<String, Input>,
    pub runs: Composite,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub description: String,
    pub default: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    pub using: String,
    pub steps: Vec<Step>,
}

impl Step {
    /// A text of `with`, however YAML reads it.
    pub fn with(&self, key: &str) -> Option<String> {
        Some(match self.with.get(key)? {
            Value::String(text) => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            other => panic!("{key}: {other:?}"),
        })
    }

    /// What it uses, without the version.
    pub fn action(&self) -> &str {
        let uses = self.uses.as_deref().unwrap_or_default();
        uses.split_once('@').map_or(uses, |(action, _)| action)
    }

    /// Every text of it that may hold expressions.
    fn texts(&self) -> Vec<String> {
        let with = self.with.keys().filter_map(|key| self.with(key));
        let env = self.env.values().cloned();
        with.chain(env).chain(self.run.clone()).collect()
    }
}

/// All that is amiss in a workflow. `files` are those that a user copies, by the path they are copied to.
pub fn amiss_in_workflow(text: &str, files: &[&str]) -> Vec<String> {
    let workflow: Workflow = match yaml_serde::from_str(text) {
        Ok(workflow) => workflow,
        Err(error) => return vec![error.to_string()],
    };
    let mut amiss = Vec::new();
    let mut unless = |holds: bool, what: &str| {
        if !holds {
            amiss.push(what.to_owned());
        }
    };
    // GitHub reads YAML as 1.2 does. A reader of 1.1 takes the key for `true`, and writes it so.
    unless(text.lines().any(|line| line == "on:"), "no `on`");
    unless(!workflow.name.is_empty(), "no name");
    for (event, trigger) in &workflow.on {
        let is_known = match (event.as_str(), trigger) {
            ("workflow_dispatch", None) => true,
            ("pull_request", Some(Trigger::Paths(filter))) => {
                known_paths(&filter.paths, files) && filter.branches.is_empty()
            }
            ("push", Some(Trigger::Paths(filter))) => {
                known_paths(&filter.paths, files) && filter.branches == ["main"]
            }
            ("schedule", Some(Trigger::Schedule(schedules))) => schedules
                .iter()
                .all(|schedule| schedule.cron.split(' ').count() == 5),
            _ => false,
        };
        unless(is_known, &format!("on: {event}"));
    }
    unless(!workflow.on.is_empty(), "it is never run");
    unless(workflow.permissions.is_empty(), "permissions for all jobs");
    unless(
        workflow.concurrency.group.starts_with("xrs-"),
        "a group that others may have",
    );
    let cancels = workflow.concurrency.cancel_in_progress;
    unless(
        !cancels || !workflow.on.contains_key("schedule") || !text.contains("xrs run"),
        "a run that is cut short by the next one",
    );
    unless(workflow.defaults.run.shell == "bash", "no pipefail");
    for (name, job) in &workflow.jobs {
        amiss.extend(
            amiss_in_job(job, &workflow)
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    amiss
}

fn known_paths(paths: &[String], files: &[&str]) -> bool {
    let is_known = |path: &String| path == "xrs.yaml" || files.contains(&path.as_str());
    !paths.is_empty() && paths.iter().all(is_known)
}

fn amiss_in_job(job: &Job, workflow: &Workflow) -> Vec<String> {
    let mut amiss = amiss_in_steps(&job.steps);
    let mut unless = |holds: bool, what: String| {
        if !holds {
            amiss.push(what);
        }
    };
    unless(
        job.runs_on.starts_with("ubuntu-") && job.runs_on != "ubuntu-latest",
        format!("runs-on: {}", job.runs_on),
    );
    // GitHub ends a job after six hours.
    unless(
        (1..360).contains(&job.timeout_minutes),
        format!("timeout: {}", job.timeout_minutes),
    );
    for (what, level) in &job.permissions {
        let needed = matches!(
            (what.as_str(), level.as_str()),
            ("contents", "read") | ("id-token" | "pull-requests", "write")
        );
        unless(needed, format!("permissions: {what}: {level}"));
    }
    let uses = |action: &str| job.steps.iter().any(|step| step.action() == action);
    let may = |what: &str| job.permissions.contains_key(what);
    unless(uses(SIGN_IN) == may("id-token"), "id-token".to_owned());
    unless(
        uses("actions/checkout") == may("contents"),
        "contents".to_owned(),
    );
    unless(
        !(may("pull-requests") && may("id-token")),
        "credentials of AWS beside the right to write".to_owned(),
    );
    // The roles: one that reads, and behind an environment one that writes.
    let role = match job.environment {
        Some(_) => "${{ vars.XRS_APPLY_ROLE }}",
        None => "${{ vars.XRS_PLAN_ROLE }}",
    };
    for step in job.steps.iter().filter(|step| step.action() == SIGN_IN) {
        let given = step.with("role-to-assume").unwrap_or_default();
        unless(given == role, format!("the role {given}"));
        unless(
            step.with("aws-region").is_some(),
            "no region to sign in to".to_owned(),
        );
    }
    for step in &job.steps {
        if step.action() == "actions/checkout" {
            unless(
                step.with("persist-credentials").as_deref() == Some("false"),
                "the token is left in the folder".to_owned(),
            );
        }
    }
    let needed = job.needs.as_ref().map(|name| workflow.jobs.get(name));
    unless(
        !matches!(needed, Some(None)),
        format!("needs {:?}, which is no job", job.needs),
    );
    let output_of_needed = |output: &str| {
        let outputs = needed.flatten().map(|job| &job.outputs);
        outputs.is_some_and(|outputs| outputs.contains_key(output))
    };
    let steps: Vec<&str> = job.steps.iter().filter_map(|s| s.id.as_deref()).collect();
    for name in names_of(job) {
        let parts: Vec<&str> = name.split('.').collect();
        let is_known = match parts.as_slice() {
            ["needs", other, "outputs", output] => {
                job.needs.as_deref() == Some(other) && output_of_needed(output)
            }
            ["needs", other, "result"] => job.needs.as_deref() == Some(other),
            ["steps", step, "outputs", output] => {
                let writes = |step: &&Step| {
                    step.run.as_deref().is_some_and(|run| {
                        run.contains(&format!("echo \"{output}=")) && run.contains("$GITHUB_OUTPUT")
                    })
                };
                let found = job.steps.iter().find(|s| s.id.as_deref() == Some(step));
                found.as_ref().is_some_and(writes)
            }
            ["steps", step, "outcome"] => steps.contains(step),
            ["github", ..] | ["vars", _] | ["always" | "cancelled"] => true,
            _ => false,
        };
        unless(is_known, format!("{name} is not there"));
    }
    amiss
}

/// The names in all expressions of a job.
fn names_of(job: &Job) -> Vec<String> {
    let conditions = job.steps.iter().filter_map(|step| step.condition.as_ref());
    let mut found: Vec<String> = conditions
        .chain(&job.condition)
        .flat_map(|condition| names(unwrapped(condition)))
        .collect();
    let texts = job.steps.iter().flat_map(Step::texts);
    for text in texts.chain(job.outputs.values().cloned()) {
        found.extend(expressions(&text).into_iter().flat_map(names));
    }
    found
}

/// All that is amiss in an action of several steps.
pub fn amiss_in_action(text: &str) -> Vec<String> {
    let action: Action = match yaml_serde::from_str(text) {
        Ok(action) => action,
        Err(error) => return vec![error.to_string()],
    };
    let mut amiss = amiss_in_steps(&action.runs.steps);
    if action.runs.using != "composite" {
        amiss.push(format!("using: {}", action.runs.using));
    }
    if action.name.is_empty() || action.description.is_empty() {
        amiss.push("no description".to_owned());
    }
    for step in &action.runs.steps {
        if step.run.is_some() && step.shell.as_deref() != Some("bash") {
            amiss.push(format!("{}: no shell", step.name));
        }
        let texts = step.texts();
        let names = texts
            .iter()
            .flat_map(|text| expressions(text))
            .flat_map(names);
        for name in names {
            let is_input = name
                .strip_prefix("inputs.")
                .is_some_and(|input| action.inputs.contains_key(input));
            // Others, such as `vars`, are not there in an action.
            if !is_input && !name.starts_with("runner.") {
                amiss.push(format!("{name} is not there"));
            }
        }
    }
    for (name, input) in &action.inputs {
        if input.description.is_empty() || input.default.is_empty() {
            amiss.push(format!("{name}: no default"));
        }
    }
    amiss
}

fn amiss_in_steps(steps: &[Step]) -> Vec<String> {
    let mut amiss = Vec::new();
    for step in steps {
        let name = &step.name;
        match (&step.uses, &step.run) {
            (Some(uses), None) if !is_pinned(uses) => {
                amiss.push(format!("{name}: {uses} has no version"));
            }
            (None, Some(run)) if run.contains("${{") => {
                amiss.push(format!("{name}: text of others in a shell line"));
            }
            (None, Some(_)) if !step.with.is_empty() => amiss.push(format!("{name}: with")),
            // The signal of a cancelled job goes to the shell, and not to what the shell has begun.
            (None, Some(run)) if is_deaf(run) => {
                amiss.push(format!("{name}: xrs does not hear that it is cancelled"));
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => amiss.push(format!("{name}: it uses something or runs something")),
        }
    }
    amiss
}

/// Whether xrs writes while a shell waits for it.
fn is_deaf(run: &str) -> bool {
    let writes = |line: &str| line.starts_with("xrs apply ") || line.starts_with("xrs run ");
    run.lines().any(writes)
}

/// An action of these files, or one of a major version.
fn is_pinned(uses: &str) -> bool {
    let version = uses.split_once("@v").map(|(_, version)| version);
    uses == ACTION || version.is_some_and(|version| version.parse::<u32>().is_ok())
}
