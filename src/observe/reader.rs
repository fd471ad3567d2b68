//! Reads that wait for their turn.

use std::collections::HashMap;

use tokio::sync::Semaphore;

use crate::model::artifact::Artifact;
use crate::model::ids::Region;
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::query::Query;
use crate::provider::Provider;

/// The number of concurrent reads in one region. AWS throttles by account and region: EC2 sustains twenty filtered reads per
/// second; RDS states no number. Besides, a region that does not answer must leave turns to the others.
/// See <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>.
const READS_PER_REGION: usize = 8;

/// A provider with a limit on concurrent reads.
pub(super) struct Reader<'a> {
    pub(super) provider: &'a dyn Provider,
    turns: Semaphore,
    turns_by_region: HashMap<&'a Region, Semaphore>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        provider: &'a dyn Provider,
        parallelism: usize,
        locations: impl IntoIterator<Item = &'a Location>,
    ) -> Self {
        let regions = locations.into_iter().map(|location| &location.region);
        Self {
            provider,
            turns: Semaphore::new(parallelism.max(1)),
            turns_by_region: regions
                .map(|region| (region, Semaphore::new(READS_PER_REGION)))
                .collect(),
        }
    }

    /// Makes a read when it is its turn, in its region and overall.
    pub(super) async fn in_turn<T>(
        &self,
        at: &Location,
        read: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        // The region comes first: a read that waits for its region must not keep the others from their turn.
        let _in_region = match self.turns_by_region.get(&at.region) {
            Some(turns) => turns.acquire().await.ok(),
            None => None,
        };
        let _overall = self.turns.acquire().await;
        read.await
    }

    /// Finds what a query asks for, when it is its turn.
    pub(super) async fn find(
        &self,
        at: &Location,
        kind: Kind,
        query: &Query,
    ) -> Answer<Vec<Artifact>> {
        self.in_turn(at, self.provider.find(at, kind, query)).await
    }
}
