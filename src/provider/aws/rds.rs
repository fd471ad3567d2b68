//! The calls to RDS.

use aws_sdk_rds::operation::describe_db_snapshots::builders::DescribeDBSnapshotsFluentBuilder;
use aws_sdk_rds::types::Filter;

use crate::model::Tags;
use crate::model::action::CopySnapshot;
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, SnapshotArn, SnapshotId};
use crate::model::inventory::{Looked, Snapshot};
use crate::model::provider_error::ProviderError;

use super::clients::Clients;
use super::convert;
use super::error::{all_pages, failed};

const DESCRIBE: &str = "DescribeDBSnapshots";

/// Snapshots on one page: the most that RDS gives.
const PAGE: i32 = 100;

/// The automated snapshots of these databases. One that AWS says does not exist has none.
pub(super) async fn automated_snapshots(
    clients: &Clients,
    at: &Place,
    of: &[DbInstance],
) -> Looked<Vec<Snapshot>> {
    let request = request(clients, "automated").filters(among("db-instance-id", of));
    match read(at, request).await {
        Err(error) if of.len() == 1 && says_no_such_database(&error) => Ok(Vec::new()),
        found => Ok(convert::of_databases(found?, of)),
    }
}

/// The manual snapshots of databases of these names.
pub(super) async fn manual_snapshots(
    clients: &Clients,
    at: &Place,
    of: &[DbInstance],
) -> Looked<Vec<Snapshot>> {
    let request = request(clients, "manual").filters(among("db-instance-id", of));
    Ok(convert::of_databases(read(at, request).await?, of))
}

/// The manual snapshots of a whole region.
pub(super) async fn all_manual_snapshots(clients: &Clients, at: &Place) -> Looked<Vec<Snapshot>> {
    read(at, request(clients, "manual")).await
}

/// Manual snapshots by identifier. One that AWS says does not exist is left out.
pub(super) async fn snapshots(
    clients: &Clients,
    at: &Place,
    ids: &[SnapshotId],
) -> Looked<Vec<Snapshot>> {
    let request = request(clients, "manual").filters(among("db-snapshot-id", ids));
    let found = match read(at, request).await {
        Err(error) if ids.len() == 1 && says_no_such_snapshot(&error) => Vec::new(),
        found => found?,
    };
    let asked = |snapshot: &Snapshot| {
        ids.iter()
            .any(|id| id.as_str().eq_ignore_ascii_case(snapshot.id.as_str()))
    };
    Ok(found.into_iter().filter(asked).collect())
}

/// Has a snapshot copied into the region `at`, with its tags. Nothing is pre-signed (outside GovCloud RDS does that
/// itself), and AWS's own copying of tags stays off: it would carry `aws:` and sync tags over.
pub(super) async fn copy_snapshot(
    clients: &Clients,
    at: &Place,
    copy: &CopySnapshot,
) -> Looked<SnapshotId> {
    let mut tags = copy.tags.clone();
    tags.insert(&copy.sync_tag.key, &copy.sync_tag.value);
    let request = clients
        .rds
        .copy_db_snapshot()
        .source_db_snapshot_identifier(copy.source_snapshot_arn.as_str())
        .target_db_snapshot_identifier(copy.target_snapshot_id.as_str())
        .set_tags(Some(convert::rds_tags(&tags)))
        .set_kms_key_id(copy.kms_key_id.clone())
        .set_option_group_name(copy.option_group_name.clone());
    let answer = request
        .send()
        .await
        .map_err(|error| failed("CopyDBSnapshot", at, &error))?;
    let id = answer
        .db_snapshot()
        .and_then(|snapshot| snapshot.db_snapshot_identifier());
    Ok(id.map_or_else(|| copy.target_snapshot_id.clone(), SnapshotId::from))
}

/// Writes tags on a snapshot.
pub(super) async fn tag(
    clients: &Clients,
    at: &Place,
    arn: &SnapshotArn,
    tags: &Tags,
) -> Looked<()> {
    let request = clients
        .rds
        .add_tags_to_resource()
        .resource_name(arn.as_str())
        .set_tags(Some(convert::rds_tags(tags)));
    request
        .send()
        .await
        .map(|_| ())
        .map_err(|error| failed("AddTagsToResource", at, &error))
}

/// Deletes a manual snapshot.
pub(super) async fn delete_snapshot(clients: &Clients, at: &Place, id: &SnapshotId) -> Looked<()> {
    let request = clients
        .rds
        .delete_db_snapshot()
        .db_snapshot_identifier(id.as_str());
    request
        .send()
        .await
        .map(|_| ())
        .map_err(|error| failed("DeleteDBSnapshot", at, &error))
}

fn says_no_such_database(error: &ProviderError) -> bool {
    error.code == "DBInstanceNotFound"
}

fn says_no_such_snapshot(error: &ProviderError) -> bool {
    error.code == "DBSnapshotNotFound"
}

fn request(clients: &Clients, snapshot_type: &str) -> DescribeDBSnapshotsFluentBuilder {
    let request = clients.rds.describe_db_snapshots();
    request.snapshot_type(snapshot_type)
}

fn among(name: &str, values: &[impl ToString]) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.iter().map(ToString::to_string).collect()))
        .build()
}

/// Every page of the answer.
async fn read(at: &Place, request: DescribeDBSnapshotsFluentBuilder) -> Looked<Vec<Snapshot>> {
    let pages = request.into_paginator().page_size(PAGE).send();
    let pages: Vec<_> = pages
        .try_collect()
        .await
        .map_err(|error| failed(DESCRIBE, at, &error))?;
    all_pages(DESCRIBE, at, pages.last().and_then(|page| page.marker()))?;
    let listed = pages
        .into_iter()
        .flat_map(|page| page.db_snapshots.unwrap_or_default());
    convert::snapshots(DESCRIBE, at, listed.collect())
}
