//! Checking a config without network access.

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::Error;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::model::report::ReportedJob;
use crate::sync_types::{ConfiguredJob, SyncJob};

/// What there is to say about a config.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The jobs, in the order of the config.
    pub jobs: Vec<ReportedJob>,
    /// The problems of these jobs, in the order of the config; empty if all are valid.
    pub errors: Vec<Problem>,
    /// What is likely to be a mistake, each with its place.
    pub warnings: Vec<Problem>,
    /// What has no effect, each with its place.
    pub notes: Vec<Problem>,
    /// The invalid jobs that were not asked for.
    pub other_invalid_jobs: Vec<JobName>,
}

/// Checks the jobs of these names in a config; all jobs without any names.
///
/// # Errors
///
/// If the config is not valid as a whole, or has no job of one of these names.
pub fn validate(config: &ConfigFile, names: &[JobName]) -> Result<Validated, Error> {
    let selected = SelectedJobs::of(config, names)?;
    Ok(Validated {
        jobs: selected.config.jobs.iter().map(reported).collect(),
        errors: selected.config.problems(),
        warnings: selected.config.warnings,
        notes: selected.config.notes,
        other_invalid_jobs: selected.other_invalid_jobs,
    })
}

fn reported(job: &ConfiguredJob) -> ReportedJob {
    let valid = job.valid();
    let (source, destination) = valid.map(SyncJob::ends).unzip();
    ReportedJob {
        name: job.name().clone(),
        valid: valid.is_some(),
        sync_type: valid.map(SyncJob::sync_type),
        source,
        destination,
    }
}
