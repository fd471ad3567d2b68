//! Which reads the jobs need, in batches; answers and errors go into the [`Inventory`].
//!
//! Jobs that look at the same place share their reads, so that the number of calls follows the pages of what is
//! there and not the number of jobs. A read that fails is the failure of the jobs it was made for and of no other.

mod copies;
mod destination_images;
mod images;
mod reader;
mod snapshots;

use std::collections::HashMap;
use std::hash::Hash;

use futures::future::{join, join_all, join3};

use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, JobName};
use crate::model::inventory::{
    CallerIdentity, Destinations, Found, Inventory, Looked, Observation,
};
use crate::model::job::{ImageSelector, JobKind, SyncJob};
use crate::model::plan;
use crate::provider::Provider;

pub use copies::Again;
use reader::Reader;

/// What is to be looked at for one job.
#[derive(Clone, Debug)]
pub struct Look {
    /// The job that wants to know.
    pub job: JobName,
    /// Its source region.
    pub source: Place,
    /// Its destination region.
    pub destination: Place,
    /// What to look for there.
    pub subject: Subject,
}

/// What a job is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The images a selector meets, and their copies.
    Images(ImageSelector),
    /// One image, and its copies.
    Image(ImageId),
    /// The automated snapshots of a database, and their copies.
    Snapshots(DbInstance),
}

impl Look {
    /// What planning `job` needs to see.
    pub fn of_job(job: &SyncJob) -> Self {
        let subject = match &job.kind {
            JobKind::Ami(ami) => Subject::Images(ami.selector.clone()),
            JobKind::Snapshot(snapshot) => Subject::Snapshots(snapshot.db_instance.clone()),
        };
        Self {
            job: job.name.clone(),
            source: job.source(),
            destination: job.destination(),
            subject,
        }
    }
}

impl From<&plan::Subject> for Subject {
    fn from(subject: &plan::Subject) -> Self {
        match subject {
            plan::Subject::Image(id) => Self::Image(id.clone()),
            plan::Subject::Database(database) => Self::Snapshots(database.clone()),
        }
    }
}

/// Looks at all of it, with at most `parallelism` reads under way at a time. The longest chain of reads is two: the
/// images of a source, then their copies.
pub async fn observe(provider: &dyn Provider, looks: &[Look], parallelism: usize) -> Inventory {
    let reader = Reader::new(provider, parallelism);
    inventory(&reader, looks, images::find(&reader, looks)).await
}

/// The same, but each destination is read on its own account, whether or not the source region answers.
pub async fn observe_destinations(
    provider: &dyn Provider,
    looks: &[Look],
    parallelism: usize,
) -> Destinations {
    let reader = Reader::new(provider, parallelism);
    let (inventory, images) = join(
        inventory(
            &reader,
            looks,
            destination_images::find_named(&reader, looks),
        ),
        destination_images::find(&reader, looks),
    )
    .await;
    Destinations { inventory, images }
}

/// Looks at known copies again, by their ids: a request for as many as fit in one, to their destination alone.
pub async fn observe_copies(
    provider: &dyn Provider,
    again: Vec<Again>,
    parallelism: usize,
) -> HashMap<JobName, Found> {
    let reader = Reader::new(provider, parallelism);
    let by_destination = by_key(again.into_iter().map(|again| (again.at.clone(), again)));
    let reads = by_destination
        .iter()
        .map(|(at, again)| copies::look_again(&reader, at, again));
    let found = join_all(reads).await.into_iter().flatten();
    found.collect()
}

/// What was seen, with the images as `images` finds them.
async fn inventory<'l>(
    reader: &Reader<'_>,
    looks: &'l [Look],
    images: impl Future<Output = Vec<(&'l Look, Found)>>,
) -> Inventory {
    let provider = reader.provider;
    let observed_at = provider.now();
    let destinations = looks.iter().map(|look| &look.destination);
    let (identities, images, snapshots) = join3(
        identities_with(reader, destinations),
        images,
        snapshots::find(reader, looks),
    )
    .await;
    let jobs = images
        .into_iter()
        .chain(snapshots)
        .filter_map(|(look, found)| {
            let identity = identities.get(&look.destination)?.clone();
            Some((look.job.clone(), Observation { identity, found }))
        })
        .collect();
    Inventory {
        provider: provider.kind(),
        observed_at,
        jobs,
    }
}

/// Who is calling. It is asked once in each place, for jobs of the same credentials and destination have one answer;
/// and in the destination, which has to answer for anything to be done there, so that a region that does not answer
/// is no matter to jobs of other regions.
pub async fn identities<'p>(
    provider: &dyn Provider,
    places: impl IntoIterator<Item = &'p Place>,
    parallelism: usize,
) -> HashMap<Place, Looked<CallerIdentity>> {
    identities_with(&Reader::new(provider, parallelism), places).await
}

async fn identities_with<'p>(
    reader: &Reader<'_>,
    places: impl IntoIterator<Item = &'p Place>,
) -> HashMap<Place, Looked<CallerIdentity>> {
    let reads = by_key(places.into_iter().map(|place| (place, ())))
        .into_iter()
        .map(|(place, _)| async move {
            let read = reader.provider.caller_identity(place);
            (place.clone(), reader.in_turn(place, read).await)
        });
    join_all(reads).await.into_iter().collect()
}

/// The values of each key, keys and values in the order in which they come.
fn by_key<K: Eq + Hash + Clone, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (key, value) in pairs {
        let next = groups.len();
        match groups.get_mut(*places.entry(key.clone()).or_insert(next)) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
