//! What one read asks for.

use super::ids::{ArtifactId, ParentId, Region};

/// What one read asks for. A list in a query that is sent to a provider is never empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Query {
    /// Images that a selector matches, in every state. Deprecated and disabled ones are included.
    Matching(ImageSelector),
    /// Images, or manual snapshots, by id. Disabled images are included.
    ByIds(Vec<ArtifactId>),
    /// The caller's own images that are copies of one of these images, according to AWS or their sync tag. Disabled ones are
    /// included.
    CopiesOf {
        /// The region of the sources.
        region: Region,
        /// The sources.
        ids: Vec<ArtifactId>,
    },
    /// The caller's own images that were copied from a region, according to AWS or the key of their sync tag. Disabled ones are
    /// included.
    CopiedFrom(Region),
    /// The automated snapshots of these databases, in every state.
    Automated(Vec<ParentId>),
    /// The manual snapshots of databases with these names, in every state. Copies are manual snapshots. A region without such a
    /// database may refuse this query with an error of class `Absent`.
    Manual(Vec<ParentId>),
    /// All manual snapshots of a region.
    AllManual,
}

impl Query {
    /// Returns true if there is nothing to read.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::ByIds(ids) | Self::CopiesOf { ids, .. } => ids.is_empty(),
            Self::Automated(parents) | Self::Manual(parents) => parents.is_empty(),
            Self::Matching(_) | Self::CopiedFrom(_) | Self::AllManual => false,
        }
    }
}

/// Which images a job selects: those of `owner` that carry one of the identifiers, if there are any, and match every filter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageSelector {
    /// An account id, `self`, `amazon` or `aws-marketplace`, as EC2 takes it.
    pub owner: String,
    /// Values of the tag `Sync-Identifier`, one of which an image must carry. If there are none, the tag does not matter.
    pub sync_identifiers: Vec<String>,
    /// Filters of DescribeImages, all of which must match.
    pub filters: Vec<ImageFilter>,
}

/// A filter of DescribeImages. It is met if any of its values matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageFilter {
    /// Its name, such as `tag:Environment`, `name` or `architecture`.
    pub name: String,
    /// Its values, with `*` and `?` as wildcards.
    pub values: Vec<String>,
}

/// What is read for one job: its sources, and their copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    /// What is read in the source region.
    pub sources: Query,
    /// How copies are found in the destination.
    pub copies: CopiesQuery,
}

/// How the copies of a job are found in the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopiesQuery {
    /// By the ids of their sources, so only after the sources have been read.
    BySource,
    /// By a query that does not depend on the sources.
    Independent(Query),
    /// By the ids of their sources, and, for copies of earlier sources, by a query that does not depend on the sources.
    BySourceAnd(Query),
}

impl CopiesQuery {
    /// Returns true if copies are found by the ids of their sources.
    pub fn is_by_source(&self) -> bool {
        matches!(self, Self::BySource | Self::BySourceAnd(_))
    }

    /// Returns the query that does not depend on the sources, if there is one.
    pub fn independent(&self) -> Option<&Query> {
        match self {
            Self::BySource => None,
            Self::Independent(query) | Self::BySourceAnd(query) => Some(query),
        }
    }
}

impl Queries {
    /// Returns what is read for one source, if there is one, its copies, and other copies with these ids.
    pub fn of_artifacts(source: Option<ArtifactId>, copies: Vec<ArtifactId>) -> Self {
        Self {
            sources: Query::ByIds(source.into_iter().collect()),
            copies: match copies.as_slice() {
                [] => CopiesQuery::BySource,
                _ => CopiesQuery::BySourceAnd(Query::ByIds(copies)),
            },
        }
    }

    /// Returns what is read for a job about the snapshots of a database.
    pub fn of_parent(parent: &ParentId) -> Self {
        Self {
            sources: Query::Automated(vec![parent.clone()]),
            copies: CopiesQuery::Independent(Query::Manual(vec![parent.clone()])),
        }
    }
}
