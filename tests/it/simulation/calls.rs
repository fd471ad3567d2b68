//! Calls, as reported to their run's monitor.

use aws_xregion_sync::model::action::Copy;

use crate::support::prelude::*;

/// What a read asks for.
#[derive(Clone, Debug)]
pub enum Read {
    Identity,
    Limit,
    Options,
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
