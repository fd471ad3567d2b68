//! The example pipelines in `testdata/ci`: they have the shape that GitHub and GitLab demand, and each of their shell lines does
//! what it is there for, on the sandbox.

mod expressions;
mod github;
mod github_run;
mod gitlab;
mod gitlab_run;
mod machine;
mod shape;

use std::fs;
use std::path::Path;

use aws_xregion_sync::planfile;
use serde_json::Value;

use machine::{MARKER, Place, Variables};

/// Why a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody proposes a change of the config, from a fork or from a branch.
    Change {
        fork: bool,
    },
    /// It is merged.
    Merge,
    Nightly,
    Hourly,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    #[default]
    Success,
    Failure,
    Skipped,
}

impl Outcome {
    /// As GitHub says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
        }
    }
}

/// What became of a job.
#[derive(Debug, Default)]
pub struct JobRun {
    pub outcome: Outcome,
    /// Of the first script that failed.
    pub code: i32,
    /// The log.
    pub said: String,
    /// What people are shown: the summary, or where there is none the log.
    pub shown: String,
    /// For the jobs that need it.
    pub outputs: Variables,
}

pub trait Pipeline {
    /// Runs a job, whose needs have been run; a manual one is approved.
    fn job(&mut self, name: &str) -> &JobRun;

    /// What a job gave to those that need it.
    fn outputs(&mut self, job: &str) -> &mut Variables;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    GitHub,
    GitLab,
}

const BOTH: [System; 2] = [System::GitHub, System::GitLab];

impl System {
    fn start(self, place: &Place, event: Event) -> Box<dyn Pipeline + '_> {
        match self {
            Self::GitHub => Box::new(github_run::Run::new(place, event)),
            Self::GitLab => Box::new(gitlab_run::Run::new(place, event)),
        }
    }

    /// The name that the digest goes by between jobs.
    fn digest(self) -> &'static str {
        match self {
            Self::GitHub => "digest",
            Self::GitLab => "XRS_DIGEST",
        }
    }

    /// Where the results of a job are kept.
    fn results(self, job: &str) -> String {
        match self {
            Self::GitHub => "artifacts/results/results.json".to_owned(),
            Self::GitLab => format!("artifacts/{job}/results.json"),
        }
    }
}

const CHANGE: Event = Event::Change { fork: false };
const PLAN: &str = "artifacts/plan/plan.json";

/// The files that a user copies, by where they go.
fn files() -> Vec<(String, String)> {
    fn collect(folder: &Path, to: &str, files: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            if path.is_dir() {
                collect(&path, &format!("{to}{name}/"), files);
            } else {
                let text = fs::read_to_string(&path).expect("readable");
                files.push((format!("{to}{name}"), text));
            }
        }
    }
    let mut files = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ci");
    collect(&folder, ".", &mut files);
    files.sort();
    files
}

/// The example of the older tool: copies and deletions, and credentials that come from the config.
fn seed() -> String {
    include_str!("../../testdata/config/seed.yaml").to_owned()
}

/// What `xrs init` writes, whose credentials come from the environment.
fn initial() -> String {
    let folder = crate::cli::Folder::new();
    let written = folder.xrs(&["init", "initial.yaml"]);
    assert_eq!(written.code, Some(0), "{written:?}");
    folder.read("initial.yaml")
}

#[track_caller]
fn assert_ended(run: &JobRun, outcome: Outcome, code: i32) {
    assert_eq!((run.outcome, run.code), (outcome, code), "{run:#?}");
}

#[track_caller]
fn assert_says(text: &str, says: &str) {
    assert!(text.contains(says), "{says:?} is not in\n{text}");
}

/// xrs was called so, with the role that it needs.
#[track_caller]
fn assert_called(place: &Place, calls: &[&str]) {
    let all = place.read("calls");
    let to_aws = |call: &&str| !call.contains(" show ");
    let found: Vec<&str> = all.lines().filter(to_aws).collect();
    assert_eq!(found, calls);
}

/// How many images and how many snapshots the destination holds.
fn copies(place: &Place) -> (usize, usize) {
    let regions = place.regions();
    let count = |what: &str| regions["us-west-1"][what].as_array().map_or(0, Vec::len);
    (count("images"), count("snapshots"))
}

#[test]
fn a_change_is_planned_and_its_plan_stands_in_one_comment() {
    for system in BOTH {
        let place = Place::new(&seed());
        let planned = || {
            let mut pipeline = system.start(&place, CHANGE);
            let plan = pipeline.job("plan");
            assert_ended(plan, Outcome::Success, 0);
            let digest = place.json(PLAN)["digest"].as_str().expect("one").to_owned();
            assert_eq!(plan.outputs[system.digest()], digest);
            assert_says(&plan.shown, &digest);
            assert_ended(pipeline.job("comment"), Outcome::Success, 0);
            assert_eq!(pipeline.job("apply").outcome, Outcome::Skipped);
            let markdown = place.read("artifacts/plan/plan.md");
            assert!(
                markdown.starts_with("### xrs plan: 2 copies ("),
                "{markdown}"
            );
            assert_says(&markdown, &format!("--expect-digest {digest}"));
            assert_eq!(
                place.comments(),
                [format!("{MARKER}{markdown}\nPlanned for c0ffee.\n")]
            );
            place.assert_others_untouched();
            markdown
        };
        let first = planned();
        // Pushed again, an hour later.
        place.pass(60);
        assert_ne!(planned(), first);
        assert_eq!(copies(&place), (0, 7), "nothing was copied or deleted");
        let call = match system {
            System::GitHub => {
                "the-plan-role plan --out plan.json --format markdown --detailed-exitcode"
            }
            System::GitLab => "the-plan-role plan --out plan.json --detailed-exitcode",
        };
        assert_called(&place, &[call; 2]);
    }
}

#[test]
fn the_plan_of_any_number_of_jobs_fits_into_a_comment() {
    let job = |n| {
        format!(
            "sync_database_{n}: {{sync_type: rds_automated_snapshot, source_region: us-east-1, \
             destination_region: us-west-1, db_instance: database-{n}}}\n"
        )
    };
    let config: String = (0..250).map(job).collect();
    for system in BOTH {
        let place = Place::new(&config);
        let mut pipeline = system.start(&place, CHANGE);
        assert_ended(pipeline.job("plan"), Outcome::Success, 0);
        assert_ended(pipeline.job("comment"), Outcome::Success, 0);
        let length = place.comments()[0].chars().count();
        assert!((60_000..=65_536).contains(&length), "{length}");
    }
}

#[test]
fn a_change_from_a_fork_gets_nothing() {
    for system in BOTH {
        let place = Place::new(&seed());
        let mut pipeline = system.start(&place, Event::Change { fork: true });
        for job in ["plan", "comment", "apply"] {
            assert_eq!(pipeline.job(job).outcome, Outcome::Skipped, "{job}");
        }
        assert!(!place.path("calls").exists(), "xrs was called");
        assert!(place.comments().is_empty());
    }
}

#[test]
fn what_was_approved_is_applied_after_the_merge() {
    for system in BOTH {
        for config in [seed(), initial()] {
            let place = Place::new(&config);
            let mut pipeline = system.start(&place, Event::Merge);
            assert_ended(pipeline.job("plan"), Outcome::Success, 0);
            let (images, snapshots) = copies(&place);
            let digest = place.json(PLAN)["digest"].as_str().expect("one").to_owned();
            let apply = pipeline.job("apply");
            assert_ended(apply, Outcome::Success, 0);
            assert_says(&apply.shown, "2 jobs completed, 0 failed");
            assert_says(&apply.shown, "2 copies created, 2 copies deleted");
            let results = place.json(&system.results("apply"));
            assert_eq!(results["plan_digest"], digest.as_str());
            assert_eq!(results["complete"], true);
            assert_eq!(copies(&place), (images + 1, snapshots + 1 - 2));
            let calls = place.read("calls");
            let last = calls.lines().rfind(|call| call.contains(" apply "));
            assert_eq!(
                last.expect("an apply"),
                format!(
                    "the-apply-role apply plan.json --config xrs.yaml --expect-digest {digest} \
                     --max-age 24h --max-deletes 3 --results results.json"
                )
            );

            // Another merge finds nothing to do, and nobody is asked.
            let regions = place.regions();
            let mut pipeline = system.start(&place, Event::Merge);
            assert_ended(pipeline.job("plan"), Outcome::Success, 0);
            let apply = pipeline.job("apply");
            match system {
                System::GitHub => assert_eq!(apply.outcome, Outcome::Skipped),
                // Rules know nothing of what a job has found.
                System::GitLab => assert_says(&apply.shown, "0 copies created, 0 copies deleted"),
            }
            assert_eq!(place.regions(), regions);
        }
    }
}

/// What may go wrong between the plan and the apply, and the exit code that tells.
type Mishap = (&'static str, fn(&Place, &mut Variables), i32);

fn edited(plan: &mut Value) {
    plan["jobs"][0]["actions"][0]["reason"] = "nothing to worry about".into();
}

/// What was shown, on its way to the apply.
fn digest(outputs: &mut Variables) -> &mut String {
    let mut values = outputs.values_mut();
    let found = values.find(|value| value.starts_with("sha256:"));
    found.expect("a digest")
}

const MISHAPS: [Mishap; 5] = [
    ("an edited plan", |place, _| place.edit(PLAN, edited), 3),
    (
        "an edited plan, sealed anew",
        |place, _| {
            place.edit(PLAN, |plan| {
                edited(plan);
                plan["digest"] = planfile::digest(plan).into();
            });
        },
        3,
    ),
    (
        "a plan of the day before",
        |place, _| place.pass(24 * 60),
        3,
    ),
    (
        "another digest than was shown",
        |_, outputs| *digest(outputs) = format!("sha256:{}", "0".repeat(64)),
        3,
    ),
    ("no digest", |_, outputs| digest(outputs).clear(), 1),
];

#[test]
fn what_was_not_approved_is_not_applied() {
    for system in BOTH {
        for (what, happens, code) in MISHAPS {
            let place = Place::new(&seed());
            let mut pipeline = system.start(&place, Event::Merge);
            assert_ended(pipeline.job("plan"), Outcome::Success, 0);
            let regions = place.regions();
            happens(&place, pipeline.outputs("plan"));
            let apply = pipeline.job("apply");
            assert_ended(apply, Outcome::Failure, code);
            assert!(!apply.shown.is_empty(), "{what}: nothing is shown");
            assert_eq!(place.regions(), regions, "{what}");
        }
    }
}

/// The seed example on a world in which more copies are to be deleted than the pipelines allow.
fn too_many_deletions(system: System) -> Place {
    let place = Place::new(&seed());
    system.start(&place, CHANGE).job("plan");
    let fewer = seed().replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: 1");
    place.write("repository/xrs.yaml", fewer);
    place
}

#[test]
fn too_many_deletions_are_refused_even_if_they_were_approved() {
    for system in BOTH {
        let place = too_many_deletions(system);
        let regions = place.regions();
        let mut pipeline = system.start(&place, Event::Merge);
        let plan = pipeline.job("plan");
        assert_ended(plan, Outcome::Success, 0);
        assert_says(&plan.shown, "rds-mydatabase-2026-01-13-05-10");
        let apply = pipeline.job("apply");
        assert_ended(apply, Outcome::Failure, 3);
        assert_says(&apply.said, "6 deletions");
        assert_eq!(place.regions(), regions);

        let mut pipeline = system.start(&place, Event::Nightly);
        assert_ended(pipeline.job("nightly"), Outcome::Failure, 3);
        assert_eq!(place.regions(), regions);
    }
}

#[test]
fn a_job_that_cannot_be_planned_is_shown_and_nothing_is_applied() {
    for system in BOTH {
        let broken = seed().replace(
            "max_snapshots_to_retain: 5",
            "max_snapshots_to_retain: many",
        );
        let place = Place::new(&broken);
        let mut pipeline = system.start(&place, CHANGE);
        assert_ended(pipeline.job("plan"), Outcome::Failure, 1);
        assert_ended(pipeline.job("comment"), Outcome::Success, 0);
        let comments = place.comments();
        assert_says(
            &comments[0],
            "### xrs plan: 1 copy (16 GiB), 0 deletions, 1 FAILED JOB",
        );

        let regions = place.regions();
        let mut pipeline = system.start(&place, Event::Merge);
        assert_ended(pipeline.job("plan"), Outcome::Failure, 1);
        assert_eq!(pipeline.job("apply").outcome, Outcome::Skipped);
        assert_eq!(place.regions(), regions);
    }
}

#[test]
fn where_there_is_no_plan_none_is_taken_for_it() {
    for system in BOTH {
        let place = Place::new(&seed());
        system.start(&place, CHANGE).job("plan");
        // One that somebody has put into the repository.
        place.write("repository/plan.json", place.read(PLAN));
        place.write("repository/xrs.yaml", "][");
        let mut pipeline = system.start(&place, CHANGE);
        let plan = pipeline.job("plan");
        assert_ended(plan, Outcome::Failure, 1);
        assert_eq!(plan.outputs[system.digest()], "");
        assert!(!place.path(PLAN).exists());
        assert_ended(pipeline.job("comment"), Outcome::Success, 0);
        let comments = place.comments();
        assert_says(&comments[0], "### xrs plan: there is no plan");
    }
}

#[test]
fn the_second_night_has_nothing_to_do() {
    for system in BOTH {
        let place = Place::new(&seed());
        let night = || {
            let mut pipeline = system.start(&place, Event::Nightly);
            let night = pipeline.job("nightly");
            assert_ended(night, Outcome::Success, 0);
            assert_eq!(place.json(&system.results("nightly"))["complete"], true);
            night.shown.clone()
        };
        assert_says(&night(), "2 copies created, 2 copies deleted");
        assert_eq!(copies(&place), (1, 6));
        let regions = place.regions();
        assert_says(&night(), "0 copies created, 0 copies deleted");
        assert_eq!(place.regions(), regions);
        let wait = match system {
            System::GitHub => "5h",
            System::GitLab => "150m",
        };
        let call =
            format!("the-apply-role run --max-deletes 3 --wait={wait} --results results.json");
        assert_called(&place, &[call.as_str(); 2]);
    }
}

#[test]
fn the_status_fails_while_copies_are_missing_or_too_old() {
    for system in BOTH {
        let place = Place::new(&seed());
        let look = || {
            let mut pipeline = system.start(&place, Event::Hourly);
            let status = pipeline.job("status");
            (status.outcome, status.code, status.shown.clone())
        };
        let (outcome, code, shown) = look();
        assert_eq!((outcome, code), (Outcome::Failure, 1), "{shown}");
        assert_says(&shown, "**not ready**: `there is no usable copy`");

        system.start(&place, Event::Nightly).job("nightly");
        let (outcome, _, shown) = look();
        assert_eq!(outcome, Outcome::Success, "{shown}");
        assert_says(&shown, "2 jobs, 2 ready (limit 26 h)");

        // The copy of the image is that of the newest one, and never too old.
        place.pass(27 * 60);
        let (outcome, code, shown) = look();
        assert_eq!((outcome, code), (Outcome::Failure, 1), "{shown}");
        assert_says(&shown, "2 jobs, 1 ready (limit 26 h), 1 not ready");
        let calls = place.read("calls");
        let call = "the-plan-role status --max-age 26h --format markdown";
        assert_eq!(calls.lines().filter(|line| *line == call).count(), 3);
    }
}
