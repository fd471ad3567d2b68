//! What the destinations hold.

use super::config_file::{self, ConfigFile};
use super::error::Error;
use super::{Options, sound, validate};
use crate::model::job::{ConfiguredJob, SyncJob};
use crate::model::status::{FORMAT_VERSION, JobStatus, Status, Summary};
use crate::observe::{Look, observe_destinations};
use crate::provider::{Logged, Provider};
use crate::status;

/// Looks at the jobs of a config and tells what their destinations hold, also while a source region does not answer.
/// Nothing is written to AWS.
///
/// # Errors
///
/// If the config is no config at all, or has no job of a name that was asked for.
pub async fn status(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Status, Error> {
    let (configured, selection) =
        config_file::select(validate(config, &options.jobs)?.jobs, &options.jobs);
    let jobs: Vec<SyncJob> = configured.iter().filter_map(sound).cloned().collect();
    let looks: Vec<Look> = jobs.iter().map(Look::of_job).collect();
    tracing::info!(jobs = looks.len(), "looking");
    let provider = Logged(provider);
    let seen = observe_destinations(&provider, &looks, options.parallelism).await;
    let mut told = status::status(&jobs, &seen, options.max_age).into_iter();
    // In the order of the config, with the broken ones in their places.
    let jobs: Vec<JobStatus> = configured
        .iter()
        .filter_map(|entry| match entry {
            ConfiguredJob::Sound(_) => told.next(),
            ConfiguredJob::Broken { name, problems } => Some(status::broken(name, problems)),
        })
        .collect();
    Ok(Status {
        format_version: FORMAT_VERSION.to_owned(),
        xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
        observed_at: seen.inventory.observed_at,
        provider: seen.inventory.provider,
        selection,
        config: config.reference(),
        max_age_seconds: options.max_age.map(|age| age.as_secs()),
        summary: Summary::of(&jobs),
        jobs,
    })
}
