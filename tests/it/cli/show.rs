//! `xrs show`

use aws_xregion_sync::planfile;

use super::Folder;

#[test]
fn show_renders_plans_and_results_offline() {
    let folder = Folder::new();
    folder.planned();
    folder.apply("--results results.json").went_well(&[]);
    folder.remove("xrs.yaml");
    folder.remove("world.json");
    folder.xrs("show plan.json").went_well(&[
        "+ copy image",
        "Digest: sha256:",
        "Next: xrs apply plan.json --config xrs.yaml --sandbox WORLD.json --expect-digest sha256:",
    ]);
    folder.xrs("show results.json").went_well(&[
        "successfully completed and created",
        "Results: 2 jobs completed",
    ]);
    let markdown = folder.xrs("show plan.json --format markdown");
    markdown.went_well(&["### xrs plan: 2 copies (", "\nxrs apply plan.json "]);
    let markdown = folder.xrs("show results.json --format markdown");
    markdown.went_well(&["### xrs apply: 2 jobs completed, 0 failed, "]);
    for file in ["plan.json", "results.json"] {
        let shown = folder.xrs(&format!("show {file} --format json"));
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
    folder.xrs("show plan.json").went_well(&[
        "+ copy image",
        "REFUSED by apply: its format version is 2.9",
    ]);
    folder.xrs("show none.json").failed(
        1,
        &[
            "error: the file none.json does not exist",
            "xrs plan --out",
            "xrs apply PLAN --results",
        ],
    );
    let of_version = |version: &str| {
        let (ours, other) = (
            "format_version\": \"2.0\"",
            format!("format_version\": \"{version}\""),
        );
        let results = r#"{"plan_digest": 1, "format_version": "2.0"}"#;
        [&whole, results].map(|text| text.replace(ours, &other))
    };
    let [_, results] = of_version("2.0");
    let [old_plan, old_results] = of_version("1.0");
    let [new_plan, new_results] = of_version("7.0");
    for (bad, says) in [
        (&whole[..whole.len() / 2], "not valid JSON"),
        ("hello", "not valid JSON"),
        ("[]", "not a plan"),
        (&new_plan, "format version is 7.0"),
        (&old_plan, "made by an older version of xrs; plan again"),
        (&results, "not a results file"),
        (&old_results, "made by an older version of xrs"),
        (&new_results, "format version is 7.0"),
    ] {
        folder.write("bad.json", bad);
        let shown = folder.xrs("show bad.json");
        shown.failed(1, &["bad.json cannot be shown", says, "help:"]);
    }
}

#[test]
fn show_says_what_apply_would_say() {
    let folder = Folder::new();
    folder.planned();
    assert_eq!(folder.xrs("show plan.json").err, "");
    folder.edit("plan.json", |plan| {
        plan["jobs"][0]["actions"][0]["copy"]["name"] = "forged".into()
    });
    let edited = folder.xrs("show plan.json");
    edited.failed(1, &["warning: apply would refuse this plan: its digest is"]);
    let actual = planfile::digest(&folder.json("plan.json")).expect("a digest");
    edited.printed(
        1,
        &[
            &format!(" DOES NOT MATCH its content ({actual})\n"),
            "REFUSED by apply: its digest is",
        ],
    );
    edited.lacks("Next:");
    let refused = ["warning: apply would refuse this plan"];
    let markdown = folder.xrs("show plan.json --format markdown");
    markdown.failed(1, &refused);
    markdown.begins("### xrs plan, REFUSED by apply: ");
    markdown.printed(1, &[&format!("** its content (`{actual}`)\n")]);
    markdown.lacks("xrs apply plan.json");
    folder
        .xrs("show plan.json --format json")
        .failed(1, &refused);

    folder.planned();
    folder.edit("plan.json", |plan| plan["summary"]["delete"] = 0.into());
    let edited = folder.xrs("show plan.json");
    edited.failed(1, &["its summary does not match its jobs"]);
    edited.printed(1, &["REFUSED by apply: "]);
}

#[test]
fn a_file_of_another_kind_is_said_to_be_one() {
    let folder = Folder::new();
    folder.planned();
    folder.apply("--results results.json").went_well(&[]);
    let (sandbox, results) = ("it is a sandbox", "it holds the results of an apply");
    for (file, kind) in [("results.json", results), ("world.json", sandbox)] {
        let says = format!("{file} cannot be applied: it is not a plan: {kind}");
        folder
            .on_sandbox(&format!("apply {file}"))
            .failed(3, &[&says]);
    }
    let says = "world.json cannot be shown: it is not a plan: it is a sandbox";
    folder.xrs("show world.json").failed(1, &[says]);
    for (file, kind) in [("plan.json", "it is a plan"), ("results.json", results)] {
        let planned = folder.xrs(&format!("plan --sandbox {file}"));
        planned.failed(1, &["is not a valid sandbox", kind]);
    }
}
