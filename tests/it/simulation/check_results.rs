//! Whether the results of an apply say what it has done.

use std::collections::BTreeSet;

use aws_xregion_sync::model::action::Action;
use aws_xregion_sync::model::ids::ArtifactId;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::plan::{JobPlan, SavedPlan};
use aws_xregion_sync::model::result::{ActionOutcome, ActionResult, SyncResult};
use aws_xregion_sync::provider::sandbox::World;

use super::ledger::Ledger;
use super::monitor::Monitor;
use super::rules::{self, Route};
use super::setup::SECRETS;

pub fn check(monitor: &Monitor<'_>, ledger: &mut Ledger, plan: &SavedPlan, results: &[SyncResult]) {
    // The texts of results; their other parts are words of our own.
    let mut texts = results.iter().flat_map(|result| {
        let problems = result.errors.iter().map(|error| &error.message);
        let details = result
            .actions
            .iter()
            .filter_map(|action| action.detail.as_ref());
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
        let said: Vec<&str> = result
            .actions
            .iter()
            .map(|action| action.id.as_str())
            .collect();
        let planned: Vec<&str> = job
            .actions
            .iter()
            .map(|action| action.id().as_str())
            .collect();
        if said != planned {
            ledger.breach(format!(
                "law 10: {} says {said:?} of {planned:?}",
                result.name
            ));
        }
        if result.failed() == result.errors.is_empty() {
            ledger.breach(format!(
                "{} has failed: {}, with {:?}",
                result.name,
                result.failed(),
                result.errors
            ));
        }
        for (said, action) in result.actions.iter().zip(&job.actions) {
            let ends_well = said.outcome.is_done() || matches!(action, Action::TagSource(_));
            if !ends_well && !result.failed() {
                ledger.breach(format!(
                    "{} is {:?}, and its job has not failed",
                    said.id, said.outcome
                ));
            }
            ledger.count(match said.outcome {
                ActionOutcome::Done => "an action is done",
                ActionOutcome::AlreadyDone => "an action is already done",
                ActionOutcome::Stale => "an action is stale",
                ActionOutcome::Deferred => "an action is deferred",
                ActionOutcome::Skipped => "an action is skipped",
                ActionOutcome::Failed => "an action fails",
            });
            deferral(ledger, said);
            if said.outcome.is_done() && !monitor.is_stale() {
                named_copy(monitor, ledger, job, action, said);
            }
            adoption(
                monitor,
                ledger,
                action,
                said.outcome,
                said.detail.as_deref(),
            );
        }
        effects(monitor, ledger, result);
    }
}

/// What is said to be the copy, made now or found, is one.
fn named_copy(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    plan: &JobPlan,
    action: &Action,
    said: &ActionResult,
) {
    let Some(id) = &said.resource else {
        return;
    };
    let job = monitor.setup.job(&plan.name);
    let account = rules::account_of(job);
    let route = Route {
        account: &account,
        from: &job.source_region,
        to: &job.destination_region,
    };
    let is_one = |world: &World| match action {
        Action::Copy(copy) if copy.kind == Kind::DbSnapshot => {
            let (source, taken) = (
                copy.source.id.as_str(),
                rules::seconds(copy.expects.data_time),
            );
            let parent = copy.source.parent.as_ref().expect("a snapshot");
            rules::manual(world, route, parent.as_str()).any(|c| {
                c.id == *id
                    && !rules::is_dead(&c.state)
                    && rules::is_copy(c, route.from, source, taken)
            })
        }
        Action::Copy(copy) => {
            let source = copy.source.id.as_str();
            let named = rules::named_copy(world, route, source);
            rules::own_images(world, route)
                .any(|i| i.id == *id && rules::is_image_copy(i, route.from, source, named.as_ref()))
        }
        _ => true,
    };
    if !ledger.since(0).iter().any(is_one) {
        ledger.breach(format!(
            "law 9: {} says that {id} is its copy, which it is not",
            said.id
        ));
    }
}

/// Too many copies in flight is another thing than too many snapshots stored.
fn deferral(ledger: &mut Ledger, said: &ActionResult) {
    let detail = said.detail.as_deref().unwrap_or_default();
    let in_flight =
        detail.contains("Cannot copy more than") || detail.contains("ResourceLimitExceeded");
    let is_tried = matches!(
        said.outcome,
        ActionOutcome::Deferred | ActionOutcome::Failed
    );
    if is_tried && in_flight != (said.outcome == ActionOutcome::Deferred) {
        ledger.breach(format!("{} is {:?} for {detail}", said.id, said.outcome));
    }
}

/// What AWS was heard to have done is reported as done, and nothing else is.
fn effects(monitor: &Monitor<'_>, ledger: &mut Ledger, result: &SyncResult) {
    let seen = monitor.log();
    let of_job = |(action, _): &&(String, String)| action.starts_with(&format!("{}/", result.name));
    let deleted: BTreeSet<&str> = seen
        .deleted
        .iter()
        .filter(of_job)
        .map(|(_, id)| id.as_str())
        .collect();
    let reported: BTreeSet<&str> = result
        .deleted_resources
        .iter()
        .map(ArtifactId::as_str)
        .collect();
    if !reported.is_subset(&deleted)
        || (monitor.faults.lose.is_none() && monitor.faults.losses == 0 && reported != deleted)
    {
        ledger.breach(format!(
            "law 10: {} has deleted {deleted:?}, and reports {reported:?}",
            result.name
        ));
    }
    let made: Vec<&str> = seen
        .made
        .iter()
        .filter(of_job)
        .map(|(_, id)| id.as_str())
        .collect();
    match &result.created_resource {
        // EC2 names an image again to whoever asks with the same token.
        Some(created)
            if !made.contains(&created.as_str()) && !created.as_str().starts_with("ami-") =>
        {
            ledger.breach(format!(
                "law 10: {} reports {created}, and has made {made:?}",
                result.name
            ));
        }
        None if !made.is_empty() && monitor.is_calm() => {
            ledger.breach(format!(
                "law 10: {} has made {made:?}, and reports none",
                result.name
            ));
        }
        _ => {}
    }
}

/// Law 9: a name that is taken by the very copy that is to be made is no failure.
fn adoption(
    monitor: &Monitor<'_>,
    ledger: &mut Ledger,
    action: &Action,
    outcome: ActionOutcome,
    detail: Option<&str>,
) {
    let Action::Copy(copy) = action else {
        return;
    };
    // Listings that lag are no excuse: they catch up while xrs reads.
    let mut faults = monitor.faults.clone();
    faults.stale = 0;
    let blurred = !faults.is_none();
    let collided = detail.is_some_and(|detail| detail.contains("DBSnapshotAlreadyExists"));
    if outcome != ActionOutcome::Failed || blurred || !collided {
        return;
    }
    let job = monitor
        .plan
        .and_then(|plan| plan.jobs.iter().find(|job| job.actions.contains(action)));
    let Some(job) = job.map(|job| monitor.setup.job(&job.name)) else {
        return;
    };
    let taken = rules::seconds(copy.expects.data_time);
    let id = copy.source.id.as_str();
    let Some(copy_id) = &copy.copy.id else {
        return;
    };
    let there = ledger.after().snapshot(&job.destination_region, copy_id);
    if there.is_some_and(|c| {
        !rules::is_dead(&c.state) && rules::is_copy(c, &job.source_region, id, taken)
    }) {
        ledger.breach(format!(
            "law 9: {} fails, for the copy is there: {detail:?}",
            action.id()
        ));
    }
}
