//! Adds faults to the sandbox: errors, lost answers, listings of an earlier world, runs that are killed.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::model::artifact::UndeletedSnapshot;
use aws_xregion_sync::model::inventory::{AccountLimits, CallerIdentity};
use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::calls::{Read, Write};
use super::fault_plan::{Lag, Nth, When};
use super::monitor::Monitor;
use super::random::Random;
use crate::support::prelude::*;

/// The sandbox with the faults of a run. It reports every call to the run's monitor.
pub struct FaultyProvider<'a> {
    monitor: &'a Monitor<'a>,
    killed: AtomicBool,
    state: Mutex<State>,
}

struct State {
    random: Random,
    calls: usize,
    writes: usize,
}

/// One call, and the faults that it meets.
struct Call<'a> {
    name: &'static str,
    at: &'a Location,
    kill: Option<When>,
    is_answer_lost: bool,
    /// The code under which refusals are counted, and the error.
    refusal: Option<(&'static str, ProviderError)>,
    lag: Option<i64>,
    yields: (usize, usize),
}

impl Call<'_> {
    fn lost_answer(&self) -> ProviderError {
        let message = "the answer was lost";
        error(
            self.name,
            self.at,
            "DispatchFailure",
            message,
            ErrorClass::Unknown,
        )
    }
}

impl<'a> FaultyProvider<'a> {
    pub fn new(monitor: &'a Monitor<'a>, random: Random) -> Self {
        let state = State {
            random,
            calls: 0,
            writes: 0,
        };
        Self {
            monitor,
            killed: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    fn sandbox(&self) -> &'a Sandbox {
        &self.monitor.recorded.sandbox
    }

    /// Returns true once the run is dead: it makes no more calls, and what it waits for never comes.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    fn call<'b>(&self, name: &'static str, at: &'b Location, is_write: bool) -> Call<'b> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (call, write) = (state.calls, state.writes);
        state.calls += 1;
        state.writes += usize::from(is_write);
        let is_now = |nth: Nth| match nth {
            Nth::Call(n) => n == call,
            Nth::Write(n) => is_write && n == write,
        };
        let (plan, random) = (&self.monitor.faults, &mut state.random);
        let refusal = if plan.expires.is_some_and(|from| call >= from) {
            let message = "The security token included in the request is expired";
            Some(("ExpiredToken", message, ErrorClass::Expired))
        } else if random.chance(plan.throttles) {
            Some(("Throttling", "Rate exceeded", ErrorClass::Throttled))
        } else if random.chance(plan.denials) {
            let message = "You are not authorized";
            Some(("UnauthorizedOperation", message, ErrorClass::Denied))
        } else if random.chance(plan.time_outs) {
            Some(("RequestTimeout", "no answer came", ErrorClass::Unknown))
        } else {
            None
        };
        let lag = match plan.lag {
            _ if !random.chance(plan.stale) => None,
            Lag::None => None,
            Lag::UpTo(most) => Some(random.within(1, most)),
            Lag::Steady(seconds) => Some(seconds),
        };
        let kill = plan.kill.filter(|(nth, _)| is_now(*nth));
        Call {
            name,
            at,
            kill: kill.map(|(_, when)| when),
            is_answer_lost: plan.lose.is_some_and(is_now) || random.chance(plan.losses),
            refusal: refusal
                .map(|(code, message, class)| (code, error(name, at, code, message, class))),
            lag,
            yields: (random.below(plan.yields + 1), random.below(plan.yields + 1)),
        }
    }

    fn on_fault(&self, what: &'static str, call: &Call<'_>) {
        self.monitor.on_fault(what, call.name, &call.at.region);
    }

    /// Kills the run here, if that is planned.
    async fn die(&self, call: &Call<'_>, when: When, what: &'static str) {
        if call.kill == Some(when) {
            self.on_fault(what, call);
            self.killed.store(true, Ordering::Relaxed);
        }
        self.live().await;
    }

    /// Never returns once the run is dead.
    async fn live(&self) {
        if self.is_killed() {
            pending::<()>().await;
        }
    }

    async fn before(&self, call: &Call<'_>) -> Answer<()> {
        self.live().await;
        yield_turns(call.yields.0).await;
        self.live().await;
        self.die(call, When::BeforeItsEffect, "killed before a call")
            .await;
        let Some((code, error)) = &call.refusal else {
            return Ok(());
        };
        self.on_fault(code, call);
        Err(error.clone())
    }

    async fn after<T>(&self, call: &Call<'_>, answer: Answer<T>) -> Answer<T> {
        self.die(call, When::AfterItsEffect, "killed after a call")
            .await;
        yield_turns(call.yields.1).await;
        self.live().await;
        if call.is_answer_lost && answer.is_ok() {
            self.on_fault("an answer is lost", call);
            return Err(call.lost_answer());
        }
        answer
    }

    async fn read<T, S>(
        &self,
        name: &'static str,
        at: &Location,
        read: Read,
        real: impl Future<Output = Answer<T>>,
        earlier: impl FnOnce(Sandbox) -> S,
    ) -> Answer<T>
    where
        S: Future<Output = Answer<T>>,
    {
        let (call, monitor) = (self.call(name, at, false), self.monitor);
        let begun = monitor.state_number();
        if let Err(error) = self.before(&call).await {
            monitor.on_read(at, &read, begun, self.sandbox().now(), Some(&error));
            return Err(error);
        }
        let begun = monitor.state_number();
        let mut answer = real.await;
        let mut shown = self.sandbox().now();
        if let (Ok(_), Some(lag)) = (&answer, call.lag) {
            self.on_fault("an old listing", &call);
            shown -= SignedDuration::from_secs(lag);
            answer = earlier(monitor.earlier(shown)).await;
        }
        let is_lost = call.is_answer_lost && answer.is_ok();
        let lost = is_lost.then(|| call.lost_answer());
        let error = lost.as_ref().or(answer.as_ref().err());
        monitor.on_read(at, &read, begun, shown, error);
        self.after(&call, answer).await
    }

    async fn write<T>(
        &self,
        name: &'static str,
        at: &Location,
        write: Write<'_>,
        real: impl Future<Output = Answer<T>>,
        id: impl Fn(&T) -> Option<String>,
    ) -> Answer<T> {
        let call = self.call(name, at, true);
        self.before(&call).await?;
        let answer = real.await;
        self.monitor.on_write(at, &write, answer.as_ref().map(id));
        self.after(&call, answer).await
    }
}

fn error(
    call: &'static str,
    at: &Location,
    code: &str,
    message: &str,
    class: ErrorClass,
) -> ProviderError {
    ProviderError {
        call,
        region: at.region.clone(),
        code: code.to_owned(),
        message: message.to_owned(),
        class,
    }
}

/// Yields this number of turns to others.
pub async fn yield_turns(number: usize) {
    let mut left = number;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl Provider for FaultyProvider<'_> {
    fn kind(&self) -> ProviderKind {
        self.sandbox().kind()
    }

    fn now(&self) -> Timestamp {
        self.sandbox().now()
    }

    async fn pause(&self, length: Duration) {
        self.live().await;
        self.sandbox().pause(length).await;
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        let real = self.sandbox().caller_identity(at);
        let earlier = |old: Sandbox| async move { old.caller_identity(at).await };
        self.read("GetCallerIdentity", at, Read::Identity, real, earlier)
            .await
    }

    async fn account_limits(&self, at: &Location) -> Answer<AccountLimits> {
        let real = self.sandbox().account_limits(at);
        let earlier = |old: Sandbox| async move { old.account_limits(at).await };
        self.read("DescribeAccountAttributes", at, Read::Limit, real, earlier)
            .await
    }

    async fn required_options(&self, at: &Location, group: &str) -> Answer<Vec<String>> {
        let real = self.sandbox().required_options(at, group);
        let earlier = |old: Sandbox| async move { old.required_options(at, group).await };
        self.read("DescribeOptionGroups", at, Read::Options, real, earlier)
            .await
    }

    async fn image_references(
        &self,
        at: &Location,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
        let real = self.sandbox().image_references(at, ids);
        let earlier = |old: Sandbox| async move { old.image_references(at, ids).await };
        let read = Read::References(ids.to_vec());
        self.read("DescribeImageReferences", at, read, real, earlier)
            .await
    }

    async fn cluster_of(&self, at: &Location, database: &ParentId) -> Answer<Option<ParentId>> {
        let real = self.sandbox().cluster_of(at, database);
        let earlier = |old: Sandbox| async move { old.cluster_of(at, database).await };
        self.read("DescribeDBInstances", at, Read::Cluster, real, earlier)
            .await
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let call = match kind {
            Kind::Image => "DescribeImages",
            Kind::DbSnapshot => "DescribeDBSnapshots",
            Kind::DbClusterSnapshot => "DescribeDBClusterSnapshots",
        };
        if matches!(query, Query::Manual(_)) && self.monitor.faults.refuses_absent_databases {
            self.live().await;
            let what = "a region refuses to read absent databases";
            self.monitor.on_fault(what, call, &at.region);
            let (code, message) = match kind {
                Kind::DbClusterSnapshot => ("DBClusterNotFound", "DBCluster not found."),
                _ => ("DBInstanceNotFound", "DBInstance not found."),
            };
            return Err(error(call, at, code, message, ErrorClass::Absent));
        }
        let real = self.sandbox().find(at, kind, query);
        let earlier = |old: Sandbox| async move { old.find(at, kind, query).await };
        let read = Read::Find(kind, query.clone());
        self.read(call, at, read, real, earlier).await
    }

    async fn copy(
        &self,
        at: &Location,
        copy: &Copy,
        client_token: Option<&str>,
    ) -> Answer<ArtifactId> {
        let real = self.sandbox().copy(at, copy, client_token);
        let call = match copy.kind {
            Kind::Image => "CopyImage",
            Kind::DbSnapshot => "CopyDBSnapshot",
            Kind::DbClusterSnapshot => "CopyDBClusterSnapshot",
        };
        let id = |id: &ArtifactId| Some(id.to_string());
        self.write(call, at, Write::Copy(copy), real, id).await
    }

    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<()> {
        let real = self.sandbox().tag(at, kind, artifact, snapshots, tags);
        let call = match kind {
            Kind::Image => "CreateTags",
            Kind::DbSnapshot | Kind::DbClusterSnapshot => "AddTagsToResource",
        };
        self.write(call, at, Write::Tag(artifact, tags), real, |_| None)
            .await
    }

    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<Vec<UndeletedSnapshot>> {
        let real = self.sandbox().delete(at, delete);
        let write = Write::Delete(delete);
        let call = match delete.kind {
            Kind::Image => "DeregisterImage",
            Kind::DbSnapshot => "DeleteDBSnapshot",
            Kind::DbClusterSnapshot => "DeleteDBClusterSnapshot",
        };
        self.write(call, at, write, real, |_| None).await
    }
}
