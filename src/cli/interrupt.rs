//! Ctrl-C and SIGTERM: while planning, leave; while applying, begin nothing new, finish and report.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::exit::Failure;
use super::terminal::Terminal;
use crate::model::Tags;
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use crate::model::job::ImageSelector;
use crate::model::plan::{CopyImage, CopySnapshot, Resource};
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::Provider;

/// Work that writes nothing, left where it stands at the first signal.
pub(super) async fn leave_at_once<F: Future>(work: F) -> Result<F::Output, Failure> {
    tokio::select! {
        output = work => Ok(output),
        () = signal() => Err(Failure::Interrupted),
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                heard = tokio::signal::ctrl_c() => if heard.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // No signals can be heard here, so none is ever the reason to stop.
        std::future::pending::<()>().await;
    }
}

/// A provider that takes no more writes once a signal has come. A call that is under way is not cut off.
pub(super) struct Interruptible<'a> {
    inner: &'a dyn Provider,
    interrupted: AtomicBool,
}

impl<'a> Interruptible<'a> {
    pub(super) fn new(inner: &'a dyn Provider) -> Self {
        Self {
            inner,
            interrupted: AtomicBool::new(false),
        }
    }

    /// Whether a signal has come.
    pub(super) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Does the work while listening. After the first signal it goes on to its end, without new writes; the second
    /// ends the process, as if nobody were listening.
    pub(super) async fn watch<F: Future>(&self, terminal: &Terminal, work: F) -> F::Output {
        let mut work = pin!(work);
        tokio::select! {
            output = &mut work => return output,
            () = signal() => {}
        }
        self.interrupted.store(true, Ordering::Relaxed);
        terminal.warning("interrupted: nothing new is begun, what is under way is finished; again to leave at once");
        tokio::select! {
            output = work => output,
            () = signal() => leave(),
        }
    }

    fn write(&self, call: &'static str, at: &Place) -> Looked<()> {
        if !self.interrupted() {
            return Ok(());
        }
        Err(ProviderError {
            call,
            region: at.region.clone(),
            code: "Interrupted".to_owned(),
            message: "xrs was interrupted and did not make this call; apply the same plan again"
                .to_owned(),
            kind: ErrorKind::Invalid,
        })
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "asked to leave at once, for the second time"
)]
fn leave<T>() -> T {
    std::process::exit(130)
}

#[async_trait]
impl Provider for Interruptible<'_> {
    fn kind(&self) -> ProviderKind {
        self.inner.kind()
    }

    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    async fn pause(&self, length: Duration) {
        if !self.interrupted() {
            self.inner.pause(length).await;
        }
    }

    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity> {
        self.inner.caller_identity(at).await
    }

    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>> {
        self.inner.source_images(at, selector).await
    }

    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
        self.inner.images(at, ids).await
    }

    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>> {
        self.inner.image_copies(at, from, of).await
    }

    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        self.inner.automated_snapshots(at, of).await
    }

    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        self.inner.manual_snapshots(at, of).await
    }

    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>> {
        self.inner.snapshots(at, ids).await
    }

    async fn copy_image(
        &self,
        at: &Place,
        copy: &CopyImage,
        client_token: &str,
    ) -> Looked<ImageId> {
        self.write("CopyImage", at)?;
        self.inner.copy_image(at, copy, client_token).await
    }

    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId> {
        self.write("CopyDBSnapshot", at)?;
        self.inner.copy_snapshot(at, copy).await
    }

    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()> {
        match resource {
            Resource::Image(_) => self.write("CreateTags", at)?,
            Resource::Snapshot(_) => self.write("AddTagsToResource", at)?,
        }
        self.inner.tag(at, resource, tags).await
    }

    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()> {
        self.write("DeleteDBSnapshot", at)?;
        self.inner.delete_snapshot(at, id).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::provider::sandbox::{Sandbox, World};

    #[test]
    fn once_interrupted_nothing_is_written_and_reads_go_on() {
        let mut world = World::fitting(&[]);
        world.add_region(&Region::from("us-west-1"));
        let sandbox = Sandbox::new(world);
        let provider = Interruptible::new(&sandbox);
        let at = Place {
            credentials: Arc::default(),
            region: Region::from("us-west-1"),
        };
        let id = SnapshotId::from("rds-mydatabase-2026-01-14-05-10");
        let delete = || provider.delete_snapshot(&at, &id);
        let (before, after, read) = crate::cli::world::block_on(async {
            let before = delete().await;
            provider.interrupted.store(true, Ordering::Relaxed);
            (before, delete().await, provider.caller_identity(&at).await)
        })
        .expect("a runtime");
        assert_ne!(
            before.map_err(|error| error.code),
            Err("Interrupted".to_owned())
        );
        assert_eq!(
            after.map_err(|error| error.code),
            Err("Interrupted".to_owned())
        );
        assert!(read.is_ok());
        assert_eq!(sandbox.calls().iter().filter(|call| call.write).count(), 1);
    }
}
