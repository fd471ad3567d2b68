//! Checks whether the preconditions of a deletion still hold.

use jiff::Timestamp;

use super::difference::{Precondition, compared, difference, shown};
use super::facts::{Facts, Target};
use crate::model::action::{Delete, KeptCopy, Tag};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::identity::{copy_time, current_parent_created, is_of_parent, ours};
use crate::model::ids::Region;
use crate::model::reason::NotOurs;
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};
use crate::model::words::list;

/// What messages call a copy that may be deleted.
const OURS: &str = "a copy of this job";

/// What messages call the current database.
const CURRENT: &str = "the current one";

/// Checks that the copy is unchanged, ours and of the planned database, that every copy that the plan keeps is there and available,
/// and that one of them is at least as new.
pub(super) fn check_delete(delete: &Delete, target: &Target, facts: &Facts) -> Precondition {
    let id = &delete.artifact.id;
    let mut copies = facts.copies.iter();
    let copy = copies.find(|copy| copy.id == *id && !copy.state.is_being_deleted());
    let Some(copy) = copy.filter(|_| !facts.absent.contains(id)) else {
        return Precondition::AlreadyDone(id.clone());
    };
    let region = &target.request.source.region;
    let expects = &delete.expects;
    let Tag { key, value } = &expects.sync_tag;
    let tag = copy.tags.get(key).unwrap_or("none");
    let time = shown(copy_time(copy, region));
    let ours_now = ours(copy, region).map_or_else(|why| format!("that {why}"), |_| OURS.to_owned());
    // If the database has been recreated since, this copy may be one of the last of the earlier database.
    let current_parent = current_parent_created(&facts.sources, &facts.copies, region);
    let is_current = is_of_parent(copy, current_parent);
    let found = copy.parent_created();
    let (planned_database, database) = match expects.earlier_parent {
        Some(earlier) if !is_current && current_parent.is_some() => (
            format!("the one created at {earlier}"),
            format!("the one created at {}", shown(found)),
        ),
        Some(_) => (
            "an earlier one".to_owned(),
            "the current or an unknown one".to_owned(),
        ),
        None if is_current => (CURRENT.to_owned(), CURRENT.to_owned()),
        None => (CURRENT.to_owned(), "a different or unknown one".to_owned()),
    };
    let kept = expects.kept.iter();
    let newest = kept.clone().map(|kept| kept.data_time).max();
    let newest_then = shown(newest.max(Some(expects.data_time)));
    let kept = kept.map(|kept| {
        let then = show_kept(kept.data_time, &ArtifactState::available());
        let identifier = expects.sync_identifier.as_deref();
        let now = found_kept(kept, region, current_parent, identifier, facts);
        difference(&format!("kept copy {}", kept.id), then, now)
    });
    let differences = [
        difference(&format!("tag {key} of {id}"), value, tag),
        difference("key of the sync tag", key, key_on_copy(region)),
        difference(id.as_str(), OURS, ours_now),
        difference(&format!("state of {id}"), &expects.state, &copy.state),
        difference(&format!("time of {id}"), expects.data_time, time),
        difference(&format!("database of {id}"), planned_database, database),
        image_difference(delete, copy, facts),
        difference("newest copy that is kept", newest_then, shown(newest)),
    ];
    compared(differences.into_iter().chain(kept))
}

/// Returns what has changed about an image since its deletion was planned, if anything.
fn image_difference(delete: &Delete, copy: &Artifact, facts: &Facts) -> Option<String> {
    let (id, expects) = (&delete.artifact.id, &delete.expects);
    let shown_list = |items: &[_]| match items {
        [] => "none".to_owned(),
        items => list(items),
    };
    let identifier = expects.sync_identifier.as_deref();
    let identifier_now = copy.tags.get(SYNC_IDENTIFIER).unwrap_or("none");
    let users = facts.references.get(id);
    let found = match (users, delete.kind.facts().has_references) {
        (None, true) => "unknown".to_owned(),
        (users, _) => list(users.into_iter().flatten()),
    };
    let found = if found.is_empty() {
        "none".to_owned()
    } else {
        found
    };
    let protection = if copy.is_protected() { "on" } else { "off" };
    let differences = [
        identifier.and_then(|planned| {
            let what = format!("tag {SYNC_IDENTIFIER} of {id}");
            difference(&what, planned, identifier_now)
        }),
        difference(
            &format!("snapshots of {id}"),
            shown_list(&delete.snapshots),
            shown_list(copy.backing_snapshots()),
        ),
        difference(
            &format!("last launch of {id}"),
            shown(expects.last_launched),
            shown(copy.last_launched()),
        ),
        difference(
            &format!("deregistration protection of {id}"),
            "off",
            protection,
        ),
        difference(&format!("users of {id}"), "none", found),
    ];
    differences.into_iter().flatten().next()
}

/// Shows a kept copy as it was found. A copy does not count as kept if it is no longer ours, is not of the current database, or has
/// been given to a job with another identifier.
fn found_kept(
    kept: &KeptCopy,
    region: &Region,
    current_parent: Option<Timestamp>,
    identifier: Option<&str>,
    facts: &Facts,
) -> String {
    let Some(copy) = facts.copies.iter().find(|copy| copy.id == kept.id) else {
        return "gone".to_owned();
    };
    if !is_of_parent(copy, current_parent) {
        return "a copy of a different database".to_owned();
    }
    let planned = [identifier, kept.other_identifier.as_deref()];
    let found = copy.tags.get(SYNC_IDENTIFIER);
    let is_other = |found: &&str| identifier.is_some() && !planned.contains(&Some(*found));
    if let Some(other) = found.filter(is_other) {
        return format!("a copy with the tag {SYNC_IDENTIFIER} = {other}");
    }
    match (ours(copy, region), copy_time(copy, region)) {
        (Ok(_) | Err(NotOurs::Kept), Some(data_time)) => show_kept(data_time, &copy.state),
        (Err(reason), _) => format!("not a copy of this job: {reason}"),
        (Ok(_), None) => format!("a copy with an unknown time ({})", copy.state),
    }
}

fn show_kept(data_time: Timestamp, state: &ArtifactState) -> String {
    format!("a copy of {data_time} ({state})")
}
