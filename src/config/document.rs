//! The YAML document of a config as a tree in which every value has its line and column.
//!
//! saphyr-parser reads the text, because serde_yaml reports no positions, mixes up anchors that are defined twice, and refuses
//! integers above 64 bits. serde_yaml interprets scalars, and reads parts of the tree into structs. Aliases share the value that
//! they stand for; the size of the text without aliases is counted and limited.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_yaml::Value;

use super::syntax::{self, MAX_DEPTH};
use super::{names, source};
use crate::model::problem::{Problem, TextPlace};

/// The maximum number of bytes of a config in which every alias is replaced by what it stands for.
const MAX_EXPANDED: usize = 2 * source::MAX_BYTES as usize;
/// The maximum number of repeated keys that are reported.
const MAX_REPEATED: usize = 20;

/// The help for a config without jobs.
pub(super) const EXAMPLE: &str = "`xrs init` writes an example of a config with jobs";

/// A value of the config.
pub(super) struct Node {
    /// Where it is written; for an alias, where its anchor is.
    pub(super) place: TextPlace,
    pub(super) data: Data,
    /// Whether it has an anchor, so that aliases can refer to it.
    pub(super) is_anchored: bool,
    /// Its size in bytes, with every alias replaced.
    weight: usize,
    /// How deeply mappings and lists are nested in it.
    depth: usize,
}

/// What a value is.
pub(super) enum Data {
    Scalar {
        text: String,
        is_quoted: bool,
    },
    List(Vec<Rc<Node>>),
    /// Includes the entries that `<<` merges in.
    Mapping(Vec<Entry>),
}

/// A key of a mapping, and its value.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key is.
    pub(super) place: TextPlace,
    pub(super) node: Rc<Node>,
}

impl Entry {
    /// Returns the options in a mapping, or no options if the value is empty. Fails for any other value.
    pub(super) fn options(&self, owner: &str) -> Result<&[Self], Problem> {
        match &self.node.data {
            Data::Mapping(options) => Ok(options),
            _ if self.node.is_blank() => Ok(&[]),
            _ => {
                let message = format!("{owner} must be a mapping, not {}", self.node.noun());
                Err(Problem::new(message).at(self.place))
            }
        }
    }
}

impl Node {
    /// Returns the value for serde. Integers remain text, as written, because account ids are often written without quotes.
    pub(super) fn value(&self) -> Value {
        match &self.data {
            Data::Scalar { text, is_quoted } if *is_quoted || is_word(text) => {
                Value::from(text.as_str())
            }
            Data::Scalar { text, .. } => match serde_yaml::from_str(text) {
                Ok(value @ (Value::Null | Value::Bool(_))) => value,
                Ok(Value::Number(number)) if number.is_f64() => Value::Number(number),
                _ => Value::from(text.as_str()),
            },
            Data::List(items) => items.iter().map(|item| item.value()).collect(),
            Data::Mapping(entries) => {
                let value = |entry: &Entry| (entry.key.as_str().into(), entry.node.value());
                Value::Mapping(entries.iter().map(value).collect())
            }
        }
    }

    /// Returns true if there is no value: null, or empty text.
    pub(super) fn is_blank(&self) -> bool {
        let Data::Scalar { text, is_quoted } = &self.data else {
            return false;
        };
        let is_null = !is_quoted && matches!(text.as_str(), "~" | "null" | "Null" | "NULL");
        is_null || text.trim().is_empty()
    }

    /// Returns the text of a single value.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns what kind of value it is, for a message.
    pub(super) fn noun(&self) -> &'static str {
        match &self.data {
            Data::Scalar { .. } => "a single value",
            Data::List(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the one document of a config. If the file as a whole is unusable, returns the problems, at least one.
pub(super) fn read(bytes: &[u8]) -> Result<Rc<Node>, Vec<Problem>> {
    let text = source::text(bytes).map_err(|problem| vec![problem])?;
    // The parser refuses a tab after a colon, which YAML allows.
    let text = text.replace(":\t", ": ");
    let mut reader = Reader {
        parser: Parser::new_from_str(&text),
        anchors: HashMap::new(),
        repeated: Vec::new(),
        weight: 0,
    };
    let document = reader.document();
    let mut problems = reader.repeated;
    problems.truncate(MAX_REPEATED);
    match document {
        Ok(document) if problems.is_empty() => return Ok(document),
        Ok(_) => {}
        Err(problem) if text.contains("<%") => problems.push(
            problem
                .help("xrs does not process templates: run erb first, and give its output to xrs"),
        ),
        Err(problem) => problems.push(problem),
    }
    Err(problems)
}

type Step<T = ()> = Result<T, Problem>;

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// What each anchor stands for; `None` until its value has ended.
    anchors: HashMap<usize, Option<Rc<Node>>>,
    /// Problems about keys that are given twice.
    repeated: Vec<Problem>,
    /// The number of bytes so far, with every alias replaced.
    weight: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Step<(Event<'t>, TextPlace)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(span))),
            Some(Err(error)) => Err(syntax::problem(&error)),
            None => Ok((Event::StreamEnd, syntax::character(1, 1))),
        }
    }

    fn document(&mut self) -> Step<Rc<Node>> {
        let mut root: Option<Rc<Node>> = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => {
                    let root = root.filter(|root| !root.is_blank());
                    return root.ok_or_else(|| Problem::new("the config is empty").help(EXAMPLE));
                }
                Event::DocumentStart(_) if root.is_some() => {
                    let help = "keep all jobs in one document: remove this line, and whatever ends a document above it";
                    let problem = Problem::new("the config has more than one YAML document");
                    return Err(problem.at(place).help(help));
                }
                Event::DocumentStart(_) => {
                    let next = self.next()?;
                    root = Some(self.node(next, 0)?);
                }
                _ => {}
            }
        }
    }

    /// Reads the value that starts with this event, inside `depth` mappings and lists.
    fn node(&mut self, (event, place): (Event<'t>, TextPlace), depth: usize) -> Step<Rc<Node>> {
        let (anchor, tag) = match &event {
            Event::Alias(anchor) => return self.alias(*anchor, place, depth),
            Event::Scalar(_, _, anchor, tag)
            | Event::SequenceStart(anchor, tag)
            | Event::MappingStart(anchor, tag) => (*anchor, tag.as_deref()),
            _ => return Err(syntax::missing_value(place)),
        };
        check_tag(tag, place)?;
        let is_text = tag.is_some_and(|tag| tag.suffix == "str");
        check_depth(depth, place)?;
        self.anchors.insert(anchor, None);
        let before = self.weight;
        let (length, data) = match event {
            Event::Scalar(text, style, ..) => {
                self.count(1 + text.len(), place)?;
                // Without quotes, it is as long as its text. The parser would include a colon at the end of the line.
                let length = match style {
                    ScalarStyle::Plain => place.length.min(text.chars().count()).max(1),
                    _ => place.length,
                };
                let is_quoted = is_text || style != ScalarStyle::Plain;
                let text = text.into_owned();
                (length, Data::Scalar { text, is_quoted })
            }
            Event::SequenceStart(..) => (1, Data::List(self.list(depth + 1)?)),
            _ => (1, Data::Mapping(self.mapping(depth + 1)?)),
        };
        let deepest = match &data {
            Data::Scalar { .. } => None,
            Data::List(items) => items.iter().map(|item| item.depth).max(),
            Data::Mapping(entries) => entries.iter().map(|entry| entry.node.depth).max(),
        };
        let node = Rc::new(Node {
            place: TextPlace { length, ..place },
            data,
            is_anchored: anchor > 0,
            weight: self.weight - before,
            depth: deepest.map_or(0, |depth| depth + 1),
        });
        self.anchors.insert(anchor, Some(Rc::clone(&node)));
        Ok(node)
    }

    /// Returns the value that an alias stands for.
    fn alias(&mut self, anchor: usize, place: TextPlace, depth: usize) -> Step<Rc<Node>> {
        let Some(Some(node)) = self.anchors.get(&anchor).cloned() else {
            let problem = Problem::new("this alias stands for a value that contains the alias");
            let help = "write out the value, without the alias";
            return Err(problem.at(place).help(help));
        };
        check_depth(depth + node.depth, place)?;
        self.count(1 + node.weight, place)?;
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Step<Vec<Rc<Node>>> {
        let mut items = Vec::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::SequenceEnd {
                return Ok(items);
            }
            items.push(self.node(next, depth)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Step<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut merged = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let next = self.next()?;
            if next.0 == Event::MappingEnd {
                break;
            }
            let place = next.1;
            let node = self.node(next, depth)?;
            let length = node.place.length;
            let place = TextPlace { length, ..place };
            let Some(key) = node.text().map(|text| without_colon(text).to_owned()) else {
                let message = format!("a key must be text, not {}", node.noun());
                return Err(Problem::new(message).at(place));
            };
            if let Some(line) = lines.insert(key.clone(), place.line) {
                let problem =
                    Problem::new(format!("the key `{}` is given twice", names::key(&key)));
                let help = format!("it is already on line {line}; rename or remove one of them");
                self.repeated.push(problem.at(place).help(help));
            }
            let next = self.next()?;
            let node = self.node(next, depth)?;
            match key.as_str() {
                "<<" => merged = merge_sources(&node)?,
                _ => entries.push(Entry { key, place, node }),
            }
        }
        merged.retain(|entry| lines.insert(entry.key.clone(), 0).is_none());
        entries.append(&mut merged);
        Ok(entries)
    }

    /// Counts the bytes, and stops if a few aliases of aliases would fill the memory.
    fn count(&mut self, weight: usize, place: TextPlace) -> Step {
        self.weight += weight;
        if self.weight > MAX_EXPANDED {
            let message = format!(
                "with every alias replaced by what it stands for, the config is larger than {MAX_EXPANDED} bytes"
            );
            let problem = Problem::new(message).at(place);
            return Err(problem.help("use fewer aliases of aliases"));
        }
        Ok(())
    }
}

/// Returns the entries that `<<` merges in: those of a mapping, or of several mappings in a list.
fn merge_sources(node: &Node) -> Step<Vec<Entry>> {
    let sources = match &node.data {
        Data::List(items) => items.iter().map(Rc::as_ref).collect(),
        _ => vec![node],
    };
    let mut merged = Vec::new();
    for source in sources {
        let Data::Mapping(entries) = &source.data else {
            let message = format!("`<<` merges mappings, not {}", source.noun());
            return Err(Problem::new(message).at(source.place));
        };
        merged.extend_from_slice(entries);
    }
    Ok(merged)
}

/// Returns true if a text can't be null, a boolean or a number. Parsing every text to find that out would take most of the time.
fn is_word(text: &str) -> bool {
    text.len() > "false".len() && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Returns a key without the colon that makes it a Ruby symbol.
fn without_colon(key: &str) -> &str {
    let symbol = key.strip_prefix(':');
    let is_name = |symbol: &&str| symbol.starts_with(|c: char| c.is_ascii_alphabetic());
    symbol.filter(is_name).unwrap_or(key)
}

/// Returns the start of a span, and its length if it ends on the same line.
fn place(span: Span) -> TextPlace {
    let is_one_line = span.start.line() == span.end.line();
    TextPlace {
        line: span.start.line(),
        column: span.start.col() + 1,
        length: if is_one_line { span.len().max(1) } else { 1 },
    }
}

fn check_depth(depth: usize, place: TextPlace) -> Step {
    match depth {
        0..=MAX_DEPTH => Ok(()),
        _ => Err(syntax::too_deep(place)),
    }
}

/// Refuses tags other than those of YAML itself, such as `!!str`.
fn check_tag(tag: Option<&Tag>, place: TextPlace) -> Step {
    if tag.is_none_or(Tag::is_yaml_core_schema) {
        return Ok(());
    }
    let help =
        "remove the word that starts with `!`, or put quotes around a text that starts with it";
    let problem = Problem::new("tags have no meaning in a config");
    Err(problem.at(TextPlace { length: 1, ..place }).help(help))
}
