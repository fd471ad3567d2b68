//! A finished plan is looked at once more: what must hold of every plan holds of this one. A hit is a bug in
//! the planner, and the job fails in place of doing harm.

use crate::model::invariants::broken;
use crate::model::plan::{JobPlan, Outcome};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::action::{Action, DeleteSnapshot, ExpectedDeletion, KeptCopy, Tag};
    use crate::model::id::{ActionId, DbInstance, JobName, SnapshotId};
    use crate::model::plan::Subject;

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
            subject: Some(Subject::Database(DbInstance::from("db"))),
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
