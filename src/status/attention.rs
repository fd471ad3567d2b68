//! Warnings about the copies of a job.

use super::own_copies::DatedCopy;
use crate::model::identity::{Source, origin};
use crate::model::ids::ArtifactId;
use crate::model::words::{list, utc};
use crate::sync_types::SyncJob;

/// Warns about copies that can't be used as they are, and about usable ones that xrs did not make.
pub(super) fn about_copies(copies: &[DatedCopy<'_>], warnings: &mut Vec<String>) {
    let artifacts = copies.iter().map(|copy| copy.artifact);
    for copy in artifacts.filter(|copy| copy.state.is_disabled()) {
        warnings.push(format!(
            "the copy {} is disabled: enable it before it can be used",
            copy.id
        ));
    }
    let foreign = copies
        .iter()
        .filter(|copy| copy.is_foreign && copy.artifact.state.is_available());
    let foreign: Vec<&ArtifactId> = foreign.map(|copy| &copy.artifact.id).collect();
    if !foreign.is_empty() {
        warnings.push(format!(
            "usable copies that xrs did not make are counted, and xrs neither tags nor deletes them: {}",
            list(foreign)
        ));
    }
}

/// Warns about usable copies that are newer than the source, if a newer copy does not suffice: the sources of these copies have
/// been withdrawn.
pub(super) fn about_newer_copies(
    source: &Source<'_>,
    copies: &[DatedCopy<'_>],
    warnings: &mut Vec<String>,
) {
    if source.kind.facts().newer_copy_suffices {
        return;
    }
    let usable = || copies.iter().filter(|copy| copy.is_usable());
    let current = usable().find(|copy| source.is_source_of(copy.artifact));
    let current = current.map_or_else(
        || "has no usable copy".to_owned(),
        |copy| format!("has the copy {}", copy.artifact.id),
    );
    let (kind, id, region) = (source.kind, source.id, source.region);
    let (newer, older) = (usable(), utc(source.data_time));
    for copy in newer.filter(|copy| !source.is_source_of(copy.artifact)) {
        let Some(time) = copy.data_time.filter(|time| *time > source.data_time) else {
            continue;
        };
        let origin = origin(copy.artifact, region);
        let origin = origin.map_or_else(String::new, |origin| format!(", {}", origin.id));
        warnings.push(format!(
            "{} is a copy of a newer {kind}{origin} of {}, which {region} no longer offers to this job: the {kind} \
             currently chosen, {id} of {older}, is older, and {current}",
            copy.artifact.id,
            utc(time)
        ));
    }
}

/// Warns about the conditions that can't be tested on copies while the source region does not answer.
pub(super) fn about_untestable_conditions(job: &SyncJob, warnings: &mut Vec<String>) {
    let untestable = job.rules.untestable_conditions();
    if !untestable.is_empty() {
        warnings.push(format!(
            "{} can't be tested on copies, so copies of other sources may be counted here",
            list(untestable)
        ));
    }
}

/// Warns about copies that may or may not belong to the job. If a source is chosen, these are copies of newer ones.
pub(super) fn about_unknown_copies(
    job: &SyncJob,
    copies: &[DatedCopy<'_>],
    chosen: Option<&Source<'_>>,
    warnings: &mut Vec<String>,
) {
    if copies.is_empty() {
        return;
    }
    let newer = chosen.map_or_else(String::new, |source| {
        format!(" newer than {}, which is currently chosen,", source.id)
    });
    let (number, region) = (copies.len(), &job.source_region);
    let noun = job.kind().noun(number);
    let ids = list(copies.iter().map(|copy| &copy.artifact.id));
    warnings.push(format!(
        "{number} {noun} from {region}{newer} may belong to this job, but nothing on them says so: {ids}"
    ));
}
