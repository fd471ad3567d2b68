//! Compares the sources with the two tables in the crate documentation (`src/lib.rs`): which module may use which, and
//! which folders mirror each other. Finds import circles between files.

mod examples;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sources::{Mention, Sources, longest_start};

/// What the project's folder holds, beside dot files and what git ignores.
const TOP: &str = "Cargo.lock Cargo.toml LICENSE.txt README.md src testdata tests";
/// Only these touch the terminal, the environment and the process.
const EDGE: &str = "cli, main";
/// Only these are asynchronous.
const ASYNC: &str = "provider, observe, executor, ops, cli";
/// Only these name kinds and sync types. For all others, an artifact is an artifact.
const KINDS: &str = "model::kind, sync_types, provider::aws, provider::sandbox";
/// Parts of the names of kinds and sync types in configs and plans.
const KIND_NAMES: &str = "ec2_ami rds_automated db_snapshot db_cluster_snapshot";
/// A longer file is usually two concepts.
const MAX_LINES: usize = 500;

/// A path such as `src/lib.rs`, and the text of the file.
type Files = BTreeMap<String, String>;
/// A file to the files that define what it names, each with the first line that does so.
type Uses<'a> = BTreeMap<&'a str, BTreeMap<&'a str, usize>>;

/// The tables in the crate documentation.
#[derive(Default)]
struct Tables {
    /// A module, such as `crate::provider::aws`, and what it may use.
    layers: BTreeMap<String, BTreeSet<String>>,
    /// Folders that may hold files of the same names.
    mirrors: Vec<BTreeSet<String>>,
}

impl Tables {
    /// Reads the rows: a layer has two cells, a mirror has one.
    fn read(root: &str) -> Self {
        let mut tables = Self::default();
        for row in root.lines().filter_map(|line| line.strip_prefix("//! | `")) {
            let names = row.split(['`', '|', ' ']).filter(|name| !name.is_empty());
            if row.matches('|').count() == 1 {
                tables.mirrors.push(names.map(str::to_owned).collect());
            } else {
                let mut modules = names.map(|name| format!("crate::{}", name.replace('/', "::")));
                let layer = modules.next().expect("the name of a module");
                tables.layers.insert(layer, modules.collect());
            }
        }
        tables
    }

    /// Returns the row of a module: its own, or that of the nearest module around it.
    fn row<'a>(&self, path: &'a str) -> Option<&'a str> {
        longest_start(path, |start| self.layers.contains_key(start))
    }
}

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
        assert!(is_ignored || is_hidden || is_known, "{name:?}");
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
            let text = fs::read_to_string(&path).expect("a source");
            files.insert(path, text);
        }
    }
    files
}

/// Returns every violation, with its place.
fn findings(files: &Files) -> Vec<String> {
    let tables = Tables::read(&files["src/lib.rs"]);
    let sources = Sources::read(files);
    let mut findings = table_findings(&tables, &sources);
    findings.extend(name_findings(&tables, files));
    let mut uses = Uses::new();
    for mention in &sources.mentions {
        let (file, line) = (sources.file(&mention.module), mention.line);
        let path = sources.resolve(&mention.path);
        let target = sources.file(&path);
        if target != file {
            uses.entry(file).or_default().entry(target).or_insert(line);
        }
        if let Some(rule) = broken_rule(&tables, mention, &path) {
            findings.push(format!("{file}:{line}: {rule}"));
        }
    }
    let starts = uses.keys().map(|file| (*file, 0)).collect();
    uses.insert("", starts);
    findings.extend(circles(&uses, &[""], &mut BTreeSet::new()));
    findings
}

/// Finds modules without a row, rows without a module, and files that no module declares.
fn table_findings(tables: &Tables, sources: &Sources) -> Vec<String> {
    let mut findings = Vec::new();
    for module in sources.modules.keys().filter(|module| *module != "crate") {
        if tables.row(module).is_none() {
            findings.push(format!("{module} has no row in the table"));
        }
        if module != "crate::main" && !sources.declared.contains(module) {
            findings.push(format!("{module} is declared by no module"));
        }
    }
    let named = tables.layers.keys().chain(tables.layers.values().flatten());
    let unknown = named.filter(|name| !sources.modules.contains_key(*name));
    findings.extend(unknown.map(|name| format!("{name} in the table is no module")));
    findings
}

/// Finds files that are too long, and files that share a name though their folders don't mirror each other.
fn name_findings(tables: &Tables, files: &Files) -> Vec<String> {
    let mut findings = Vec::new();
    let mut folders: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in files {
        let lines = text.lines().count();
        if lines > MAX_LINES {
            findings.push(format!("{path}: {lines} lines, more than {MAX_LINES}"));
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = folder.trim_start_matches("src/").to_owned();
        folders.entry(name).or_default().insert(folder);
    }
    for (name, folders) in folders {
        let is_mirror = |mirror: &BTreeSet<String>| folders.is_subset(mirror);
        if name != "mod.rs" && folders.len() > 1 && !tables.mirrors.iter().any(is_mirror) {
            findings.push(format!(
                "{name} is in {folders:?}, which don't mirror each other"
            ));
        }
    }
    findings
}

/// Follows what the last file of a way uses. Describes the ways that lead back to a file.
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
fn broken_rule(tables: &Tables, mention: &Mention, resolved: &str) -> Option<String> {
    let row = tables.row(&mention.module)?;
    let used = tables.row(&mention.path).unwrap_or(&mention.path);
    if row != used && !tables.layers[row].contains(used) {
        return Some(format!("{row} may not use {used}"));
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
        // Functions and the list of all kinds are for everyone, variants and a glob import of them are not.
        ["crate", "model", "kind", "Kind" | "SyncTypeName", "ALL", ..] => None,
        ["crate", "model", "kind", "Kind" | "SyncTypeName", name, ..] => {
            (!name.starts_with(char::is_lowercase)).then_some(KINDS)
        }
        _ => None,
    }
}
