//! Carries out a plan and nothing else: checks that what an action expects still holds, then does what is written.
//!
//! Three waves over all jobs: copies, then tags, then deletions. What a job does not reach in one wave, it does
//! not try in a later one. Copies that AWS takes only when others are done are put off; tags of those begun do not wait for
//! them. If copies are waited for, that is between tags and deletions, and those put off are begun meanwhile.

mod awaited;
mod copy_image;
mod copy_snapshot;
mod delete_snapshot;
mod flights;
mod job_run;
mod look;
mod session;
mod tag_copy;
mod tag_source;
mod verdict;
mod waiting;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use jiff::{SignedDuration, Timestamp};

use crate::model::action::{Action, Wave};
use crate::model::client_config::ClientConfig;
use crate::model::id::JobName;
use crate::model::inventory::{Found, Inventory};
use crate::model::plan::SavedPlan;
use crate::model::problem::Problem;
use crate::model::result::{ActionResult, SyncResult};
use crate::observe::{Again, observe, observe_copies};
use crate::provider::{Provider, side_by_side};

use job_run::JobRun;
use session::Session;

/// For how many jobs facts are read at once. Many jobs share a read, so more is less to ask; but facts may not be older than
/// a minute when they are used, and in a minute some hundred jobs write, also where AWS slows them down.
const LOOKED_AT_ONCE: usize = 100;

/// How a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// How many jobs are worked on side by side.
    pub parallelism: usize,
    /// Whether to stay until copies are available.
    pub wait: Wait,
    /// Once set, no action is begun any more; those under way are finished, and the others reported as skipped.
    pub stop: &'a AtomicBool,
}

/// Whether an apply stays until the copies that AWS has accepted are available.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// It does not.
    #[default]
    No,
    /// For so long at most. That ends the wait; AWS goes on copying.
    UpTo(SignedDuration),
    /// Until all are available or have failed.
    ToTheEnd,
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
    /// AWS takes no more copies for the moment; the copy is begun when others are done.
    CopyPutOff {
        /// Of this job.
        job: &'a JobName,
        /// The copy.
        action: &'a Action,
    },
    /// A copy that is waited for was seen to have got on.
    CopyProgress {
        /// Of this job.
        job: &'a JobName,
        /// The image or snapshot.
        copy: &'a str,
        /// Its state, in AWS's word.
        state: &'a str,
        /// How much of it is done, where AWS states it.
        percent: Option<u8>,
    },
    /// A job has come to its end: its result is final.
    JobFinished(&'a SyncResult),
}

/// Who is told what happens.
pub type OnEvent<'a> = &'a (dyn Fn(Event<'_>) + Sync);

/// Copies as they were seen at that time, by job.
struct SeenCopies {
    found: HashMap<JobName, Found>,
    at: Timestamp,
}

/// What a write that AWS took came to; the image or snapshot it is about.
enum Written {
    /// This run did it.
    Done(String),
    /// It was done: by somebody else's request for the same, or by one of ours whose answer was lost.
    AlreadyDone(String),
}

/// As whom each job with actions is applied, or why it cannot be.
pub type Callers = BTreeMap<JobName, Result<Arc<ClientConfig>, Problem>>;

/// Applies a plan that has been found fit to be applied. A job with actions and without a caller fails. What was `seen`
/// when planning, if just now, need not be looked at again as long as it is fresh.
pub async fn apply(
    provider: &dyn Provider,
    plan: &SavedPlan,
    callers: &Callers,
    mut seen: Option<Inventory>,
    options: Options<'_>,
    on_event: OnEvent<'_>,
) -> Vec<SyncResult> {
    let session = Session::new(provider, options, on_event);
    let mut runs: Vec<JobRun<'_>> = plan
        .jobs
        .iter()
        .map(|job| JobRun::new(job, callers.get(&job.name), &session))
        .collect();
    for run in &mut runs {
        if let Some(inventory) = &mut seen {
            run.learn(inventory, Wave::Copies);
        }
        run.finish_if_nothing_is_left();
    }
    carry_out(&session, &mut runs, Wave::Copies).await;
    waiting::begin_all_there_is_room_for(&session, &mut runs).await;
    carry_out(&session, &mut runs, Wave::Tags).await;
    waiting::wait(&session, &mut runs, options.wait).await;
    carry_out(&session, &mut runs, Wave::Deletions).await;
    runs.into_iter().map(JobRun::into_result).collect()
}

/// Carries out a wave of those of these jobs that are due.
async fn carry_out<'a, 'r>(
    session: &Session<'_>,
    runs: impl IntoIterator<Item = &'r mut JobRun<'a>>,
    wave: Wave,
) where
    'a: 'r,
{
    let mut due: Vec<&mut JobRun<'_>> = runs.into_iter().filter(|run| run.is_due(wave)).collect();
    for chunk in due.chunks_mut(LOOKED_AT_ONCE) {
        look_at_stale(session, chunk, wave).await;
        let work = chunk.iter_mut().map(|run| run.carry_out(wave));
        side_by_side(session.parallelism, work.collect()).await;
    }
}

/// Looks at what those of these jobs rest on that have no facts for this wave. A region that does not answer keeps a look
/// of many waiting until it is too old for the jobs of other regions: as long as that leaves fewer, they are looked at
/// again, without those that have failed.
async fn look_at_stale(session: &Session<'_>, runs: &mut [&mut JobRun<'_>], wave: Wave) {
    let mut left = usize::MAX;
    loop {
        let stale = runs.iter_mut().map(|run| &mut **run);
        let stale: Vec<_> = stale.filter(|run| !run.has_facts_for(wave)).collect();
        if stale.is_empty() || stale.len() >= left {
            return;
        }
        left = stale.len();
        look_at(session, stale.into_iter(), wave).await;
    }
}

/// Looks at what these jobs rest on, all at once.
async fn look_at<'a, 'r>(
    session: &Session<'_>,
    runs: impl Iterator<Item = &'r mut JobRun<'a>>,
    wave: Wave,
) where
    'a: 'r,
{
    let runs: Vec<&mut JobRun<'_>> = runs.collect();
    let looks: Vec<_> = runs.iter().filter_map(|run| run.look()).collect();
    let mut inventory = observe(session.provider, &looks, session.parallelism).await;
    for run in runs {
        run.learn(&mut inventory, wave);
    }
}

/// Looks at copies that are under way, all at once.
async fn look_at_copies(session: &Session<'_>, again: Vec<Again>) -> SeenCopies {
    let at = session.provider.now();
    let found = observe_copies(session.provider, again, session.parallelism).await;
    SeenCopies { found, at }
}
