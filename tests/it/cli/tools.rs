//! Auxiliary commands: a starter config, completions, manual pages, schemas, guides.

use serde_json::Value;

use super::*;

const COMMANDS: [&str; 12] = [
    "init",
    "validate",
    "plan",
    "show",
    "apply",
    "run",
    "status",
    "policy",
    "schema",
    "completions",
    "man",
    "guide",
];

#[test]
fn init_writes_a_config_that_can_be_tried_at_once() {
    let folder = Folder::new();
    folder.remove("xrs.yaml");
    let try_it = "xrs plan xrs.yaml --sandbox world.json";
    folder.xrs("init").went_well(&["Wrote xrs.yaml", try_it]);
    let validated = folder.xrs("validate");
    validated.went_well(&["xrs.yaml is valid: 2 valid jobs, 0 invalid."]);
    assert_eq!(validated.err, "");
    let plan = folder.on_sandbox("plan xrs.yaml");
    plan.went_well(&["sync_web_application", "sync_database", "Plan: 2 copies"]);
    let other = ended(folder.command("init").arg("my staging.yaml"));
    other.went_well(&["xrs validate 'my staging.yaml'"]);
    assert_eq!(folder.read("my staging.yaml"), folder.read("xrs.yaml"));
}

#[test]
fn init_never_writes_over_a_file() {
    let folder = Folder::new();
    // A dangling link also counts as existing.
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", folder.path("link.yaml")).expect("linked");
    let exists = "the config xrs.yaml already exists";
    for (file, says) in [
        ("", &[exists, "help: it was not changed"][..]),
        #[cfg(unix)]
        ("link.yaml", &["already exists"]),
        ("no/such/folder.yaml", &["there is no folder no/such"]),
        ("-", &["not -", "help: name a file"]),
    ] {
        folder.xrs(&format!("init {file}")).failed(1, says);
    }
    assert_eq!(folder.read("xrs.yaml"), example());
    assert!(!folder.path("nowhere").exists());
}

#[test]
fn every_shell_gets_completions_for_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = folder.xrs(&format!("completions {shell}"));
        completions.went_well(&COMMANDS);
        completions.went_well(&["detailed-exitcode", "sandbox"]);
    }
    let unknown = folder.xrs("completions tcsh");
    unknown.failed(1, &["possible values"]);
}

#[test]
fn every_command_has_a_manual_page_and_examples() {
    let folder = Folder::new();
    let page = folder.xrs("man");
    page.went_well(&[".TH xrs 1", "Exit codes", "xrs\\-plan(1)"]);
    for command in COMMANDS {
        let page = folder.xrs(&format!("man {command}"));
        page.went_well(&[&format!(".TH xrs-{command} 1"), "\"xrs 0.1.0\"", "Example"]);
        let help = folder.xrs(&format!("{command} --help"));
        help.went_well(&["Usage: xrs", "Example"]);
    }
    let unknown = folder.xrs("man destroy");
    unknown.failed(1, &["there is no command destroy"]);
}

#[test]
fn guide_lists_the_guides_and_how_to_print_each() {
    let folder = Folder::new();
    let list = folder.xrs("guide");
    list.went_well(&[
        "xrs guide restore",
        "xrs guide reference",
        "xrs guide adding-a-sync-type",
    ]);
    for line in list.out.lines() {
        let (command, about) = line.split_once("  ").expect("what it is about");
        assert!(!about.trim().is_empty(), "{line}");
        let (_, words) = command.split_once(' ').expect("words");
        folder.xrs(words).went_well(&["# "]);
    }
}

#[test]
fn every_guide_is_printed_as_it_is_also_in_colours_and_needs_no_files() {
    let folder = Folder::new();
    folder.remove("xrs.yaml");
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide");
    let mut printed = 0;
    for entry in fs::read_dir(guides).expect("the guides") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            let text = fs::read_to_string(&path).expect("a guide");
            let topic = path.file_stem().expect("a name").to_string_lossy();
            for options in ["", "--color always"] {
                let guide = folder.xrs(&format!("guide {topic} {options}"));
                assert_eq!(
                    (guide.code, &guide.out),
                    (Some(0), &text),
                    "{topic} {options}"
                );
                assert_eq!(guide.err, "");
            }
            printed += 1;
        }
    }
    assert_eq!(printed, folder.xrs("guide").out.lines().count());
}

#[test]
fn an_unknown_guide_is_an_error_that_names_the_guides() {
    let similar = "a similar value exists: 'restore'";
    let guide = Folder::new().xrs("guide restor");
    guide.failed(1, &["restore, reference, adding-a-sync-type", similar]);
}

#[test]
fn every_document_has_a_schema() {
    let folder = Folder::new();
    for document in ["config", "plan", "results", "status", "problems"] {
        let schema = folder.xrs(&format!("schema {document}"));
        schema.went_well(&["http://json-schema.org/draft-07/schema#"]);
        let schema: Value = serde_json::from_str(&schema.out).expect("JSON");
        assert!(schema["title"].is_string(), "{document}");
    }
}

#[test]
fn policy_prints_what_iam_takes_and_says_what_it_leaves_out() {
    let folder = Folder::new();
    let policy = folder.xrs("policy apply");
    policy.went_well(&["\"Version\": \"2012-10-17\"", "rds:DeleteDBSnapshot"]);
    assert_eq!(policy.err, "");
    let policy = folder.xrs("policy plan --job sync_my_web_app");
    policy.went_well(&["ec2:DescribeImages"]);
    policy.lacks("rds:");

    folder.configure("ec2_ami", "ec2_amis");
    let policy = folder.xrs("policy plan");
    policy.failed(1, &["ec2_amis"]);
    policy.printed(1, &["rds:DescribeDBSnapshots"]);
    for (job, says) in [
        (
            "sync_my_web_app",
            "no policy can be written: there is no valid job",
        ),
        ("sync_web", "the config has no job sync_web"),
    ] {
        let policy = folder.xrs(&format!("policy plan --job {job}"));
        policy.failed(1, &[says]);
    }

    let role = "aws_client_config: {role_arn: 'arn:aws:iam::123456789012:role/xrs'}\n";
    let job = |n: usize| {
        format!(
            "sync_database_{n}: {{sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1, db_instance: database-{n}}}\n"
        )
    };
    let jobs: String = (0..40).map(job).collect();
    folder.write("xrs.yaml", format!("{role}{jobs}"));
    let policy = folder.xrs("policy apply");
    policy.went_well(&["database-39"]);
    let whose = "the role arn:aws:iam::123456789012:role/xrs";
    policy.failed(0, &[whose, "IAM accepts 6144 in a managed policy"]);
}
