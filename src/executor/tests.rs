//! The transitions of a job, of a copy that is waited for, and of the copies in progress: tables of what happens and what follows.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::awaited_copy::{AwaitedCopy, CopyStatus};
use super::in_flight::InFlightCopies;
use super::job_state::{Facts, Job, JobEvent, Step};
use super::precondition::Target;
use crate::model::action::{Action, Stage};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::client_config::ClientConfig;
use crate::model::ids::{AccountId, Arn, ArtifactId, JobName, ParentId, Region};
use crate::model::inventory::{CallerIdentity, Observation};
use crate::model::kind::Kind;
use crate::model::plan::JobPlan;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::reason::StopReason;
use crate::model::result::{ActionOutcome, ActionResult, SyncResult};

const DAY: &str = "2026-01-14T05:10:00Z";

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:rds:{region}:123456789012:snapshot:{id}")
}

/// A job that makes a copy, records it on the source, and deletes an old copy.
fn plan() -> JobPlan {
    let reference = |region: &str, id: &str| {
        let arn = arn(region, id);
        json!({"region": region, "id": id, "arn": arn, "parent": "db"})
    };
    let (source, old) = (
        reference("us-east-1", "rds:db-14"),
        reference("us-west-1", "rds-db-10"),
    );
    let old_tag = json!({"key": "Sync-From-us-east-1", "value": "20260110051000+0000 / rds:db-10"});
    let copy = json!({
        "id": "job/copy", "action": "copy", "kind": "db_snapshot", "reason": "", "source": source,
        "copy": {"region": "us-west-1", "id": "rds-db-14"}, "tags": {},
        "sync_tag": {"key": "Sync-From-us-east-1", "value": "20260114051000+0000 / rds:db-14"},
        "kms_key_id": null, "option_group_name": null, "size_gib": null,
        "expects": {"state": "available", "data_time": DAY},
    });
    let tag = json!({
        "id": "job/tag-source", "action": "tag_source", "kind": "db_snapshot", "reason": "", "after": "job/copy",
        "source": source, "key": "Sync-us-west-1", "data_time": DAY, "copy": {"of_action": "job/copy"},
    });
    let delete = json!({
        "id": "job/delete", "action": "delete", "kind": "db_snapshot", "reason": "", "after": "job/copy",
        "artifact": old, "size_gib": null,
        "expects": {
            "data_time": "2026-01-10T05:10:00Z", "state": "available", "sync_tag": old_tag,
            "kept": [{"id": "rds-db-13", "data_time": "2026-01-13T05:10:00Z"}],
        },
    });
    let plan = json!({
        "name": "job", "sync_type": "rds_automated_snapshot", "source": {"region": "us-east-1"},
        "destination": {"region": "us-west-1"}, "account_id": "123456789012", "client_config": null,
        "outcome": "changes", "reason": "", "observed": null, "actions": [copy, tag, delete], "warnings": [], "errors": [],
    });
    serde_json::from_value(plan).expect("a plan")
}

fn target(plan: &JobPlan) -> Target {
    Target::of_plan(plan, Some(&Ok(Arc::new(ClientConfig::default())))).expect("a target")
}

fn snapshot(region: &str, id: &str, day: u8, state: &str) -> Artifact {
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

fn error(class: ErrorClass) -> ProviderError {
    ProviderError {
        call: "Call",
        region: Region::from("us-east-1"),
        code: "Code".to_owned(),
        message: "message".to_owned(),
        class,
    }
}

fn observed(sources: Result<Vec<Artifact>, ProviderError>, stage: Stage, now: i64) -> JobEvent {
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

fn source() -> Result<Vec<Artifact>, ProviderError> {
    Ok(vec![snapshot("us-east-1", "rds:db-14", 14, "available")])
}

fn done(plan: &JobPlan, action: usize, id: &str) -> JobEvent {
    let result = ActionResult::new(&plan.actions[action], ActionOutcome::Done);
    JobEvent::Performed(Ok(result.resource(ArtifactId::from(id))))
}

fn copy_read(state: &str, now: i64) -> JobEvent {
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
fn run(plan: &JobPlan, waits: bool, table: Vec<(i64, JobEvent, &str)>) -> SyncResult {
    let mut job = Job::new(plan, target(plan), waits, at(0));
    assert_eq!(shown(&job, 0), "observe");
    for (row, (now, event, expected)) in table.into_iter().enumerate() {
        job.on_event(event, at(now));
        assert_eq!(shown(&job, now), expected, "row {row}");
    }
    job.into_result()
}

fn outcomes(result: &SyncResult) -> Vec<ActionOutcome> {
    result.actions.iter().map(|action| action.outcome).collect()
}

#[test]
fn a_job_copies_tags_waits_and_deletes() {
    use JobEvent::{ObservationStarted, PerformStarted};
    let plan = plan();
    let result = run(
        &plan,
        true,
        vec![
            (0, ObservationStarted, "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (61, PerformStarted, "nothing"),
            (61, PerformStarted, "nothing"),
            (62, done(&plan, 0, "rds-db-14"), "observe"),
            (62, ObservationStarted, "nothing"),
            (63, observed(source(), Stage::Tags, 62), "job/tag-source"),
            (63, PerformStarted, "nothing"),
            (64, done(&plan, 1, "rds:db-14"), "wait for rds-db-14"),
            (65, copy_read("creating", 65), "wait for rds-db-14"),
            (66, copy_read("available", 66), "observe"),
            (66, ObservationStarted, "nothing"),
            (67, observed(source(), Stage::Deletions, 66), "job/delete"),
            (67, PerformStarted, "nothing"),
            (68, done(&plan, 2, "rds-db-10"), "finished"),
        ],
    );
    assert!(result.completed, "{result:?}");
    assert_eq!(result.created_resource, Some(ArtifactId::from("rds-db-14")));
    assert_eq!(result.deleted_resources, [ArtifactId::from("rds-db-10")]);
}

#[test]
fn without_waiting_a_job_without_a_slot_is_deferred() {
    let plan = plan();
    let problem = |class| error(class).problem("refused");
    let stop = JobEvent::Stopped(StopReason::WaitOver(SignedDuration::ZERO));
    let result = run(
        &plan,
        false,
        vec![
            (0, JobEvent::ObservationStarted, "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (1, JobEvent::PerformStarted, "nothing"),
            (
                2,
                JobEvent::Performed(Err(error(ErrorClass::Busy))),
                "wait for a slot",
            ),
            (3, JobEvent::ObservationStarted, "nothing"),
            (4, observed(source(), Stage::Copies, 3), "job/copy"),
            (
                4,
                JobEvent::NoSlot(problem(ErrorClass::Busy)),
                "wait for a slot",
            ),
            (5, stop, "finished"),
        ],
    );
    use ActionOutcome::{Deferred, Skipped};
    assert_eq!(outcomes(&result), [Deferred, Skipped, Skipped]);
    assert_eq!(result.errors.len(), 1, "{result:?}");
}

#[test]
fn reads_that_fail_at_the_moment_are_made_again_for_ten_minutes_while_waiting() {
    let plan = plan();
    let fails = |class, now| observed(Err(error(class)), Stage::Copies, now);
    let started = || JobEvent::ObservationStarted;
    let result = run(
        &plan,
        true,
        vec![
            (0, started(), "nothing"),
            (1, fails(ErrorClass::Throttled, 0), "wait to read"),
            (300, started(), "nothing"),
            (301, fails(ErrorClass::Unknown, 300), "wait to read"),
            (700, started(), "nothing"),
            (701, fails(ErrorClass::Throttled, 700), "finished"),
        ],
    );
    assert_eq!(outcomes(&result), [ActionOutcome::Skipped; 3]);
    for (class, waits) in [(ErrorClass::Denied, true), (ErrorClass::Throttled, false)] {
        let table = vec![(0, started(), "nothing"), (1, fails(class, 0), "finished")];
        let result = run(&plan, waits, table);
        assert_eq!(result.errors.len(), 1, "{class:?}: {result:?}");
    }
}

#[test]
fn a_job_can_be_stopped_unless_something_is_running() {
    let plan = plan();
    let stop = || JobEvent::Stopped(StopReason::Interrupted);
    let result = run(
        &plan,
        true,
        vec![
            (0, JobEvent::ObservationStarted, "nothing"),
            (0, stop(), "nothing"),
            (1, observed(source(), Stage::Copies, 0), "job/copy"),
            (1, JobEvent::PerformStarted, "nothing"),
            (1, stop(), "nothing"),
            (2, done(&plan, 0, "rds-db-14"), "job/tag-source"),
            (2, stop(), "finished"),
        ],
    );
    use ActionOutcome::{Done, Skipped};
    assert_eq!(outcomes(&result), [Done, Skipped, Skipped]);
    assert!(result.errors[0].message.contains("interrupted"));
}

#[test]
fn a_copy_is_waited_for_until_it_is_available_or_lost() {
    let listed = |state| Ok(vec![snapshot("us-west-1", "rds-db-14", 14, state)]);
    let absent = || Ok(Vec::new());
    let failed = |class| Err(error(class));
    let (throttled, denied) = (ErrorClass::Throttled, ErrorClass::Denied);
    for (answers, expected) in [
        (
            vec![(0, listed("creating")), (9_999, listed("available"))],
            "available",
        ),
        (
            vec![(0, listed("creating")), (9_999, listed("copying"))],
            "in progress",
        ),
        (vec![(0, listed("disabled"))], "available"),
        (vec![(0, listed("failed"))], "its state is failed"),
        (vec![(0, listed("deleting"))], "its state is deleting"),
        (vec![(150, absent())], "in progress"),
        (vec![(151, absent())], "is gone"),
        (
            vec![(0, listed("odd")), (3_600, listed("odd"))],
            "in progress",
        ),
        (
            vec![(0, listed("odd")), (3_601, listed("odd"))],
            "its state is odd",
        ),
        (
            vec![(0, failed(throttled)), (600, failed(throttled))],
            "in progress",
        ),
        (
            vec![(0, failed(throttled)), (601, failed(throttled))],
            "failed to read",
        ),
        (vec![(0, failed(throttled)), (300, absent())], "is gone"),
        (vec![(0, failed(denied))], "failed to read"),
    ] {
        let copy = AwaitedCopy::new(ArtifactId::from("rds-db-14"), at(0));
        let status = answers
            .iter()
            .fold(CopyStatus::InProgress(copy), |status, (now, answer)| {
                let CopyStatus::InProgress(copy) = status else {
                    return status;
                };
                copy.observed(answer, None, at(*now))
            });
        let shown = match status {
            CopyStatus::InProgress(_) => "in progress".to_owned(),
            CopyStatus::Available => "available".to_owned(),
            CopyStatus::Lost(problem) => problem.message,
        };
        assert!(shown.contains(expected), "{answers:?}: {shown}");
    }
}

#[test]
fn slots_follow_what_is_in_progress_and_what_aws_refuses() {
    let plan = plan();
    let targets: Vec<Target> = (0..30)
        .map(|n| {
            let mut target = target(&plan);
            target.request.job = JobName::from(format!("job{n}"));
            target
        })
        .collect();
    let id = |n: usize| ArtifactId::from(format!("rds-db-{n}"));
    let mut copies = InFlightCopies::default();
    for (n, target) in targets.iter().enumerate().take(20) {
        assert!(copies.has_slot(target, at(0)));
        copies.reserve(target);
        copies.release(target);
        copies.count(target, &id(n));
    }
    assert!(
        !copies.has_slot(&targets[20], at(9_999)),
        "the documented limit"
    );
    let requested: BTreeSet<ArtifactId> = copies
        .requests()
        .into_values()
        .flat_map(|request| request.ids)
        .collect();
    assert_eq!(requested.len(), 20);

    copies.update(&targets[0].request.job, &Ok(Vec::new()));
    copies.update(&targets[1].request.job, &Err(error(ErrorClass::Throttled)));
    copies.update(&targets[2].request.job, &Err(error(ErrorClass::Denied)));
    copies.reserve(&targets[20]);
    copies.reserve(&targets[21]);
    assert!(
        !copies.has_slot(&targets[22], at(0)),
        "two have finished or are unknown"
    );

    copies.release(&targets[20]);
    copies.release(&targets[21]);
    copies.refuse(&targets[20], &error(ErrorClass::Busy), at(0));
    assert!(!copies.has_slot(&targets[20], at(29)));
    assert!(copies.has_slot(&targets[20], at(30)));
    copies.reserve(&targets[20]);
    assert!(!copies.has_slot(&targets[21], at(30)), "one at a time");
    copies.release(&targets[20]);
    copies.count(&targets[20], &id(20));
    assert!(
        copies.has_slot(&targets[21], at(30)),
        "AWS has accepted one more"
    );
    let Some(Action::Copy(copy)) = plan.actions.first() else {
        panic!("a copy comes first");
    };
    let deferral = copies.deferral(&targets[21], copy);
    assert!(deferral.aws.is_some(), "{deferral}");
}
