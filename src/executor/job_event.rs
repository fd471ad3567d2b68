//! What happens to a job, and what it needs next.

use jiff::{SignedDuration, Timestamp};

use super::awaited_copy::AwaitedCopy;
use crate::model::action::{Action, Stage};
use crate::model::artifact::Artifact;
use crate::model::inventory::{Answer, Observation};
use crate::model::problem::Problem;
use crate::model::reason::StopReason;
use crate::model::result::ActionResult;

/// How old an observation may be when an action is performed.
pub(super) const MAX_AGE: SignedDuration = SignedDuration::from_secs(60);

/// What was observed for a job.
pub(super) struct Facts {
    pub(super) observation: Observation,
    /// When observing started.
    pub(super) observed_at: Timestamp,
    /// The stage that it was observed for.
    pub(super) stage: Stage,
}

impl Facts {
    /// Returns true if they are recent enough for this action. Deletions need those of their own stage. An error may
    /// be older: nothing but a failure follows from it.
    pub(super) fn can_serve(&self, action: &Action, now: Timestamp) -> bool {
        let is_recent = now.duration_since(self.observed_at) <= MAX_AGE;
        match action.stage() {
            stage if stage == self.stage => is_recent || self.observation.error().is_some(),
            Stage::Copies | Stage::Tags => is_recent,
            Stage::Deletions => false,
        }
    }
}

/// What a job needs next.
pub(super) enum Step<'j, 'a> {
    /// A new observation.
    Observe,
    Perform(&'a Action),
    /// A slot, and then a new observation.
    WaitForSlot,
    /// A pause, and then a new observation.
    WaitToRead,
    WaitForCopy(&'j AwaitedCopy),
    /// The answer that is on its way, or nothing any more.
    Nothing,
}

/// What happens to a job.
pub(super) enum JobEvent {
    ObservationStarted,
    Observed(Facts),
    /// The observation says nothing about the job.
    NotObserved,
    /// There is no slot for the next action, a copy.
    NoSlot(Problem),
    PerformStarted,
    Performed(Answer<ActionResult>),
    /// The copy that is waited for was read at that time.
    CopyRead(Answer<Vec<Artifact>>, Timestamp),
    Stopped(StopReason),
}

/// A plan, and what happens to its job, for tests.
#[cfg(test)]
pub(super) mod fixtures {
    use std::sync::Arc;

    use serde_json::json;

    use super::super::job_state::Job;
    use super::super::precondition::Target;
    use super::*;
    use crate::model::artifact::ArtifactState;
    use crate::model::client_config::ClientConfig;
    use crate::model::ids::{AccountId, Arn, ArtifactId, ParentId, Region};
    use crate::model::inventory::CallerIdentity;
    use crate::model::kind::{Kind, SyncTypeName};
    use crate::model::plan::JobPlan;
    use crate::model::provider_error::{ErrorClass, ProviderError};
    use crate::model::result::{ActionOutcome, SyncResult};

    const DAY: &str = "2026-01-14T05:10:00Z";
    const KIND: Kind = Kind::DbSnapshot;
    const SYNC_TYPE: SyncTypeName = SyncTypeName::RdsAutomatedSnapshot;

    pub(in crate::executor) fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    pub(in crate::executor) fn arn(region: &str, id: &str) -> String {
        format!("arn:aws:rds:{region}:123456789012:snapshot:{id}")
    }

    /// A job that makes a copy, records it on the source, and deletes an old copy.
    pub(in crate::executor) fn plan() -> JobPlan {
        let reference = |region: &str, id: &str| {
            let arn = arn(region, id);
            json!({"region": region, "id": id, "arn": arn, "parent": "db"})
        };
        let (source, old) = (
            reference("us-east-1", "rds:db-14"),
            reference("us-west-1", "rds-db-10"),
        );
        let old_tag =
            json!({"key": "Sync-From-us-east-1", "value": "20260110051000+0000 / rds:db-10"});
        let copy = json!({
            "id": "job/copy", "action": "copy", "kind": KIND, "reason": "", "source": source,
            "copy": {"region": "us-west-1", "id": "rds-db-14"}, "tags": {},
            "sync_tag": {"key": "Sync-From-us-east-1", "value": "20260114051000+0000 / rds:db-14"},
            "kms_key_id": null, "option_group_name": null, "size_gib": null,
            "expects": {"state": "available", "data_time": DAY, "parent_created": at(0)},
        });
        let tag = json!({
            "id": "job/tag-source", "action": "tag_source", "kind": KIND, "reason": "", "after": "job/copy",
            "source": source, "key": "Sync-us-west-1", "data_time": DAY, "copy": {"of_action": "job/copy"},
        });
        let delete = json!({
            "id": "job/delete", "action": "delete", "kind": KIND, "reason": "", "after": "job/copy",
            "artifact": old, "size_gib": null,
            "expects": {
                "data_time": "2026-01-10T05:10:00Z", "state": "available", "sync_tag": old_tag,
                "kept": [{"id": "rds-db-13", "data_time": "2026-01-13T05:10:00Z"}],
            },
        });
        let plan = json!({
            "name": "job", "sync_type": SYNC_TYPE, "source": {"region": "us-east-1"},
            "destination": {"region": "us-west-1"}, "account_id": "123456789012", "client_config": null,
            "outcome": "changes", "reason": "", "observed": null, "actions": [copy, tag, delete], "warnings": [], "errors": [],
        });
        serde_json::from_value(plan).expect("a plan")
    }

    pub(in crate::executor) fn target(plan: &JobPlan) -> Target {
        Target::of_plan(plan, Some(&Ok(Arc::new(ClientConfig::default())))).expect("a target")
    }

    pub(in crate::executor) fn snapshot(region: &str, id: &str, day: u8, state: &str) -> Artifact {
        let mut snapshot = Artifact {
            kind: Kind::DbSnapshot,
            id: ArtifactId::from(id),
            arn: Arn::from(arn(region, id)),
            parent: Some(ParentId::from("db")),
            state: ArtifactState::from(state),
            created: None,
            data_time: Some(format!("2026-01-{day}T05:10:00Z").parse().expect("a time")),
            copied_from: None,
            parent_created: Some(at(0)),
            encrypted: false,
            option_group: None,
            size_gib: None,
            percent: None,
            tags: Default::default(),
            image: None,
        };
        if region == "us-west-1" {
            let source = format!("rds:db-{day}");
            snapshot.copied_from = Some(Arn::from(arn("us-east-1", &source)));
            let value = format!("202601{day}051000+0000 / {source}");
            snapshot.tags.insert("Sync-From-us-east-1", value);
        }
        snapshot
    }

    pub(in crate::executor) fn error(class: ErrorClass) -> ProviderError {
        ProviderError {
            call: "Call",
            region: Region::from("us-east-1"),
            code: "Code".to_owned(),
            message: "message".to_owned(),
            class,
        }
    }

    pub(in crate::executor) fn observed(
        sources: Result<Vec<Artifact>, ProviderError>,
        stage: Stage,
        now: i64,
    ) -> JobEvent {
        let copies = [("rds-db-13", 13), ("rds-db-10", 10)];
        let copies = copies.map(|(id, day)| snapshot("us-west-1", id, day, "available"));
        let identity = CallerIdentity {
            account_id: AccountId::from("123456789012"),
            endpoint_url: None,
        };
        JobEvent::Observed(Facts {
            observation: Observation {
                identity: Ok(identity),
                sources,
                copies: Ok(copies.to_vec()),
            },
            observed_at: at(now),
            stage,
        })
    }

    pub(in crate::executor) fn source() -> Result<Vec<Artifact>, ProviderError> {
        Ok(vec![snapshot("us-east-1", "rds:db-14", 14, "available")])
    }

    pub(in crate::executor) fn done(plan: &JobPlan, action: usize, id: &str) -> JobEvent {
        let result = ActionResult::new(&plan.actions[action], ActionOutcome::Done);
        JobEvent::Performed(Ok(result.resource(ArtifactId::from(id))))
    }

    pub(in crate::executor) fn copy_read(state: &str, now: i64) -> JobEvent {
        JobEvent::CopyRead(
            Ok(vec![snapshot("us-west-1", "rds-db-14", 14, state)]),
            at(now),
        )
    }

    fn shown(job: &Job<'_>, now: i64) -> String {
        match job.next_step(at(now)) {
            Step::Observe => "observe".to_owned(),
            Step::Perform(action) => action.id().to_string(),
            Step::WaitForSlot => "wait for a slot".to_owned(),
            Step::WaitToRead => "wait to read".to_owned(),
            Step::WaitForCopy(copy) => format!("wait for {}", copy.id),
            Step::Nothing if job.is_finished() => "finished".to_owned(),
            Step::Nothing => "nothing".to_owned(),
        }
    }

    /// Gives these events to a job, at these seconds, and checks what it needs after each; returns its result.
    pub(in crate::executor) fn run(
        plan: &JobPlan,
        waits: bool,
        table: Vec<(i64, JobEvent, &str)>,
    ) -> SyncResult {
        let mut job = Job::new(plan, target(plan), waits, at(0));
        assert_eq!(shown(&job, 0), "observe");
        for (row, (now, event, expected)) in table.into_iter().enumerate() {
            job.on_event(event, at(now));
            assert_eq!(shown(&job, now), expected, "row {row}");
        }
        job.into_result()
    }

    pub(in crate::executor) fn outcomes(result: &SyncResult) -> Vec<ActionOutcome> {
        result.actions.iter().map(|action| action.outcome).collect()
    }
}
