//! Words that are the same in every format: each action and outcome has one name, and each action one noun for counts.

use std::collections::BTreeSet;
use std::hash::Hash;

use crate::model::action::{Action, ActionName, Delete};
use crate::model::groups::grouped;
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::result::{ActionOutcome, SyncResult};
use crate::model::status::{Status, Storage, UsableCopy};
use crate::model::words::{count, kms_key_name, span};

/// The reason of a failed copy, where AWS states none.
pub(super) const NO_REASON: &str = "AWS states no reason";

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

/// Returns how many actions there are of each name, such as `1 copy, 2 deletions`; nothing if there are none.
pub(super) fn action_counts(names: impl Iterator<Item = ActionName>) -> Option<String> {
    counts(names, count_of)
}

/// Returns how many tags there are among actions, such as `1 copy tag, 1 source tag`; nothing if there are none.
pub(super) fn tag_counts(names: impl Iterator<Item = ActionName>) -> Option<String> {
    action_counts(names.filter(|name| matches!(name, ActionName::TagCopy | ActionName::TagSource)))
}

/// Returns how many there are of each outcome, such as `1 stale, 2 skipped`; nothing if there are none.
pub(super) fn outcome_counts(outcomes: impl Iterator<Item = ActionOutcome>) -> Option<String> {
    counts(outcomes.map(outcome_name), |name, n| format!("{n} {name}"))
}

/// Returns how many artifacts there are of each kind, such as `1 image, 2 snapshots`; nothing if there are none.
pub(super) fn artifacts(kinds: impl Iterator<Item = Kind>) -> Option<String> {
    counts(kinds, |kind, n| format!("{n} {}", kind.noun(n)))
}

fn counts<K: Copy + Eq + Hash>(
    keys: impl Iterator<Item = K>,
    words: impl Fn(K, usize) -> String,
) -> Option<String> {
    let groups = grouped(keys.map(|key| (key, ()))).into_iter();
    list_of(groups.map(|(key, all)| Some(words(key, all.len()))))
}

/// Returns the words that there are, separated by commas; nothing if there are none.
pub(super) fn list_of(words: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Returns a name as it follows an id, such as ` (web-42)`; nothing if there is none.
pub(super) fn in_brackets(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

/// Returns a number and its noun, if there is something to count.
pub(super) fn some(number: usize, one: &str, many: &str) -> Option<String> {
    (number > 0).then(|| count(number, one, many))
}

/// The totals of the results of an apply, as text.
pub(super) struct Totals {
    pub(super) failed: usize,
    /// Such as `3 jobs completed`.
    pub(super) completed: String,
    /// Such as `1 copy created, 0 copies deleted`.
    pub(super) changed: String,
    /// Such as `2 actions not done`.
    pub(super) not_done: Option<String>,
}

impl Totals {
    pub(super) fn of(results: &[SyncResult]) -> Self {
        let failed = results.iter().filter(|result| result.failed()).count();
        let created = results.iter().flat_map(|result| &result.created_resource);
        let deleted = results.iter().flat_map(|result| &result.deleted_resources);
        let actions = results.iter().flat_map(|result| &result.actions);
        let not_done = actions.filter(|action| !action.outcome.is_done()).count();
        let copies = |number| count(number, "copy", "copies");
        let completed = count(results.len() - failed, "job", "jobs");
        let (created, deleted) = (copies(created.count()), copies(deleted.count()));
        Self {
            failed,
            completed: format!("{completed} completed"),
            changed: format!("{created} created, {deleted} deleted"),
            not_done: some(not_done, "action not done", "actions not done"),
        }
    }
}

/// Returns the deletions of these jobs.
pub(super) fn deletions<'a>(
    jobs: impl IntoIterator<Item = &'a JobPlan>,
) -> impl Iterator<Item = &'a Delete> {
    let actions = jobs.into_iter().flat_map(|job| &job.actions);
    actions.filter_map(|action| match action {
        Action::Delete(delete) => Some(delete),
        Action::Copy(_) | Action::TagCopy(_) | Action::TagSource(_) => None,
    })
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
    let sizes: Vec<Option<u32>> = sizes.collect();
    let known = || sizes.iter().flatten().map(|size| u64::from(*size));
    let total: u64 = known().sum();
    match known().count() {
        0 => None,
        number if number == sizes.len() => Some(format!("{total} GiB")),
        _ => Some(format!("at least {total} GiB")),
    }
}

/// Returns what the jobs of a status come to, in one line.
pub(super) fn status_summary(status: &Status) -> String {
    let summary = &status.summary;
    let limit = status.max_age_seconds;
    let limit = limit.map_or_else(String::new, |limit| format!(" (limit {})", span(limit)));
    format!(
        "Status: {}, {} ready{limit}, {} not ready, {} not known.",
        count(summary.jobs, "job", "jobs"),
        summary.ready,
        summary.not_ready,
        summary.unknown,
    )
}

/// Returns how old a copy is, and how far behind its source.
pub(super) fn age(copy: &UsableCopy) -> String {
    let age = match copy.age_seconds {
        Some(age) => format!("{} old", span(age)),
        None => "of unknown age".to_owned(),
    };
    match copy.behind_seconds {
        Some(0) => format!("{age}, nothing newer in the source"),
        Some(behind) => format!("{age}, {} behind the source", span(behind)),
        None => age,
    }
}

/// Returns the size and the encryption of a copy, such as `20 GiB, encrypted with alias/copies`; nothing if AWS states neither.
/// `quoted` quotes the name of a key.
pub(super) fn storage(copy: &Storage, quoted: impl Fn(&str) -> String) -> Option<String> {
    if *copy == Storage::default() {
        return None;
    }
    let size = copy.size_gib.map(|size| format!("{size} GiB"));
    let size = size.unwrap_or_else(|| "size unknown".to_owned());
    let key = copy.kms_key_id.as_deref().map(kms_key_name);
    let encryption = match (copy.encrypted, key) {
        (Some(true), Some(key)) => format!("encrypted with {}", quoted(key)),
        (Some(true), None) => "encrypted (key unknown)".to_owned(),
        (Some(false), _) => "not encrypted".to_owned(),
        (None, _) => "encryption unknown".to_owned(),
    };
    Some(format!("{size}, {encryption}"))
}

/// Returns the cause of a problem: AWS's answer, else the message.
pub(super) fn cause(problem: &Problem) -> String {
    let aws = problem.aws.as_ref().map(ToString::to_string);
    aws.unwrap_or_else(|| problem.message.clone())
}

/// Returns failed jobs of the same causes together, with one problem for each cause. Messages also name jobs and actions: where
/// they differ, the cause takes their place.
pub(super) fn by_causes<'a, J>(
    failed: impl Iterator<Item = (J, &'a [Problem])>,
) -> Vec<(Vec<J>, Vec<Problem>)> {
    let with_causes = failed.map(|(job, errors)| {
        let causes: BTreeSet<String> = errors.iter().map(cause).collect();
        (causes, (job, errors))
    });
    let groups = grouped(with_causes).into_iter().map(|(_, same)| {
        let (jobs, errors): (Vec<J>, Vec<&[Problem]>) = same.into_iter().unzip();
        let errors = errors.into_iter().flatten();
        let errors = grouped(errors.map(|problem| (cause(problem), problem)));
        (jobs, errors.into_iter().filter_map(merged).collect())
    });
    groups.collect()
}

fn merged((cause, problems): (String, Vec<&Problem>)) -> Option<Problem> {
    let mut first = (*problems.first()?).clone();
    if problems.iter().any(|other| other.message != first.message) {
        first.message = cause;
        first.aws = None;
    }
    Some(first)
}
