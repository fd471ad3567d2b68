//! The calls to RDS about the snapshots of DB clusters.

use aws_sdk_rds::types::Filter;

use crate::model::action::Copy;
use crate::model::artifact::Artifact;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;

use super::clients::Clients;
use super::convert;
use super::error::Call;
use super::pages::{RDS_PAGE, all_pages};
use super::presign::SentParameters;

/// Returns what is on all pages of the answer.
pub(super) async fn read(
    clients: &Clients,
    snapshot_type: &str,
    filter: Option<Filter>,
) -> Answer<Vec<Artifact>> {
    let call = Call::new("DescribeDBClusterSnapshots", &clients.at);
    let request = clients.rds.describe_db_cluster_snapshots();
    let request = request.snapshot_type(snapshot_type);
    let request = request.set_filters(filter.map(|filter| vec![filter]));
    let page = |token| {
        let request = request.clone().max_records(RDS_PAGE);
        request.set_marker(token).send()
    };
    let pages = all_pages(call, page, |page| page.marker()).await?;
    let snapshots = pages
        .into_iter()
        .flat_map(|page| page.db_cluster_snapshots.unwrap_or_default());
    convert::all(call, snapshots.map(convert::db_cluster_snapshot))
}

/// Starts a copy, as `rds_instances::copy` does.
pub(super) async fn copy(clients: &Clients, copy: &Copy) -> Answer<ArtifactId> {
    let call = Call::new("CopyDBClusterSnapshot", &clients.at);
    let id = copy.copy.id.as_ref();
    let id = id.ok_or_else(|| call.invalid("the copy has no id"))?;
    let request = clients
        .rds
        .copy_db_cluster_snapshot()
        .source_db_cluster_snapshot_identifier(copy.source.arn.as_str())
        .target_db_cluster_snapshot_identifier(id.as_str())
        .set_tags(Some(convert::rds_tags(&copy.all_tags())))
        .set_kms_key_id(copy.kms_key_id.clone());
    let sent = SentParameters::default();
    let first = request.clone().customize().mutate_request(sent.recorder());
    let answer = match first.send().await.map_err(|error| call.failed(&error)) {
        Ok(answer) => answer,
        Err(refusal) => {
            let source = &copy.source.region;
            let url = sent.presigned_url(clients, call, source, refusal).await?;
            let again = request.pre_signed_url(url).send().await;
            again.map_err(|error| call.failed(&error))?
        }
    };
    let stated = answer.db_cluster_snapshot();
    let stated = stated.and_then(|snapshot| snapshot.db_cluster_snapshot_identifier());
    Ok(stated.map_or_else(|| id.clone(), ArtifactId::from))
}

/// Deletes a manual snapshot.
pub(super) async fn delete(clients: &Clients, id: &ArtifactId) -> Answer<()> {
    let call = Call::new("DeleteDBClusterSnapshot", &clients.at);
    let request = clients.rds.delete_db_cluster_snapshot();
    let request = request.db_cluster_snapshot_identifier(id.as_str());
    let answer = request.send().await.map(drop);
    answer.map_err(|error| call.failed(&error))
}
