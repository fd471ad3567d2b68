//! Faults around any provider: errors, answers that are lost, listings of an earlier world, runs that are killed.

use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::model::action::{Copy, Delete};
use aws_xregion_sync::model::artifact::{Artifact, ArtifactRef};
use aws_xregion_sync::model::ids::{ArtifactId, Region};
use aws_xregion_sync::model::inventory::{Answer, CallerIdentity, ProviderKind};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::location::Location;
use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::Provider;
use jiff::{SignedDuration, Timestamp};

use super::fault_plan::{FaultPlan, Lag, Nth, When};
use super::random::Random;

/// One read that was made, as its run saw it.
#[derive(Clone, Debug)]
pub enum Read {
    Identity,
    Find(Kind, Query),
}

/// One write.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    Copy(&'a Copy),
    Tag(&'a ArtifactRef, &'a Tags),
    Delete(&'a Delete),
}

/// Who is description what a run does, and knows the world as it was.
pub trait CallListener: Sync {
    /// A number for the present state of the world.
    fn state_number(&self) -> usize;
    /// The world as it was at that time, as a provider.
    fn earlier(&self, time: Timestamp) -> Box<dyn Provider>;
    /// A read was answered; the answer is of the world at `shown`.
    fn on_read(
        &self,
        at: &Location,
        read: &Read,
        begun: usize,
        shown: Timestamp,
        error: Option<&ProviderError>,
    );
    /// A write was answered by the world itself, whatever its run hears of that.
    fn on_write(
        &self,
        at: &Location,
        write: &Write<'_>,
        answer: Result<Option<String>, &ProviderError>,
    );
    /// A fault happened.
    fn on_fault(&self, what: &'static str, call: &str, region: &Region);
}

/// A provider with faults.
pub struct FaultyProvider<'a> {
    inner: &'a dyn Provider,
    listener: &'a dyn CallListener,
    plan: FaultPlan,
    killed: AtomicBool,
    state: Mutex<State>,
}

struct State {
    random: Random,
    calls: usize,
    writes: usize,
}

/// What is in store for one call.
struct CallFaults {
    kill: Option<When>,
    lose: bool,
    refuse: Option<(&'static str, &'static str, ErrorClass)>,
    lag: Option<i64>,
    yields: (usize, usize),
}

impl<'a> FaultyProvider<'a> {
    pub fn new(
        inner: &'a dyn Provider,
        listener: &'a dyn CallListener,
        plan: FaultPlan,
        random: Random,
    ) -> Self {
        let state = State {
            random,
            calls: 0,
            writes: 0,
        };
        Self {
            inner,
            listener,
            plan,
            killed: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Whether the run is dead: it makes no call any more, and what it waits for never comes.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self, is_write: bool) -> CallFaults {
        let mut state = self.state();
        let (call, write) = (state.calls, state.writes);
        state.calls += 1;
        state.writes += usize::from(is_write);
        let is_now = |nth: Nth| match nth {
            Nth::Call(n) => n == call,
            Nth::Write(n) => is_write && n == write,
        };
        let plan = &self.plan;
        let random = &mut state.random;
        let refuse = if plan.expires.is_some_and(|from| call >= from) {
            Some((
                "ExpiredToken",
                "The security token included in the request is expired",
                ErrorClass::Expired,
            ))
        } else if random.chance(plan.throttles) {
            Some(("Throttling", "Rate exceeded", ErrorClass::Throttled))
        } else if random.chance(plan.denials) {
            Some((
                "UnauthorizedOperation",
                "You are not authorized",
                ErrorClass::Denied,
            ))
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
        CallFaults {
            kill: plan
                .kill
                .filter(|(nth, _)| is_now(*nth))
                .map(|(_, when)| when),
            lose: plan.lose.is_some_and(is_now) || random.chance(plan.losses),
            refuse,
            lag,
            yields: (random.below(plan.yields + 1), random.below(plan.yields + 1)),
        }
    }

    /// Nothing is heard of this run any more.
    async fn die(&self) {
        self.killed.store(true, Ordering::Relaxed);
        pending::<()>().await;
    }

    async fn live(&self) {
        if self.is_killed() {
            pending::<()>().await;
        }
    }

    async fn before(&self, faults: &CallFaults, call: &'static str, at: &Location) -> Answer<()> {
        self.live().await;
        yield_turns(faults.yields.0).await;
        self.live().await;
        if faults.kill == Some(When::BeforeItsEffect) {
            self.listener
                .on_fault("killed before a call", call, &at.region);
            self.die().await;
        }
        let Some((code, message, class)) = faults.refuse else {
            return Ok(());
        };
        self.listener.on_fault(code, call, &at.region);
        Err(error(call, at, code, message, class))
    }

    async fn after<T>(
        &self,
        faults: &CallFaults,
        call: &'static str,
        at: &Location,
        answer: Answer<T>,
    ) -> Answer<T> {
        if faults.kill == Some(When::AfterItsEffect) {
            self.listener
                .on_fault("killed after a call", call, &at.region);
            self.die().await;
        }
        yield_turns(faults.yields.1).await;
        self.live().await;
        if faults.lose && answer.is_ok() {
            self.listener
                .on_fault("an answer is lost", call, &at.region);
            return Err(error(
                call,
                at,
                "DispatchFailure",
                "the answer was lost",
                ErrorClass::Unknown,
            ));
        }
        answer
    }

    async fn read<T, R, S, E>(
        &self,
        call: &'static str,
        at: &Location,
        read: Read,
        real: R,
        earlier: E,
    ) -> Answer<T>
    where
        R: Future<Output = Answer<T>>,
        S: Future<Output = Answer<T>>,
        E: FnOnce(Box<dyn Provider>) -> S,
    {
        let faults = self.faults(false);
        let begun = self.listener.state_number();
        if let Err(error) = self.before(&faults, call, at).await {
            self.listener
                .on_read(at, &read, begun, self.inner.now(), Some(&error));
            return Err(error);
        }
        let begun = self.listener.state_number();
        let mut answer = real.await;
        let mut shown = self.inner.now();
        if let (Ok(_), Some(lag)) = (&answer, faults.lag) {
            self.listener
                .on_fault("a listing of earlier", call, &at.region);
            shown -= SignedDuration::from_secs(lag);
            answer = earlier(self.listener.earlier(shown)).await;
        }
        let lost = faults.lose && answer.is_ok();
        let unheard = lost.then(|| {
            error(
                call,
                at,
                "DispatchFailure",
                "the answer was lost",
                ErrorClass::Unknown,
            )
        });
        self.listener.on_read(
            at,
            &read,
            begun,
            shown,
            unheard.as_ref().or(answer.as_ref().err()),
        );
        self.after(&faults, call, at, answer).await
    }

    async fn write<T, R>(
        &self,
        call: &'static str,
        at: &Location,
        write: Write<'_>,
        real: R,
        id: impl Fn(&T) -> Option<String>,
    ) -> Answer<T>
    where
        R: Future<Output = Answer<T>>,
    {
        let faults = self.faults(true);
        self.before(&faults, call, at).await?;
        let answer = real.await;
        self.listener.on_write(at, &write, answer.as_ref().map(id));
        self.after(&faults, call, at, answer).await
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

/// Lets others have so many turns.
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
        self.inner.kind()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn pause(&self, length: Duration) {
        self.live().await;
        self.inner.pause(length).await;
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        let real = self.inner.caller_identity(at);
        let earlier = |old: Box<dyn Provider>| async move { old.caller_identity(at).await };
        self.read("GetCallerIdentity", at, Read::Identity, real, earlier)
            .await
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let call = match kind {
            Kind::Image => "DescribeImages",
            Kind::DbSnapshot => "DescribeDBSnapshots",
        };
        if matches!(query, Query::Manual(_)) && self.plan.refuses_absent_databases {
            self.live().await;
            let what = "a region refuses to read absent databases";
            self.listener.on_fault(what, call, &at.region);
            let (code, message) = ("DBInstanceNotFound", "DBInstance not found.");
            return Err(error(call, at, code, message, ErrorClass::Absent));
        }
        // Nothing that is planned or applied asks for everything that was copied from a region.
        let real = self.inner.find(at, kind, query);
        let earlier = |old: Box<dyn Provider>| async move { old.find(at, kind, query).await };
        let read = Read::Find(kind, query.clone());
        self.read(call, at, read, real, earlier).await
    }

    async fn copy(
        &self,
        at: &Location,
        copy: &Copy,
        client_token: Option<&str>,
    ) -> Answer<ArtifactId> {
        let real = self.inner.copy(at, copy, client_token);
        let call = match copy.kind {
            Kind::Image => "CopyImage",
            Kind::DbSnapshot => "CopyDBSnapshot",
        };
        let id = |id: &ArtifactId| Some(id.to_string());
        self.write(call, at, Write::Copy(copy), real, id).await
    }

    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        tags: &Tags,
    ) -> Answer<()> {
        let real = self.inner.tag(at, kind, artifact, tags);
        let call = match kind {
            Kind::Image => "CreateTags",
            Kind::DbSnapshot => "AddTagsToResource",
        };
        self.write(call, at, Write::Tag(artifact, tags), real, |_| None)
            .await
    }

    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<()> {
        let real = self.inner.delete(at, delete);
        let write = Write::Delete(delete);
        self.write("DeleteDBSnapshot", at, write, real, |_| None)
            .await
    }
}
