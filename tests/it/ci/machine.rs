//! Machines for the jobs of a pipeline, without a network: a folder for each, the few tools that pipelines use, and
//! stand-ins for those that would leave the machine. AWS is a sandbox, and so is the place for comments.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

pub type Variables = BTreeMap<String, String>;

/// What is needed to install xrs, to plan, to comment and to show, and nothing else.
const TOOLS: [&str; 9] = [
    "bash", "cat", "chmod", "cp", "env", "mkdir", "mktemp", "rm", "sed",
];
/// The comment of the pipelines begins with it.
pub const MARKER: &str = "<!-- xrs plan -->\n";
/// Who writes for the pipelines.
pub const PIPELINE: &str = "github-actions[bot]";

/// All that the jobs of some pipelines share.
pub struct Place {
    folder: tempfile::TempDir,
}

/// How a script ended, and what it said.
#[derive(Debug)]
#[must_use = "look at it or assert it"]
pub struct Ended {
    pub code: i32,
    pub said: String,
}

impl Place {
    /// With this config in its repository, beside the pipelines as a user has copied them.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Self { folder };
        for folder in ["tools", "jobs"] {
            fs::create_dir(place.path(folder)).expect("made");
        }
        place.write("repository/xrs.yaml", config);
        for (file, text) in super::files() {
            place.write(&format!("repository/{file}"), text);
        }
        place.tools();
        // Comments that are not the pipeline's: one that begins like its own, and one of another pipeline.
        place.comment("1", "somebody", &format!("{MARKER}mine"));
        place.comment("2", PIPELINE, "Coverage: 100 %");
        place
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    pub fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    pub fn json(&self, file: &str) -> Value {
        serde_json::from_str(&self.read(file)).expect("JSON")
    }

    /// Changes a JSON file.
    pub fn edit(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let mut value = self.json(file);
        change(&mut value);
        self.write(file, value.to_string());
    }

    /// Puts the sandbox's clock on by so many minutes.
    pub fn pass(&self, minutes: i64) {
        self.edit("world.json", |world| {
            let now = world["now"].as_str().expect("a clock");
            let now: jiff::Timestamp = now.parse().expect("a time");
            let later = now + jiff::SignedDuration::from_mins(minutes);
            world["now"] = later.to_string().into();
        });
    }

    /// What is in the regions of the sandbox.
    pub fn regions(&self) -> Value {
        self.json("world.json")["regions"].take()
    }

    /// A machine for one job: an empty folder to work in, and a home.
    pub fn machine(&self) -> Machine<'_> {
        let jobs = fs::read_dir(self.path("jobs")).expect("a folder").count();
        let folder = self.path("jobs").join(jobs.to_string());
        for inner in ["work", "home", "temp"] {
            fs::create_dir_all(folder.join(inner)).expect("made");
        }
        self.list_comments();
        Machine {
            place: self,
            folder,
        }
    }

    /// The pipeline's own comments on the change.
    pub fn comments(&self) -> Vec<String> {
        let all = self.all_comments().into_iter();
        let ours = all.filter(|(id, _, _)| *id > 2);
        ours.map(|(_, _, body)| body).collect()
    }

    /// Comments of others are as they were.
    #[track_caller]
    pub fn assert_others_untouched(&self) {
        let bodies = |id| self.read(&format!("comments/{id}/body"));
        assert_eq!(bodies(1), format!("{MARKER}mine"));
        assert_eq!(bodies(2), "Coverage: 100 %");
    }

    fn comment(&self, id: &str, author: &str, body: &str) {
        self.write(&format!("comments/{id}/author"), author);
        self.write(&format!("comments/{id}/body"), body);
    }

    fn all_comments(&self) -> Vec<(u64, String, String)> {
        let read = |id: u64, what| self.read(&format!("comments/{id}/{what}"));
        let known = (1..).take_while(|id| self.path(&format!("comments/{id}")).exists());
        known
            .map(|id| (id, read(id, "author"), read(id, "body")))
            .collect()
    }

    /// As GitHub and GitLab list them.
    fn list_comments(&self) {
        let all: Vec<Value> = self
            .all_comments()
            .into_iter()
            .map(|(id, author, body)| {
                let number = if author == PIPELINE { 99 } else { 1 };
                json!({
                    "id": id,
                    "body": body,
                    "user": {"login": author},
                    "author": {"id": number, "username": author},
                })
            })
            .collect();
        self.write("comments.json", Value::from(all).to_string());
    }

    fn tools(&self) {
        let real = |tool: &str| {
            let all = std::env::var_os("PATH").expect("a PATH");
            let mut paths = std::env::split_paths(&all).map(|folder| folder.join(tool));
            paths.find(|path| path.is_file())
        };
        for tool in TOOLS {
            let path = real(tool).unwrap_or_else(|| panic!("{tool} is not on this machine"));
            symlink(path, self.path("tools").join(tool)).expect("linked");
        }
        // GitLab takes it where an image has no bash.
        symlink("/bin/sh", self.path("tools/sh")).expect("linked");
        match real("jq") {
            Some(path) => symlink(path, self.path("tools/jq")).expect("linked"),
            None => self.stand_in("tools/jq", FINDS_OURS),
        }
        self.stand_in("tools/gh", GH);
        self.stand_in("tools/curl", CURL);
        self.stand_in("tools/cargo", CARGO);
        self.stand_in("tools/apk", "true");
        self.stand_in("xrs", XRS);
    }

    /// A program, as a script that knows where everything is.
    fn stand_in(&self, file: &str, script: &str) {
        let xrs = cargo_bin("xrs");
        let script = format!(
            "#!{}/tools/bash\nset -euo pipefail\nplace={}\nreal={}\n{script}\n",
            self.folder.path().display(),
            self.folder.path().display(),
            xrs.display()
        );
        self.write(file, script);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path(file), executable).expect("made executable");
    }
}

/// xrs as it was built for the tests, on the sandbox.
const XRS: &str = r#"
echo "${AWS_ACCESS_KEY_ID-}${AWS_ROLE_ARN-} $*" >> "$place/calls"
if [ -n "${AWS_ROLE_ARN-}" ]; then
  [ "$(cat "$AWS_WEB_IDENTITY_TOKEN_FILE")" = "shown to https://gitlab.example" ]
fi
case "$1" in
  plan | apply | run | status) exec "$real" "$@" --sandbox "$place/world.json" ;;
  *) exec "$real" "$@" ;;
esac"#;

const CARGO: &str = r#"
[ "$1 $2 $3 $5" = "install --locked --git --rev" ]
[ "$6" = 0000000000000000000000000000000000000000 ]
while [ "$1" != --root ]; do shift; done
[ "$3" = aws_xregion_sync ]
mkdir -p "$2/bin"
cp "$place/xrs" "$2/bin/xrs""#;

/// Comments are listed from a file, and kept in folders.
const GH: &str = r#"
[ "$1" = api ] && [ "$GH_TOKEN" = token ]
shift
method=GET
while [ $# -gt 0 ]; do
  case "$1" in
    --method) method=$2; shift ;;
    --field) body=${2#body=@}; shift ;;
    --jq) filter=$2; shift ;;
    --paginate | --silent) ;;
    *) path=$1 ;;
  esac
  shift
done
case "$method $path" in
  "GET repos/example/copies/issues/7/comments") jq -r "$filter" "$place/comments.json" ;;
  "POST repos/example/copies/issues/7/comments")
    id=1
    while [ -e "$place/comments/$id" ]; do id=$((id + 1)); done
    mkdir "$place/comments/$id"
    printf '%s' 'github-actions[bot]' > "$place/comments/$id/author"
    cp "$body" "$place/comments/$id/body" ;;
  "PATCH repos/example/copies/issues/comments/"*) cp "$body" "$place/comments/${path##*/}/body" ;;
  *) echo "gh: no such thing: $method $path"; exit 1 ;;
esac"#;

const CURL: &str = r#"
method=GET
while [ $# -gt 0 ]; do
  case "$1" in
    --header) [ "$2" = "PRIVATE-TOKEN: token" ]; shift ;;
    --request) method=$2; shift ;;
    --data-urlencode) body=${2#body@}; shift ;;
    --output) shift ;;
    --fail | --silent | --show-error) ;;
    *) path=${1#https://gitlab.example/api/v4} ;;
  esac
  shift
done
notes=/projects/42/merge_requests/7/notes
case "$method $path" in
  "GET /user") echo '{"id": 99}' ;;
  "GET $notes?"*) cat "$place/comments.json" ;;
  "POST $notes")
    id=1
    while [ -e "$place/comments/$id" ]; do id=$((id + 1)); done
    mkdir "$place/comments/$id"
    printf '%s' 'github-actions[bot]' > "$place/comments/$id/author"
    cp "$body" "$place/comments/$id/body" ;;
  "PUT $notes/"*) cp "$body" "$place/comments/${path##*/}/body" ;;
  *) echo "curl: no such thing: $method $path"; exit 1 ;;
esac"#;

/// Where there is no jq: what the filters of the pipelines are to find.
const FINDS_OURS: &str = r#"
for comment in "$place"/comments/*; do
  read -r first < "$comment/body" || true
  if [ "$(cat "$comment/author")" = 'github-actions[bot]' ] && [ "$first" = '<!-- xrs plan -->' ]; then
    echo "${comment##*/}"
  fi
done"#;

pub struct Machine<'a> {
    place: &'a Place,
    folder: PathBuf,
}

impl Machine<'_> {
    /// The folder that scripts run in.
    pub fn work(&self) -> PathBuf {
        self.folder.join("work")
    }

    pub fn temp(&self, file: &str) -> PathBuf {
        self.folder.join("temp").join(file)
    }

    /// The repository, in the folder that scripts run in.
    pub fn check_out(&self) {
        copy(&self.place.path("repository"), &self.work());
    }

    /// Where this machine finds programs, unless a pipeline adds to it.
    pub fn tools(&self) -> String {
        let tools = self.place.path("tools");
        tools.into_os_string().into_string().expect("UTF-8")
    }

    /// Keeps those of these files that are there; how many they are.
    pub fn keep(&self, artifact: &str, files: &[&str]) -> usize {
        let kept = self.place.path("artifacts").join(artifact);
        if kept.exists() {
            // That of an earlier run, which no other sees.
            fs::remove_dir_all(&kept).expect("removed");
        }
        fs::create_dir_all(&kept).expect("made");
        let there = files.iter().filter(|file| self.work().join(file).exists());
        let keep = |file: &&str| {
            let kept = fs::read(self.work().join(file)).expect("read");
            self.place
                .write(&format!("artifacts/{artifact}/{file}"), kept);
        };
        there.inspect(|file| keep(file)).count()
    }

    /// Puts the files of an artifact into the folder that scripts run in.
    pub fn fetch(&self, artifact: &str) {
        copy(&self.place.path("artifacts").join(artifact), &self.work());
    }

    /// Runs a script to its end, with these variables and no others.
    pub fn run(&self, shell: &[&str], script: &str, variables: &Variables) -> Ended {
        let file = self.temp("script");
        fs::write(&file, script).expect("written");
        let (shell, options) = shell.split_first().expect("a shell");
        let output = Command::new(self.place.path("tools").join(shell))
            .args(options)
            .arg(&file)
            .env_clear()
            .env("HOME", self.folder.join("home"))
            .env("PATH", self.tools())
            .envs(variables)
            .current_dir(self.work())
            .output()
            .expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code().expect("a code"),
            said: text(output.stdout) + &text(output.stderr),
        }
    }
}

/// Copies all that is in a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}
