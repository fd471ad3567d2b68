//! README.md and the pages of `src/guide/` show what the program does. Additions to them are tested without a change here, and
//! anything that these tests do not understand fails.

mod aws;
mod commands;
mod facts;
mod names;
mod pages;
mod picture;
#[cfg(unix)]
mod scene;
#[cfg(unix)]
mod walk;

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the path of a file of the project.
fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Compares a text that the program makes with a project file, or a part of it. `INSTA_UPDATE=always` updates the file, like golden
/// screens; `file` returns the whole file.
#[track_caller]
fn kept(path: &str, kept: &str, made: &str, file: impl FnOnce() -> String) {
    if kept == made {
        return;
    }
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(project(path), file()).expect("written");
        return;
    }
    let lines = |text| str::lines(text).chain([""]);
    let differs = lines(kept).zip(lines(made)).find(|(a, b)| a != b);
    panic!(
        "{path} is not what the program says; after an intended change: \
         INSTA_UPDATE=always cargo test --test it readme\nfirst difference: {differs:#?}"
    );
}
