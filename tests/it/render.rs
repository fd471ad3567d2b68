//! Screens of handmade documents; the golden ones are in `testdata/screens`.

mod documents;
mod markdown;
pub mod outline;
mod problems;
mod status;
mod texts;

use aws_xregion_sync::model::action::{ExpectedCopy, TagCopy};
use aws_xregion_sync::render::styles::Styles;
use aws_xregion_sync::render::text;

use documents::*;
use texts::with_texts;

use crate::support::assert_says;
use crate::support::prelude::*;

/// Compares with a golden screen. A line above it says what it shows, so that the screens read like a story.
fn golden(name: &str, story: &str, screen: &str) {
    insta::with_settings!({
        snapshot_path => "../../testdata/screens",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        description => story,
    }, { insta::assert_snapshot!(name, screen) });
}

/// Returns a plan as `xrs plan --out plan.json` prints it.
fn screen(plan: &SavedPlan) -> String {
    let next = format!("xrs apply plan.json --expect-digest {}", plan.digest);
    text::plan(plan, Some(&next), &Styles::default())
}

/// Compares a plan with its golden screen and its golden document.
fn golden_plan(name: &str, story: &str, plan: &SavedPlan, screen: &str) {
    golden(name, story, screen);
    let json = document(plan).expect("JSON");
    golden(&format!("{name}_json"), "The same as JSON.", &json);
}

#[test]
fn the_seed_example() {
    let plan = sealed(vec![web_app(), database(Some(50))]);
    let story = "An image and a snapshot to copy, and two old copies to delete.";
    golden("plan_seed", story, &screen(&plan));
    let story = "The same as JSON: the document as it is saved.";
    golden("plan_seed_json", story, &document(&plan).expect("JSON"));
}

#[test]
fn nothing_to_do() {
    let image = image_job(
        "image ami-01 has the copy ami-02 (available) in us-west-1",
        Vec::new(),
    );
    let snapshot = job(
        "sync_my_database",
        "snapshot rds:mydatabase-2026-01-14-05-10 has the copy rds-mydatabase-2026-01-14-05-10 (creating) in us-west-1",
        Vec::new(),
    );
    let plan = sealed(vec![image, snapshot]);
    let screen = text::plan(&plan, None, &Styles::default());
    let story = "Both destinations are up to date, one copy is in progress.";
    golden_plan("plan_nothing_to_do", story, &plan, &screen);
}

#[test]
fn retention_alone() {
    let reason = "us-west-1 has rds-mydatabase-2026-01-13-05-10, a copy of a newer snapshot than rds:mydatabase-2026-01-12-05-10; 2 old copies to delete";
    let actions = vec![delete(9, "failed", None), delete(10, "available", None)];
    let plan = sealed(vec![job("sync_my_database", reason, actions)]);
    let story = "Nothing to copy; a failed copy and an old one to delete.";
    golden_plan("plan_retention", story, &plan, &screen(&plan));
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
        ..image_job(
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
    let story = "Two jobs fail, one has a warning, and one goes on.";
    golden_plan("plan_failed_and_warning", story, &plan, &screen(&plan));
}

#[test]
fn tags_an_endpoint_a_sandbox_and_a_selection() {
    let source = snapshot("us-east-1", "rds:mydatabase-2026-01-14-05-10");
    let copy = snapshot("us-west-1", "rds-mydatabase-2026-01-14-05-10");
    let tag_copy = Action::TagCopy(TagCopy {
        tags: Default::default(),
        snapshots: Vec::new(),
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
    let mut job = job("sync_my_database", reason, vec![tag_copy, tag_source]);
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

/// A text that tries to forge a line, move the cursor, hide, and reverse the order of letters.
const HOSTILE: &str = "x\nPlan: 0 deletions.\r\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}\u{200b}\u{feff}";

#[test]
fn hostile_strings_reach_no_terminal() {
    let mut image = web_app();
    image.warnings = vec![HOSTILE.to_owned()];
    if let Some(Action::Copy(copy)) = image.actions.first_mut() {
        copy.copy.description = Some(HOSTILE.to_owned());
    }
    let failed = failed("sync_other", vec![denied()]);
    let mut plan = sealed(vec![database(Some(50)), image, failed]);
    plan.selection = Some(vec![HOSTILE.into()]);
    let plan = with_texts(&plan, HOSTILE);
    harmless(&screen(&plan));

    let styles = Styles::default();
    harmless(&text::results(
        &with_texts(&some_results(), HOSTILE),
        &styles,
    ));
    let detail = Some(HOSTILE);
    let mut finished = done(HOSTILE, ActionOutcome::Stale, detail);
    let job = JobName::from(HOSTILE);
    for resource in [None, Some(HOSTILE.into())] {
        finished.resource = resource;
        for action in plan.jobs.iter().flat_map(|job| &job.actions) {
            let line = text::finished(&job, Some(action), &finished, &styles);
            harmless(&line.expect("a line"));
            harmless(&text::deferred(&job, action, &styles));
            harmless(&text::copying(&job, HOSTILE, HOSTILE, Some(7), &styles));
        }
    }
    harmless(&text::refused_plan(&plan, Some(HOSTILE), HOSTILE, &styles));
}

fn harmless(screen: &str) {
    let tricky = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}\u{feff}".contains(c);
    assert!(!screen.contains(tricky), "{screen:?}");
    let is_forged = |line: &str| line.trim_start().starts_with("Plan: 0 deletions");
    assert!(!screen.lines().any(is_forged), "{screen}");
    assert_says(screen, r"x\nPlan: 0 deletions.");
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
fn results_in_the_words_of_the_gem() {
    let screen = text::results(&some_results(), &Styles::default());
    let story = "Two jobs went well, one had nothing to do, and two failed.";
    golden("results", story, &screen);
}

#[test]
fn a_failed_job_says_which_tags_it_wrote() {
    let mut result = completed("sync_a", None, &[]);
    result.completed = false;
    result.errors = vec![Problem::new("no")];
    result.actions = vec![
        done("sync_a/tag-copy", ActionOutcome::Done, None),
        done("sync_a/delete/b", ActionOutcome::Failed, None),
    ];
    let screen = text::results(&[result], &Styles::default());
    let start = "sync_a was not completed.\n  done: 1 copy tag\nsync_a encountered";
    assert!(screen.starts_with(start), "{screen}");
}

#[test]
fn an_error_that_many_jobs_share_is_told_once() {
    let interrupted = |n: usize| {
        let name = format!("sync_{n:03}");
        let action = |id, outcome| done(&format!("{name}/{id}"), outcome, None);
        let (is_done, skipped) = (n < 2, ActionOutcome::Skipped);
        let copied = if is_done {
            ActionOutcome::Done
        } else {
            skipped
        };
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
                action("copy", copied),
                action("tag-source", skipped),
                action("delete/a", skipped),
                action("delete/b", skipped),
            ],
            ..completed(&name, is_done.then_some("rds-made"), &[])
        }
    };
    let results: Vec<SyncResult> = (0..200).map(interrupted).collect();
    let screen = text::results(&results, &Styles::default());
    let lines: Vec<&str> = screen.lines().collect();
    let made = "created the AWS resource rds-made, but was not completed.";
    let expected = ["sync_000", "sync_001"].map(|job| format!("{job} {made}"));
    assert_eq!(lines[..2], expected);
    let start = "sync_000, sync_001, sync_002, ";
    assert!(lines[2].starts_with(start), "{screen}");
    let end = ", sync_199 encountered the following errors:";
    assert!(lines[2].ends_with(end), "{screen}");
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
    assert_says(
        &one,
        "\n  not done: 1 copy, 1 source tag, 2 deletions (sync_005/copy, sync_005/tag-source, sync_005/delete/a, sync_005/delete/b)\n",
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
    let refused = "CopyDBSnapshot in us-west-1: X: y";
    let failed = format!("{copy} failed: {refused}");
    let tagged = "sync_my_database: tag source rds:mydatabase-2026-01-14-05-10 already done";
    let differs = "planned with a, found b";
    let stale =
        format!("sync_my_database: delete rds-mydatabase-2026-01-11-05-10 stale: {differs}");
    for (n, outcome, resource, detail, expected) in [
        (0, ActionOutcome::Failed, None, Some(refused), &*failed),
        (
            0,
            ActionOutcome::Done,
            Some("rds-made"),
            None,
            "sync_my_database: copy rds-made done",
        ),
        (1, ActionOutcome::AlreadyDone, None, None, tagged),
        (2, ActionOutcome::Stale, None, Some(differs), &stale),
    ] {
        assert_eq!(line(n, outcome, resource, detail), expected);
    }
    assert_eq!(line(2, ActionOutcome::Skipped, None, None), "");
}

#[test]
fn a_plan_that_apply_would_refuse_says_so_at_its_digest() {
    let plan = sealed(vec![database(Some(50)), failed("sync_b", vec![denied()])]);
    let actual = format!("sha256:{}", "1".repeat(64));
    let screen = text::refused_plan(&plan, Some(&actual), "it was changed", &Styles::default());
    let story = "Somebody edited the plan after it was made.";
    golden("plan_refused", story, &screen);
}

#[test]
fn long_lists_of_deletions_are_cut_and_a_reason_that_they_share_is_said_once() {
    let mut job = database(None);
    job.actions.truncate(2);
    let deletion = |day| delete(day, "available", Some("sync_my_database/copy"));
    job.actions.extend((1..=25).map(deletion));
    let screen = text::plan(&sealed(vec![job]), None, &Styles::default());
    assert_says(
        &screen,
        "\nDELETES 25 snapshots: rds-mydatabase-2026-01-01-05-10, ",
    );
    assert_says(&screen, " and 5 more\nDigest:");
    for once in ["older than the 2 copies kept", "deleted only once"] {
        assert_eq!(screen.matches(once).count(), 1, "{screen}");
    }
}

#[test]
fn a_results_file_that_is_not_complete_says_so() {
    let first = completed("sync_my_web_app", Some("ami-02"), &[]);
    let begun = SavedResults {
        complete: false,
        ..saved(vec![first])
    };
    let screen = text::saved_results(&begun, &Styles::default());
    let story = "The apply was stopped after its first job.";
    golden("results_not_complete", story, &screen);
    let json = document(&saved(some_results())).expect("JSON");
    golden("results_json", "A results file.", &json);
}
