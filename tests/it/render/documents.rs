//! Plans and results made by hand: the seed's two jobs, and what can become of them.

use aws_xregion_sync::model::Tags;
use aws_xregion_sync::model::action::{
    Action, CopyId, CopyImage, CopySnapshot, DeleteSnapshot, ExpectedDeletion, ExpectedSource,
    KeptCopy, Resource, Tag, TagSource,
};
use aws_xregion_sync::model::id::ActionId;
use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::model::job::SyncType;
use aws_xregion_sync::model::plan::{
    ClientConfigRef, ConfigRef, CredentialsFrom, End, JobPlan, Observed, Outcome, Plan, SavedPlan,
    Seen, Subject,
};
use aws_xregion_sync::model::problem::{AwsFailure, Problem};
use aws_xregion_sync::model::result::{ActionOutcome, ActionResult, SyncResult};
use aws_xregion_sync::planfile::{Header, seal};
use jiff::Timestamp;

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(super) fn sealed(jobs: Vec<JobPlan>) -> SavedPlan {
    let plan = Plan {
        provider: ProviderKind::Aws,
        selection: None,
        jobs,
    };
    let config = ConfigRef {
        path: "xrs.yaml".to_owned(),
        sha256: "sha256:00".to_owned(),
    };
    let created_at = time("2026-01-15T06:00:00Z");
    // Digest and version are matters of others; here they stand still.
    let digest = format!("sha256:{}", "0".repeat(64));
    SavedPlan {
        digest,
        xrs_version: "0.1.0".to_owned(),
        ..seal(plan, Header { created_at, config })
    }
}

pub(super) fn job(name: &str, sync_type: SyncType, reason: &str, actions: Vec<Action>) -> JobPlan {
    JobPlan {
        name: name.into(),
        sync_type: Some(sync_type),
        source: Some(End {
            region: "us-east-1".into(),
        }),
        destination: Some(End {
            region: "us-west-1".into(),
        }),
        subject: Some(Subject::Database("mydatabase".into())),
        account_id: Some("123456789012".into()),
        client_config: Some(ClientConfigRef {
            from: CredentialsFrom::Config,
            fingerprint: "sha256:00".to_owned(),
            endpoint_url: None,
        }),
        outcome: if actions.is_empty() {
            Outcome::UpToDate
        } else {
            Outcome::Changes
        },
        reason: reason.to_owned(),
        observed: None,
        actions,
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

pub(super) fn failed(name: &str, errors: Vec<Problem>) -> JobPlan {
    let reason = errors[0].message.clone();
    JobPlan {
        outcome: Outcome::Failed,
        errors,
        ..job(name, SyncType::RdsAutomatedSnapshot, &reason, Vec::new())
    }
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

pub(super) fn copy_image(reason: &str, name: &str) -> Action {
    let tags = Tags::from([("Environment".to_owned(), "Production".to_owned())]);
    Action::CopyImage(CopyImage {
        id: "sync_my_web_app/copy".into(),
        reason: reason.to_owned(),
        source_image_id: "ami-0123456789abcdef0".into(),
        source_region: "us-east-1".into(),
        name: name.to_owned(),
        description: String::new(),
        tags,
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / ami-0123456789abcdef0",
        ),
        kms_key_id: None,
        size_gib: Some(8),
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: time("2026-01-14T05:10:00Z"),
        },
    })
}

pub(super) fn copy_snapshot(reason: &str, size_gib: Option<u64>) -> Action {
    Action::CopySnapshot(CopySnapshot {
        id: "sync_my_database/copy".into(),
        reason: reason.to_owned(),
        db_instance: "mydatabase".into(),
        source_snapshot_id: "rds:mydatabase-2026-01-14-05-10".into(),
        source_snapshot_arn:
            "arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydatabase-2026-01-14-05-10".into(),
        source_region: "us-east-1".into(),
        target_snapshot_id: "rds-mydatabase-2026-01-14-05-10".into(),
        tags: Tags::new(),
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / rds:mydatabase-2026-01-14-05-10",
        ),
        kms_key_id: Some("alias/rds".to_owned()),
        option_group_name: Some("oracle-s3".to_owned()),
        size_gib,
        expects: ExpectedSource {
            state: "available".to_owned(),
            taken: time("2026-01-14T05:10:00Z"),
        },
    })
}

pub(super) fn tag_source(job: &str, source: Resource, copy: CopyId) -> Action {
    Action::TagSource(TagSource {
        id: ActionId::from(format!("{job}/tag-source")),
        reason: "notes on the source where its copy is".to_owned(),
        after: ActionId::from(format!("{job}/copy")),
        source,
        key: "Sync-us-west-1".to_owned(),
        taken: time("2026-01-14T05:10:00Z"),
        copy,
    })
}

pub(super) fn delete(day: u8, state: &str, after: Option<&str>) -> Action {
    let kept = [13, 12].map(|day| KeptCopy {
        id: format!("rds-mydatabase-2026-01-{day}-05-10").into(),
        taken: time(&format!("2026-01-{day}T05:10:00Z")),
    });
    Action::DeleteSnapshot(DeleteSnapshot {
        id: format!("sync_my_database/delete/rds-mydatabase-2026-01-{day:02}-05-10").into(),
        reason: "older than the 2 copies that are kept".to_owned(),
        after: after.map(ActionId::from),
        db_instance: "mydatabase".into(),
        snapshot_id: format!("rds-mydatabase-2026-01-{day:02}-05-10").into(),
        size_gib: Some(50),
        expects: ExpectedDeletion {
            taken: time(&format!("2026-01-{day:02}T05:10:00Z")),
            state: state.to_owned(),
            sync_tag: tag(
                "Sync-From-us-east-1",
                "20260111051000+0000 / rds:mydatabase-2026-01-11-05-10",
            ),
            kept: kept.to_vec(),
        },
    })
}

pub(super) fn web_app() -> JobPlan {
    let reason =
        "image ami-0123456789abcdef0 (web-42) of 2026-01-14 05:10 UTC has no copy in us-west-1";
    let tag = tag_source(
        "sync_my_web_app",
        Resource::Image("ami-0123456789abcdef0".into()),
        CopyId::OfAction("sync_my_web_app/copy".into()),
    );
    let seen = Observed {
        source: None,
        newest_copy: None,
        sources: 1,
        copies: 0,
    };
    let job = job(
        "sync_my_web_app",
        SyncType::Ec2Ami,
        reason,
        vec![copy_image(reason, "web-42"), tag],
    );
    JobPlan {
        observed: Some(seen),
        ..job
    }
}

pub(super) fn database(size_gib: Option<u64>) -> JobPlan {
    let reason = "newest automated snapshot rds:mydatabase-2026-01-14-05-10 of 2026-01-14 05:10 UTC is not in us-west-1; \
                  newest copy there is 24 h older";
    let arn = "arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydatabase-2026-01-14-05-10";
    let actions = vec![
        copy_snapshot(reason, size_gib),
        tag_source(
            "sync_my_database",
            Resource::Snapshot(arn.into()),
            CopyId::Id("rds-mydatabase-2026-01-14-05-10".to_owned()),
        ),
        delete(11, "available", Some("sync_my_database/copy")),
        delete(10, "available", Some("sync_my_database/copy")),
    ];
    let newest = Seen {
        id: "rds-mydatabase-2026-01-13-05-10".to_owned(),
        taken: Some(time("2026-01-13T05:10:00Z")),
        state: "available".to_owned(),
        size_gib: Some(50),
    };
    let seen = Observed {
        source: None,
        newest_copy: Some(newest),
        sources: 7,
        copies: 4,
    };
    JobPlan {
        observed: Some(seen),
        ..job(
            "sync_my_database",
            SyncType::RdsAutomatedSnapshot,
            reason,
            actions,
        )
    }
}

pub(super) fn denied() -> Problem {
    let aws = AwsFailure {
        call: "DescribeDBSnapshots".to_owned(),
        region: "us-west-1".into(),
        code: "AccessDenied".to_owned(),
        message: "User: arn:aws:iam::123456789012:user/backup is not authorized".to_owned(),
    };
    Problem {
        aws: Some(Box::new(aws)),
        ..Problem::new("failed to look for copies of its snapshots (sync_other_database)")
            .help("allow rds:DescribeDBSnapshots to these credentials in us-west-1")
    }
}

pub(super) fn done(id: &str, outcome: ActionOutcome, detail: Option<&str>) -> ActionResult {
    ActionResult {
        id: id.into(),
        action: "delete_snapshot".to_owned(),
        outcome,
        resource: None,
        detail: detail.map(str::to_owned),
    }
}

pub(super) fn completed(name: &str, created: Option<&str>, deleted: &[&str]) -> SyncResult {
    SyncResult {
        name: name.into(),
        completed: true,
        sync_required: created.is_some(),
        created_resource: created.map(str::to_owned),
        deleted_resources: deleted.iter().map(|id| (*id).to_owned()).collect(),
        actions: Vec::new(),
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

pub(super) fn some_results() -> Vec<SyncResult> {
    let denied_after_copy = SyncResult {
        completed: false,
        errors: vec![denied()],
        actions: vec![
            done("sync_other_database/copy", ActionOutcome::Done, None),
            done(
                "sync_other_database/delete/rds-other-2026-01-10-05-10",
                ActionOutcome::Skipped,
                Some("the copy was not accepted"),
            ),
        ],
        ..completed(
            "sync_other_database",
            Some("rds-other-2026-01-14-05-10"),
            &[],
        )
    };
    let stale = SyncResult {
        completed: false,
        actions: vec![done(
            "sync_third/delete/rds-third-2026-01-10-05-10",
            ActionOutcome::Stale,
            Some("status was available and is now failed"),
        )],
        errors: vec![Problem::new("the world is not as planned any more").help("plan again")],
        ..completed("sync_third", None, &[])
    };
    let warned = SyncResult {
        warnings: vec!["the source could not be tagged".to_owned()],
        ..completed(
            "sync_my_database",
            Some("rds-mydatabase-2026-01-14-05-10"),
            &["rds-mydatabase-2026-01-10-05-10"],
        )
    };
    vec![
        denied_after_copy,
        stale,
        completed("sync_my_web_app", Some("ami-02"), &[]),
        warned,
        completed("sync_idle", None, &[]),
    ]
}
