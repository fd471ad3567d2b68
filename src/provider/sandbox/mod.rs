//! An in-memory AWS, which can be kept in a file, so that xrs can be tried, rehearsed and tested without an account.
//!
//! It answers like AWS, with the same codes and limits, and with copies that take time. Nothing here touches a file, the
//! environment or a clock: the caller that opens a [`Sandbox`] reads and saves its [`World`].

mod access;
mod calls;
mod contents;
mod database;
mod ec2;
mod example;
mod image_filters;
mod rds;
mod tag_limits;
mod world;
mod world_file;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;

use super::Provider;
use crate::model::action::{Copy, Delete};
use crate::model::artifact::{Artifact, ArtifactRef, UndeletedSnapshot};
use crate::model::identity::has_id_of_copy;
use crate::model::ids::{ArtifactId, ParentId};
use crate::model::inventory::{AccountLimits, Answer, CallerIdentity, ProviderKind};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::query::Query;
use crate::model::tags::Tags;

use access::Access;
pub use calls::{CallRecord, Fault};
use calls::{Calls, Refusal, Reply, WRITES};
pub use contents::{BackingSnapshot, Copying, SnapshotType, WorldArtifact, arn_of, automated_id};
pub use database::WorldDatabase;
pub use world::{
    ClientToken, DEFAULT_ACCOUNT, FORMAT_VERSION, FailNextCopy, Quotas, World, WorldRegion,
};

/// Saves a world, or returns why it can't.
pub type Save = Box<dyn Fn(&World) -> Result<(), String> + Send + Sync>;

/// A provider that reads and changes a [`World`] instead of AWS.
pub struct Sandbox {
    state: Mutex<State>,
    save: Option<Save>,
}

/// What changes while a sandbox is used.
struct State {
    world: World,
    calls: Vec<CallRecord>,
}

impl Sandbox {
    /// Returns a sandbox that is kept in memory only.
    pub fn new(world: World) -> Self {
        let calls = Vec::new();
        Self {
            state: Mutex::new(State { world, calls }),
            save: None,
        }
    }

    /// Returns a sandbox that is saved after each write takes effect and before it is answered. If saving fails, the answer is an
    /// error, and the effect remains.
    pub fn with_save(world: World, save: Save) -> Self {
        Self {
            save: Some(save),
            ..Self::new(world)
        }
    }

    /// Saves the world as it is. This is for the end of a command: reads and pauses have advanced the clock since the last write.
    pub fn save(&self) -> Result<(), String> {
        let save = self.save.as_ref();
        save.map_or(Ok(()), |save| save(&self.lock().world))
    }

    /// Returns the world as it is now.
    pub fn world(&self) -> World {
        self.lock().world.clone()
    }

    /// Changes the world as a person would, and then finishes the copies that are due.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.lock();
        let changed = change(&mut state.world);
        state.world.settle();
        changed
    }

    /// Returns the calls that were made, in order.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().calls.clone()
    }

    /// Locks the state. The world is plain data, so it can be used even after a panic in a thread that held the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call: advances the clock, gets the world's answer, records the call, and saves the world after a write.
    async fn call<T>(
        &self,
        call: &'static str,
        at: &Location,
        answer: impl FnOnce(&mut Access<'_>) -> Reply<T> + Send,
    ) -> Answer<T> {
        yield_once().await;
        let mut state = self.lock();
        let State { world, calls } = &mut *state;
        world.advance(SignedDuration::from_secs(1));
        let mut access = Access {
            account: world.account_at(&at.credentials),
            region: &at.region,
            world,
        };
        let answered = access.admit(call).and_then(|()| answer(&mut access));
        let error = answered.as_ref().err();
        let write = WRITES.contains(&call);
        calls.push(CallRecord {
            call,
            region: at.region.clone(),
            account: access.account,
            write,
            at: access.world.now,
            error: error.map(|refusal| refusal.code.clone()),
        });
        let saved = match &self.save {
            Some(save) if write && answered.is_ok() => save(world),
            _ => Ok(()),
        };
        let saved = saved.map_err(|message| Refusal::new("SandboxNotSaved", message));
        let answered = saved.and(answered);
        answered.map_err(|refusal| refusal.answering(call, &at.region))
    }
}

/// Lets other futures run, as a call over a network does, so that concurrent calls interleave here too.
async fn yield_once() {
    let mut has_waited = false;
    poll_fn(|context| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl Provider for Sandbox {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Sandbox
    }

    fn now(&self) -> Timestamp {
        self.lock().world.now
    }

    async fn pause(&self, length: Duration) {
        yield_once().await;
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        self.lock().world.advance(length);
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        let answer = |access: &mut Access<'_>| Ok(access.account.clone());
        let answer = self.call("GetCallerIdentity", at, answer).await;
        CallerIdentity::new(answer, at, at.credentials.endpoint_url.clone())
    }

    async fn account_limits(&self, at: &Location) -> Answer<AccountLimits> {
        let answer = |access: &mut Access<'_>| Ok(access.describe_account());
        self.call("DescribeAccountAttributes", at, answer).await
    }

    async fn required_options(&self, at: &Location, group: &str) -> Answer<Vec<String>> {
        let answer = |access: &mut Access<'_>| Ok(access.describe_option_group(group));
        self.call("DescribeOptionGroups", at, answer).await
    }

    async fn image_references(
        &self,
        at: &Location,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
        let answer = |access: &mut Access<'_>| access.describe_image_references(ids);
        self.call("DescribeImageReferences", at, answer).await
    }

    async fn cluster_of(&self, at: &Location, database: &ParentId) -> Answer<Option<ParentId>> {
        let answer = |access: &mut Access<'_>| Ok(access.cluster_of(database));
        self.call("DescribeDBInstances", at, answer).await
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let call = Calls::of(kind).describe;
        match kind {
            Kind::Image => {
                // Copies are found by what AWS states, and by their sync tag.
                if matches!(query, Query::CopiesOf { .. } | Query::CopiedFrom(_)) {
                    self.call(call, at, |_| Ok(())).await?;
                }
                let answer = |access: &mut Access<'_>| access.describe_images(query);
                self.call(call, at, answer).await
            }
            Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                let answer = |access: &mut Access<'_>| access.describe_snapshots(kind, query);
                let mut found = self.call(call, at, answer).await?;
                // Where its lists have tags, a list without them is a fact here: nothing is gained by another call.
                let is_hidden = self.lock().world.hides_snapshot_tags;
                let untagged = found.iter_mut().filter(|snapshot| snapshot.tags.is_empty());
                let untagged = untagged.filter(|snapshot| is_hidden && has_id_of_copy(snapshot));
                for snapshot in untagged {
                    let arn = snapshot.arn.clone();
                    let answer = |access: &mut Access<'_>| access.list_tags(kind, &arn);
                    let tags = self.call("ListTagsForResource", at, answer).await;
                    snapshot.read_tags(tags)?;
                }
                Ok(found)
            }
        }
    }

    async fn copy(
        &self,
        at: &Location,
        copy: &Copy,
        client_token: Option<&str>,
    ) -> Answer<ArtifactId> {
        let answer = |access: &mut Access<'_>| match copy.kind {
            Kind::Image => access.copy_image(copy, client_token),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => access.copy_snapshot(copy),
        };
        self.call(Calls::of(copy.kind).copy, at, answer).await
    }

    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<()> {
        let answer = |access: &mut Access<'_>| match kind {
            Kind::Image => access.tag_image(&artifact.id, snapshots, tags),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                access.tag_snapshot(kind, &artifact.arn, tags)
            }
        };
        self.call(Calls::of(kind).tag, at, answer).await
    }

    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<Vec<UndeletedSnapshot>> {
        let answer = |access: &mut Access<'_>| match delete.kind {
            Kind::Image => access.deregister_image(&delete.artifact.id),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                let deleted = access.delete_snapshot(delete.kind, &delete.artifact.id);
                deleted.map(|()| Vec::new())
            }
        };
        self.call(Calls::of(delete.kind).delete, at, answer).await
    }
}
