//! A status in its four formats.

use aws_xregion_sync::model::plan::End;
use aws_xregion_sync::model::status::{
    Copies, FORMAT_VERSION, Left, SourceNewest, Status, Storage, Summary, UnusableCopy, UsableCopy,
};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::render::{markdown, prometheus, text};

use super::golden;
use crate::support::prelude::*;
use crate::support::{TRICK, assert_no_tricks, east, time, west};

const KEY: &str = "arn:aws:kms:us-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// An encrypted copy.
fn stored(size_gib: Option<u32>, key: Option<&str>) -> Storage {
    Storage {
        size_gib,
        encrypted: Some(true),
        kms_key_id: key.map(str::to_owned),
    }
}

fn usable(id: &str, data_time: &str, behind: Option<i64>) -> UsableCopy {
    let data_time = time(data_time);
    let now = time("2026-01-15T06:00:00Z");
    UsableCopy {
        id: id.into(),
        data_time: Some(data_time),
        age_seconds: Some(now.duration_since(data_time).as_secs()),
        behind_seconds: behind,
        storage: stored(Some(20), Some(KEY)),
    }
}

fn copies(newest_usable: Option<UsableCopy>, count: usize) -> Copies {
    let newest = newest_usable.as_ref().map(|copy| copy.id.clone());
    Copies {
        newest_usable,
        left: Left { count, newest },
        in_progress: Vec::new(),
        failed: Vec::new(),
    }
}

fn job(name: &str, readiness: Readiness, reason: &str, copies: Copies) -> JobStatus {
    JobStatus {
        name: JobName::from(name),
        sync_type: Some(SyncTypeName::RdsAutomatedSnapshot),
        source: Some(End { region: east() }),
        destination: Some(End { region: west() }),
        account_id: Some(AccountId::from("123456789012")),
        readiness,
        reason: reason.to_owned(),
        source_newest: Some(SourceNewest::Present {
            id: "rds:mydatabase-2026-01-15-05-10".into(),
            data_time: Some(time("2026-01-15T05:10:00Z")),
        }),
        copies: Some(copies),
        warnings: Vec::new(),
        errors: Vec::new(),
    }
}

fn problem(message: &str, call: &str, region: &str, code: &str) -> Problem {
    let aws = AwsFailure {
        call: call.to_owned(),
        region: region.into(),
        code: code.to_owned(),
        message: "no answer within 30 s".to_owned(),
    };
    Problem {
        aws: Some(Box::new(aws)),
        ..Problem::new(message)
    }
}

fn whole(jobs: Vec<JobStatus>) -> Status {
    Status {
        format_version: FORMAT_VERSION.to_owned(),
        xrs_version: "0.0.0".to_owned(),
        observed_at: time("2026-01-15T06:00:00Z"),
        provider: ProviderKind::Aws,
        selection: None,
        config: ConfigRef {
            path: "xrs.yaml".to_owned(),
            sha256: "sha256:00".to_owned(),
        },
        max_age_seconds: Some(26 * 3600),
        summary: Summary::of(&jobs),
        jobs,
    }
}

/// Everything that a status can say, once.
fn example() -> Status {
    let late = JobStatus {
        source_newest: Some(SourceNewest::Unknown {
            problem: problem(
                "failed to find the sources of sync_orders",
                "DescribeDBSnapshots",
                "us-east-1",
                "Timeout",
            ),
        }),
        ..job(
            "sync_orders",
            Readiness::TooOld,
            "its newest usable copy is 4 days old; the limit is 26 h",
            Copies {
                in_progress: vec![UnusableCopy {
                    id: "rds-orders-2026-01-15-05-10".into(),
                    data_time: Some(time("2026-01-15T05:10:00Z")),
                    state: "creating".into(),
                    percent: Some(40),
                    reason: None,
                    storage: stored(None, Some("alias/copies")),
                }],
                failed: vec![UnusableCopy {
                    id: "rds-orders-2026-01-14-05-10".into(),
                    data_time: Some(time("2026-01-14T05:10:00Z")),
                    state: "failed".into(),
                    percent: None,
                    reason: None,
                    storage: Storage {
                        size_gib: Some(20),
                        encrypted: Some(false),
                        kms_key_id: None,
                    },
                }],
                ..copies(
                    Some(usable(
                        "rds-orders-2026-01-11-05-10",
                        "2026-01-11T05:10:00Z",
                        None,
                    )),
                    2,
                )
            },
        )
    };
    let image = JobStatus {
        sync_type: Some(SyncTypeName::Ec2Ami),
        source_newest: Some(SourceNewest::Absent),
        warnings: vec![
            "the copy ami-02 is disabled: nothing can be launched from it until it is enabled"
                .to_owned(),
        ],
        ..job(
            "sync_my_web_app",
            Readiness::NoCopy,
            "there is no usable copy: 1 copy failed",
            Copies {
                failed: vec![UnusableCopy {
                    id: "ami-01".into(),
                    data_time: None,
                    state: "failed".into(),
                    percent: None,
                    reason: Some("Given key ID is not accessible".to_owned()),
                    storage: Storage::default(),
                }],
                ..copies(None, 0)
            },
        )
    };
    let denied = problem(
        "failed to find the copies of sync_billing",
        "DescribeDBSnapshots",
        "us-west-1",
        "AccessDenied",
    );
    let unknown = JobStatus {
        reason: denied.message.clone(),
        source_newest: None,
        copies: None,
        errors: vec![denied],
        ..job("sync_billing", Readiness::Unknown, "", copies(None, 0))
    };
    let ready = job(
        "sync_my_database",
        Readiness::Ready,
        "its newest usable copy is 24 h old",
        copies(
            Some(usable(
                "rds-mydatabase-2026-01-14-05-10",
                "2026-01-14T05:10:00Z",
                Some(86_400),
            )),
            5,
        ),
    );
    whole(vec![unknown, late, image, ready])
}

#[test]
fn a_status_in_its_four_formats() {
    let status = example();
    golden(
        "status",
        "A job that is ready, two that are not, and one that is not known.",
        &text::status(&status, &Styles::default()),
    );
    golden(
        "status_json",
        "The same as JSON.",
        &document(&status).expect("JSON"),
    );
    golden(
        "status_markdown",
        "The same as Markdown.",
        &markdown::status(&status),
    );
    golden(
        "status_prometheus",
        "The same as metrics.",
        &prometheus::status(&status),
    );
    let read: Status = serde_json::from_str(&document(&status).expect("JSON")).expect("a status");
    assert_eq!(read, status);
}

#[test]
fn hostile_names_stay_in_their_places() {
    let hostile = format!("{TRICK}\"\\|`<img src=x onerror=a()>[l](https://x.org) @me {{}}=1");
    let failed = UnusableCopy {
        id: hostile.as_str().into(),
        data_time: None,
        state: hostile.as_str().into(),
        percent: None,
        reason: Some(hostile.clone()),
        storage: stored(None, Some(&hostile)),
    };
    let in_progress = UnusableCopy {
        id: hostile.as_str().into(),
        data_time: None,
        state: hostile.as_str().into(),
        percent: Some(1),
        reason: None,
        storage: stored(None, Some(&hostile)),
    };
    let one = |name: &str| JobStatus {
        warnings: vec![hostile.clone()],
        errors: vec![problem(&hostile, &hostile, &hostile, &hostile)],
        source: Some(End {
            region: hostile.as_str().into(),
        }),
        account_id: Some(AccountId::from(hostile.as_str())),
        ..job(
            name,
            Readiness::NoCopy,
            &hostile,
            Copies {
                failed: vec![failed.clone(); 5],
                in_progress: vec![in_progress.clone(); 2],
                ..copies(Some(usable(&hostile, "2026-01-14T05:10:00Z", None)), 1)
            },
        )
    };
    // Two that are the same once invisible characters are escaped.
    let status = whole(vec![one("sync_\n"), one("sync_\\n"), one(&hostile)]);
    let screens = [
        ("status_hostile", text::status(&status, &Styles::default())),
        ("status_hostile_markdown", markdown::status(&status)),
        ("status_hostile_prometheus", prometheus::status(&status)),
    ];
    for (name, screen) in screens {
        assert_no_tricks(&screen);
        golden(name, "Names that try to be something else.", &screen);
    }
    assert_no_tricks(&document(&status).expect("JSON"));
    let metrics = prometheus::status(&status);
    let series: Vec<&str> = metrics
        .lines()
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .filter(|line| !line.starts_with('#'))
        .collect();
    let distinct: std::collections::BTreeSet<&&str> = series.iter().collect();
    assert_eq!(distinct.len(), series.len(), "{metrics}");
}

#[test]
fn a_config_without_jobs() {
    let status = whole(Vec::new());
    assert!(text::status(&status, &Styles::default()).contains("Status: 0 jobs"));
    assert!(prometheus::status(&status).starts_with("# HELP xrs_status_timestamp_seconds"));
}

#[test]
fn markdown_of_many_jobs_fits_into_a_comment_and_says_what_it_leaves_out() {
    let one = |n: usize| {
        let readiness = if n.is_multiple_of(100) {
            Readiness::NoCopy
        } else {
            Readiness::Ready
        };
        job(&format!("sync_{n:04}"), readiness, "why", copies(None, 0))
    };
    let text = markdown::status(&whole((0..2_000).map(one).collect()));
    assert!(text.len() < 65_536, "{}", text.len());
    assert_eq!(
        text.matches("**not ready**").count(),
        20,
        "those are the last to go"
    );
    assert!(text.contains("rows of the table"), "{text}");
}
