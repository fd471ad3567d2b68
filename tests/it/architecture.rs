//! Compares the sources with the map of the house: the table in the crate documentation of `src/lib.rs`.

mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use facts::{Fact, What, facts};

/// Pure ones: no I/O, no clock, nothing that waits.
const PURE: [&str; 8] = [
    "model", "config", "planner", "status", "planfile", "policy", "render", "guide",
];
/// A file longer than this wants cutting along a word of the design.
const MOST_LINES: usize = 500;
/// What stands at the top, beside folders that start with a dot and what git ignores.
const TOP_FOLDERS: [&str; 3] = ["src", "tests", "testdata"];

/// Module to what it may use, as the crate documentation has it.
type Table = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_sources_keep_to_the_map_of_the_house() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    read_sources(&root.join("src"), "src", &mut files);
    files.sort();
    assert!(files.len() > 10, "the sources were not found");
    let findings = findings(&files);
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

#[test]
fn the_top_folder_holds_what_the_map_says() {
    let ignored: Vec<String> =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".gitignore"))
            .expect(".gitignore")
            .lines()
            .map(|line| line.trim_matches('/').to_owned())
            .collect();
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).expect("the project's folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().expect("a type").is_dir();
        let known = name.starts_with('.')
            || TOP_FOLDERS.contains(&name.as_str())
            || ignored.contains(&name);
        assert!(
            !is_folder || known,
            "{name}: no such folder is in the design"
        );
    }
}

fn read_sources(folder: &Path, shown: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let entry = entry.expect("an entry");
        let shown = format!("{shown}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            read_sources(&entry.path(), &shown, files);
        } else if shown.ends_with(".rs") {
            files.push((shown, fs::read_to_string(entry.path()).expect("a source")));
        }
    }
}

/// Every rule that these sources break, a line each.
fn findings(files: &[(String, String)]) -> Vec<String> {
    let mut found = Vec::new();
    let Some((_, root)) = files.iter().find(|(path, _)| path == "src/lib.rs") else {
        return vec!["src/lib.rs is missing".to_owned()];
    };
    let root = syn::parse_file(root).expect("src/lib.rs parses");
    let table = table(&root);
    let modules: BTreeSet<String> = root
        .items
        .iter()
        .filter_map(|item| {
            if let syn::Item::Mod(module) = item {
                Some(module.ident.to_string())
            } else {
                None
            }
        })
        .collect();
    for module in modules.iter().filter(|module| !table.contains_key(*module)) {
        found.push(format!(
            "src/lib.rs: the module {module} has no row in the table"
        ));
    }
    let named: BTreeSet<&String> = table.keys().chain(table.values().flatten()).collect();
    for name in named.into_iter().filter(|name| !modules.contains(*name)) {
        found.push(format!(
            "src/lib.rs: the table names {name}, which is no module"
        ));
    }
    for (path, text) in files {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("{path}: {lines} lines, more than {MOST_LINES}"));
        }
        let module = module_of(path);
        for fact in facts(text, &module) {
            found.extend(
                broken(&fact, &module, path, &table)
                    .map(|rule| format!("{path}:{}: {rule}", fact.line)),
            );
        }
    }
    found
}

/// The rows `| `name` | `may` `use` |` of the crate documentation.
fn table(root: &syn::File) -> Table {
    let mut table = Table::new();
    for attribute in &root.attrs {
        let syn::Meta::NameValue(meta) = &attribute.meta else {
            continue;
        };
        let syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(line),
            ..
        }) = &meta.value
        else {
            continue;
        };
        let line = line.value();
        let mut cells = line.trim().trim_matches('|').split('|').map(|cell| {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        if let (true, Some(names), Some(uses)) =
            (line.trim().starts_with("| `"), cells.next(), cells.next())
        {
            table.extend(
                names
                    .into_iter()
                    .map(|name| (name, uses.iter().cloned().collect())),
            );
        }
    }
    table
}

/// `src/provider/aws/mod.rs` is `["provider", "aws"]`; the root is empty, and the binary is `["main"]`.
fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Vec<String> = path.split('/').map(str::to_owned).collect();
    if module
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        module.pop();
    }
    module
}

/// The rules that a fact breaks.
fn broken(
    fact: &Fact,
    module: &[String],
    path: &str,
    table: &Table,
) -> impl Iterator<Item = String> {
    let top = module.first().map_or("", String::as_str);
    let pure = PURE.contains(&top);
    let edge = matches!(top, "cli" | "main");
    let within = |folder: &[&str]| {
        module.len() >= folder.len() && module.iter().zip(folder).all(|(a, b)| a == b)
    };
    let mut rules = Vec::new();
    let mut rule = |broken: bool, text: String| {
        if broken {
            rules.push(text);
        }
    };
    match &fact.what {
        What::Async => rule(pure, format!("{top} is synchronous")),
        What::Macro(name) => {
            let prints = matches!(
                name.as_str(),
                "print" | "println" | "eprint" | "eprintln" | "dbg"
            );
            rule(prints && !edge, format!("{name}! belongs in cli"));
        }
        What::Path(segments) => {
            let words: Vec<&str> = segments.iter().map(String::as_str).collect();
            let first = words.first().copied().unwrap_or_default();
            let has = |pair: [&str; 2]| words.windows(2).any(|two| two == pair);
            rule(
                first.starts_with("aws_")
                    && first != "aws_xregion_sync"
                    && !within(&["provider", "aws"]),
                format!("{first} belongs in provider/aws"),
            );
            rule(
                !edge
                    && (has(["std", "env"])
                        || has(["process", "exit"])
                        || ["stdin", "stdout", "stderr"]
                            .iter()
                            .any(|io| has(["io", io]))),
                format!("{} belongs in cli", words.join("::")),
            );
            rule(
                has(["std", "fs"]) && top != "files",
                format!("{} belongs in files", words.join("::")),
            );
            rule(
                pure && matches!(first, "tokio" | "futures" | "async_trait"),
                format!("{top} is synchronous: no {first}"),
            );
            let clock = ["Timestamp", "Zoned", "SystemTime", "Instant"]
                .iter()
                .any(|clock| has([clock, "now"]));
            rule(
                clock && top != "provider",
                format!("{}: the only clock is Provider::now", words.join("::")),
            );
            if let ["crate" | "aws_xregion_sync", rest @ ..] = words.as_slice() {
                // The root re-exports for users of the library, from wherever it likes.
                let used = rest.first().copied().unwrap_or("*");
                let may = top.is_empty()
                    || used == top
                    || top == "main" && used == "cli"
                    || table.get(top).is_some_and(|may| may.contains(used));
                rule(!may, format!("{top} may not use {used}"));
                if let ["provider", world @ ("aws" | "sandbox"), ..] = rest {
                    let may = within(&["provider", world])
                        || matches!(top, "" | "ops" | "cli")
                        || path == "src/provider/mod.rs";
                    rule(
                        !may,
                        format!("{} may not use provider/{world}", module.join("/")),
                    );
                }
            }
        }
    }
    rules.into_iter()
}

/// The findings in a small house whose one file `path` holds `text`.
fn findings_in(path: &str, text: &str) -> Vec<String> {
    let root = "//! | module | may use |\n//! |---|---|\n//! | `model` | |\n//! | `render` | `model` |\n\
                //! | `files` | |\n//! | `provider` | `model` |\n//! | `observe` | `model` `provider` |\n\
                //! | `ops` | `model` `provider` |\n//! | `cli` | `ops` `provider` |\n\
                pub mod model;\npub mod render;\npub mod files;\npub mod provider;\npub mod observe;\npub mod ops;\npub mod cli;\n";
    let mut files = vec![("src/lib.rs".to_owned(), root.to_owned())];
    files.retain(|(known, _)| known != path);
    files.push((path.to_owned(), text.to_owned()));
    findings(&files)
}

#[test]
fn what_is_allowed_is_not_found() {
    for (path, text) in [
        (
            "src/render/text.rs",
            "use crate::model::plan; use super::Styles; use std::fmt; fn f() { crate::model::x(); }",
        ),
        (
            "src/provider/aws/mod.rs",
            "use aws_sdk_ec2::Client; async fn f() { super::side_by_side().await }",
        ),
        (
            "src/provider/aws/mod.rs",
            "fn now() -> Timestamp { Timestamp::now() }",
        ),
        (
            "src/cli/mod.rs",
            "use std::env; fn f() { println!(\"{}\", env::var(\"X\")); }",
        ),
        (
            "src/model/mod.rs",
            "#[cfg(test)] mod tests { use crate::render::text; async fn f() {} }",
        ),
        (
            "src/model/problem.rs",
            "fn f(aws_message: &str) { g(aws_message) }",
        ),
        (
            "src/ops.rs",
            "use crate::provider::sandbox::World; pub async fn f() {}",
        ),
        (
            "src/main.rs",
            "fn main() { aws_xregion_sync::cli::main(); std::process::exit(1) }",
        ),
    ] {
        assert_eq!(
            findings_in(path, text),
            Vec::<String>::new(),
            "{path}: {text}"
        );
    }
}

#[test]
fn each_rule_can_be_broken() {
    for (path, text, expected) in [
        (
            "src/model/plan.rs",
            "use crate::render::text::Styles;",
            "src/model/plan.rs:1: model may not use render",
        ),
        (
            "src/model/plan.rs",
            "\nuse super::super::{ops as o, model::*};",
            "src/model/plan.rs:2: model may not use ops",
        ),
        (
            "src/render/json.rs",
            "fn f() -> crate::ops::Plan { todo!() }",
            "src/render/json.rs:1: render may not use ops",
        ),
        (
            "src/render/json.rs",
            "fn f() { crate::ops::plan(); }",
            "src/render/json.rs:1: render may not use ops",
        ),
        (
            "src/render/json.rs",
            "fn f() { write!(f, \"{}\", crate::ops::plan()) }",
            "src/render/json.rs:1: render may not use ops",
        ),
        (
            "src/render/json.rs",
            "use crate as house;",
            "src/render/json.rs:1: render may not use *",
        ),
        (
            "src/render.rs",
            "use super::*;",
            "src/render.rs:1: render may not use *",
        ),
        (
            "src/render.rs",
            "mod a { use super::super::cli; }",
            "src/render.rs:1: render may not use cli",
        ),
        (
            "src/main.rs",
            "use aws_xregion_sync::ops;",
            "src/main.rs:1: main may not use ops",
        ),
        (
            "src/ops.rs",
            "use aws_config::SdkConfig;",
            "src/ops.rs:1: aws_config belongs in provider/aws",
        ),
        (
            "src/ops.rs",
            "fn f(c: &aws_sdk_ec2::Client) {}",
            "src/ops.rs:1: aws_sdk_ec2 belongs in provider/aws",
        ),
        (
            "src/provider/mod.rs",
            "extern crate aws_types;",
            "src/provider/mod.rs:1: aws_types belongs in provider/aws",
        ),
        (
            "src/ops.rs",
            "use std::{env, fmt};",
            "src/ops.rs:1: std::env belongs in cli",
        ),
        (
            "src/ops.rs",
            "fn f() { std::process::exit(1) }",
            "src/ops.rs:1: std::process::exit belongs in cli",
        ),
        (
            "src/ops.rs",
            "fn f() { println!(\"x\") }",
            "src/ops.rs:1: println! belongs in cli",
        ),
        (
            "src/ops.rs",
            "fn f() { if_so!(eprintln!(\"x\")) }",
            "src/ops.rs:1: eprintln! belongs in cli",
        ),
        (
            "src/ops.rs",
            "use std::io::{self, stderr};",
            "src/ops.rs:1: std::io::stderr belongs in cli",
        ),
        (
            "src/ops.rs",
            "fn f() { io::stdout(); }",
            "src/ops.rs:1: io::stdout belongs in cli",
        ),
        (
            "src/ops.rs",
            "use std::fs::File;",
            "src/ops.rs:1: std::fs::File belongs in files",
        ),
        (
            "src/model/id.rs",
            "async fn f() {}",
            "src/model/id.rs:1: model is synchronous",
        ),
        (
            "src/model/id.rs",
            "fn f() { g(async { 1 }) }",
            "src/model/id.rs:1: model is synchronous",
        ),
        (
            "src/model/id.rs",
            "use tokio::time;",
            "src/model/id.rs:1: model is synchronous: no tokio",
        ),
        (
            "src/model/id.rs",
            "fn f() { jiff::Timestamp::now(); }",
            "src/model/id.rs:1: jiff::Timestamp::now: the only clock is Provider::now",
        ),
        (
            "src/provider/aws/mod.rs",
            "use super::sandbox::World;",
            "src/provider/aws/mod.rs:1: provider/aws may not use provider/sandbox",
        ),
        (
            "src/provider/sandbox/mod.rs",
            "use crate::provider::aws::Aws;",
            "src/provider/sandbox/mod.rs:1: provider/sandbox may not use provider/aws",
        ),
        (
            "src/observe.rs",
            "use crate::provider::sandbox::World;",
            "src/observe.rs:1: observe may not use provider/sandbox",
        ),
        (
            "src/lib.rs",
            "//! | `model` | |\npub mod model;\npub mod extra;",
            "src/lib.rs: the module extra has no row in the table",
        ),
        (
            "src/lib.rs",
            "//! | `model` | `ghost` |\npub mod model;",
            "src/lib.rs: the table names ghost, which is no module",
        ),
    ] {
        let found = findings_in(path, text);
        assert!(
            found.iter().any(|finding| finding == expected),
            "{path}: {text}\n{found:#?}"
        );
    }
    let long = "\n".repeat(MOST_LINES + 1);
    assert_eq!(
        findings_in("src/ops.rs", &long),
        [format!("src/ops.rs: 501 lines, more than {MOST_LINES}")]
    );
}
