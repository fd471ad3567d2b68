//! Markdown, read as GitHub reads it.

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

/// The parts of a document, with our own words; code is only marked as present.
pub fn outline(markdown: &str) -> Vec<String> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.alerts = true;
    extension.autolink = true;
    extension.footnotes = true;
    extension.math_code = true;
    extension.math_dollars = true;
    extension.strikethrough = true;
    extension.table = true;
    extension.tasklist = true;
    let arena = Arena::new();
    let mut parts = Vec::new();
    add(parse_document(&arena, markdown, &options), 0, &mut parts);
    parts
}

fn add<'a>(node: &'a AstNode<'a>, depth: usize, parts: &mut Vec<String>) {
    let part = match &node.data.borrow().value {
        NodeValue::Code(_) => "code".to_owned(),
        NodeValue::CodeBlock(block) if block.info == "mermaid" => {
            block.literal.lines().for_each(assert_arrow);
            format!("drawing {}", block.literal.lines().count())
        }
        NodeValue::CodeBlock(block) => format!("block {:?}", block.info),
        NodeValue::HtmlBlock(block) => format!("html {:?}", without_code(&block.literal)),
        NodeValue::Text(text) => format!("text {text:?}"),
        NodeValue::Table(table) => format!("table of {}", table.num_columns),
        NodeValue::List(_) => "list".to_owned(),
        NodeValue::Item(_) => "item".to_owned(),
        other => format!("{other:?}"),
    };
    parts.push(format!("{}{part}", " ".repeat(depth)));
    for child in node.children() {
        add(child, depth + 1, parts);
    }
}

/// A line of a drawing is one arrow between two regions, no matter how they are called.
#[track_caller]
fn assert_arrow(line: &str) {
    let quoted: Vec<&str> = line.split('"').collect();
    let (ours, foreign): (Vec<_>, Vec<_>) =
        quoted.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let ours: String = ours.into_iter().map(|(_, part)| *part).collect();
    let ours = ours.replace(|c: char| c.is_ascii_digit(), "");
    let is_ours = ["flowchart LR", "  r[] -->|| r[]"].contains(&ours.as_str());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-?, ".contains(c);
    let is_plain = foreign.iter().all(|(_, part)| part.chars().all(plain));
    assert!(is_ours && is_plain, "{line}");
}

/// HTML without what is between `<code>` and `</code>`, where there are no tags.
#[track_caller]
fn without_code(html: &str) -> String {
    let (before, rest) = html.split_once("<code>").unwrap_or((html, "</code>"));
    let (code, after) = rest.split_once("</code>").expect("it ends");
    assert!(!code.contains(['<', '>', '"', '\'']), "{html}");
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    let without = |code: String, entity| code.replace(entity, "");
    let rest = entities.into_iter().fold(code.to_owned(), without);
    assert!(!rest.contains('&'), "{html}");
    format!("{before}{after}")
}
