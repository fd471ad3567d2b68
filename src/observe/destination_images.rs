//! Images of a destination, found without the source: whatever comes from its region. The source only adds what it
//! has itself, and copies that nothing but its own tag names.

use std::collections::HashMap;

use futures::future::join_all;

use super::images::{Source, images, named_copies, sources};
use super::reader::{Reader, together};
use super::{Look, Subject, by_key};
use crate::model::client_config::Place;
use crate::model::id::Region;
use crate::model::inventory::{Found, Image, Looked};

/// Whatever the destinations hold that comes from a source region: one read for each two of them, however many jobs
/// look there.
pub(super) async fn find(
    reader: &Reader<'_>,
    looks: &[Look],
) -> HashMap<(Place, Region), Looked<Vec<Image>>> {
    let pairs = of_images(looks).map(|look| ((&look.destination, &look.source.region), ()));
    let reads = by_key(pairs).into_iter().map(|(pair, _)| async move {
        let (destination, region) = pair;
        let read = reader.provider.images_from(destination, region);
        let found = reader.in_turn(destination, read).await;
        ((destination.clone(), region.clone()), found)
    });
    join_all(reads).await.into_iter().collect()
}

/// What the source has for each look at images, and the copies that its own tags name.
pub(super) async fn find_named<'l>(
    reader: &Reader<'_>,
    looks: &'l [Look],
) -> Vec<(&'l Look, Found)> {
    let reads = by_key(of_images(looks).map(|look| (&look.source, look)))
        .into_iter()
        .map(|(source, looks)| sources(reader, source, looks));
    let seen: Vec<Source<'_>> = join_all(reads).await.into_iter().flatten().collect();
    let by_destination = by_key(
        seen.into_iter()
            .map(|(look, source)| (&look.destination, (look, source))),
    );
    let reads = by_destination
        .into_iter()
        .map(|(destination, seen)| async move {
            let ids: Vec<_> = seen
                .iter()
                .map(|(_, source)| named_copies(source, &destination.region))
                .collect();
            let answers = images(reader, destination, ids.iter().flatten().cloned()).await;
            seen.into_iter()
                .zip(ids)
                .map(|((look, source), ids)| {
                    let copies = together(&answers, &ids);
                    (look, Found::Images { source, copies })
                })
                .collect::<Vec<_>>()
        });
    join_all(reads).await.into_iter().flatten().collect()
}

fn of_images(looks: &[Look]) -> impl Iterator<Item = &Look> {
    looks
        .iter()
        .filter(|look| !matches!(look.subject, Subject::Snapshots(_)))
}
