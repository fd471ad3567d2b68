//! How a plan is applied, and what is reported while it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::SignedDuration;

use crate::model::action::Action;
use crate::model::client_config::ClientConfig;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::model::result::{ActionResult, SyncResult};

/// How a plan is applied.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many actions are performed at the same time.
    pub parallelism: usize,
    /// Whether to wait until copies are available.
    pub wait: Wait,
    /// Once set, no further action is started; those that are running finish, and the others are reported as skipped.
    pub stop: &'a AtomicBool,
}

/// Whether an apply waits until the copies that AWS has accepted are available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Does not wait.
    #[default]
    No,
    /// Waits for at most this long. AWS continues to copy afterwards.
    UpTo(SignedDuration),
    /// Waits until every copy is available or has failed.
    ToTheEnd,
}

/// What happens while a plan is applied.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An action is sent to AWS.
    ActionStarted {
        /// The job.
        job: &'a JobName,
        /// The action.
        action: &'a Action,
    },
    /// The result of an action is final.
    ActionFinished {
        /// The job.
        job: &'a JobName,
        /// What became of the action.
        result: &'a ActionResult,
    },
    /// AWS's limit of concurrent copies has been reached; the copy starts when others have finished.
    CopyDeferred {
        /// The job.
        job: &'a JobName,
        /// The copy.
        action: &'a Action,
    },
    /// A copy that a job waits for was observed to have changed.
    CopyProgress {
        /// The job.
        job: &'a JobName,
        /// The copy.
        copy: &'a str,
        /// Its state, in AWS's words.
        state: &'a str,
        /// Its percentage of completion, if AWS states it.
        percent: Option<u8>,
    },
    /// The result of a job is final.
    JobFinished(&'a SyncResult),
}

/// Receives the events of an apply.
pub type OnEvent<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// The credentials of each job, or why there are none.
pub type Callers = BTreeMap<JobName, Result<Arc<ClientConfig>, Problem>>;
