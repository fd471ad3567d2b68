//! The events of a YAML parser put together as a tree.

use std::collections::{HashMap, hash_map};
use std::rc::Rc;

use super::text;
use super::yaml::{Data, Entry, Key, MAX_DEPTH, MAX_EXPANDED, Node, Step, too_deep};
use crate::model::problem::{Problem, TextPlace};

/// Keys given twice that are told of; a file with more has another problem.
const MAX_REPEATED: usize = 20;

/// Where the parser is in the text.
#[derive(Default)]
pub(super) struct Loader {
    /// What has begun and not ended, outermost first.
    open: Vec<Open>,
    /// What each anchor stands for; `None` while that has begun and not ended.
    anchors: HashMap<usize, Option<Rc<Node>>>,
    /// Keys that were given twice.
    repeated: Vec<Problem>,
    documents: usize,
    root: Option<Rc<Node>>,
    /// The bytes so far, with every alias written out.
    weight: usize,
}

/// A mapping or list that has begun.
struct Open {
    place: TextPlace,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Mapping(Pairs),
}

#[derive(Default)]
struct Pairs {
    entries: Vec<Entry>,
    /// The lines on which keys were first given.
    lines: HashMap<String, usize>,
    /// The key whose value comes next.
    key: Option<Rc<Key>>,
    /// Whether that key is `<<`.
    key_is_merge: bool,
    /// What `<<` brings in once the mapping's own keys are known: they win.
    merged: Option<Rc<Node>>,
}

impl Loader {
    /// A document begins.
    pub(super) fn document(&mut self, place: TextPlace) -> Step {
        self.documents += 1;
        if self.documents > 1 {
            return Err(Problem::new("the config holds more than one YAML document")
                .at(place)
                .help("keep all jobs in one document: remove this line, and whatever ends a document above it"));
        }
        Ok(())
    }

    /// A mapping or list begins.
    pub(super) fn open(&mut self, is_mapping: bool, anchor: usize, place: TextPlace) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        let content = if is_mapping {
            Content::Mapping(Pairs::default())
        } else {
            Content::List(Vec::new())
        };
        self.open.push(Open {
            place,
            anchor,
            content,
        });
        Ok(())
    }

    /// The innermost mapping or list ends.
    pub(super) fn close(&mut self) -> Step {
        let Some(Open {
            place,
            anchor,
            content,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let data = match content {
            Content::List(items) => Data::List(items),
            Content::Mapping(pairs) => Data::Mapping(self.with_merged(pairs)?),
        };
        let (depth, weight) = match &data {
            Data::Scalar { .. } => (0, 0),
            Data::List(items) => extent(items.iter().map(|item| (0, item))),
            Data::Mapping(entries) => extent(
                entries
                    .iter()
                    .map(|entry| (entry.key.text.len(), &entry.value)),
            ),
        };
        self.complete(
            Node {
                place,
                data,
                weight,
                depth,
            },
            anchor,
        )
    }

    /// An alias: the node of its anchor again.
    pub(super) fn alias(&mut self, anchor: usize, place: TextPlace) -> Step {
        match self.anchors.get(&anchor) {
            Some(Some(node)) => {
                let node = Rc::clone(node);
                self.count(node.weight, place)?;
                self.put(node, place)
            }
            _ => Err(
                Problem::new("this alias stands for something that contains it")
                    .at(place)
                    .help("write out what is meant, without the alias"),
            ),
        }
    }

    /// A node is complete.
    pub(super) fn complete(&mut self, node: Node, anchor: usize) -> Step {
        let place = node.place;
        if let Data::Scalar { .. } = node.data {
            self.count(node.weight, place)?;
        }
        let node = Rc::new(node);
        if anchor > 0 {
            self.anchors.insert(anchor, Some(Rc::clone(&node)));
        }
        self.put(node, place)
    }

    /// Puts a node where the text has it: `place` is the place of an alias, if it came by one.
    fn put(&mut self, node: Rc<Node>, place: TextPlace) -> Step {
        if self.open.len() + node.depth > MAX_DEPTH {
            return Err(too_deep(place));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Mapping(pairs)) => {
                let repeated = pairs.put(node, place)?;
                if self.repeated.len() < MAX_REPEATED {
                    self.repeated.extend(repeated);
                }
            }
        }
        Ok(())
    }

    /// The entries of a mapping that has ended, with those that `<<` brings in and it does not have itself.
    fn with_merged(&mut self, pairs: Pairs) -> Step<Vec<Entry>> {
        let Pairs {
            mut entries,
            mut lines,
            merged,
            ..
        } = pairs;
        let Some(merged) = merged else {
            return Ok(entries);
        };
        let sources = match &merged.data {
            Data::List(items) => items.iter().map(Rc::as_ref).collect(),
            _ => vec![merged.as_ref()],
        };
        for source in sources {
            let Data::Mapping(more) = &source.data else {
                return Err(
                    Problem::new(format!("`<<` takes in mappings, not {}", source.kind()))
                        .at(source.place),
                );
            };
            self.count(source.weight, source.place)?;
            for entry in more {
                if lines
                    .insert(entry.key.text.clone(), entry.key.place.line)
                    .is_none()
                {
                    entries.push(entry.clone());
                }
            }
        }
        Ok(entries)
    }

    /// Counts what comes in, and stops where a few aliases of aliases would fill the memory.
    fn count(&mut self, weight: usize, place: TextPlace) -> Step {
        self.weight = self.weight.saturating_add(weight);
        if self.weight > MAX_EXPANDED {
            let message = format!(
                "with its aliases written out, the config is larger than {MAX_EXPANDED} bytes"
            );
            return Err(Problem::new(message)
                .at(place)
                .help("use fewer aliases of aliases"));
        }
        Ok(())
    }

    /// What there is to say when the text breaks off with `problem`.
    pub(super) fn stop(mut self, problem: Problem) -> Vec<Problem> {
        self.repeated.push(problem);
        self.repeated
    }

    /// The tree, when the text has ended.
    pub(super) fn finish(self) -> Result<Rc<Node>, Vec<Problem>> {
        if !self.repeated.is_empty() {
            return Err(self.repeated);
        }
        let empty = || vec![Problem::new("the config is empty").help(super::EXAMPLE)];
        self.root.filter(|root| !root.is_null()).ok_or_else(empty)
    }
}

impl Pairs {
    /// Takes a key or a value; what there is to say if the key was given before.
    fn put(&mut self, node: Rc<Node>, place: TextPlace) -> Step<Option<Problem>> {
        let Some(key) = self.key.take() else {
            let Data::Scalar { text, plain } = &node.data else {
                let message = format!("a key is a text, not {}", node.kind());
                return Err(Problem::new(message).at(TextPlace { length: 1, ..place }));
            };
            self.key_is_merge = *plain && text == "<<";
            self.key = Some(Rc::new(Key {
                text: text.clone(),
                place,
            }));
            return Ok(match self.lines.entry(text.clone()) {
                hash_map::Entry::Occupied(first) => Some(repeated(text, *first.get(), place)),
                hash_map::Entry::Vacant(vacant) => {
                    vacant.insert(place.line);
                    None
                }
            });
        };
        if self.key_is_merge {
            self.merged = Some(node);
        } else {
            self.entries.push(Entry { key, value: node });
        }
        Ok(None)
    }
}

/// The depth and the weight of what holds these nodes, each with the weight of its key.
fn extent<'n>(nodes: impl Iterator<Item = (usize, &'n Rc<Node>)>) -> (usize, usize) {
    nodes.fold((1, 1), |(depth, weight), (key, node)| {
        (
            depth.max(1 + node.depth),
            weight.saturating_add(key).saturating_add(1 + node.weight),
        )
    })
}

fn repeated(key: &str, first: usize, place: TextPlace) -> Problem {
    Problem::new(format!("the key `{}` is given twice", text::key(key)))
        .at(place)
        .help(format!(
            "it is on line {first} already; rename one of them, or remove it"
        ))
}
