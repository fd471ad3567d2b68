//! Plans and results as Markdown.

use aws_xregion_sync::model::plan::{End, Kept};
use aws_xregion_sync::render::markdown::{self, Commands, MAX_BYTES};
use proptest::prelude::*;

use super::documents::*;
use super::golden;
use super::outline::outline;
use super::texts::{text, with_texts};
use crate::support::prelude::*;
use crate::support::{assert_no_tricks, assert_says};

#[track_caller]
fn assert_starts(shown: &str, start: &str) {
    assert!(shown.starts_with(start), "{shown}");
}

fn commands() -> Commands {
    let digest = "0".repeat(64);
    Commands {
        show: "xrs show plan.json".to_owned(),
        apply: Some(format!(
            "xrs apply plan.json --config xrs.yaml --expect-digest sha256:{digest}"
        )),
    }
}

/// A plan with something of everything.
fn varied() -> SavedPlan {
    let mut warned = web_app();
    warned.warnings = vec!["see to this".to_owned()];
    if let Some(Action::Copy(copy)) = warned.actions.first_mut() {
        copy.copy_within_minutes = Some(30);
    }
    warned.kept = vec![Kept {
        id: "ami-0fedcba9876543210".into(),
        name: Some("web-41".to_owned()),
        reason: "used by launch template lt-0123456789abcdef0".to_owned(),
    }];
    let mut invalid = failed(
        "sync_misspelt",
        vec![Problem::new("unknown option").help("correct it")],
    );
    invalid.source = None;
    let up_to_date = JobPlan {
        name: "sync_idle".into(),
        ..image_job("it is there", Vec::new())
    };
    let mut plan = sealed(vec![
        warned,
        database(Some(50)),
        failed("sync_other", vec![denied()]),
        invalid,
        up_to_date,
    ]);
    plan.selection = Some(vec!["sync_a".into()]);
    plan
}

/// A job with nothing to do.
fn idle(name: &str) -> JobPlan {
    job(name, "it is there", Vec::new())
}

/// Returns this number of jobs: some delete, some fail, some have nothing to do.
fn many(jobs: usize, text: &str) -> SavedPlan {
    let jobs = (0..jobs).map(|n| {
        let name = format!("sync_database_{n:03}{text}");
        let mut job = match n % 50 {
            7 => {
                let lost = Problem::new(format!("failed to find the sources of {name}"));
                failed(&name, vec![denied(), lost])
            }
            n if n % 5 == 0 => database(Some(50)),
            n if n % 3 == 0 => idle(&name),
            _ => {
                let mut job = database(Some(50));
                job.actions.truncate(2);
                job
            }
        };
        job.name = name.into();
        let region = ["us-west-1", "eu-west-1", "ap-south-1"][n % 3];
        job.destination = Some(End {
            region: region.into(),
        });
        job
    });
    sealed(jobs.collect())
}

#[test]
fn the_seed_example() {
    let plan = sealed(vec![web_app(), database(Some(50))]);
    golden(
        "plan_seed_markdown",
        "An image and a snapshot to copy, and two old copies to delete.",
        &markdown::plan(&plan, &commands()),
    );
}

#[test]
fn deletions_state_names_and_how_many_copies_are_kept_for_other_reasons() {
    let mut deleting = database(Some(50));
    deleting.kept = vec![Kept {
        id: "rds-mydatabase-2026-01-08-05-10".into(),
        name: None,
        reason: "it carries the tag Sync-Keep".to_owned(),
    }];
    if let Some(Action::Delete(delete)) = deleting.actions.last_mut() {
        delete.name = Some("web|41".to_owned());
    }
    let shown = markdown::plan(&sealed(vec![deleting]), &commands());
    assert_says(&shown, ", and keeps 2, plus 1 more (see the details)\n");
    assert_says(&shown, "` (`web|41`), 50 GiB, data of ");
}

#[test]
fn failures_warnings_and_nothing_to_do() {
    golden(
        "plan_varied_markdown",
        "Two jobs fail, one deletes, one has a warning, one nothing to do.",
        &markdown::plan(&varied(), &commands()),
    );
    let idle = varied().jobs.pop().expect("one");
    let nothing = Commands {
        apply: None,
        ..commands()
    };
    let shown = markdown::plan(&sealed(vec![idle]), &nothing);
    assert_starts(&shown, "### xrs plan: nothing to do, ");
    assert!(!shown.contains("xrs apply"), "{shown}");
    let (digest, why, show) = (Some("sha256:1"), "it was changed", "xrs show plan.json");
    golden(
        "plan_refused_markdown",
        "Somebody edited the plan after it was made.",
        &markdown::refused_plan(&varied(), digest, why, show),
    );
}

#[test]
fn what_matters_of_500_jobs_is_there_and_what_was_cut_is_said() {
    let plan = many(500, "");
    let shown = markdown::plan(&plan, &commands());
    let story = "More than a comment holds.";
    golden("plan_500_jobs_markdown", story, &shown);
    let sizes = MAX_BYTES - 4_999..=MAX_BYTES;
    assert!(sizes.contains(&shown.len()), "{}", shown.len());
    for job in &plan.jobs {
        let row = shown.contains(&format!("\n| `{}` |", job.name));
        assert!(row || job.actions.is_empty(), "{} has its row", job.name);
        let alert = shown
            .lines()
            .any(|line| line.starts_with("> - ") && line.contains(&format!("`{}`", job.name)));
        let loud = job.actions.len() > 2 || !job.errors.is_empty();
        assert_eq!(alert, loud, "{}", job.name);
    }
}

#[test]
fn a_failure_is_seen_among_any_number_of_deletions() {
    let jobs = (0..700).map(|n| {
        let mut job = database(Some(50));
        job.name = format!("sync_database_{n:03}").into();
        job
    });
    // More than is left over by chance.
    let long = Problem::new("lost ".repeat(150));
    let lost = failed("sync_lost", vec![denied(), long]);
    let plan = sealed(jobs.chain([lost]).collect());
    let markdown = markdown::plan(&plan, &commands());
    assert!(markdown.len() <= markdown::MAX_BYTES, "{}", markdown.len());
    let alert = markdown.split("[!WARNING]").nth(1);
    let alert = alert.and_then(|alert| alert.split("\n\n").next());
    assert_says(alert.unwrap_or_default(), "`sync_lost`");
    assert_says(&markdown, "Not shown: ");
}

#[test]
fn names_of_all_kinds_are_names_and_nothing_else() {
    let name = "`a` | <b>b</b> | @octocat #1 GH-1 [c](http://d.e) ![](f) www.g.h i@j.k **l** ~~m~~ $n$ :o: \\| \\\n\n# p\n```\n\u{1b}[31m\u{202e}q</code></details><!--";
    let plan = with_texts(&varied(), name);
    let commands = Commands {
        show: format!("xrs show '{name}'"),
        apply: Some(format!("xrs apply '{name}'")),
    };
    let shown = markdown::plan(&plan, &commands);
    assert_no_tricks(&shown);
    golden(
        "plan_hostile_markdown",
        "Names that try to be Markdown, HTML, mentions, references and links.",
        &shown,
    );
    let shown = markdown::results(&with_texts(&saved(some_results()), name), Some(name));
    assert_no_tricks(&shown);
    golden("results_hostile_markdown", "The same in results.", &shown);
}

#[test]
fn results_say_what_failed_and_what_was_done() {
    let mut results = saved(some_results());
    let shown = markdown::results(&results, None);
    golden(
        "results_markdown",
        "Two jobs went well, one had nothing to do, and two failed.",
        &shown,
    );
    results.interrupted = true;
    let shown = markdown::results(&results, None);
    assert_starts(
        &shown,
        "### xrs apply, INTERRUPTED: 3 jobs completed, 2 FAILED, ",
    );
    results.complete = false;
    let shown = markdown::results(&results, None);
    assert_starts(&shown, "### xrs apply, NOT COMPLETE: ");
    assert_says(&shown, "> [!WARNING]\n> Jobs are missing here");
    results.results.clear();
    let shown = markdown::results(&results, None);
    assert_says(&shown, "> There are no results yet: the plan was refused");
    assert!(!shown.contains("performs the rest"), "{shown}");

    let mut tagged = completed("sync_tagged", None, &[]);
    let outcome = ActionOutcome::AlreadyDone;
    tagged.actions = vec![done("sync_tagged/tag-copy", outcome, None)];
    let results = saved(vec![completed("sync_idle", None, &[]), tagged]);
    let shown = markdown::results(&results, None);
    assert_starts(
        &shown,
        "### xrs apply: 2 jobs completed, 0 failed, 0 copies created, 0 copies deleted\n",
    );
    assert_says(&shown, "\n| `sync_idle` | nothing to do |  |  |\n");
    assert_says(
        &shown,
        "\n| `sync_tagged` | completed | 1 already done |  |\n",
    );
}

#[test]
fn errors_that_many_jobs_share_stand_once() {
    let jobs: Vec<_> = (0..500)
        .map(|n| {
            let name = format!("sync_{n}");
            let message = format!("failed to find the copies of {name}");
            let denied = Problem {
                message,
                ..denied()
            };
            failed(&name, vec![denied])
        })
        .collect();
    let shown = markdown::plan(&sealed(jobs), &commands());
    assert_eq!(shown.matches("> - ").count(), 1, "{shown}");
    let cause = "`DescribeDBSnapshots in us-west-1: AccessDenied: ";
    assert_says(&shown, &format!("`sync_19` and 480 more: {cause}"));
}

proptest! {
    #[test]
    fn no_text_is_more_than_text(text in text()) {
        let shown = |text: &str| {
            let plan = with_texts(&varied(), text);
            let commands = Commands { show: text.to_owned(), apply: Some(format!("xrs {}", text.replace('\n', " "))) };
            [
                markdown::plan(&plan, &commands),
                markdown::refused_plan(&plan, Some(text), text, text),
                markdown::results(&with_texts(&saved(some_results()), text), Some(text)),
            ]
        };
        for (hostile, plain) in shown(&text).iter().zip(shown("x")) {
            assert_no_tricks(hostile);
            prop_assert_eq!(outline(hostile), outline(&plain), "{}", hostile);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_number_of_jobs_fits(jobs in 0..600_usize, text in text(), times in 0..60_usize) {
        let text = text.repeat(times);
        let plan = many(jobs, &text);
        let plan = if times > 40 { with_texts(&plan, &text) } else { plan };
        let commands = Commands { show: text.clone(), apply: Some(text.clone()) };
        let results = plan.jobs.iter().map(|job| {
            let mut result = some_results().swap_remove(job.actions.len() % 5);
            result.name = job.name.clone();
            result
        });
        for shown in [
            markdown::plan(&plan, &commands),
            markdown::refused_plan(&plan, Some(&text), &text, &text),
            markdown::results(&saved(results.collect()), Some(&text)),
        ] {
            prop_assert!(shown.len() <= MAX_BYTES, "{} bytes", shown.len());
            let outline = outline(&shown);
            let parts = |html: &str| outline.iter().filter(|part| part.starts_with(html)).count();
            prop_assert_eq!(parts(" html \"<details>"), parts(" html \"</details>"));
            let drawings = parts(" drawing ");
            prop_assert!(drawings <= 1, "{drawings} drawings");
        }
    }
}
