//! Snapshots: many databases in one read, at both ends at the same time.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::{FutureExt, join, join_all};
use tokio::sync::OnceCell;

use super::reader::{Answers, Reader};
use super::{Look, Subject, by_key};
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, SnapshotId};
use crate::model::inventory::{Found, Looked, Snapshot};
use crate::model::provider_error::ErrorKind;
use crate::provider::{COPIED_DATABASES_PER_READ, SNAPSHOTS_PER_READ, SOURCES_PER_READ};

/// The manual snapshots of a whole region, once somebody needs them.
type Whole = OnceCell<Looked<Vec<Snapshot>>>;

/// The two ends of a database.
#[derive(Clone, Copy)]
enum End {
    Source,
    Destination,
}

/// What is there for each look at a database.
pub(super) async fn find<'l>(reader: &Reader<'_>, looks: &'l [Look]) -> Vec<(&'l Look, Found)> {
    let wanted: Vec<&Look> = looks
        .iter()
        .filter(|look| database(look).is_some())
        .collect();
    let (source, copies) = join(
        listed(reader, End::Source, &wanted),
        listed(reader, End::Destination, &wanted),
    )
    .await;
    wanted
        .into_iter()
        .zip(source.into_iter().zip(copies))
        .map(|(look, (source, copies))| {
            // Who is the last to hold an answer gets it without a copy being made.
            let (source, copies) = (Arc::unwrap_or_clone(source), Arc::unwrap_or_clone(copies));
            (look, Found::Snapshots { source, copies })
        })
        .collect()
}

/// Manual snapshots by identifier.
pub(super) async fn named(
    reader: &Reader<'_>,
    at: &Place,
    ids: impl Iterator<Item = SnapshotId>,
) -> Answers<SnapshotId, Snapshot> {
    let read =
        |ids: Vec<SnapshotId>| async move { reader.provider.snapshots(at, &ids).await }.boxed();
    let id = |snapshot: &Snapshot| vec![snapshot.id.clone()];
    reader.by_keys(at, ids, SNAPSHOTS_PER_READ, &read, id).await
}

fn database(look: &Look) -> Option<&DbInstance> {
    match &look.subject {
        Subject::Snapshots(database) => Some(database),
        Subject::Images(_) | Subject::Image(_) => None,
    }
}

/// What one end has of the database of each look, in the order of the looks.
async fn listed(reader: &Reader<'_>, end: End, looks: &[&Look]) -> Vec<Arc<Looked<Vec<Snapshot>>>> {
    let wanted = looks.iter().filter_map(|look| {
        let place = match end {
            End::Source => &look.source,
            End::Destination => &look.destination,
        };
        Some((place, database(look)?))
    });
    let places = by_key(wanted.clone()).into_iter();
    let reads = places.map(|(place, databases)| async move {
        let databases = databases.into_iter().cloned();
        (place, at(reader, end, place, databases).await)
    });
    let answers: HashMap<_, _> = join_all(reads).await.into_iter().collect();
    wanted
        .filter_map(|(place, database)| answers.get(place)?.get(database).map(Arc::clone))
        .collect()
}

async fn at(
    reader: &Reader<'_>,
    end: End,
    place: &Place,
    databases: impl Iterator<Item = DbInstance>,
) -> Answers<DbInstance, Snapshot> {
    let whole = Whole::new();
    let read = |databases: Vec<DbInstance>| {
        let whole = &whole;
        async move {
            match end {
                End::Source => reader.provider.automated_snapshots(place, &databases).await,
                End::Destination => manual(reader, place, &databases, whole).await,
            }
        }
        .boxed()
    };
    let most = match end {
        End::Source => SOURCES_PER_READ,
        End::Destination => COPIED_DATABASES_PER_READ,
    };
    let of = |snapshot: &Snapshot| vec![snapshot.db_instance.clone()];
    reader.by_keys(place, databases, most, &read, of).await
}

/// The manual snapshots of these databases. In a destination there is usually no such database; where RDS refuses to
/// look for that reason, the whole region is listed, once for all batches, and theirs are picked out.
async fn manual(
    reader: &Reader<'_>,
    place: &Place,
    of: &[DbInstance],
    whole: &Whole,
) -> Looked<Vec<Snapshot>> {
    if !whole.initialized() {
        match reader.provider.manual_snapshots(place, of).await {
            Err(error) if error.kind == ErrorKind::Absent => {}
            found => return found,
        }
    }
    let all = || reader.provider.all_manual_snapshots(place);
    let all = whole.get_or_init(all).await.as_ref();
    let all = all.map_err(Clone::clone)?.iter();
    let theirs = all.filter(|snapshot| of.contains(&snapshot.db_instance));
    Ok(theirs.cloned().collect())
}
