//! An AWS in memory, kept in a file if wished, so that xrs can be tried, rehearsed and tested with no account.
//!
//! It answers as AWS is known to: with the same codes, the same limits, and copies that take their time. Nothing
//! here touches a file, the environment or a clock: whoever opens a [`Sandbox`] reads and saves its [`World`].
//!
//! Reads that are given an empty list answer at once, without a call.

mod builder;
mod calls;
mod ec2;
mod file;
mod filters;
mod fitting;
mod fitting_images;
mod listing;
mod rds;
mod tags;
mod world;

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Provider;
use crate::model::Tags;
use crate::model::action::{CopyImage, CopySnapshot, Resource};
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use crate::model::job::ImageSelector;
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::model::sync_tag::key_on_copy;

pub use builder::automated_id;
use calls::{Answer, Caller};
pub use calls::{Call, CallRecord, Fault};
pub use world::{
    BackingSnapshot, ClientToken, Copying, DEFAULT_ACCOUNT, FORMAT_VERSION, FailNextCopy, Quotas,
    SnapshotKind, World, WorldDatabase, WorldImage, WorldRegion, WorldSnapshot, snapshot_arn,
};

/// Writes a world to wherever it is kept, or says why it could not.
pub type Save = Box<dyn Fn(&World) -> Result<(), String> + Send + Sync>;

/// A provider whose AWS is a [`World`].
pub struct Sandbox {
    state: Mutex<State>,
    save: Option<Save>,
}

/// What changes as a sandbox is used.
struct State {
    world: World,
    calls: Vec<CallRecord>,
}

impl Sandbox {
    /// A sandbox that lives in memory alone.
    pub fn new(world: World) -> Self {
        Self {
            state: Mutex::new(State {
                world,
                calls: Vec::new(),
            }),
            save: None,
        }
    }

    /// A sandbox that is saved after the effect of each write and before its answer. If that does not succeed, the
    /// write is answered with an error, and its effect stays.
    pub fn with_save(world: World, save: Save) -> Self {
        Self {
            save: Some(save),
            ..Self::new(world)
        }
    }

    /// Saves the world as it is: for the end of a command, for reads and pauses move the clock on, too. A sandbox
    /// without a place to be saved to has nothing to do.
    pub fn save(&self) -> Result<(), String> {
        self.save
            .as_ref()
            .map_or(Ok(()), |save| save(&self.lock().world))
    }

    /// The world as it is now.
    pub fn world(&self) -> World {
        self.lock().world.clone()
    }

    /// Changes the world, as if somebody did it by hand. Copies whose time has come then are ended.
    pub fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut state = self.lock();
        let changed = change(&mut state.world);
        state.world.settle();
        changed
    }

    /// The calls that were made, in order.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.lock().calls.clone()
    }

    /// A panic elsewhere, while the world was held, leaves it as it is: it is plain data.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a call: moves the clock on, has the world answer, writes it down, and saves after a write.
    async fn call<T>(
        &self,
        call: Call,
        at: &Place,
        answer: impl FnOnce(&mut World, &Caller<'_>) -> Answer<T> + Send,
    ) -> Looked<T> {
        breathe().await;
        let mut state = self.lock();
        let State { world, calls } = &mut *state;
        world.advance(SignedDuration::from_secs(1));
        let caller = Caller {
            account: world.account_at(at),
            region: &at.region,
        };
        let answered = world
            .admit(call, &caller)
            .and_then(|()| answer(world, &caller));
        calls.push(CallRecord {
            call: call.as_str(),
            region: at.region.clone(),
            account: caller.account,
            write: call.is_write(),
            at: world.now,
            error: answered
                .as_ref()
                .err()
                .map(|refusal| refusal.code().to_owned()),
        });
        let answered = answered.map_err(|refusal| refusal.answering(call, &at.region))?;
        if call.is_write()
            && let Some(save) = &self.save
        {
            save(world).map_err(|message| not_saved(call, &at.region, message))?;
        }
        Ok(answered)
    }
}

/// Lets other futures have a turn, as a call over a network does: what runs side by side meets in every order
/// here, too.
async fn breathe() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What two calls listed.
fn each_once(mut images: Vec<Image>, others: Vec<Image>) -> Vec<Image> {
    for image in others {
        if !images.iter().any(|known| known.id == image.id) {
            images.push(image);
        }
    }
    images
}

/// What was asked for has happened, and it could not be written down.
fn not_saved(call: Call, region: &Region, message: String) -> ProviderError {
    ProviderError {
        call: call.as_str(),
        region: region.clone(),
        code: "SandboxNotSaved".to_owned(),
        message,
        kind: ErrorKind::Unknown,
    }
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
        breathe().await;
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        self.lock().world.advance(length);
    }

    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity> {
        let endpoint_url = at.credentials.endpoint_url.clone();
        self.call(Call::GetCallerIdentity, at, |_, caller| {
            Ok(CallerIdentity {
                account_id: caller.account.clone(),
                endpoint_url,
            })
        })
        .await
    }

    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>> {
        self.call(Call::DescribeImages, at, |world, caller| {
            ec2::selected(world, caller, selector)
        })
        .await
    }

    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.call(Call::DescribeImages, at, |world, caller| {
            ec2::by_id(world, caller, ids)
        })
        .await
    }

    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let stated = self
            .call(Call::DescribeImages, at, |world, caller| {
                ec2::copied_from(world, caller, from, of)
            })
            .await?;
        let tagged = self
            .call(Call::DescribeImages, at, |world, caller| {
                ec2::tagged_from(world, caller, from, of)
            })
            .await?;
        Ok(each_once(stated, tagged))
    }

    async fn images_from(&self, at: &Place, from: &Region) -> Looked<Vec<Image>> {
        let stated = self
            .call(Call::DescribeImages, at, |world, caller| {
                let region = ec2::filter("source-image-region", from.as_str());
                Ok(ec2::own(world, caller, &region))
            })
            .await?;
        let tagged = self
            .call(Call::DescribeImages, at, |world, caller| {
                let key = ec2::filter("tag-key", &key_on_copy(from));
                Ok(ec2::own(world, caller, &key))
            })
            .await?;
        Ok(each_once(stated, tagged))
    }

    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        self.call(Call::DescribeDbSnapshots, at, |world, caller| {
            Ok(rds::of_databases(
                world,
                caller,
                SnapshotKind::Automated,
                of,
            ))
        })
        .await
    }

    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        self.call(Call::DescribeDbSnapshots, at, |world, caller| {
            Ok(rds::of_databases(world, caller, SnapshotKind::Manual, of))
        })
        .await
    }

    async fn all_manual_snapshots(&self, at: &Place) -> Looked<Vec<Snapshot>> {
        self.call(Call::DescribeDbSnapshots, at, |world, caller| {
            Ok(rds::manual(world, caller))
        })
        .await
    }

    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.call(Call::DescribeDbSnapshots, at, |world, caller| {
            Ok(rds::by_id(world, caller, ids))
        })
        .await
    }

    async fn copy_image(
        &self,
        at: &Place,
        copy: &CopyImage,
        client_token: &str,
    ) -> Looked<ImageId> {
        self.call(Call::CopyImage, at, |world, caller| {
            ec2::copy(world, caller, copy, client_token)
        })
        .await
    }

    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId> {
        self.call(Call::CopyDbSnapshot, at, |world, caller| {
            rds::copy(world, caller, copy)
        })
        .await
    }

    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()> {
        match resource {
            Resource::Image(id) => {
                self.call(Call::CreateTags, at, |world, caller| {
                    ec2::tag(world, caller, id, tags)
                })
                .await
            }
            Resource::Snapshot(arn) => {
                self.call(Call::AddTagsToResource, at, |world, caller| {
                    rds::tag(world, caller, arn, tags)
                })
                .await
            }
        }
    }

    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()> {
        self.call(Call::DeleteDbSnapshot, at, |world, caller| {
            rds::delete(world, caller, id)
        })
        .await
    }
}
