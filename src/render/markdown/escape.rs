//! Texts from elsewhere, put where no part of them is Markdown, HTML, a mention, a reference or a link.
//!
//! That is in a code span, a fenced block, or `<code>` in a line of HTML. Escapes with backslashes or entities are not enough:
//! GitHub finds mentions (`@somebody`), references (`#1`) and addresses in the rendered text, but not in code.

use std::fmt::Display;

use crate::model::plan::End;
use crate::model::safe::safe;

/// The length of a name, in bytes, after which it is cut: no AWS name is longer.
const MAX_NAME: usize = 256;
/// The length of a message, in bytes, after which it is cut; the details have all of it.
const MAX_MESSAGE: usize = 400;

/// Returns a name or an id as code.
pub(super) fn name(text: impl Display) -> String {
    span(&short(text, MAX_NAME))
}

/// Returns a sentence as code.
pub(super) fn message(text: impl Display) -> String {
    span(&short(text, MAX_MESSAGE))
}

/// Returns a name as code in a cell of a table, where a bar would end the cell, also in code.
pub(super) fn cell(text: impl Display) -> String {
    let mut escaped = String::new();
    let mut backslashes = 0;
    for c in name(text).chars() {
        if c == '|' {
            // The number of backslashes before it is made odd: parsers differ in whether they count in pairs.
            escaped.push_str(if backslashes % 2 == 0 { "\\" } else { "\\\\" });
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        escaped.push(c);
    }
    escaped
}

/// Returns the regions of a job in a cell; nothing where its config is not valid.
pub(super) fn regions(source: Option<&End>, destination: Option<&End>) -> String {
    let ends = source.zip(destination);
    let regions = ends.map(|(from, to)| [cell(&from.region), cell(&to.region)].join(" → "));
    regions.unwrap_or_default()
}

/// Returns a block below a line with a name and a few words, where it is shown on demand.
pub(super) fn folded(name: impl Display, words: &str, block: &str) -> String {
    let name = html(name);
    format!("\n<details><summary>{name}: {words}</summary>\n\n{block}\n</details>\n")
}

/// Returns a name as code in a line of HTML.
fn html(text: impl Display) -> String {
    let escaped = short(text, MAX_NAME).replace('&', "&amp;");
    let escaped = escaped.replace('<', "&lt;").replace('>', "&gt;");
    let escaped = escaped.replace('"', "&quot;").replace('\'', "&#39;");
    format!("<code>{escaped}</code>")
}

/// Returns a block of lines that are shown as they are; each has been made [`safe`].
pub(super) fn fenced(language: &str, lines: &str) -> String {
    let fence = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", lines.trim_end())
}

/// Returns a name for the quotes of a Mermaid drawing, without anything that could be syntax.
pub(super) fn label(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.chars()
        .take(64)
        .map(|c| if plain(c) { c } else { '?' })
        .collect()
}

/// Returns a text without line ends as a code span.
fn span(text: &str) -> String {
    // Two backticks with nothing between them are not a code span.
    if text.is_empty() {
        return "` `".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let at_an_end = |c: char| text.starts_with(c) || text.ends_with(c);
    // One space at each end belongs to the fence.
    let space = if at_an_end('`') || at_an_end(' ') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Returns the length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns a text made [`safe`], and cut after this many bytes.
fn short(text: impl Display, max_bytes: usize) -> String {
    let text = text.to_string();
    let text = safe(&text);
    let end = text.floor_char_boundary(max_bytes);
    match text.get(..end) {
        Some(start) if end < text.len() => format!("{start}…"),
        _ => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_spans_hold_any_text() {
        for (text, shown) in [
            ("ami-01", "`ami-01`"),
            ("", "` `"),
            ("a`b", "``a`b``"),
            ("`a``", "``` `a`` ```"),
            ("`", "`` ` ``"),
            (" a ", "`  a  `"),
            ("a\n# b", r"`a\n# b`"),
            ("<b>@x #1 [a](b) *c*", "`<b>@x #1 [a](b) *c*`"),
        ] {
            assert_eq!(name(text), shown);
        }
        assert_eq!(name("é".repeat(200)), format!("`{}…`", "é".repeat(128)));
    }
}
