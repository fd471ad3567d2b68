//! Reads which resources use copies, so that no copy is deleted while it is in use.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::future::join_all;

use super::reader::Reader;
use super::request::{References, Request};
use crate::model::artifact::Artifact;
use crate::model::groups::grouped;
use crate::model::identity::{origin, ours};
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::location::Location;
use crate::model::provider_error::ErrorClass;

/// The maximum number of images in one call.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html>.
const IDS_PER_READ: usize = 10;

/// The resources that use each artifact.
pub(super) type Users<'l> = HashMap<(&'l Location, ArtifactId), Answer<Vec<String>>>;

/// Returns the copies that may be deleted only if nothing uses them.
pub(super) fn deletion_candidates(
    request: &Request,
    copies: &Answer<Vec<Artifact>>,
) -> impl Iterator<Item = ArtifactId> + use<> {
    let ids = match &request.references {
        References::Unneeded => Vec::new(),
        References::Of(ids) => ids.clone(),
        References::Beyond(number) => {
            let region = &request.source.region;
            let is_counted =
                |copy: &&Artifact| copy.state.is_available() && origin(copy, region).is_some();
            let counted = copies.iter().flatten().filter(is_counted).count();
            let may_be_deleted = |copy: &&Artifact| {
                let is_beyond = copy.state.is_available() && counted > *number;
                (is_beyond || copy.state.is_failed()) && ours(copy, region).is_ok()
            };
            let ids = copies.iter().flatten().filter(may_be_deleted);
            ids.map(|copy| copy.id.clone()).collect()
        }
    };
    ids.into_iter()
}

/// Reads which resources use these artifacts, in as few calls as possible.
pub(super) async fn read_references<'l>(
    reader: &Reader<'_>,
    artifacts: impl IntoIterator<Item = (&'l Location, ArtifactId)>,
) -> Users<'l> {
    let reads = grouped(artifacts).into_iter().flat_map(|(at, ids)| {
        let ids: Vec<ArtifactId> = BTreeSet::from_iter(ids).into_iter().collect();
        let parts: Vec<Vec<ArtifactId>> = ids.chunks(IDS_PER_READ).map(<[_]>::to_vec).collect();
        let reads = parts.into_iter().map(move |ids| async move {
            let answers = read_some(reader, at, ids).await;
            let answers = answers.into_iter();
            answers
                .map(|(id, answer)| ((at, id), answer))
                .collect::<Vec<_>>()
        });
        reads.collect::<Vec<_>>()
    });
    let answers = join_all(reads).await;
    answers.into_iter().flatten().collect()
}

/// Reads which resources use these artifacts. If AWS refuses the request, perhaps because of one of them, reads them one at a time.
async fn read_some(
    reader: &Reader<'_>,
    at: &Location,
    ids: Vec<ArtifactId>,
) -> Vec<(ArtifactId, Answer<Vec<String>>)> {
    let mut answers = Vec::new();
    let each: Vec<Vec<ArtifactId>> = match read(reader, at, &ids).await {
        Err(error)
            if ids.len() > 1 && matches!(error.class, ErrorClass::Absent | ErrorClass::Invalid) =>
        {
            ids.into_iter().map(|id| vec![id]).collect()
        }
        answer => {
            answers.push((ids, answer));
            Vec::new()
        }
    };
    for ids in each {
        let answer = read(reader, at, &ids).await;
        answers.push((ids, answer));
    }
    let answers = answers.into_iter().flat_map(|(ids, answer)| {
        ids.into_iter().map(move |id| {
            let users = answer.as_ref().map_err(Clone::clone);
            let users = users.map(|users| users.get(&id).cloned().unwrap_or_default());
            (id, users)
        })
    });
    answers.collect()
}

async fn read(
    reader: &Reader<'_>,
    at: &Location,
    ids: &[ArtifactId],
) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
    let read = reader.provider.image_references(at, ids);
    reader.in_turn(at, read).await
}
