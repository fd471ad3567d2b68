//! The end of a history: nobody has a hand in the world any more and nothing fails, and then plan and apply reach the
//! state that the config asks for, and stay there.

use std::sync::Arc;

use crate::support::ami_options;
use aws_xregion_sync::model::action::{Action, Stage};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::plan::{JobPlan, Outcome, SavedPlan};
use aws_xregion_sync::provider::sandbox::World;
use aws_xregion_sync::sync_types::SyncJob;

use super::check_plan;
use super::environment;
use super::fault_plan::FaultPlan;
use super::history::History;
use super::rules::{self, Route};

/// Plan and apply as often as this, and all has to be done: copies; what their being available allows; no more.
const ROUNDS: usize = 4;

pub fn converge(history: &mut History) {
    history.recorded.edit(environment::calm_down);
    history.say("the end", || {
        "the end: nothing fails any more, and nobody has a hand in it".to_owned()
    });
    let jobs = history.setup.jobs.clone();
    for round in 0..ROUNDS {
        let Some(plan) = plan(history, &jobs) else {
            return;
        };
        let is_done = plan.summary.actions() == 0;
        // Longer than any copy takes, or not at all.
        let faults = FaultPlan {
            waits: history.random.chance(30).then_some(1_000_000),
            ..FaultPlan::default()
        };
        let waits = faults.waits.is_some();
        let results = history.apply(1000, &[Arc::new(plan.clone())], vec![faults], false);
        for result in results.into_iter().flatten().flatten() {
            let failed_to_plan = plan
                .jobs
                .iter()
                .any(|job| job.name == result.name && job.outcome == Outcome::Failed);
            if result.failed() && !failed_to_plan {
                history.recorded.ledger().breach(format!(
                    "law 7: {} fails for no reason: {:?}",
                    result.name, result.errors
                ));
            }
        }
        if is_done {
            history.recorded.ledger().count(match round {
                0 => "fixed point at once",
                1 => "fixed point after one round",
                _ => "fixed point after two rounds",
            });
            break;
        }
        // Law 3: what has been applied is not planned again, whether or not copies are still under way. Copies that have
        // become available meanwhile may allow more.
        let Some(again) = plan_quietly(history, &jobs) else {
            return;
        };
        for (before, after) in plan.jobs.iter().zip(&again.jobs) {
            if !waits && !after.actions.is_empty() && !has_cause(&plan, before, after) {
                let (job, reason) = (&after.name, &after.reason);
                let what =
                    format!("law 3: {job} has something to do right after an apply: {reason}");
                history.recorded.ledger().breach(what);
            }
        }
        history.recorded.edit(environment::finish_copies);
    }
    let Some(last) = plan(history, &jobs) else {
        return;
    };
    if last.summary.actions() > 0 {
        let ledger = &mut history.recorded.ledger();
        ledger.breach(format!(
            "law 3: after {ROUNDS} rounds there is something to do: {}",
            last.summary
        ));
    }
    let world = history.recorded.sandbox.world();
    for (job, planned) in jobs.iter().zip(&last.jobs) {
        if planned.outcome == Outcome::Failed {
            // That it fails for a reason was on_read at when it was planned.
            continue;
        }
        if let Some(wrong) = wrong_at_the_end(&world, job) {
            history
                .recorded
                .ledger()
                .breach(format!("at the end: {}: {wrong}", job.name));
        }
    }
}

/// Whether a job may have something to do right after an apply. It could not be planned before; or an image that
/// was a source has been found to be a copy, and was tagged as one; or EC2 named an image that it had made before, of
/// which nobody could tell what it is.
fn has_cause(plan: &SavedPlan, before: &JobPlan, after: &JobPlan) -> bool {
    let of_images = before.kind() == Some(Kind::Image);
    let copied = before.actions.iter().any(|a| matches!(a, Action::Copy(_)));
    let tags = after.actions.iter().all(|a| a.stage() == Stage::Tags);
    before.outcome == Outcome::Failed || of_images && (plan.summary.tag_copy > 0 || copied && tags)
}

fn plan(history: &mut History, jobs: &[SyncJob]) -> Option<SavedPlan> {
    plan_quietly(history, jobs).filter(|_| history.recorded.ledger().breaches().is_empty())
}

fn plan_quietly(history: &mut History, jobs: &[SyncJob]) -> Option<SavedPlan> {
    history.plan(jobs, FaultPlan::default(), "the end".to_owned())
}

/// What is not as the job asks for it.
fn wrong_at_the_end(world: &World, job: &SyncJob) -> Option<String> {
    let account = rules::account_of(job);
    let route = Route {
        account: &account,
        from: &job.source_region,
        to: &job.destination_region,
    };
    match ami_options(job) {
        None => {
            let database = job.rules.parent()?.as_str();
            wrong_snapshots(world, route, database, rules::retained(job))
        }
        Some(ami) => {
            let source = check_plan::chosen(job, ami, world)?;
            let named = rules::named_copy(world, route, source.id.as_str());
            let copies = rules::own_images(world, route)
                .filter(|i| rules::is_image_copy(i, route.from, source.id.as_str(), named.as_ref()))
                .filter(|i| ["available", "disabled"].contains(&i.state.as_str()));
            (copies.count() == 0).then(|| format!("{} has no copy", source.id))
        }
    }
}

fn wrong_snapshots(
    world: &World,
    route: Route<'_>,
    database: &str,
    retain: usize,
) -> Option<String> {
    let newest = rules::newest_automated(world, route, database)?;
    let taken = newest.data_time.map_or(0, rules::seconds);
    let id = newest.id.as_str();
    let available =
        |c: &&aws_xregion_sync::provider::sandbox::WorldArtifact| c.state.as_str() == "available";
    let copies: Vec<_> = rules::manual(world, route, database).collect();
    if !copies
        .iter()
        .copied()
        .filter(available)
        .any(|c| rules::serves(c, route.from, id, taken))
    {
        return Some(format!("{id} has no usable copy"));
    }
    let left = rules::outlived(world, route, database, retain, newest, false);
    if !left.is_empty() {
        return Some(format!("{left:?} are left beyond the {retain} to retain"));
    }
    None
}
