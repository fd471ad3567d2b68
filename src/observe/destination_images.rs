//! Images of a destination, found without the source: whatever comes from its region. The source only adds what it
//! has itself, and copies that nothing but its own tag names.

use std::collections::HashMap;

use futures::future::{join, join_all};

use super::images::{Source, each_once, images, named_copies, sources};
use super::reader::{Reader, together};
use super::{Look, Subject, by_key};
use crate::model::client_config::Place;
use crate::model::id::Region;
use crate::model::inventory::{Found, Image, Looked};

/// What a destination holds that comes from a region.
type FromRegions<'l> = HashMap<(&'l Place, &'l Region), Looked<Vec<Image>>>;

/// What is there for each look at images.
pub(super) async fn find<'l>(reader: &Reader<'_>, looks: &'l [Look]) -> Vec<(&'l Look, Found)> {
    let of_images: Vec<&Look> = looks
        .iter()
        .filter(|look| !matches!(look.subject, Subject::Snapshots(_)))
        .collect();
    let (from, seen) = join(
        from_regions(reader, &of_images),
        with_named(reader, &of_images),
    )
    .await;
    seen.into_iter()
        .map(|(look, source, named)| {
            let from = from.get(&(&look.destination, &look.source.region));
            let copies = match from.cloned().unwrap_or(Ok(Vec::new())) {
                Ok(from) => named.map(|named| each_once(from, named)),
                Err(error) => Err(error),
            };
            (look, Found::Images { source, copies })
        })
        .collect()
}

/// One read for each destination and source region, however many jobs look there.
async fn from_regions<'l>(reader: &Reader<'_>, looks: &[&'l Look]) -> FromRegions<'l> {
    let pairs = looks
        .iter()
        .map(|look| ((&look.destination, &look.source.region), ()));
    let reads = by_key(pairs).into_iter().map(|(pair, _)| async move {
        let (destination, region) = pair;
        let read = reader.provider.images_from(destination, region);
        (pair, reader.in_turn(destination, read).await)
    });
    join_all(reads).await.into_iter().collect()
}

/// What the source has for each look, and the copies that its own tags name.
async fn with_named<'l>(
    reader: &Reader<'_>,
    looks: &[&'l Look],
) -> Vec<(&'l Look, Looked<Vec<Image>>, Looked<Vec<Image>>)> {
    let reads = by_key(looks.iter().map(|look| (&look.source, *look)))
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
                .map(|((look, source), ids)| (look, source, together(&answers, &ids)))
                .collect::<Vec<_>>()
        });
    join_all(reads).await.into_iter().flatten().collect()
}
