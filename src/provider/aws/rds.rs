//! The calls to RDS.

use aws_sdk_rds::operation::describe_db_snapshots::builders::DescribeDBSnapshotsFluentBuilder;
use aws_sdk_rds::types::Filter;

use crate::model::Tags;
use crate::model::action::CopySnapshot;
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, SnapshotArn, SnapshotId};
use crate::model::inventory::{Looked, Snapshot};
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::side_by_side;

use super::REQUESTS_AT_ONCE;
use super::clients::Clients;
use super::convert;
use super::error::failed;
use super::filter::{RDS_VALUES, distinct};

const DESCRIBE: &str = "DescribeDBSnapshots";

/// Snapshots on one page: the most that RDS gives.
const PAGE: i32 = 100;

/// What a list of snapshots is asked for by.
#[derive(Clone, Copy)]
enum By {
    Database,
    Identifier,
}

/// Which snapshots are meant.
#[derive(Clone, Copy)]
enum Type {
    Automated,
    Manual,
}

/// What becomes of a part of the list that RDS says is not there.
type WhenAbsent = fn(ProviderError) -> Looked<Vec<Snapshot>>;

/// The automated snapshots of these databases. One that AWS says does not exist has none.
pub(super) async fn automated_snapshots(
    clients: &Clients,
    at: &Place,
    of: &[DbInstance],
) -> Looked<Vec<Snapshot>> {
    let names = distinct(of)
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect();
    let found = listed(clients, at, Type::Automated, By::Database, names, |error| {
        if says_no_such_database(&error) {
            Ok(Vec::new())
        } else {
            Err(error)
        }
    });
    Ok(convert::of_databases(found.await?, of))
}

/// The manual snapshots of databases of these names. In the destination there is usually no such database; should
/// RDS refuse the filter for that, all manual snapshots of the region are listed and ours picked out.
pub(super) async fn manual_snapshots(
    clients: &Clients,
    at: &Place,
    of: &[DbInstance],
) -> Looked<Vec<Snapshot>> {
    let names = distinct(of)
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect();
    let found = match listed(clients, at, Type::Manual, By::Database, names, Err).await {
        Err(error) if says_no_such_database(&error) => {
            read(at, request(clients, Type::Manual)).await
        }
        other => other,
    };
    Ok(convert::of_databases(found?, of))
}

/// Manual snapshots by identifier. One that AWS says does not exist is left out.
pub(super) async fn snapshots(
    clients: &Clients,
    at: &Place,
    ids: &[SnapshotId],
) -> Looked<Vec<Snapshot>> {
    let names = distinct(ids)
        .iter()
        .map(|id| id.as_str().to_owned())
        .collect();
    let found = listed(clients, at, Type::Manual, By::Identifier, names, |error| {
        if says_no_such_snapshot(&error) {
            Ok(Vec::new())
        } else {
            Err(error)
        }
    });
    let asked = |snapshot: &Snapshot| {
        ids.iter()
            .any(|id| id.as_str().eq_ignore_ascii_case(snapshot.id.as_str()))
    };
    Ok(found.await?.into_iter().filter(asked).collect())
}

/// Has a snapshot copied into the region `at`, with its tags. Nothing is pre-signed (outside GovCloud RDS does that
/// itself), and AWS's own copying of tags stays off: it would carry `aws:` and sync tags over.
pub(super) async fn copy_snapshot(
    clients: &Clients,
    at: &Place,
    copy: &CopySnapshot,
) -> Looked<SnapshotId> {
    let mut tags = copy.tags.clone();
    tags.insert(copy.sync_tag.key.clone(), copy.sync_tag.value.clone());
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

/// What all batches of a list give together.
async fn listed(
    clients: &Clients,
    at: &Place,
    of: Type,
    by: By,
    names: Vec<String>,
    when_absent: WhenAbsent,
) -> Looked<Vec<Snapshot>> {
    let reads = names
        .chunks(RDS_VALUES)
        .map(|batch| batch_listed(clients, at, of, by, batch, when_absent))
        .collect();
    let mut found = Vec::new();
    for answer in side_by_side(REQUESTS_AT_ONCE, reads).await {
        found.extend(answer?);
    }
    Ok(found)
}

/// What one batch gives. A batch that RDS refuses is halved until it is plain which name it refuses: at most twice
/// as many requests as there are names.
async fn batch_listed(
    clients: &Clients,
    at: &Place,
    of: Type,
    by: By,
    batch: &[String],
    when_absent: WhenAbsent,
) -> Looked<Vec<Snapshot>> {
    let name = match by {
        By::Database => "db-instance-id",
        By::Identifier => "db-snapshot-id",
    };
    let mut batches = vec![batch];
    let mut found = Vec::new();
    while let Some(batch) = batches.pop() {
        let filter = Filter::builder()
            .name(name)
            .set_values(Some(batch.to_vec()))
            .build();
        match read(at, request(clients, of).filters(filter)).await {
            Ok(snapshots) => found.extend(snapshots),
            Err(error) if batch.len() > 1 && may_lie_in_one(of, &error) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                batches.extend([second, first]);
            }
            Err(error) if error.kind == ErrorKind::Absent => found.extend(when_absent(error)?),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Whether the request itself was refused, so that a shorter list may fare better. A missing database says nothing
/// about manual snapshots, whichever of the list it is.
fn may_lie_in_one(of: Type, error: &ProviderError) -> bool {
    match (of, error.kind) {
        (Type::Manual, ErrorKind::Absent) => !says_no_such_database(error),
        (_, kind) => matches!(kind, ErrorKind::Invalid | ErrorKind::Absent),
    }
}

fn says_no_such_database(error: &ProviderError) -> bool {
    error.code == "DBInstanceNotFound"
}

fn says_no_such_snapshot(error: &ProviderError) -> bool {
    error.code == "DBSnapshotNotFound"
}

fn request(clients: &Clients, of: Type) -> DescribeDBSnapshotsFluentBuilder {
    clients.rds.describe_db_snapshots().snapshot_type(match of {
        Type::Automated => "automated",
        Type::Manual => "manual",
    })
}

/// Every page of the answer.
async fn read(at: &Place, request: DescribeDBSnapshotsFluentBuilder) -> Looked<Vec<Snapshot>> {
    let pages = request.into_paginator().page_size(PAGE).items().send();
    let listed = pages
        .try_collect()
        .await
        .map_err(|error| failed(DESCRIBE, at, &error))?;
    convert::snapshots(DESCRIBE, at, listed)
}
