//! One mapping of options, read one by one; what is left over is misspelt or out of place.

use similar::get_close_matches;

use super::text::{self, holds_control, named, quoted};
use super::yaml::{Data, Entry, Node};
use crate::model::client_config::Secret;
use crate::model::problem::{Problem, TextPlace};
use crate::model::words::count;

/// How like an option a misspelt one must be to be taken for it: the share of letters in common.
const ALIKE: f32 = 0.6;
/// Left-over options that are told of one by one.
const MAX_UNKNOWN: usize = 20;

/// The options of a job, of a client config or of a filter, while they are read.
pub(super) struct Options<'a> {
    /// Whose options they are, for messages: `sync_my_database`.
    whose: String,
    /// The key that this mapping belongs to: where something is missing.
    place: TextPlace,
    entries: &'a [Entry],
    /// The options asked for so far.
    asked: Vec<&'static str>,
    /// Options that are given and have no effect.
    accepted: Vec<&'static str>,
    problems: Vec<Problem>,
}

/// An option as it was given.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// Its name as written, which may be an alias.
    pub(super) name: &'a str,
    pub(super) key: TextPlace,
    pub(super) value: &'a Node,
}

impl<'a> Options<'a> {
    pub(super) fn new(whose: impl Into<String>, place: TextPlace, entries: &'a [Entry]) -> Self {
        Self {
            whose: whose.into(),
            place,
            entries,
            asked: Vec::new(),
            accepted: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(super) fn whose(&self) -> &str {
        &self.whose
    }

    pub(super) fn say(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn say_all(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    /// Says that an option must be something else; `not` is what it is, if that may be shown.
    pub(super) fn must(
        &mut self,
        given: Given<'_>,
        must: &str,
        not: Option<String>,
        help: Option<&str>,
    ) {
        let Given { name, key, value } = given;
        let (not, at) = match not {
            Some(not) => (format!(", not {not}"), value.place),
            None => (String::new(), key),
        };
        if value.is_null() {
            let message = format!("option `{name}` of {} has no value", self.whose);
            let help = format!("it must be {must}; or else leave the option out");
            return self.say(Problem::new(message).at(key).help(help));
        }
        let mut problem = Problem::new(format!(
            "option `{name}` of {} must be {must}{not}",
            self.whose
        ))
        .at(at);
        problem.help = help.map(str::to_owned);
        self.say(problem);
    }

    /// An option under any of its names. Given under several, they must say the same.
    pub(super) fn given(&mut self, names: &[&'static str]) -> Option<Given<'a>> {
        self.asked.extend(names);
        let entries = self.entries;
        let mut found = entries
            .iter()
            .filter(|entry| names.contains(&entry.key.text.as_str()));
        let first = found.next()?;
        for other in found {
            if !same_scalar(&first.value, &other.value) {
                let (one, two) = (&first.key.text, &other.key.text);
                let message = format!(
                    "options `{one}` and `{two}` of {} mean the same, but differ",
                    self.whose
                );
                self.problems.push(
                    Problem::new(message)
                        .at(other.key.place)
                        .help(format!("give `{one}` alone")),
                );
            }
        }
        Some(Given {
            name: &first.key.text,
            key: first.key.place,
            value: &first.value,
        })
    }

    /// Takes options as known, whatever they say.
    pub(super) fn given_any(&mut self, names: &[&'static str]) {
        self.asked.extend(names);
    }

    /// Where an option is given that is accepted, but never suggested.
    pub(super) fn accepted(&mut self, name: &'static str) -> Option<TextPlace> {
        let entry = self.entries.iter().find(|entry| entry.key.text == name)?;
        self.accepted.push(name);
        Some(entry.key.place)
    }

    /// An option that every such mapping has.
    pub(super) fn required(&mut self, name: &'static str, help: &str) -> Option<Given<'a>> {
        let given = self.given(&[name]);
        if given.is_none() {
            let message = format!("{} has no `{name}`, which is required", self.whose);
            self.say(Problem::new(message).at(self.place).help(help));
        }
        given
    }

    /// The text of an option. A number keeps the text it is written with.
    pub(super) fn text<'v>(&mut self, given: Given<'v>) -> Option<&'v str> {
        let (not, help) = match &given.value.data {
            Data::Scalar { text, plain } if !given.value.is_null() => match text.as_str() {
                blank if blank.trim().is_empty() => (
                    "an empty one".to_owned(),
                    Some("give it a value, or leave the option out"),
                ),
                text if *plain && as_flag(text).is_some() => {
                    let help = "put quotes around it if this is what it is called";
                    self.must(given, "a text", Some(text.to_owned()), Some(help));
                    return None;
                }
                text if holds_control(text) => {
                    self.must(
                        given,
                        "a text without control characters and line breaks",
                        None,
                        None,
                    );
                    return None;
                }
                text => return Some(text),
            },
            _ => (given.value.kind().to_owned(), None),
        };
        self.must(given, "a text", Some(not), help);
        None
    }

    /// The text of an option that is never shown.
    pub(super) fn secret(&mut self, given: Given<'_>) -> Option<Secret> {
        match &given.value.data {
            Data::Scalar { text, .. }
                if !given.value.is_null() && !text.is_empty() && !holds_control(text) =>
            {
                Some(Secret::new(text.trim()))
            }
            _ => {
                self.must(given, "a text that is not empty, on one line", None, None);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, given: Given<'_>) -> Option<bool> {
        let flag = match &given.value.data {
            Data::Scalar { text, plain: true } => as_flag(text),
            _ => None,
        };
        if flag.is_none() {
            self.must(
                given,
                "true or false",
                Some(shown(given.value)),
                Some("write true or false, without quotes"),
            );
        }
        flag
    }

    /// A whole number from `least`. Text that is a number is taken, as the older tool took it.
    pub(super) fn whole_number(&mut self, given: Given<'_>, least: u32) -> Option<u32> {
        let text = match &given.value.data {
            Data::Scalar { text, .. } => text.trim(),
            _ => "",
        };
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // With a leading zero the older tool counted in eights, and YAML's versions do not agree.
        let has_leading_zero = text.len() > 1 && text.starts_with('0');
        let number = text
            .parse()
            .ok()
            .filter(|number| is_number && !has_leading_zero && *number >= least);
        if number.is_none() {
            let must = match (is_number, least) {
                (true, 1..) if text.trim_start_matches('0').is_empty() => {
                    format!("at least {least}")
                }
                (true, _) if !has_leading_zero => format!("at most {}", u32::MAX),
                _ if text.starts_with('-') => format!("{least} or more"),
                _ => "a whole number".to_owned(),
            };
            let help = has_leading_zero.then_some("write it without leading zeros");
            self.must(given, &must, Some(shown(given.value)), help);
        }
        number
    }

    /// Says what was given and never asked for. `elsewhere` tells what an option is that belongs to something else.
    pub(super) fn finish(mut self, elsewhere: impl Fn(&str) -> Option<String>) -> Vec<Problem> {
        let is_known = |name: &str| self.asked.contains(&name) || self.accepted.contains(&name);
        let unknown: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| !is_known(&entry.key.text))
            .collect();
        for entry in unknown.iter().take(MAX_UNKNOWN) {
            let problem = self
                .unknown(&entry.key.text, &elsewhere)
                .at(entry.key.place);
            self.say(problem);
        }
        if let Some(next) = unknown.get(MAX_UNKNOWN) {
            let more = unknown.len() - MAX_UNKNOWN;
            let more = count(more, "more unknown option", "more unknown options");
            let message = format!("{more} in {}", self.whose);
            self.say(Problem::new(message).at(next.key.place));
        }
        self.problems
    }

    fn unknown(&self, name: &str, elsewhere: &impl Fn(&str) -> Option<String>) -> Problem {
        let whose = &self.whose;
        if let Some(elsewhere) = elsewhere(name) {
            return Problem::new(format!("option `{name}` does not belong in {whose}"))
                .help(elsewhere);
        }
        let problem = Problem::new(format!("unknown option `{}` in {whose}", text::key(name)));
        if name.contains(':') {
            return problem.help("a key is parted from its value by a colon and a space");
        }
        match did_you_mean(name, &self.asked) {
            Some(meant) => problem.help(format!("did you mean `{meant}`?")),
            None => problem.help(format!("there are {}", list(&self.asked))),
        }
    }
}

/// The name that is most like a misspelt one.
pub(super) fn did_you_mean<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    /// Longer than any name by far; what is as long as that is no slip of the fingers.
    const LONGEST: usize = 64;
    let name = name.to_lowercase().replace(['-', ' '], "_");
    if name.len() > LONGEST {
        return None;
    }
    get_close_matches(name.as_str(), names, 1, ALIKE).pop()
}

/// Names for a message: `a`, `b` and `c`.
pub(super) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// A value that is no secret, for a message.
pub(super) fn shown(value: &Node) -> String {
    match &value.data {
        Data::Scalar { text, plain } if !value.is_null() => {
            if *plain {
                named(text)
            } else {
                quoted(text)
            }
        }
        _ => value.kind().to_owned(),
    }
}

fn as_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

fn same_scalar(one: &Node, two: &Node) -> bool {
    match (&one.data, &two.data) {
        (Data::Scalar { text: one, .. }, Data::Scalar { text: two, .. }) => one == two,
        _ => false,
    }
}
