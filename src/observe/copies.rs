//! Copies that are known already, looked at again by their ids.

use std::collections::{BTreeSet, HashMap};

use futures::future::join;

use super::images::images;
use super::reader::{Reader, together};
use super::snapshots::named;
use crate::model::client_config::Place;
use crate::model::id::{ImageId, JobName, SnapshotId};
use crate::model::inventory::Found;
use crate::model::job::SyncType;

/// Copies of a job to be looked at again.
pub struct Again {
    /// The job that wants to know.
    pub job: JobName,
    /// What they are copies of.
    pub sync_type: SyncType,
    /// Where they are.
    pub at: Place,
    /// Their ids.
    pub ids: BTreeSet<String>,
}

/// The copies as they are now; nothing is said of sources.
pub(super) async fn look_again(
    reader: &Reader<'_>,
    at: &Place,
    again: &[Again],
) -> HashMap<JobName, Found> {
    let ids = |of: SyncType| {
        let jobs = again.iter().filter(move |again| again.sync_type == of);
        jobs.flat_map(|again| again.ids.iter().map(String::as_str))
    };
    let (of_images, of_snapshots) = join(
        images(reader, at, ids(SyncType::Ec2Ami).map(ImageId::from)),
        named(
            reader,
            at,
            ids(SyncType::RdsAutomatedSnapshot).map(SnapshotId::from),
        ),
    )
    .await;
    let found = again.iter().map(|again| {
        let ids = again.ids.iter().map(String::as_str);
        let found = match again.sync_type {
            SyncType::Ec2Ami => Found::Images {
                source: Ok(Vec::new()),
                copies: together(&of_images, &ids.map(ImageId::from).collect::<Vec<_>>()),
            },
            SyncType::RdsAutomatedSnapshot => Found::Snapshots {
                source: Ok(Vec::new()),
                copies: together(
                    &of_snapshots,
                    &ids.map(SnapshotId::from).collect::<Vec<_>>(),
                ),
            },
        };
        (again.job.clone(), found)
    });
    found.collect()
}
