//! Checks that the files, and the names in the sources, that the pages mention exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::pages::{self, Part};
use super::project;

/// The folders of the project that the pages mention by path.
const FOLDERS: [&str; 4] = ["src/", "tests/", "testdata/", ".ci/"];
const GUIDE: &str = "src/guide/adding-a-sync-type.md";

/// Returns the paths in a text.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && !"/._-".contains(c);
    let words = text
        .split(is_end)
        .map(|word| word.trim_end_matches(['.', '/']));
    words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
}

/// Collects the words of all source files in a folder.
fn collect_words(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_words(&path, words);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let found = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.extend(found.map(str::to_owned));
        }
    }
}

/// Returns true for what may be a name in the sources, such as `Kind::ALL` or `choose_source`.
fn is_name(code: &str) -> bool {
    code.chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

#[test]
fn every_file_that_a_page_mentions_exists() {
    let mut found = 0;
    for page in pages::all() {
        for path in paths(&page.text) {
            assert!(project(path).exists(), "{}: {path}", page.path);
            found += 1;
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn every_name_in_the_guide_for_developers_is_in_the_sources() {
    let mut words = BTreeSet::new();
    for folder in ["src", "tests"] {
        collect_words(&project(folder), &mut words);
    }
    let page = pages::page(GUIDE);
    let mut found = 0;
    for (line, part) in &page.parts {
        let Part::Code { text, .. } = part else {
            continue;
        };
        for name in text.split("::").filter(|_| is_name(text)) {
            assert!(words.contains(name), "{}: {name}", page.at(*line));
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn paths_end_where_a_sentence_does() {
    let text = "see `src/lib.rs`, tests/it/laws/ and [it](src/guide/restore.md#a). Not testdata.";
    let expected = ["src/lib.rs", "tests/it/laws", "src/guide/restore.md"];
    assert!(paths(text).eq(expected));
}
