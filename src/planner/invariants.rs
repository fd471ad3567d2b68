//! A finished plan is looked at once more: what must hold of every plan holds of this one. A hit is a bug in
//! the planner, and the job fails in place of doing harm.

use std::collections::BTreeSet;

use crate::model::plan::{Action, JobPlan, Outcome};
use crate::model::problem::Problem;

/// The plan as it is, or failed if it breaks an invariant.
pub(super) fn checked(plan: JobPlan) -> JobPlan {
    match broken(&plan) {
        None => plan,
        Some(what) => {
            let message = format!(
                "the plan of {} breaks an invariant of xrs: {what}",
                plan.name
            );
            let problem =
                Problem::new(message).help("this is a bug in xrs; please report it with this plan");
            JobPlan {
                outcome: Outcome::Failed,
                reason: problem.message.clone(),
                actions: Vec::new(),
                errors: vec![problem],
                ..plan
            }
        }
    }
}

fn broken(plan: &JobPlan) -> Option<String> {
    let mut ids = BTreeSet::new();
    let mut copies = 0;
    for action in &plan.actions {
        if !ids.insert(action.id()) {
            return Some(format!("two actions have the id {}", action.id()));
        }
        copies += usize::from(matches!(
            action,
            Action::CopyImage(_) | Action::CopySnapshot(_)
        ));
        let after = match action {
            Action::TagSource(tag) => Some(&tag.after),
            Action::DeleteSnapshot(deletion) => deletion.after.as_ref(),
            Action::CopyImage(_) | Action::CopySnapshot(_) | Action::TagCopy(_) => None,
        };
        if let Some(after) = after.filter(|after| !ids.contains(after)) {
            return Some(format!(
                "{} waits for {after}, which does not come before it",
                action.id()
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ActionId, DbInstance, JobName, SnapshotId};
    use crate::model::plan::{DeleteSnapshot, ExpectedDeletion, KeptCopy, Tag};

    fn time(text: &str) -> jiff::Timestamp {
        text.parse().expect("a time")
    }

    fn plan_deleting(id: &str, kept: Vec<KeptCopy>) -> JobPlan {
        let action = Action::DeleteSnapshot(DeleteSnapshot {
            id: ActionId::from("sync_db/delete/x"),
            reason: String::new(),
            after: None,
            db_instance: DbInstance::from("db"),
            snapshot_id: SnapshotId::from(id),
            size_gib: None,
            expects: ExpectedDeletion {
                taken: time("2026-01-10T05:10:00Z"),
                state: "available".to_owned(),
                sync_tag: Tag {
                    key: String::new(),
                    value: String::new(),
                },
                kept,
            },
        });
        let plan = super::super::broken(&JobName::from("sync_db"), &[]);
        JobPlan {
            outcome: Outcome::Changes,
            actions: vec![action],
            ..plan
        }
    }

    fn kept(id: &str, taken: &str) -> KeptCopy {
        KeptCopy {
            id: SnapshotId::from(id),
            taken: time(taken),
        }
    }

    #[test]
    fn law_5_a_deletion_that_leaves_nothing_as_new_fails_the_job() {
        for kept in [
            vec![],
            vec![kept("old", "2026-01-09T05:10:00Z")],
            vec![kept("x", "2026-01-10T05:10:00Z")],
        ] {
            let plan = checked(plan_deleting("x", kept));
            assert_eq!(plan.outcome, Outcome::Failed);
            assert!(plan.actions.is_empty() && !plan.errors.is_empty());
        }
        let plan = checked(plan_deleting(
            "x",
            vec![kept("new", "2026-01-11T05:10:00Z")],
        ));
        assert_eq!(plan.outcome, Outcome::Changes);
    }
}
