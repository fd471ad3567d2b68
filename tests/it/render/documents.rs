//! Handmade plans and results: the seed's two jobs, and their possible outcomes.

use aws_xregion_sync::model::action::{
    Copy, ExpectedDeletion, ExpectedSource, KeptCopy, NewCopy, Tag, TagSource,
};
use aws_xregion_sync::model::ids::ActionId;
use aws_xregion_sync::model::plan::{
    ClientConfigRef, CredentialsFrom, End, Observed, ObservedArtifact,
};
use aws_xregion_sync::planfile::seal;

use crate::support::prelude::*;
pub(super) use crate::support::time;
use crate::support::{east, west};

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
    // Digest and version are tested elsewhere; here they are fixed.
    let digest = format!("sha256:{}", "0".repeat(64));
    SavedPlan {
        digest,
        xrs_version: "0.1.0".to_owned(),
        ..seal(plan, created_at, config).expect("a digest")
    }
}

/// The plan of a database job.
pub(super) fn job(name: &str, reason: &str, actions: Vec<Action>) -> JobPlan {
    JobPlan {
        synced_by: None,
        name: name.into(),
        sync_type: Some(SyncTypeName::RdsAutomatedSnapshot),
        source: Some(End { region: east() }),
        destination: Some(End { region: west() }),
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
        kept: Vec::new(),
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

/// The plan of an image job.
pub(super) fn image_job(reason: &str, actions: Vec<Action>) -> JobPlan {
    JobPlan {
        sync_type: Some(SyncTypeName::Ec2Ami),
        ..job("sync_my_web_app", reason, actions)
    }
}

pub(super) fn failed(name: &str, errors: Vec<Problem>) -> JobPlan {
    let reason = errors[0].message.clone();
    JobPlan {
        outcome: Outcome::Failed,
        errors,
        ..job(name, &reason, Vec::new())
    }
}

pub(super) fn tag(key: &str, value: &str) -> Tag {
    Tag {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

pub(super) fn image(id: &str) -> ArtifactRef {
    let region = Region::from("us-east-1");
    ArtifactRef {
        arn: Arn::of_image(&region, &ArtifactId::from(id)),
        id: id.into(),
        parent: None,
        region,
    }
}

pub(super) fn snapshot(region: &str, id: &str) -> ArtifactRef {
    ArtifactRef {
        region: region.into(),
        id: id.into(),
        arn: format!("arn:aws:rds:{region}:123456789012:snapshot:{id}").into(),
        parent: Some("mydatabase".into()),
    }
}

fn expected_source() -> ExpectedSource {
    ExpectedSource {
        parent_created: None,
        state: ArtifactState::available(),
        data_time: time("2026-01-14T05:10:00Z"),
    }
}

pub(super) fn copy_image(reason: &str, name: &str) -> Action {
    Action::Copy(Copy {
        id: "sync_my_web_app/copy".into(),
        kind: Kind::Image,
        reason: reason.to_owned(),
        source: image("ami-0123456789abcdef0"),
        copy: NewCopy {
            region: "us-west-1".into(),
            id: None,
            name: Some(name.to_owned()),
            description: None,
        },
        tags: [("Environment", "Production")].into_iter().collect(),
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / ami-0123456789abcdef0",
        ),
        kms_key_id: None,
        option_group_name: None,
        copy_within_minutes: None,
        size_gib: Some(8),
        expects: expected_source(),
    })
}

pub(super) fn copy_snapshot(reason: &str, size_gib: Option<u32>) -> Action {
    Action::Copy(Copy {
        id: "sync_my_database/copy".into(),
        kind: Kind::DbSnapshot,
        reason: reason.to_owned(),
        source: snapshot("us-east-1", "rds:mydatabase-2026-01-14-05-10"),
        copy: NewCopy {
            region: "us-west-1".into(),
            id: Some("rds-mydatabase-2026-01-14-05-10".into()),
            name: None,
            description: None,
        },
        tags: Tags::default(),
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / rds:mydatabase-2026-01-14-05-10",
        ),
        kms_key_id: Some("alias/rds".to_owned()),
        option_group_name: Some("oracle-s3".to_owned()),
        copy_within_minutes: None,
        size_gib,
        expects: expected_source(),
    })
}

pub(super) fn tag_source(job: &str, kind: Kind, source: ArtifactRef, copy: KnownCopy) -> Action {
    Action::TagSource(TagSource {
        id: ActionId::from(format!("{job}/tag-source")),
        kind,
        reason: format!("records on {} where its copy is", source.id),
        after: ActionId::from(format!("{job}/copy")),
        source,
        key: "Sync-us-west-1".to_owned(),
        data_time: time("2026-01-14T05:10:00Z"),
        copy,
    })
}

pub(super) fn delete(day: u8, state: &str, after: Option<&str>) -> Action {
    let kept = [13, 12].map(|day| KeptCopy {
        id: format!("rds-mydatabase-2026-01-{day}-05-10").into(),
        data_time: time(&format!("2026-01-{day}T05:10:00Z")),
        other_identifier: None,
    });
    let id = format!("rds-mydatabase-2026-01-{day:02}-05-10");
    Action::Delete(Delete {
        before: None,
        id: format!("sync_my_database/delete/{id}").into(),
        kind: Kind::DbSnapshot,
        reason: "older than the 2 copies kept".to_owned(),
        after: after.map(ActionId::from),
        artifact: snapshot("us-west-1", &id),
        name: None,
        size_gib: Some(50),
        snapshots: Vec::new(),
        expects: ExpectedDeletion {
            sync_identifier: None,
            last_launched: None,
            earlier_parent: None,
            data_time: time(&format!("2026-01-{day:02}T05:10:00Z")),
            state: state.into(),
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
        Kind::Image,
        image("ami-0123456789abcdef0"),
        KnownCopy::OfAction("sync_my_web_app/copy".into()),
    );
    let observed = Observed {
        source: None,
        newest_copy: None,
        sources: 1,
        copies: 0,
    };
    let actions = vec![copy_image(reason, "web-42"), tag];
    JobPlan {
        observed: Some(observed),
        ..image_job(reason, actions)
    }
}

pub(super) fn database(size_gib: Option<u32>) -> JobPlan {
    let reason = "snapshot rds:mydatabase-2026-01-14-05-10 of 2026-01-14 05:10 UTC has no copy in us-west-1; \
                  the newest copy there is 24 h older";
    let actions = vec![
        copy_snapshot(reason, size_gib),
        tag_source(
            "sync_my_database",
            Kind::DbSnapshot,
            snapshot("us-east-1", "rds:mydatabase-2026-01-14-05-10"),
            KnownCopy::Id("rds-mydatabase-2026-01-14-05-10".into()),
        ),
        delete(11, "available", Some("sync_my_database/copy")),
        delete(10, "available", Some("sync_my_database/copy")),
    ];
    let newest = ObservedArtifact {
        id: "rds-mydatabase-2026-01-13-05-10".into(),
        data_time: Some(time("2026-01-13T05:10:00Z")),
        state: ArtifactState::available(),
        size_gib: Some(50),
    };
    let observed = Observed {
        source: None,
        newest_copy: Some(newest),
        sources: 7,
        copies: 4,
    };
    JobPlan {
        observed: Some(observed),
        ..job("sync_my_database", reason, actions)
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
        ..Problem::new("failed to find the copies of sync_other_database")
            .help("allow rds:DescribeDBSnapshots to these credentials in us-west-1")
    }
}

/// Returns the result of an action, whose id contains its name.
pub(super) fn done(id: &str, outcome: ActionOutcome, detail: Option<&str>) -> ActionResult {
    let action = match id.split('/').nth(1) {
        Some("copy") => ActionName::Copy,
        Some("tag-copy") => ActionName::TagCopy,
        Some("tag-source") => ActionName::TagSource,
        _ => ActionName::Delete,
    };
    ActionResult {
        id: id.into(),
        action,
        outcome,
        resource: None,
        detail: detail.map(str::to_owned),
        undeleted_snapshots: Vec::new(),
    }
}

pub(super) fn saved(results: Vec<SyncResult>) -> SavedResults {
    SavedResults {
        format_version: "2.0".to_owned(),
        xrs_version: "0.1.0".to_owned(),
        plan_digest: format!("sha256:{}", "0".repeat(64)),
        started_at: time("2026-01-15T06:05:00Z"),
        complete: true,
        interrupted: false,
        results,
    }
}

pub(super) fn completed(name: &str, created: Option<&str>, deleted: &[&str]) -> SyncResult {
    SyncResult {
        name: name.into(),
        completed: true,
        sync_required: created.is_some(),
        created_resource: created.map(ArtifactId::from),
        deleted_resources: deleted.iter().map(|id| ArtifactId::from(*id)).collect(),
        actions: Vec::new(),
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

pub(super) fn some_results() -> Vec<SyncResult> {
    let no_copy = Some("sync_other_database/copy was not done");
    let deletion = "sync_other_database/delete/rds-other-2026-01-10-05-10";
    let denied_after_copy = SyncResult {
        completed: false,
        errors: vec![denied()],
        actions: vec![
            done("sync_other_database/copy", ActionOutcome::Done, None),
            done(deletion, ActionOutcome::Skipped, no_copy),
        ],
        ..completed(
            "sync_other_database",
            Some("rds-other-2026-01-14-05-10"),
            &[],
        )
    };
    let changed = Some("state was available and is now failed");
    let deletion = "sync_third/delete/rds-third-2026-01-10-05-10";
    let stale = SyncResult {
        completed: false,
        actions: vec![done(deletion, ActionOutcome::Stale, changed)],
        errors: vec![Problem::new("AWS has changed since the plan was made").help("plan again")],
        ..completed("sync_third", None, &[])
    };
    let (made, gone) = (
        "rds-mydatabase-2026-01-14-05-10",
        "rds-mydatabase-2026-01-10-05-10",
    );
    let warned = SyncResult {
        warnings: vec!["the source could not be tagged".to_owned()],
        ..completed("sync_my_database", Some(made), &[gone])
    };
    vec![
        denied_after_copy,
        stale,
        completed("sync_my_web_app", Some("ami-02"), &[]),
        warned,
        completed("sync_idle", None, &[]),
    ]
}
