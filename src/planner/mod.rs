//! Decides what to do about each job, given what was observed. This module is synchronous and pure: the same jobs and observations
//! give the same plan, in whatever order AWS lists things.
//!
//! The steps are the same for every type of job: source, synced?, copy, tags, retention, invariants.

mod actions;
mod case;
mod copy_decision;
mod copy_names;
mod copy_tags;
mod duplicates;
mod guards;
mod needed;
mod quota;
mod retention;
mod warnings;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::{Source, is_in_account};
use crate::model::ids::{AccountId, JobName};
use crate::model::invariants::broken;
use crate::model::inventory::{CallerIdentity, Inventory, Observation};
use crate::model::plan::{
    ClientConfigRef, CredentialsFrom, JobPlan, Observed, ObservedArtifact, Outcome,
};
use crate::model::problem::Problem;
use crate::model::reason::JobReason;
use crate::sync_types::SyncJob;
use case::Case;
use duplicates::Claims;
use needed::Needed;

/// What the planning of every job shares.
#[derive(Clone, Copy)]
struct PlanContext<'a> {
    /// The beginning of the day of the inventory (UTC).
    day: Timestamp,
    /// What the jobs need of the copies that may be deleted.
    needed: &'a Needed<'a>,
}

/// Plans every job, in the order given. The plan of a job that can't be planned says why, and does not affect the others.
pub fn plan(jobs: &[SyncJob], inventory: &Inventory) -> Vec<JobPlan> {
    plan_some(jobs, |_| true, inventory)
}

/// Plans some of the jobs. The others count only in that the copies that they need stay, and that no planned job takes over the
/// copies of one above it.
pub fn plan_some(
    jobs: &[SyncJob],
    is_planned: impl Fn(&JobName) -> bool,
    inventory: &Inventory,
) -> Vec<JobPlan> {
    let mut claims = Claims::default();
    let needed = Needed::of(jobs, inventory);
    let context = PlanContext {
        day: start_of_day(inventory.observed_at),
        needed: &needed,
    };
    let plans = jobs.iter().filter_map(|job| {
        let observation = inventory.jobs.get(&job.name);
        if is_planned(&job.name) {
            return Some(plan_job(job, context, observation, &mut claims));
        }
        let identity = observation?.identity.as_ref().ok()?;
        let account = &identity.account_id;
        if let Some(parent) = job.rules.parent() {
            claims.parent(account, job, parent);
        }
        claims.identifier(account, job);
        None
    });
    let mut plans: Vec<JobPlan> = plans.collect();
    let with_errors = plans.iter().filter(|plan| !plan.errors.is_empty());
    let with_errors: BTreeSet<JobName> = with_errors.map(|plan| plan.name.clone()).collect();
    for plan in &mut plans {
        let first = plan.synced_by.as_ref();
        if let Some(first) = first.filter(|first| with_errors.contains(*first)).cloned() {
            let problem = FailReason::FirstFailed { first }.problem(&plan.name);
            *plan = failed(plan.clone(), problem);
        }
    }
    plans
}

/// Returns the plan of a config entry that is not valid: failed, with the config's problems.
pub fn invalid(name: &JobName, problems: &[Problem]) -> JobPlan {
    JobPlan {
        outcome: Outcome::Failed,
        reason: JobReason::InvalidConfig.to_string(),
        errors: problems.to_vec(),
        ..unplanned(name)
    }
}

/// Returns the plan of a job about which nothing is known yet.
fn unplanned(name: &JobName) -> JobPlan {
    JobPlan {
        name: name.clone(),
        sync_type: None,
        source: None,
        destination: None,
        account_id: None,
        client_config: None,
        outcome: Outcome::UpToDate,
        reason: String::new(),
        synced_by: None,
        observed: None,
        actions: Vec::new(),
        kept: Vec::new(),
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

/// Returns the beginning of a day (UTC).
fn start_of_day(time: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400;
    let seconds = time.as_second().div_euclid(DAY) * DAY;
    Timestamp::from_second(seconds).unwrap_or(time)
}

fn plan_job<'a>(
    job: &'a SyncJob,
    context: PlanContext<'a>,
    observation: Option<&'a Observation>,
    claims: &mut Claims<'a>,
) -> JobPlan {
    let identity = observation.and_then(|observation| observation.identity.as_ref().ok());
    let (source, destination) = Some(job.ends()).unzip();
    let mut plan = JobPlan {
        sync_type: Some(job.sync_type()),
        source,
        destination,
        account_id: identity.map(|identity| identity.account_id.clone()),
        client_config: Some(client_config(job, identity)),
        ..unplanned(&job.name)
    };
    match decide(&mut plan, job, context, observation, claims) {
        Ok(()) => checked(plan),
        Err(problem) => failed(plan, problem),
    }
}

fn client_config(job: &SyncJob, identity: Option<&CallerIdentity>) -> ClientConfigRef {
    let from = if job.client_config.is_default_chain() {
        CredentialsFrom::DefaultChain
    } else {
        CredentialsFrom::Config
    };
    ClientConfigRef {
        from,
        fingerprint: job.client_config.fingerprint(),
        endpoint_url: identity.and_then(|identity| identity.endpoint_url.clone()),
    }
}

/// Returns the plan unchanged, or as failed if it breaks an invariant: that is a bug in the planner, and must do no harm.
fn checked(plan: JobPlan) -> JobPlan {
    let Some(what) = broken(&plan) else {
        return plan;
    };
    let problem = FailReason::BrokenInvariant(what).problem(&plan.name);
    failed(plan, problem)
}

fn failed(plan: JobPlan, problem: Problem) -> JobPlan {
    JobPlan {
        outcome: Outcome::Failed,
        reason: problem.message.clone(),
        actions: Vec::new(),
        kept: Vec::new(),
        errors: vec![problem],
        ..plan
    }
}

/// Fills in the decision about a job. Fails if the job can't be planned.
fn decide<'a>(
    plan: &mut JobPlan,
    job: &'a SyncJob,
    context: PlanContext<'a>,
    observation: Option<&'a Observation>,
    claims: &mut Claims<'a>,
) -> Result<(), Problem> {
    let fail = |reason: FailReason| reason.problem(&job.name);
    let observation = observation.ok_or_else(|| job.not_observed())?;
    let account = job.account(observation, &mut plan.warnings)?;
    // Claimed before anything that may fail: even a job that fails claims its database or identifier.
    claim_parent(job, account, claims).map_err(fail)?;
    claim_identifier(job, account, claims).map_err(fail)?;
    let sources = observation.sources.as_deref();
    let sources = sources.map_err(|error| job.not_read("sources", error))?;
    let found = observation.copies.as_deref();
    let found = found.map_err(|error| job.not_read("copies", error))?;
    let artifact = job
        .rules
        .choose_source(job, sources, &mut plan.warnings)
        .map_err(|reason| fail(job.rules.explained(reason, observation)))?;
    let case = case(job, account, artifact, context, observation, sources, found).map_err(fail)?;
    plan.observed = Some(observed(&case));
    warnings::about_copies(&case, &mut plan.warnings);
    copy_decision::decide(&case, claims, plan).map_err(fail)?;
    if !plan.actions.is_empty() {
        plan.outcome = Outcome::Changes;
    }
    Ok(())
}

fn claim_parent<'a>(
    job: &'a SyncJob,
    account: &AccountId,
    claims: &mut Claims<'a>,
) -> Result<(), FailReason> {
    let Some(parent) = job.rules.parent() else {
        return Ok(());
    };
    match claims.parent(account, job, parent) {
        None => Ok(()),
        Some(first) => Err(FailReason::SameParent {
            first: first.name.clone(),
            parent: parent.clone(),
            account: account.clone(),
            destination: job.destination_region.clone(),
        }),
    }
}

fn claim_identifier<'a>(
    job: &'a SyncJob,
    account: &AccountId,
    claims: &mut Claims<'a>,
) -> Result<(), FailReason> {
    match claims.identifier(account, job) {
        None => Ok(()),
        Some(first) => Err(FailReason::SameIdentifier {
            first: first.name.clone(),
            identifier: job.rules.identifier().unwrap_or_default().to_owned(),
            account: account.clone(),
            destination: job.destination_region.clone(),
        }),
    }
}

fn case<'a>(
    job: &'a SyncJob,
    account: &'a AccountId,
    artifact: &'a Artifact,
    context: PlanContext<'a>,
    observation: &'a Observation,
    sources: &'a [Artifact],
    found: &'a [Artifact],
) -> Result<Case<'a>, FailReason> {
    let source = Source::new(artifact, &job.source_region).ok_or_else(|| FailReason::NoTime {
        kind: artifact.kind,
        source: artifact.id.clone(),
    })?;
    let source = source.with_copy_named_by(artifact, &job.destination_region);
    let own = found.iter().filter(|copy| is_in_account(copy, account));
    let mut found: Vec<&Artifact> = own.collect();
    found.sort_by_key(|copy| &copy.id);
    Ok(Case {
        job,
        account,
        artifact,
        needed: context.needed,
        day: context.day,
        observation,
        sources,
        copies: Case::copies_in(job, &source, &found),
        source,
        found,
    })
}

fn observed(case: &Case<'_>) -> Observed {
    let observed = |artifact: &Artifact, data_time| ObservedArtifact {
        id: artifact.id.clone(),
        data_time,
        state: artifact.state.clone(),
        size_gib: artifact.size_gib,
    };
    let newest = case.newest_copy();
    Observed {
        source: Some(observed(case.artifact, Some(case.source.data_time))),
        newest_copy: newest.map(|copy| observed(copy, case.time_of(copy))),
        sources: case.sources.len(),
        copies: case.copies.len(),
    }
}
