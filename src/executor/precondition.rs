//! Checks whether the preconditions of an action still hold.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::model::action::{Action, Copy, Delete, KeptCopy, Stage, Tag, TagCopy, TagSource};
use crate::model::artifact::{Artifact, ArtifactRef, ArtifactState};
use crate::model::client_config::ClientConfig;
use crate::model::identity::{
    Source, copy_time, current_parent_created, is_in_account, is_of_parent, ours,
};
use crate::model::ids::{AccountId, ArtifactId, Region};
use crate::model::inventory::{Answer, Observation};
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::reason::{NotOurs, UnneededReason};
use crate::model::sync_tag::{SyncTag, key_on_copy, whole_seconds};
use crate::observe::{CopyRequest, Request};

/// Where a job acts.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The account that the plan was made in.
    pub(super) account: AccountId,
    /// When the plan was made.
    pub(super) planned_at: Timestamp,
    /// Source, destination, and what is read there.
    pub(super) request: Request,
}

impl Target {
    /// Returns a request for a copy in the destination.
    pub(super) fn copy_request(&self, copy: &ArtifactId) -> CopyRequest {
        CopyRequest {
            job: self.request.job.clone(),
            kind: self.request.kind,
            at: self.request.destination.clone(),
            id: copy.clone(),
        }
    }

    /// Returns the target of a planned job, with the credentials of this caller.
    pub(super) fn of_plan(
        plan: &JobPlan,
        planned_at: Timestamp,
        caller: Option<&Result<Arc<ClientConfig>, Problem>>,
    ) -> Result<Self, Problem> {
        let credentials = caller.map(Result::as_ref).transpose();
        let credentials = credentials.map_err(Problem::clone)?;
        let request = credentials.and_then(|credentials| Request::of_plan(plan, credentials));
        match (plan.account_id.clone(), request) {
            (Some(account), Some(request)) => Ok(Self {
                account,
                planned_at,
                request,
            }),
            _ => Err(Problem::new(format!(
                "the plan of {} does not say which account, regions and credentials to use",
                plan.name
            ))),
        }
    }
}

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// What was observed for a job, if no error occurred.
pub(super) struct Facts {
    account: AccountId,
    sources: Vec<Artifact>,
    copies: Vec<Artifact>,
    /// When observing started.
    observed_at: Timestamp,
    /// The stage that it was observed for.
    stage: Stage,
}

impl Facts {
    /// Returns the facts from an observation, or its first error. An incomplete observation yields no facts.
    pub(super) fn new(
        observation: Observation,
        observed_at: Timestamp,
        stage: Stage,
    ) -> Answer<Self> {
        Ok(Self {
            account: observation.identity?.account_id,
            sources: observation.sources?,
            copies: observation.copies?,
            observed_at,
            stage,
        })
    }

    /// Returns true if the facts are recent enough for this action. A deletion needs facts that were observed for its own stage.
    pub(super) fn can_serve(&self, action: &Action, now: Timestamp) -> bool {
        let is_recent = now.duration_since(self.observed_at) <= MAX_AGE;
        let is_deletion = matches!(action, Action::Delete(_));
        is_recent && (!is_deletion || self.stage == action.stage())
    }
}

/// Whether an action can be performed.
pub(super) enum Precondition {
    /// Everything is as planned.
    Go,
    /// The purpose of the action is fulfilled, by this artifact.
    AlreadyDone(ArtifactId),
    /// The action is not needed any more.
    Unneeded(UnneededReason),
    /// Something has changed since the plan was made; the text says what.
    Stale(String),
}

/// What messages call a copy that may be deleted.
const OURS: &str = "a copy of this job";

/// What messages call the current database.
const CURRENT: &str = "the current one";

/// Compares an action with what was observed for its job. `copy` is the copy that the source's tag will name, if there is one.
pub(super) fn check(
    action: &Action,
    target: &Target,
    copy: Option<&ArtifactId>,
    facts: &Facts,
) -> Precondition {
    if let Some(difference) = difference("account", &target.account, &facts.account) {
        return Precondition::Stale(difference);
    }
    match action {
        Action::Copy(copy) => check_copy(copy, target, facts),
        Action::TagCopy(tag) => check_tag_copy(tag, target, facts),
        Action::TagSource(tag) => check_tag_source(tag, copy, facts),
        Action::Delete(delete) => check_delete(delete, target, facts),
    }
}

/// Describes how a value differs from the planned one, if it does.
fn difference(what: &str, planned: impl ToString, found: impl ToString) -> Option<String> {
    let (planned, found) = (planned.to_string(), found.to_string());
    (planned != found).then(|| format!("{what}: expected {planned}, found {found}"))
}

/// Returns [`Precondition::Go`] if nothing differs, otherwise the first difference.
fn compared(differences: impl IntoIterator<Item = Option<String>>) -> Precondition {
    let first = differences.into_iter().flatten().next();
    first.map_or(Precondition::Go, Precondition::Stale)
}

fn shown(time: Option<Timestamp>) -> String {
    time.map_or("none".to_owned(), |time| time.to_string())
}

fn find<'a>(artifacts: &'a [Artifact], artifact: &ArtifactRef) -> Option<&'a Artifact> {
    let mut artifacts = artifacts.iter();
    artifacts.find(|other| other.id == artifact.id && other.arn == artifact.arn)
}

/// Returns the source of a copy action, with the properties that the action states.
pub(super) fn source_of(copy: &Copy) -> Source<'_> {
    Source {
        parent_created: copy.expects.parent_created,
        ..source(copy.kind, &copy.source, copy.expects.data_time)
    }
}

fn source(kind: Kind, artifact: &ArtifactRef, data_time: Timestamp) -> Source<'_> {
    Source {
        kind,
        id: &artifact.id,
        arn: &artifact.arn,
        region: &artifact.region,
        data_time,
        parent_created: None,
        named_copy: None,
    }
}

/// Adds the copy that the source's own tag names, if the source is there.
fn with_named_copy<'s>(
    source: Source<'s>,
    artifact: &ArtifactRef,
    target: &Target,
    facts: &Facts,
) -> Source<'s> {
    match find(&facts.sources, artifact) {
        Some(found) => source.with_copy_named_by(found, &target.request.destination.region),
        None => source,
    }
}

/// Returns a warning if there is a newer source than the one to be copied. The copy is made anyway.
pub(super) fn newer_source(action: &Action, facts: &Facts) -> Option<String> {
    let Action::Copy(copy) = action else {
        return None;
    };
    let sources = facts.sources.iter();
    let available = sources.filter(|source| source.state.is_available());
    let newest = available.max_by_key(|source| (source.source_time(), &source.id))?;
    let is_newer = newest.source_time() > Some(copy.expects.data_time);
    let (newest, planned) = (&newest.id, &copy.source.id);
    let warning = format!("{newest} is newer than the planned {planned}: plan again to sync it");
    (is_newer && copy.kind.facts().newer_copy_suffices).then_some(warning)
}

/// Checks that neither the source nor a newer one has a copy, that the source is unchanged and available, and that the id is free.
fn check_copy(copy: &Copy, target: &Target, facts: &Facts) -> Precondition {
    let found = find(&facts.sources, &copy.source);
    let source = with_named_copy(source_of(copy), &copy.source, target, facts);
    let is_own = |copy: &&Artifact| is_in_account(copy, &target.account);
    if let Some(existing) = source.synced_by(facts.copies.iter().filter(is_own)) {
        let id = existing.id.clone();
        return if source.is_source_of(existing) {
            Precondition::AlreadyDone(id)
        } else {
            Precondition::Unneeded(UnneededReason::NewerCopy(id))
        };
    }
    let (id, planned) = (&copy.source.id, copy.expects.data_time);
    let source = format!("source {} {id}", copy.kind);
    let state = found.map_or("no source with that id", |source| source.state.as_str());
    let time = shown(found.and_then(Artifact::source_time));
    let created = found.and_then(Artifact::parent_created);
    let (of_source, then) = (format!("database of {source}"), copy.expects.parent_created);
    let has_its_id = |other: &&Artifact| Some(&other.id) == copy.copy.id.as_ref();
    let holder = facts.copies.iter().find(has_its_id);
    let holder = holder.map_or("free".to_owned(), |holder| {
        let origin = holder.copied_from.as_ref();
        let origin = origin.map_or("made in that region".to_owned(), |arn| {
            format!("copied from {arn}")
        });
        format!("held by a {} {origin} ({})", copy.kind, holder.state)
    });
    compared([
        difference(&format!("state of {source}"), &copy.expects.state, state),
        difference(&format!("creation time of {source}"), planned, time),
        difference(
            &format!("creation time of the {of_source}"),
            shown(then),
            shown(created),
        ),
        difference("id of the copy", "free", holder),
    ])
}

/// Checks that the copy is there, has not failed, and is still a copy of that source. It must have the planned sync tag. If it
/// has no readable sync tag, the tag of the source must name it.
fn check_tag_copy(tag: &TagCopy, target: &Target, facts: &Facts) -> Precondition {
    let (id, Tag { key, value }) = (&tag.copy.id, &tag.sync_tag);
    let copy = find(&facts.copies, &tag.copy).filter(|copy| !copy.state.is_gone());
    let readable = |copy: &Artifact| {
        let tag = copy.tags.get(key);
        tag.filter(|value| SyncTag::parse(value).is_some())
            .map(str::to_owned)
    };
    let is_copy = |copy: &&Artifact| {
        SyncTag::parse(value).is_some_and(|planned| {
            let source = source(tag.kind, &tag.source, planned.time);
            let source = with_named_copy(source, &tag.source, target, facts);
            source.is_source_of(copy) && (readable(copy).is_some() || source.names(copy))
        })
    };
    let Some(copy) = copy.filter(is_copy) else {
        let found = "gone, failed, or no longer a copy of that source";
        return compared([difference(&format!("copy {id}"), "present", found)]);
    };
    let mut written = tag.all_tags();
    written.retain(|key, value| copy.tags.get(key) != Some(value));
    if written.is_empty() {
        return Precondition::AlreadyDone(id.clone());
    }
    let planned = tag.expects.data_time;
    let found = planned.and(copy.data_time.map(whole_seconds));
    let readable = readable(copy).unwrap_or_else(|| value.clone());
    compared([
        difference(&format!("time of copy {id}"), shown(planned), shown(found)),
        difference(&format!("tag {key} of {id}"), value, readable),
    ])
}

/// Checks that the source is there. Automated snapshots expire; if the source is gone, the tag is not needed.
fn check_tag_source(tag: &TagSource, copy: Option<&ArtifactId>, facts: &Facts) -> Precondition {
    let Some(copy) = copy else {
        return Precondition::Unneeded(UnneededReason::NoCopyToName);
    };
    match find(&facts.sources, &tag.source) {
        None => Precondition::Unneeded(UnneededReason::SourceGone),
        Some(source) if source.tags.get(&tag.key) == Some(&tag.tag(copy).value) => {
            Precondition::AlreadyDone(tag.source.id.clone())
        }
        Some(_) => Precondition::Go,
    }
}

/// Checks that the copy is unchanged, ours and of the planned database, that every copy that the plan keeps is there and available,
/// and that one of them is at least as new.
fn check_delete(delete: &Delete, target: &Target, facts: &Facts) -> Precondition {
    let id = &delete.artifact.id;
    let mut copies = facts.copies.iter();
    let copy = copies.find(|copy| copy.id == *id && !copy.state.is_being_deleted());
    let Some(copy) = copy else {
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
        let now = found_kept(kept, region, current_parent, facts);
        difference(&format!("kept copy {}", kept.id), then, now)
    });
    let differences = [
        difference(&format!("tag {key} of {id}"), value, tag),
        difference("key of the sync tag", key, key_on_copy(region)),
        difference(id.as_str(), OURS, ours_now),
        difference(&format!("state of {id}"), &expects.state, &copy.state),
        difference(&format!("time of {id}"), expects.data_time, time),
        difference(&format!("database of {id}"), planned_database, database),
        difference("newest copy that is kept", newest_then, shown(newest)),
    ];
    compared(differences.into_iter().chain(kept))
}

/// Shows a kept copy as it was found. A copy that is no longer ours, or of the current database, does not count as kept.
fn found_kept(
    kept: &KeptCopy,
    region: &Region,
    current_parent: Option<Timestamp>,
    facts: &Facts,
) -> String {
    let Some(copy) = facts.copies.iter().find(|copy| copy.id == kept.id) else {
        return "gone".to_owned();
    };
    if !is_of_parent(copy, current_parent) {
        return "a copy of a different database".to_owned();
    }
    match (ours(copy, region), copy_time(copy, region)) {
        (Ok(_) | Err(NotOurs::Kept), Some(data_time)) => show_kept(data_time, &copy.state),
        (Err(reason), _) => format!("not a copy of this job: {reason}"),
        (Ok(_), None) => format!("a copy of unknown time ({})", copy.state),
    }
}

fn show_kept(data_time: Timestamp, state: &ArtifactState) -> String {
    format!("a copy of {data_time} ({state})")
}
