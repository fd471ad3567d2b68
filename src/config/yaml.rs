//! YAML text as a tree in which every node knows its place.
//!
//! The tree is built from the events of the parser, and scalars keep their text: what a value means is for the
//! option that reads it to say, so `012345678901` stays an account id. Aliases share the node they stand for, and
//! what a text comes to with all of them written out is counted and bounded.

use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::loader::Loader;
use crate::model::problem::{Problem, TextPlace};

/// Mappings and lists within one another, those that aliases bring in counted. A config needs five.
pub(super) const MAX_DEPTH: usize = 32;
/// What the config may come to, in bytes, with every alias written out: four times what it may be without.
pub(super) const MAX_EXPANDED: usize = 4 * super::MAX_BYTES as usize;

/// What a step of the reading gives, or what ends it.
pub(super) type Step<T = ()> = Result<T, Problem>;

/// A value of the config.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it is written; for the value of an alias, where its anchor is.
    pub(super) place: TextPlace,
    pub(super) data: Data,
    /// The bytes it comes to with every alias written out.
    pub(super) weight: usize,
    /// How many mappings and lists are within one another, this one counted.
    pub(super) depth: usize,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Data {
    /// `plain`: neither quoted nor tagged as text, so that it may mean a number, a boolean or nothing at all.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Rc<Node>>),
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Rc<Key>,
    pub(super) value: Rc<Node>,
}

/// A key and where it is written.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: TextPlace,
}

impl Node {
    /// Whether it is YAML's null: nothing at all, `~` or `null`.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// What it is, for a message that wants something else.
    pub(super) fn kind(&self) -> &'static str {
        match &self.data {
            Data::Scalar { .. } if self.is_null() => "nothing",
            Data::Scalar { .. } => "a single value",
            Data::List(_) => "a list",
            Data::Mapping(_) => "a mapping",
        }
    }
}

/// The one document of the text. The problems make the file as a whole unusable; there is at least one.
pub(super) fn parse(text: &str) -> Result<Rc<Node>, Vec<Problem>> {
    let mut loader = Loader::default();
    for event in Parser::new_from_str(text) {
        let step = event
            .map_err(|error| syntax(&error))
            .and_then(|(event, span)| feed(&mut loader, event, span));
        // What comes after the first error cannot be trusted; keys found twice before it are worth telling.
        if let Err(problem) = step {
            return Err(loader.stop(problem));
        }
    }
    loader.finish()
}

fn feed(loader: &mut Loader, event: Event<'_>, span: Span) -> Step {
    let place = place(span);
    match event {
        Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        Event::DocumentStart(_) => loader.document(place),
        Event::Alias(anchor) => loader.alias(anchor, place),
        Event::Scalar(text, style, anchor, tag) => {
            check_tag(tag.as_deref(), place)?;
            let is_plain = style == ScalarStyle::Plain;
            let is_text = !is_plain || tag.is_some_and(|tag| tag.suffix == "str");
            let weight = 1 + text.len();
            // Unquoted, it is as long as its text; the parser counts a colon at the end of the line with it.
            let length = if is_plain {
                place.length.min(text.chars().count()).max(1)
            } else {
                place.length
            };
            let place = TextPlace { length, ..place };
            let data = Data::Scalar {
                text: text.into_owned(),
                plain: !is_text,
            };
            loader.complete(
                Node {
                    place,
                    data,
                    weight,
                    depth: 0,
                },
                anchor,
            )
        }
        Event::SequenceStart(anchor, tag) => {
            check_tag(tag.as_deref(), place)?;
            loader.open(false, anchor, TextPlace { length: 1, ..place })
        }
        Event::MappingStart(anchor, tag) => {
            check_tag(tag.as_deref(), place)?;
            loader.open(true, anchor, TextPlace { length: 1, ..place })
        }
        Event::SequenceEnd | Event::MappingEnd => loader.close(),
    }
}

/// The start of a span, and its length if it ends on the same line.
fn place(span: Span) -> TextPlace {
    let length = if span.start.line() == span.end.line() {
        span.len().max(1)
    } else {
        1
    };
    TextPlace {
        line: span.start.line(),
        column: span.start.col() + 1,
        length,
    }
}

/// Tags such as `!!str` say what is plain from the option anyway; tags of one's own mean nothing here.
fn check_tag(tag: Option<&Tag>, place: TextPlace) -> Step {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => Err(Problem::new("a tag of one's own means nothing in a config")
            .at(TextPlace { length: 1, ..place })
            .help("remove the word that starts with `!`, or put quotes around a text that starts with one")),
        _ => Ok(()),
    }
}

fn syntax(error: &ScanError) -> Problem {
    let mark = error.marker();
    let place = TextPlace {
        line: mark.line(),
        column: mark.col() + 1,
        length: 1,
    };
    if error.info() == "recursion limit exceeded" {
        return too_deep(place);
    }
    Problem::new(format!("this is not YAML: {}", error.info()))
        .at(place)
        .help("look here and just above for a missing quote, comma, colon or bracket, or for a tab or a wrong indentation")
}

pub(super) fn too_deep(place: TextPlace) -> Problem {
    Problem::new(format!(
        "mappings and lists are more than {MAX_DEPTH} deep within one another"
    ))
    .at(place)
    .help("a config has jobs at its top level, and their options inside them")
}
