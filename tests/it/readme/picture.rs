//! The picture of a plan, made from the output of the program.

use std::fs;

use anstyle_svg::{Term, WIN10_CONSOLE};

use super::{kept, project};
use crate::cli::Folder;

const PICTURE: &str = "src/guide/plan.svg";
/// The width of the window in the picture, where a terminal wraps lines.
const COLUMNS: usize = 128;

/// Returns what a terminal of that width shows.
fn in_columns(text: &str) -> String {
    let mut shown = String::new();
    let mut column = 0;
    let mut style = false;
    for c in text.chars() {
        style |= c == '\u{1b}';
        if c == '\n' {
            column = 0;
        } else if !style {
            if column == COLUMNS {
                shown.push('\n');
                column = 0;
            }
            column += 1;
        }
        shown.push(c);
        style &= c != 'm';
    }
    shown
}

#[test]
fn the_picture_shows_what_a_plan_looks_like() {
    let folder = Folder::new();
    let plan = folder.on_sandbox("plan --color always");
    assert_eq!(plan.code, Some(0), "{plan:?}");
    assert!(plan.out.contains('\u{1b}'), "in colours: {plan:?}");
    let screen = format!("$ xrs plan --sandbox world.json\n{}", in_columns(&plan.out));
    let picture = Term::new()
        .palette(WIN10_CONSOLE)
        .render_svg(screen.trim_end());
    let there = fs::read_to_string(project(PICTURE)).unwrap_or_default();
    kept(PICTURE, &there, &picture, || picture.clone());
}

#[test]
fn a_terminal_breaks_lines_and_not_styles() {
    let line = format!("\u{1b}[31;1m{}\u{1b}[0m\n", "x".repeat(COLUMNS + 1));
    let shown = format!("\u{1b}[31;1m{}\nx\u{1b}[0m\n", "x".repeat(COLUMNS));
    assert_eq!(in_columns(&line), shown);
    let fits = format!("\u{1b}[2m{}\u{1b}[0m\n", "x".repeat(COLUMNS));
    assert_eq!(in_columns(&fits), fits);
}
