//! Copies that are known already, looked at again by their ids.

use std::collections::{BTreeSet, HashMap};

use futures::future::join;

use super::images::images;
use super::reader::{Reader, together};
use super::snapshots::named;
use crate::model::client_config::Place;
use crate::model::id::{ImageId, JobName, SnapshotId};
use crate::model::inventory::{Found, Looked};

/// What was found for a job, and of its copies those to look at again.
pub struct Again {
    /// The job that wants to know.
    pub job: JobName,
    /// Its destination.
    pub at: Place,
    /// What was found before. Copies that could not be looked at are not known by looking at some of them.
    pub found: Found,
    /// The ids of copies.
    pub copies: BTreeSet<String>,
}

/// What is found now for each of the jobs of a destination.
pub(super) async fn look_again(
    reader: &Reader<'_>,
    at: &Place,
    again: &[Again],
) -> HashMap<JobName, Found> {
    let ids = |of_images: bool| {
        let jobs = again
            .iter()
            .filter(move |again| matches!(again.found, Found::Images { .. }) == of_images);
        jobs.flat_map(|again| again.copies.iter().map(String::as_str))
    };
    let (of_images, of_snapshots) = join(
        images(reader, at, ids(true).map(ImageId::from)),
        named(reader, at, ids(false).map(SnapshotId::from)),
    )
    .await;
    let found_now = again.iter().map(|again| {
        let ids = &again.copies;
        let found = match again.found.clone() {
            Found::Images { source, copies } => {
                let asked: Vec<ImageId> = ids.iter().map(|id| id.as_str().into()).collect();
                let now = together(&of_images, &asked);
                let copies = renewed(copies, now, |image| ids.contains(image.id.as_str()));
                Found::Images { source, copies }
            }
            Found::Snapshots { source, copies } => {
                let asked: Vec<SnapshotId> = ids.iter().map(|id| id.as_str().into()).collect();
                let now = together(&of_snapshots, &asked);
                let copies = renewed(copies, now, |copy| ids.contains(copy.id.as_str()));
                Found::Snapshots { source, copies }
            }
        };
        (again.job.clone(), found)
    });
    found_now.collect()
}

/// Those that were not asked for as they were, and the others as they are now.
fn renewed<T>(
    before: Looked<Vec<T>>,
    now: Looked<Vec<T>>,
    is_asked: impl Fn(&T) -> bool,
) -> Looked<Vec<T>> {
    let others = before?.into_iter().filter(|copy| !is_asked(copy));
    Ok(others.chain(now?).collect())
}
