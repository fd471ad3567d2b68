//! Planning.

use std::collections::HashSet;

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::Error;
use super::operation_options::Options;
use crate::model::ids::JobName;
use crate::model::inventory::Inventory;
use crate::model::plan::{JobPlan, Plan, SavedPlan};
use crate::model::result::SyncResult;
use crate::observe::{Request, observe};
use crate::planfile;
use crate::planner;
use crate::provider::Provider;

/// Plans the jobs of a config. Nothing is written to AWS; a job that can't be planned is in the plan with its errors.
///
/// # Errors
///
/// If the config is not valid as a whole, or has no job of a name that was asked for.
pub async fn plan(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<SavedPlan, Error> {
    Ok(plan_with_inventory(config, provider, options).await?.0)
}

/// Plans as [`plan`] does, and returns also what was observed: an apply right after it need not observe it again.
///
/// # Errors
///
/// As [`plan`].
pub async fn plan_with_inventory(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<(SavedPlan, Inventory), Error> {
    let selected = SelectedJobs::of(config, &options.jobs)?;
    let requests: Vec<Request> = selected.observed.iter().map(Request::of_job).collect();
    tracing::info!(jobs = requests.len(), "observing");
    let inventory = observe(provider, &requests, options.parallelism).await;
    let planned: HashSet<&JobName> = selected.valid.iter().map(|job| &job.name).collect();
    let is_planned = |name: &JobName| planned.contains(name);
    let planned = planner::plan_some(&selected.observed, is_planned, &inventory);
    let plan = Plan {
        provider: inventory.provider,
        jobs: selected.in_order(planned, planner::invalid),
        selection: selected.names,
    };
    let plan = planfile::seal(plan, inventory.observed_at, config.reference());
    let plan = plan.map_err(Error::Other)?;
    Ok((plan, inventory))
}

/// Returns for each job of a config whether a copy is due ([`SyncResult::sync_required`]), and does nothing about it. A job that
/// can't be planned has failed.
///
/// # Errors
///
/// As [`plan`].
pub async fn sync_required(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    let plan = plan(config, provider, options).await?;
    let not_applied = |job: JobPlan| SyncResult {
        completed: job.errors.is_empty(),
        sync_required: job.has_copy(),
        name: job.name,
        created_resource: None,
        deleted_resources: Vec::new(),
        actions: Vec::new(),
        warnings: job.warnings,
        errors: job.errors,
    };
    Ok(plan.jobs.into_iter().map(not_applied).collect())
}
