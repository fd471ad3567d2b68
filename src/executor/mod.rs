//! Carries out a plan and nothing else: checks that what an action expects still holds, then does what is written.
//!
//! Three waves over all jobs: copies, then tags, then deletions. What a job does not reach in one wave, it does
//! not try in a later one.

mod copy_image;
mod copy_snapshot;
mod delete_snapshot;
mod job_run;
mod look;
mod session;
mod tag_copy;
mod tag_source;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::model::action::{Action, Wave};
use crate::model::client_config::ClientConfig;
use crate::model::id::JobName;
use crate::model::plan::SavedPlan;
use crate::model::problem::Problem;
use crate::model::result::{ActionResult, SyncResult};
use crate::observe::observe;
use crate::provider::{Provider, side_by_side};

use job_run::JobRun;
use session::Session;

/// How a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many jobs are worked on side by side.
    pub parallelism: usize,
    /// Once set, no action is begun any more; those under way are finished, and the others reported as skipped.
    pub stop: &'a AtomicBool,
}

/// What happens while a plan is applied, as it happens.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An action goes to AWS.
    ActionStarted {
        /// Of this job.
        job: &'a JobName,
        /// What is about to be done.
        action: &'a Action,
    },
    /// An action has come to its end, whatever it is.
    ActionFinished {
        /// Of this job.
        job: &'a JobName,
        /// What became of it.
        result: &'a ActionResult,
    },
    /// A job has come to its end: its result is final.
    JobFinished(&'a SyncResult),
}

/// Who is told what happens.
pub type OnEvent<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// What a write that AWS took came to; the image or snapshot it is about.
enum Written {
    /// This run did it.
    Done(String),
    /// It was done: by somebody else's request for the same, or by one of ours whose answer was lost.
    AlreadyDone(String),
}

/// As whom each job with actions is applied, or why it cannot be.
pub type Callers = BTreeMap<JobName, Result<Arc<ClientConfig>, Problem>>;

/// Applies a plan that has been found fit to be applied. A job with actions and without a caller fails.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    callers: &Callers,
    options: Options<'_>,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let parallelism = options.parallelism.max(1);
    let session = Session::new(provider, on_event, options.stop);
    let mut runs: Vec<JobRun<'_>> = plan
        .jobs
        .iter()
        .map(|job| JobRun::new(job, callers.get(&job.name), &session))
        .collect();
    for run in &mut runs {
        run.finish_if_nothing_is_left();
    }
    for wave in Wave::ALL {
        let mut due: Vec<&mut JobRun<'_>> =
            runs.iter_mut().filter(|run| run.is_due(wave)).collect();
        for chunk in due.chunks_mut(parallelism) {
            let stale = chunk.iter().filter(|run| !run.has_facts_for(wave));
            let looks: Vec<_> = stale.filter_map(|run| run.look()).collect();
            let inventory = observe(provider, &looks, parallelism).await;
            let work = chunk.iter_mut().map(|run| {
                run.learn(&inventory, wave);
                run.carry_out(wave)
            });
            side_by_side(parallelism, work.collect()).await;
        }
    }
    runs.into_iter().map(JobRun::into_result).collect()
}
