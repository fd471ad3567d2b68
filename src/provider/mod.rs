//! The world behind one narrow trait: what xrs asks of AWS, and the five things it does to it.

#[cfg(feature = "aws")]
pub mod aws;
mod logged;
pub mod sandbox;

use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use crate::model::Tags;
use crate::model::action::{CopyImage, CopySnapshot, Resource};
use crate::model::client_config::Place;
use crate::model::id::{DbInstance, ImageId, Region, SnapshotId};
use crate::model::inventory::{CallerIdentity, Image, Looked, ProviderKind, Snapshot};
use crate::model::job::ImageSelector;

pub use logged::Logged;

/// Values that all filters of one read of images may have together; EC2 answers `FilterLimitExceeded` to more.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
pub const IMAGE_VALUES_PER_READ: usize = 200;

/// Databases whose automated snapshots one read asks for. A page holds 100 snapshots, and pages come one after the other
/// while reads go side by side: so many databases that keep a week of snapshots, as the console suggests, make one page.
pub const SOURCES_PER_READ: usize = 14;

/// Databases whose manual snapshots one read asks for: with three copies of each, what xrs keeps unless told otherwise,
/// there is room left on a page. RDS documents no limit for the values of a filter.
pub const COPIED_DATABASES_PER_READ: usize = 25;

/// Snapshots that one read asks for by identifier: a page holds so many.
pub const SNAPSHOTS_PER_READ: usize = 100;

/// A world that can be looked at and written to.
///
/// Reads follow every page and leave out what is not there: an absence is an empty answer, an error is anything else.
/// They take lists, never empty ones. A longer one may also fail, as `invalid` or `absent`, for the sake of one thing on it: then a
/// shorter one may fare better. One provider serves a whole run and keeps its clients by place.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What kind of world this is.
    fn kind(&self) -> ProviderKind;

    /// The only clock (UTC).
    fn now(&self) -> Timestamp;

    /// The only sleep; a sandbox moves its clock on and returns at once.
    async fn pause(&self, length: Duration);

    /// As whom these credentials act.
    async fn caller_identity(&self, at: &Place) -> Looked<CallerIdentity>;

    /// The images that a selector meets, in every state that AWS lists.
    async fn source_images(&self, at: &Place, selector: &ImageSelector) -> Looked<Vec<Image>>;

    /// Images by id, disabled ones included.
    async fn images(&self, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>>;

    /// Images of the caller's own that AWS or their sync tag ties to one of these images of another region,
    /// disabled ones included.
    async fn image_copies(&self, at: &Place, from: &Region, of: &[ImageId]) -> Looked<Vec<Image>>;

    /// Images of the caller's own that AWS or the key of their sync tag says come from another region, whatever they
    /// are of, disabled ones included: what can be known of copies while that region does not answer.
    async fn images_from(&self, at: &Place, from: &Region) -> Looked<Vec<Image>>;

    /// The automated snapshots of these databases, in every state.
    async fn automated_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>>;

    /// The manual snapshots, which copies are, of databases of these names, in every state. Where the region has no
    /// such database, that may be refused as `absent`.
    async fn manual_snapshots(&self, at: &Place, of: &[DbInstance]) -> Looked<Vec<Snapshot>>;

    /// The manual snapshots of a whole region.
    async fn all_manual_snapshots(&self, at: &Place) -> Looked<Vec<Snapshot>>;

    /// Manual snapshots by identifier, whichever database they are of.
    async fn snapshots(&self, at: &Place, ids: &[SnapshotId]) -> Looked<Vec<Snapshot>>;

    /// Has an image copied into the region `at`, with its tags, and gives the id of the copy. The same token
    /// with the same request gives the same copy.
    async fn copy_image(&self, at: &Place, copy: &CopyImage, client_token: &str)
    -> Looked<ImageId>;

    /// Has a DB snapshot copied into the region `at`, with its tags, and gives the identifier of the copy.
    async fn copy_snapshot(&self, at: &Place, copy: &CopySnapshot) -> Looked<SnapshotId>;

    /// Writes tags; others stay as they are.
    async fn tag(&self, at: &Place, resource: &Resource, tags: &Tags) -> Looked<()>;

    /// Deletes a manual snapshot.
    async fn delete_snapshot(&self, at: &Place, id: &SnapshotId) -> Looked<()>;
}

/// Runs futures side by side, at most `limit` at a time, and gives their outputs in the order of the list.
pub async fn side_by_side<F: Future>(limit: usize, futures: Vec<F>) -> Vec<F::Output> {
    // As each ends the next begins, or a slow one would hold up those behind it.
    let numbered = futures.into_iter().enumerate();
    let numbered = numbered.map(|(number, future)| async move { (number, future.await) });
    let running = stream::iter(numbered).buffer_unordered(limit.max(1));
    let mut outputs: Vec<_> = running.collect().await;
    outputs.sort_by_key(|(number, _)| *number);
    outputs.into_iter().map(|(_, output)| output).collect()
}
