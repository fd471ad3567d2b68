//! A reader's folder, with the programs that the pages call.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

use super::{aws, project};
use crate::cli::Folder;

/// `xrs` on a sandbox: the pages are written for AWS.
const XRS: &str = r#"#!/bin/sh
world="$FOLDER/world.json"
[ "$PWD" = "$FOLDER" ] && world=world.json
case " $* " in *" --sandbox "* | *" --help "*) exec "$XRS" "$@" ;; esac
for word in "$@"; do
    case $word in
    -*) ;;
    plan | apply | run | status) exec "$XRS" "$@" --sandbox "$world" ;;
    *) break ;;
    esac
done
exec "$XRS" "$@"
"#;
/// Only `cargo run`, which runs xrs.
const CARGO: &str = r#"#!/bin/sh
[ "$1 $2" = "run --" ] || { echo "cargo $* is not run here"; exit 1; }
shift 2
exec xrs "$@"
"#;
/// Records its arguments.
const AWS: &str = r#"#!/bin/sh
printf '%s\0' "$@" >> "$CALLS"
printf '\036' >> "$CALLS"
"#;
const MAIL: &str = "#!/bin/sh\ncat > /dev/null\n";
/// Accepts only manual pages.
const MAN: &str = "#!/bin/sh\ngrep -q '^.TH xrs'\n";

/// The example of the pages: the config of the gem's README, planned and applied.
struct Example {
    config: String,
    plan: String,
    results: String,
    /// The world after that, once the copies are available.
    settled: String,
}

fn example() -> &'static Example {
    static EXAMPLE: OnceLock<Example> = OnceLock::new();
    EXAMPLE.get_or_init(|| {
        let folder = Folder::new();
        for words in [
            "plan --out plan.json --sandbox world.json",
            "apply plan.json --results results.json --wait --sandbox world.json",
        ] {
            folder.xrs(words).went_well(&[]);
        }
        Example {
            config: folder.read("xrs.yaml"),
            plan: folder.read("plan.json"),
            results: folder.read("results.json"),
            settled: folder.read("world.json"),
        }
    })
}

/// Returns the example's world once everything is copied.
pub fn settled() -> String {
    example().settled.clone()
}

/// Returns the same world with its source region down.
pub fn after_the_loss() -> String {
    let mut world: Value = serde_json::from_str(&settled()).expect("JSON");
    let fault = |call: &str| {
        json!({"call": call, "region": "us-east-1", "code": "ServiceUnavailable",
               "message": "the region is down", "times": null})
    };
    world["faults"] = json!([fault("DescribeImages"), fault("DescribeDBSnapshots")]);
    world.to_string()
}

/// A folder, a home, and a `PATH`.
pub struct Scene {
    root: Folder,
}

/// How a line ended, and what it printed.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

impl Scene {
    /// Creates a folder with the example's config, and with a sandbox if one is given.
    pub fn new(world: Option<&str>) -> Self {
        let scene = Self {
            root: Folder::new(),
        };
        for folder in [
            "work",
            "home/.config/elvish",
            "home/.config/fish/completions",
            "home/functions",
            "bin",
            "etc",
            "var/lib/node_exporter",
        ] {
            fs::create_dir_all(scene.root.path(folder)).expect("a folder");
        }
        for (name, text) in [
            ("xrs", XRS),
            ("cargo", CARGO),
            ("aws", AWS),
            ("mail", MAIL),
            ("man", MAN),
        ] {
            let program = format!("bin/{name}");
            scene.root.write(&program, text);
            scene.root.set_mode(&program, 0o755);
        }
        // A place for functions, such as zsh has.
        let functions = scene.root.path("home/functions");
        let setup = format!("fpath=([1]='{}')\n", functions.display());
        scene.root.write("setup", setup);
        symlink(project("testdata"), scene.path("testdata")).expect("linked");
        for config in ["work/xrs.yaml", "etc/xrs.yaml"] {
            scene.root.write(config, &example().config);
            // It has keys.
            scene.root.set_mode(config, 0o600);
        }
        if let Some(world) = world {
            scene.write("world.json", world);
        }
        scene
    }

    /// Creates another folder with the same files, and with a plan, results and a world if this folder has none.
    pub fn sibling(&self) -> Self {
        let sibling = Self::new(None);
        for entry in fs::read_dir(self.path(".")).expect("a folder") {
            let entry = entry.expect("an entry");
            if entry.file_type().expect("a type").is_file() {
                let to = sibling.path(&entry.file_name().to_string_lossy());
                fs::copy(entry.path(), to).expect("copied");
            }
        }
        if sibling.read("xrs.yaml") == example().config {
            for (name, text) in [
                ("plan.json", &example().plan),
                ("results.json", &example().results),
                ("world.json", &example().settled),
            ] {
                if !sibling.path(name).exists() {
                    sibling.write(name, text);
                }
            }
        }
        sibling
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root.path("work").join(file)
    }

    pub fn read(&self, file: &str) -> String {
        self.root.read(&format!("work/{file}"))
    }

    pub fn write(&self, file: &str, text: &str) {
        self.root.write(&format!("work/{file}"), text);
    }

    pub fn remove(&self, file: &str) {
        if self.path(file).exists() {
            self.root.remove(&format!("work/{file}"));
        }
    }

    /// Runs a line in a shell.
    pub fn run(&self, line: &str) -> Said {
        if line.contains("xrs init") {
            // Users of `xrs init` have no config yet.
            self.remove("xrs.yaml");
            self.remove("world.json");
        }
        // A page may abbreviate a digest.
        let line = match line.split_once("sha256:") {
            Some((before, after)) if after.contains('…') => {
                let digest = self.root.json("work/plan.json")["digest"].take();
                let (_, after) = after.split_once('…').expect("it is cut short");
                format!("{before}{}{after}", digest.as_str().expect("a digest"))
            }
            _ => line.to_owned(),
        };
        self.shell("bash", &["-e", "-o", "pipefail", "-c"], &line)
    }

    /// Runs a line of a crontab, as cron does: by a plain shell. Its absolute paths are those of this scene.
    pub fn run_as_cron(&self, line: &str) -> Said {
        // Which cron reads as a line end.
        assert!(!line.contains('%'), "{line}");
        let mut line = line.to_owned();
        for folder in ["/etc/", "/var/"] {
            let here = format!(" {}{folder}", self.root.path("").display());
            line = line.replace(&format!(" {folder}"), &here);
        }
        self.shell("sh", &["-c"], &line)
    }

    fn shell(&self, shell: &str, options: &[&str], line: &str) -> Said {
        let root = self.root.path("");
        let calls = root.join("calls");
        let path = format!("{}:/usr/bin:/bin", root.join("bin").display());
        let output = Command::new(shell)
            .args(options)
            // As on a terminal, both streams are combined.
            .arg(format!("exec 2>&1\n{line}"))
            .env_clear()
            .current_dir(self.path("."))
            .env("PATH", path)
            .env("XRS", cargo_bin("xrs"))
            .env("FOLDER", self.path(".").canonicalize().expect("a folder"))
            .env("CALLS", &calls)
            .env("HOME", root.join("home"))
            .env("BASH_ENV", root.join("setup"))
            .env("PROFILE", root.join("home/profile.ps1"))
            .env("GITHUB_STEP_SUMMARY", root.join("home/summary.md"))
            .output()
            .expect("a shell");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let code = output.status.code();
        Said { code, text }
    }

    /// Returns the calls of the AWS CLI so far, after checking each.
    pub fn aws_calls(&self) -> Vec<Vec<String>> {
        let calls = fs::read_to_string(self.root.path("calls")).unwrap_or_default();
        let calls = calls.split_terminator('\u{1e}').map(|call| {
            let words = call.split_terminator('\0').map(str::to_owned);
            words.collect::<Vec<_>>()
        });
        let calls: Vec<_> = calls.collect();
        for call in &calls {
            let _ = aws::reference_of(call);
        }
        calls
    }
}

#[test]
fn a_scene_has_what_a_reader_has() {
    let scene = Scene::new(None);
    for line in [
        "xrs plan --out plan.json",
        "xrs apply plan.json --expect-digest sha256:4f0c…",
    ] {
        let said = scene.run(line);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    assert!(Path::exists(&scene.path("world.json")), "on a sandbox");
    for (line, code) in [
        // A failure in a pipe counts.
        ("false | cat", 1),
        ("cargo build", 1),
        ("xrs man plan | man -l - && ! echo x | man -l -", 0),
        ("aws kms describe-key --key-id 'a b'", 0),
    ] {
        let said = scene.run(line);
        assert_eq!(said.code, Some(code), "{line}: {said:?}");
    }
    let call = ["kms", "describe-key", "--key-id", "a b"];
    assert_eq!(scene.aws_calls(), [call]);
}
