//! What is to be observed for one job.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::action::{ActionName, Delete};
use crate::model::client_config::ClientConfig;
use crate::model::ids::{ArtifactId, JobName, Region};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::plan::{JobPlan, regions};
use crate::model::query::Queries;
use crate::sync_types::SyncJob;

/// What is to be observed for one job: its sources, and their copies.
#[derive(Clone, Debug)]
pub struct Request {
    /// The job.
    pub job: JobName,
    /// What it copies.
    pub kind: Kind,
    /// Its source region.
    pub source: Location,
    /// Its destination region.
    pub destination: Location,
    /// What to read there.
    pub queries: Queries,
    /// The copies to read the users of.
    pub references: References,
    /// Whether it is for planning, which also needs the limit of the destination, the options of the sources, and the cluster of a
    /// database without sources.
    pub is_for_plan: bool,
}

/// For which copies to read the resources that use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum References {
    /// None.
    Unneeded,
    /// The job's failed copies, and its available ones if there may be more than this number of them.
    Beyond(usize),
    /// Those with these ids.
    Of(Vec<ArtifactId>),
}

impl Request {
    /// Returns what planning a job needs.
    pub fn of_job(job: &SyncJob) -> Self {
        let retention = job.rules.retention();
        let retention = retention.filter(|_| job.kind().facts().has_references);
        Self {
            job: job.name.clone(),
            kind: job.kind(),
            source: job.source(),
            destination: job.destination(),
            queries: job.rules.queries(),
            references: retention.map_or(References::Unneeded, |rules| {
                References::Beyond(usize::try_from(rules.max_retained).unwrap_or(usize::MAX))
            }),
            is_for_plan: true,
        }
    }

    /// Returns what applying a job's plan needs. Nothing is read for a job without actions.
    pub fn of_plan(plan: &JobPlan, credentials: &Arc<ClientConfig>) -> Option<Self> {
        let location = |region: &Region| Location {
            credentials: Arc::clone(credentials),
            region: region.clone(),
        };
        let (source, destination) = regions(&plan.source, &plan.destination)?;
        Some(Self {
            job: plan.name.clone(),
            kind: plan.kind()?,
            source: location(source),
            destination: location(destination),
            queries: queries(plan),
            references: References::Unneeded,
            is_for_plan: false,
        })
    }

    /// Returns the same request, extended by the resources that use the copies to be deleted, if AWS reports them.
    #[must_use]
    pub fn with_references<'d>(mut self, deletions: impl Iterator<Item = &'d Delete>) -> Self {
        let used = deletions.filter(|delete| delete.kind.facts().has_references);
        self.references = References::Of(used.map(|delete| delete.artifact.id.clone()).collect());
        self
    }
}

/// Returns what to read before the actions of a plan: everything that belongs to its database, or, for an image, its source, the
/// copies of the source, and the copies that are deleted or kept.
fn queries(plan: &JobPlan) -> Queries {
    let subject = plan.subject();
    if let Some(parent) = subject.and_then(|subject| subject.parent.as_ref()) {
        return Queries::of_parent(parent);
    }
    let mut actions = plan.actions.iter();
    let of_source = actions.find(|action| action.name() != ActionName::Delete);
    let copies = plan.deletions().flat_map(|delete| {
        let kept = delete.expects.kept.iter().map(|kept| &kept.id);
        kept.chain([&delete.artifact.id]).cloned()
    });
    let copies: BTreeSet<ArtifactId> = copies.collect();
    let source = of_source.map(|action| action.subject().id.clone());
    Queries::of_artifacts(source, copies.into_iter().collect())
}

/// A copy that is to be observed by its id.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    /// The job that receives the answer.
    pub job: JobName,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub at: Location,
    /// Its id.
    pub id: ArtifactId,
}
