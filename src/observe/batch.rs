//! Reads of many jobs, merged into as few as there may be.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::OnceCell;

use super::reader::{Reader, SharedAnswer, find_by_keys};
use crate::model::artifact::Artifact;
use crate::model::ids::{ArtifactId, ParentId, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::provider_error::ErrorClass;
use crate::model::query::{ImageFilter, ImageSelector, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};

/// Databases whose automated snapshots one read asks for. A page holds 100 snapshots, and pages are read one after the other
/// while reads run side by side: the snapshots of 14 databases that keep a week of them fit one page.
const SOURCES_PER_READ: usize = 14;

/// Databases whose manual snapshots one read asks for: with three copies of each, which is what xrs keeps by default, they
/// leave room on a page. RDS documents no limit for the values of a filter.
const COPIED_DATABASES_PER_READ: usize = 25;

/// What is read where.
#[derive(Clone, Debug)]
pub(super) struct Read<'r> {
    pub(super) at: &'r Location,
    pub(super) kind: Kind,
    pub(super) query: Query,
}

/// What reads have in common that can be merged: they differ only in their keys.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Batch {
    /// Keys are values of `Sync-Identifier`.
    Identifiers {
        owner: String,
        filters: Vec<ImageFilter>,
    },
    /// Keys are ids.
    Ids,
    /// Keys are ids of sources.
    CopiesOf(Region),
    /// Keys are databases.
    Automated,
    /// Keys are databases.
    Manual,
    /// The whole query: nothing to merge it with but the same.
    Whole(Query),
}

impl Batch {
    /// Returns the batch that a query belongs to, and its keys.
    fn of(query: &Query) -> (Self, Vec<String>) {
        match query {
            Query::Matching(selector) if !selector.sync_identifiers.is_empty() => {
                let batch = Self::Identifiers {
                    owner: selector.owner.clone(),
                    filters: selector.filters.clone(),
                };
                (batch, selector.sync_identifiers.clone())
            }
            Query::ByIds(ids) => (Self::Ids, texts(ids)),
            Query::CopiesOf { region, ids } => (Self::CopiesOf(region.clone()), texts(ids)),
            Query::Automated(parents) => (Self::Automated, texts(parents)),
            Query::Manual(parents) => (Self::Manual, texts(parents)),
            Query::Matching(_) | Query::CopiedFrom(_) | Query::AllManual => {
                (Self::Whole(query.clone()), Vec::new())
            }
        }
    }

    /// Returns the query for these keys.
    fn query(&self, keys: Vec<String>) -> Query {
        match self {
            Self::Identifiers { owner, filters } => Query::Matching(ImageSelector {
                owner: owner.clone(),
                sync_identifiers: keys,
                filters: filters.clone(),
            }),
            Self::Ids => Query::ByIds(keys.into_iter().map(ArtifactId::from).collect()),
            Self::CopiesOf(region) => Query::CopiesOf {
                region: region.clone(),
                ids: keys.into_iter().map(ArtifactId::from).collect(),
            },
            Self::Automated => Query::Automated(keys.into_iter().map(ParentId::from).collect()),
            Self::Manual => Query::Manual(keys.into_iter().map(ParentId::from).collect()),
            Self::Whole(query) => query.clone(),
        }
    }

    /// Returns the most keys that one read may have.
    fn keys_per_read(&self, kind: Kind) -> usize {
        let ids = kind.facts().ids_per_read;
        match self {
            Self::Identifiers { filters, .. } => {
                let used: usize = filters.iter().map(|filter| filter.values.len()).sum();
                ids.saturating_sub(used)
            }
            Self::Ids | Self::Whole(_) => ids,
            // One value of the request is the region.
            Self::CopiesOf(_) => ids - 1,
            Self::Automated => SOURCES_PER_READ,
            Self::Manual => COPIED_DATABASES_PER_READ,
        }
    }

    /// Returns the keys that an artifact answers.
    fn keys_of(&self, artifact: &Artifact) -> Vec<String> {
        match self {
            Self::Identifiers { .. } => {
                let identifier = artifact.tags.get(SYNC_IDENTIFIER);
                identifier.map(str::to_owned).into_iter().collect()
            }
            Self::Ids => vec![artifact.id.to_string()],
            Self::CopiesOf(region) => tied_to(artifact, region),
            Self::Automated | Self::Manual => {
                let parent = artifact.parent.iter();
                parent.map(ToString::to_string).collect()
            }
            Self::Whole(_) => Vec::new(),
        }
    }
}

fn texts(ids: &[impl ToString]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Returns the sources in `region` that AWS or the tag ties a copy to. The tag counts by its end, which is what AWS was asked for,
/// whether or not it can be read as a whole.
fn tied_to(copy: &Artifact, region: &Region) -> Vec<String> {
    let stated = copy.copied_from.as_ref();
    let stated = stated.filter(|arn| arn.region() == Some(region.as_str()));
    let tag = copy.tags.get(&key_on_copy(region));
    let tagged = tag.and_then(|value| Some(value.rsplit_once(" / ")?.1.to_owned()));
    let mut ids: Vec<String> = stated
        .and_then(|arn| arn.id().map(str::to_owned))
        .into_iter()
        .chain(tagged)
        .collect();
    ids.dedup();
    ids
}

/// Makes all these reads, merged where possible, and returns their answers in order.
pub(super) async fn read_all(reader: &Reader<'_>, reads: Vec<Read<'_>>) -> Vec<SharedAnswer> {
    let batches = by_key(reads.iter().enumerate().map(|(number, read)| {
        let (batch, keys) = Batch::of(&read.query);
        ((read.at, read.kind, batch), (number, keys))
    }));
    let work = batches
        .into_iter()
        .map(|((at, kind, batch), reads)| read_batch(reader, at, kind, batch, reads));
    let mut answers: Vec<(usize, SharedAnswer)> =
        join_all(work).await.into_iter().flatten().collect();
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Makes the reads of one batch. Each is known by its number, and has its keys.
async fn read_batch(
    reader: &Reader<'_>,
    at: &Location,
    kind: Kind,
    batch: Batch,
    reads: Vec<(usize, Vec<String>)>,
) -> Vec<(usize, SharedAnswer)> {
    if let Batch::Whole(query) = &batch {
        let answer: SharedAnswer = Arc::new(reader.find(at, kind, query).await);
        let numbers = reads.into_iter().map(|(number, _)| number);
        return numbers
            .map(|number| (number, Arc::clone(&answer)))
            .collect();
    }
    let region = OnceCell::new();
    let find = async |keys: Vec<String>| match &batch {
        Batch::Manual => find_manual(reader, at, kind, keys, &region).await,
        batch => reader.find(at, kind, &batch.query(keys)).await,
    };
    let keys = reads.iter().flat_map(|(_, keys)| keys.iter().cloned());
    let most = batch.keys_per_read(kind);
    let answers = find_by_keys(keys, most, find, |artifact| batch.keys_of(artifact)).await;
    let answered = reads.into_iter().map(|(number, keys)| {
        let parts: Vec<SharedAnswer> = keys
            .iter()
            .filter_map(|key| answers.get(key).map(Arc::clone))
            .collect();
        (number, together(parts))
    });
    answered.collect()
}

/// Finds the manual snapshots of these databases. A destination usually has no such databases; where RDS refuses to look for them
/// because of that, the whole region is listed, once for all batches, and theirs are taken from the list.
async fn find_manual(
    reader: &Reader<'_>,
    at: &Location,
    kind: Kind,
    parents: Vec<String>,
    region: &OnceCell<Answer<Vec<Artifact>>>,
) -> Answer<Vec<Artifact>> {
    if !region.initialized() {
        let query = Batch::Manual.query(parents.clone());
        match reader.find(at, kind, &query).await {
            Err(error) if error.class == ErrorClass::Absent => {}
            answer => return answer,
        }
    }
    let all = region.get_or_init(async || reader.find(at, kind, &Query::AllManual).await);
    let all = all.await.as_ref().map_err(Clone::clone)?.iter();
    let is_theirs = |snapshot: &&Artifact| {
        let parent = snapshot.parent.as_ref().map(ParentId::as_str);
        parent.is_some_and(|parent| parents.iter().any(|other| other == parent))
    };
    Ok(all.filter(is_theirs).cloned().collect())
}

/// Returns several answers as one, each artifact once: a copy may be tied to its source and named by it as well. If one of them is
/// an error, so is the whole.
pub(super) fn together(mut parts: Vec<SharedAnswer>) -> SharedAnswer {
    if parts.len() == 1
        && let Some(answer) = parts.pop()
    {
        return answer;
    }
    let mut seen: BTreeSet<&ArtifactId> = BTreeSet::new();
    let mut all = Vec::new();
    for part in &parts {
        match part.as_ref() {
            Ok(found) => {
                all.extend(
                    found
                        .iter()
                        .filter(|artifact| seen.insert(&artifact.id))
                        .cloned(),
                );
            }
            Err(error) => return Arc::new(Err(error.clone())),
        }
    }
    Arc::new(Ok(all))
}

/// Groups values by key, keys and values in the order in which they come.
pub(super) fn by_key<K: Eq + Hash + Clone, V>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut numbers: HashMap<K, usize> = HashMap::new();
    for (key, value) in pairs {
        let next = groups.len();
        match groups.get_mut(*numbers.entry(key.clone()).or_insert(next)) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
