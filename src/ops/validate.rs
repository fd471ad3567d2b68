//! Checking a config without network access.

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::Error;
use crate::model::ids::JobName;
use crate::model::plan::End;
use crate::model::problem::Problem;
use crate::model::report::ReportedJob;

/// What there is to say about a config.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The jobs, in the order of the config.
    pub jobs: Vec<ReportedJob>,
    /// The problems of these jobs, in the order of the config; empty if all are valid.
    pub errors: Vec<Problem>,
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
    let valid = selected.valid.iter().map(|job| ReportedJob {
        name: job.name.clone(),
        valid: true,
        sync_type: Some(job.sync_type()),
        source: Some(End {
            region: job.source_region.clone(),
        }),
        destination: Some(End {
            region: job.destination_region.clone(),
        }),
    });
    let invalid = |name: &JobName, _: &[Problem]| ReportedJob {
        name: name.clone(),
        valid: false,
        sync_type: None,
        source: None,
        destination: None,
    };
    Ok(Validated {
        jobs: selected.in_order(valid.collect(), invalid),
        errors: selected.config.problems(),
        notes: selected.config.notes,
        other_invalid_jobs: selected.other_invalid_jobs,
    })
}
