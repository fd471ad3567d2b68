//! Reports of histories, to find out what went wrong.

use crate::support::prelude::*;

/// Returns the contents of a world, one item per line.
pub fn of_world(world: &World) -> String {
    let mut lines = Vec::new();
    for (region, here) in &world.regions {
        for s in here.snapshots.iter().chain(&here.cluster_snapshots) {
            let (from, taken) = (s.copied_from.as_ref().and_then(|arn| arn.id()), s.data_time);
            lines.push(format!(
                "  {region} {} {:?} {} taken {taken:?}, from {from:?}, database of {:?}, {:?}",
                s.id, s.snapshot_type, s.state, s.parent_created, s.tags
            ));
        }
        for i in &here.images {
            let from = i.copied_from.as_ref().and_then(|arn| arn.id());
            lines.push(format!(
                "  {region} {} {} from {from:?}, {:?}",
                i.id, i.state, i.tags
            ));
        }
    }
    lines.join("\n")
}

/// Returns what is planned for each job.
pub fn of_plan(plan: &SavedPlan) -> String {
    let jobs = plan.jobs.iter().map(|job| {
        let actions: Vec<&str> = job
            .actions
            .iter()
            .map(|action| action.id().as_str())
            .collect();
        format!(
            "    planned {}: {:?}, {} {actions:?}",
            job.name, job.outcome, job.reason
        )
    });
    jobs.collect::<Vec<_>>().join("\n")
}

/// Returns the outcome of each action of an apply.
pub fn of_results(name: &str, results: &[SyncResult]) -> String {
    let lines = results.iter().flat_map(|result| {
        let actions = result.actions.iter().map(|action| {
            let detail = action.detail.as_deref().unwrap_or_default();
            format!(
                "    {name} ends {}: {:?} {} {detail}",
                action.id,
                action.outcome,
                action.resource.as_ref().map_or("", ArtifactId::as_str)
            )
        });
        actions.collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}
