//! Reads what jobs need, in batches. Answers and errors go into the [`Inventory`].
//!
//! Jobs at the same location share their reads, so that the number of calls follows the number of pages and not the number of jobs.
//! If a read fails, only the jobs that it was made for fail.

mod batch;
mod reader;
mod references;
mod request;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::{join, join_all, join3, join4};
use smol_str::SmolStr;

use crate::model::artifact::Artifact;
use crate::model::groups::grouped;
use crate::model::identity::{copy_named_by, own_option_group};
use crate::model::ids::{ArtifactId, JobName, ParentId, Region};
use crate::model::inventory::{
    AccountLimits, Answer, CallerIdentity, DestinationInventory, Inventory, Observation,
    ObservedCopies,
};
use crate::model::location::Location;
use crate::model::query::Query;
use crate::provider::Provider;
use batch::{Read, read_all, together};
use reader::Reader;
use references::{deletion_candidates, read_references};

pub use request::{CopyRequest, References, Request};

/// Reads all that is requested, with at most `parallelism` reads at a time. The longest chain is three reads: sources, then their
/// copies, then the resources that use the copies.
pub async fn observe(
    provider: &dyn Provider,
    requests: &[Request],
    parallelism: usize,
) -> Inventory {
    let reader = Reader::new(provider, parallelism, locations(requests));
    inventory(&reader, requests, &WithCopies::OfSources).await
}

/// Reads the same as [`observe`], but reads each destination independently, so that a source region that does not answer has no
/// effect on it.
pub async fn observe_destinations(
    provider: &dyn Provider,
    requests: &[Request],
    parallelism: usize,
) -> DestinationInventory {
    let reader = Reader::new(provider, parallelism, locations(requests));
    let (inventory, copied_from) = join(
        inventory(&reader, requests, &WithCopies::NamedBySources),
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
    let reads = requests.iter().map(|request| {
        let (at, kind) = (&request.at, request.kind);
        let query = Query::ByIds(vec![request.id.clone()]);
        (request.job.clone(), Read { at, kind, query })
    });
    read_all(&reader, reads).await
}

/// Reads the caller's identity, once for each location. The destination region is asked, because nothing can be done there unless
/// it answers. A region that does not answer therefore affects only its own jobs.
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
    let locations = grouped(locations.into_iter().map(|location| (location, ())));
    let reads = locations.into_iter().map(|(location, _)| async move {
        let read = reader.provider.caller_identity(location);
        (location.clone(), reader.in_turn(location, read).await)
    });
    join_all(reads).await.into_iter().collect()
}

/// Reads the limits of each destination once, for jobs of kinds that have a limit.
async fn read_limits<'r>(
    reader: &Reader<'_>,
    requests: &'r [Request],
) -> HashMap<&'r Location, Answer<AccountLimits>> {
    let requests = requests.iter();
    let limited = requests
        .filter(|request| request.is_for_plan && request.kind.facts().account_quota.is_some());
    let locations = grouped(limited.map(|request| (&request.destination, ())));
    let reads = locations.into_iter().map(|(at, _)| async move {
        let read = reader.provider.account_limits(at);
        (at, reader.in_turn(at, read).await)
    });
    join_all(reads).await.into_iter().collect()
}

/// What was found for one job.
struct Found<'r> {
    request: &'r Request,
    sources: Answer<Vec<Artifact>>,
    copies: Answer<Vec<Artifact>>,
    cluster: Option<ParentId>,
    options: BTreeMap<SmolStr, Answer<Vec<String>>>,
}

/// Returns the database that a job found no snapshots of, if it may be a member of a cluster.
fn possible_member<'r>(
    request: &'r Request,
    sources: &HashMap<&'r JobName, Answer<Vec<Artifact>>>,
) -> Option<&'r ParentId> {
    let is_planned = request.is_for_plan && request.kind.facts().parent_may_be_in_cluster;
    let found = sources.get(&request.job)?.as_ref().ok()?;
    match &request.queries.sources {
        Query::Automated(parents) if is_planned && found.is_empty() => parents.first(),
        _ => None,
    }
}

/// Reads which clusters the databases without snapshots are members of, once for each database. Ignores reads that fail: the
/// cluster only improves an error message.
async fn read_clusters<'r>(
    reader: &Reader<'_>,
    requests: &[&'r Request],
    sources: &HashMap<&'r JobName, Answer<Vec<Artifact>>>,
) -> HashMap<(&'r Location, &'r ParentId), ParentId> {
    let members = requests.iter().filter_map(|request| {
        let database = possible_member(request, sources)?;
        Some(((&request.source, database), ()))
    });
    let reads = grouped(members)
        .into_iter()
        .map(|((at, database), _)| async move {
            let read = reader.provider.cluster_of(at, database);
            let cluster = reader.in_turn(at, read).await.ok().flatten()?;
            Some(((at, database), cluster))
        });
    join_all(reads).await.into_iter().flatten().collect()
}

/// Reads the options of the option groups that sources have, once for each.
async fn read_options<'r>(
    reader: &Reader<'_>,
    requests: &[&'r Request],
    sources: &HashMap<&'r JobName, Answer<Vec<Artifact>>>,
) -> HashMap<(&'r Location, SmolStr), Answer<Vec<String>>> {
    let planned = requests.iter().filter(|request| request.is_for_plan);
    let groups = planned.flat_map(|request| {
        let sources = sources.get(&request.job).into_iter().flatten().flatten();
        let groups = sources.filter_map(own_option_group);
        groups.map(|group| ((&request.source, group.clone()), ()))
    });
    let reads = grouped(groups)
        .into_iter()
        .map(|((at, group), _)| async move {
            let read = reader.provider.required_options(at, &group);
            let answer = reader.in_turn(at, read).await;
            ((at, group), answer)
        });
    join_all(reads).await.into_iter().collect()
}

async fn inventory(reader: &Reader<'_>, requests: &[Request], with: &WithCopies) -> Inventory {
    let observed_at = reader.provider.now();
    let destinations = requests.iter().map(|request| &request.destination);
    // Copies that are found by their sources follow each source region as soon as it has answered.
    let groups = grouped(requests.iter().map(|request| {
        let is_by_source = request.queries.copies.is_by_source();
        (is_by_source.then_some(&request.source), request)
    }));
    let groups = groups.into_iter();
    let found = groups.map(|(_, requests)| find(reader, requests, with));
    let with_limits = match with {
        WithCopies::OfSources => requests,
        WithCopies::NamedBySources => &[],
    };
    let independent = requests.iter().filter_map(|request| {
        let copies = &request.queries.copies;
        let is_needed = !copies.is_by_source() || matches!(with, WithCopies::OfSources);
        let query = copies.independent().filter(|_| is_needed)?;
        Some(read(request, &request.destination, query.clone()))
    });
    let (identities, limits, mut independent, found) = join4(
        read_identities(reader, destinations),
        read_limits(reader, with_limits),
        read_all(reader, independent),
        join_all(found),
    )
    .await;
    let found = found.into_iter().flatten().map(|found| {
        let independent = independent.remove(&found.request.job);
        let copies = match (independent, found.copies) {
            (None, copies) => copies,
            // If copies are found in this way only, it does not matter whether there are sources.
            (Some(copies), _) if !found.request.queries.copies.is_by_source() => copies,
            (Some(some), more) => together(vec![Arc::new(some), Arc::new(more)]),
        };
        Found { copies, ..found }
    });
    let found: Vec<Found<'_>> = found.collect();
    let with_references = match with {
        WithCopies::OfSources => found.as_slice(),
        WithCopies::NamedBySources => &[],
    };
    let wanted = with_references.iter().flat_map(|found| {
        let at = &found.request.destination;
        deletion_candidates(found.request, &found.copies).map(move |id| (at, id))
    });
    let references = read_references(reader, wanted).await;
    let jobs = found.into_iter().filter_map(|found| {
        let request = found.request;
        let deletion_candidates = deletion_candidates(request, &found.copies);
        let references = deletion_candidates.filter_map(|id| {
            let answer = references.get(&(&request.destination, id.clone()))?;
            Some((id, answer.clone()))
        });
        let limit = match limits.get(&request.destination) {
            Some(Ok(limits)) => limits.get(&request.kind).copied().map(Ok),
            Some(Err(error)) if request.kind.facts().account_quota.is_some() => {
                Some(Err(error.clone()))
            }
            Some(Err(_)) | None => None,
        };
        let observation = Observation {
            identity: identities.get(&request.destination)?.clone(),
            limit,
            sources: found.sources,
            references: references.collect(),
            cluster: found.cluster,
            copies: found.copies,
            options: found.options,
        };
        Some((request.job.clone(), observation))
    });
    Inventory {
        provider: reader.provider.kind(),
        observed_at,
        jobs: jobs.collect(),
    }
}

/// Which copies to read if they are found by their sources.
enum WithCopies {
    /// Whatever AWS or a tag ties to the sources.
    OfSources,
    /// Only those that the sources' own tags name.
    NamedBySources,
}

/// Reads sources, and the copies that are found by them. If the sources can't be read, neither can these copies.
async fn find<'r>(
    reader: &Reader<'_>,
    requests: Vec<&'r Request>,
    with: &WithCopies,
) -> Vec<Found<'r>> {
    let is_wanted = |(_, read): &(_, Read<'_>)| !read.query.is_empty();
    let sources = requests
        .iter()
        .map(|request| read(request, &request.source, request.queries.sources.clone()))
        .filter(is_wanted);
    let mut sources = read_all(reader, sources).await;
    let dependent = requests
        .iter()
        .filter_map(|request| match sources.get(&request.job)? {
            Ok(sources) if request.queries.copies.is_by_source() => {
                Some(copy_reads(request, sources, with))
            }
            _ => None,
        });
    let dependent: Vec<_> = dependent.flatten().collect();
    let (mut copies, options, clusters) = join3(
        read_all(reader, dependent),
        read_options(reader, &requests, &sources),
        read_clusters(reader, &requests, &sources),
    )
    .await;
    let found = requests.into_iter().map(|request| {
        let database = possible_member(request, &sources);
        let cluster = database.and_then(|database| clusters.get(&(&request.source, database)));
        let cluster = cluster.cloned();
        // Requests that need no source have an empty list.
        let sources = sources.remove(&request.job).unwrap_or(Ok(Vec::new()));
        let nothing = || sources.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
        let copies = copies.remove(&request.job).unwrap_or_else(nothing);
        let groups = sources.iter().flatten().filter_map(own_option_group);
        let options = groups.filter_map(|group| {
            let options = options.get(&(&request.source, group.clone()))?;
            Some((group.clone(), options.clone()))
        });
        Found {
            request,
            cluster,
            options: options.collect(),
            sources,
            copies,
        }
    });
    found.collect()
}

fn read<'r>(request: &'r Request, at: &'r Location, query: Query) -> (&'r JobName, Read<'r>) {
    let kind = request.kind;
    (&request.job, Read { at, kind, query })
}

/// Returns the reads that find the copies of these sources.
fn copy_reads<'r>(
    request: &'r Request,
    sources: &[Artifact],
    with: &WithCopies,
) -> impl Iterator<Item = (&'r JobName, Read<'r>)> {
    let destination = &request.destination;
    let named: BTreeSet<ArtifactId> = sources
        .iter()
        .filter_map(|source| copy_named_by(source, &destination.region))
        .collect();
    let of_sources = match (with, &request.queries.sources) {
        (WithCopies::NamedBySources, _) => Vec::new(),
        // The copies of a source are known by its id, even when the source itself is gone.
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
        .map(|query| read(request, destination, query))
}

/// Reads everything that the destinations have from the source regions, once for all jobs.
async fn copied_from(
    reader: &Reader<'_>,
    requests: &[Request],
) -> HashMap<(Location, Region), Answer<Vec<Artifact>>> {
    let by_source = requests
        .iter()
        .filter(|request| request.queries.copies.is_by_source());
    let wanted = by_source.map(|request| {
        let (at, region) = (&request.destination, &request.source.region);
        ((at, region, request.kind), ())
    });
    let reads = grouped(wanted).into_iter().map(|((at, region, kind), _)| {
        let query = Query::CopiedFrom(region.clone());
        ((at.clone(), region.clone()), Read { at, kind, query })
    });
    read_all(reader, reads).await
}
