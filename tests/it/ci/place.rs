//! A place where the jobs of a pipeline run without network access. The sandbox stands in for AWS, and scripts for the programs
//! that would reach GitHub, GitLab or crates.io.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::Value;

use crate::cli::Folder;

pub const XRS: &str = ".github/workflows/xrs.yml";
pub const NIGHTLY: &str = ".github/workflows/xrs-nightly.yml";
pub const STATUS: &str = ".github/workflows/xrs-status.yml";
pub const ACTION: &str = ".github/actions/xrs/action.yml";
pub const GITLAB: &str = ".gitlab-ci.yml";

pub type Variables = BTreeMap<String, String>;

/// Comments that the pipelines must leave alone: one that begins like theirs, and one from another pipeline.
const OTHERS: &str = r#"[
  {"id": 1, "user": {"login": "somebody"}, "author": {"id": 1}, "body": "<!-- xrs plan -->\nmine"},
  {"id": 2, "user": {"login": "github-actions[bot]"}, "author": {"id": 99}, "body": "Coverage: 100 %"}
]"#;

/// A repository, and what its jobs share. One job runs at a time.
pub struct Place {
    folder: Folder,
    /// What jobs pass on to later jobs, by name.
    pub outputs: RefCell<Variables>,
}

/// The result of a job.
#[derive(Debug, Default)]
pub struct JobRun {
    /// The exit code of the first script that failed, or 0.
    pub code: i32,
    pub log: String,
    /// What people read: the summary on GitHub, the log on GitLab.
    pub shown: String,
}

impl JobRun {
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

impl Deref for Place {
    type Target = Folder;

    fn deref(&self) -> &Folder {
        &self.folder
    }
}

impl Place {
    /// Creates a repository with this config and with the pipelines where a user copies them to.
    pub fn new(config: &str) -> Self {
        let place = Self {
            folder: Folder::new(),
            outputs: RefCell::default(),
        };
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ci");
        place.write("repository/xrs.yaml", config);
        copy(&examples.join("github"), &place.path("repository/.github"));
        let gitlab = place.path("repository/.gitlab-ci.yml");
        copy(&examples.join("gitlab-ci.yml"), &gitlab);
        place.write("comments.json", OTHERS);
        place.write("others.json", OTHERS);
        place.stand_in("xrs", XRS_STAND_IN);
        place.stand_in("tools/apk", "");
        place.stand_in("tools/cargo", CARGO);
        place.stand_in("tools/curl", CLIENT);
        place.stand_in("tools/gh", CLIENT);
        place
    }

    /// Returns a YAML file of the repository.
    pub fn yaml(&self, file: &str) -> serde_yaml::Value {
        serde_yaml::from_str(&self.read(&format!("repository/{file}"))).expect("YAML")
    }

    /// Advances the clock of the sandbox.
    pub fn pass(&self, minutes: i64) {
        self.edit("world.json", |world| {
            let now = world["now"].as_str().expect("a clock");
            let now: jiff::Timestamp = now.parse().expect("a time");
            let now = now + jiff::SignedDuration::from_mins(minutes);
            world["now"] = now.to_string().into();
        });
    }

    pub fn regions(&self) -> Value {
        self.json("world.json")["regions"].take()
    }

    /// Returns the only comment of the pipelines, after checking that they left all others alone.
    #[track_caller]
    pub fn comment(&self) -> String {
        let mut all = self.json("comments.json");
        let ours = all.as_array_mut().and_then(Vec::pop);
        assert_eq!(all, self.json("others.json"));
        let ours = ours.expect("a comment")["body"].take();
        ours.as_str().expect("a text").to_owned()
    }

    /// Writes a script that stands in for a program. A child process copies it, because a file that this process has open for
    /// writing, even if only in a child that another test is about to start, can't be executed.
    fn stand_in(&self, file: &str, script: &str) {
        let text = format!("{file}.txt");
        let script = format!("#!/usr/bin/env bash\nset -euo pipefail{script}\n");
        self.write(&text, script);
        let mut install = Command::new("install");
        install
            .args(["-m", "755"])
            .arg(self.path(&text))
            .arg(self.path(file));
        assert!(install.status().expect("install").success());
    }

    /// Creates the folders of a job, and the files that scripts on GitHub append to.
    pub fn start_job(&self) {
        let _ = fs::remove_dir_all(self.path("job"));
        fs::create_dir_all(self.path("job/work")).expect("created");
        for file in ["OUTPUT", "PATH", "STEP_SUMMARY"] {
            self.write(&format!("job/{file}"), "");
        }
    }

    /// Puts the files of the repository or of an artifact into the working folder.
    pub fn fetch(&self, folder: &str) {
        copy(&self.path(folder).join("."), &self.path("job/work"));
    }

    /// Keeps those of the files, listed one per line, that exist.
    pub fn keep(&self, artifact: &str, files: &str) {
        let kept = self.path("artifacts").join(artifact);
        // A run can't see the artifacts of an earlier one.
        let _ = fs::remove_dir_all(&kept);
        fs::create_dir_all(&kept).expect("created");
        let files = files.lines().map(|file| self.path("job/work").join(file));
        for file in files.filter(|file| file.exists()) {
            copy(&file, &kept);
        }
    }

    /// Runs a script with these variables. Adds what it prints to the log.
    pub fn shell(&self, run: &mut JobRun, shell: &str, script: &str, variables: &Variables) {
        self.write("job/script", script);
        let (shell, options) = shell.split_once(' ').expect("a shell with options");
        let tools = self.path("tools").display().to_string();
        let path = std::env::var("PATH").expect("a PATH");
        let added = self.read("job/PATH").replace('\n', ":");
        let output = Command::new(shell)
            .args(options.split(' '))
            .arg(self.path("job/script"))
            .env_clear()
            .env("REAL_XRS", cargo_bin("xrs"))
            .env("PLACE", self.path(""))
            .env("HOME", self.path("job"))
            .env("PATH", format!("{added}{tools}:{path}"))
            .envs(variables)
            .current_dir(self.path("job/work"))
            .output()
            .expect("it runs");
        let printed = [output.stdout, output.stderr].concat();
        run.log += &String::from_utf8(printed).expect("UTF-8");
        if run.code == 0 {
            run.code = output.status.code().expect("an exit code");
        }
    }
}

/// Copies a file or a folder.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-R").args([from, to]).status();
    assert!(status.is_ok_and(|status| status.success()), "{from:?}");
}

/// Reads `name=value`, one per line.
pub fn pairs(text: &str) -> Variables {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    pairs.collect()
}

/// Runs the real xrs on the sandbox. Records the role and the arguments of each call.
const XRS_STAND_IN: &str = r#"
echo "${AWS_ACCESS_KEY_ID-}${AWS_ROLE_ARN-} $*" >> "$PLACE/calls"
[ -z "${AWS_ROLE_ARN-}" ] || [ "$(cat "$AWS_WEB_IDENTITY_TOKEN_FILE")" = "for https://gitlab.example" ]
case "$1" in
  plan | apply | run | status) exec "$REAL_XRS" "$@" --sandbox "$PLACE/world.json" ;;
  *) exec "$REAL_XRS" "$@" ;;
esac"#;

const CARGO: &str = r#"
[ "$1 $2 $3 $5" = "install --locked --git --rev" ]
[ "$6" = 0000000000000000000000000000000000000000 ]
[ "$7 $9" = "--root aws_xregion_sync" ]
mkdir -p "$8/bin"
cp "$PLACE/xrs" "$8/bin/xrs""#;

/// `gh api` and `curl`, for the comments of pull request 7 of `example/copies` and of merge request 7 of project 42.
const CLIENT: &str = r#"
method=GET filter=. body= token=${GH_TOKEN-} change=
while [ $# -gt 0 ]; do
  case "$1" in
    --method | --request) method=$2; shift ;;
    --field | --data-urlencode) body=${2#body*@}; shift ;;
    --jq) filter=$2; shift ;;
    --header) token=${2#PRIVATE-TOKEN: }; shift ;;
    --output) shift ;;
    api | --*) ;;
    *) path=${1#https://gitlab.example/api/v4/} ;;
  esac
  shift
done
[ "$token" = token ]
list=$PLACE/comments.json
case "$method $path" in
  "GET user") echo '{"id": 99}' ;;
  "GET repos/example/copies/issues/7/comments" | "GET projects/42/merge_requests/7/notes?"*) jq -r "$filter" "$list" ;;
  "POST repos/example/copies/issues/7/comments" | "POST projects/42/merge_requests/7/notes")
    change='. + [{id: (length + 1), user: {login: "github-actions[bot]"}, author: {id: 99}, body: $body}]' ;;
  "PATCH repos/example/copies/issues/comments/"* | "PUT projects/42/merge_requests/7/notes/"*)
    change='map(if .id == ($id | tonumber) then .body = $body else . end)' ;;
  *) echo "unknown request: $method $path"; exit 1 ;;
esac
if [ -n "$change" ]; then
  changed=$(jq --arg id "${path##*/}" --rawfile body "$body" "$change" "$list")
  echo "$changed" > "$list"
fi"#;
