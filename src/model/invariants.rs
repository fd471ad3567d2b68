//! What holds of every plan, whoever made it: looked at when one is finished, and when one is read to be applied.

use std::collections::BTreeSet;

use super::action::{Action, Resource, Wave};
use super::id::JobName;
use super::plan::{JobPlan, Outcome, Subject};

/// What of it does not hold for the plans of these jobs together, and for which: jobs and actions are known by name.
pub fn broken_together(plans: &[JobPlan]) -> Option<(&JobName, String)> {
    let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for plan in plans {
        if !names.insert(&plan.name) {
            return Some((&plan.name, "two jobs have this name".to_owned()));
        }
        let mut own = plan.actions.iter().map(Action::id);
        if let Some(id) = own.find(|id| !ids.insert(*id)) {
            return Some((&plan.name, format!("another job has an action {id}, too")));
        }
    }
    None
}

/// What of it does not hold for the plan of this job.
pub fn broken(plan: &JobPlan) -> Option<String> {
    if plan.outcome != Outcome::Changes && !plan.actions.is_empty() {
        return Some("it has actions, though its outcome is not that there are changes".to_owned());
    }
    let mut ids = BTreeSet::new();
    let mut copies = 0;
    let mut wave = Wave::Copies;
    for action in &plan.actions {
        if !ids.insert(action.id()) {
            return Some(format!("two actions have the id {}", action.id()));
        }
        if let Some(after) = action.after().filter(|after| !ids.contains(after)) {
            return Some(format!(
                "{} waits for {after}, which does not come before it",
                action.id()
            ));
        }
        if !fits(action, plan.subject.as_ref()) {
            return Some(format!(
                "{} is about something else than the job",
                action.id()
            ));
        }
        if action.wave() < wave {
            return Some(format!("{} stands behind what comes after it", action.id()));
        }
        wave = action.wave();
        copies += usize::from(wave == Wave::Copies);
        if let Action::DeleteSnapshot(deletion) = action {
            let kept = &deletion.expects.kept;
            if kept.iter().any(|kept| kept.id == deletion.snapshot_id) {
                return Some(format!("{} is both deleted and kept", deletion.snapshot_id));
            }
            if !kept.iter().any(|kept| kept.taken >= deletion.expects.taken) {
                return Some(format!(
                    "{} is deleted, and nothing as new is kept",
                    deletion.snapshot_id
                ));
            }
        }
    }
    (copies > 1).then(|| format!("it makes {copies} copies"))
}

/// Whether an action is about what the job is about, which is what is looked at before it.
fn fits(action: &Action, subject: Option<&Subject>) -> bool {
    match (action, subject) {
        (Action::CopyImage(copy), Some(Subject::Image(id))) => copy.source_image_id == *id,
        (Action::CopySnapshot(copy), Some(Subject::Database(id))) => copy.db_instance == *id,
        (Action::DeleteSnapshot(deletion), Some(Subject::Database(id))) => {
            deletion.db_instance == *id
        }
        (Action::TagCopy(tag), Some(subject)) => {
            is_of(&tag.copy, subject) && is_of(&tag.source, subject)
        }
        (Action::TagSource(tag), Some(subject)) => is_of(&tag.source, subject),
        _ => false,
    }
}

fn is_of(resource: &Resource, subject: &Subject) -> bool {
    matches!(
        (resource, subject),
        (Resource::Image(_), Subject::Image(_)) | (Resource::Snapshot(_), Subject::Database(_))
    )
}
