//! One mapping of options: finds those that are misspelt, out of place, missing or given twice, and reads the others into a struct.

use std::collections::HashMap;

use serde_path_to_error::Segment;
use serde_yaml::{Mapping, Value};

use super::document::{Data, Entry, Node};
use super::names::{self, close_match, list, named};
use super::reference::{OptionFacts, OptionGroup};
use super::shared_options::{DESTINATION_REGION, DESTINATIONS};
use super::source::{is_control, is_template};
use crate::model::problem::{Problem, TextPlace};
use crate::model::report::Level;
use crate::model::words::count;
use crate::sync_types::{Finding, OptionError, SyncTypeRules};

/// The maximum number of unknown options, and of invalid values, that are reported for a section.
const MAX_REPORTED: usize = 20;

/// The options of a job or of an `aws_client_config`.
pub(super) struct Section<'d> {
    /// How messages name it, such as `sync_my_database`.
    pub(super) owner: String,
    /// Where its key is.
    place: TextPlace,
    /// The options that are given, by name.
    given: HashMap<&'d str, &'d Entry>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

impl<'d> Section<'d> {
    /// Collects the options that are given. `elsewhere` returns where a misplaced option belongs.
    pub(super) fn new(
        owner: &str,
        place: TextPlace,
        options: impl IntoIterator<Item = &'d Entry>,
        groups: &[&'d OptionGroup],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let mut section = Self {
            owner: owner.to_owned(),
            place,
            given: HashMap::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        let mut unknown = Vec::new();
        for option in options {
            match groups.iter().find_map(|group| group.find(&option.key)) {
                Some(facts) => section.take(&facts.name, option),
                None => unknown.push(option),
            }
        }
        section.report_unknown(&unknown, groups, elsewhere);
        section
    }

    fn take(&mut self, name: &'d str, option: &'d Entry) {
        let Some(earlier) = self.get(name) else {
            self.given.insert(name, option);
            return;
        };
        let is_same = option.node.text().is_some() && option.node.text() == earlier.node.text();
        if !is_same && !option.node.is_blank() {
            let (one, two, owner) = (&earlier.key, &option.key, &self.owner);
            let message =
                format!("options `{one}` and `{two}` of {owner} mean the same, but differ");
            let problem = Problem::new(message).at(option.place);
            self.problems
                .push(problem.help(format!("keep only `{one}`")));
        }
    }

    /// Returns an option that has a value: null and empty text count as not given.
    pub(super) fn get(&self, name: &str) -> Option<&'d Entry> {
        let option = self.given.get(name).copied();
        option.filter(|option| !option.node.is_blank())
    }

    /// Returns the options that have a value, by name.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'d str, &'d Entry)> {
        let given = self.given.iter().map(|(name, option)| (*name, *option));
        given.filter(|(_, option)| !option.node.is_blank())
    }

    /// Replaces the value of an option.
    pub(super) fn replace(&mut self, name: &'d str, option: &'d Entry) {
        self.given.insert(name, option);
    }

    /// Removes an option that is read in another way.
    pub(super) fn remove(&mut self, name: &str) {
        self.given.remove(name);
    }

    /// Reports a problem with the value of an option.
    pub(super) fn report(&mut self, name: &str, problem: Problem) {
        let option = self.get(name);
        let place = option.map_or(self.place, |option| option.node.place);
        self.problems.push(problem.at(place));
    }

    /// Returns the values of these options by name.
    pub(super) fn values(&self, group: &OptionGroup) -> Mapping {
        let value = |facts: &OptionFacts| {
            let option = self.get(&facts.name)?;
            Some((Value::from(facts.name.as_str()), option.node.value()))
        };
        group.options.iter().filter_map(value).collect()
    }

    /// Reads these options into a struct. Serde stops at the first error, so to report every error, the option or the item of its list
    /// is removed and the others are read again.
    pub(super) fn read<T>(
        &mut self,
        group: &OptionGroup,
        read: impl Fn(Value) -> Result<T, OptionError>,
    ) -> Option<T> {
        let problems = self.problems.len();
        self.require(group);
        let mut values = self.values(group);
        for facts in &group.options {
            if let Some(reason) = values.get(&facts.name).and_then(fault) {
                values.remove(&facts.name);
                self.refuse(facts, None, reason);
            }
        }
        // How many items of each list have been read.
        let mut read_items: HashMap<String, usize> = HashMap::new();
        for _ in 0..MAX_REPORTED {
            let error = match read(Value::Mapping(values.clone())) {
                Ok(read) => return Some(read).filter(|_| self.problems.len() == problems),
                Err(error) => error,
            };
            // If a required option is missing, which has been reported, the path is empty.
            let mut path = error.path().iter();
            let name = path.next()?.to_string();
            let facts = group.find(&name)?;
            let reason = error.inner().to_string();
            match (values.get_mut(&name)?, path.next()) {
                (Value::Sequence(items), Some(Segment::Seq { index })) => {
                    let before = read_items.entry(name).or_default();
                    self.refuse(facts, Some(*before + index), &reason);
                    *before += index + 1;
                    items.drain(..=*index);
                }
                _ => {
                    self.refuse(facts, None, &reason);
                    values.remove(&name);
                }
            }
        }
        None
    }

    /// Reports what valid rules find wrong with the options they were read from. `owner` returns how messages name what an option
    /// belongs to, or `None` if the finding does not count.
    pub(super) fn check(
        &mut self,
        group: &OptionGroup,
        rules: &dyn SyncTypeRules,
        owner: impl Fn(&Finding) -> Option<String>,
    ) {
        for finding in rules.check(&self.values(group)) {
            let Some(owner) = owner(&finding) else {
                continue;
            };
            let Some((option, node, of_list)) = self.value(finding.option, finding.item) else {
                continue;
            };
            let (key, message) = (&option.key, finding.message);
            let problem = Problem::new(format!("{of_list}option `{key}` of {owner} {message}"));
            let problem = problem.at(node.place).help(finding.help);
            match finding.level {
                Level::Error => self.problems.push(problem),
                _ => self.warnings.push(problem),
            }
        }
    }

    /// Returns an option that has a value, its value or an item of a list, and the words that name the item.
    fn value(&self, name: &str, item: Option<usize>) -> Option<(&'d Entry, &'d Node, String)> {
        let option = self.get(name)?;
        if let (Data::List(items), Some(index)) = (&option.node.data, item)
            && let Some(node) = items.get(index)
        {
            return Some((option, node, format!("item {} of ", index + 1)));
        }
        Some((option, &option.node, String::new()))
    }

    fn require(&mut self, group: &OptionGroup) {
        for facts in group.options.iter().filter(|facts| facts.is_required) {
            if self.get(&facts.name).is_none() {
                self.report_missing(facts, None);
            }
        }
    }

    /// Reports that a required option is not given, nor another one that can take its place.
    pub(super) fn report_missing(&mut self, facts: &OptionFacts, other: Option<&str>) {
        let (owner, name) = (&self.owner, facts.name.as_str());
        let message = match other {
            Some(other) => {
                format!("{owner} has neither `{name}` nor `{other}`, one of which is required")
            }
            None => format!("{owner} has no `{name}`, which is required"),
        };
        let place = self.given.get(name).map_or(self.place, |empty| empty.place);
        let help = match facts.choices.as_slice() {
            [] => &facts.description,
            _ => &facts.must_be,
        };
        self.problems
            .push(Problem::new(message).at(place).help(help));
    }

    /// Reports an invalid value of an option, or of an item of its list.
    fn refuse(&mut self, facts: &OptionFacts, item: Option<usize>, reason: &str) {
        let Some((option, node, of_list)) = self.value(&facts.name, item) else {
            return;
        };
        // Errors of this crate contain a line break; others come from serde, about a wrong type of value.
        let (must_be, help) = match reason.split_once('\n') {
            Some((must_be, "")) => (must_be, None),
            Some((must_be, help)) => (must_be, Some(help.to_owned())),
            None => (facts.must_be.as_str(), help(facts, node)),
        };
        let (key, owner) = (&option.key, &self.owner);
        let message = format!("{of_list}option `{key}` of {owner} must be {must_be}");
        let mut problem = match facts.is_secret {
            true => Problem::new(message).at(option.place),
            false => Problem::new(format!("{message}, not {}", shown(node))).at(node.place),
        };
        problem.help = help;
        self.problems.push(problem);
    }

    fn report_unknown(
        &mut self,
        unknown: &[&Entry],
        groups: &[&OptionGroup],
        elsewhere: impl Fn(&str) -> Option<String>,
    ) {
        let owner = &self.owner;
        for option in unknown.iter().take(MAX_REPORTED) {
            let key = names::key(&option.key);
            let (message, help) = match elsewhere(&option.key) {
                Some(help) => (format!("option `{key}` does not belong in {owner}"), help),
                None => (
                    format!("unknown option `{key}` in {owner}"),
                    alternatives(&option.key, groups),
                ),
            };
            self.problems
                .push(Problem::new(message).at(option.place).help(help));
        }
        if let Some(next) = unknown.get(MAX_REPORTED) {
            let more = unknown.len() - MAX_REPORTED;
            let more = count(more, "more unknown option", "more unknown options");
            let problem = Problem::new(format!("{more} in {owner}"));
            self.problems.push(problem.at(next.place));
        }
    }
}

/// Returns the help for a value of the wrong type.
fn help(facts: &OptionFacts, node: &Node) -> Option<String> {
    if let (DESTINATION_REGION, Data::List(_)) = (facts.name.as_str(), &node.data) {
        let help = format!("for several regions, write `{DESTINATIONS}: [us-west-1, eu-west-1]`");
        return Some(help);
    }
    let text = node.text()?;
    match facts.must_be.as_str() {
        "text" => Some("put it in quotes if this is what you mean".to_owned()),
        "true or false" => Some("write true or false, without quotes".to_owned()),
        _ => close_match(text, &facts.choices).map(|meant| format!("did you mean `{meant}`?")),
    }
}

fn alternatives(name: &str, groups: &[&OptionGroup]) -> String {
    if name.contains(':') {
        return "put a space after the colon that separates a key from its value".to_owned();
    }
    let options = groups.iter().flat_map(|group| &group.options);
    let names: Vec<&str> = options.flat_map(OptionFacts::names).collect();
    match close_match(name, &names) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the options are {}", list(&names)),
    }
}

/// Returns a value that is not a secret for a message, in quotes if it is quoted in the config.
pub(super) fn shown(node: &Node) -> String {
    match &node.data {
        Data::Scalar { text, .. } if text.is_empty() => "empty".to_owned(),
        Data::Scalar { text, is_quoted } if *is_quoted => format!("\"{}\"", named(text)),
        Data::Scalar { text, .. } => named(text),
        _ => node.noun().to_owned(),
    }
}

/// Returns what every text in a value must be, with help, if a text in this value is not.
fn fault(value: &Value) -> Option<&'static str> {
    match value {
        Value::String(text) if text.contains(is_control) => {
            Some("text without control characters and line breaks\n")
        }
        Value::String(text) if is_template(text) => Some(
            "text without template syntax (`<%`, `{{` or `${`)\nxrs does not process templates: write the value, or run the \
             program that fills it in (erb, envsubst) first",
        ),
        Value::Sequence(items) => items.iter().find_map(fault),
        Value::Mapping(values) => values.values().find_map(fault),
        _ => None,
    }
}
