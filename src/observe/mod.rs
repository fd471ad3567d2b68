//! Reads what jobs need, in batches; answers and errors go into the [`Inventory`].
//!
//! Jobs at the same location share their reads, so that the number of calls follows the number of pages and not the number of
//! jobs. A read that fails fails the jobs it was made for, and no other.

mod batch;
mod reader;
mod request;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::{join, join_all, join3};

use crate::model::artifact::Artifact;
use crate::model::identity::copy_named_by;
use crate::model::ids::{ArtifactId, Region};
use crate::model::inventory::{
    Answer, CallerIdentity, DestinationInventory, Inventory, Observation, ObservedCopies,
};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::query::{CopiesQuery, Query};
use crate::provider::Provider;
use batch::{Read, by_key, read_all, together};
use reader::{Reader, SharedAnswer};

pub use request::{CopyRequest, Request};

/// What was read for a request: its sources and their copies.
type Found<'r> = (&'r Request, SharedAnswer, Answer<Vec<Artifact>>);

/// Reads all that is requested, with at most `parallelism` reads at a time. The longest chain is two reads: sources, then their
/// copies.
pub async fn observe(
    provider: &dyn Provider,
    requests: &[Request],
    parallelism: usize,
) -> Inventory {
    let reader = Reader::new(provider, parallelism, locations(requests));
    let found = find(&reader, requests, &WithCopies::OfSources);
    inventory(&reader, requests, found).await
}

/// Reads the same, but each destination independently of the sources, which may not answer.
pub async fn observe_destinations(
    provider: &dyn Provider,
    requests: &[Request],
    parallelism: usize,
) -> DestinationInventory {
    let reader = Reader::new(provider, parallelism, locations(requests));
    let found = find(&reader, requests, &WithCopies::NamedBySources);
    let (inventory, copied_from) = join(
        inventory(&reader, requests, found),
        copied_from(&reader, requests),
    )
    .await;
    DestinationInventory {
        inventory,
        copied_from,
    }
}

/// Reads copies by their ids, in their destination only.
pub async fn observe_copies(
    provider: &dyn Provider,
    requests: Vec<CopyRequest>,
    parallelism: usize,
) -> ObservedCopies {
    let locations = requests.iter().map(|request| &request.at);
    let reader = Reader::new(provider, parallelism, locations);
    let reads = requests.iter().map(|request| Read {
        at: &request.at,
        kind: request.kind,
        query: Query::ByIds(request.ids.iter().cloned().collect()),
    });
    let answers = read_all(&reader, reads.collect()).await;
    let jobs = requests.iter().map(|request| request.job.clone());
    jobs.zip(answers.into_iter().map(Arc::unwrap_or_clone))
        .collect()
}

/// Reads who is calling, once for each location. It is asked in the destination, which must answer for anything to be done there:
/// so a region that does not answer does not matter to jobs of other regions.
pub async fn identities<'l>(
    provider: &dyn Provider,
    locations: impl IntoIterator<Item = &'l Location>,
    parallelism: usize,
) -> HashMap<Location, Answer<CallerIdentity>> {
    let locations: Vec<&Location> = locations.into_iter().collect();
    let reader = Reader::new(provider, parallelism, locations.iter().copied());
    read_identities(&reader, locations).await
}

fn locations(requests: &[Request]) -> impl Iterator<Item = &Location> {
    requests
        .iter()
        .flat_map(|request| [&request.source, &request.destination])
}

async fn read_identities<'l>(
    reader: &Reader<'_>,
    locations: impl IntoIterator<Item = &'l Location>,
) -> HashMap<Location, Answer<CallerIdentity>> {
    let locations = by_key(locations.into_iter().map(|location| (location, ())));
    let reads = locations.into_iter().map(|(location, _)| async move {
        let read = reader.provider.caller_identity(location);
        (location.clone(), reader.in_turn(location, read).await)
    });
    join_all(reads).await.into_iter().collect()
}

async fn inventory<'r>(
    reader: &Reader<'_>,
    requests: &'r [Request],
    found: impl Future<Output = Vec<Found<'r>>>,
) -> Inventory {
    let observed_at = reader.provider.now();
    let destinations = requests.iter().map(|request| &request.destination);
    let (identities, found) = join(read_identities(reader, destinations), found).await;
    let jobs = found.into_iter().filter_map(|(request, sources, copies)| {
        let observation = Observation {
            identity: identities.get(&request.destination)?.clone(),
            sources: Arc::unwrap_or_clone(sources),
            copies,
        };
        Some((request.job.clone(), observation))
    });
    Inventory {
        provider: reader.provider.kind(),
        observed_at,
        jobs: jobs.collect(),
    }
}

/// Which copies are read where they are found by their sources.
enum WithCopies {
    /// Whatever AWS or a tag ties to the sources.
    OfSources,
    /// Only those that the sources' own tags name.
    NamedBySources,
}

/// Reads sources and copies. Copies that do not depend on their sources are read at the same time.
async fn find<'r>(
    reader: &Reader<'_>,
    requests: &'r [Request],
    with: &WithCopies,
) -> Vec<Found<'r>> {
    let (mut independent, mut by_source) = (Vec::new(), Vec::new());
    for request in requests {
        match &request.queries.copies {
            CopiesQuery::Independent(query) => independent.push((request, query)),
            CopiesQuery::BySource => by_source.push((&request.source, request)),
        }
    }
    let sources = independent.iter().map(|(request, _)| source_read(request));
    let copies = independent.iter().map(|(request, query)| Read {
        at: &request.destination,
        kind: request.kind,
        query: (*query).clone(),
    });
    let dependent = by_key(by_source)
        .into_iter()
        .map(|(_, requests)| find_by_source(reader, requests, with));
    let (sources, copies, dependent) = join3(
        read_all(reader, sources.collect()),
        read_all(reader, copies.collect()),
        join_all(dependent),
    )
    .await;
    let answers = sources
        .into_iter()
        .zip(copies.into_iter().map(Arc::unwrap_or_clone));
    let independent = independent.iter().zip(answers);
    let independent =
        independent.map(|((request, _), (sources, copies))| (*request, sources, copies));
    independent.chain(dependent.into_iter().flatten()).collect()
}

fn source_read(request: &Request) -> Read<'_> {
    Read {
        at: &request.source,
        kind: request.kind,
        query: request.queries.sources.clone(),
    }
}

/// Reads the sources at one location, and then their copies. Where the sources can't be read, neither can the copies.
async fn find_by_source<'r>(
    reader: &Reader<'_>,
    requests: Vec<&'r Request>,
    with: &WithCopies,
) -> Vec<Found<'r>> {
    let reads = requests.iter().map(|request| source_read(request));
    let sources = read_all(reader, reads.collect()).await;
    let wanted: Vec<Vec<Read<'r>>> = requests
        .iter()
        .zip(&sources)
        .map(|(request, sources)| copy_reads(request, sources, with))
        .collect();
    let mut copies = read_all(reader, wanted.iter().flatten().cloned().collect())
        .await
        .into_iter();
    let parts: Vec<Vec<SharedAnswer>> = wanted
        .iter()
        .map(|reads| copies.by_ref().take(reads.len()).collect())
        .collect();
    let answers = requests.into_iter().zip(sources).zip(parts);
    answers
        .map(|((request, sources), parts)| {
            let copies = match sources.as_ref() {
                Ok(_) => Arc::unwrap_or_clone(together(parts)),
                Err(error) => Err(error.clone()),
            };
            (request, sources, copies)
        })
        .collect()
}

/// Returns the reads that find the copies of these sources.
fn copy_reads<'r>(
    request: &'r Request,
    sources: &Answer<Vec<Artifact>>,
    with: &WithCopies,
) -> Vec<Read<'r>> {
    let Ok(sources) = sources else {
        return Vec::new();
    };
    let named: BTreeSet<ArtifactId> = sources
        .iter()
        .filter_map(|source| copy_named_by(source, &request.destination.region))
        .collect();
    let of_sources = match (with, &request.queries.sources) {
        (WithCopies::NamedBySources, _) => Vec::new(),
        // The copies of a source are known by its id, also when it is gone itself.
        (WithCopies::OfSources, Query::ByIds(ids)) => ids.clone(),
        (WithCopies::OfSources, _) => sources.iter().map(|source| source.id.clone()).collect(),
    };
    let of_sources = Query::CopiesOf {
        region: request.source.region.clone(),
        ids: of_sources,
    };
    [of_sources, Query::ByIds(named.into_iter().collect())]
        .into_iter()
        .filter(|query| !query.is_empty())
        .map(|query| Read {
            at: &request.destination,
            kind: request.kind,
            query,
        })
        .collect()
}

/// Reads everything that the destinations have from the source regions, once for all jobs.
async fn copied_from(
    reader: &Reader<'_>,
    requests: &[Request],
) -> HashMap<(Location, Region), Answer<Vec<Artifact>>> {
    let by_source = requests
        .iter()
        .filter(|request| request.queries.copies == CopiesQuery::BySource)
        .map(|request| {
            (
                (&request.destination, &request.source.region, request.kind),
                (),
            )
        });
    let wanted: Vec<(&Location, &Region, Kind)> =
        by_key(by_source).into_iter().map(|(key, _)| key).collect();
    let reads = wanted.iter().map(|(at, region, kind)| Read {
        at,
        kind: *kind,
        query: Query::CopiedFrom((*region).clone()),
    });
    let answers = read_all(reader, reads.collect()).await;
    let keys = wanted
        .iter()
        .map(|(at, region, _)| ((*at).clone(), (*region).clone()));
    keys.zip(answers.into_iter().map(Arc::unwrap_or_clone))
        .collect()
}
