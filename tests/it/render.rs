//! Screens, from documents made by hand; the golden ones are in `testdata/screens`.

mod documents;
pub mod markdown;
mod problems;
mod status;

use aws_xregion_sync::model::action::{Action, CopyId, ExpectedCopy, KeptCopy, Resource, TagCopy};
use aws_xregion_sync::model::id::{JobName, Region};
use aws_xregion_sync::model::inventory::ProviderKind;
use aws_xregion_sync::model::job::SyncType;
use aws_xregion_sync::model::json::document;
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
        SyncType::Ec2Ami,
        "image ami-01 is in us-west-1 as ami-02 (available)",
        Vec::new(),
    );
    let snapshot = job(
        "sync_my_database",
        SyncType::RdsAutomatedSnapshot,
        "newest automated snapshot rds:mydatabase-2026-01-14-05-10 is in us-west-1 as rds-mydatabase-2026-01-14-05-10 (creating)",
        Vec::new(),
    );
    let plan = sealed(vec![image, snapshot]);
    let screen = text::plan(&plan, None, &Styles::default());
    golden(
        "plan_nothing_to_do",
        "Both destinations hold what they should, one copy being under way.",
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
    let reason = "us-west-1 holds a newer copy; 2 old copies to delete";
    let actions = vec![delete(9, "failed", None), delete(10, "available", None)];
    let plan = sealed(vec![job(
        "sync_my_database",
        SyncType::RdsAutomatedSnapshot,
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
        subject: None,
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
            SyncType::Ec2Ami,
            "image ami-01 is in us-west-1 as ami-02 (disabled)",
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
    let source = Resource::Snapshot(
        "arn:aws:rds:us-east-1:123456789012:snapshot:rds:mydatabase-2026-01-14-05-10".into(),
    );
    let tag_copy = Action::TagCopy(TagCopy {
        id: "sync_my_database/tag-copy".into(),
        reason: "it is a copy without a readable sync tag".to_owned(),
        copy: Resource::Snapshot(
            "arn:aws:rds:us-west-1:123456789012:snapshot:rds-mydatabase-2026-01-14-05-10".into(),
        ),
        source: source.clone(),
        sync_tag: tag(
            "Sync-From-us-east-1",
            "20260114051000+0000 / rds:mydatabase-2026-01-14-05-10",
        ),
        expects: ExpectedCopy {
            no_tag: "Sync-From-us-east-1".to_owned(),
            taken: None,
        },
    });
    let tag_source = tag_source(
        "sync_my_database",
        source,
        CopyId::Id("rds-mydatabase-2026-01-14-05-10".to_owned()),
    );
    let reason = "the copy is there, without a readable sync tag";
    let mut job = job(
        "sync_my_database",
        SyncType::RdsAutomatedSnapshot,
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
        "A copy of the older tool lacks its tag.",
        &text::plan(&plan, None, &Styles::default()),
    );
}

/// A text that tries to forge a line, move the cursor, hide, and turn the order round.
const HOSTILE: &str = "x\nPlan: 0 to delete.\r\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}\u{200b}\u{feff}";

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
    if let Some(Action::CopySnapshot(copy)) = job.actions.first_mut() {
        copy.tags.insert(HOSTILE.to_owned(), HOSTILE.to_owned());
        copy.kms_key_id = Some(HOSTILE.to_owned());
        copy.option_group_name = Some(HOSTILE.to_owned());
        copy.target_snapshot_id = HOSTILE.into();
        copy.source_snapshot_id = HOSTILE.into();
        copy.db_instance = HOSTILE.into();
        copy.sync_tag = tag(HOSTILE, HOSTILE);
    }
    if let Some(Action::DeleteSnapshot(delete)) = job.actions.last_mut() {
        delete.snapshot_id = HOSTILE.into();
        delete.db_instance = HOSTILE.into();
        delete.expects.state = HOSTILE.to_owned();
        delete.expects.kept = vec![KeptCopy {
            id: HOSTILE.into(),
            taken: time("2026-01-13T05:10:00Z"),
        }];
    }
    if let Some(Action::TagSource(tag)) = job.actions.get_mut(1) {
        tag.key = HOSTILE.to_owned();
        tag.copy = CopyId::Id(HOSTILE.to_owned());
        tag.source = Resource::Image(HOSTILE.into());
    }
    let mut image = web_app();
    image.actions = vec![copy_image(HOSTILE, HOSTILE)];
    if let Some(Action::CopyImage(copy)) = image.actions.first_mut() {
        copy.description = HOSTILE.to_owned();
        copy.source_image_id = HOSTILE.into();
    }
    let mut plan = sealed(vec![job, image]);
    plan.config.path = HOSTILE.to_owned();
    plan.digest = HOSTILE.to_owned();
    plan.selection = Some(vec![HOSTILE.into()]);
    harmless(&screen(&plan));

    let mut result = completed(HOSTILE, Some(HOSTILE), &[HOSTILE]);
    result.warnings = vec![HOSTILE.to_owned()];
    result.actions = vec![done(HOSTILE, ActionOutcome::Stale, Some(HOSTILE))];
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
    for resource in [None, Some(HOSTILE.to_owned())] {
        finished.resource = resource;
        for action in plan.jobs.iter().flat_map(|job| &job.actions) {
            let job = JobName::from(HOSTILE);
            let line = text::finished(&job, Some(action), &finished, &Styles::default());
            harmless(&line.expect("a line"));
            harmless(&text::put_off(&job, action, &Styles::default()));
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
            .any(|line| line.trim_start().starts_with("Plan: 0 to delete")),
        "{screen}"
    );
    assert!(screen.contains(r"x\nPlan: 0 to delete."), "{screen}");
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
fn a_failed_job_says_which_tags_it_did_write() {
    let mut result = completed("sync_a", None, &[]);
    result.completed = false;
    result.errors = vec![Problem::new("no")];
    result.actions = vec![
        done("sync_a/tag-copy", ActionOutcome::Done, None),
        done("sync_a/delete/b", ActionOutcome::Failed, None),
    ];
    result.actions[0].action = "tag_copy".to_owned();
    let screen = text::results(&[result], &Styles::default());
    assert!(
        screen.starts_with("sync_a was not completed.\n  was done: tag-copy\nsync_a encountered"),
        "{screen}"
    );
}

#[test]
fn the_same_error_of_many_jobs_is_told_once() {
    let interrupted = |n: usize| {
        let name = format!("sync_{n:03}");
        let action = |rest: &str, outcome| done(&format!("{name}/{rest}"), outcome, None);
        let (done, skipped) = (ActionOutcome::Done, ActionOutcome::Skipped);
        SyncResult {
            completed: false,
            errors: vec![
                Problem::new(format!("failed to look before {name}/delete/a")),
                Problem::new(format!("failed to look before {name}/delete/b")),
                Problem::new(format!("the credentials of {name} belong to nobody")).help("sign in"),
            ],
            actions: vec![
                action("copy", if n < 2 { done } else { skipped }),
                action("tag-source", skipped),
                action("delete/a", skipped),
                action("delete/b", skipped),
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
    assert_eq!(
        lines[3..],
        [
            "  error: failed to look before delete/a, delete/b",
            "  error: the credentials of the job belong to nobody",
            "    help: sign in",
            "  not carried out: tag-source (200 times), 400 deletions, copy (198 times)",
            "",
            "Results: 0 jobs completed, 200 failed; 2 copies created, 0 copies deleted; 798 actions not carried out.",
        ]
    );
    let one = text::results(&results[5..6], &Styles::default());
    assert!(
        one.contains("\n  error: the credentials of sync_005 belong to nobody\n"),
        "{one}"
    );
    assert!(
        one.contains("\n  not carried out: copy, tag-source, 2 deletions (a, b)\n"),
        "{one}"
    );
}

#[test]
fn progress_says_what_it_is_about_and_says_it_once() {
    let job = database(None);
    let line = |n: usize, outcome, detail: &str| {
        let action = &job.actions[n];
        let detail = (!detail.is_empty()).then(|| detail.to_owned());
        let result = ActionResult {
            detail,
            ..ActionResult::new(action, outcome)
        };
        text::finished(&job.name, Some(action), &result, &Styles::default())
    };
    let copy = "sync_my_database: copy_snapshot rds:mydatabase-2026-01-14-05-10";
    assert_eq!(
        text::put_off(&job.name, &job.actions[0], &Styles::default()),
        format!("{copy} waits until other copies are done")
    );
    for (percent, told) in [(None, ""), (Some(42), " (42%)"), (Some(100), "")] {
        let line = text::copying(&job.name, "x", "creating", percent, &Styles::default());
        assert_eq!(line, format!("sync_my_database: copy x is creating{told}"));
    }
    assert_eq!(
        line(
            0,
            ActionOutcome::Failed,
            "sync_my_database/copy failed: CopyDBSnapshot in us-west-1: X: y"
        ),
        Some(format!("{copy} failed: CopyDBSnapshot in us-west-1: X: y"))
    );
    assert_eq!(
        line(
            0,
            ActionOutcome::Deferred,
            "sync_my_database/copy is deferred: AWS takes no more"
        ),
        Some(format!("{copy} is deferred: AWS takes no more"))
    );
    assert_eq!(
        line(2, ActionOutcome::Stale, "the plan is stale: state of x: planned with a, found b"),
        Some("sync_my_database: delete_snapshot rds-mydatabase-2026-01-11-05-10 is stale: state of x: planned with a, found b".to_owned())
    );
    assert_eq!(
        line(
            2,
            ActionOutcome::Skipped,
            "sync_my_database/copy was not done"
        ),
        None
    );
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
fn long_lists_of_deletions_are_cut_and_their_reason_is_said_once() {
    let mut job = database(None);
    job.actions.truncate(2);
    for day in 1..=25 {
        let mut deletion = delete(day, "available", Some("sync_my_database/copy"));
        if let Action::DeleteSnapshot(delete) = &mut deletion {
            delete.reason =
                format!("the copy of 2026-01-{day:02} 05:10 UTC is older than the others");
        }
        job.actions.push(deletion);
    }
    let screen = text::plan(&sealed(vec![job]), None, &Styles::default());
    assert!(
        screen.contains("\nDELETES 25 snapshots: rds-mydatabase-2026-01-01-05-10, "),
        "{screen}"
    );
    assert!(screen.contains(" and 5 more\nDigest:"), "{screen}");
    assert_eq!(
        screen.matches("the copy is older than the others").count(),
        1,
        "{screen}"
    );
    assert_eq!(
        screen.matches("once AWS has accepted").count(),
        1,
        "{screen}"
    );
}

#[test]
fn a_results_file_that_is_not_complete_says_so() {
    let mut saved = SavedResults {
        format_version: "1.0".to_owned(),
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
