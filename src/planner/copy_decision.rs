//! Decides whether a job's source needs a copy, and on the resulting copy, tags and deletions.

use super::case::Case;
use super::duplicates::Claims;
use super::quota::Room;
use super::{actions, copy_names, quota, retention, warnings};
use crate::model::action::Action;
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity;
use crate::model::reason::JobReason;

/// What is decided about a job that can be planned.
pub(super) struct Decision {
    pub(super) reason: JobReason,
    pub(super) actions: Vec<Action>,
    /// Errors that do not prevent the actions.
    pub(super) errors: Vec<FailReason>,
}

/// Decides what is done for a job.
///
/// # Errors
///
/// If its source can't be copied.
pub(super) fn decide<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
    warnings: &mut Vec<String>,
) -> Result<Decision, FailReason> {
    if let Some(reason) = synced_by_other(case, claims)? {
        return Ok(Decision {
            reason,
            actions: Vec::new(),
            errors: Vec::new(),
        });
    }
    match case.source.synced_by(case.copies.iter().copied()) {
        Some(copy) => Ok(decide_synced(case, copy, warnings)),
        None => decide_unsynced(case, claims, warnings),
    }
}

/// Returns why nothing is done, if an earlier job of the plan syncs the same source.
fn synced_by_other<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
) -> Result<Option<JobReason>, FailReason> {
    let Case { job, artifact, .. } = case;
    let Some(first) = claims.source(case.account, job, &artifact.id) else {
        return Ok(None);
    };
    if first.kms_key_id != job.kms_key_id {
        return Err(FailReason::OtherKey {
            first: first.name.clone(),
            kind: artifact.kind,
            source: artifact.id.clone(),
            destination: job.destination_region.clone(),
        });
    }
    Ok(Some(JobReason::SyncedBy {
        kind: artifact.kind,
        source: artifact.id.clone(),
        region: job.destination_region.clone(),
        job: first.name.clone(),
    }))
}

/// Decides about a job whose source has a copy: old copies may have to be deleted, and a sync tag may be missing.
fn decide_synced(case: &Case<'_>, copy: &Artifact, warnings: &mut Vec<String>) -> Decision {
    let Case { job, artifact, .. } = case;
    let retention = retention::decide(case, None, warnings);
    let (kind, source) = (artifact.kind, artifact.id.clone());
    let region = job.destination_region.clone();
    let deletions = retention.deletions.len();
    let reason = if case.source.is_source_of(copy) {
        JobReason::Synced {
            kind,
            source,
            region,
            copy: copy.id.clone(),
            state: copy.state.clone(),
            deletions,
        }
    } else {
        JobReason::NewerCopy {
            kind,
            source,
            region,
            copy: copy.id.clone(),
            deletions,
        }
    };
    warnings::about_foreign_copy(case, copy, warnings);
    let mut actions = actions::tags(case, copy, &retention.beyond_limit, warnings);
    actions.extend(retention.deletions);
    Decision {
        reason,
        actions,
        errors: Vec::new(),
    }
}

/// Decides about a job whose source has no copy.
fn decide_unsynced<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
    warnings: &mut Vec<String>,
) -> Result<Decision, FailReason> {
    let rules = &case.job.rules;
    let settings = rules.copy_settings(case.job, case.artifact, case.observation, warnings)?;
    let id = copy_names::choose(case, claims)?;
    warnings::about_expiry(case, warnings);
    warnings::about_key(case, warnings);
    let reason = actions::copy_due(case);
    let (copy, copy_id) = actions::copy(case, settings, id, &reason, warnings);
    let mut deletions = retention::decide(case, Some(&copy_id), warnings).deletions;
    let mut actions = copy;
    match quota::room(case, claims, deletions.len(), warnings)? {
        Room::Free => actions.extend(deletions),
        Room::AfterDeletions => {
            quota::put_first(&mut deletions, &copy_id);
            actions.splice(0..0, deletions);
        }
    }
    Ok(Decision {
        reason: JobReason::CopyDue(reason),
        actions,
        errors: repeated_failure(case).into_iter().collect(),
    })
}

/// Returns an error if several copies of the source have failed. The copy is still attempted, because the cause may have been
/// fixed.
fn repeated_failure(case: &Case<'_>) -> Option<FailReason> {
    let is_failed = |copy: &&Artifact| copy.state.is_failed() && case.source.is_source_of(copy);
    let failed: Vec<&Artifact> = case.copies.iter().copied().filter(is_failed).collect();
    identity::repeated_failure(case.source.id, &failed)
}
