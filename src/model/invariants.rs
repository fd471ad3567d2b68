//! What holds for every plan. It is checked when a plan has been made, and again before it is applied.

use std::collections::BTreeSet;

use super::action::{Action, KnownCopy, Stage, Tag};
use super::artifact::ArtifactRef;
use super::identity::is_copy_id;
use super::ids::{AccountId, JobName};
use super::kind::CopyId;
use super::plan::{JobPlan, Outcome, regions};
use super::sync_tag::{SyncTag, is_reserved, is_sync_key, key_on_copy, key_on_source};

/// Returns the first job whose plan conflicts with those of others, and how: names of jobs and ids of actions are unique.
pub fn conflict_between_jobs(plans: &[JobPlan]) -> Option<(&JobName, String)> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for plan in plans {
        if !names.insert(&plan.name) {
            return Some((&plan.name, "two jobs have this name".to_owned()));
        }
        let mut own = plan.actions.iter().map(Action::id);
        if let Some(id) = own.find(|id| !ids.insert(*id)) {
            return Some((&plan.name, format!("another job has an action {id} too")));
        }
    }
    None
}

/// Returns how the plan of one job contradicts itself, if it does.
pub fn broken(plan: &JobPlan) -> Option<String> {
    if (plan.outcome == Outcome::Changes) == plan.actions.is_empty() {
        return Some("its outcome does not match its actions".to_owned());
    }
    if plan.outcome == Outcome::Failed && plan.errors.is_empty() {
        return Some("it has failed without an error".to_owned());
    }
    let mut ids = BTreeSet::new();
    let mut stage = Stage::MakingRoom;
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
        if let Some(what) = foreign_value(action, plan) {
            return Some(format!("{what} of {id} is not that of the job"));
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
                return Some(format!("{deleted} is deleted, but no copy as new is kept"));
            }
        }
    }
    let is_copy = |action: &&Action| action.stage() == Stage::Copies;
    let copies = plan.actions.iter().filter(is_copy).count();
    (copies > 1).then(|| format!("it makes {copies} copies"))
}

/// Returns true if an action is about what is observed for the job: artifacts of its kind, in its regions, with one parent or
/// source.
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

/// Returns the first value of an action that would be sent to AWS but does not follow from the job and the artifacts it names, if
/// there is one. A digest only proves that a plan is the one that was approved.
fn foreign_value(action: &Action, plan: &JobPlan) -> Option<&'static str> {
    let (from, to) = regions(&plan.source, &plan.destination)?;
    let is_own = |artifact: &ArtifactRef| {
        artifact.arn.parts().is_some_and(|parts| {
            let account = plan.account_id.as_ref().map(AccountId::as_str);
            parts.region == artifact.region.as_str()
                && parts.id == artifact.id.as_str()
                && parts.account.is_none_or(|other| Some(other) == account)
        })
    };
    let is_sync_tag = |tag: &Tag, source: Option<&ArtifactRef>| {
        tag.key == key_on_copy(from)
            && SyncTag::parse(&tag.value).is_some_and(|value| {
                source.is_none_or(|source| value.other_end == source.id.as_str())
            })
    };
    let is_user_tag = |key: &str| !is_reserved(key) && !is_sync_key(key);
    let checks = match action {
        Action::Copy(copy) => vec![
            ("the ARN of the source", is_own(&copy.source)),
            (
                "the sync tag",
                is_sync_tag(&copy.sync_tag, Some(&copy.source)),
            ),
            ("a tag", copy.tags.keys().all(is_user_tag)),
            (
                "the id of the copy",
                match (copy.kind.facts().copy_id, &copy.copy.id) {
                    (CopyId::AssignedByAws, None) => true,
                    (CopyId::Chosen { .. }, Some(id)) => {
                        is_copy_id(copy.kind, id, &copy.source.id, from)
                    }
                    _ => false,
                },
            ),
        ],
        Action::TagCopy(tag) => vec![
            ("the ARN of the copy", is_own(&tag.copy)),
            ("the ARN of the source", is_own(&tag.source)),
            (
                "the sync tag",
                is_sync_tag(&tag.sync_tag, Some(&tag.source)),
            ),
            ("a tag", tag.tags.keys().all(is_user_tag)),
        ],
        Action::TagSource(tag) => vec![
            ("the ARN of the source", is_own(&tag.source)),
            ("the key of the sync tag", tag.key == key_on_source(to)),
            (
                "the copy in the sync tag",
                plan.actions.iter().any(|other| match (other, &tag.copy) {
                    (Action::Copy(copy), KnownCopy::OfAction(id)) => copy.id == *id,
                    (Action::TagCopy(other), KnownCopy::Id(id)) => other.copy.id == *id,
                    _ => false,
                }),
            ),
        ],
        Action::Delete(delete) => vec![
            ("the ARN of the copy", is_own(&delete.artifact)),
            ("the sync tag", is_sync_tag(&delete.expects.sync_tag, None)),
            (
                "the sync identifier",
                // Nothing else tells the images of one job from those of another.
                delete.expects.sync_identifier.is_some() || delete.artifact.parent.is_some(),
            ),
            (
                "the copy that waits for the deletion",
                delete.before.as_ref().is_none_or(|before| {
                    let is_it =
                        |other: &Action| matches!(other, Action::Copy(copy) if copy.id == *before);
                    plan.actions.iter().any(is_it)
                }),
            ),
        ],
    };
    let wrong = checks.into_iter().find(|(_, is_right)| !is_right);
    wrong.map(|(what, _)| what)
}
