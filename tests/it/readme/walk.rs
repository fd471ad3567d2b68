//! Runs every command that the pages show, in their order, and compares its output with what they show.
//!
//! Each section has its own folder, with the example's config in `xrs.yaml`. Blocks are run as a reader would run them. Commands
//! within a sentence are run in a copy of the folder, and change nothing for what follows.

use std::collections::BTreeSet;

use aws_xregion_sync::provider::sandbox::World;
use serde_json::Value;

use super::pages::{self, Page, Part};
use super::scene::{Said, Scene, after_the_loss, settled};
use super::{aws, commands};

/// Commands that are not run, and why.
const NOT_RUN: [(&str, &str); 6] = [
    (
        "cargo install --locked --path .",
        "it builds for minutes what is run here",
    ),
    (
        "cargo run --no-default-features -- …",
        "the end stands for any command of xrs",
    ),
    ("cargo test", "it runs this very test"),
    ("cargo test --no-default-features", "it runs this very test"),
    ("cargo bench", "it takes half an hour, and Python"),
    ("cargo bench -- planner start-up", "it takes minutes"),
];
/// The programs that a line of commands can start with.
const PROGRAMS: [&str; 5] = ["xrs", "cargo", "aws", "jq", "mkdir"];

#[derive(Debug, PartialEq)]
enum Line {
    Run(String),
    Cron(String),
    Not,
}

/// Returns what to do with a line of commands.
fn classified(line: &str) -> Option<Line> {
    if NOT_RUN.iter().any(|(not, _)| *not == line) {
        return Some(Line::Not);
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let of_time = |word: &&str| {
        word.chars()
            .all(|c| c.is_ascii_digit() || "*/,-".contains(c))
    };
    if words.len() > 5 && words.iter().take(5).all(of_time) {
        return Some(Line::Cron(words[5..].join(" ")));
    }
    let program = words.first()?;
    PROGRAMS
        .contains(program)
        .then(|| Line::Run(line.to_owned()))
}

/// Returns the lines of a block; a line that ends in a backslash is joined with the next.
fn lines(text: &str) -> Vec<String> {
    let whole = text.replace("\\\n", " ");
    let lines = whole.lines().map(str::trim).map(str::to_owned);
    lines.filter(|line| !line.is_empty()).collect()
}

/// Returns true if a text is what a page shows: `…` stands for any characters or, alone on its line, for any lines.
fn is_shown(shown: &str, text: &str) -> bool {
    let lines = |text| str::lines(str::trim_end(text)).collect::<Vec<_>>();
    are_lines(&lines(shown), &lines(text))
}

fn are_lines(shown: &[&str], text: &[&str]) -> bool {
    match shown.split_first() {
        None => text.is_empty(),
        Some((&"…", rest)) => (0..=text.len()).any(|n| are_lines(rest, &text[n..])),
        Some((line, rest)) => text
            .split_first()
            .is_some_and(|(first, others)| is_line(line, first) && are_lines(rest, others)),
    }
}

fn is_line(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|line| {
            let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.any(|at| is_line(after, &line[at..]))
        }),
    }
}

#[track_caller]
fn assert_shown(at: &str, shown: &str, text: &str) {
    let is_shown = is_shown(shown, text);
    assert!(
        is_shown,
        "{at}: the output differs from what is shown:\n{text}"
    );
}

/// A reader of a page who does what it says.
struct Reader<'a> {
    page: &'a Page,
    world: Option<String>,
    scene: Option<Scene>,
    /// What the last command wrote to a file, or else what it printed.
    document: Option<String>,
    /// The calls of the AWS CLI.
    calls: Vec<Vec<String>>,
}

impl<'a> Reader<'a> {
    fn new(page: &'a Page, world: Option<String>) -> Self {
        Self {
            page,
            world,
            scene: None,
            document: None,
            calls: Vec::new(),
        }
    }

    fn scene(&mut self) -> &Scene {
        let world = self.world.as_deref();
        self.scene.get_or_insert_with(|| Scene::new(world))
    }

    fn read(&mut self, line: usize, part: &Part) {
        let at = self.page.at(line);
        match part {
            Part::Heading(_) => self.end_section(),
            Part::Code { text, usage: false } => self.beside(&at, text),
            Part::Block { info, text } => match info.as_deref() {
                None | Some("shell") => {
                    for line in lines(text) {
                        self.follow(&at, &line);
                    }
                }
                Some("console") => self.session(&at, text),
                Some("yaml") => self.yaml(&at, text),
                Some("json") => self.json(&at, text),
                Some("markdown") => {
                    let document = self.document.as_deref().expect("a command before it");
                    assert_shown(&at, text, document);
                }
                Some(other) => panic!("{at}: a block of {other:?} is not tested"),
            },
            Part::Code { usage: true, .. } | Part::Table(_) | Part::Link(_) => {}
        }
    }

    fn end_section(&mut self) {
        if let Some(scene) = self.scene.take() {
            self.calls.extend(scene.aws_calls());
        }
        self.document = None;
    }

    /// Runs a line of a block.
    fn follow(&mut self, at: &str, line: &str) -> String {
        let classified = classified(line);
        let scene = self.scene();
        let said = match classified {
            None => panic!("{at}: {line:?} is not a known command"),
            Some(Line::Not) => return String::new(),
            Some(Line::Run(line)) => scene.run(&line),
            Some(Line::Cron(line)) => scene.run_as_cron(&line),
        };
        let Said { code, text } = said;
        assert_eq!(code, Some(0), "{at}: {line}\n{text}");
        let file = line.rsplit_once(" > ").map(|(_, file)| file);
        let file = file.filter(|file| !file.contains(['/', ' ', '"']));
        self.document = Some(match file {
            Some(file) => scene.read(file),
            None => text.clone(),
        });
        text
    }

    /// Runs code within a sentence, if it is a command.
    fn beside(&mut self, at: &str, code: &str) {
        let is_command = PROGRAMS.iter().any(|program| {
            code.strip_prefix(program)
                .is_some_and(|rest| rest.starts_with(' '))
        });
        if !is_command || commands::is_name(code) {
            return;
        }
        match classified(code) {
            Some(Line::Not) => {}
            Some(Line::Run(line)) => {
                // It is not about the day of the loss.
                let sibling = match self.world {
                    Some(_) => Scene::new(None).sibling(),
                    None => self.scene().sibling(),
                };
                let Said { code, text } = sibling.run(&line);
                assert_eq!(code, Some(0), "{at}: {line}\n{text}");
                self.calls.extend(sibling.aws_calls());
            }
            other => panic!("{at}: {code}: {other:?}"),
        }
    }

    /// Runs the lines after a `$`, each of which is followed by its output.
    fn session(&mut self, at: &str, text: &str) {
        let (before, commands) = text.split_once("$ ").expect("a prompt");
        assert_eq!(before, "", "{at}: a session begins with a prompt");
        for command in commands.split("\n$ ") {
            let (line, shown) = command.split_once('\n').unwrap_or((command, ""));
            let said = self.follow(at, line);
            assert_shown(&format!("{at}: {line}"), shown, &said);
        }
    }

    /// Writes a config to the file that a comment in its first line names.
    fn yaml(&mut self, at: &str, text: &str) {
        let is_config = text.lines().any(|line| line.starts_with("sync_"));
        let is_comment = text.lines().all(|line| line.starts_with('#'));
        let first = text.lines().next().unwrap_or_default();
        let name = first
            .strip_prefix("# ")
            .filter(|name| name.ends_with(".yaml"));
        if is_comment {
            let is_for_editors = text.contains("yaml-language-server");
            assert!(is_for_editors, "{at}: a comment alone");
            let config = self.scene().read("xrs.yaml");
            self.scene().write("xrs.yaml", &format!("{text}{config}"));
        } else if is_config {
            let scene = self.scene();
            scene.write(name.unwrap_or("xrs.yaml"), text);
            scene.remove("world.json");
        } else {
            panic!("{at}: YAML that is no config");
        }
        let validate = format!("xrs validate {}", name.unwrap_or_default());
        let said = self.follow(at, validate.trim());
        let is_clean = |text: &str| !text.contains("note:") && !text.contains("warning:");
        assert!(said.contains("is valid") && is_clean(&said), "{at}: {said}");
    }

    /// Adds keys to the sandbox that was used last.
    fn json(&mut self, at: &str, text: &str) {
        let change: Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{at}: {error}"));
        let change = change
            .as_object()
            .unwrap_or_else(|| panic!("{at}: no object"));
        let scene = self.scene();
        let game = scene.path("game.json").exists();
        let file = if game { "game.json" } else { "world.json" };
        let mut world: Value = serde_json::from_str(&scene.read(file)).expect("JSON");
        for (key, value) in change {
            world[key] = value.clone();
        }
        World::from_json(&world.to_string()).unwrap_or_else(|problem| panic!("{at}: {problem}"));
        scene.write(file, &world.to_string());
    }
}

/// Reads a whole page, and returns its calls of the AWS CLI.
fn walk(page: &Page, world: Option<String>) -> Vec<Vec<String>> {
    let mut reader = Reader::new(page, world);
    for (line, part) in &page.parts {
        reader.read(*line, part);
    }
    reader.end_section();
    reader.calls
}

#[test]
fn the_readme_does_what_it_shows() {
    walk(&pages::page("README.md"), None);
}

#[test]
fn the_reference_does_what_it_shows() {
    walk(&pages::page("src/guide/reference.md"), None);
}

/// This page is read while the source region is down.
#[test]
fn the_page_for_the_worst_day_does_what_it_shows() {
    let page = pages::page("src/guide/restore.md");
    let calls = walk(&page, Some(after_the_loss()));
    assert!(calls.len() > 20, "{calls:#?}");
    for call in &calls {
        let named = call.iter().any(|word| word == "--region");
        // The default region may be the one that is down.
        assert!(named, "{call:?}");
        let reference = aws::reference_of(call);
        assert!(page.text.contains(&reference), "{reference} is not linked");
    }
    // What is restored must be what the status on the page names.
    let is_id = |word: &&str| word.starts_with("ami-") || word.starts_with("rds-mydatabase-");
    let ids = page
        .text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let ids: BTreeSet<&str> = ids.filter(is_id).collect();
    assert_eq!(ids.len(), 2, "{ids:?}");
    for id in ids {
        assert!(settled().contains(&format!("\"{id}\"")), "{id}");
    }
}

#[test]
fn every_page_is_tested() {
    let pages = pages::all();
    let paths: Vec<&str> = pages.iter().map(|page| page.path.as_str()).collect();
    let expected = [
        "README.md",
        // `names.rs` tests this one.
        "src/guide/adding-a-sync-type.md",
        "src/guide/reference.md",
        "src/guide/restore.md",
    ];
    assert_eq!(paths, expected);
    for (line, why) in NOT_RUN {
        let shown = pages.iter().any(|page| page.text.contains(line));
        assert!(shown, "{line} is no longer shown: {why}");
    }
}

#[test]
fn shown_output_can_be_cut_but_not_changed() {
    assert!(is_shown("a\n…\nd", "a\nb\nc\nd"));
    assert!(is_shown("a\n…", "a"));
    assert!(is_shown("Digest: sha256:…", "Digest: sha256:04"));
    assert!(is_shown("a … c …", "a b c d"));
    assert!(!is_shown("a", "a\nb"));
    assert!(!is_shown("…\nb", "b\na"));
    assert!(!is_shown("a…c", "a b"));
}

#[test]
fn unknown_blocks_and_commands_fail() {
    assert_eq!(classified("rm -rf target"), None);
    let cron = Some(Line::Cron("backup".to_owned()));
    assert_eq!(classified("0 3 * * * backup"), cron);
    assert_eq!(classified("cargo test"), Some(Line::Not));
    let page = pages::page("README.md");
    let block = |info: Option<&str>, text: &str| Part::Block {
        info: info.map(str::to_owned),
        text: text.to_owned(),
    };
    for part in [
        block(None, "rm -rf target"),
        block(None, "xrs plan --nonsense"),
        block(Some("ruby"), "1"),
        block(Some("yaml"), "jobs: {}"),
        block(Some("yaml"), "sync_a: {}"),
        block(Some("json"), r#"{"weather": []}"#),
        block(Some("markdown"), "x"),
        block(Some("console"), "$ xrs validate\nxrs.yaml is valid"),
        Part::Code {
            text: "xrs destroy".to_owned(),
            usage: false,
        },
    ] {
        let shown = format!("{part:?}");
        let result = std::panic::catch_unwind(|| Reader::new(&page, None).read(1, &part));
        assert!(result.is_err(), "{shown}");
    }
}
