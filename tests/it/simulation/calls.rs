//! Calls, as reported to their run's monitor.

use aws_xregion_sync::model::action::Copy;

use crate::support::prelude::*;

/// What a read asks for.
#[derive(Clone, Debug)]
pub enum Read {
    Identity,
    Limit,
    Options,
    References(Vec<ArtifactId>),
    Cluster,
    Find(Kind, Query),
}

/// One write.
#[derive(Clone, Debug)]
pub enum Write<'a> {
    Copy(&'a Copy),
    Tag(&'a ArtifactRef, &'a Tags),
    Delete(&'a Delete),
}

/// Returns the word under which actions are counted.
pub fn action_word(action: &Action) -> &'static str {
    match (action, action.kind()) {
        (Action::Copy(_), Kind::Image) => "copy an image",
        (Action::Copy(_), Kind::DbSnapshot) => "copy a snapshot",
        (Action::Copy(_), Kind::DbClusterSnapshot) => "copy a cluster snapshot",
        (Action::TagCopy(_), _) => "tag_copy",
        (Action::TagSource(_), _) => "tag_source",
        (Action::Delete(_), Kind::Image) => "delete an image",
        (Action::Delete(_), Kind::DbClusterSnapshot) => "delete a cluster snapshot",
        (Action::Delete(_), Kind::DbSnapshot) => "delete",
    }
}
