//! The example pipelines in `testdata/ci`. Here, their scripts run on the sandbox. `settings` tests who may do what and when, and
//! `lint` has tools that know the formats of GitHub and GitLab check the files.

mod github;
mod gitlab;
// This module installs tools from PyPI, as `moto` does. Without it, `cargo test --no-default-features` stays fast and needs no
// network.
#[cfg(feature = "aws")]
mod lint;
mod place;
mod settings;

use aws_xregion_sync::planfile;
use serde_json::Value;

use place::{JobRun, Place};

use crate::cli::Folder;
use crate::support::assert_says;

/// Runs a job to its end. The jobs that it needs must have run before.
type Run = fn(&Place, &str) -> JobRun;

const BOTH: [Run; 2] = [github::run, gitlab::run];
const PLAN: &str = "artifacts/plan/plan.json";

/// The gem's example: copies and deletions, and credentials in the config.
const SEED: &str = include_str!("../../testdata/config/seed.yaml");

/// Returns what `xrs init` writes. Its credentials come from the environment.
fn initial() -> String {
    let folder = Folder::new();
    folder.xrs("init initial.yaml").went_well(&[]);
    folder.read("initial.yaml")
}

/// Asserts that all calls to AWS began with the role that signed in and these arguments.
#[track_caller]
fn assert_called(place: &Place, call: &str) {
    let all = place.read("calls");
    let mut calls = all.lines().filter(|call| !call.contains(" show "));
    assert!(calls.all(|found| found.starts_with(call)), "{all}");
}

/// Asserts the exit code of `xrs plan` that the plan job passes on. GitHub skips `apply` unless the code is 2; GitLab can't.
#[track_caller]
fn assert_code(place: &Place, code: &str) {
    let outputs = place.outputs.borrow();
    let found = outputs.get("needs.plan.outputs.code");
    assert!(found.is_none_or(|found| found == code), "{outputs:?}");
}

/// Returns how many images and how many snapshots the destination holds.
fn copies(place: &Place) -> (usize, usize) {
    let regions = place.regions();
    let count = |what: &str| regions["us-west-1"][what].as_array().map_or(0, Vec::len);
    (count("images"), count("snapshots"))
}

#[test]
fn a_change_is_planned_and_its_plan_is_shown_in_one_comment() {
    for run in BOTH {
        let place = Place::new(SEED);
        let planned = || {
            let plan = run(&place, "plan").ended(0);
            let json = place.json(PLAN);
            let digest = json["digest"].as_str().expect("a digest");
            assert_says(&plan.shown, digest);
            let markdown = place.read("artifacts/plan/plan.md");
            assert_says(&markdown, "### xrs plan: 2 copies (");
            assert_says(&markdown, &format!("--expect-digest {digest}"));
            run(&place, "comment").ended(0);
            let comment = format!("<!-- xrs plan -->\n{markdown}\nPlanned for c0ffee.\n");
            // A plan has at most 65,000 bytes, and a comment 65,536 characters.
            assert!(comment.len() - markdown.len() < 500, "{comment}");
            assert_eq!(place.comment(), comment);
            markdown
        };
        let first = planned();
        // A second push an hour later changes the comment.
        place.pass(60);
        assert_ne!(planned(), first);
        assert_eq!(copies(&place), (0, 7), "nothing was copied or deleted");
        assert_called(&place, "the-plan-role plan --out plan.json ");
    }
}

#[test]
fn the_approved_plan_is_applied_after_the_merge() {
    for run in BOTH {
        for config in [SEED, &initial()] {
            let place = Place::new(config);
            run(&place, "plan").ended(0);
            assert_code(&place, "2");
            let (images, snapshots) = copies(&place);
            let apply = run(&place, "apply").ended(0);
            assert_says(&apply.shown, "2 jobs completed, 0 failed");
            assert_says(&apply.shown, "2 copies created, 2 copies deleted");
            let json = place.json(PLAN);
            let digest = json["digest"].as_str().expect("a digest");
            let results = place.json("artifacts/results/results.json");
            assert_eq!(results["plan_digest"], digest);
            assert_eq!(results["complete"], true);
            assert_eq!(copies(&place), (images + 1, snapshots + 1 - 2));
            let call = format!(
                "the-apply-role apply plan.json --config xrs.yaml --expect-digest {digest} \
                 --max-age 24h --max-deletes 3 --results results.json\n"
            );
            assert_says(&place.read("calls"), &call);

            // The next merge finds nothing to do, so GitHub asks nobody for an approval.
            run(&place, "plan").ended(0);
            assert_code(&place, "0");
            let regions = place.regions();
            let apply = run(&place, "apply").ended(0);
            assert_says(&apply.shown, "0 copies created, 0 copies deleted");
            assert_eq!(place.regions(), regions);
        }
    }
}

fn edit_reason(plan: &mut Value) {
    plan["jobs"][0]["actions"][0]["reason"] = "nothing to worry about".into();
    plan["digest"] = planfile::digest(plan).expect("a digest").into();
}

fn approve(place: &Place, digest: &str) {
    let mut outputs = place.outputs.borrow_mut();
    let approved = outputs
        .values_mut()
        .find(|value| value.starts_with("sha256:"));
    digest.clone_into(approved.expect("a digest"));
}

#[test]
fn what_was_not_approved_is_not_applied() {
    let cases = ["edited plan", "old plan", "other digest", "no digest"];
    for (run, case) in BOTH.iter().flat_map(|run| cases.map(|case| (run, case))) {
        let place = Place::new(SEED);
        run(&place, "plan").ended(0);
        let regions = place.regions();
        match case {
            "edited plan" => place.edit(PLAN, edit_reason),
            "old plan" => place.pass(24 * 60),
            "other digest" => approve(&place, &format!("sha256:{}", "0".repeat(64))),
            _ => approve(&place, ""),
        }
        let code = if case == "no digest" { 1 } else { 3 };
        let apply = run(&place, "apply").ended(code);
        assert!(!apply.shown.is_empty(), "{case}: nothing is shown");
        assert_eq!(place.regions(), regions, "{case}");
    }
}

#[test]
fn too_many_deletions_are_refused_even_if_they_were_approved() {
    for run in BOTH {
        let place = Place::new(SEED);
        // Creates the sandbox's world, with five copies to keep.
        run(&place, "plan").ended(0);
        let fewer = SEED.replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: 1");
        place.write("repository/xrs.yaml", fewer);
        let plan = run(&place, "plan").ended(0);
        assert_says(&plan.shown, "rds-mydatabase-2026-01-13-05-10");
        let regions = place.regions();
        let apply = run(&place, "apply").ended(3);
        assert_says(&apply.log, "6 deletions");
        run(&place, "nightly").ended(3);
        assert_eq!(place.regions(), regions);
    }
}

#[test]
fn a_job_that_cannot_be_planned_is_shown_and_fails_the_plan() {
    for run in BOTH {
        let broken = SEED.replace("max_snapshots_to_retain: 5", "max_snapshots_to_retain: x");
        let place = Place::new(&broken);
        run(&place, "plan").ended(1);
        assert_code(&place, "1");
        run(&place, "comment").ended(0);
        let heading = "### xrs plan: 1 copy (16 GiB), 0 deletions, 1 FAILED JOB";
        assert_says(&place.comment(), heading);
    }
}

#[test]
fn a_plan_from_the_repository_is_never_used() {
    for run in BOTH {
        let place = Place::new(SEED);
        run(&place, "plan").ended(0);
        place.write("repository/plan.json", place.read(PLAN));
        place.write("repository/xrs.yaml", "][");
        run(&place, "plan").ended(1);
        let outputs = place.outputs.borrow().clone();
        assert!(!outputs.values().any(|value| value.starts_with("sha256:")));
        assert!(!place.path(PLAN).exists());
        run(&place, "comment").ended(0);
        assert_says(&place.comment(), "### xrs plan: there is no plan");
    }
}

#[test]
fn the_second_night_has_nothing_to_do() {
    // Each wait is shorter than its job's time limit.
    for (run, wait) in BOTH.into_iter().zip(["5h", "150m"]) {
        let place = Place::new(SEED);
        let night = || {
            let night = run(&place, "nightly").ended(0);
            assert_eq!(
                place.json("artifacts/results/results.json")["complete"],
                true
            );
            night.shown
        };
        assert_says(&night(), "2 copies created, 2 copies deleted");
        assert_eq!(copies(&place), (1, 6));
        let regions = place.regions();
        assert_says(&night(), "0 copies created, 0 copies deleted");
        assert_eq!(place.regions(), regions);
        let call =
            format!("the-apply-role run --max-deletes 3 --wait={wait} --results results.json");
        assert_called(&place, &call);
    }
}

#[test]
fn the_status_fails_while_copies_are_missing_or_too_old() {
    for run in BOTH {
        let place = Place::new(SEED);
        let assert_status = |code, says: &str| {
            let status = run(&place, "status").ended(code);
            assert_says(&status.shown, says);
        };
        assert_status(1, "**not ready**: `there is no usable copy`");
        assert_called(
            &place,
            "the-plan-role status --max-age 26h --format markdown",
        );
        run(&place, "nightly").ended(0);
        assert_status(0, "2 jobs, 2 ready (limit 26 h)");
        // The image's copy is of the newest image, so it is never too old.
        place.pass(27 * 60);
        assert_status(1, "2 jobs, 1 ready (limit 26 h), 1 not ready");
    }
}
