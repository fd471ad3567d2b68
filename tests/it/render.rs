//! Screens, from documents made by hand; the golden ones are in `testdata/screens`.

mod documents;
pub mod markdown;
mod problems;
mod status;

use aws_xregion_sync::model::action::{
    Action, ActionName, ExpectedCopy, KeptCopy, KnownCopy, TagCopy,
};
use aws_xregion_sync::model::artifact::ArtifactRef;
use aws_xregion_sync::model::ids::{JobName, Region};
use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::model::json::document;
use aws_xregion_sync::model::kind::{Kind, SyncTypeName};
use aws_xregion_sync::model::plan::{End, JobPlan, SavedPlan};
use aws_xregion_sync::model::problem::{AwsFailure, Problem, TextPlace};
use aws_xregion_sync::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::render::text;

use documents::*;

/// Compares with a golden screen. What it shows is said in a line above it, so that it reads as a story.
fn golden(name: &str, story: &str, screen: &str) {
    insta::with_settings!({
        snapshot_path => "../../testdata/screens",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        description => story,
    }, { insta::assert_snapshot!(name, screen) });
}

/// A plan as `xrs plan --out plan.json` prints it.
fn screen(plan: &SavedPlan) -> String {
    let next = format!("xrs apply plan.json --expect-digest {}", plan.digest);
    text::plan(plan, Some(&next), &Styles::default())
}

#[test]
fn the_seed_example() {
    let plan = sealed(vec![web_app(), database(Some(50))]);
    golden(
        "plan_seed",
        "An image and a snapshot to copy, and two old copies to delete.",
        &screen(&plan),
    );
    golden(
        "plan_seed_json",
        "The same as JSON: the document as it is saved.",
        &document(&plan).expect("JSON"),
    );
}

#[test]
fn nothing_to_do() {
    let image = job(
        "sync_my_web_app",
        SyncTypeName::Ec2Ami,
        "image ami-01 has the copy ami-02 (available) in us-west-1",
        Vec::new(),
    );
    let snapshot = job(
        "sync_my_database",
        SyncTypeName::RdsAutomatedSnapshot,
        "snapshot rds:mydatabase-2026-01-14-05-10 has the copy rds-mydatabase-2026-01-14-05-10 (creating) in us-west-1",
        Vec::new(),
    );
    let plan = sealed(vec![image, snapshot]);
    let screen = text::plan(&plan, None, &Styles::default());
    golden(
        "plan_nothing_to_do",
        "Both destinations are up to date, one copy is in progress.",
        &screen,
    );
    golden(
        "plan_nothing_to_do_json",
        "The same as JSON.",
        &document(&plan).expect("JSON"),
    );
}

#[test]
fn retention_alone() {
    let reason = "us-west-1 has rds-mydatabase-2026-01-13-05-10, a copy of a newer snapshot than rds:mydatabase-2026-01-12-05-10; 2 old copies to delete";
    let actions = vec![delete(9, "failed", None), delete(10, "available", None)];
    let plan = sealed(vec![job(
        "sync_my_database",
        SyncTypeName::RdsAutomatedSnapshot,
        reason,
        actions,
    )]);
    let screen = screen(&plan);
    golden(
        "plan_retention",
        "Nothing to copy; a failed copy and an old one to delete.",
        &screen,
    );
    golden(
        "plan_retention_json",
        "The same as JSON.",
        &document(&plan).expect("JSON"),
    );
}

#[test]
fn failures_stand_last_and_warnings_with_their_job() {
    let config = failed(
        "sync_misspelt",
        vec![
            Problem::new("unknown option max_snapshot_to_retain of an rds_automated_snapshot job")
                .at(TextPlace {
                    line: 12,
                    column: 5,
                    length: 22,
                })
                .help("did you mean max_snapshots_to_retain?"),
        ],
    );
    let config = JobPlan {
        sync_type: None,
        source: None,
        destination: None,
        account_id: None,
        client_config: None,
        ..config
    };
    let warned = JobPlan {
        warnings: vec![
            "the copy ami-02 is disabled: nothing can be launched from it until it is enabled"
                .to_owned(),
        ],
        ..job(
            "sync_my_web_app",
            SyncTypeName::Ec2Ami,
            "image ami-01 has the copy ami-02 (disabled) in us-west-1",
            Vec::new(),
        )
    };
    let plan = sealed(vec![
        failed("sync_other_database", vec![denied()]),
        config,
        warned,
        database(None),
    ]);
    let screen = screen(&plan);
    golden(
        "plan_failed_and_warning",
        "Two jobs fail, one has a warning, and one goes on.",
        &screen,
    );
    golden(
        "plan_failed_and_warning_json",
        "The same as JSON.",
        &document(&plan).expect("JSON"),
    );
}

#[test]
fn tags_an_endpoint_a_sandbox_and_a_selection() {
    let source = snapshot("us-east-1", "rds:mydatabase-2026-01-14-05-10");
    let copy = snapshot("us-west-1", "rds-mydatabase-2026-01-14-05-10");
    let tag_copy = Action::TagCopy(TagCopy {
        id: "sync_my_database/tag-copy".into(),
        kind: Kind::DbSnapshot,
        reason: format!(
            "{} is a copy of {} without a readable sync tag",
            copy.id, source.id
        ),
        copy: copy.clone(),
        source: source.clone(),
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / rds:mydatabase-2026-01-14-05-10",
        ),
        expects: ExpectedCopy { data_time: None },
    });
    let copy = KnownCopy::Id(copy.id);
    let tag_source = tag_source("sync_my_database", Kind::DbSnapshot, source, copy);
    let reason = "snapshot rds:mydatabase-2026-01-14-05-10 has the copy rds-mydatabase-2026-01-14-05-10 (available) in us-west-1";
    let mut job = job(
        "sync_my_database",
        SyncTypeName::RdsAutomatedSnapshot,
        reason,
        vec![tag_copy, tag_source],
    );
    job.client_config.as_mut().expect("one").endpoint_url =
        Some("http://127.0.0.1:5000".to_owned());
    let mut plan = sealed(vec![job]);
    plan.provider = ProviderKind::Sandbox;
    plan.selection = Some(vec!["sync_my_database".into()]);
    golden(
        "plan_tags",
        "A copy that the gem made has no sync tag.",
        &text::plan(&plan, None, &Styles::default()),
    );
}

/// A text that tries to forge a line, move the cursor, hide, and turn the order round.
const HOSTILE: &str = "x\nPlan: 0 deletions.\r\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}\u{200b}\u{feff}";

#[test]
fn hostile_strings_reach_no_terminal() {
    let mut job = database(Some(50));
    job.name = HOSTILE.into();
    job.reason = HOSTILE.to_owned();
    job.source = Some(End {
        region: HOSTILE.into(),
    });
    job.account_id = Some(HOSTILE.into());
    job.warnings = vec![HOSTILE.to_owned()];
    let hostile = Problem {
        aws: Some(Box::new(hostile_failure())),
        ..Problem::new(HOSTILE).help(HOSTILE)
    };
    job.errors = vec![hostile.clone()];
    if let Some(Action::Copy(copy)) = job.actions.first_mut() {
        copy.tags.insert(HOSTILE, HOSTILE);
        copy.kms_key_id = Some(HOSTILE.to_owned());
        copy.option_group_name = Some(HOSTILE.to_owned());
        copy.copy.id = Some(HOSTILE.into());
        copy.copy.region = HOSTILE.into();
        copy.source = hostile_artifact();
        copy.sync_tag = tag(HOSTILE, HOSTILE);
    }
    if let Some(Action::Delete(delete)) = job.actions.last_mut() {
        delete.artifact = hostile_artifact();
        delete.expects.state = HOSTILE.into();
        delete.expects.kept = vec![KeptCopy {
            id: HOSTILE.into(),
            data_time: time("2026-01-13T05:10:00Z"),
        }];
    }
    if let Some(Action::TagSource(tag)) = job.actions.get_mut(1) {
        tag.key = HOSTILE.to_owned();
        tag.copy = KnownCopy::Id(HOSTILE.into());
        tag.source = hostile_artifact();
    }
    if let Some(observed) = &mut job.observed
        && let Some(newest) = &mut observed.newest_copy
    {
        newest.id = HOSTILE.into();
        newest.state = HOSTILE.into();
    }
    let mut image = web_app();
    image.actions = vec![copy_image(HOSTILE, HOSTILE)];
    if let Some(Action::Copy(copy)) = image.actions.first_mut() {
        copy.copy.description = Some(HOSTILE.to_owned());
        copy.source = hostile_artifact();
    }
    let mut plan = sealed(vec![job, image]);
    plan.config.path = HOSTILE.to_owned();
    plan.digest = HOSTILE.to_owned();
    plan.selection = Some(vec![HOSTILE.into()]);
    harmless(&screen(&plan));

    let mut result = completed(HOSTILE, Some(HOSTILE), &[HOSTILE]);
    result.warnings = vec![HOSTILE.to_owned()];
    let stale = ActionOutcome::Stale;
    result.actions = vec![done(
        HOSTILE,
        ActionName::Delete,
        HOSTILE,
        stale,
        Some(HOSTILE),
    )];
    let failed = SyncResult {
        completed: false,
        errors: vec![hostile],
        ..result.clone()
    };
    harmless(&text::results(
        &[result.clone(), failed],
        &Styles::default(),
    ));
    let mut finished = result.actions[0].clone();
    for resource in [None, Some(HOSTILE.into())] {
        finished.resource = resource;
        for action in plan.jobs.iter().flat_map(|job| &job.actions) {
            let job = JobName::from(HOSTILE);
            let line = text::finished(&job, Some(action), &finished, &Styles::default());
            harmless(&line.expect("a line"));
            harmless(&text::deferred(&job, action, &Styles::default()));
            harmless(&text::copying(
                &job,
                HOSTILE,
                HOSTILE,
                Some(7),
                &Styles::default(),
            ));
        }
    }
    harmless(&text::refused_plan(
        &plan,
        Some(HOSTILE),
        HOSTILE,
        &Styles::default(),
    ));
}

fn hostile_artifact() -> ArtifactRef {
    ArtifactRef {
        region: HOSTILE.into(),
        id: HOSTILE.into(),
        arn: HOSTILE.into(),
        parent: Some(HOSTILE.into()),
    }
}

fn hostile_failure() -> AwsFailure {
    AwsFailure {
        call: HOSTILE.to_owned(),
        region: Region::from(HOSTILE),
        code: HOSTILE.to_owned(),
        message: HOSTILE.to_owned(),
    }
}

fn harmless(screen: &str) {
    let tricky = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{feff}".contains(c);
    assert!(!screen.contains(tricky), "{screen:?}");
    assert!(
        !screen
            .lines()
            .any(|line| line.trim_start().starts_with("Plan: 0 deletions")),
        "{screen}"
    );
    assert!(screen.contains(r"x\nPlan: 0 deletions."), "{screen}");
}

#[test]
fn colours_say_nothing_that_words_do_not() {
    let plan = sealed(vec![
        web_app(),
        database(Some(50)),
        failed("sync_other_database", vec![denied()]),
    ]);
    let plain = text::plan(&plan, None, &Styles::new(false));
    let colored = text::plan(&plan, None, &Styles::new(true));
    assert!(!plain.contains('\u{1b}'));
    assert!(colored.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped.push_str(before);
        rest = after.split_once('m').expect("an escape sequence ends").1;
    }
    assert_eq!(stripped + rest, plain);
}

#[test]
fn results_in_the_words_of_the_older_tool() {
    let screen = text::results(&some_results(), &Styles::default());
    golden(
        "results",
        "Two jobs went well, one had nothing to do, and two failed.",
        &screen,
    );
}

#[test]
fn a_failed_job_says_which_tags_it_wrote() {
    let mut result = completed("sync_a", None, &[]);
    result.completed = false;
    result.errors = vec![Problem::new("no")];
    let (written, failed) = (ActionOutcome::Done, ActionOutcome::Failed);
    result.actions = vec![
        done("sync_a", ActionName::TagCopy, "tag-copy", written, None),
        done("sync_a", ActionName::Delete, "delete/b", failed, None),
    ];
    let screen = text::results(&[result], &Styles::default());
    assert!(
        screen.starts_with("sync_a was not completed.\n  done: 1 copy tag\nsync_a encountered"),
        "{screen}"
    );
}

#[test]
fn an_error_that_many_jobs_share_is_told_once() {
    let interrupted = |n: usize| {
        let name = format!("sync_{n:03}");
        let action = |action, id, outcome| done(&name, action, id, outcome, None);
        let (done, skipped) = (ActionOutcome::Done, ActionOutcome::Skipped);
        let failed_before = |action: &str| Problem {
            message: format!("failed to observe before {name}/{action}"),
            ..denied()
        };
        SyncResult {
            completed: false,
            errors: vec![
                failed_before("delete/a"),
                failed_before("delete/b"),
                Problem::new("the apply was interrupted").help("apply again"),
            ],
            actions: vec![
                action(ActionName::Copy, "copy", if n < 2 { done } else { skipped }),
                action(ActionName::TagSource, "tag-source", skipped),
                action(ActionName::Delete, "delete/a", skipped),
                action(ActionName::Delete, "delete/b", skipped),
            ],
            ..completed(&name, (n < 2).then_some("rds-made"), &[])
        }
    };
    let results: Vec<SyncResult> = (0..200).map(interrupted).collect();
    let screen = text::results(&results, &Styles::default());
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(
        lines[..2],
        [
            "sync_000 created the AWS resource rds-made, but was not completed.",
            "sync_001 created the AWS resource rds-made, but was not completed.",
        ]
    );
    assert!(
        lines[2].starts_with("sync_000, sync_001, sync_002, "),
        "{screen}"
    );
    assert!(
        lines[2].ends_with(", sync_199 encountered the following errors:"),
        "{screen}"
    );
    let cause = denied().aws.expect("one").to_string();
    assert_eq!(
        lines[3..],
        [
            &*format!("  error: {cause}"),
            "    help: allow rds:DescribeDBSnapshots to these credentials in us-west-1",
            "  error: the apply was interrupted",
            "    help: apply again",
            "  not done: 200 source tags, 400 deletions, 198 copies",
            "",
            "Results: 0 jobs completed, 200 failed; 2 copies created, 0 copies deleted; 798 actions not done.",
        ]
    );
    let one = text::results(&results[5..6], &Styles::default());
    assert!(
        one.contains("\n  not done: 1 copy, 1 source tag, 2 deletions (sync_005/copy, sync_005/tag-source, sync_005/delete/a, sync_005/delete/b)\n"),
        "{one}"
    );
}

#[test]
fn progress_says_what_it_is_about() {
    let job = database(None);
    let styles = Styles::default();
    let line = |n: usize, outcome, resource: Option<&str>, detail: Option<&str>| {
        let action = &job.actions[n];
        let result = ActionResult {
            resource: resource.map(Into::into),
            detail: detail.map(str::to_owned),
            ..ActionResult::new(action, outcome)
        };
        text::finished(&job.name, Some(action), &result, &styles).unwrap_or_default()
    };
    let copy = "sync_my_database: copy rds:mydatabase-2026-01-14-05-10";
    assert_eq!(
        text::deferred(&job.name, &job.actions[0], &styles),
        format!("{copy} deferred until other copies have finished")
    );
    for (percent, told) in [(None, ""), (Some(42), " (42%)"), (Some(100), "")] {
        let line = text::copying(&job.name, "x", "creating", percent, &styles);
        assert_eq!(line, format!("sync_my_database: copy x is creating{told}"));
    }
    let refused = Some("sync_my_database/copy failed: CopyDBSnapshot in us-west-1: X: y");
    assert_eq!(
        line(0, ActionOutcome::Failed, None, refused),
        format!("{copy} failed: CopyDBSnapshot in us-west-1: X: y")
    );
    assert_eq!(
        line(0, ActionOutcome::Done, Some("rds-made"), None),
        "sync_my_database: copy rds-made done"
    );
    assert_eq!(
        line(1, ActionOutcome::AlreadyDone, None, None),
        "sync_my_database: tag source rds:mydatabase-2026-01-14-05-10 already done"
    );
    assert_eq!(
        line(
            2,
            ActionOutcome::Stale,
            None,
            Some("planned with a, found b")
        ),
        "sync_my_database: delete rds-mydatabase-2026-01-11-05-10 stale: planned with a, found b"
    );
    assert_eq!(line(2, ActionOutcome::Skipped, None, None), "");
}

#[test]
fn a_plan_that_apply_would_refuse_says_so_at_its_digest() {
    let plan = sealed(vec![database(Some(50)), failed("sync_b", vec![denied()])]);
    let actual = format!("sha256:{}", "1".repeat(64));
    let screen = text::refused_plan(&plan, Some(&actual), "it was changed", &Styles::default());
    golden(
        "plan_refused",
        "Somebody edited the plan after it was made.",
        &screen,
    );
}

#[test]
fn long_lists_of_deletions_are_cut_and_a_reason_that_they_share_is_said_once() {
    let mut job = database(None);
    job.actions.truncate(2);
    let deletion = |day| delete(day, "available", Some("sync_my_database/copy"));
    job.actions.extend((1..=25).map(deletion));
    let screen = text::plan(&sealed(vec![job]), None, &Styles::default());
    assert!(
        screen.contains("\nDELETES 25 snapshots: rds-mydatabase-2026-01-01-05-10, "),
        "{screen}"
    );
    assert!(screen.contains(" and 5 more\nDigest:"), "{screen}");
    for once in ["older than the 2 copies kept", "deleted only once"] {
        assert_eq!(screen.matches(once).count(), 1, "{screen}");
    }
}

#[test]
fn a_results_file_that_is_not_complete_says_so() {
    let mut saved = SavedResults {
        format_version: "2.0".to_owned(),
        xrs_version: "0.1.0".to_owned(),
        plan_digest: format!("sha256:{}", "0".repeat(64)),
        started_at: time("2026-01-15T06:05:00Z"),
        complete: false,
        interrupted: false,
        results: vec![completed("sync_my_web_app", Some("ami-02"), &[])],
    };
    let screen = text::saved_results(&saved, &Styles::default());
    golden(
        "results_not_complete",
        "The apply was stopped after its first job.",
        &screen,
    );
    saved.complete = true;
    saved.results = some_results();
    golden(
        "results_json",
        "A results file.",
        &document(&saved).expect("JSON"),
    );
}
