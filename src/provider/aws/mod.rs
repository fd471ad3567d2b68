//! AWS itself: the only code that names its crates.
//!
//! Every read follows every page and leaves out what is not there; every failure keeps AWS's own code and
//! message, and what it comes to.

mod clients;
mod convert;
mod ec2;
mod error;
mod message;
mod rds;
mod sts;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::model::Tags;
use crate::model::action::{CopyImage, CopySnapshot, Resource};
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use crate::model::job::ImageSelector;
use crate::provider::Provider;

use clients::ClientCache;

/// AWS, or what answers in its place at an endpoint.
///
/// Making one touches nothing: neither the network nor files nor credentials, before the first call.
#[derive(Default)]
pub struct Aws {
    clients: ClientCache,
}

impl Aws {
    /// AWS, as the settings of each [`Place`] reach it. What they leave open is up to the SDK's defaults: the
    /// environment (`AWS_*`), the shared config files, container and instance roles.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

#[async_trait]
impl Provider for Aws {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Aws
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that all others go by"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the sleep that all others go by"
    )]
    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }

    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity> {
        sts::caller_identity(&self.clients.at(at).await, at).await
    }

    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>> {
        ec2::source_images(&self.clients.at(at).await, at, selector).await
    }

    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
        ec2::images(&self.clients.at(at).await, at, ids).await
    }

    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>> {
        ec2::image_copies(&self.clients.at(at).await, at, from, of).await
    }

    async fn images_from(&self, at: &Place, from: &Region) -> Looked<Vec<Image>> {
        ec2::images_from(&self.clients.at(at).await, at, from).await
    }

    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        rds::automated_snapshots(&self.clients.at(at).await, at, of).await
    }

    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>> {
        rds::manual_snapshots(&self.clients.at(at).await, at, of).await
    }

    async fn all_manual_snapshots(&self, at: &Place) -> Looked<Vec<Snapshot>> {
        rds::all_manual_snapshots(&self.clients.at(at).await, at).await
    }

    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>> {
        rds::snapshots(&self.clients.at(at).await, at, ids).await
    }

    async fn copy_image(
        &self,
        at: &Place,
        copy: &CopyImage,
        client_token: &str,
    ) -> Looked<ImageId> {
        ec2::copy_image(&self.clients.at(at).await, at, copy, client_token).await
    }

    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId> {
        rds::copy_snapshot(&self.clients.at(at).await, at, copy).await
    }

    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()> {
        let clients = self.clients.at(at).await;
        match resource {
            Resource::Image(id) => ec2::tag(&clients, at, id, tags).await,
            Resource::Snapshot(arn) => rds::tag(&clients, at, arn, tags).await,
        }
    }

    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()> {
        rds::delete_snapshot(&self.clients.at(at).await, at, id).await
    }
}
