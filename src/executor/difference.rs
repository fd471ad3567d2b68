//! The outcome of checking an action: the differences between what was planned and what was found.

use jiff::Timestamp;

use crate::model::ids::ArtifactId;
use crate::model::reason::UnneededReason;

/// Whether an action can be performed.
pub(super) enum Precondition {
    /// Everything is as planned.
    Go,
    /// This artifact already fulfils the purpose of the action.
    AlreadyDone(ArtifactId),
    /// The action is not needed any more.
    Unneeded(UnneededReason),
    /// Something has changed since the plan was made; the text says what.
    Stale(String),
}

/// Describes how a value differs from the planned one, if it does.
pub(super) fn difference(
    what: &str,
    planned: impl ToString,
    found: impl ToString,
) -> Option<String> {
    let (planned, found) = (planned.to_string(), found.to_string());
    (planned != found).then(|| format!("{what}: expected {planned}, found {found}"))
}

/// Returns [`Precondition::Go`] if nothing differs, otherwise the first difference.
pub(super) fn compared(differences: impl IntoIterator<Item = Option<String>>) -> Precondition {
    let first = differences.into_iter().flatten().next();
    first.map_or(Precondition::Go, Precondition::Stale)
}

pub(super) fn shown(time: Option<Timestamp>) -> String {
    time.map_or("none".to_owned(), |time| time.to_string())
}
