//! Whether what an action depends on still holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::action::{
    Action, Copy, Delete, ExpectedDeletion, KeptCopy, Tag, TagCopy, TagSource,
};
use crate::model::artifact::{Artifact, ArtifactRef, ArtifactState};
use crate::model::client_config::ClientConfig;
use crate::model::identity::{
    Source, copy_time, is_in_account, is_of_parent, ours, present_parent_created,
};
use crate::model::ids::{AccountId, ArtifactId};
use crate::model::inventory::{Answer, Observation};
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::reason::{NotOurs, UnneededReason};
use crate::model::sync_tag::{SyncTag, key_on_copy, whole_seconds};
use crate::observe::{CopyRequest, Request};

/// Where a job acts.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The account that the plan was made in.
    pub(super) account: AccountId,
    /// Source, destination, and what is read there.
    pub(super) request: Request,
}

impl Target {
    /// Returns a request for copies of the job, of which none is named yet.
    pub(super) fn copy_request(&self) -> CopyRequest {
        let request = &self.request;
        CopyRequest {
            job: request.job.clone(),
            kind: request.kind,
            at: request.destination.clone(),
            ids: BTreeSet::new(),
        }
    }

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

/// What a copy that may be deleted is.
const OURS: &str = "a copy of this job";

/// What its database is.
const PRESENT: &str = "the present one";

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
        let regions = Regions {
            target,
            sources: known(&observation.sources)?,
            copies: known(&observation.copies)?,
        };
        Ok(
            match (compared([row("account", &target.account, account)]), action) {
                (Precondition::Go, Action::Copy(copy)) => regions.check_copy(copy),
                (Precondition::Go, Action::TagCopy(tag)) => regions.check_tag_copy(tag),
                (Precondition::Go, Action::TagSource(tag)) => regions.check_tag_source(tag, copy),
                (Precondition::Go, Action::Delete(delete)) => regions.check_delete(delete),
                (stale, _) => stale,
            },
        )
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

/// Returns a warning if there is a newer source than the one to be copied. That is no reason not to copy.
pub(super) fn newer_source(action: &Action, observation: &Observation) -> Option<String> {
    let Action::Copy(copy) = action else {
        return None;
    };
    let sources = observation.sources.iter().flatten();
    let available = sources.filter(|source| source.state.is_available());
    let newest = available.max_by_key(|source| (source.source_time(), &source.id))?;
    let is_newer = newest.source_time() > Some(copy.expects.data_time);
    let (newest, planned) = (&newest.id, &copy.source.id);
    let warning = format!("{newest} is newer than the planned {planned}: plan again to sync it");
    (is_newer && copy.kind.facts().newer_copy_suffices).then_some(warning)
}

/// What was observed in the two regions of a job.
struct Regions<'a> {
    target: &'a Target,
    sources: &'a [Artifact],
    copies: &'a [Artifact],
}

impl Regions<'_> {
    /// Neither the source nor a newer one has a copy; the source is there, available and the same; the id of the copy is free.
    fn check_copy(&self, copy: &Copy) -> Precondition {
        let found = find(self.sources, &copy.source);
        let source = self.with_named_copy(source_of(copy), &copy.source);
        let is_own = |copy: &&Artifact| is_in_account(copy, &self.target.account);
        if let Some(existing) = source.synced_by(self.copies.iter().filter(is_own)) {
            let id = existing.id.clone();
            return if source.is_source_of(existing) {
                Precondition::AlreadyDone(id)
            } else {
                Precondition::Unneeded(UnneededReason::NewerCopy(id))
            };
        }
        let (source, expects) = (
            format!("source {} {}", copy.kind, copy.source.id),
            &copy.expects,
        );
        let state = found.map_or("none of that id", |source| source.state.as_str());
        let time = shown(found.and_then(Artifact::source_time));
        let created = found.and_then(|source| source.parent_created.map(whole_seconds));
        let has_its_id = |other: &&Artifact| Some(&other.id) == copy.copy.id.as_ref();
        let holder = self.copies.iter().find(has_its_id);
        let holder = holder.map_or("free".to_owned(), |holder| {
            let origin = holder.copied_from.as_ref();
            let origin = origin.map_or("made there".to_owned(), |arn| format!("copied from {arn}"));
            format!("held by a {} {origin} ({})", copy.kind, holder.state)
        });
        compared([
            row(format!("state of {source}"), &expects.state, state),
            row(
                format!("creation time of {source}"),
                expects.data_time,
                time,
            ),
            row(
                format!("creation time of the database of {source}"),
                shown(expects.parent_created),
                shown(created),
            ),
            row("id of the copy", "free", holder),
        ])
    }

    /// Adds the copy that the source's own tag names, if the source is there.
    fn with_named_copy<'s>(&self, source: Source<'s>, artifact: &ArtifactRef) -> Source<'s> {
        let destination = &self.target.request.destination.region;
        match find(self.sources, artifact) {
            Some(found) => source.with_copy_named_by(found, destination),
            None => source,
        }
    }

    /// The copy is there, has not failed, and is still a copy of that source; it has the planned sync tag, or lacks a readable one
    /// and is named by the source.
    fn check_tag_copy(&self, tag: &TagCopy) -> Precondition {
        let (id, Tag { key, value }) = (&tag.copy.id, &tag.sync_tag);
        let copy = find(self.copies, &tag.copy).filter(|copy| !copy.state.is_gone());
        let readable = |copy: &Artifact| {
            let tag = copy.tags.get(key);
            tag.filter(|value| SyncTag::parse(value).is_some())
                .map(str::to_owned)
        };
        let is_copy = |copy: &&Artifact| {
            SyncTag::parse(value).is_some_and(|planned| {
                let source = source(tag.kind, &tag.source, planned.time);
                let source = self.with_named_copy(source, &tag.source);
                source.is_source_of(copy) && (readable(copy).is_some() || source.names(copy))
            })
        };
        let Some(copy) = copy.filter(is_copy) else {
            let found = "gone, failed or no copy of that source any more";
            return compared([row(format!("copy {id}"), "there", found)]);
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
            row(format!("time of copy {id}"), shown(planned), shown(found)),
            row(format!("tag {key} of {id}"), value, readable),
        ])
    }

    /// The source is there. Automated snapshots expire, and a finished plan stays finished.
    fn check_tag_source(&self, tag: &TagSource, copy: Option<&ArtifactId>) -> Precondition {
        let Some(copy) = copy else {
            return Precondition::Unneeded(UnneededReason::NoCopyToName);
        };
        match find(self.sources, &tag.source) {
            None => Precondition::Unneeded(UnneededReason::SourceGone),
            Some(source) if source.tags.get(&tag.key) == Some(&tag.tag(copy).value) => {
                Precondition::AlreadyDone(tag.source.id.clone())
            }
            Some(_) => Precondition::Go,
        }
    }

    /// The copy is the same, ours and of the present database; every copy that the plan keeps is there and available, and one
    /// is at least as new.
    fn check_delete(&self, delete: &Delete) -> Precondition {
        let id = &delete.artifact.id;
        let mut copies = self.copies.iter();
        let copy = copies.find(|copy| copy.id == *id && !copy.state.is_being_deleted());
        let Some(copy) = copy else {
            return Precondition::AlreadyDone(id.clone());
        };
        let region = &self.target.request.source.region;
        let ExpectedDeletion {
            data_time,
            state,
            sync_tag: Tag { key, value },
            kept,
        } = &delete.expects;
        let tag = copy.tags.get(key).unwrap_or("none");
        let time = shown(copy_time(copy, region));
        let ours_now = ours(copy, region).map_or_else(|why| why.to_string(), |_| OURS.to_owned());
        // If the database was created again under its name since, it is among the last copies of the earlier database.
        let present = present_parent_created(self.sources, self.copies, region);
        let database = if is_of_parent(copy, present) {
            PRESENT
        } else {
            "another one, or unknown"
        };
        let newest = kept.iter().map(|kept| kept.data_time).max();
        let newest_then = newest.max(Some(*data_time));
        let available = ArtifactState::available();
        let kept_rows = kept.iter().map(|kept| {
            let (then, now) = (show_kept(kept.data_time, &available), self.found_kept(kept));
            row(format!("kept copy {}", kept.id), then, now)
        });
        let rows = [
            row(format!("tag {key} of {id}"), value, tag),
            row("key of the sync tag", key, key_on_copy(region)),
            row(id.as_str(), OURS, ours_now),
            row(format!("state of {id}"), state, &copy.state),
            row(format!("time of {id}"), data_time, time),
            row(format!("database of {id}"), PRESENT, database),
            row(
                "newest copy that is kept",
                shown(newest_then),
                shown(newest),
            ),
        ];
        compared(rows.into_iter().chain(kept_rows))
    }

    /// Shows a kept copy as it was found. A copy that is no longer ours does not count as kept.
    fn found_kept(&self, kept: &KeptCopy) -> String {
        let region = &self.target.request.source.region;
        let Some(copy) = self.copies.iter().find(|copy| copy.id == kept.id) else {
            return "gone".to_owned();
        };
        match (ours(copy, region), copy_time(copy, region)) {
            (Ok(_) | Err(NotOurs::Kept), Some(data_time)) => show_kept(data_time, &copy.state),
            (Err(reason), _) => format!("not a copy of this job: {reason}"),
            (Ok(_), None) => format!("a copy of unknown time ({})", copy.state),
        }
    }
}

fn show_kept(data_time: Timestamp, state: &ArtifactState) -> String {
    format!("a copy of {data_time} ({state})")
}
