//! README.md and the pages of `src/guide/`: what they show is what there is. Whatever is added to them is looked at without a
//! change here, and what these tests cannot make out fails them.

mod aws;
mod commands;
mod facts;
mod pages;
mod picture;
#[cfg(unix)]
mod scene;
#[cfg(unix)]
mod walk;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project.
fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Compares a text that is made from the program with a file of the project, or part of it; `INSTA_UPDATE=always`, as
/// for the golden screens, puts it there. `file` makes the whole file out of the text.
#[track_caller]
fn kept(path: &str, kept: &str, made: &str, file: impl FnOnce() -> String) {
    if kept == made {
        return;
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(project(path), file()).expect("written");
        return;
    }
    let lines = |text: &str| {
        text.lines()
            .map(str::to_owned)
            .chain([String::new()])
            .collect::<Vec<_>>()
    };
    let (there, made) = (lines(kept), lines(made));
    let differs = there.iter().zip(&made).find(|(a, b)| a != b);
    panic!(
        "{path} is not what the program says; after a change that is meant: \
         INSTA_UPDATE=always cargo test --test it readme\nfirst difference: {differs:#?}"
    );
}
