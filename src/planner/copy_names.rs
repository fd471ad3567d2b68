//! Chooses the id of a copy, if the caller has to.

use super::case::Case;
use super::duplicates::Claims;
use crate::model::fail_reason::FailReason;
use crate::model::identity::copy_ids;
use crate::model::ids::ArtifactId;
use crate::model::kind::CopyId;
use crate::model::sync_tag::key_on_copy;

/// Returns the first free id for the copy, or `None` if AWS assigns ids.
///
/// # Errors
///
/// If every id is in use, or if it is uncertain what has the id.
pub(super) fn choose(
    case: &Case<'_>,
    claims: &mut Claims<'_>,
) -> Result<Option<ArtifactId>, FailReason> {
    let Case { job, source, .. } = case;
    if job.kind().facts().copy_id == CopyId::AssignedByAws {
        return Ok(None);
    }
    let preferred = usize::from(job.has_shared_parent_name);
    for id in copy_ids(source.kind, source.id, source.region).skip(preferred) {
        match case.found.iter().find(|other| other.id == id) {
            Some(holder) if holder.state.is_gone() || source.is_certainly_not_source_of(holder) => {
            }
            Some(holder) => {
                return Err(FailReason::UnknownHolder {
                    holder: holder.id.clone(),
                    source: source.id.clone(),
                    destination: job.destination_region.clone(),
                    tag: format!(
                        "{}={}",
                        key_on_copy(&job.source_region),
                        source.sync_tag_value()
                    ),
                });
            }
            None if claims.copy_id(case.account, job, &id).is_none() => return Ok(Some(id)),
            None => {}
        }
    }
    Err(FailReason::NoFreeId {
        source: source.id.clone(),
        destination: job.destination_region.clone(),
    })
}
