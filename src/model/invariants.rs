//! What holds for every plan: checked when a plan is finished, and again when it is read to be applied.

use std::collections::BTreeSet;

use super::action::{Action, Stage};
use super::artifact::ArtifactRef;
use super::ids::{JobName, Region};
use super::plan::{JobPlan, Outcome};
use super::sync_tag::{key_on_copy, key_on_source};

/// Returns what does not hold for the plans of these jobs together, and for which job: names of jobs and ids of actions are
/// unique.
pub fn broken_together(plans: &[JobPlan]) -> Option<(&JobName, String)> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for plan in plans {
        if !names.insert(&plan.name) {
            return Some((&plan.name, "two jobs have this name".to_owned()));
        }
        let mut own = plan.actions.iter().map(Action::id);
        if let Some(id) = own.find(|id| !ids.insert(*id)) {
            return Some((&plan.name, format!("another job also has an action {id}")));
        }
    }
    None
}

/// Returns what does not hold for the plan of this job.
pub fn broken(plan: &JobPlan) -> Option<String> {
    if plan.outcome != Outcome::Changes && !plan.actions.is_empty() {
        return Some("it has actions, but its outcome is not `changes`".to_owned());
    }
    let mut ids = BTreeSet::new();
    let mut stage = Stage::Copies;
    for action in &plan.actions {
        let id = action.id();
        if let Some(after) = action.after().filter(|after| !ids.contains(after)) {
            return Some(format!(
                "{id} waits for {after}, which does not come before it"
            ));
        }
        if !ids.insert(id) {
            return Some(format!("two actions have the id {id}"));
        }
        if !is_of_job(action, plan) {
            return Some(format!(
                "{id} is not about what the job copies, or not in its regions"
            ));
        }
        if action.stage() < stage {
            return Some(format!("{id} comes after actions of a later stage"));
        }
        stage = action.stage();
        if let Some(what) = broken_deletion(action) {
            return Some(what);
        }
    }
    let copies = plan
        .actions
        .iter()
        .filter(|action| action.stage() == Stage::Copies)
        .count();
    (copies > 1).then(|| format!("it makes {copies} copies"))
}

/// Returns what does not hold for a deletion.
fn broken_deletion(action: &Action) -> Option<String> {
    let Action::Delete(delete) = action else {
        return None;
    };
    let (id, expects) = (&delete.artifact.id, &delete.expects);
    if expects.kept.iter().any(|kept| kept.id == *id) {
        return Some(format!("{id} is both deleted and kept"));
    }
    let is_as_new = expects
        .kept
        .iter()
        .any(|kept| kept.data_time >= expects.data_time);
    (!is_as_new).then(|| format!("{id} is deleted, and nothing as new is kept"))
}

/// Returns true if an action is about what the job is about, which is what is observed before it, and stays in its regions.
fn is_of_job(action: &Action, plan: &JobPlan) -> bool {
    let (Some(source), Some(destination)) = (&plan.source, &plan.destination) else {
        return false;
    };
    let (from, to) = (&source.region, &destination.region);
    let is_in = |artifact: &ArtifactRef, region: &Region| {
        let is_same_parent = plan
            .subject()
            .is_some_and(|subject| subject.parent == artifact.parent);
        is_same_parent && artifact.region == *region
    };
    // Without a parent the id of the source is all that ties the actions of a job together.
    let is_same_subject = plan
        .subject()
        .is_some_and(|subject| subject.parent.is_some() || subject.id == action.subject().id);
    let is_at_its_ends = match action {
        Action::Copy(copy) => {
            is_in(&copy.source, from)
                && copy.copy.region == *to
                && copy.sync_tag.key == key_on_copy(from)
        }
        Action::TagCopy(tag) => {
            is_in(&tag.source, from)
                && is_in(&tag.copy, to)
                && tag.sync_tag.key == key_on_copy(from)
        }
        Action::TagSource(tag) => is_in(&tag.source, from) && tag.key == key_on_source(to),
        Action::Delete(delete) => {
            is_in(&delete.artifact, to) && delete.expects.sync_tag.key == key_on_copy(from)
        }
    };
    Some(action.kind()) == plan.kind() && is_same_subject && is_at_its_ends
}
