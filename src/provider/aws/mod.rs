//! AWS itself: the only code that names the AWS crates.
//!
//! Every call passes through here, and is logged when it has ended. Each service that has more than one has a file of its own.

mod clients;
mod convert;
mod ec2;
mod error;
mod http;
mod message;
mod pages;
mod presign;
mod rds;
mod rds_clusters;
mod rds_instances;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use jiff::Timestamp;
use smol_str::SmolStr;
use tracing::field::display;

use crate::model::action::{Copy, Delete};
use crate::model::artifact::{Artifact, ArtifactRef, UndeletedSnapshot};
use crate::model::ids::{AccountId, Arn, ArtifactId, ParentId};
use crate::model::inventory::{AccountLimits, Answer, CallerIdentity, ProviderKind};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::query::Query;
use crate::model::tags::Tags;
use crate::provider::Provider;

use clients::{ClientCache, Clients};
use error::Call;

/// AWS, or a server that answers in its place at another endpoint.
///
/// Neither the network nor files nor credentials are used before the first call.
#[derive(Default)]
pub struct Aws {
    clients: ClientCache,
}

impl Aws {
    /// Returns AWS as the settings of each [`Location`] reach it. What they don't set is decided by the SDK's defaults: the
    /// environment (`AWS_*`), the shared config files, the roles of container and instance.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a read and logs it at level debug.
    async fn read<T>(
        &self,
        call: &str,
        at: &Location,
        about: impl Debug,
        count: fn(&T) -> usize,
        answer: BoxFuture<'_, Answer<T>>,
    ) -> Answer<T> {
        let start = self.now();
        let answer = answer.await;
        let (region, took) = (&at.region, self.now().duration_since(start));
        let found = answer.as_ref().ok().map(count);
        let error = answer.as_ref().err().map(display);
        tracing::debug!(call, %region, ?about, ?took, found, error, "read from AWS");
        answer
    }

    /// Makes a write and logs it at level info.
    async fn write<T>(
        &self,
        call: &str,
        at: &Location,
        about: &Arn,
        answer: BoxFuture<'_, Answer<T>>,
    ) -> Answer<T> {
        let start = self.now();
        let answer = answer.await;
        let (region, took) = (&at.region, self.now().duration_since(start));
        let error = answer.as_ref().err().map(display);
        tracing::info!(call, %region, %about, ?took, error, "write to AWS");
        answer
    }
}

/// Returns the answer to a read, or an error if it is not complete in time, with all its pages and attempts.
async fn in_time<T>(call: Call<'_>, answer: impl Future<Output = Answer<T>>) -> Answer<T> {
    let deadline = call.read_deadline();
    let answer = tokio::time::timeout(deadline, answer).await;
    answer.unwrap_or_else(|_| Err(call.late(deadline)))
}

/// Returns the account of the credentials, as STS states it. This needs no permission.
async fn account(clients: &Clients) -> Answer<AccountId> {
    let call = Call::new("GetCallerIdentity", &clients.at);
    let answer = in_time(call, async {
        let answer = clients.sts.get_caller_identity().send().await;
        answer.map_err(|error| call.failed(&error))
    });
    let answer = answer.await?;
    let account = answer.account().map(AccountId::from);
    account.ok_or_else(|| call.unreadable("no account"))
}

#[async_trait]
impl Provider for Aws {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Aws
    }

    #[expect(clippy::disallowed_methods, reason = "this is the only clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the only sleep")]
    async fn pause(&self, length: Duration) {
        tracing::debug!(?length, "pause");
        tokio::time::sleep(length).await;
    }

    async fn caller_identity(&self, at: &Location) -> Answer<CallerIdentity> {
        let clients = self.clients.at(at).await;
        let answer = account(&clients).boxed();
        let answer = self.read("caller_identity", at, "credentials", |_| 1, answer);
        let endpoint_url = clients.endpoint_url.clone();
        CallerIdentity::new(answer.await, at, endpoint_url)
    }

    async fn account_limits(&self, at: &Location) -> Answer<AccountLimits> {
        let clients = self.clients.at(at).await;
        let call = Call::new("DescribeAccountAttributes", at);
        let answer = in_time(call, rds::account_limits(&clients)).boxed();
        self.read("account_limits", at, "quotas", AccountLimits::len, answer)
            .await
    }

    async fn required_options(&self, at: &Location, group: &str) -> Answer<Vec<String>> {
        let clients = self.clients.at(at).await;
        let call = Call::new("DescribeOptionGroups", at);
        let answer = in_time(call, rds::required_options(&clients, group)).boxed();
        self.read("required_options", at, group, Vec::len, answer)
            .await
    }

    async fn image_references(
        &self,
        at: &Location,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
        let clients = self.clients.at(at).await;
        let call = Call::new(ec2::REFERENCES, at);
        let answer = in_time(call, ec2::references(&clients, ids)).boxed();
        self.read("image_references", at, ids, BTreeMap::len, answer)
            .await
    }

    async fn cluster_of(&self, at: &Location, database: &ParentId) -> Answer<Option<ParentId>> {
        let clients = self.clients.at(at).await;
        let call = Call::new("DescribeDBInstances", at);
        let answer = in_time(call, rds_instances::cluster_of(&clients, database)).boxed();
        let count = |cluster: &Option<ParentId>| usize::from(cluster.is_some());
        self.read("cluster_of", at, database, count, answer).await
    }

    async fn find(&self, at: &Location, kind: Kind, query: &Query) -> Answer<Vec<Artifact>> {
        let clients = self.clients.at(at).await;
        let (call, answer) = match kind {
            Kind::Image => (
                ec2::DESCRIBE,
                ec2::find(&clients, query, self.now()).boxed(),
            ),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => (
                rds::names(kind).describe,
                rds::find(&clients, kind, query).boxed(),
            ),
        };
        let answer = in_time(Call::new(call, at), answer).boxed();
        self.read("find", at, (kind, query), Vec::len, answer).await
    }

    async fn copy(
        &self,
        at: &Location,
        copy: &Copy,
        client_token: Option<&str>,
    ) -> Answer<ArtifactId> {
        let clients = self.clients.at(at).await;
        let answer = match copy.kind {
            Kind::Image => ec2::copy(&clients, copy, client_token).boxed(),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => rds::copy(&clients, copy).boxed(),
        };
        self.write("copy", at, &copy.source.arn, answer).await
    }

    async fn tag(
        &self,
        at: &Location,
        kind: Kind,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<()> {
        let clients = self.clients.at(at).await;
        let answer = match kind {
            Kind::Image => ec2::tag(&clients, &artifact.id, snapshots, tags).boxed(),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                rds::tag(&clients, &artifact.arn, tags).boxed()
            }
        };
        self.write("tag", at, &artifact.arn, answer).await
    }

    async fn delete(&self, at: &Location, delete: &Delete) -> Answer<Vec<UndeletedSnapshot>> {
        let clients = self.clients.at(at).await;
        let answer = match delete.kind {
            Kind::Image => ec2::delete(&clients, &delete.artifact.id).boxed(),
            Kind::DbSnapshot | Kind::DbClusterSnapshot => {
                let answer = rds::delete(&clients, delete);
                answer.map_ok(|()| Vec::new()).boxed()
            }
        };
        self.write("delete", at, &delete.artifact.arn, answer).await
    }
}
