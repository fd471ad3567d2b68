//! Pipelines of GitLab: their shape, and what is amiss in them.

use std::collections::BTreeMap;

use serde::Deserialize;
use yaml_serde::{Mapping, Value};

use super::expressions::names;

/// What stands beside the jobs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Global {
    pub stages: Vec<String>,
    pub variables: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    pub stage: String,
    pub image: String,
    pub timeout: String,
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub id_tokens: BTreeMap<String, IdToken>,
    pub cache: Option<Cache>,
    #[serde(default)]
    pub needs: Vec<String>,
    #[serde(default)]
    pub interruptible: bool,
    pub environment: Option<String>,
    pub resource_group: Option<String>,
    #[serde(default)]
    pub before_script: Vec<String>,
    pub script: Vec<String>,
    pub artifacts: Option<Artifacts>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "if")]
    pub condition: String,
    #[serde(default)]
    pub changes: Vec<String>,
    pub when: Option<String>,
    pub allow_failure: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    pub aud: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub key: String,
    pub paths: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifacts {
    pub when: String,
    pub paths: Vec<String>,
    pub expose_as: Option<String>,
    #[serde(default)]
    pub reports: BTreeMap<String, String>,
    pub expire_in: String,
}

/// The pipeline of a file: what stands for all jobs, and the jobs, each with what it extends.
pub fn read(text: &str) -> Result<(Global, BTreeMap<String, Job>), String> {
    let mut all: Mapping = yaml_serde::from_str(text).map_err(|error| error.to_string())?;
    let mut global = Mapping::new();
    for key in ["stages", "variables"] {
        if let Some(value) = all.remove(key) {
            global.insert(key.into(), value);
        }
    }
    let global =
        yaml_serde::from_value(Value::Mapping(global)).map_err(|error| error.to_string())?;
    let mut jobs = BTreeMap::new();
    for (name, job) in &all {
        let name = name.as_str().ok_or("a job whose name is no text")?;
        if name.starts_with('.') {
            continue;
        }
        let mut job = job
            .as_mapping()
            .cloned()
            .ok_or(format!("{name} is no job"))?;
        if let Some(base) = job.remove("extends") {
            let base = all.get(&base).and_then(Value::as_mapping);
            job = extended(base.ok_or(format!("{name} extends nothing"))?, job);
        }
        let job = yaml_serde::from_value(Value::Mapping(job))
            .map_err(|error| format!("{name}: {error}"))?;
        jobs.insert(name.to_owned(), job);
    }
    Ok((global, jobs))
}

/// Mappings are merged, all else is replaced.
fn extended(base: &Mapping, job: Mapping) -> Mapping {
    let mut merged = base.clone();
    for (key, value) in job {
        let value = match (merged.get(&key), value) {
            (Some(Value::Mapping(base)), Value::Mapping(value)) => {
                Value::Mapping(extended(base, value))
            }
            (_, value) => value,
        };
        merged.insert(key, value);
    }
    merged
}

/// The variables that GitLab sets itself, and those that the README says to set.
pub const KNOWN: [&str; 18] = [
    "CI_API_V4_URL",
    "CI_COMMIT_BRANCH",
    "CI_COMMIT_SHA",
    "CI_DEFAULT_BRANCH",
    "CI_JOB_ID",
    "CI_MERGE_REQUEST_IID",
    "CI_MERGE_REQUEST_PROJECT_ID",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID",
    "CI_PIPELINE_SOURCE",
    "CI_PROJECT_ID",
    "CI_SERVER_URL",
    "XRS_APPLY_ROLE",
    "XRS_COMMIT",
    "XRS_NOTES_TOKEN",
    "XRS_PLAN_ROLE",
    "XRS_REGION",
    "XRS_REPOSITORY",
    "XRS_SCHEDULE",
];

/// All that is amiss in a pipeline.
pub fn amiss(text: &str) -> Vec<String> {
    let (global, jobs) = match read(text) {
        Ok(read) => read,
        Err(error) => return vec![error],
    };
    let mut amiss = Vec::new();
    let place = |stage: &String| global.stages.iter().position(|other| other == stage);
    for (name, job) in &jobs {
        let mut found = amiss_in_job(job);
        if place(&job.stage).is_none() {
            found.push(format!("the stage {}", job.stage));
        }
        for needed in &job.needs {
            match jobs.get(needed) {
                None => found.push(format!("needs {needed}, which is no job")),
                Some(other) if place(&other.stage) > place(&job.stage) => {
                    found.push(format!("needs {needed}, which is later"));
                }
                Some(_) => {}
            }
        }
        amiss.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    for stage in &global.stages {
        if !jobs.values().any(|job| job.stage == *stage) {
            amiss.push(format!("no job is in the stage {stage}"));
        }
    }
    amiss
}

fn amiss_in_job(job: &Job) -> Vec<String> {
    let mut amiss: Vec<String> = job.rules.iter().flat_map(amiss_in_rule).collect();
    amiss.extend(job.artifacts.iter().flat_map(amiss_in_artifacts));
    let mut unless = |holds: bool, what: String| {
        if !holds {
            amiss.push(what);
        }
    };
    unless(!job.rules.is_empty(), "it is always run".to_owned());
    let calls = |call: &str| job.script.iter().any(|line| line.starts_with(call));
    let writes = calls("xrs apply ") || calls("xrs run ");
    let role = job.variables.get("AWS_ROLE_ARN").map(String::as_str);
    let expected = match (job.id_tokens.contains_key("XRS_ID_TOKEN"), writes) {
        (false, _) => None,
        (true, false) => Some("$XRS_PLAN_ROLE"),
        (true, true) => Some("$XRS_APPLY_ROLE"),
    };
    unless(role == expected, format!("the role {role:?}"));
    let alone = job.resource_group.is_some() && !job.interruptible;
    unless(alone || !writes, "two may write at once".to_owned());
    let manual =
        |rule: &Rule| rule.when.as_deref() == Some("manual") && rule.allow_failure == Some(false);
    let gated = job.environment.is_some() && job.rules.iter().all(manual);
    unless(gated || !calls("xrs apply "), "nobody approves".to_owned());
    let mut lines = job.before_script.iter().chain(&job.script);
    unless(
        lines.all(|line| !line.trim().is_empty()),
        "an empty line".to_owned(),
    );
    // The runners of GitLab.com end a job after three hours.
    unless(
        ["10m", "1h", "3h"].contains(&job.timeout.as_str()),
        format!("timeout: {}", job.timeout),
    );
    let of_commit =
        |cache: &Cache| cache.key.contains("$XRS_COMMIT") && cache.paths == [".xrs/bin"];
    unless(
        job.cache.as_ref().is_none_or(of_commit),
        "the cache of another commit".to_owned(),
    );
    amiss
}

fn amiss_in_rule(rule: &Rule) -> Vec<String> {
    let Rule {
        condition,
        changes,
        when,
        allow_failure: _,
    } = rule;
    let mut amiss: Vec<String> = names(condition)
        .into_iter()
        .filter(|variable| !KNOWN.contains(&variable.trim_start_matches('$')))
        .map(|variable| format!("{variable} is not there"))
        .collect();
    let is_of_change = condition.contains("== \"merge_request_event\"");
    let is_own =
        condition.contains("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID");
    if is_of_change && !is_own {
        amiss.push("forks are let in".to_owned());
    }
    if !is_of_change && !condition.contains("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH") {
        amiss.push("every branch is let in".to_owned());
    }
    if !changes.is_empty() && *changes != ["xrs.yaml", ".gitlab-ci.yml"] {
        amiss.push(format!("changes: {changes:?}"));
    }
    if !matches!(when.as_deref(), None | Some("always" | "manual")) {
        amiss.push(format!("when: {when:?}"));
    }
    amiss
}

fn amiss_in_artifacts(artifacts: &Artifacts) -> Vec<String> {
    let Artifacts {
        when,
        paths,
        expose_as,
        reports,
        expire_in,
    } = artifacts;
    let mut amiss = Vec::new();
    let whole = |path: &String| !path.starts_with('/') && !path.contains('*');
    if paths.is_empty() || !paths.iter().all(whole) {
        amiss.push(format!("paths: {paths:?}"));
    }
    // After a failure they are what people look at.
    if when != "always" {
        amiss.push(format!("artifacts when: {when}"));
    }
    if reports.keys().any(|kind| kind != "dotenv") {
        amiss.push(format!("reports: {reports:?}"));
    }
    if !matches!(expose_as.as_deref(), None | Some("xrs plan" | "xrs status")) {
        amiss.push(format!("expose_as: {expose_as:?}"));
    }
    if !matches!(expire_in.as_str(), "1 week" | "2 weeks" | "4 weeks") {
        amiss.push(format!("expire_in: {expire_in}"));
    }
    amiss
}
