//! AWS, or a sandbox as its substitute, behind one narrow trait: reads, and three writes.

#[cfg(feature = "aws")]
pub mod aws;
pub mod sandbox;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::model::action::{Copy, Delete};
use crate::model::artifact::{Artifact, ArtifactRef, UndeletedSnapshot};
use crate::model::ids::{ArtifactId, ParentId};
use crate::model::inventory::{AccountLimits, Answer, CallerIdentity, ProviderKind};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::query::Query;
use crate::model::tags::Tags;

/// AWS, or a substitute for it, that can be read and written to.
///
/// Reads follow every page and leave out what does not exist: absence is an empty answer; anything else is an error. A read of
/// several things may fail with class `Invalid` or `Absent` because of one of them; a shorter read may then succeed. One provider
/// serves a whole run and keeps its clients by location.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Returns what this provider talks to.
    fn kind(&self) -> ProviderKind;

    /// Returns the time (UTC). This is the only clock.
    fn now(&self) -> Timestamp;

    /// Sleeps. This is the only sleep; a sandbox moves its clock and returns at once.
    async fn pause(&self, length: Duration);

    /// Returns the account of the credentials.
    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity>;

    /// Returns, for every kind with a quota, how many artifacts the account has in the region of `at`, and how many it may have.
    async fn account_limits(&self, at: &Location) -> Answer<AccountLimits>;

    /// Returns the persistent and permanent options of an option group, or an empty list if there is no such group.
    async fn required_options(&self, at: &Location, group: &str) -> Answer<Vec<String>>;

    /// Returns the resources that use these images, such as `launch template lt-0123`. An image that nothing uses may be missing
    /// from the answer.
    async fn image_references(
        &self,
        at: &Location,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>>;

    /// Returns the cluster that a DB instance is a member of, or `None` if there is no such instance or it is in no cluster.
    async fn cluster_of(&self, at: &Location, database: &ParentId) -> Answer<Option<ParentId>>;

    /// Returns every artifact of a kind that a query asks for.
    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>>;

    /// Starts a copy in the region of `at`, with its tags, and returns its id. If the kind has client tokens, the same token with
    /// the same request returns the same copy.
    async fn copy(
        &self,
        at: &Location,
        copy: &Copy,
        client_token: Option<&str>,
    ) -> Answer<ArtifactId>;

    /// Adds tags to an artifact and to these backing snapshots of it. Does not change their other tags.
    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<()>;

    /// Deletes a copy, and returns the backing snapshots that AWS did not delete with it.
    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<Vec<UndeletedSnapshot>>;
}
