//! Copies in progress, which end as the clock advances.

use jiff::{SignedDuration, Timestamp};

use super::contents::{Copying, WorldArtifact};
use super::world::World;
use crate::model::artifact::ArtifactState;
use crate::model::ids::Region;

impl World {
    /// Advances the clock, and ends the copies that are due by then.
    pub fn advance(&mut self, by: SignedDuration) {
        self.now = later(self.now, by);
        self.settle();
    }

    /// Ends the copies that are due: they become available or fail. A copy that was given another state meanwhile keeps it.
    pub fn settle(&mut self) {
        let now = self.now;
        for region in self.regions.values_mut() {
            for artifact in region.images.iter_mut().chain(&mut region.snapshots) {
                let ended = artifact.copying.take_if(|copying| copying.until <= now);
                if let Some(ended) = ended.filter(|_| artifact.state.is_being_copied()) {
                    end(artifact, ended);
                }
            }
        }
    }

    /// Starts a copy into a region. It will fail if that is planned for the region, or for the reason given.
    pub(super) fn start_copy(&mut self, into: &Region, failure: Option<String>) -> Copying {
        let mut planned = self.fail_next_copies.iter();
        let planned = planned.position(|planned| planned.region == *into);
        let planned = planned.map(|at| self.fail_next_copies.remove(at).reason);
        let seconds = i64::try_from(self.copy_seconds).unwrap_or(i64::MAX);
        Copying {
            since: self.now,
            until: later(self.now, SignedDuration::from_secs(seconds)),
            fails: planned.or(failure),
        }
    }
}

fn end(copy: &mut WorldArtifact, ended: Copying) {
    if ended.fails.is_some() {
        copy.state = ArtifactState::from("failed");
        copy.state_reason = ended.fails;
    } else {
        copy.state = ArtifactState::available();
        copy.created.get_or_insert(ended.until);
    }
}

/// Returns a later time, at most the latest that can be represented.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
