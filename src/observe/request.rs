//! What is to be observed for one job.

use std::sync::Arc;

use crate::model::client_config::ClientConfig;
use crate::model::ids::{ArtifactId, JobName, Region};
use crate::model::kind::Kind;
use crate::model::location::Location;
use crate::model::plan::{JobPlan, regions};
use crate::model::query::{CopiesQuery, Queries, Query};
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
    /// Whether it is for planning, which also needs the limit of the destination, the options of the sources, and the cluster of a
    /// database without sources.
    pub is_for_plan: bool,
}

impl Request {
    /// Returns what planning a job needs.
    pub fn of_job(job: &SyncJob) -> Self {
        Self {
            job: job.name.clone(),
            kind: job.kind(),
            source: job.source(),
            destination: job.destination(),
            queries: job.rules.queries(),
            is_for_plan: true,
        }
    }

    /// Returns what applying a job's plan needs. Nothing is read for a job without actions.
    pub fn of_plan(plan: &JobPlan, credentials: &Arc<ClientConfig>) -> Option<Self> {
        let nothing = Queries {
            sources: Query::ByIds(Vec::new()),
            copies: CopiesQuery::BySource,
        };
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
            queries: plan.subject().map_or(nothing, Queries::about),
            is_for_plan: false,
        })
    }
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
