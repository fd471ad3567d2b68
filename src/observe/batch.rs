//! Merges the reads of many jobs into as few as possible.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::OnceCell;

use super::reader::Reader;
use crate::model::artifact::Artifact;
use crate::model::groups::grouped;
use crate::model::ids::{ArtifactId, ParentId, Region};
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::query::Query;
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};

/// The number of databases whose automated snapshots one read asks for. A page holds 100 snapshots, and pages are read one after
/// the other, while reads run concurrently: a week of snapshots of 14 databases fits on one page.
const SOURCES_PER_READ: usize = 14;

/// The number of databases whose manual snapshots one read asks for. Even with three copies of each, which is what xrs keeps by
/// default, they leave room on a page. RDS documents no limit for the values of a filter.
const COPIED_DATABASES_PER_READ: usize = 25;

/// An answer that several reads may share.
type SharedAnswer = Arc<Answer<Vec<Artifact>>>;

/// A query, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Read<'r> {
    pub(super) at: &'r Location,
    pub(super) kind: Kind,
    pub(super) query: Query,
}

/// Takes the keys out of a query: reads that differ only in their keys can be merged. A query without keys can be merged only with
/// an identical one.
fn take_keys(query: &mut Query) -> Vec<String> {
    fn texts<T: ToString>(ids: &mut Vec<T>) -> Vec<String> {
        ids.drain(..).map(|id| id.to_string()).collect()
    }
    match query {
        Query::Matching(selector) => texts(&mut selector.sync_identifiers),
        Query::ByIds(ids) | Query::CopiesOf { ids, .. } => texts(ids),
        Query::Automated(parents) | Query::Manual(parents) => texts(parents),
        Query::CopiedFrom(_) | Query::AllManual => Vec::new(),
    }
}

/// Returns the query with these keys.
fn with_keys(query: &Query, keys: Vec<String>) -> Query {
    let mut query = query.clone();
    match &mut query {
        Query::Matching(selector) => selector.sync_identifiers = keys,
        Query::ByIds(ids) | Query::CopiesOf { ids, .. } => {
            *ids = keys.into_iter().map(ArtifactId::from).collect();
        }
        Query::Automated(parents) | Query::Manual(parents) => {
            *parents = keys.into_iter().map(ParentId::from).collect();
        }
        Query::CopiedFrom(_) | Query::AllManual => {}
    }
    query
}

/// Returns the maximum number of keys in one read.
fn keys_per_read(query: &Query, kind: Kind) -> usize {
    let ids = kind.facts().ids_per_read;
    match query {
        Query::Matching(selector) => {
            let used = selector.filters.iter().map(|filter| filter.values.len());
            ids.saturating_sub(used.sum())
        }
        // One value of the request is the region.
        Query::CopiesOf { .. } => ids - 1,
        Query::Automated(_) => SOURCES_PER_READ,
        Query::Manual(_) => COPIED_DATABASES_PER_READ,
        Query::ByIds(_) | Query::CopiedFrom(_) | Query::AllManual => ids,
    }
}

/// Returns the keys of a query that an artifact matches.
fn keys_of(query: &Query, artifact: &Artifact) -> Vec<String> {
    let key = match query {
        Query::Matching(_) => artifact.tags.get(SYNC_IDENTIFIER).map(str::to_owned),
        Query::ByIds(_) => Some(artifact.id.to_string()),
        Query::CopiesOf { region, .. } => return tied_to(artifact, region),
        Query::Automated(_) | Query::Manual(_) => artifact.parent.as_ref().map(ToString::to_string),
        Query::CopiedFrom(_) | Query::AllManual => None,
    };
    key.into_iter().collect()
}

/// Returns the sources in `region` that AWS or the tag ties a copy to. Only the end of the tag counts, even if the rest can't be
/// parsed, because the read asks AWS for tags with that end.
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

/// Makes all these reads, merged where possible, and returns the answer to each. Reads with the same name share one answer.
pub(super) async fn read_all<'r, N: Eq + Hash + Clone>(
    reader: &Reader<'_>,
    reads: impl IntoIterator<Item = (N, Read<'r>)>,
) -> HashMap<N, Answer<Vec<Artifact>>> {
    let batches = grouped(reads.into_iter().map(|(name, mut read)| {
        let keys = take_keys(&mut read.query);
        ((keys.is_empty(), read), (name, keys))
    }));
    let work = batches
        .into_iter()
        .map(|((is_whole, batch), reads)| read_batch(reader, is_whole, batch, reads));
    let parts = grouped(join_all(work).await.into_iter().flatten()).into_iter();
    parts.map(|(name, parts)| (name, together(parts))).collect()
}

/// Makes the reads of one batch, which have no keys or differ only in their keys, and returns what belongs to each name.
async fn read_batch<N: Clone>(
    reader: &Reader<'_>,
    is_whole: bool,
    batch: Read<'_>,
    reads: Vec<(N, Vec<String>)>,
) -> Vec<(N, SharedAnswer)> {
    if is_whole {
        let answer = Arc::new(reader.find(batch.at, batch.kind, &batch.query).await);
        let answered = reads.into_iter();
        return answered
            .map(|(name, _)| (name, Arc::clone(&answer)))
            .collect();
    }
    let keys = reads.iter().flat_map(|(_, keys)| keys.iter().cloned());
    let answers = &find_by_keys(reader, &batch, keys).await;
    let answered = reads.into_iter().flat_map(|(name, keys)| {
        let parts = keys.into_iter().filter_map(|key| answers.get(&key));
        parts.map(move |part| (name.clone(), Arc::clone(part)))
    });
    answered.collect()
}

/// Finds what belongs to these keys of a batch. A read that AWS refuses, perhaps because of one key, is halved until it is clear
/// which key is at fault. This takes at most twice as many reads as there are keys.
async fn find_by_keys(
    reader: &Reader<'_>,
    batch: &Read<'_>,
    keys: impl Iterator<Item = String>,
) -> HashMap<String, SharedAnswer> {
    // Sorted and without duplicates, so that the reads do not depend on which job comes first.
    let keys: Vec<String> = keys.collect::<BTreeSet<String>>().into_iter().collect();
    let most = keys_per_read(&batch.query, batch.kind).max(1);
    let mut parts: Vec<Vec<String>> = keys.chunks(most).map(<[_]>::to_vec).collect();
    let all_manual = OnceCell::new();
    let mut answers = HashMap::new();
    while !parts.is_empty() {
        let found = parts
            .iter()
            .map(|keys| find(reader, batch, keys, &all_manual));
        let found = join_all(found).await;
        let mut halves = Vec::new();
        for (keys, answer) in parts.into_iter().zip(found) {
            match answer {
                Err(error) if keys.len() > 1 && is_perhaps_due_to_one(&error) => {
                    let (first, second) = keys.split_at(keys.len() / 2);
                    halves.extend([first.to_vec(), second.to_vec()]);
                }
                answer => answers.extend(distribute(&batch.query, keys, answer)),
            }
        }
        parts = halves;
    }
    answers
}

/// Returns true if the read itself was refused, so that a shorter one may succeed. That does not apply if the call failed before it
/// was made, for example because a role could not be assumed.
fn is_perhaps_due_to_one(error: &ProviderError) -> bool {
    let is_the_read = error.call.starts_with("Describe");
    is_the_read && matches!(error.class, ErrorClass::Invalid | ErrorClass::Absent)
}

/// Assigns the artifacts to the keys that they belong to.
fn distribute(
    query: &Query,
    keys: Vec<String>,
    answer: Answer<Vec<Artifact>>,
) -> impl Iterator<Item = (String, SharedAnswer)> {
    let nothing = answer.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
    let parts = keys.into_iter().map(|key| (key, nothing.clone()));
    let mut parts: HashMap<String, Answer<Vec<Artifact>>> = parts.collect();
    for artifact in answer.into_iter().flatten() {
        for key in keys_of(query, &artifact) {
            if let Some(Ok(part)) = parts.get_mut(&key) {
                part.push(artifact.clone());
            }
        }
    }
    parts.into_iter().map(|(key, part)| (key, Arc::new(part)))
}

/// Finds what some keys of a batch ask for. A destination usually has no databases. If RDS therefore refuses to look for their
/// manual snapshots, the whole region is listed, once for all keys, and the list is searched instead.
async fn find(
    reader: &Reader<'_>,
    batch: &Read<'_>,
    keys: &[String],
    all_manual: &OnceCell<Answer<Vec<Artifact>>>,
) -> Answer<Vec<Artifact>> {
    let Read { at, kind, query } = batch;
    if !all_manual.initialized() {
        let is_manual = matches!(query, Query::Manual(_));
        match reader
            .find(at, *kind, &with_keys(query, keys.to_vec()))
            .await
        {
            Err(error) if is_manual && error.class == ErrorClass::Absent => {}
            answer => return answer,
        }
    }
    let all = all_manual.get_or_init(async || reader.find(at, *kind, &Query::AllManual).await);
    let mut all = all.await.clone()?;
    all.retain(|snapshot| {
        keys_of(query, snapshot)
            .iter()
            .any(|key| keys.contains(key))
    });
    Ok(all)
}

/// Merges several answers into one, with each artifact once: a copy may be both tied to its source and named by it. If one of them
/// is an error, so is the result.
pub(super) fn together(parts: Vec<SharedAnswer>) -> Answer<Vec<Artifact>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for part in parts {
        let found = Arc::unwrap_or_clone(part)?;
        all.extend(
            found
                .into_iter()
                .filter(|artifact| seen.insert(artifact.id.clone())),
        );
    }
    Ok(all)
}
