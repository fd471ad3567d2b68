//! A sandbox whose listings are altered on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_xregion_sync::model::action::Copy;
use aws_xregion_sync::model::artifact::UndeletedSnapshot;
use aws_xregion_sync::model::inventory::{AccountLimits, CallerIdentity};
use jiff::Timestamp;
use smol_str::SmolStr;

use super::prelude::*;

/// What is done to listings.
#[async_trait]
pub trait Alters: Send + Sync {
    fn sandbox(&self) -> &Sandbox;
    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>>;
}

/// A provider with altered listings. All other calls go to the sandbox.
pub struct Altered<T>(pub T);

#[async_trait]
impl<T: Alters> Provider for Altered<T> {
    fn kind(&self) -> ProviderKind {
        self.0.sandbox().kind()
    }

    fn now(&self) -> Timestamp {
        self.0.sandbox().now()
    }

    async fn pause(&self, length: Duration) {
        self.0.sandbox().pause(length).await;
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        self.0.sandbox().caller_identity(at).await
    }

    async fn account_limits(&self, at: &Location) -> Answer<AccountLimits> {
        self.0.sandbox().account_limits(at).await
    }

    async fn required_options(&self, at: &Location, group: &str) -> Answer<Vec<String>> {
        self.0.sandbox().required_options(at, group).await
    }

    async fn image_references(
        &self,
        at: &Location,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
        self.0.sandbox().image_references(at, ids).await
    }

    async fn cluster_of(&self, at: &Location, database: &ParentId) -> Answer<Option<ParentId>> {
        self.0.sandbox().cluster_of(at, database).await
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        self.0.find(at, kind, query).await
    }

    async fn copy(&self, at: &Location, copy: &Copy, token: Option<&str>) -> Answer<ArtifactId> {
        self.0.sandbox().copy(at, copy, token).await
    }

    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<()> {
        self.0
            .sandbox()
            .tag(at, kind, artifact, snapshots, tags)
            .await
    }

    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<Vec<UndeletedSnapshot>> {
        self.0.sandbox().delete(at, delete).await
    }
}
