//! Which id a copy gets, where the caller chooses it.

use super::case::Case;
use super::duplicates::Claims;
use crate::model::identity::copy_ids;
use crate::model::ids::ArtifactId;
use crate::model::kind::CopyId;
use crate::model::problem::Problem;
use crate::model::sync_tag::key_on_copy;

/// Returns the first id for the copy that nothing else has; nothing where AWS assigns ids.
///
/// # Errors
///
/// If every id is in use, or if it is not certain what has the id.
pub(super) fn choose(
    case: &Case<'_>,
    claims: &mut Claims<'_>,
) -> Result<Option<ArtifactId>, Problem> {
    let Case { job, source, .. } = case;
    if job.kind().facts().copy_id == CopyId::AssignedByAws {
        return Ok(None);
    }
    let region = &job.destination_region;
    let preferred = usize::from(job.has_shared_parent_name);
    for id in copy_ids(source.id, source.region).skip(preferred) {
        match case.found.iter().find(|other| other.id == id) {
            Some(holder) if holder.state.is_gone() || source.is_certainly_not_source_of(holder) => {
            }
            Some(_) => {
                let message = format!(
                    "{id} in {region} has the id for the copy of {}, and it is not known what it is",
                    source.id
                );
                let (key, value) = (key_on_copy(source.region), source.sync_tag_value());
                return Err(Problem::new(message).help(format!(
                    "if it is that copy, tag it {key}={value}; otherwise rename or delete it"
                )));
            }
            None if claims.copy_id(case.account, job, &id).is_none() => return Ok(Some(id)),
            None => {}
        }
    }
    let message = format!("every id for a copy of {} is in use in {region}", source.id);
    Err(Problem::new(message))
}
