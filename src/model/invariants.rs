//! What holds for every plan. It is checked when a plan has been made, and again before a plan is applied.

use std::collections::BTreeSet;

use super::action::{Action, Stage};
use super::artifact::ArtifactRef;
use super::ids::JobName;
use super::plan::{JobPlan, Outcome};

/// Returns the first job whose plan conflicts with those of others, and how: names of jobs and ids of actions are unique.
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

/// Returns how the plan of one job contradicts itself, if it does.
pub fn broken(plan: &JobPlan) -> Option<String> {
    if (plan.outcome == Outcome::Changes) == plan.actions.is_empty() {
        return Some("its outcome does not fit its actions".to_owned());
    }
    let mut ids = BTreeSet::new();
    let mut stage = Stage::Copies;
    for action in &plan.actions {
        let id = action.id();
        if action.after().is_some_and(|after| !ids.contains(after)) {
            return Some(format!("{id} comes before the action that it depends on"));
        }
        if !ids.insert(id) {
            return Some(format!("two actions have the id {id}"));
        }
        if action.stage() < stage {
            return Some(format!("{id} comes after actions of a later stage"));
        }
        stage = action.stage();
        if !is_about_job(action, plan) {
            return Some(format!("{id} is about something other than the job"));
        }
        if let Action::Delete(delete) = action {
            let kept = &delete.expects.kept;
            let deleted = &delete.artifact.id;
            if kept.iter().any(|kept| kept.id == *deleted) {
                return Some(format!("{deleted} is both deleted and kept"));
            }
            if !kept
                .iter()
                .any(|kept| kept.data_time >= delete.expects.data_time)
            {
                return Some(format!("{deleted} is deleted, and nothing as new is kept"));
            }
        }
    }
    let is_copy = |action: &&Action| action.stage() == Stage::Copies;
    let copies = plan.actions.iter().filter(is_copy).count();
    (copies > 1).then(|| format!("it makes {copies} copies"))
}

/// Returns true if an action is about what is observed for the job: artifacts of its kind, in its regions, of one parent or source.
fn is_about_job(action: &Action, plan: &JobPlan) -> bool {
    let source = plan.source.as_ref().map(|end| &end.region);
    let destination = plan.destination.as_ref().map(|end| &end.region);
    let has_same_subject = |artifact: &ArtifactRef| match plan.subject() {
        Some(first) if first.parent.is_some() => artifact.parent == first.parent,
        Some(first) => artifact.parent.is_none() && artifact.id == first.id,
        None => false,
    };
    let is_source =
        |artifact: &ArtifactRef| source == Some(&artifact.region) && has_same_subject(artifact);
    let is_copy = |artifact: &ArtifactRef| {
        let parent = plan.subject().and_then(|first| first.parent.as_ref());
        destination == Some(&artifact.region) && artifact.parent.as_ref() == parent
    };
    plan.kind() == Some(action.kind())
        && match action {
            Action::Copy(copy) => is_source(&copy.source) && destination == Some(&copy.copy.region),
            Action::TagCopy(tag) => is_source(&tag.source) && is_copy(&tag.copy),
            Action::TagSource(tag) => is_source(&tag.source),
            Action::Delete(delete) => is_copy(&delete.artifact),
        }
}
