//! Reads that wait for their turn, and reads of many things at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::model::artifact::Artifact;
use crate::model::ids::Region;
use crate::model::inventory::Answer;
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::query::Query;
use crate::provider::Provider;

/// Reads at a time in one region. AWS throttles by account and region: EC2 sustains twenty filtered reads a second, RDS states
/// no number. Besides, a region that does not answer must leave turns to the others.
/// See <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>.
const READS_PER_REGION: usize = 8;

/// An answer that several reads may share.
pub(super) type SharedAnswer = Arc<Answer<Vec<Artifact>>>;

/// What was found for each key.
pub(super) type Answers = HashMap<String, SharedAnswer>;

/// A provider, and how many reads of it run at a time.
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

/// Finds what belongs to these keys, `most` keys at a time. A read that AWS refuses, perhaps because of one key, is halved until it
/// is clear which key that is: at most twice as many reads as there are keys.
pub(super) async fn find_by_keys(
    keys: impl IntoIterator<Item = String>,
    most: usize,
    find: impl AsyncFn(Vec<String>) -> Answer<Vec<Artifact>>,
    keys_of: impl Fn(&Artifact) -> Vec<String>,
) -> Answers {
    // In order and each once, so that the reads do not depend on which job comes first.
    let keys: BTreeSet<String> = keys.into_iter().collect();
    let keys: Vec<String> = keys.into_iter().collect();
    let mut batches: Vec<Vec<String>> = keys.chunks(most.max(1)).map(<[_]>::to_vec).collect();
    let mut answers = Answers::new();
    while !batches.is_empty() {
        let found = join_all(batches.iter().map(|batch| find(batch.clone()))).await;
        let mut halves = Vec::new();
        for (batch, answer) in batches.into_iter().zip(found) {
            match answer {
                Err(error) if batch.len() > 1 && is_perhaps_due_to_one(&error) => {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    halves.extend([first.to_vec(), second.to_vec()]);
                }
                answer => answers.extend(distribute(batch, answer, &keys_of)),
            }
        }
        batches = halves;
    }
    answers
}

/// Returns true if the read itself was refused, so that a shorter one may succeed. That is not so if the call failed before it
/// was made: if a role could not be assumed, for example.
fn is_perhaps_due_to_one(error: &ProviderError) -> bool {
    let is_the_read = error.call.starts_with("Describe");
    is_the_read && matches!(error.class, ErrorClass::Invalid | ErrorClass::Absent)
}

/// Gives each key of a batch what belongs to it.
fn distribute(
    batch: Vec<String>,
    answer: Answer<Vec<Artifact>>,
    keys_of: impl Fn(&Artifact) -> Vec<String>,
) -> Answers {
    let nothing = answer.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
    let parts = batch.into_iter().map(|key| (key, nothing.clone()));
    let mut parts: HashMap<String, Answer<Vec<Artifact>>> = parts.collect();
    for artifact in answer.into_iter().flatten() {
        for key in keys_of(&artifact) {
            if let Some(Ok(part)) = parts.get_mut(&key) {
                part.push(artifact.clone());
            }
        }
    }
    let answers = parts.into_iter();
    answers.map(|(key, part)| (key, Arc::new(part))).collect()
}
