//! Why a job has the outcome it has, for people. Nothing is decided by these texts.

use super::case::Case;
use crate::model::artifact::Artifact;
use crate::model::words::{count, span, utc};

/// Returns why a copy is due, and how far behind the destination is.
pub(super) fn copy_due(case: &Case<'_>) -> String {
    let (kind, id, time) = (case.artifact.kind, case.source.id, case.source.data_time);
    let name = match case.artifact.name() {
        "" => String::new(),
        name => format!(" ({name})"),
    };
    let region = &case.job.destination_region;
    let due = format!("{kind} {id}{name} of {} has no copy in {region}", utc(time));
    if !kind.facts().newer_copy_suffices {
        return due;
    }
    let available = case.copies.iter().filter(|copy| copy.state.is_available());
    match available.filter_map(|copy| case.time_of(copy)).max() {
        Some(newest) => {
            let age = span(time.duration_since(newest).as_secs());
            format!("{due}; the newest copy there is {age} older")
        }
        None => format!("{due}; there is no usable copy yet"),
    }
}

/// Returns why no copy is due, and how many old copies are to be deleted.
pub(super) fn synced(case: &Case<'_>, copy: &Artifact, deletions: usize) -> String {
    let (kind, source, region) = (copy.kind, case.source.id, &case.job.destination_region);
    let (id, state) = (&copy.id, &copy.state);
    let to_delete = match deletions {
        0 => String::new(),
        n => format!("; {} to delete", count(n, "old copy", "old copies")),
    };
    if case.source.is_source_of(copy) {
        format!("{kind} {source} has the copy {id} ({state}) in {region}{to_delete}")
    } else {
        format!("{region} has {id}, a copy of a newer {kind} than {source}{to_delete}")
    }
}
