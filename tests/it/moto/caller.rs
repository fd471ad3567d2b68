//! The provider at one location and for one kind of artifact.

use std::collections::BTreeMap;

use aws_xregion_sync::model::action::{
    Copy, Delete, ExpectedDeletion, ExpectedSource, NewCopy, Tag,
};
use aws_xregion_sync::model::artifact::{Artifact, ArtifactRef, ArtifactState, UndeletedSnapshot};
use aws_xregion_sync::model::client_config::ClientConfig;
use aws_xregion_sync::model::ids::{ActionId, ArtifactId, Region};
use aws_xregion_sync::model::inventory::Answer;
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::location::Location;
use aws_xregion_sync::model::provider_error::ProviderError;
use aws_xregion_sync::model::query::Query;
use aws_xregion_sync::model::tags::Tags;
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;
use serde_json::json;

use super::world::{EAST, TIME, WEST, World, location};

pub(super) struct Caller {
    aws: Aws,
    at: Location,
    kind: Kind,
}

impl Caller {
    pub(super) fn new(world: &World, region: &str, kind: Kind) -> Self {
        Self::with(world.client_config(), region, kind)
    }

    pub(super) fn with(config: ClientConfig, region: &str, kind: Kind) -> Self {
        Self {
            aws: Aws::new(),
            at: location(config, region),
            kind,
        }
    }

    pub(super) async fn answer(&self, query: Query) -> Answer<Vec<Artifact>> {
        self.aws.find(&self.at, self.kind, &query).await
    }

    pub(super) async fn find(&self, query: Query) -> Vec<Artifact> {
        self.answer(query).await.expect("an answer")
    }

    pub(super) async fn error(&self, query: Query) -> ProviderError {
        self.answer(query).await.expect_err("an error")
    }

    /// Finds one artifact by its id.
    pub(super) async fn get(&self, id: &ArtifactId) -> Artifact {
        let found = self.find(Query::ByIds(vec![id.clone()])).await;
        let [found] = <[Artifact; 1]>::try_from(found).expect("one");
        found
    }

    pub(super) async fn copy(&self, copy: &Copy, client_token: Option<&str>) -> Answer<ArtifactId> {
        self.aws.copy(&self.at, copy, client_token).await
    }

    pub(super) async fn tag(&self, artifact: &ArtifactRef, tags: &Tags) {
        let answer = self.aws.tag(&self.at, self.kind, artifact, &[], tags).await;
        answer.expect("tagged");
    }

    /// What uses these images.
    pub(super) async fn references(
        &self,
        ids: &[ArtifactId],
    ) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
        self.aws.image_references(&self.at, ids).await
    }

    pub(super) async fn delete(&self, artifact: &ArtifactRef) -> Answer<Vec<UndeletedSnapshot>> {
        let delete = delete(self.kind, artifact);
        self.aws.delete(&self.at, &delete).await
    }
}

/// A copy from `us-east-1`, as it is planned.
pub(super) fn copy_of(kind: Kind, source: &ArtifactRef) -> Copy {
    let is_image = kind == Kind::Image;
    Copy {
        id: ActionId::from("sync_x/copy"),
        kind,
        reason: "there is no copy".to_owned(),
        source: source.clone(),
        copy: NewCopy {
            region: Region::from(WEST),
            id: (!is_image).then(|| source.id.as_str().replace(':', "-").into()),
            name: is_image.then(|| "web".to_owned()),
            description: None,
        },
        tags: Tags::from([("Role", "web"), ("Sync-Identifier", "web-01")]),
        sync_tag: sync_tag(source),
        kms_key_id: None,
        option_group_name: None,
        copy_within_minutes: None,
        size_gib: None,
        expects: ExpectedSource {
            parent_created: None,
            state: ArtifactState::available(),
            data_time: TIME.parse().expect("a time"),
        },
    }
}

/// The tags of that copy.
pub(super) fn tags_of_copy(source: &ArtifactRef) -> serde_json::Value {
    let sync_tag = sync_tag(source).value;
    json!({"Role": "web", "Sync-Identifier": "web-01", "Sync-From-us-east-1": sync_tag})
}

fn sync_tag(source: &ArtifactRef) -> Tag {
    Tag {
        key: format!("Sync-From-{EAST}"),
        value: format!("20260114051033+0000 / {}", source.id),
    }
}

/// A deletion, as it is planned.
fn delete(kind: Kind, artifact: &ArtifactRef) -> Delete {
    Delete {
        before: None,
        id: ActionId::from("sync_x/delete"),
        kind,
        reason: "it is not kept".to_owned(),
        after: None,
        artifact: artifact.clone(),
        name: None,
        size_gib: None,
        snapshots: Vec::new(),
        expects: ExpectedDeletion {
            sync_identifier: None,
            last_launched: None,
            earlier_parent: None,
            data_time: TIME.parse().expect("a time"),
            state: ArtifactState::available(),
            sync_tag: sync_tag(artifact),
            kept: Vec::new(),
        },
    }
}

/// The ids of artifacts, in order.
pub(super) fn ids(artifacts: &[Artifact]) -> Vec<&str> {
    in_order(artifacts, |artifact| artifact.id.as_str())
}

/// The names of images, in order.
pub(super) fn names(artifacts: &[Artifact]) -> Vec<&str> {
    in_order(artifacts, Artifact::name)
}

fn in_order<'a>(artifacts: &'a [Artifact], of: impl Fn(&'a Artifact) -> &'a str) -> Vec<&'a str> {
    let mut texts: Vec<&str> = artifacts.iter().map(of).collect();
    texts.sort_unstable();
    texts
}
