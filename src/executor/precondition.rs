//! Whether what an action depends on still holds.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::action::{Action, Copy, Delete, KeptCopy, TagCopy, TagSource};
use crate::model::artifact::{Artifact, ArtifactRef, ArtifactState};
use crate::model::client_config::ClientConfig;
use crate::model::identity::{
    Source, copy_time, is_in_account, is_of_parent, ours, present_parent_created,
};
use crate::model::ids::{AccountId, ArtifactId, Region};
use crate::model::inventory::{Answer, Observation};
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::reason::{NotOurs, UnneededReason};
use crate::model::sync_tag::{SyncTag, key_on_copy, whole_seconds};
use crate::model::words;
use crate::observe::Request;

/// Where a job acts.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The account that the plan was made in.
    pub(super) account: AccountId,
    /// Source, destination, and what is read there.
    pub(super) request: Request,
}

impl Target {
    /// Returns where a job with actions acts.
    pub(super) fn of_plan(
        plan: &JobPlan,
        caller: Option<&Result<Arc<ClientConfig>, Problem>>,
    ) -> Result<Self, Problem> {
        let credentials = caller.map(|caller| caller.as_ref().map_err(Clone::clone));
        let credentials = credentials.transpose()?;
        let request = credentials.and_then(|credentials| Request::of_plan(plan, credentials));
        match (plan.account_id.clone(), request) {
            (Some(account), Some(request)) => Ok(Self { account, request }),
            _ => Err(Problem::new(format!(
                "the plan of {} does not state where and with which credentials to act",
                plan.name
            ))),
        }
    }
}

/// Whether an action can be performed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Precondition {
    /// Everything is as planned.
    Go,
    /// The purpose of the action is fulfilled, by this artifact.
    AlreadyDone(ArtifactId),
    /// The action is not needed any more.
    Unneeded(UnneededReason),
    /// Something has changed since the plan was made.
    Stale(Difference),
    /// It could not be read. Nothing follows from that.
    Unknown(ProviderError),
}

/// A value, as it was planned with and as it was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    what: String,
    planned: String,
    found: String,
}

impl Difference {
    pub(super) fn problem(&self) -> Problem {
        let Self {
            what,
            planned,
            found,
        } = self;
        let message = format!("the plan is stale: {what}: planned with {planned}, found {found}");
        Problem::new(message).help("plan again: something has changed since")
    }
}

/// Compares an action with what was observed for its job. `copy` is the copy that a source is to name, if there is one.
pub(super) fn check(
    action: &Action,
    target: &Target,
    copy: Option<&ArtifactId>,
    observation: &Observation,
) -> Precondition {
    let compare = || {
        let account = &known(&observation.identity)?.account_id;
        let sources = known(&observation.sources)?;
        let copies = known(&observation.copies)?;
        let same_account = compared([row("account", &target.account, account)]);
        Ok(match (same_account, action) {
            (Precondition::Go, Action::Copy(copy)) => check_copy(copy, target, sources, copies),
            (Precondition::Go, Action::TagCopy(tag)) => check_tag_copy(tag, sources, copies),
            (Precondition::Go, Action::TagSource(tag)) => check_tag_source(tag, copy, sources),
            (Precondition::Go, Action::Delete(delete)) => {
                check_delete(delete, &target.request.source.region, sources, copies)
            }
            (stale, _) => stale,
        })
    };
    compare().unwrap_or_else(Precondition::Unknown)
}

fn known<T>(answer: &Answer<T>) -> Answer<&T> {
    answer.as_ref().map_err(Clone::clone)
}

fn row(what: impl Into<String>, planned: impl ToString, found: impl ToString) -> Difference {
    Difference {
        what: what.into(),
        planned: planned.to_string(),
        found: found.to_string(),
    }
}

/// Returns go if every value is as planned, else the first that is not.
fn compared(rows: impl IntoIterator<Item = Difference>) -> Precondition {
    let mut rows = rows.into_iter();
    let difference = rows.find(|row| row.planned != row.found);
    difference.map_or(Precondition::Go, Precondition::Stale)
}

fn shown(time: Option<Timestamp>) -> String {
    time.map_or("none".to_owned(), |time| time.to_string())
}

fn find<'a>(artifacts: &'a [Artifact], artifact: &ArtifactRef) -> Option<&'a Artifact> {
    let mut artifacts = artifacts.iter();
    artifacts.find(|other| other.id == artifact.id && other.arn == artifact.arn)
}

/// Returns the source of a copy, as far as the action names it.
pub(super) fn source_of(copy: &Copy) -> Source<'_> {
    source(copy.kind, &copy.source, copy.expects.data_time)
}

fn source(kind: Kind, artifact: &ArtifactRef, data_time: Timestamp) -> Source<'_> {
    Source {
        kind,
        id: &artifact.id,
        arn: &artifact.arn,
        region: &artifact.region,
        data_time,
        named_copy: None,
    }
}

/// Neither the source nor a newer one has a copy; the source is there, available and the same; the id of the copy is free.
fn check_copy(
    copy: &Copy,
    target: &Target,
    sources: &[Artifact],
    copies: &[Artifact],
) -> Precondition {
    let found = find(sources, &copy.source);
    let mut source = source_of(copy);
    if let Some(found) = found {
        source = source.with_copy_named_by(found, &copy.copy.region);
    }
    let own = copies
        .iter()
        .filter(|copy| is_in_account(copy, &target.account));
    if let Some(existing) = source.synced_by(own) {
        let id = existing.id.clone();
        return if source.is_source_of(existing) {
            Precondition::AlreadyDone(id)
        } else {
            Precondition::Unneeded(UnneededReason::NewerCopy(id))
        };
    }
    let (what, expects) = (
        format!("source {} {}", copy.kind, copy.source.id),
        &copy.expects,
    );
    let state = found.map_or("none of that id", |source| source.state.as_str());
    let time = shown(found.and_then(Artifact::source_time));
    let holder = copies
        .iter()
        .find(|other| Some(&other.id) == copy.copy.id.as_ref());
    let holder = holder.map_or("free".to_owned(), |holder| {
        let origin = holder.copied_from.as_ref();
        let origin = origin.map_or("made there".to_owned(), |arn| format!("copied from {arn}"));
        format!("held by a {} {origin} ({})", copy.kind, holder.state)
    });
    compared([
        row(format!("state of {what}"), &expects.state, state),
        row(format!("creation time of {what}"), expects.data_time, time),
        row("id of the copy", "free", holder),
    ])
}

/// Returns a warning if there is a newer source than the planned one. That is no reason not to copy.
pub(super) fn newer_source(copy: &Copy, observation: &Observation) -> Option<String> {
    let sources = observation.sources.iter().flatten();
    let available = sources.filter(|source| source.state.is_available());
    let newest = available.max_by_key(|source| (source.source_time(), &source.id))?;
    let is_newer = newest.source_time() > Some(copy.expects.data_time);
    (is_newer && copy.kind.facts().newer_copy_suffices).then(|| {
        let (newest, planned) = (&newest.id, &copy.source.id);
        format!("{newest} is newer than the planned {planned}: plan again to sync it")
    })
}

/// The copy is there, has not failed, is still a copy of that source, and lacks a readable sync tag.
fn check_tag_copy(tag: &TagCopy, sources: &[Artifact], copies: &[Artifact]) -> Precondition {
    let (id, key) = (&tag.copy.id, &tag.sync_tag.key);
    let is_still_copy = |copy: &&Artifact| {
        let planned = SyncTag::parse(&tag.sync_tag.value);
        planned.is_some_and(|planned| {
            let mut source = source(tag.kind, &tag.source, planned.time);
            if let Some(found) = find(sources, &tag.source) {
                source = source.with_copy_named_by(found, &tag.copy.region);
            }
            !copy.state.is_gone() && source.is_source_of(copy)
        })
    };
    let Some(copy) = find(copies, &tag.copy).filter(is_still_copy) else {
        let found = "gone, failed or no copy of that source any more";
        return compared([row(format!("copy {id}"), "there", found)]);
    };
    let readable = copy
        .tags
        .get(key)
        .filter(|value| SyncTag::parse(value).is_some());
    if readable == Some(&tag.sync_tag.value) {
        return Precondition::AlreadyDone(id.clone());
    }
    let planned = tag.expects.data_time;
    let found = copy
        .data_time
        .map(whole_seconds)
        .filter(|_| planned.is_some());
    compared([
        row(format!("time of copy {id}"), shown(planned), shown(found)),
        row(
            format!("tag {key} of {id}"),
            "none",
            readable.unwrap_or("none"),
        ),
    ])
}

/// The source is there. Automated snapshots expire, and a finished plan stays finished.
fn check_tag_source(
    tag: &TagSource,
    copy: Option<&ArtifactId>,
    sources: &[Artifact],
) -> Precondition {
    let Some(copy) = copy else {
        return Precondition::Unneeded(UnneededReason::NoCopyToName);
    };
    match find(sources, &tag.source) {
        None => Precondition::Unneeded(UnneededReason::SourceGone),
        Some(source) if source.tags.get(&tag.key) == Some(&tag.tag(copy).value) => {
            Precondition::AlreadyDone(tag.source.id.clone())
        }
        Some(_) => Precondition::Go,
    }
}

/// The copy is the same, ours and of the present database, and everything that the plan keeps is there and available.
fn check_delete(
    delete: &Delete,
    region: &Region,
    sources: &[Artifact],
    copies: &[Artifact],
) -> Precondition {
    let Some(copy) = to_delete(delete, copies) else {
        return Precondition::AlreadyDone(delete.artifact.id.clone());
    };
    let (id, expects) = (&copy.id, &delete.expects);
    let key = &expects.sync_tag.key;
    let ours_then = "a copy of this job".to_owned();
    let ours_now =
        ours(copy, region).map_or_else(|reason| reason.to_string(), |_| ours_then.clone());
    // If the database was created again under its name, the copy is one of the last of the earlier database. Where neither the
    // newest copy nor its source states when its database was created, that can't be ruled out.
    let parent_now = present_parent_created(copies, sources, region);
    let parent_then = copy.parent_created.map(whole_seconds);
    let parent_then = if is_of_parent(copy, parent_now) {
        parent_now
    } else {
        parent_then
    };
    let is_newer = |kept: &KeptCopy| kept.data_time >= expects.data_time;
    let newer = if expects.kept.iter().any(is_newer) {
        "kept"
    } else {
        "not kept"
    };
    let available = ArtifactState::available();
    let kept = expects.kept.iter().map(|kept| {
        (
            show_kept(kept, &available),
            show_found(kept, copies, region),
        )
    });
    let (kept_then, kept_now): (Vec<_>, Vec<_>) = kept.filter(|(then, now)| then != now).unzip();
    compared([
        row(
            format!("tag {key} of {id}"),
            &expects.sync_tag.value,
            copy.tags.get(key).unwrap_or("none"),
        ),
        row("key of the sync tag", key, key_on_copy(region)),
        row(id.as_str(), ours_then, ours_now),
        row(format!("state of {id}"), &expects.state, &copy.state),
        row(
            format!("time of {id}"),
            expects.data_time,
            shown(copy_time(copy, region)),
        ),
        row(
            format!("creation time of the database of {id}"),
            shown(parent_then),
            shown(parent_now),
        ),
        row("a copy as new as the one deleted", "kept", newer),
        row(
            "copies that the plan keeps",
            words::list(kept_then),
            words::list(kept_now),
        ),
    ])
}

/// Returns the copy to delete, unless it is gone or being deleted.
pub(super) fn to_delete<'a>(delete: &Delete, copies: &'a [Artifact]) -> Option<&'a Artifact> {
    let mut copies = copies.iter();
    copies.find(|copy| copy.id == delete.artifact.id && !copy.state.is_being_deleted())
}

/// Shows a kept copy as it was found. A copy that is no longer ours does not count as kept.
fn show_found(kept: &KeptCopy, copies: &[Artifact], region: &Region) -> String {
    let Some(copy) = copies.iter().find(|copy| copy.id == kept.id) else {
        return format!("{} gone", kept.id);
    };
    match (ours(copy, region), copy_time(copy, region)) {
        (Ok(_) | Err(NotOurs::Kept), Some(data_time)) => {
            let id = copy.id.clone();
            show_kept(&KeptCopy { id, data_time }, &copy.state)
        }
        (Err(reason), _) => format!("{}, but {reason}", copy.id),
        (Ok(_), None) => format!("{} of unknown time ({})", copy.id, copy.state),
    }
}

fn show_kept(KeptCopy { id, data_time }: &KeptCopy, state: &ArtifactState) -> String {
    format!("{id} of {data_time} ({state})")
}
