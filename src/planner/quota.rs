//! Decides whether the destination has room for a copy, and whether deletions must come first.

use super::case::Case;
use super::duplicates::Claims;
use crate::model::action::Action;
use crate::model::fail_reason::FailReason;
use crate::model::ids::ActionId;

/// Whether there is room for a copy.
pub(super) enum Room {
    /// There is room now, or the limit is unknown.
    Free,
    /// There is room once the deletions of the job have been made.
    AfterDeletions,
}

/// Reserves room for the copy of a job. `deletions` is the number of copies that the job deletes.
///
/// # Errors
///
/// If there is not enough room even after the deletions.
pub(super) fn room(
    case: &Case<'_>,
    claims: &mut Claims<'_>,
    deletions: usize,
    warnings: &mut Vec<String>,
) -> Result<Room, FailReason> {
    let (kind, region) = (case.job.kind(), &case.job.destination_region);
    let limit = match &case.observation.limit {
        Some(Ok(limit)) => limit,
        Some(Err(error)) => {
            warnings.push(format!(
                "it is unknown whether {region} has room for another {kind}: {error}"
            ));
            return Ok(Room::Free);
        }
        None => return Ok(Room::Free),
    };
    let planned = claims.planned_into(case.account, case.job);
    let used = limit.used.saturating_add_signed(*planned);
    let deletions_signed = isize::try_from(deletions).unwrap_or(isize::MAX);
    if used < limit.max {
        *planned += 1;
        return Ok(Room::Free);
    }
    if used < limit.max + deletions {
        // All jobs make their room before any of them makes its copy.
        *planned += 1 - deletions_signed;
        warnings.push(format!(
            "{region} has no room for the copy ({} of {} manual {}), so the deletions come before it",
            limit.used,
            limit.max,
            kind.noun(limit.max)
        ));
        return Ok(Room::AfterDeletions);
    }
    Err(FailReason::NoRoom {
        kind,
        destination: region.clone(),
        max: limit.max,
        missing: used + 1 - deletions - limit.max,
    })
}

/// Puts deletions before the copy for which they make room.
pub(super) fn put_first(deletions: &mut [Action], copy: &ActionId) {
    for action in deletions {
        if let Action::Delete(delete) = action {
            (delete.after, delete.before) = (None, Some(copy.clone()));
        }
    }
}
