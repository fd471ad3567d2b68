//! What an operation is asked to do.

use jiff::SignedDuration;

use crate::executor::Wait;
use crate::model::ids::JobName;

/// How many calls are made side by side by default: as many as the copies that RDS makes into one region at a time. A call
/// takes some tenths of a second, so this stays below the request rates that AWS allows an account.
pub const DEFAULT_PARALLELISM: usize = 20;

/// What an operation is asked to do. Each uses what concerns it.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many calls are made side by side.
    pub parallelism: usize,
    /// The jobs to plan or to observe; empty means all.
    pub jobs: Vec<JobName>,
    /// The digest that the plan to apply must have.
    pub expect_digest: Option<String>,
    /// How old the plan to apply may be, or the newest usable copy of a job.
    pub max_age: Option<SignedDuration>,
    /// How many deletions the plan to apply may have.
    pub max_deletes: Option<usize>,
    /// Whether to wait until copies are available.
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
