//! Images: first those of a source, then whatever may be a copy of them.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{FutureExt, join, join_all};

use super::reader::{Answers, Reader, together};
use super::{Look, Subject, by_key};
use crate::model::client_config::Place;
use crate::model::id::{ImageId, Region};
use crate::model::inventory::{Found, Image, Looked};
use crate::model::job::{ImageFilter, ImageSelector};
use crate::model::lineage::copy_named_by_source;
use crate::model::sync_tag::key_on_copy;
use crate::provider::IMAGE_VALUES_PER_READ;

/// What was found in the source for a look.
pub(super) type Source<'l> = (&'l Look, Looked<Vec<Image>>);

/// What is there for each look at images.
pub(super) async fn find<'l>(reader: &Reader<'_>, looks: &'l [Look]) -> Vec<(&'l Look, Found)> {
    let of_images = looks
        .iter()
        .filter(|look| !matches!(look.subject, Subject::Snapshots(_)));
    let sources = by_key(of_images.map(|look| (&look.source, look)));
    let finds = sources
        .into_iter()
        .map(|(source, looks)| find_from(reader, source, looks));
    join_all(finds).await.into_iter().flatten().collect()
}

/// The same for the looks at one source.
async fn find_from<'l>(
    reader: &Reader<'_>,
    source: &Place,
    looks: Vec<&'l Look>,
) -> Vec<(&'l Look, Found)> {
    let seen = sources(reader, source, looks).await;
    let destinations = by_key(
        seen.into_iter()
            .map(|(look, images)| (&look.destination, (look, images))),
    );
    let copies = destinations
        .into_iter()
        .map(|(destination, seen)| with_copies(reader, &source.region, destination, seen));
    join_all(copies).await.into_iter().flatten().collect()
}

/// What the source has for each look.
pub(super) async fn sources<'l>(
    reader: &Reader<'_>,
    source: &Place,
    looks: Vec<&'l Look>,
) -> Vec<Source<'l>> {
    let (named, selected): (Vec<&Look>, Vec<&Look>) = looks
        .into_iter()
        .partition(|look| matches!(look.subject, Subject::Image(_)));
    let (named, selected) = join(
        named_images(reader, source, named),
        selected_images(reader, source, selected),
    )
    .await;
    named.into_iter().chain(selected).collect()
}

/// Images by their ids.
async fn named_images<'l>(
    reader: &Reader<'_>,
    source: &Place,
    looks: Vec<&'l Look>,
) -> Vec<Source<'l>> {
    let id_of = |look: &Look| match &look.subject {
        Subject::Image(id) => Some(id.clone()),
        Subject::Images(_) | Subject::Snapshots(_) => None,
    };
    let answers = images(reader, source, looks.iter().filter_map(|look| id_of(look))).await;
    looks
        .into_iter()
        .map(|look| (look, together(&answers, id_of(look).as_slice())))
        .collect()
}

/// Images by their selectors. Selectors that differ in the identifier alone are one read.
async fn selected_images<'l>(
    reader: &Reader<'_>,
    source: &Place,
    looks: Vec<&'l Look>,
) -> Vec<Source<'l>> {
    let selectors = looks.iter().filter_map(|look| match &look.subject {
        Subject::Images(selector) => Some((selector, *look)),
        Subject::Image(_) | Subject::Snapshots(_) => None,
    });
    let (tagged, untagged): (Vec<_>, Vec<_>) =
        selectors.partition(|(selector, _)| !selector.sync_identifiers.is_empty());
    let alike = by_key(tagged.into_iter().map(|(selector, look)| {
        let common = (&selector.owner, &selector.filters);
        (common, (selector.sync_identifiers.as_slice(), look))
    }));
    let tagged = alike
        .into_iter()
        .map(|((owner, filters), looks)| identified_images(reader, source, owner, filters, looks));
    let untagged = by_key(untagged)
        .into_iter()
        .map(|(selector, looks)| async move {
            let read = reader.provider.source_images(source, selector);
            let images = reader.in_turn(source, read).await;
            looks
                .into_iter()
                .map(|look| (look, images.clone()))
                .collect::<Vec<_>>()
        });
    let (tagged, untagged) = join(join_all(tagged), join_all(untagged)).await;
    tagged.into_iter().chain(untagged).flatten().collect()
}

/// Images that carry one of the identifiers that each look asks for.
async fn identified_images<'l>(
    reader: &Reader<'_>,
    source: &Place,
    owner: &str,
    filters: &[ImageFilter],
    looks: Vec<(&'l [String], &'l Look)>,
) -> Vec<Source<'l>> {
    let read = |sync_identifiers: Vec<String>| {
        async move {
            let selector = ImageSelector {
                owner: owner.to_owned(),
                sync_identifiers,
                filters: filters.to_vec(),
            };
            reader.provider.source_images(source, &selector).await
        }
        .boxed()
    };
    let identifiers = looks
        .iter()
        .flat_map(|(identifiers, _)| identifiers.iter().cloned());
    let used: usize = filters.iter().map(|filter| filter.values.len()).sum();
    let most = IMAGE_VALUES_PER_READ.saturating_sub(used);
    let identifier = |image: &Image| {
        image
            .sync_identifier()
            .map(str::to_owned)
            .into_iter()
            .collect()
    };
    let answers = reader
        .by_keys(source, identifiers, most, &read, identifier)
        .await;
    looks
        .into_iter()
        .map(|(identifiers, look)| (look, together(&answers, identifiers)))
        .collect()
}

/// Adds what may be copies of the images that were seen. Where those could not be seen, neither could these.
async fn with_copies<'l>(
    reader: &Reader<'_>,
    from: &Region,
    destination: &Place,
    seen: Vec<Source<'l>>,
) -> Vec<(&'l Look, Found)> {
    let wanted: Vec<(Vec<ImageId>, Vec<ImageId>)> = seen
        .iter()
        .map(|(look, source)| (ids(look, source), named_copies(source, &destination.region)))
        .collect();
    let (tied, named) = join(
        tied_images(
            reader,
            destination,
            from,
            wanted.iter().flat_map(|(ids, _)| ids.clone()),
        ),
        images(
            reader,
            destination,
            wanted.iter().flat_map(|(_, named)| named.clone()),
        ),
    )
    .await;
    seen.into_iter()
        .zip(wanted)
        .map(|((look, source), (ids, ids_named))| {
            let copies = match &source {
                Ok(_) => together(&tied, &ids)
                    .and_then(|tied| Ok(each_once(tied, together(&named, &ids_named)?))),
                Err(error) => Err(error.clone()),
            };
            (look, Found::Images { source, copies })
        })
        .collect()
}

/// The images whose copies are looked for. Those of an image are known by its id, also when it is gone itself.
fn ids(look: &Look, source: &Looked<Vec<Image>>) -> Vec<ImageId> {
    match (&look.subject, source) {
        (Subject::Image(id), Ok(_)) => vec![id.clone()],
        (_, Ok(images)) => images.iter().map(|image| image.id.clone()).collect(),
        (_, Err(_)) => Vec::new(),
    }
}

/// The copies that the images themselves name; several may name one.
pub(super) fn named_copies(source: &Looked<Vec<Image>>, destination: &Region) -> Vec<ImageId> {
    let images = source.iter().flatten();
    let named: BTreeSet<ImageId> = images
        .filter_map(|image| copy_named_by_source(image, destination))
        .collect();
    named.into_iter().collect()
}

/// Images by id.
pub(super) async fn images(
    reader: &Reader<'_>,
    at: &Place,
    ids: impl Iterator<Item = ImageId>,
) -> Answers<ImageId, Image> {
    let read = |ids: Vec<ImageId>| async move { reader.provider.images(at, &ids).await }.boxed();
    let id = |image: &Image| vec![image.id.clone()];
    reader
        .by_keys(at, ids, IMAGE_VALUES_PER_READ, &read, id)
        .await
}

/// Images that AWS or their sync tag ties to one of these.
async fn tied_images(
    reader: &Reader<'_>,
    at: &Place,
    from: &Region,
    of: impl Iterator<Item = ImageId>,
) -> Answers<ImageId, Image> {
    let read =
        |of: Vec<ImageId>| async move { reader.provider.image_copies(at, from, &of).await }.boxed();
    let tied_to = |image: &Image| {
        let stated = image.copied_from.iter();
        let stated = stated.filter(|source| source.region == *from);
        let stated = stated.map(|source| source.id.clone());
        // As AWS is asked for it: whatever comes last in the tag.
        let tag = image.tags.get(&key_on_copy(from));
        let tagged = tag.and_then(|value| Some(ImageId::from(value.rsplit_once(" / ")?.1)));
        stated
            .chain(tagged)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    // One value of the request is the region.
    reader
        .by_keys(at, of, IMAGE_VALUES_PER_READ - 1, &read, tied_to)
        .await
}

/// By id, each once: an image may be tied to another one and be named by it.
fn each_once(tied: Vec<Image>, named: Vec<Image>) -> Vec<Image> {
    let by_id: BTreeMap<ImageId, Image> = tied
        .into_iter()
        .chain(named)
        .map(|image| (image.id.clone(), image))
        .collect();
    by_id.into_values().collect()
}
