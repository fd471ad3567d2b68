//! Whether what an action expects still holds.

use similar::{ChangeTag, TextDiff};

use crate::model::action::Action;
use crate::model::id::{AccountId, Region};
use crate::model::inventory::{Found, Image, Looked, Observation, Snapshot};
use crate::model::problem::Problem;
use crate::model::provider_error::ProviderError;
use crate::model::words;

use super::{copy_image, copy_snapshot, delete_snapshot, tag_copy, tag_source};

/// What comes of comparing an action with the world.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// All is as expected.
    Go,
    /// What the action is for has been reached; the image or snapshot in which it is.
    AlreadyDone(String),
    /// It is not needed any more, and why.
    Needless(String),
    /// The world is not as planned.
    Stale(Difference),
    /// It could not be looked; nothing follows from that.
    Unknown(ProviderError),
}

/// What was planned with, and what is there now.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) planned: String,
    pub(super) found: String,
}

impl Difference {
    pub(super) fn new(
        what: impl Into<String>,
        planned: impl ToString,
        found: impl ToString,
    ) -> Self {
        Self {
            what: what.into(),
            planned: planned.to_string(),
            found: found.to_string(),
        }
    }

    /// What of two lists is not the same; nothing if they are.
    pub(super) fn of_lists(what: &str, planned: &[String], found: &[String]) -> Option<Self> {
        let (planned, found): (Vec<&str>, Vec<&str>) = (
            planned.iter().map(String::as_str).collect(),
            found.iter().map(String::as_str).collect(),
        );
        let diff = TextDiff::from_slices(&planned, &found);
        let only = |tag: ChangeTag| {
            words::list(
                diff.iter_all_changes()
                    .filter(|change| change.tag() == tag)
                    .map(|change| change.value()),
            )
        };
        (planned != found)
            .then(|| Self::new(what, only(ChangeTag::Delete), only(ChangeTag::Insert)))
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
        .help("plan again: the world has changed since")
    }
}

/// What an action does not say itself.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// As whom the plan was made.
    pub(super) account: &'a AccountId,
    /// Where the job's copies go.
    pub(super) destination: &'a Region,
    /// The copy that a source's tag is to name, once there is one.
    pub(super) copy: Option<&'a str>,
}

/// Compares an action with what was just observed for its job.
pub(super) fn check(action: &Action, known: Known<'_>, seen: &Observation) -> Verdict {
    match &seen.identity {
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(caller) if caller.account_id != *known.account => {
            return Verdict::Stale(Difference::new(
                "account",
                known.account,
                &caller.account_id,
            ));
        }
        Ok(_) => {}
    }
    let verdict = match action {
        Action::CopyImage(copy) => copy_image::check(copy, known, &seen.found),
        Action::CopySnapshot(copy) => copy_snapshot::check(copy, &seen.found),
        Action::TagCopy(tag) => tag_copy::check(tag, &seen.found),
        Action::TagSource(tag) => tag_source::check(tag, known.copy, &seen.found),
        Action::DeleteSnapshot(deletion) => delete_snapshot::check(deletion, &seen.found),
    };
    verdict.unwrap_or_else(Verdict::Unknown)
}

/// Source images and possible copies; what could not be seen is an error, not an empty list.
pub(super) fn images(found: &Found) -> Looked<(&[Image], &[Image])> {
    match found {
        Found::Images { source, copies } => both(source, copies),
        Found::Snapshots { .. } => Ok((&[], &[])),
    }
}

/// Automated snapshots of the source and manual ones of the destination.
pub(super) fn snapshots(found: &Found) -> Looked<(&[Snapshot], &[Snapshot])> {
    match found {
        Found::Snapshots { source, copies } => both(source, copies),
        Found::Images { .. } => Ok((&[], &[])),
    }
}

fn both<'a, T>(
    source: &'a Looked<Vec<T>>,
    copies: &'a Looked<Vec<T>>,
) -> Looked<(&'a [T], &'a [T])> {
    match (source, copies) {
        (Ok(source), Ok(copies)) => Ok((source, copies)),
        (Err(error), _) | (_, Err(error)) => Err(error.clone()),
    }
}
