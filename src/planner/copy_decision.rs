//! Decides whether a job's source needs a copy, and on the resulting copy, tags and deletions.

use super::case::Case;
use super::duplicates::Claims;
use super::quota::Room;
use super::{actions, copy_names, quota, retention, warnings};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity;
use crate::model::plan::JobPlan;
use crate::model::reason::JobReason;
use crate::sync_types::SyncJob;

/// Decides what is done for a job: the reason, the actions, and errors that do not prevent them.
///
/// # Errors
///
/// If its source can't be copied.
pub(super) fn decide<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
    plan: &mut JobPlan,
) -> Result<(), FailReason> {
    if let Some(first) = synced_by_other(case, claims)? {
        let job = case.job;
        let reason = JobReason::SyncedBy {
            kind: case.artifact.kind,
            source: case.artifact.id.clone(),
            region: case.job.destination_region.clone(),
            job: first.name.clone(),
        };
        plan.reason = reason.to_string();
        plan.warnings
            .extend(warnings::without_retention(job, first));
        plan.synced_by = Some(first.name.clone());
        return Ok(());
    }
    match case.source.synced_by(case.copies.iter().copied()) {
        Some(copy) => decide_synced(case, copy, plan),
        None => decide_unsynced(case, claims, plan)?,
    }
    Ok(())
}

/// Returns the earlier job of the plan that syncs the same source, if there is one.
fn synced_by_other<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
) -> Result<Option<&'a SyncJob>, FailReason> {
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
    Ok(Some(first))
}

/// Decides about a job whose source has a copy: old copies may have to be deleted, and a sync tag may be missing.
fn decide_synced(case: &Case<'_>, copy: &Artifact, plan: &mut JobPlan) {
    let warnings = &mut plan.warnings;
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
    plan.reason = reason.to_string();
    warnings::about_foreign_copy(case, copy, warnings);
    plan.kept = retention.kept;
    plan.actions = actions::tags(case, copy, &retention.beyond_limit, warnings);
    plan.actions.extend(retention.deletions);
}

/// Decides about a job whose source has no copy.
fn decide_unsynced<'a>(
    case: &Case<'a>,
    claims: &mut Claims<'a>,
    plan: &mut JobPlan,
) -> Result<(), FailReason> {
    let (rules, warnings) = (&case.job.rules, &mut plan.warnings);
    let settings = rules.copy_settings(case.job, case.artifact, case.observation, warnings)?;
    let id = copy_names::choose(case, claims)?;
    warnings::about_expiry(case, warnings);
    warnings::about_key(case, warnings);
    let reason = actions::copy_due(case).to_string();
    let (mut actions, copy_id) = actions::copy(case, settings, id, &reason, warnings);
    let retention = retention::decide(case, Some(&copy_id), warnings);
    let mut deletions = retention.deletions;
    match quota::room(case, claims, deletions.len(), warnings)? {
        Room::Free => actions.extend(deletions),
        Room::AfterDeletions => {
            quota::put_first(&mut deletions, &copy_id);
            actions.splice(0..0, deletions);
        }
    }
    plan.reason = reason;
    plan.actions = actions;
    plan.kept = retention.kept;
    let failure = repeated_failure(case).map(|failure| failure.problem(&plan.name));
    plan.errors.extend(failure);
    Ok(())
}

/// Returns an error if several copies of the source have failed. The copy is still attempted, because the cause may have been
/// fixed.
fn repeated_failure(case: &Case<'_>) -> Option<FailReason> {
    let is_failed = |copy: &&Artifact| copy.state.is_failed() && case.source.is_source_of(copy);
    let failed: Vec<&Artifact> = case.copies.iter().copied().filter(is_failed).collect();
    identity::repeated_failure(case.source.id, &failed)
}
