//! Problems of a config as a compiler shows them: the line, a caret under what is meant, and the way out.
//!
//! The lines shown are those of the file, but for what may be a secret: see [`mask`].

mod mask;
mod words;

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};

use crate::model::problem::{Problem, TextPlace};
use crate::model::report::Level;
use crate::model::safe::{is_mark, safe, tricky};

/// Lines are cut to this width around what is meant where there is no terminal that is narrower: a config may be one long
/// line.
pub const WIDTH: usize = 140;

/// The problems of the config at `path`, whose text is `text`; each ends with an empty line. No secret is shown.
/// Lines of the config are cut to `width` columns, frame included.
pub fn diagnostics(
    path: &str,
    text: &str,
    problems: &[Problem],
    level: Level,
    color: bool,
    width: usize,
) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(width);
    let text = mask::masked(text.strip_prefix('\u{feff}').unwrap_or(text));
    let text = in_place(&text, width);
    let lines = lines(&text);
    let path = safe(path);
    let mut shown = String::new();
    for problem in problems {
        shown.push_str(&renderer.render(&[group(&path, &lines, problem, level)]));
        shown.push_str("\n\n");
    }
    shown
}

fn group<'a>(path: &'a str, lines: &[&'a str], problem: &Problem, level: Level) -> Group<'a> {
    // Destructured without `..`: a new field does not compile until it is shown.
    let Problem {
        message,
        at,
        aws,
        help,
    } = problem;
    let title = match level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let title = title.primary_title(printable(message));
    let line = at.and_then(|at| Some((at, *lines.get(at.line.checked_sub(1)?)?)));
    let mut group = match line {
        Some((at, line)) => title.element(
            Snippet::source(line)
                .path(path)
                .line_start(at.line)
                .annotation(AnnotationKind::Primary.span(bytes(line, at))),
        ),
        None => title.element(Origin::path(path)),
    };
    if let Some(aws) = aws {
        group = group.element(Title::NOTE.message(printable(&aws.to_string())));
    }
    if let Some(help) = help {
        group = group.element(Title::HELP.message(printable(help)));
    }
    group
}

/// The bytes of a line that a place means: from and to characters that are there.
fn bytes(line: &str, place: TextPlace) -> Range<usize> {
    let byte_of = |n: usize| line.char_indices().nth(n).map_or(line.len(), |(at, _)| at);
    let first = place.column.saturating_sub(1);
    byte_of(first)..byte_of(first.saturating_add(place.length.max(1)))
}

/// The lines as YAML counts them: a lone carriage return ends one, too.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

/// A message of several lines, each made [`safe`].
fn printable(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// The text of a config with everything tricky blotted out, so that all else keeps its line and column.
fn in_place(text: &str, width: usize) -> String {
    let lines = text.split_inclusive('\n');
    lines.flat_map(|line| line_in_place(line, width)).collect()
}

fn line_in_place(line: &str, width: usize) -> impl Iterator<Item = char> {
    // A long line is shown in part, and the cut may part a mark from its letter.
    let may_be_cut = line.chars().count() > width / 2;
    tricky(line).map(move |(c, tricky)| {
        let blot = tricky || may_be_cut && is_mark(c);
        if blot && !matches!(c, '\n' | '\r' | '\t') {
            '\u{fffd}'
        } else {
            c
        }
    })
}
