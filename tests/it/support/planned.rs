//! A sandbox with jobs and their plan, which a test applies.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_xregion_sync::executor::OnEvent;
use aws_xregion_sync::model::action::Stage;
use aws_xregion_sync::provider::sandbox::CallRecord;
use jiff::SignedDuration;

use super::*;

pub struct Planned {
    pub sandbox: Sandbox,
    pub jobs: Vec<SyncJob>,
    pub plan: SavedPlan,
}

impl Planned {
    pub fn new(world: World, jobs: impl Into<Vec<SyncJob>>) -> Self {
        let (sandbox, jobs) = (Sandbox::new(world), jobs.into());
        let plan = plan(&sandbox, &jobs);
        Self {
            sandbox,
            jobs,
            plan,
        }
    }

    /// Plans again.
    pub fn again(self) -> Self {
        let plan = plan(&self.sandbox, &self.jobs);
        Self { plan, ..self }
    }

    /// Advances the clock until all copies in progress are done, and plans again.
    pub fn when_copied(self) -> Self {
        wait_for_copies(&self.sandbox);
        self.again()
    }

    pub fn apply(&self) -> Vec<SyncResult> {
        self.wait(Wait::No)
    }

    /// Applies the plan, which must not fail.
    #[track_caller]
    pub fn succeeds(&self) -> Vec<SyncResult> {
        let results = self.apply();
        no_failures(&results);
        results
    }

    pub fn wait(&self, wait: Wait) -> Vec<SyncResult> {
        self.watched(wait, &|_| {})
    }

    pub fn watched(&self, wait: Wait, on_event: OnEvent<'_>) -> Vec<SyncResult> {
        self.stopped(&AtomicBool::new(false), wait, on_event)
    }

    /// Applies the plan until something sets `stop`.
    pub fn stopped(&self, stop: &AtomicBool, wait: Wait, on_event: OnEvent<'_>) -> Vec<SyncResult> {
        apply_with(&self.sandbox, &self.plan, &self.jobs, wait, stop, on_event)
    }

    /// Applies the plan. At the first event of this kind, the world is changed.
    #[track_caller]
    pub fn changed_at(
        &self,
        is_moment: fn(&Event<'_>) -> bool,
        wait: Wait,
        change: impl Fn(&mut World) + Sync,
    ) -> Vec<SyncResult> {
        let is_first = AtomicBool::new(true);
        let results = self.watched(wait, &|event| {
            if is_moment(&event) && is_first.swap(false, Ordering::Relaxed) {
                self.sandbox.edit(&change);
            }
        });
        assert!(!is_first.into_inner(), "there was no such event");
        results
    }

    /// Applies the copies and tags of the plan, without its deletions.
    #[track_caller]
    pub fn apply_but_deletions(&self) {
        let mut plan = self.plan.clone();
        for job in &mut plan.jobs {
            let is_other = |action: &Action| action.stage() != Stage::Deletions;
            job.actions.retain(is_other);
        }
        no_failures(&apply(&self.sandbox, &plan, &self.jobs));
    }

    #[track_caller]
    pub fn assert_nothing_to_do(&self) {
        assert_nothing_to_do(&self.sandbox, &self.jobs);
    }

    /// Returns the calls with this name, in order.
    pub fn calls(&self, name: &str) -> Vec<CallRecord> {
        let mut calls = self.sandbox.calls();
        calls.retain(|call| call.call == name);
        calls
    }

    /// Returns the number of seconds since the start.
    pub fn seconds(&self) -> i64 {
        seconds_after_start(self.sandbox.world().now)
    }
}

pub fn seconds_after_start(time: Timestamp) -> i64 {
    time.duration_since(start()).as_secs()
}

/// The end of an action, for [`Planned::changed_at`].
pub fn is_copied(event: &Event<'_>) -> bool {
    matches!(event, Event::ActionFinished { result, .. } if result.action == ActionName::Copy)
}

pub fn is_source_tagged(event: &Event<'_>) -> bool {
    matches!(event, Event::ActionFinished { result, .. } if result.action == ActionName::TagSource)
}

pub fn is_progress(event: &Event<'_>) -> bool {
    matches!(event, Event::CopyProgress { .. })
}

pub fn is_deferred(event: &Event<'_>) -> bool {
    matches!(event, Event::CopyDeferred { .. })
}

/// Returns the outcome of each action of a job.
pub fn outcomes(result: &SyncResult) -> Vec<ActionOutcome> {
    result.actions.iter().map(|action| action.outcome).collect()
}

/// Returns the results of the jobs that failed, and the others.
pub fn failed_and_others(results: &[SyncResult]) -> (Vec<&SyncResult>, Vec<&SyncResult>) {
    results.iter().partition(|result| result.failed())
}

pub fn up_to(seconds: i64) -> Wait {
    Wait::UpTo(SignedDuration::from_secs(seconds))
}
