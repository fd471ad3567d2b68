//! A provider that says in the log what is asked of it, and what became of that: writes at level `info`, reads at
//! level `debug`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Provider;
use crate::model::Tags;
use crate::model::action::{CopyImage, CopySnapshot, Resource};
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use crate::model::job::ImageSelector;

/// Any provider, with a log.
pub struct Logged<'a>(pub &'a dyn Provider);

impl Logged<'_> {
    /// Waits for a read and logs how many things it found.
    async fn read<T>(
        &self,
        what: &str,
        at: &Place,
        found: impl Fn(&T) -> usize,
        answer: impl Future<Output = Looked<T>>,
    ) -> Looked<T> {
        let began = self.0.now();
        let answer = answer.await;
        let (region, took) = (&at.region, self.0.now().duration_since(began));
        match &answer {
            Ok(there) => tracing::debug!(what, %region, ?took, found = found(there), "read"),
            Err(error) => tracing::debug!(what, %region, ?took, %error, "failed to read"),
        }
        answer
    }

    /// Waits for a write and logs what it was about.
    async fn write<T>(
        &self,
        what: &str,
        at: &Place,
        about: &str,
        answer: impl Future<Output = Looked<T>>,
    ) -> Looked<T> {
        let began = self.0.now();
        let answer = answer.await;
        let (region, took) = (&at.region, self.0.now().duration_since(began));
        match &answer {
            Ok(_) => tracing::info!(what, %region, about, ?took, "written"),
            Err(error) => tracing::info!(what, %region, about, ?took, %error, "failed to write"),
        }
        answer
    }
}

#[async_trait]
impl Provider for Logged<'_> {
    fn kind(&self) -> ProviderKind {
        self.0.kind()
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn pause(&self, length: Duration) {
        tracing::debug!(?length, "pause");
        self.0.pause(length).await;
    }

    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity> {
        self.read("caller identity", at, |_| 1, self.0.caller_identity(at))
            .await
    }

    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>> {
        self.read(
            "source images",
            at,
            Vec::len,
            self.0.source_images(at, selector),
        )
        .await
    }

    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
        self.read("images", at, Vec::len, self.0.images(at, ids))
            .await
    }

    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>> {
        self.read(
            "image copies",
            at,
            Vec::len,
            self.0.image_copies(at, from, of),
        )
        .await
    }

    async fn images_from(&self, at: &Place, from: &Region) -> Looked<Vec<Image>> {
        self.read("images from", at, Vec::len, self.0.images_from(at, from))
            .await
    }

    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        self.read(
            "automated snapshots",
            at,
            Vec::len,
            self.0.automated_snapshots(at, of),
        )
        .await
    }

    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        self.read(
            "manual snapshots",
            at,
            Vec::len,
            self.0.manual_snapshots(at, of),
        )
        .await
    }

    async fn all_manual_snapshots(&self, at: &Place) -> Looked<Vec<Snapshot>> {
        self.read(
            "all manual snapshots",
            at,
            Vec::len,
            self.0.all_manual_snapshots(at),
        )
        .await
    }

    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>> {
        self.read("snapshots", at, Vec::len, self.0.snapshots(at, ids))
            .await
    }

    async fn copy_image(&self, at: &Place, copy: &CopyImage, token: &str) -> Looked<ImageId> {
        let about = copy.source_image_id.as_str();
        self.write("copy image", at, about, self.0.copy_image(at, copy, token))
            .await
    }

    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId> {
        let about = copy.source_snapshot_id.as_str();
        self.write("copy snapshot", at, about, self.0.copy_snapshot(at, copy))
            .await
    }

    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()> {
        self.write("tag", at, resource.id(), self.0.tag(at, resource, tags))
            .await
    }

    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()> {
        self.write(
            "delete snapshot",
            at,
            id.as_str(),
            self.0.delete_snapshot(at, id),
        )
        .await
    }
}
