//! Words that are the same in every format: each action and outcome has one name, and each action one noun for counts.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use crate::model::action::{Action, ActionName};
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::result::{ActionOutcome, SyncResult};
use crate::model::words::count;

/// Returns the name of an action.
pub(super) fn action_name(name: ActionName) -> &'static str {
    match name {
        ActionName::Copy => "copy",
        ActionName::TagCopy => "tag copy",
        ActionName::TagSource => "tag source",
        ActionName::Delete => "delete",
    }
}

/// Returns a number of actions, such as `2 source tags`.
pub(super) fn count_of(name: ActionName, number: usize) -> String {
    let (one, many) = match name {
        ActionName::Copy => ("copy", "copies"),
        ActionName::TagCopy => ("copy tag", "copy tags"),
        ActionName::TagSource => ("source tag", "source tags"),
        ActionName::Delete => ("deletion", "deletions"),
    };
    count(number, one, many)
}

/// Returns how many actions there are of each name, such as `1 copy, 2 deletions`; nothing if there are none.
pub(super) fn action_counts(names: impl Iterator<Item = ActionName>) -> Option<String> {
    let groups = grouped(names.map(|name| (name, ())));
    let words: Vec<String> = groups
        .iter()
        .map(|(name, all)| count_of(*name, all.len()))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Returns the name of an outcome.
pub(super) fn outcome_name(outcome: ActionOutcome) -> &'static str {
    match outcome {
        ActionOutcome::Done => "done",
        ActionOutcome::AlreadyDone => "already done",
        ActionOutcome::Stale => "stale",
        ActionOutcome::Deferred => "deferred",
        ActionOutcome::Skipped => "skipped",
        ActionOutcome::Failed => "failed",
    }
}

/// What the results of an apply come to, in numbers.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) completed: usize,
    pub(super) failed: usize,
    pub(super) created: usize,
    pub(super) deleted: usize,
    pub(super) not_done: usize,
}

impl Totals {
    pub(super) fn of(results: &[SyncResult]) -> Self {
        let mut totals = Self::default();
        for result in results {
            *(if result.failed() {
                &mut totals.failed
            } else {
                &mut totals.completed
            }) += 1;
            totals.created += usize::from(result.created_resource.is_some());
            totals.deleted += result.deleted_resources.len();
            let not_done = result
                .actions
                .iter()
                .filter(|action| !action.outcome.is_done());
            totals.not_done += not_done.count();
        }
        totals
    }
}

/// Returns how many there are of each outcome, such as `1 stale, 2 skipped`; nothing if there are none.
pub(super) fn outcome_counts(outcomes: impl Iterator<Item = ActionOutcome>) -> Option<String> {
    let groups = grouped(outcomes.map(|outcome| (outcome_name(outcome), ())));
    let words: Vec<String> = groups
        .iter()
        .map(|(name, all)| format!("{} {name}", all.len()))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Returns a number and its noun, if there is something to count.
pub(super) fn some(number: usize, one: &str, many: &str) -> Option<String> {
    (number > 0).then(|| count(number, one, many))
}

/// Returns how many artifacts there are of each kind, such as `1 image, 2 snapshots`.
pub(super) fn artifacts(kinds: impl Iterator<Item = Kind>) -> String {
    let groups = grouped(kinds.map(|kind| (kind, ())));
    let words = groups.iter().map(|(kind, all)| {
        let number = all.len();
        format!("{number} {}", kind.noun(number))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Returns the size of all that these jobs copy, as far as AWS states it.
pub(super) fn size_of_copies<'a>(jobs: impl IntoIterator<Item = &'a JobPlan>) -> Option<String> {
    let actions = jobs.into_iter().flat_map(|job| &job.actions);
    total_size(actions.filter_map(|action| match action {
        Action::Copy(copy) => Some(copy.size_gib),
        Action::TagCopy(_) | Action::TagSource(_) | Action::Delete(_) => None,
    }))
}

/// Returns the sum of sizes, as far as AWS states them.
pub(super) fn total_size(sizes: impl Iterator<Item = Option<u32>>) -> Option<String> {
    let (mut total, mut known, mut all) = (0_u64, 0, 0);
    for size in sizes {
        all += 1;
        known += usize::from(size.is_some());
        total += u64::from(size.unwrap_or_default());
    }
    match known {
        0 => None,
        known if known == all => Some(format!("{total} GiB")),
        _ => Some(format!("at least {total} GiB")),
    }
}

/// Returns values with equal keys together, in the order in which the keys came first.
pub(super) fn grouped<K: Clone + Eq + Hash, V>(
    values: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut places: HashMap<K, usize> = HashMap::new();
    for (key, value) in values {
        let place = *places.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}

/// Returns the causes of problems: AWS's answers, else the messages. Messages also name jobs and actions, so problems of the
/// same cause may differ in them.
pub(super) fn causes<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> BTreeSet<String> {
    problems.into_iter().map(cause).collect()
}

fn cause(problem: &Problem) -> String {
    match &problem.aws {
        Some(aws) => aws.to_string(),
        None => problem.message.clone(),
    }
}

/// Returns one problem for each cause. Where messages differ, the cause takes their place.
pub(super) fn by_cause<'a>(problems: impl IntoIterator<Item = &'a Problem>) -> Vec<Problem> {
    let groups = grouped(
        problems
            .into_iter()
            .map(|problem| (cause(problem), problem)),
    );
    let merged = groups.into_iter().filter_map(|(cause, same)| {
        let first = *same.first()?;
        if same.iter().all(|problem| problem.message == first.message) {
            return Some(first.clone());
        }
        Some(Problem {
            message: cause,
            aws: None,
            ..first.clone()
        })
    });
    merged.collect()
}
