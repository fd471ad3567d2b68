//! Decides which copies are kept although retention would otherwise delete them.

use std::collections::BTreeSet;

use super::case::Case;
use crate::model::artifact::Artifact;
use crate::model::identity::ours;
use crate::model::keep_reason::KeepReason;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::provider_error_help::permission;
use crate::model::reason::NotOurs;
use crate::sync_types::RetentionRules;

/// Returns why a copy is kept although retention would otherwise delete it, if there is a reason.
pub(super) fn keep_reason(
    case: &Case<'_>,
    rules: RetentionRules,
    copy: &Artifact,
) -> Option<KeepReason> {
    let needed = case.needed.reason(case.account, case.job, copy);
    let is_marked = ours(copy, &case.job.source_region) == Err(NotOurs::Kept);
    if is_marked && needed != Some(KeepReason::CurrentSource) {
        return Some(KeepReason::SyncKeep);
    }
    if needed.is_some() || !copy.kind.facts().has_references {
        return needed;
    }
    if copy.is_protected() {
        return Some(KeepReason::Protected);
    }
    // Counts from the start of the day, so that the time of day makes no difference.
    let within = rules.keep_launched_within;
    let since = within.and_then(|within| case.day.checked_sub(within).ok());
    let is_recent = |time: &_| since.is_none_or(|since| *time >= since);
    if let Some(time) = copy.last_launched().filter(is_recent) {
        return Some(KeepReason::Launched(time));
    }
    match case.observation.references.get(&copy.id) {
        Some(Ok(users)) if users.is_empty() => None,
        Some(Ok(users)) => {
            let users = BTreeSet::from_iter(users.iter().cloned());
            Some(KeepReason::UsedBy(users.into_iter().collect()))
        }
        Some(Err(error)) => Some(KeepReason::UnknownUse(Some(error.clone()))),
        None => Some(KeepReason::UnknownUse(None)),
    }
}

/// Returns a warning if copies are kept because of an error.
pub(super) fn warning(reason: &KeepReason) -> Option<String> {
    match reason {
        KeepReason::UnreadJob(job, error) => Some(format!(
            "old copies are kept because the reads for {job}, which may need them, failed: {error}; plan again later, or \
             set aws_account_id for both jobs if their accounts differ"
        )),
        KeepReason::UnknownUse(Some(error)) => Some(unknown_use(error)),
        _ => None,
    }
}

fn unknown_use(error: &ProviderError) -> String {
    let help = match error.class {
        ErrorClass::Denied => format!(
            "allow {}: `xrs policy plan` prints everything that the job needs",
            permission(error.call)
        ),
        _ => "plan again later".to_owned(),
    };
    format!("old copies are kept because it is unknown whether they are in use: {error}; {help}")
}
