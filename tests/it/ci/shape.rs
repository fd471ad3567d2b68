//! The shape of the files.

use std::collections::BTreeSet;

use super::files;
use super::github::{amiss_in_action, amiss_in_workflow};
use super::gitlab;

/// What is amiss in a file that goes there.
fn amiss(path: &str, text: &str) -> Vec<String> {
    let files = files();
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    if path.starts_with(".github/workflows/") {
        amiss_in_workflow(text, &paths)
    } else if path.starts_with(".github/actions/") {
        amiss_in_action(text)
    } else {
        assert_eq!(path, ".gitlab-ci.yml");
        gitlab::amiss(text)
    }
}

#[test]
fn every_file_has_the_shape_that_its_system_demands() {
    let files = files();
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            ".github/actions/xrs/action.yml",
            ".github/workflows/xrs-nightly.yml",
            ".github/workflows/xrs-status.yml",
            ".github/workflows/xrs.yml",
            ".gitlab-ci.yml",
        ]
    );
    for (path, text) in &files {
        assert_eq!(amiss(path, text), [""; 0], "{path}");
        assert!(text.is_ascii() && !text.contains('\t'), "{path}");
    }
}

/// A text of a file, what somebody might make of it, and what is said of that.
type Mistake = (&'static str, &'static str, &'static str);

const IN_XRS: &[Mistake] = &[
    ("\non:\n", "\ntrue:\n", "unknown field `true`"),
    (
        "pull_request:\n",
        "pull_request_target:\n",
        "on: pull_request_target",
    ),
    ("branches: [main]", "branches: ['**']", "on: push"),
    ("paths: [xrs.yaml,", "paths: [xrs.yml,", "on: pull_request"),
    (
        "permissions: {}",
        "permissions: {contents: write}",
        "permissions for all jobs",
    ),
    ("permissions: {}\n", "", "missing field `permissions`"),
    ("group: xrs-", "group: ", "a group that others may have"),
    ("shell: bash", "shell: sh", "no pipefail"),
    (
        "ubuntu-24.04",
        "ubuntu-latest",
        "plan: runs-on: ubuntu-latest",
    ),
    (
        "timeout-minutes: 30\n",
        "timeout-minutes: 400\n",
        "plan: timeout: 400",
    ),
    ("    steps:\n", "    stepz:\n", "unknown field `stepz`"),
    ("needs: plan\n", "needs: plans\n", "which is no job"),
    (
        "needs.plan.outputs.digest",
        "needs.plan.outputs.digests",
        "needs.plan.outputs.digests is not there",
    ),
    (
        "code: ${{ steps.plan.outputs.code }}",
        "code: ${{ steps.plan.outputs.exit }}",
        "steps.plan.outputs.exit is not there",
    ),
    (
        "steps.apply.outcome",
        "steps.applied.outcome",
        "steps.applied.outcome is not there",
    ),
    (
        "\"$DIGEST\"",
        "${{ needs.plan.outputs.digest }}",
        "text of others in a shell line",
    ),
    (
        "actions/checkout@v6",
        "actions/checkout@main",
        "actions/checkout@main has no version",
    ),
    (
        "uses: ./.github/actions/xrs",
        "uses: ./.github/actions/xr",
        "./.github/actions/xr has no version",
    ),
    (
        "persist-credentials: false",
        "persist-credentials: true",
        "the token is left in the folder",
    ),
    (
        "pull-requests: write",
        "issues: write",
        "permissions: issues: write",
    ),
    ("      id-token: write\n", "", "plan: id-token"),
    ("XRS_PLAN_ROLE", "XRS_APPLY_ROLE", "plan: the role"),
    ("    environment: xrs-apply\n", "", "apply: the role"),
    (
        "        run: test",
        "        uses: actions/cache@v5\n        run: test",
        "it uses something or runs something",
    ),
];

const IN_NIGHTLY: &[Mistake] = &[
    (
        "exec xrs run",
        "xrs run",
        "does not hear that it is cancelled",
    ),
    ("cron: \"40 5 * * *\"", "cron: \"40 5 * *\"", "on: schedule"),
    (
        "cancel-in-progress: false",
        "cancel-in-progress: true",
        "cut short by the next one",
    ),
];

const IN_ACTION: &[Mistake] = &[
    ("      shell: bash\n", "", "no shell"),
    (
        "inputs.commit",
        "vars.XRS_COMMIT",
        "vars.XRS_COMMIT is not there",
    ),
];

const IN_GITLAB: &[Mistake] = &[
    (
        "stages: [plan, apply, status]",
        "stages: [plan, status]",
        "apply: the stage apply",
    ),
    (
        "stage: status",
        "stage: apply",
        "no job is in the stage status",
    ),
    (
        "needs: [plan]",
        "needs: [planned]",
        "needs planned, which is no job",
    ),
    ("extends: .xrs\n", "extends: .x\n", "extends nothing"),
    (
        "    - xrs apply",
        "    - echo: xrs apply",
        "apply: invalid type: map, expected a string",
    ),
    (
        " && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID",
        "",
        "plan: forks are let in",
    ),
    ("      when: manual\n", "", "apply: nobody approves"),
    (
        "  resource_group: xrs-nightly\n",
        "",
        "nightly: two may write at once",
    ),
    ("timeout: 3h", "timeout: 6h", "nightly: timeout: 6h"),
    (
        "    when: always\n",
        "    when: on_success\n",
        "plan: artifacts when: on_success",
    ),
    (
        "key: xrs-$XRS_COMMIT",
        "key: xrs",
        "plan: the cache of another commit",
    ),
    (
        "expire_in: 2 weeks",
        "expire_in: soon",
        "plan: expire_in: soon",
    ),
    ("expose_as: xrs plan", "expose_as: plan", "plan: expose_as"),
    (
        "changes: [xrs.yaml, .gitlab-ci.yml]",
        "changes: [xrs.yml]",
        "plan: changes",
    ),
    (
        "$CI_DEFAULT_BRANCH && $XRS_SCHEDULE",
        "$CI_DEFAULT_BRANCH && $XRS_SCHED",
        "$XRS_SCHED is not there",
    ),
    (
        "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $XRS_SCHEDULE",
        "$XRS_SCHEDULE",
        "status: every branch is let in",
    ),
    ("when: manual\n", "when: sometime\n", "apply: when"),
    (
        "paths: [results.json]",
        "paths: [/results.json]",
        "apply: paths",
    ),
    ("dotenv: plan.env", "junit: plan.env", "plan: reports"),
    ("XRS_PLAN_ROLE", "XRS_APPLY_ROLE", "plan: the role"),
    ("  environment: xrs-apply\n", "", "apply: nobody approves"),
];

#[test]
fn mistakes_are_found() {
    let files = files();
    for (path, mistakes) in [
        (".github/workflows/xrs.yml", IN_XRS),
        (".github/workflows/xrs-nightly.yml", IN_NIGHTLY),
        (".github/actions/xrs/action.yml", IN_ACTION),
        (".gitlab-ci.yml", IN_GITLAB),
    ] {
        let (_, text) = files.iter().find(|(file, _)| file == path).expect("a file");
        for (right, wrong, says) in mistakes {
            assert!(text.contains(right), "{path}: {right}");
            let found = amiss(path, &text.replace(right, wrong));
            assert!(
                found.iter().any(|what| what.contains(says)),
                "{path}, {wrong:?}: {says:?} is not among {found:#?}"
            );
        }
    }
}

#[test]
fn the_readme_names_all_that_is_to_be_set_up() {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme.split_once("### In a pipeline\n").expect("a section");
    let (section, _) = section.split_once("\n### ").expect("an end of it");
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    let mut named = BTreeSet::new();
    for (path, text) in files() {
        let lines = text.lines().map(str::trim_start);
        let words = lines
            .filter(|line| !line.starts_with('#'))
            .flat_map(|line| line.split(|c| !is_part(c)))
            .filter(|word| word.starts_with("XRS_") || word.starts_with("xrs-"));
        named.extend(words.map(str::to_owned));
        let (_, file) = path.rsplit_once('/').unwrap_or(("", &path));
        named.insert(file.trim_start_matches('.').to_owned());
    }
    // Between jobs, and of GitHub's and AWS's own.
    let inner = [
        "XRS_DIGEST",
        "XRS_ID_TOKEN",
        "xrs-",
        "xrs-status",
        "xrs.yml",
    ];
    for name in named.iter().filter(|name| !inner.contains(&name.as_str())) {
        assert!(section.contains(name), "{name} is not in the README");
    }
}
