//! Compares the sources with the two tables in the crate documentation (`src/lib.rs`): which module may use which, and
//! which folders mirror each other. Finds import circles between files.

mod examples;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sources::{Mention, Sources, longest_start};

/// The contents of the project's folder, except dot files and what git ignores.
const TOP: &str = "Cargo.lock Cargo.toml LICENSE.txt README.md src testdata tests";
/// Only these touch the terminal, the environment and the process.
const EDGE: &str = "cli, main";
/// Only these are asynchronous.
const ASYNC: &str = "provider, observe, executor, ops, cli";
/// Only these name kinds and sync types. For all others, an artifact is an artifact.
const KINDS: &str = "model::kind, sync_types, provider::aws, provider::sandbox";
/// Parts of the names of kinds and sync types in configs and plans.
const KIND_NAMES: &str = "ec2_ami rds_automated db_snapshot db_cluster_snapshot";
/// A longer file usually contains two concepts.
const MAX_LINES: usize = 400;

/// A path such as `src/lib.rs`, and the text of the file.
type Files = BTreeMap<String, String>;
/// A module such as `provider::aws`, and what it may use.
type Layers = BTreeMap<String, Vec<String>>;
/// Maps a file to the files that define what it names, each with the first line that does so.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

#[test]
fn sources_keep_to_the_architecture() {
    let findings = findings(&read_folder("src"));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn top_folder_holds_what_the_design_names() {
    let ignored = fs::read_to_string(".gitignore").expect(".gitignore");
    for entry in fs::read_dir(".").expect("the project's folder") {
        let name = entry.expect("an entry").file_name();
        let is_ignored = ignored.lines().any(|line| *line.trim_matches('/') == *name);
        let is_hidden = name.to_string_lossy().starts_with('.');
        let is_known = TOP.split(' ').any(|known| *known == *name);
        assert!(is_ignored || is_hidden || is_known, "{name:?} is unknown");
    }
}

/// Reads every Rust file in a folder of the project.
fn read_folder(folder: &str) -> Files {
    let mut files = Files::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path().display().to_string();
        if Path::new(&path).is_dir() {
            files.append(&mut read_folder(&path));
        } else if path.ends_with(".rs") {
            files.insert(path.clone(), fs::read_to_string(path).expect("a source"));
        }
    }
    files
}

/// Returns every violation, with its place.
fn findings(files: &Files) -> Vec<String> {
    let layers = rows(files, 2).into_iter();
    let layers = layers.map(|mut names| (names.remove(0), names)).collect();
    let sources = Sources::read(files);
    let mut findings = table_findings(&layers, &sources);
    findings.extend(name_findings(&rows(files, 1), files));
    let mut uses = Uses::new();
    for mention in &sources.mentions {
        let (file, line) = (sources.file(&mention.module), mention.line);
        let path = sources.resolve(&mention.path);
        let target = sources.file(&path);
        if target != file {
            uses.entry(file).or_default().entry(target).or_insert(line);
        }
        if let Some(rule) = broken_rule(&layers, mention, &path) {
            findings.push(format!("{file}:{line}: {rule}"));
        }
    }
    let starts = uses.keys().map(|file| (*file, 0)).collect();
    uses.insert("", starts);
    findings.extend(circles(&uses, &[""], &mut BTreeSet::new()));
    findings
}

/// Returns the names in each row that has this number of cells, in the tables of the crate documentation.
fn rows(files: &Files, cells: usize) -> Vec<Vec<String>> {
    let lines = files["src/lib.rs"].lines();
    let rows = lines.filter_map(|line| line.strip_prefix("//! | `"));
    let rows = rows.filter(|row| row.matches('|').count() == cells);
    let words = rows.map(|row| row.split(['`', '|', ' ']).map(str::to_owned));
    let names = words.map(|words| words.filter(|word| !word.is_empty()));
    names.map(Iterator::collect).collect()
}

/// Returns the module with a row in the table that covers a path.
fn row<'a>(layers: &Layers, path: &'a str) -> Option<&'a str> {
    let (_, path) = path.split_once("::")?;
    longest_start(path, |start| layers.contains_key(start))
}

/// Finds modules without a row, rows without a module, and files that no module declares.
fn table_findings(layers: &Layers, sources: &Sources) -> Vec<String> {
    let mut findings = Vec::new();
    for module in sources.modules.keys().filter(|module| *module != "crate") {
        if row(layers, module).is_none() {
            findings.push(format!("{module} has no row in the table"));
        }
        if module != "crate::main" && !sources.declared.contains(module) {
            findings.push(format!("{module} is declared by no module"));
        }
    }
    for name in layers.keys().chain(layers.values().flatten()) {
        if !sources.modules.contains_key(&format!("crate::{name}")) {
            findings.push(format!("{name} in the table is no module"));
        }
    }
    findings
}

/// Finds files that are too long, and files that share a name although their folders don't mirror each other.
fn name_findings(mirrors: &[Vec<String>], files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    let mut folders: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in files {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            findings.push(format!("{path}: {lines} lines, more than {MAX_LINES}"));
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // A top-level file is a module, like a `mod.rs`.
        if let Some(folder) = folder.strip_prefix("src/") {
            folders.entry(name).or_default().insert(folder.to_owned());
        }
    }
    for (name, folders) in folders {
        let is_mirror = |mirror: &Vec<String>| folders.iter().all(|folder| mirror.contains(folder));
        if name != "mod.rs" && folders.len() > 1 && !mirrors.iter().any(is_mirror) {
            findings.push(format!(
                "{name} is in {folders:?}, which don't mirror each other"
            ));
        }
    }
    findings
}

/// Follows the imports of the last file of a path. Describes the paths that lead back to a file.
fn circles<'a>(uses: &Uses<'a>, way: &[&'a str], visited: &mut BTreeSet<&'a str>) -> Vec<String> {
    let mut found = Vec::new();
    let targets = uses.get(way[way.len() - 1]);
    for &target in targets.into_iter().flat_map(BTreeMap::keys) {
        let way_on = [way, &[target]].concat();
        if let Some(start) = way.iter().position(|file| *file == target) {
            let steps = way_on[start..].windows(2);
            let steps = steps.map(|step| format!("{}:{}", step[0], uses[step[0]][step[1]]));
            let steps: Vec<_> = steps.chain([target.to_owned()]).collect();
            found.push(format!("import circle: {}", steps.join(" → ")));
        } else if visited.insert(target) {
            found.extend(circles(uses, &way_on, visited));
        }
    }
    found
}

/// Returns the rule that a module breaks by naming something.
fn broken_rule(layers: &Layers, mention: &Mention, resolved: &str) -> Option<String> {
    let user = row(layers, &mention.module)?;
    let used = row(layers, &mention.path).unwrap_or(&mention.path);
    if user != used && !layers[user].iter().any(|name| name == used) {
        return Some(format!("{user} may not use {used}"));
    }
    let inside = format!("{}::", mention.module);
    let name = resolved.strip_prefix(&inside).unwrap_or(resolved);
    let owners = owners(name)?;
    let (_, module) = mention.module.split_once("::")?;
    let is_owner = owners.split(", ").any(|owner| module.starts_with(owner));
    (!is_owner).then(|| format!("{name} belongs in {owners}"))
}

/// Returns the only modules that may name something, if it is reserved.
fn owners(name: &str) -> Option<&'static str> {
    let name: Vec<_> = name.split("::").collect();
    match name.as_slice() {
        [.., "print!" | "println!" | "eprint!" | "eprintln!" | "dbg!"] => Some(EDGE),
        ["std", "env", ..] | ["std", "process", "exit", ..] => Some(EDGE),
        ["std", "io", "stdin" | "stdout" | "stderr", ..] => Some(EDGE),
        ["std", "fs", ..] => Some("files"),
        ["async" | "await" | "tokio" | "futures" | "async_trait", ..] => Some(ASYNC),
        [.., "Timestamp" | "Zoned" | "SystemTime" | "Instant", "now"] => Some("provider"),
        [first, ..] if first.starts_with("aws_") => Some("provider::aws"),
        [text] if KIND_NAMES.split(' ').any(|kind| text.contains(kind)) => Some(KINDS),
        // Functions and the list of all kinds are for everyone; variants, and glob imports of them, are not.
        ["crate", "model", "kind", "Kind" | "SyncTypeName", "ALL", ..] => None,
        ["crate", "model", "kind", "Kind" | "SyncTypeName", name, ..] => {
            (!name.starts_with(char::is_lowercase)).then_some(KINDS)
        }
        _ => None,
    }
}
