//! Why a file cannot be used as a plan, or as results.

use thiserror::Error;

use super::format_version::FORMAT_VERSION;
use crate::model::ids::JobName;

/// Why a file cannot be used, or a document not be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanFileError {
    /// It is not JSON, or it ends too early.
    #[error("it is not valid JSON: {0}")]
    NotJson(String),
    /// It is JSON, but not a plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(String),
    /// It is JSON, but not results.
    #[error("it is not a results file: {0}")]
    NotResults(String),
    /// A plan of an older format.
    #[error("it was made by an older version of xrs: plan again")]
    OlderPlan,
    /// Results of an older format.
    #[error("it was made by an older version of xrs")]
    OlderResults,
    /// It has a format that this version of xrs does not read.
    #[error("its format version is {found}; this xrs reads {FORMAT_VERSION}")]
    Version {
        /// The version in the file.
        found: String,
    },
    /// It was changed after it was made.
    #[error(
        "its digest is {stated}, but its content has {actual}: it was changed after it was made"
    )]
    Digest {
        /// The digest in the file.
        stated: String,
        /// The digest of its content.
        actual: String,
    },
    /// It breaks a rule that holds for every plan.
    #[error("it is not a plan that xrs would make: {job}: {what}")]
    Invalid {
        /// The job.
        job: JobName,
        /// What does not hold.
        what: String,
    },
    /// Its summary does not match its jobs.
    #[error("its summary does not match its jobs: {stated}, but the jobs give {actual}")]
    Summary {
        /// The summary in the file.
        stated: String,
        /// The summary of its jobs.
        actual: String,
    },
    /// A document could not be turned into JSON.
    #[error("it could not be written as JSON: {0}")]
    NotWritable(String),
}

impl PlanFileError {
    /// Returns the way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotJson(_) | Self::NotAPlan(_) => "plans are written by `xrs plan --out FILE`",
            Self::NotResults(_) | Self::OlderResults => {
                "results are written by `xrs apply PLAN --results FILE`"
            }
            Self::Version { .. } => {
                "plan again with this version of xrs, or use the version that made the file"
            }
            Self::OlderPlan | Self::Digest { .. } | Self::Invalid { .. } | Self::Summary { .. } => {
                "plan again with `xrs plan --out FILE`"
            }
            Self::NotWritable(_) => "this is a bug in xrs; please report it",
        }
    }
}
