//! Which reads the jobs need; answers and errors go into the [`Inventory`].

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::join;

use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, JobName};
use crate::model::inventory::{CallerIdentity, Found, Image, Inventory, Looked, Observation};
use crate::model::job::{ImageSelector, JobKind, SyncJob};
use crate::model::lineage::copy_named_by_source;
use crate::model::plan;
use crate::provider::{Provider, side_by_side};

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

/// Looks at all of it, at most `parallelism` jobs side by side. Who is calling is asked once for all jobs of
/// the same credentials and destination, while the rest is under way.
pub async fn observe(provider: &dyn Provider, looks: &[Look], parallelism: usize) -> Inventory {
    let observed_at = provider.now();
    let (identities, found) = join(
        identities(provider, looks, parallelism),
        side_by_side(
            parallelism,
            looks.iter().map(|look| find(provider, look)).collect(),
        ),
    )
    .await;
    let jobs = looks
        .iter()
        .zip(found)
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

/// Who is calling; asked once in each destination, which has to answer for anything to be done there, and for
/// nothing elsewhere.
async fn identities(
    provider: &dyn Provider,
    looks: &[Look],
    parallelism: usize,
) -> HashMap<Place, Looked<CallerIdentity>> {
    let mut met = HashSet::new();
    let callers: Vec<&Place> = looks
        .iter()
        .map(|look| &look.destination)
        .filter(|place| met.insert(*place))
        .collect();
    let answers = side_by_side(
        parallelism,
        callers
            .iter()
            .map(|place| provider.caller_identity(place))
            .collect(),
    )
    .await;
    callers.into_iter().cloned().zip(answers).collect()
}

async fn find(provider: &dyn Provider, look: &Look) -> Found {
    match &look.subject {
        Subject::Images(selector) => {
            let source = provider.source_images(&look.source, selector).await;
            let copies = image_copies(provider, look, &source).await;
            Found::Images { source, copies }
        }
        Subject::Image(id) => {
            let source = provider
                .images(&look.source, std::slice::from_ref(id))
                .await;
            let copies = match &source {
                // Its copies are known by its id, also when it is gone itself.
                Ok(images) if images.is_empty() => {
                    provider
                        .image_copies(
                            &look.destination,
                            &look.source.region,
                            std::slice::from_ref(id),
                        )
                        .await
                }
                source => image_copies(provider, look, source).await,
            };
            Found::Images { source, copies }
        }
        Subject::Snapshots(database) => {
            let (source, copies) = join(
                provider.automated_snapshots(&look.source, std::slice::from_ref(database)),
                provider.manual_snapshots(&look.destination, std::slice::from_ref(database)),
            )
            .await;
            Found::Snapshots { source, copies }
        }
    }
}

/// Whatever may be a copy of one of the source images. Where those could not be seen, neither could these.
async fn image_copies(
    provider: &dyn Provider,
    look: &Look,
    source: &Looked<Vec<Image>>,
) -> Looked<Vec<Image>> {
    let source = source.as_ref().map_err(Clone::clone)?;
    let ids: Vec<ImageId> = source.iter().map(|image| image.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let destination = &look.destination;
    let named: Vec<ImageId> = source
        .iter()
        .filter_map(|image| copy_named_by_source(image, &destination.region))
        .collect();
    let (tied, named) = join(
        provider.image_copies(destination, &look.source.region, &ids),
        async {
            match named.as_slice() {
                [] => Ok(Vec::new()),
                named => provider.images(destination, named).await,
            }
        },
    )
    .await;
    let by_id: BTreeMap<ImageId, Image> = tied?
        .into_iter()
        .chain(named?)
        .map(|image| (image.id.clone(), image))
        .collect();
    Ok(by_id.into_values().collect())
}
