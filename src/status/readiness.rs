//! Decides whether the copies of a job are enough if its source is lost.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::own_copies::DatedCopy;
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::{self, Source, origin};
use crate::model::ids::ArtifactId;
use crate::model::kind::Kind;
use crate::model::status::{Copies, Readiness};
use crate::model::words::{count, span};
use crate::sync_types::SyncJob;

/// Returns true if there is a usable copy of this source.
pub(super) fn has_usable_copy_of(source: Option<&Source<'_>>, copies: &[DatedCopy<'_>]) -> bool {
    let is_copy =
        |copy: &DatedCopy<'_>| source.is_some_and(|source| source.is_source_of(copy.artifact));
    copies.iter().any(|copy| copy.is_usable() && is_copy(copy))
}

/// Returns an error if several copies of one source have failed, and there is no usable copy that is as new, or of the currently
/// chosen source.
pub(super) fn repeated_failure(
    job: &SyncJob,
    has_current: bool,
    copies: &[DatedCopy<'_>],
) -> Option<FailReason> {
    if has_current {
        return None;
    }
    let usable = copies.iter().filter(|copy| copy.is_usable());
    let usable = usable.filter_map(|copy| copy.data_time).max();
    let mut by_source: BTreeMap<(Option<Timestamp>, ArtifactId), Vec<&Artifact>> = BTreeMap::new();
    for copy in copies {
        let is_newer = usable.is_none_or(|usable| copy.data_time > Some(usable));
        let origin = origin(copy.artifact, &job.source_region);
        if let Some(origin) = origin.filter(|_| is_newer && copy.artifact.state.is_failed()) {
            let source = (copy.data_time, ArtifactId::from(&*origin.id));
            by_source.entry(source).or_default().push(copy.artifact);
        }
    }
    let mut newest_first = by_source.iter().rev();
    newest_first.find_map(|((_, source), failed)| identity::repeated_failure(source, failed))
}

/// Returns whether these copies are enough, and why.
pub(super) fn readiness(
    kind: Kind,
    copies: &Copies,
    is_current: bool,
    max_age: Option<SignedDuration>,
) -> (Readiness, String) {
    let Some(newest) = &copies.newest_usable else {
        return (Readiness::NoCopy, no_copy(copies));
    };
    let limit = max_age.map(|age| age.as_secs());
    match (limit, newest.age_seconds) {
        // Data that does not age needs nothing newer than a copy of the currently chosen source.
        _ if is_current => (
            Readiness::Ready,
            format!("it has a usable copy of the newest {kind}"),
        ),
        (Some(_), None) => (
            Readiness::AgeUnknown,
            "the age of its newest usable copy is unknown".to_owned(),
        ),
        // Either the date or the clock is wrong, so the age is not known.
        (Some(_), Some(..0)) => (
            Readiness::AgeUnknown,
            "its newest usable copy is dated in the future".to_owned(),
        ),
        (Some(limit), Some(age)) if age > limit => (
            Readiness::TooOld,
            format!(
                "its newest usable copy is {} old; the limit is {}",
                span(age),
                span(limit)
            ),
        ),
        (_, Some(age @ 0..)) => (
            Readiness::Ready,
            format!("its newest usable copy is {} old", span(age)),
        ),
        (None, _) => (Readiness::Ready, "it has a usable copy".to_owned()),
    }
}

/// Returns the readiness if copies keep failing, and why.
pub(super) fn failing(copies: &Copies, failure: &str) -> (Readiness, String) {
    if copies.newest_usable.is_some() {
        (Readiness::Failing, failure.to_owned())
    } else {
        let reason = format!("there is no usable copy: {failure}");
        (Readiness::NoCopy, reason)
    }
}

fn no_copy(copies: &Copies) -> String {
    let counted = |n| count(n, "copy", "copies");
    let rest = match (copies.in_progress.len(), copies.failed.len()) {
        (0, 0) => String::new(),
        (0, failed) => format!(": {} failed", counted(failed)),
        (n, 0) => format!(" yet: {} in progress", counted(n)),
        (n, failed) => format!(" yet: {} in progress, {failed} failed", counted(n)),
    };
    format!("there is no usable copy{rest}")
}
