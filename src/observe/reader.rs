//! Reads that wait for their turn, and reads of many things at once.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt, join, join_all};
use tokio::sync::Semaphore;

use crate::model::client_config::Place;
use crate::model::id::Region;
use crate::model::inventory::Looked;
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::provider::Provider;

/// Reads of one look under way at a time in one region. AWS throttles by account and region: EC2 lets twenty filtered
/// reads a second through for long, RDS states no number. Besides, a region that does not answer must leave turns to others.
/// See <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>.
const READS_PER_REGION: usize = 8;

/// A provider, and how many reads of it may be under way.
pub(super) struct Reader<'a> {
    pub(super) provider: &'a dyn Provider,
    turns: Semaphore,
    turns_of_regions: Mutex<HashMap<Region, Arc<Semaphore>>>,
}

/// Keys that were asked for in one read, and its answer.
type Part<K, T> = (Vec<K>, Looked<Vec<T>>);

/// What was found for each key. Several jobs may ask for one.
pub(super) type Answers<K, T> = HashMap<K, Arc<Looked<Vec<T>>>>;

impl<'a> Reader<'a> {
    pub(super) fn new(provider: &'a dyn Provider, parallelism: usize) -> Self {
        Self {
            provider,
            turns: Semaphore::new(parallelism.max(1)),
            turns_of_regions: Mutex::default(),
        }
    }

    /// Reads once it is this read's turn, in its region and in all.
    pub(super) async fn in_turn<T>(
        &self,
        at: &Place,
        read: impl Future<Output = Looked<T>>,
    ) -> Looked<T> {
        let of_region = self.turns_of(&at.region);
        // The region comes first: who waits for it must not keep the others from theirs. Neither is ever closed.
        let _region = of_region.acquire().await;
        let _turn = self.turns.acquire().await;
        read.await
    }

    fn turns_of(&self, region: &Region) -> Arc<Semaphore> {
        let mut regions = self
            .turns_of_regions
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let turns = regions
            .entry(region.clone())
            .or_insert_with(|| Arc::new(Semaphore::new(READS_PER_REGION)));
        Arc::clone(turns)
    }

    /// Reads what belongs to these keys, `most` keys at a time, and gives each key what belongs to it.
    pub(super) async fn by_keys<'s, K, T>(
        &'s self,
        at: &'s Place,
        keys: impl IntoIterator<Item = K>,
        most: usize,
        read: &'s (impl Fn(Vec<K>) -> BoxFuture<'s, Looked<Vec<T>>> + Sync),
        keys_of: impl Fn(&T) -> Vec<K>,
    ) -> Answers<K, T>
    where
        K: Ord + Hash + Clone + Send + Sync + 's,
        T: Clone + Send + 's,
    {
        // In order, each once: what is asked for does not depend on who asks first.
        let keys: Vec<K> = keys
            .into_iter()
            .collect::<BTreeSet<K>>()
            .into_iter()
            .collect();
        let batches = keys.chunks(most.max(1));
        let parts = join_all(batches.map(|batch| self.part(at, batch.to_vec(), read))).await;
        let mut answers = Answers::new();
        for (batch, answer) in parts.into_iter().flatten() {
            answers.extend(handed_out(batch, answer, &keys_of));
        }
        answers
    }

    /// One batch. Where AWS refuses it, perhaps for the sake of one key, it is halved until it is plain for which: at
    /// most twice as many reads as there are keys.
    fn part<'s, K, T>(
        &'s self,
        at: &'s Place,
        keys: Vec<K>,
        read: &'s (impl Fn(Vec<K>) -> BoxFuture<'s, Looked<Vec<T>>> + Sync),
    ) -> BoxFuture<'s, Vec<Part<K, T>>>
    where
        K: Clone + Send + Sync + 's,
        T: Send + 's,
    {
        async move {
            match self.in_turn(at, read(keys.clone())).await {
                Err(error) if keys.len() > 1 && may_lie_in_one(&error) => {
                    let (first, second) = keys.split_at(keys.len() / 2);
                    let (mut first, second) = join(
                        self.part(at, first.to_vec(), read),
                        self.part(at, second.to_vec(), read),
                    )
                    .await;
                    first.extend(second);
                    first
                }
                answer => vec![(keys, answer)],
            }
        }
        .boxed()
    }
}

/// Whether the request itself was refused, so that a shorter one may fare better; not so where it did not come to it,
/// for a role could not be assumed, say.
fn may_lie_in_one(error: &ProviderError) -> bool {
    let is_the_read = error.call.starts_with("Describe");
    is_the_read && matches!(error.kind, ErrorKind::Invalid | ErrorKind::Absent)
}

/// To each key of a batch what belongs to it.
fn handed_out<K: Eq + Hash, T: Clone>(
    batch: Vec<K>,
    answer: Looked<Vec<T>>,
    keys_of: impl Fn(&T) -> Vec<K>,
) -> Answers<K, T> {
    let found = match answer {
        Ok(found) => found,
        Err(error) => {
            let failed = |key| (key, Arc::new(Err(error.clone())));
            return batch.into_iter().map(failed).collect();
        }
    };
    let mut by_key: HashMap<K, Vec<T>> = batch.into_iter().map(|key| (key, Vec::new())).collect();
    for thing in found {
        for key in keys_of(&thing) {
            if let Some(things) = by_key.get_mut(&key) {
                things.push(thing.clone());
            }
        }
    }
    by_key
        .into_iter()
        .map(|(key, things)| (key, Arc::new(Ok(things))))
        .collect()
}

/// The answers for several keys as one; where one is not known, none is.
pub(super) fn together<K: Eq + Hash, T: Clone>(
    answers: &Answers<K, T>,
    keys: &[K],
) -> Looked<Vec<T>> {
    let mut all = Vec::new();
    for key in keys {
        if let Some(answer) = answers.get(key) {
            all.extend(
                answer
                    .as_ref()
                    .as_ref()
                    .map_err(Clone::clone)?
                    .iter()
                    .cloned(),
            );
        }
    }
    Ok(all)
}
