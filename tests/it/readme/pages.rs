//! The pages, read as GitHub reads them.

use std::fs;

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Arena, Options, parse_document};

use super::project;

/// A page and its parts, in their order.
pub struct Page {
    pub path: String,
    pub text: String,
    pub parts: Vec<(usize, Part)>,
}

/// A part of a page that is tested.
#[derive(Debug)]
pub enum Part {
    Heading(String),
    /// A block of code; an indented block has no info.
    Block {
        info: Option<String>,
        text: String,
    },
    /// Code within a line. In the first column of a table of commands it is a usage: `[…]` may be omitted.
    Code {
        text: String,
        usage: bool,
    },
    /// The words of each cell, the header row first.
    Table(Vec<Vec<String>>),
    /// The target of a link or a picture.
    Link(String),
}

/// Returns README.md and the pages in `src/guide/`.
pub fn all() -> Vec<Page> {
    let mut pages = vec![page("README.md")];
    for entry in fs::read_dir(project("src/guide")).expect("the folder") {
        let name = entry.expect("an entry").file_name();
        let path = format!("src/guide/{}", name.to_string_lossy());
        if path.ends_with(".md") {
            pages.push(page(&path));
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(project(path)).expect("a page");
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.alerts = true;
    let arena = Arena::new();
    let mut parts = Vec::new();
    read(parse_document(&arena, &text, &options), false, &mut parts);
    let path = path.to_owned();
    Page { path, text, parts }
}

fn read<'a>(node: &'a AstNode<'a>, usage: bool, parts: &mut Vec<(usize, Part)>) {
    let data = node.data.borrow();
    let part = match &data.value {
        NodeValue::Heading(_) => Some(Part::Heading(words(node))),
        NodeValue::CodeBlock(block) => Some(Part::Block {
            info: block.fenced.then(|| block.info.clone()),
            text: block.literal.clone(),
        }),
        NodeValue::Code(code) => Some(Part::Code {
            text: code.literal.clone(),
            usage,
        }),
        NodeValue::Table(_) => Some(Part::Table(cells(node))),
        NodeValue::Link(link) | NodeValue::Image(link) => Some(Part::Link(link.url.clone())),
        NodeValue::HtmlBlock(_) | NodeValue::HtmlInline(_) => {
            panic!(
                "line {}: HTML, which is not tested",
                data.sourcepos.start.line
            )
        }
        _ => None,
    };
    let of_commands = matches!(&part, Some(Part::Table(rows)) if is_of_commands(rows));
    let row = matches!(data.value, NodeValue::TableRow(_));
    parts.extend(part.map(|part| (data.sourcepos.start.line, part)));
    for (n, child) in node.children().enumerate() {
        let usage = if row {
            usage && n == 0
        } else {
            usage || of_commands
        };
        read(child, usage, parts);
    }
}

fn is_of_commands(rows: &[Vec<String>]) -> bool {
    rows.first()
        .and_then(|head| head.first())
        .is_some_and(|first| first == "command")
}

fn cells<'a>(table: &'a AstNode<'a>) -> Vec<Vec<String>> {
    table
        .children()
        .map(|row| row.children().map(words).collect())
        .collect()
}

/// Returns the words of a node, including its code.
fn words<'a>(node: &'a AstNode<'a>) -> String {
    node.descendants()
        .map(|node| match &node.data.borrow().value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Code(code) => code.literal.clone(),
            NodeValue::SoftBreak => " ".to_owned(),
            _ => String::new(),
        })
        .collect()
}

impl Page {
    /// Returns the place of a line.
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// Returns the rows of all tables under a heading, without header rows.
    pub fn rows(&self, heading: &str) -> Vec<&[String]> {
        let mut parts = self.parts.iter().map(|(_, part)| part);
        let found = parts.any(|part| matches!(part, Part::Heading(words) if words == heading));
        assert!(found, "{} has no {heading}", self.path);
        parts
            .take_while(|part| !matches!(part, Part::Heading(_)))
            .filter_map(|part| match part {
                Part::Table(rows) => Some(rows.iter().skip(1).map(Vec::as_slice)),
                _ => None,
            })
            .flatten()
            .collect()
    }

    /// Returns the names of its headings in links, as GitHub makes them.
    fn anchors(&self) -> Vec<String> {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        self.parts
            .iter()
            .filter_map(|(_, part)| match part {
                Part::Heading(words) => Some(words),
                _ => None,
            })
            .map(|words| {
                let words = words.to_lowercase();
                words.chars().filter(kept).collect::<String>()
            })
            .map(|words| words.replace(' ', "-"))
            .collect()
    }
}

#[test]
fn links_within_the_project_lead_somewhere() {
    let pages = all();
    for page in &pages {
        let folder = project(&page.path);
        let folder = folder.parent().expect("a folder");
        for (line, part) in &page.parts {
            let Part::Link(url) = part else { continue };
            if url.starts_with("https://") {
                continue;
            }
            let (file, anchor) = url.split_once('#').unwrap_or((url, ""));
            let to = match file {
                "" => project(&page.path),
                file => folder.join(file),
            };
            let to = to.canonicalize();
            let to = to.unwrap_or_else(|error| panic!("{}: {url}: {error}", page.at(*line)));
            if anchor.is_empty() {
                continue;
            }
            let is_it = |page: &&Page| project(&page.path).canonicalize().expect("there") == to;
            let page_there = pages.iter().find(is_it).expect("a page");
            assert!(
                page_there.anchors().iter().any(|there| there == anchor),
                "{}: no {anchor} in {:?}",
                page.at(*line),
                page_there.anchors()
            );
        }
    }
}
