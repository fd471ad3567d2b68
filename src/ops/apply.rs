//! Applying.

use std::sync::atomic::AtomicBool;

use super::approval::{Approved, approve};
use super::config_file::ConfigFile;
use super::operation_error::Error;
use super::operation_options::Options;
use super::plan::plan_with_inventory;
use crate::executor::{self, OnEvent};
use crate::model::plan::SavedPlan;
use crate::model::result::SyncResult;
use crate::provider::Provider;

/// Applies a plan and nothing else, and returns one result for each job, in its order. Credentials come from `config` for the jobs
/// that were planned with credentials from a config.
///
/// # Errors
///
/// If the whole plan is refused: then nothing was written.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    config: Option<&ConfigFile>,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    let approved = approve(provider, plan, None, config, options).await?;
    let stop = AtomicBool::new(false);
    Ok(carry_out(provider, approved, options, &stop, &|_| {}).await)
}

/// Carries out a plan that was approved, and reports what happens meanwhile. Once `stop` is set, no action is started any more.
pub async fn carry_out(
    provider: &dyn Provider,
    approved: Approved,
    options: &Options,
    stop: &AtomicBool,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let Approved {
        plan,
        callers,
        observed,
    } = approved;
    let options = executor::Options {
        parallelism: options.parallelism,
        wait: options.wait,
        stop,
    };
    executor::apply(provider, &plan, &callers, observed, options, on_event).await
}

/// Plans the jobs of a config and applies that plan, as the gem's `run` did.
///
/// # Errors
///
/// As [`plan`](super::plan) and [`apply`].
pub async fn run(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    let (plan, observed) = plan_with_inventory(config, provider, options).await?;
    let approved = approve(provider, &plan, Some(observed), Some(config), options).await?;
    let stop = AtomicBool::new(false);
    Ok(carry_out(provider, approved, options, &stop, &|_| {}).await)
}
