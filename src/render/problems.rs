//! Problems of a config as a compiler shows them: the line, a caret under the mistake, and the way out.
//!
//! The lines shown are those of the file, except that secrets are hidden: see `mask`.

mod mask;

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};

use crate::model::problem::{Problem, TextPlace};
use crate::model::report::Level;
use crate::model::safe::{is_mark, safe, unprintable};

/// The width to which lines are cut around a mistake where no terminal is narrower: a config may be one long line.
pub const WIDTH: usize = 140;

/// Returns the problems of the config at `path` with this `text`, each followed by an empty line. No secret is shown. Lines of the
/// config are cut to `width` columns, frame included.
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
    let title = match level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
        Level::Note => Title::NOTE,
    };
    let title = title.primary_title(printable(&problem.message));
    let line_at = |at: TextPlace| Some((at, *lines.get(at.line.checked_sub(1)?)?));
    let mut group = match problem.at.and_then(line_at) {
        Some((at, line)) => title.element(
            Snippet::source(line)
                .path(path)
                .line_start(at.line)
                .annotation(AnnotationKind::Primary.span(bytes(line, at))),
        ),
        None => title.element(Origin::path(path)),
    };
    if let Some(aws) = &problem.aws {
        group = group.element(Title::NOTE.message(printable(&aws.to_string())));
    }
    if let Some(help) = &problem.help {
        group = group.element(Title::HELP.message(printable(help)));
    }
    group
}

/// Returns the bytes of a line that a place means, within the line.
fn bytes(line: &str, place: TextPlace) -> Range<usize> {
    let byte_of = |n: usize| line.char_indices().nth(n).map_or(line.len(), |(at, _)| at);
    let first = place.column.saturating_sub(1);
    byte_of(first)..byte_of(first.saturating_add(place.length.max(1)))
}

/// Returns the lines as YAML counts them: a lone carriage return also ends a line.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

/// Returns a message with each of its lines made [`safe`].
fn printable(text: &str) -> String {
    text.split('\n').map(safe).collect::<Vec<_>>().join("\n")
}

/// Returns the text of a config with unsafe characters replaced one for one, so that the others keep line and column.
fn in_place(text: &str, width: usize) -> String {
    let lines = text.split_inclusive('\n');
    lines.flat_map(|line| line_in_place(line, width)).collect()
}

fn line_in_place(line: &str, width: usize) -> impl Iterator<Item = char> {
    // Only a part of a long line is shown, and the cut may separate a mark from its letter.
    let may_be_cut = line.chars().count() > width / 2;
    unprintable(line).map(move |(c, is_unprintable)| {
        let is_replaced = is_unprintable || may_be_cut && is_mark(c);
        if is_replaced && !matches!(c, '\n' | '\r' | '\t') {
            '\u{fffd}'
        } else {
            c
        }
    })
}
