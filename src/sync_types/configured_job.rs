//! A `sync_*` entry of the config: a job, or what is wrong with it.

use super::rules::SyncJob;
use crate::model::ids::JobName;
use crate::model::problem::Problem;

/// A `sync_*` entry of the config.
#[derive(Clone, Debug)]
pub enum ConfiguredJob {
    /// A job that can be planned.
    Valid(SyncJob),
    /// An entry with problems: it becomes a failed result, and the other jobs run.
    Invalid {
        /// Its key in the config.
        name: JobName,
        /// What is wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfiguredJob {
    /// Returns the entry's key in the config.
    pub fn name(&self) -> &JobName {
        match self {
            Self::Valid(job) => &job.name,
            Self::Invalid { name, .. } => name,
        }
    }

    /// Returns the job, if it can be planned.
    pub fn valid(&self) -> Option<&SyncJob> {
        match self {
            Self::Valid(job) => Some(job),
            Self::Invalid { .. } => None,
        }
    }

    /// Returns what is wrong with it; nothing if it can be planned.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Valid(_) => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}
