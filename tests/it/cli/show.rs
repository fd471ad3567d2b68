//! `xrs show`

use std::fs;

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
        "Next: xrs apply plan.json",
    ]);
    folder.xrs(&["show", "results.json"]).went_well(&[
        "successfully completed and created",
        "Results: 2 jobs completed",
    ]);
    for file in ["plan.json", "results.json"] {
        let shown = folder.xrs(&["show", file, "--format", "json"]);
        shown.went_well(&[]);
        assert_eq!(shown.out, folder.read(file));
    }
}

#[test]
fn show_passes_over_what_it_does_not_know_and_refuses_what_it_cannot_read() {
    let folder = Folder::new();
    folder.planned();
    let whole = folder.read("plan.json");
    folder.edit("plan.json", |plan| {
        plan["format_version"] = "1.9".into();
        plan["invented"] = "later".into();
    });
    folder
        .xrs(&["show", "plan.json"])
        .went_well(&["+ copy image"]);
    folder
        .xrs(&["show", "none.json"])
        .failed(1, &["error: none.json does not exist"]);
    for (bad, says) in [
        (whole[..whole.len() / 2].to_owned(), "not valid JSON"),
        ("hello".to_owned(), "not valid JSON"),
        ("[]".to_owned(), "not a plan"),
        (
            whole.replace("\"format_version\": \"1.0\"", "\"format_version\": \"2.0\""),
            "format version is 2.0",
        ),
        (
            "{\"plan_digest\": 1, \"format_version\": \"1.0\"}".to_owned(),
            "not a results file",
        ),
        (
            "{\"plan_digest\": 1, \"format_version\": \"7.0\"}".to_owned(),
            "format version is \"7.0\"",
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
        plan["jobs"][0]["actions"][0]["name"] = "forged".into()
    });
    let edited = folder.xrs(&["show", "plan.json"]);
    edited.failed(0, &["warning: apply would refuse this plan: its digest is"]);
    assert!(!edited.out.contains("Next:"), "{edited:?}");
}
