//! Checks whether the results of an apply match what it has done.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::monitor::Monitor;
use super::rules::{self, Source};
use super::setup::SECRETS;
use crate::support::prelude::*;

pub fn check(monitor: &Monitor<'_>, ledger: &mut Ledger, plan: &SavedPlan, results: &[SyncResult]) {
    // The texts of results; their other parts are our own words.
    let mut texts = results.iter().flat_map(|result| {
        let problems = result.errors.iter().map(|error| &error.message);
        let details = result.actions.iter().filter_map(|a| a.detail.as_ref());
        problems.chain(details).chain(&result.warnings)
    });
    if texts.any(|text| SECRETS.iter().any(|secret| text.contains(secret))) {
        ledger.breach("law 8: a secret is in the results");
    }
    let names: Vec<&str> = results.iter().map(|result| result.name.as_str()).collect();
    let planned: Vec<&str> = plan.jobs.iter().map(|job| job.name.as_str()).collect();
    if names != planned {
        ledger.breach(format!(
            "law 10: results of {names:?} for a plan of {planned:?}"
        ));
        return;
    }
    for (result, job) in results.iter().zip(&plan.jobs) {
        check_job(monitor, ledger, job, result);
    }
}

fn check_job(monitor: &Monitor<'_>, ledger: &mut Ledger, plan: &JobPlan, result: &SyncResult) {
    let (name, errors) = (&result.name, &result.errors);
    let reported: Vec<&str> = result.actions.iter().map(|a| a.id.as_str()).collect();
    let planned: Vec<&str> = plan.actions.iter().map(|a| a.id().as_str()).collect();
    if reported != planned {
        ledger.breach(format!(
            "law 10: {name} reports {reported:?} of {planned:?}"
        ));
    }
    if result.failed() == errors.is_empty() {
        let failed = result.failed();
        ledger.breach(format!("{name} has failed: {failed}, with {errors:?}"));
    }
    let job = monitor.setup.job(&plan.name);
    for (reported, action) in result.actions.iter().zip(&plan.actions) {
        let (id, outcome) = (&reported.id, reported.outcome);
        let ends_well = outcome.is_done() || matches!(action, Action::TagSource(_));
        if !ends_well && !result.failed() {
            ledger.breach(format!("{id} is {outcome:?}, and its job has not failed"));
        }
        ledger.count(match outcome {
            ActionOutcome::Done => "an action is done",
            ActionOutcome::AlreadyDone => "an action is already done",
            ActionOutcome::Stale => "an action is stale",
            ActionOutcome::Deferred => "an action is deferred",
            ActionOutcome::Skipped => "an action is skipped",
            ActionOutcome::Failed => "an action fails",
        });
        deferral(ledger, reported);
        if outcome.is_done() && !monitor.is_stale() {
            named_copy(ledger, job, action, reported);
        }
        adoption(monitor, ledger, job, action, reported);
    }
    effects(monitor, ledger, result);
}

/// Checks that what is reported as the copy, made now or found, is indeed one.
fn named_copy(ledger: &mut Ledger, job: &SyncJob, action: &Action, reported: &ActionResult) {
    let (Some(id), Action::Copy(copy)) = (&reported.resource, action) else {
        return;
    };
    let source = Source::planned(copy);
    let is_one = |world: &World| match copy.kind {
        Kind::DbSnapshot | Kind::DbClusterSnapshot => rules::manual(world, job)
            .any(|c| c.id == *id && !rules::is_dead(&c.state) && rules::is_copy(c, job, source)),
        Kind::Image => rules::image_copies(world, world, job, source.id).any(|i| i.id == *id),
    };
    if !ledger.since(0).iter().any(is_one) {
        let action = &reported.id;
        ledger.breach(format!(
            "law 9: {action} reports {id} as its copy, which it is not"
        ));
    }
}

/// Checks that too many copies in progress defer an action, and that too many stored snapshots do not.
fn deferral(ledger: &mut Ledger, reported: &ActionResult) {
    let detail = reported.detail.as_deref().unwrap_or_default();
    let is_limit =
        detail.contains("Cannot copy more than") || detail.contains("ResourceLimitExceeded");
    let (id, outcome) = (&reported.id, reported.outcome);
    let is_tried = matches!(outcome, ActionOutcome::Deferred | ActionOutcome::Failed);
    if is_tried && is_limit != (outcome == ActionOutcome::Deferred) {
        ledger.breach(format!("{id} is {outcome:?}: {detail}"));
    }
}

/// Checks that everything that AWS confirmed, and nothing else, is reported as done.
fn effects(monitor: &Monitor<'_>, ledger: &mut Ledger, result: &SyncResult) {
    let (log, name) = (monitor.log(), &result.name);
    let of_job = |(action, _): &&(String, String)| action.starts_with(&format!("{name}/"));
    let deleted = log.deleted.iter().filter(of_job);
    let deleted: BTreeSet<&str> = deleted.map(|(_, id)| id.as_str()).collect();
    let reported = result.deleted_resources.iter().map(ArtifactId::as_str);
    let reported: BTreeSet<&str> = reported.collect();
    let is_heard = monitor.faults.lose.is_none() && monitor.faults.losses == 0;
    if !reported.is_subset(&deleted) || is_heard && reported != deleted {
        let what = format!("{name} has deleted {deleted:?}, and reports {reported:?}");
        ledger.breach(format!("law 10: {what}"));
    }
    let made = log.made.iter().filter(of_job);
    let made: Vec<&str> = made.map(|(_, id)| id.as_str()).collect();
    let reported = result.created_resource.as_ref().map(ArtifactId::as_str);
    let is_wrong = match reported {
        // EC2 answers the same token with the same image.
        Some(id) => !made.contains(&id) && !id.starts_with("ami-"),
        None => !made.is_empty() && monitor.is_calm(),
    };
    if is_wrong {
        let what = format!("{name} reports {reported:?}, and has made {made:?}");
        ledger.breach(format!("law 10: {what}"));
    }
}

/// Checks law 9: it is not a failure if the name is taken by the very copy to be made.
fn adoption(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    job: &SyncJob,
    action: &Action,
    reported: &ActionResult,
) {
    let Action::Copy(copy) = action else {
        return;
    };
    // Lagging listings are no excuse: they catch up while xrs reads.
    let mut faults = monitor.faults.clone();
    faults.stale = 0;
    let detail = reported.detail.as_deref().unwrap_or_default();
    let is_taken = detail.contains("SnapshotAlreadyExists");
    let Some(id) = copy.copy.id.as_ref().filter(|_| is_taken) else {
        return;
    };
    if reported.outcome != ActionOutcome::Failed || !faults.is_none() {
        return;
    }
    let there = rules::snapshot(ledger.after(), job, &job.destination_region, id);
    if there
        .is_some_and(|c| !rules::is_dead(&c.state) && rules::is_copy(c, job, Source::planned(copy)))
    {
        let action = action.id();
        ledger.breach(format!(
            "law 9: {action} fails although the copy is there: {detail}"
        ));
    }
}
