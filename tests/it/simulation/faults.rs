//! Faults around any provider: errors, answers that are lost, listings of an earlier world, runs that are killed.

use std::future::{Future, pending, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::model::Tags;
use aws_xregion_sync::model::action::{CopyImage, CopySnapshot, Resource};
use aws_xregion_sync::model::client_config::Place;
use aws_xregion_sync::model::id::{DbInstance, ImageId, Region, SnapshotId};
use aws_xregion_sync::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use aws_xregion_sync::model::job::ImageSelector;
use aws_xregion_sync::model::provider_error::{ErrorKind, ProviderError};
use aws_xregion_sync::provider::Provider;
use jiff::{SignedDuration, Timestamp};

use super::fault_plan::{FaultPlan, Lag, Nth, When};
use super::random::Random;

/// One call that was made, as its run saw it.
#[derive(Clone, Debug)]
pub enum Asked {
    Identity,
    Selected(ImageSelector),
    Images(Vec<ImageId>),
    ImageCopies(Region, Vec<ImageId>),
    Automated(Vec<DbInstance>),
    Manual(Vec<DbInstance>),
    AllManual,
    Snapshots(Vec<SnapshotId>),
}

/// One write.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    CopyImage(&'a CopyImage),
    CopySnapshot(&'a CopySnapshot),
    Tag(&'a Resource, &'a Tags),
    Delete(&'a SnapshotId),
}

/// Who is told what a run does, and knows the world as it was.
pub trait Witness: Sync {
    /// A number for the present state of the world.
    fn mark(&self) -> usize;
    /// The world as it was at that time, as a provider.
    fn earlier(&self, time: Timestamp) -> Box<dyn Provider>;
    /// A read was answered; the answer is of the world at `shown`.
    fn looked(
        &self,
        at: &Place,
        asked: &Asked,
        begun: usize,
        shown: Timestamp,
        error: Option<&ProviderError>,
    );
    /// A write was answered by the world itself, whatever its run hears of that.
    fn wrote(&self, at: &Place, write: &Write<'_>, answer: Result<Option<String>, &ProviderError>);
    /// A fault happened.
    fn happened(&self, what: &'static str, call: &str, region: &Region);
}

/// A provider with faults.
pub struct Faulty<'a> {
    inner: &'a dyn Provider,
    witness: &'a dyn Witness,
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
struct Fate {
    kill: Option<When>,
    lose: bool,
    refuse: Option<(&'static str, &'static str, ErrorKind)>,
    lag: Option<i64>,
    yields: (usize, usize),
}

impl<'a> Faulty<'a> {
    pub fn new(
        inner: &'a dyn Provider,
        witness: &'a dyn Witness,
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
            witness,
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

    fn fate(&self, is_write: bool) -> Fate {
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
                ErrorKind::Expired,
            ))
        } else if random.chance(plan.throttles) {
            Some(("Throttling", "Rate exceeded", ErrorKind::Throttled))
        } else if random.chance(plan.denials) {
            Some((
                "UnauthorizedOperation",
                "You are not authorized",
                ErrorKind::Denied,
            ))
        } else if random.chance(plan.time_outs) {
            Some(("RequestTimeout", "no answer came", ErrorKind::Unknown))
        } else {
            None
        };
        let lag = match plan.lag {
            _ if !random.chance(plan.stale) => None,
            Lag::None => None,
            Lag::UpTo(most) => Some(random.within(1, most)),
            Lag::Steady(seconds) => Some(seconds),
        };
        Fate {
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

    async fn before(&self, fate: &Fate, call: &'static str, at: &Place) -> Looked<()> {
        self.live().await;
        take_turns(fate.yields.0).await;
        self.live().await;
        if fate.kill == Some(When::BeforeItsEffect) {
            self.witness
                .happened("killed before a call", call, &at.region);
            self.die().await;
        }
        let Some((code, message, kind)) = fate.refuse else {
            return Ok(());
        };
        self.witness.happened(code, call, &at.region);
        Err(error(call, at, code, message, kind))
    }

    async fn after<T>(
        &self,
        fate: &Fate,
        call: &'static str,
        at: &Place,
        answer: Looked<T>,
    ) -> Looked<T> {
        if fate.kill == Some(When::AfterItsEffect) {
            self.witness
                .happened("killed after a call", call, &at.region);
            self.die().await;
        }
        take_turns(fate.yields.1).await;
        self.live().await;
        if fate.lose && answer.is_ok() {
            self.witness.happened("an answer is lost", call, &at.region);
            return Err(error(
                call,
                at,
                "DispatchFailure",
                "the answer was lost",
                ErrorKind::Unknown,
            ));
        }
        answer
    }

    async fn read<T, R, S, E>(
        &self,
        call: &'static str,
        at: &Place,
        asked: Asked,
        real: R,
        earlier: E,
    ) -> Looked<T>
    where
        R: Future<Output = Looked<T>>,
        S: Future<Output = Looked<T>>,
        E: FnOnce(Box<dyn Provider>) -> S,
    {
        let fate = self.fate(false);
        let begun = self.witness.mark();
        if let Err(error) = self.before(&fate, call, at).await {
            self.witness
                .looked(at, &asked, begun, self.inner.now(), Some(&error));
            return Err(error);
        }
        let begun = self.witness.mark();
        let mut answer = real.await;
        let mut shown = self.inner.now();
        if let (Ok(_), Some(lag)) = (&answer, fate.lag) {
            self.witness
                .happened("a listing of earlier", call, &at.region);
            shown -= SignedDuration::from_secs(lag);
            answer = earlier(self.witness.earlier(shown)).await;
        }
        let lost = fate.lose && answer.is_ok();
        let unheard = lost.then(|| {
            error(
                call,
                at,
                "DispatchFailure",
                "the answer was lost",
                ErrorKind::Unknown,
            )
        });
        self.witness.looked(
            at,
            &asked,
            begun,
            shown,
            unheard.as_ref().or(answer.as_ref().err()),
        );
        self.after(&fate, call, at, answer).await
    }

    async fn write<T, R>(
        &self,
        call: &'static str,
        at: &Place,
        write: Write<'_>,
        real: R,
        id: impl Fn(&T) -> Option<String>,
    ) -> Looked<T>
    where
        R: Future<Output = Looked<T>>,
    {
        let fate = self.fate(true);
        self.before(&fate, call, at).await?;
        let answer = real.await;
        self.witness.wrote(at, &write, answer.as_ref().map(id));
        self.after(&fate, call, at, answer).await
    }
}

fn error(
    call: &'static str,
    at: &Place,
    code: &str,
    message: &str,
    kind: ErrorKind,
) -> ProviderError {
    ProviderError {
        call,
        region: at.region.clone(),
        code: code.to_owned(),
        message: message.to_owned(),
        kind,
    }
}

/// Lets others have so many turns.
pub async fn take_turns(number: usize) {
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
impl Provider for Faulty<'_> {
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

    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity> {
        let real = self.inner.caller_identity(at);
        let earlier = |old: Box<dyn Provider>| async move { old.caller_identity(at).await };
        self.read("GetCallerIdentity", at, Asked::Identity, real, earlier)
            .await
    }

    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>> {
        let real = self.inner.source_images(at, selector);
        let earlier = |old: Box<dyn Provider>| async move { old.source_images(at, selector).await };
        let asked = Asked::Selected(selector.clone());
        self.read("DescribeImages", at, asked, real, earlier).await
    }

    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
        let real = self.inner.images(at, ids);
        let earlier = |old: Box<dyn Provider>| async move { old.images(at, ids).await };
        self.read(
            "DescribeImages",
            at,
            Asked::Images(ids.to_vec()),
            real,
            earlier,
        )
        .await
    }

    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>> {
        let real = self.inner.image_copies(at, from, of);
        let earlier = |old: Box<dyn Provider>| async move { old.image_copies(at, from, of).await };
        let asked = Asked::ImageCopies(from.clone(), of.to_vec());
        self.read("DescribeImages", at, asked, real, earlier).await
    }

    /// Nothing that is planned or applied asks for it.
    async fn images_from(&self, at: &Place, from: &Region) -> Looked<Vec<Image>> {
        self.inner.images_from(at, from).await
    }

    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        let real = self.inner.automated_snapshots(at, of);
        let earlier = |old: Box<dyn Provider>| async move { old.automated_snapshots(at, of).await };
        self.read(
            "DescribeDBSnapshots",
            at,
            Asked::Automated(of.to_vec()),
            real,
            earlier,
        )
        .await
    }

    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        if self.plan.refuses_absent_databases {
            self.live().await;
            let what = "a region refuses to look for absent databases";
            self.witness
                .happened(what, "DescribeDBSnapshots", &at.region);
            let (code, message) = ("DBInstanceNotFound", "DBInstance not found.");
            let call = "DescribeDBSnapshots";
            return Err(error(call, at, code, message, ErrorKind::Absent));
        }
        let real = self.inner.manual_snapshots(at, of);
        let earlier = |old: Box<dyn Provider>| async move { old.manual_snapshots(at, of).await };
        self.read(
            "DescribeDBSnapshots",
            at,
            Asked::Manual(of.to_vec()),
            real,
            earlier,
        )
        .await
    }

    async fn all_manual_snapshots(&self, at: &Place) -> Looked<Vec<Snapshot>> {
        let real = self.inner.all_manual_snapshots(at);
        let earlier = |old: Box<dyn Provider>| async move { old.all_manual_snapshots(at).await };
        self.read("DescribeDBSnapshots", at, Asked::AllManual, real, earlier)
            .await
    }

    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>> {
        let real = self.inner.snapshots(at, ids);
        let earlier = |old: Box<dyn Provider>| async move { old.snapshots(at, ids).await };
        self.read(
            "DescribeDBSnapshots",
            at,
            Asked::Snapshots(ids.to_vec()),
            real,
            earlier,
        )
        .await
    }

    async fn copy_image(
        &self,
        at: &Place,
        copy: &CopyImage,
        client_token: &str,
    ) -> Looked<ImageId> {
        let real = self.inner.copy_image(at, copy, client_token);
        let id = |id: &ImageId| Some(id.to_string());
        self.write("CopyImage", at, Write::CopyImage(copy), real, id)
            .await
    }

    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId> {
        let real = self.inner.copy_snapshot(at, copy);
        let id = |id: &SnapshotId| Some(id.to_string());
        self.write("CopyDBSnapshot", at, Write::CopySnapshot(copy), real, id)
            .await
    }

    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()> {
        let real = self.inner.tag(at, resource, tags);
        let call = match resource {
            Resource::Image(_) => "CreateTags",
            Resource::Snapshot(_) => "AddTagsToResource",
        };
        self.write(call, at, Write::Tag(resource, tags), real, |_| None)
            .await
    }

    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()> {
        let real = self.inner.delete_snapshot(at, id);
        self.write("DeleteDBSnapshot", at, Write::Delete(id), real, |_| None)
            .await
    }
}
