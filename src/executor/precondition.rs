//! Whether what an action depends on still holds.

use similar::{ChangeTag, TextDiff};

use crate::model::action::{
    Action, Copy, Delete, ExpectedDeletion, KeptCopy, TagCopy, TagSource,
};
use crate::model::artifact::{Artifact, ArtifactRef, ArtifactState};
use crate::model::identity::{
    Source, copy_time, is_in_account, is_of_parent, ours, present_parent_created,
};
use crate::model::ids::{AccountId, ArtifactId, Region};
use crate::model::inventory::{Answer, Observation};
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

/// What is not as planned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    what: String,
    planned: String,
    found: String,
}

impl Difference {
    fn new(what: impl Into<String>, planned: impl ToString, found: impl ToString) -> Self {
        Self {
            what: what.into(),
            planned: planned.to_string(),
            found: found.to_string(),
        }
    }

    /// Compares two values.
    fn of<T: PartialEq + ToString>(what: impl Into<String>, planned: &T, found: &T) -> Option<Self> {
        (planned != found).then(|| Self::new(what, planned, found))
    }

    /// Compares two times, the second of which AWS may not state.
    fn of_times(
        what: impl Into<String>,
        planned: jiff::Timestamp,
        found: Option<jiff::Timestamp>,
    ) -> Option<Self> {
        let found_text = found.map_or("none".to_owned(), |time| time.to_string());
        (Some(planned) != found).then(|| Self::new(what, planned, found_text))
    }

    pub(super) fn problem(&self) -> Problem {
        let Self {
            what,
            planned,
            found,
        } = self;
        Problem::new(format!(
            "the plan is stale: {what}: planned with {planned}, found {found}"
        ))
        .help("plan again: something has changed since")
    }
}

/// Compares an action with what was observed for its job. `copy` is the copy that a source is to name, if there is one.
pub(super) fn check(
    action: &Action,
    target: &Target,
    copy: Option<&ArtifactId>,
    observation: &Observation,
) -> Precondition {
    let answer = || {
        let account = &known(&observation.identity)?.account_id;
        if let Some(difference) = Difference::of("account", &target.account, account) {
            return Ok(Precondition::Stale(difference));
        }
        let sources = known(&observation.sources);
        let copies = known(&observation.copies);
        Ok(match action {
            Action::Copy(copy) => check_copy(copy, target, sources?, copies?),
            Action::TagCopy(tag) => check_tag_copy(tag, sources?, copies?),
            Action::TagSource(tag) => check_tag_source(tag, copy, sources?),
            Action::Delete(delete) => check_delete(delete, target, sources?, copies?),
        })
    };
    answer().unwrap_or_else(Precondition::Unknown)
}

fn known<T>(answer: &Answer<T>) -> Answer<&T> {
    answer.as_ref().map_err(Clone::clone)
}

fn find<'a>(artifacts: &'a [Artifact], artifact: &ArtifactRef) -> Option<&'a Artifact> {
    artifacts
        .iter()
        .find(|other| other.id == artifact.id && other.arn == artifact.arn)
}

/// Returns the source of a copy, as far as the action names it.
pub(super) fn source_of(copy: &Copy) -> Source<'_> {
    Source {
        kind: copy.kind,
        id: &copy.source.id,
        arn: &copy.source.arn,
        region: &copy.source.region,
        data_time: copy.expects.data_time,
        named_copy: None,
    }
}

/// The source is there, available and the same; neither it nor a newer one has a copy; the id of the copy is free.
fn check_copy(copy: &Copy, target: &Target, sources: &[Artifact], copies: &[Artifact]) -> Precondition {
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
    let difference = of_source(copy, found).or_else(|| of_copy_id(copy, copies));
    difference.map_or(Precondition::Go, Precondition::Stale)
}

fn of_source(copy: &Copy, found: Option<&Artifact>) -> Option<Difference> {
    let what = format!("source {} {}", copy.kind, copy.source.id);
    let Some(found) = found else {
        return Some(Difference::new(what, &copy.expects.state, "none of that id"));
    };
    Difference::of(format!("state of {what}"), &copy.expects.state, &found.state).or_else(|| {
        let what = format!("creation time of {what}");
        Difference::of_times(what, copy.expects.data_time, found.source_time())
    })
}

fn of_copy_id(copy: &Copy, copies: &[Artifact]) -> Option<Difference> {
    let id = copy.copy.id.as_ref()?;
    let holder = copies.iter().find(|copy| copy.id == *id)?;
    let origin = holder.copied_from.as_ref();
    let origin = origin.map_or("made there".to_owned(), |arn| format!("copied from {arn}"));
    let found = format!("held by a {} {origin} ({})", copy.kind, holder.state);
    Some(Difference::new(format!("id {id} of the copy"), "free", found))
}

/// Returns the newest available source, if it is newer than the planned one. That is no reason not to copy, but to say so.
pub(super) fn newer_source<'o>(copy: &Copy, observation: &'o Observation) -> Option<&'o ArtifactId> {
    if !copy.kind.facts().newer_copy_suffices {
        return None;
    }
    let sources = observation.sources.iter().flatten();
    let available = sources.filter(|source| source.state.is_available());
    let newest = available.max_by_key(|source| (source.source_time(), &source.id))?;
    (newest.source_time() > Some(copy.expects.data_time)).then_some(&newest.id)
}

/// The copy is there, has not failed, is still a copy of that source, and lacks a readable sync tag.
fn check_tag_copy(tag: &TagCopy, sources: &[Artifact], copies: &[Artifact]) -> Precondition {
    let id = &tag.copy.id;
    let copy = find(copies, &tag.copy).filter(|copy| !copy.state.is_gone());
    let Some(copy) = copy.filter(|copy| is_still_copy(tag, copy, sources)) else {
        let found = "gone, failed or no copy of that source any more";
        return Precondition::Stale(Difference::new(format!("copy {id}"), "there", found));
    };
    let planned_time = tag.expects.data_time;
    if let Some(difference) = planned_time.and_then(|planned| {
        let found = copy.data_time.map(whole_seconds);
        Difference::of_times(format!("time of copy {id}"), planned, found)
    }) {
        return Precondition::Stale(difference);
    }
    let key = &tag.sync_tag.key;
    match copy.tags.get(key) {
        Some(value) if value == tag.sync_tag.value => Precondition::AlreadyDone(id.clone()),
        Some(value) if SyncTag::parse(value).is_some() => {
            Precondition::Stale(Difference::new(format!("tag {key} of {id}"), "none", value))
        }
        _ => Precondition::Go,
    }
}

fn is_still_copy(tag: &TagCopy, copy: &Artifact, sources: &[Artifact]) -> bool {
    let Some(planned) = SyncTag::parse(&tag.sync_tag.value) else {
        return false;
    };
    let mut source = Source {
        kind: tag.kind,
        id: &tag.source.id,
        arn: &tag.source.arn,
        region: &tag.source.region,
        data_time: planned.time,
        named_copy: None,
    };
    if let Some(found) = find(sources, &tag.source) {
        source = source.with_copy_named_by(found, &tag.copy.region);
    }
    source.is_source_of(copy)
}

/// The source is there. Automated snapshots expire, and a finished plan stays finished.
fn check_tag_source(tag: &TagSource, copy: Option<&ArtifactId>, sources: &[Artifact]) -> Precondition {
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
    target: &Target,
    sources: &[Artifact],
    copies: &[Artifact],
) -> Precondition {
    let Some(copy) = to_delete(delete, copies) else {
        return Precondition::AlreadyDone(delete.artifact.id.clone());
    };
    let region = &target.request.source.region;
    let difference = of_deleted_copy(&delete.expects, copy, region)
        .or_else(|| of_parent(copy, sources, copies, region))
        .or_else(|| of_kept_copies(&delete.expects, copies, region));
    difference.map_or(Precondition::Go, Precondition::Stale)
}

/// Returns the copy to delete, unless it is gone or being deleted.
pub(super) fn to_delete<'a>(delete: &Delete, copies: &'a [Artifact]) -> Option<&'a Artifact> {
    let mut copies = copies.iter();
    copies.find(|copy| copy.id == delete.artifact.id && !copy.state.is_being_deleted())
}

fn of_deleted_copy(expects: &ExpectedDeletion, copy: &Artifact, region: &Region) -> Option<Difference> {
    let key = &expects.sync_tag.key;
    let tag = copy.tags.get(key).unwrap_or("none");
    let of_marks = || {
        Difference::of("key of the sync tag", key, &key_on_copy(region)).or_else(|| {
            let reason = ours(copy, region).err()?;
            Some(Difference::new(copy.id.as_str(), "a copy of this job", reason))
        })
    };
    Difference::of(format!("tag {key} of {}", copy.id), &expects.sync_tag.value.as_str(), &tag)
        .or_else(of_marks)
        .or_else(|| Difference::of(format!("state of {}", copy.id), &expects.state, &copy.state))
        .or_else(|| {
            let what = format!("time of {}", copy.id);
            Difference::of_times(what, expects.data_time, copy_time(copy, region))
        })
}

/// If the database was created again under its name, the copy is one of the last of the earlier database. Where neither the newest
/// copy nor its source states when its database was created, that can't be ruled out.
fn of_parent(
    copy: &Artifact,
    sources: &[Artifact],
    copies: &[Artifact],
    region: &Region,
) -> Option<Difference> {
    let present = present_parent_created(copies, sources, region);
    if is_of_parent(copy, present) {
        return None;
    }
    let planned = copy.parent_created.map(whole_seconds)?;
    Difference::of_times(format!("creation time of the database of {}", copy.id), planned, present)
}

/// Every kept copy is there, available and the same, and one of them is at least as new as the copy to delete.
fn of_kept_copies(
    expects: &ExpectedDeletion,
    copies: &[Artifact],
    region: &Region,
) -> Option<Difference> {
    let is_newer = |kept: &KeptCopy| kept.data_time >= expects.data_time;
    if !expects.kept.iter().any(is_newer) {
        let planned = "one as new as the one deleted";
        return Some(Difference::new("copies kept", planned, "none"));
    }
    let available = ArtifactState::available();
    let kept = expects.kept.iter();
    let planned: Vec<String> = kept.clone().map(|kept| shown(kept, &available)).collect();
    let found: Vec<String> = kept.map(|kept| found_kept(kept, copies, region)).collect();
    let diff = TextDiff::from_slices(&planned, &found);
    let only = |tag: ChangeTag| {
        let changes = diff.iter_all_changes();
        words::list(changes.filter(|change| change.tag() == tag).map(|change| change.value()))
    };
    (planned != found).then(|| {
        let (planned, found) = (only(ChangeTag::Delete), only(ChangeTag::Insert));
        Difference::new("copies that the plan keeps", planned, found)
    })
}

/// Returns a kept copy as it was found. A copy that is no longer ours does not count as kept.
fn found_kept(kept: &KeptCopy, copies: &[Artifact], region: &Region) -> String {
    let Some(copy) = copies.iter().find(|copy| copy.id == kept.id) else {
        return format!("{} gone", kept.id);
    };
    match (ours(copy, region), copy_time(copy, region)) {
        (Ok(_) | Err(NotOurs::Kept), Some(data_time)) => {
            let id = copy.id.clone();
            shown(&KeptCopy { id, data_time }, &copy.state)
        }
        (Err(reason), _) => format!("{}, but {reason}", copy.id),
        (Ok(_), None) => format!("{} of unknown time ({})", copy.id, copy.state),
    }
}

fn shown(KeptCopy { id, data_time }: &KeptCopy, state: &ArtifactState) -> String {
    format!("{id} of {data_time} ({state})")
}
