//! The end of a history: when nobody interferes any more and nothing fails, plan and apply reach the state that the config asks
//! for, and stay there.

use std::sync::Arc;

use crate::support::ami_options;
use aws_xregion_sync::model::action::Stage;

use super::check_plan;
use super::environment;
use super::fault_plan::FaultPlan;
use super::history::History;
use super::image_retention;
use super::retention_rules;
use super::rules::{self, Source};
use crate::support::prelude::*;

/// After this number of rounds of plan and apply, everything must be done: copies; what they allow once available; nothing more.
const ROUNDS: usize = 4;

pub fn converge(history: &mut History) {
    history.recorded.edit(environment::calm_down);
    history.say("the end", || {
        "the end: nothing fails and nobody interferes any more".to_owned()
    });
    let jobs = history.setup.jobs.clone();
    for round in 0..ROUNDS {
        let Some(plan) = checked_plan(history, &jobs) else {
            return;
        };
        let is_done = plan.summary.actions() == 0;
        apply_and_plan_again(history, &plan, &jobs);
        if is_done {
            history.recorded.ledger().count(match round {
                0 => "fixed point at once",
                1 => "fixed point after one round",
                _ => "fixed point after two rounds",
            });
            break;
        }
        history.recorded.edit(environment::finish_copies);
    }
    let Some(last) = checked_plan(history, &jobs) else {
        return;
    };
    let world = history.recorded.sandbox.world();
    let mut ledger = history.recorded.ledger();
    if last.summary.actions() > 0 {
        let summary = &last.summary;
        ledger.breach(format!(
            "law 3: still to do after {ROUNDS} rounds: {summary:?}"
        ));
    }
    // `checked_plan` has already checked whether failed jobs had a reason to fail.
    let planned = jobs.iter().zip(&last.jobs);
    for (job, _) in planned.filter(|(_, plan)| plan.outcome != Outcome::Failed) {
        if let Some(wrong) = wrong_at_the_end(&world, job) {
            ledger.breach(format!("at the end: {}: {wrong}", job.name));
        }
    }
}

/// Applies a plan. Law 3: what has been applied is not planned again, even while copies are in progress.
fn apply_and_plan_again(history: &mut History, plan: &SavedPlan, jobs: &[SyncJob]) {
    // Waits longer than any copy takes, or not at all.
    let waits = history.random.chance(30).then_some(1_000_000);
    let faults = FaultPlan {
        waits,
        ..FaultPlan::default()
    };
    let results = history.apply(1000, &[Arc::new(plan.clone())], None, vec![faults], false);
    for result in results.into_iter().flatten().flatten() {
        let of_result = plan.jobs.iter().find(|job| job.name == result.name);
        let is_planned = of_result.is_some_and(|job| job.errors.is_empty());
        if result.failed() && is_planned {
            let (name, errors) = (&result.name, &result.errors);
            let what = format!("law 7: {name} fails for no reason: {errors:?}");
            history.recorded.ledger().breach(what);
        }
    }
    if plan.summary.actions() == 0 {
        return;
    }
    let Some(again) = quiet_plan(history, jobs) else {
        return;
    };
    for (before, after) in plan.jobs.iter().zip(&again.jobs) {
        // Copies that have become available in the meantime may allow more actions.
        if waits.is_none() && !after.actions.is_empty() && !has_cause(plan, before, after) {
            let (job, reason) = (&after.name, &after.reason);
            let what = format!("law 3: {job} has something to do right after an apply: {reason}");
            history.recorded.ledger().breach(what);
        }
    }
}

/// Returns true if a job may have something to do right after an apply: it could not be planned before; a source image was found to
/// be a copy and tagged as one; or EC2 named an image that it had made before and that nothing identified.
fn has_cause(plan: &SavedPlan, before: &JobPlan, after: &JobPlan) -> bool {
    let of_images = before.kind() == Some(Kind::Image);
    let copied = before.actions.iter().any(|a| matches!(a, Action::Copy(_)));
    let tags = after.actions.iter().all(|a| a.stage() == Stage::Tags);
    before.outcome == Outcome::Failed || of_images && (plan.summary.tag_copy > 0 || copied && tags)
}

fn checked_plan(history: &mut History, jobs: &[SyncJob]) -> Option<SavedPlan> {
    quiet_plan(history, jobs).filter(|_| history.recorded.ledger().breaches().is_empty())
}

fn quiet_plan(history: &mut History, jobs: &[SyncJob]) -> Option<SavedPlan> {
    let planned = history.plan(jobs, FaultPlan::default(), "the end".to_owned());
    Some(planned?.0)
}

/// Returns what differs from what the job asks for.
fn wrong_at_the_end(world: &World, job: &SyncJob) -> Option<String> {
    let Some(ami) = ami_options(job) else {
        return wrong_snapshots(world, job);
    };
    let source = check_plan::chosen(job, ami, world)?;
    let mut copies = rules::image_copies(world, world, job, source.id.as_str());
    let is_usable = copies.any(|image| ["available", "disabled"].contains(&image.state.as_str()));
    if !is_usable {
        return Some(format!("{} has no copy", source.id));
    }
    let left = image_retention::due_for_deletion(world, job, source, false);
    (!left.is_empty()).then(|| format!("{left:?} are left beyond those to retain"))
}

fn wrong_snapshots(world: &World, job: &SyncJob) -> Option<String> {
    let newest = rules::newest_automated(world, job)?;
    let source = Source::of(newest);
    let mut copies = rules::manual(world, job);
    if !copies.any(|copy| rules::is_available(copy) && rules::serves(copy, job, source)) {
        return Some(format!("{} has no usable copy", source.id));
    }
    let left = retention_rules::due_for_deletion(world, job, newest, false);
    let retain = rules::retained(job);
    (!left.is_empty()).then(|| format!("{left:?} are left beyond the {retain} to retain"))
}
