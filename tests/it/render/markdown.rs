//! Markdown, read as GitHub reads it.

use aws_xregion_sync::model::action::ActionName;
use aws_xregion_sync::model::plan::{End, SavedPlan};
use aws_xregion_sync::model::problem::Problem;
use aws_xregion_sync::model::result::{ActionOutcome, SavedResults, SyncResult};
use aws_xregion_sync::render::markdown::{self, Commands, MAX_BYTES};
use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::documents::*;
use super::golden;
use crate::support::assert_no_tricks;

/// The parts of a document, with the words of ours; of code only that it is there.
pub fn outline(markdown: &str) -> Vec<String> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.alerts = true;
    extension.autolink = true;
    extension.footnotes = true;
    extension.math_code = true;
    extension.math_dollars = true;
    extension.strikethrough = true;
    extension.table = true;
    extension.tasklist = true;
    let arena = Arena::new();
    let mut parts = Vec::new();
    add(parse_document(&arena, markdown, &options), 0, &mut parts);
    parts
}

fn add<'a>(node: &'a AstNode<'a>, depth: usize, parts: &mut Vec<String>) {
    let part = match &node.data.borrow().value {
        NodeValue::Code(_) => "code".to_owned(),
        NodeValue::CodeBlock(block) if block.info == "mermaid" => {
            block.literal.lines().for_each(assert_arrow);
            format!("drawing {}", block.literal.lines().count())
        }
        NodeValue::CodeBlock(block) => format!("block {:?}", block.info),
        NodeValue::HtmlBlock(block) => format!("html {:?}", without_code(&block.literal)),
        NodeValue::Text(text) => format!("text {text:?}"),
        NodeValue::Table(table) => format!("table of {}", table.num_columns),
        NodeValue::List(_) => "list".to_owned(),
        NodeValue::Item(_) => "item".to_owned(),
        other => format!("{other:?}"),
    };
    parts.push(format!("{}{part}", " ".repeat(depth)));
    for child in node.children() {
        add(child, depth + 1, parts);
    }
}

/// A line of a drawing is one arrow between two regions, whatever they are called.
#[track_caller]
fn assert_arrow(line: &str) {
    let quoted: Vec<&str> = line.split('"').collect();
    let (ours, foreign): (Vec<_>, Vec<_>) =
        quoted.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let ours: String = ours.into_iter().map(|(_, part)| *part).collect();
    let ours = ours.replace(|c: char| c.is_ascii_digit(), "");
    assert!(
        ours == "flowchart LR" || ours == "  r[] -->|| r[]",
        "{line}"
    );
    let plain = |c: char| c.is_ascii_alphanumeric() || "-?, ".contains(c);
    assert!(
        foreign.iter().all(|(_, part)| part.chars().all(plain)),
        "{line}"
    );
}

/// HTML without what is between `<code>` and `</code>`, where there are no tags.
#[track_caller]
fn without_code(html: &str) -> String {
    let (before, rest) = html.split_once("<code>").unwrap_or((html, "</code>"));
    let (code, after) = rest.split_once("</code>").expect("it ends");
    assert!(!code.contains(['<', '>', '"', '\'']), "{html}");
    assert!(
        !code
            .replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "")
            .replace("&quot;", "")
            .replace("&#39;", "")
            .contains('&'),
        "{html}"
    );
    format!("{before}{after}")
}

/// Returns the same document with every text from elsewhere replaced, keys of tags included.
fn with_texts<T: Serialize + DeserializeOwned>(document: &T, text: &str) -> T {
    /// The values of these are words of the format, or not text.
    const OURS: [&str; 9] = [
        "action",
        "created_at",
        "data_time",
        "from",
        "kind",
        "outcome",
        "provider",
        "started_at",
        "sync_type",
    ];
    fn replace(value: &mut Value, text: &str) {
        match value {
            Value::String(old) => text.clone_into(old),
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, text)),
            Value::Object(fields) => {
                let theirs = |(key, _): &(&String, &mut Value)| !OURS.contains(&key.as_str());
                fields
                    .iter_mut()
                    .filter(theirs)
                    .for_each(|(_, value)| replace(value, text));
                if let Some(Value::Object(tags)) = fields.get_mut("tags") {
                    *tags = [(text.to_owned(), text.into())].into_iter().collect();
                }
            }
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).expect("JSON");
    replace(&mut value, text);
    serde_json::from_value(value).expect("the same document")
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

fn saved(results: Vec<SyncResult>) -> SavedResults {
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

/// A plan with something of everything.
fn varied() -> SavedPlan {
    let mut warned = web_app();
    warned.warnings = vec!["see to this".to_owned()];
    let mut invalid = failed(
        "sync_misspelt",
        vec![Problem::new("unknown option").help("correct it")],
    );
    invalid.source = None;
    let idle = job(
        "sync_idle",
        warned.sync_type.expect("one"),
        "it is there",
        Vec::new(),
    );
    let mut plan = sealed(vec![
        warned,
        database(Some(50)),
        failed("sync_other", vec![denied()]),
        invalid,
        idle,
    ]);
    plan.selection = Some(vec!["sync_a".into()]);
    plan
}

/// That many jobs: some delete, some fail, some have nothing to do.
fn many(jobs: usize, text: &str) -> SavedPlan {
    let jobs = (0..jobs).map(|n| {
        let name = format!("sync_database_{n:03}{text}");
        let mut job = match n % 50 {
            7 => failed(
                &name,
                vec![
                    denied(),
                    Problem::new(format!("failed to find the sources of {name}")),
                ],
            ),
            n if n % 5 == 0 => database(Some(50)),
            n if n % 3 == 0 => job(
                &name,
                database(None).sync_type.expect("one"),
                "it is there",
                Vec::new(),
            ),
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
    assert!(
        shown.starts_with("### xrs plan: nothing to do, "),
        "{shown}"
    );
    assert!(!shown.contains("xrs apply"), "{shown}");
    golden(
        "plan_refused_markdown",
        "Somebody edited the plan after it was made.",
        &markdown::refused_plan(
            &varied(),
            Some("sha256:1"),
            "it was changed",
            "xrs show plan.json",
        ),
    );
}

#[test]
fn what_matters_of_500_jobs_is_there_and_what_was_cut_is_said() {
    let plan = many(500, "");
    let shown = markdown::plan(&plan, &commands());
    golden(
        "plan_500_jobs_markdown",
        "More than a comment holds.",
        &shown,
    );
    assert!(
        shown.len() <= MAX_BYTES && shown.len() > MAX_BYTES - 5_000,
        "{}",
        shown.len()
    );
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
    // More than what is left over by chance.
    let long = Problem::new("lost ".repeat(150));
    let lost = failed("sync_lost", vec![denied(), long]);
    let plan = sealed(jobs.chain([lost]).collect());
    let markdown = markdown::plan(&plan, &commands());
    assert!(markdown.len() <= markdown::MAX_BYTES, "{}", markdown.len());
    let alert = markdown.split("[!WARNING]").nth(1);
    let alert = alert.and_then(|alert| alert.split("\n\n").next());
    assert!(
        alert.is_some_and(|alert| alert.contains("`sync_lost`")),
        "{alert:?}"
    );
    assert!(markdown.contains("Not shown: "), "{markdown}");
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
    assert!(
        shown.starts_with("### xrs apply, INTERRUPTED: 3 jobs completed, 2 FAILED, "),
        "{shown}"
    );
    results.complete = false;
    let shown = markdown::results(&results, None);
    assert!(
        shown.starts_with("### xrs apply, NOT COMPLETE: "),
        "{shown}"
    );
    assert!(
        shown.contains("> [!WARNING]\n> Jobs are missing here"),
        "{shown}"
    );

    results.results = vec![completed("sync_idle", None, &[])];
    let mut tagged = completed("sync_tagged", None, &[]);
    tagged.actions = vec![done(
        "sync_tagged",
        ActionName::TagCopy,
        "tag-copy",
        ActionOutcome::AlreadyDone,
        None,
    )];
    results.results.push(tagged);
    results.complete = true;
    results.interrupted = false;
    let shown = markdown::results(&results, None);
    assert!(
        shown.starts_with(
            "### xrs apply: 2 jobs completed, 0 failed, 0 copies created, 0 copies deleted\n"
        ),
        "{shown}"
    );
    assert!(
        shown.contains("\n| `sync_idle` | nothing to do |  |  |\n"),
        "{shown}"
    );
    assert!(
        shown.contains("\n| `sync_tagged` | completed | 1 already done |  |\n"),
        "{shown}"
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
    assert!(
        shown.contains("`sync_19` and 480 more: `DescribeDBSnapshots in us-west-1: AccessDenied: "),
        "{shown}"
    );
}

/// Texts that mean something to somebody.
fn text() -> impl Strategy<Value = String> {
    let tokens = vec![
        "`",
        "```",
        "``",
        "~~~",
        "|",
        "\\|",
        "\\",
        "<",
        "</details>",
        "</code>",
        "<!--",
        "-->",
        "<b>",
        "\n",
        "\n\n",
        "\r\n",
        "@octocat",
        "#1",
        "GH-1",
        "http://a.b",
        "www.a.b",
        "a@b.c",
        "[a](b)",
        "![",
        "](",
        "[^1]",
        "[ ] ",
        "*",
        "__",
        "~~",
        "$",
        "$$",
        "> ",
        "- ",
        "1. ",
        "# ",
        "    ",
        "\t",
        "\u{1b}[31m",
        "\u{202e}",
        "\"]",
        "-->|",
        ";",
        "end",
        "%%",
        "&amp;",
        "&#96;",
        "&",
        ":smile:",
        "---",
        "| - |",
        "é",
        "日本",
        " ",
        "x",
        "'",
        "\"",
    ];
    let token = prop_oneof![4 => select(tokens).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    proptest::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat())
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
