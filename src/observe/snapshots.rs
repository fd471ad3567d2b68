//! Snapshots: many databases in one read, at both ends at the same time.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::{FutureExt, join, join_all};

use super::reader::{Answers, Reader};
use super::{Look, Subject, by_key};
use crate::model::client_config::Place;
use crate::model::id::DbInstance;
use crate::model::inventory::{Found, Looked, Snapshot};
use crate::provider::DATABASES_PER_READ;

/// The two ends of a database.
#[derive(Clone, Copy)]
enum End {
    Source,
    Destination,
}

/// What is there for each look at a database.
pub(super) async fn find<'l>(reader: &Reader<'_>, looks: &'l [Look]) -> Vec<(&'l Look, Found)> {
    let wanted: Vec<(&Look, &DbInstance)> = looks
        .iter()
        .filter_map(|look| match &look.subject {
            Subject::Snapshots(database) => Some((look, database)),
            Subject::Images(_) | Subject::Image(_) => None,
        })
        .collect();
    let (source, copies) = join(
        listed(
            reader,
            End::Source,
            wanted
                .iter()
                .map(|(look, database)| (&look.source, *database)),
        ),
        listed(
            reader,
            End::Destination,
            wanted
                .iter()
                .map(|(look, database)| (&look.destination, *database)),
        ),
    )
    .await;
    wanted
        .into_iter()
        .zip(source.into_iter().zip(copies))
        .map(|((look, _), (source, copies))| {
            // Who is the last to hold an answer gets it without a copy being made.
            let (source, copies) = (Arc::unwrap_or_clone(source), Arc::unwrap_or_clone(copies));
            (look, Found::Snapshots { source, copies })
        })
        .collect()
}

/// What is there of each database, in the order of the list.
async fn listed<'l>(
    reader: &Reader<'_>,
    end: End,
    wanted: impl Iterator<Item = (&'l Place, &'l DbInstance)> + Clone,
) -> Vec<Arc<Looked<Vec<Snapshot>>>> {
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
    let read = |databases: Vec<DbInstance>| {
        async move {
            match end {
                End::Source => reader.provider.automated_snapshots(place, &databases).await,
                End::Destination => reader.provider.manual_snapshots(place, &databases).await,
            }
        }
        .boxed()
    };
    let of = |snapshot: &Snapshot| vec![snapshot.db_instance.clone()];
    reader
        .by_keys(place, databases, DATABASES_PER_READ, &read, of)
        .await
}
