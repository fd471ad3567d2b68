//! The library's operations. Each is a short path through the other modules.

mod approval;
mod config_file;
mod error;
mod init;
mod policy;
mod sandbox;
mod saved;
mod schema;
mod status;

use std::sync::atomic::AtomicBool;

use jiff::SignedDuration;

use crate::executor;
use crate::model::id::JobName;
use crate::model::inventory::Inventory;
use crate::model::job::{ConfiguredJob, SyncJob};
use crate::model::plan::{JobPlan, Outcome, Plan, SavedPlan};
use crate::model::result::SyncResult;
use crate::observe::{Look, observe};
use crate::planfile::{self, Header};
use crate::planner;
use crate::provider::{Logged, Provider};

pub use crate::config::Config;
pub use crate::executor::{Event, Wait};
pub use approval::{Approved, approve, refuse_other_provider};
pub use config_file::{ConfigFile, changed_config, config_for};
pub use error::{ConfigProblems, Error, Refused};
pub use init::init;
pub use policy::{MOST_POLICY_CHARACTERS, Stage, WrittenPolicy, policy};
pub use sandbox::{MOST_SANDBOX_BYTES, OpenSandbox, open_sandbox};
pub use saved::{ResultsFile, Saved, open_saved, read_plan, save_plan};
pub use schema::{Document, schema};
pub use status::status;

/// Jobs that are looked at or written for side by side, if nobody says otherwise: as many as RDS lets copies be in flight
/// into one region. A call takes AWS some tenths of a second, so this stays below the request rates it allows an account.
pub const DEFAULT_PARALLELISM: usize = 20;

/// What an operation is asked to do. Each takes from it what concerns it.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many jobs are looked at, or written for, side by side.
    pub parallelism: usize,
    /// The jobs to plan, or to look at; empty means all.
    pub jobs: Vec<JobName>,
    /// The digest that the plan to apply must have.
    pub expect_digest: Option<String>,
    /// How old the plan to apply may be, or the newest usable copy of a job.
    pub max_age: Option<SignedDuration>,
    /// How many deletions the plan to apply may hold.
    pub max_deletes: Option<usize>,
    /// Whether to stay until copies are available.
    pub wait: Wait,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallelism: DEFAULT_PARALLELISM,
            jobs: Vec::new(),
            expect_digest: None,
            max_age: None,
            max_deletes: None,
            wait: Wait::No,
        }
    }
}

/// Checks a config without a network, and gives what is in it, broken jobs among it.
///
/// # Errors
///
/// If it is no config at all, or has no job of one of these names.
pub fn validate(config: &ConfigFile, names: &[JobName]) -> Result<Config, Error> {
    let read = config.read()?;
    config_file::check_names(&read.jobs, names)?;
    Ok(read)
}

/// Plans the jobs of a config. Nothing is written to AWS; a job that cannot be planned is in the plan with its errors.
///
/// # Errors
///
/// If the config is no config at all, or has no job of a name that was asked for.
pub async fn plan(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<SavedPlan, Error> {
    Ok(plan_with_inventory(config, provider, options).await?.0)
}

/// As [`plan`], with what the plan rests on: to apply it there and then, nothing of that need be looked at again.
///
/// # Errors
///
/// As [`plan`].
pub async fn plan_with_inventory(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<(SavedPlan, Inventory), Error> {
    let (configured, selection) =
        config_file::select(validate(config, &options.jobs)?.jobs, &options.jobs);
    let sound: Vec<SyncJob> = configured.iter().filter_map(sound).cloned().collect();
    let looks: Vec<Look> = sound.iter().map(Look::of_job).collect();
    tracing::info!(jobs = looks.len(), "looking");
    let inventory = observe(&Logged(provider), &looks, options.parallelism).await;
    let mut planned = planner::plan(&sound, &inventory).into_iter();
    // In the order of the config, with the broken ones in their places.
    let jobs: Vec<JobPlan> = configured
        .iter()
        .filter_map(|entry| match entry {
            ConfiguredJob::Sound(_) => planned.next(),
            ConfiguredJob::Broken { name, problems } => Some(planner::broken(name, problems)),
        })
        .collect();
    let plan = Plan {
        provider: inventory.provider,
        selection,
        jobs,
    };
    let header = Header {
        created_at: inventory.observed_at,
        config: config.reference(),
    };
    Ok((planfile::seal(plan, header), inventory))
}

fn sound(job: &ConfiguredJob) -> Option<&SyncJob> {
    match job {
        ConfiguredJob::Sound(job) => Some(job),
        ConfiguredJob::Broken { .. } => None,
    }
}

/// Applies a plan and nothing else; one result per job, in its order. `config` is where credentials are taken
/// from, for the jobs that were planned with some of the config ([`config_for`] finds it).
///
/// # Errors
///
/// If the plan is refused whole: then nothing was written.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    config: Option<&ConfigFile>,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    approve_and_carry_out(provider, plan, None, config, options).await
}

async fn approve_and_carry_out(
    provider: &dyn Provider,
    plan: &SavedPlan,
    seen: Option<Inventory>,
    config: Option<&ConfigFile>,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    let approved = approve(provider, plan, seen, config, options).await?;
    let stop = AtomicBool::new(false);
    Ok(carry_out(provider, approved, options, &stop, &|_| {}).await)
}

/// Carries out a plan that was found fit for it, and tells what happens as it happens. Once `stop` is set, nothing
/// new is begun.
pub async fn carry_out(
    provider: &dyn Provider,
    approved: Approved,
    options: &Options,
    stop: &AtomicBool,
    on_event: &(dyn Fn(Event<'_>) + Sync),
) -> Vec<SyncResult> {
    let Approved {
        plan,
        callers,
        seen,
    } = approved;
    let options = executor::Options {
        parallelism: options.parallelism,
        wait: options.wait,
        stop,
    };
    executor::apply(&Logged(provider), &plan, &callers, seen, options, on_event).await
}

/// Plans the jobs of a config and applies that plan: the older tool's `run`.
///
/// # Errors
///
/// As [`plan`] and [`apply`].
pub async fn run(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Vec<SyncResult>, Error> {
    let (plan, seen) = plan_with_inventory(config, provider, options).await?;
    approve_and_carry_out(provider, &plan, Some(seen), Some(config), options).await
}

/// Tells for each job of a config whether a copy is due ([`SyncResult::sync_required`]), and does nothing about it.
/// A job of which that cannot be told has failed.
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
    Ok(plan.jobs.into_iter().map(unapplied).collect())
}

/// What can be said of a job before anything is applied.
fn unapplied(job: JobPlan) -> SyncResult {
    SyncResult {
        completed: job.outcome != Outcome::Failed,
        sync_required: job.has_a_copy_to_make(),
        name: job.name,
        created_resource: None,
        deleted_resources: Vec::new(),
        actions: Vec::new(),
        warnings: job.warnings,
        errors: job.errors,
    }
}
