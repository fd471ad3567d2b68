//! `xrs show`

use std::fs;

use aws_xregion_sync::planfile;

use super::Folder;

#[test]
fn show_renders_plans_and_results_offline() {
    let folder = Folder::new();
    folder.planned();
    assert_eq!(folder.apply(&["--results", "results.json"]).code, Some(0));
    fs::remove_file(folder.path("xrs.yaml")).expect("removed");
    fs::remove_file(folder.path("world.json")).expect("removed");
    folder.xrs(&["show", "plan.json"]).went_well(&[
        "+ copy image",
        "Digest: sha256:",
        "Next: xrs apply plan.json --config xrs.yaml --sandbox WORLD.json --expect-digest sha256:",
    ]);
    folder.xrs(&["show", "results.json"]).went_well(&[
        "successfully completed and created",
        "Results: 2 jobs completed",
    ]);
    folder
        .xrs(&["show", "plan.json", "--format", "markdown"])
        .went_well(&["### xrs plan: 2 copies (", "\nxrs apply plan.json "]);
    folder
        .xrs(&["show", "results.json", "--format", "markdown"])
        .went_well(&["### xrs apply: 2 jobs completed, 0 failed, "]);
    for file in ["plan.json", "results.json"] {
        let shown = folder.xrs(&["show", file, "--format", "json"]);
        shown.went_well(&[]);
        assert_eq!(shown.out, folder.read(file));
    }
}

#[test]
fn show_skips_unknown_keys_and_refuses_what_it_cannot_read() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    folder.edit("plan.json", |plan| {
        plan["format_version"] = "2.9".into();
        plan["invented"] = "later".into();
        plan["digest"] = planfile::digest(plan).expect("a digest").into();
    });
    folder.xrs(&["show", "plan.json"]).went_well(&[
        "+ copy image",
        "REFUSED by apply: its format version is 2.9",
    ]);
    folder.xrs(&["show", "none.json"]).failed(
        1,
        &[
            "error: the file none.json does not exist",
            "xrs plan --out",
            "xrs apply PLAN --results",
        ],
    );
    for (bad, says) in [
        (whole[..whole.len() / 2].to_owned(), "not valid JSON"),
        ("hello".to_owned(), "not valid JSON"),
        ("[]".to_owned(), "not a plan"),
        (
            whole.replace("\"format_version\": \"2.0\"", "\"format_version\": \"3.0\""),
            "format version is 3.0",
        ),
        (
            whole.replace("\"format_version\": \"2.0\"", "\"format_version\": \"1.0\""),
            "made by an older version of xrs\n  help: plan again with",
        ),
        (
            "{\"plan_digest\": 1, \"format_version\": \"2.0\"}".to_owned(),
            "not a results file",
        ),
        (
            "{\"plan_digest\": 1, \"format_version\": \"1.0\"}".to_owned(),
            "made by an older version of xrs",
        ),
        (
            "{\"plan_digest\": 1, \"format_version\": \"7.0\"}".to_owned(),
            "format version is 7.0",
        ),
    ] {
        folder.write("bad.json", bad);
        folder
            .xrs(&["show", "bad.json"])
            .failed(1, &["bad.json cannot be shown", says, "help:"]);
    }
}

#[test]
fn show_says_what_apply_would_say() {
    let folder = Folder::new();
    folder.planned();
    assert_eq!(folder.xrs(&["show", "plan.json"]).err, "");
    folder.edit("plan.json", |plan| {
        plan["jobs"][0]["actions"][0]["copy"]["name"] = "forged".into()
    });
    let edited = folder.xrs(&["show", "plan.json"]);
    edited.failed(1, &["warning: apply would refuse this plan: its digest is"]);
    let actual = planfile::digest(&folder.json("plan.json")).expect("a digest");
    for says in [
        format!(" DOES NOT MATCH its content ({actual})\n"),
        "REFUSED by apply: its digest is".to_owned(),
    ] {
        assert!(edited.out.contains(&says), "{says}: {edited:?}");
    }
    assert!(!edited.out.contains("Next:"), "{edited:?}");
    let markdown = folder.xrs(&["show", "plan.json", "--format", "markdown"]);
    markdown.failed(1, &["warning: apply would refuse this plan"]);
    assert!(
        markdown.out.starts_with("### xrs plan, REFUSED by apply: "),
        "{markdown:?}"
    );
    assert!(
        markdown
            .out
            .contains(&format!("** its content (`{actual}`)\n")),
        "{markdown:?}"
    );
    assert!(
        !markdown.out.contains("xrs apply plan.json"),
        "{markdown:?}"
    );
    let json = folder.xrs(&["show", "plan.json", "--format", "json"]);
    json.failed(1, &["warning: apply would refuse this plan"]);
}

#[test]
fn an_edited_summary_is_refused() {
    let folder = Folder::new();
    folder.planned();
    folder.edit("plan.json", |plan| plan["summary"]["delete"] = 0.into());
    let edited = folder.xrs(&["show", "plan.json"]);
    edited.failed(1, &["its summary does not match its jobs"]);
    assert!(edited.out.contains("REFUSED by apply: "), "{edited:?}");
}

#[test]
fn a_file_of_another_kind_is_said_to_be_one() {
    let folder = Folder::new();
    folder.planned();
    assert_eq!(folder.apply(&["--results", "results.json"]).code, Some(0));
    let sandbox = ["--sandbox", "world.json"];
    let apply = |file: &str| folder.xrs(&[&["apply", file][..], &sandbox].concat());
    apply("results.json").failed(
        3,
        &["results.json cannot be applied: it is not a plan: it holds the results of an apply"],
    );
    apply("world.json").failed(
        3,
        &["world.json cannot be applied: it is not a plan: it is a sandbox"],
    );
    folder.xrs(&["show", "world.json"]).failed(
        1,
        &["world.json cannot be shown: it is not a plan: it is a sandbox"],
    );
    for (file, kind) in [
        ("plan.json", "it is a plan"),
        ("results.json", "it holds the results of an apply"),
    ] {
        folder
            .xrs(&["plan", "--sandbox", file])
            .failed(1, &["is not a valid sandbox", kind]);
    }
}
