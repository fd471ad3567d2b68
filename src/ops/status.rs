//! What the destinations hold.

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::Error;
use super::operation_options::Options;
use crate::model::status::{FORMAT_VERSION, Status, Summary};
use crate::observe::{Request, observe_destinations};
use crate::provider::Provider;
use crate::status;

/// Returns what the destinations of a config's jobs hold, even while a source region does not answer. Nothing is written to AWS.
///
/// # Errors
///
/// If the config is not valid as a whole, or has no job of a name that was asked for.
pub async fn status(
    config: &ConfigFile,
    provider: &dyn Provider,
    options: &Options,
) -> Result<Status, Error> {
    let selected = SelectedJobs::of(config, &options.jobs)?;
    let requests: Vec<Request> = selected.valid.iter().map(Request::of_job).collect();
    tracing::info!(jobs = requests.len(), "observing");
    let observed = observe_destinations(provider, &requests, options.parallelism).await;
    let statuses = status::status(&selected.valid, &observed, options.max_age);
    let jobs = selected.in_order(statuses, status::invalid);
    Ok(Status {
        format_version: FORMAT_VERSION.to_owned(),
        xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
        observed_at: observed.inventory.observed_at,
        provider: observed.inventory.provider,
        selection: selected.names,
        config: config.reference(),
        max_age_seconds: options.max_age.map(|age| age.as_secs()),
        summary: Summary::of(&jobs),
        jobs,
    })
}
