//! Runs the script of a GitLab job. The variables that GitLab and the project set are stated here.

use serde_yaml::{Value, from_value};

use super::place::{GITLAB, JobRun, Place, Variables, pairs};

/// A script that uses any other variable fails.
const STATED: &str = "\
CI_API_V4_URL=https://gitlab.example/api/v4
CI_COMMIT_SHA=c0ffee
CI_JOB_ID=1234
CI_MERGE_REQUEST_IID=7
CI_PROJECT_ID=42
CI_SERVER_URL=https://gitlab.example
XRS_APPLY_ROLE=the-apply-role
XRS_NOTES_TOKEN=token
XRS_PLAN_ROLE=the-plan-role
XRS_REGION=us-west-1
";

pub fn run(place: &Place, name: &str) -> JobRun {
    let pipeline = place.yaml(GITLAB);
    let job = &pipeline[name];
    let base = &pipeline[job["extends"].as_str().unwrap_or_default()];
    let of_either = |key: &str| match &job[key] {
        Value::Null => &base[key],
        value => value,
    };
    let list = |value: &Value| from_value::<Vec<String>>(value.clone()).unwrap_or_default();

    // bash fills in the values of variables within variables, as GitLab does.
    let mut script = String::new();
    for level in [&pipeline, base, job] {
        let variables: Variables = from_value(level["variables"].clone()).unwrap_or_default();
        for (name, value) in variables {
            script += &format!("export {name}=\"{value}\"\n");
        }
    }
    if let Some(audience) = of_either("id_tokens")["XRS_ID_TOKEN"]["aud"].as_str() {
        script += &format!("export XRS_ID_TOKEN=\"for {audience}\"\n");
    }
    let lines = [list(of_either("before_script")), list(of_either("script"))];
    script += &lines.concat().join("\n");

    place.start_job();
    if job["variables"]["GIT_STRATEGY"] != "none" {
        place.fetch("repository");
    }
    for needed in list(&job["needs"]) {
        place.fetch(&format!("artifacts/{needed}"));
    }
    // The shell in the image.
    let shell = match of_either("image").as_str() {
        Some("alpine:3") => "sh -eu",
        _ => "bash -euo pipefail",
    };
    let mut variables = pairs(STATED);
    variables.extend(place.outputs.borrow().clone());
    let mut run = JobRun::default();
    place.shell(&mut run, shell, &script, &variables);
    let artifacts = &job["artifacts"];
    let kept = if name == "plan" { name } else { "results" };
    place.keep(kept, &list(&artifacts["paths"]).join("\n"));
    if let Some(file) = artifacts["reports"]["dotenv"].as_str() {
        let outputs = pairs(&place.read(&format!("job/work/{file}")));
        place.outputs.borrow_mut().extend(outputs);
    }
    run.shown = run.log.clone();
    run
}
