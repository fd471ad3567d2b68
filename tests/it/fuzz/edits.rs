//! Random edits of JSON documents.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::simulation::random::Random;
use crate::support::TRICK;

/// Texts that are at the limits of what a reader expects.
const ODD: [&str; 12] = [
    "",
    "*",
    "-",
    "available",
    "failed",
    "us-west-1",
    "rds:",
    "9999-12-31T23:59:59Z",
    "-009999-01-02T01:59:59Z",
    "20260114051000+0000 / ami-0a",
    "arn:aws:rds:us-west-1:123456789012:snapshot:x",
    TRICK,
];

/// Edits documents, replacing values with others from `pool`.
pub struct Editor<'a> {
    pub random: &'a mut Random,
    pub pool: &'a [String],
}

impl Editor<'_> {
    /// Makes one random edit at a random place in a document, or none if the place does not allow the edit.
    pub fn edit(&mut self, document: &mut Value) {
        match self.random.weighted(&[6, 2, 2]) {
            0 => {
                if let Some(leaf) = self.place(document, is_leaf) {
                    self.edit_leaf(leaf);
                }
            }
            1 => {
                if let Some(Value::Array(items)) = self.place(document, is_filled_array) {
                    let at = self.random.below(items.len());
                    let other = self.random.below(items.len());
                    match self.random.below(3) {
                        0 => drop(items.remove(at)),
                        1 => items.swap(at, other),
                        _ => items.insert(at, items[other].clone()),
                    }
                }
            }
            _ => {
                if let Some(Value::Object(fields)) = self.place(document, Value::is_object) {
                    let keys: Vec<String> = fields.keys().cloned().collect();
                    let Some(key) = self.random.pick(&keys) else {
                        return;
                    };
                    match self.random.below(3) {
                        0 => drop(fields.remove(key)),
                        1 => drop(fields.insert(key.clone(), Value::Null)),
                        _ => drop(fields.insert(self.text(key), Value::Null)),
                    }
                }
            }
        }
    }

    /// Edits one value below a key of this name.
    pub fn edit_below(&mut self, document: &mut Value, key: &str) {
        let is_below = |value: &Value| value.get(key).is_some();
        if let Some(found) = self.place(document, is_below)
            && let Some(leaf) = self.place(&mut found[key], is_leaf)
        {
            self.edit_leaf(leaf);
        }
    }

    /// Replaces one value of the pool with another, everywhere.
    pub fn rename(&mut self, document: &mut Value) {
        let used: Vec<&String> = {
            let text = document.to_string();
            let pool = self.pool.iter();
            pool.filter(|value| !value.is_empty() && text.contains(value.as_str()))
                .collect()
        };
        if let (Some(from), Some(to)) = (self.random.pick(&used), self.random.pick(self.pool)) {
            replace(document, from, to);
        }
    }

    fn edit_leaf(&mut self, leaf: &mut Value) {
        *leaf = match leaf {
            Value::String(text) => Value::String(self.text(text)),
            Value::Number(number) => {
                let number = number.as_i64().unwrap_or_default();
                match self.random.below(5) {
                    0 => number.saturating_add(1).into(),
                    1 => number.saturating_sub(1).into(),
                    2 => 0.into(),
                    3 => u64::MAX.into(),
                    _ => self.random.next().into(),
                }
            }
            Value::Bool(value) => Value::Bool(!*value),
            _ => Value::String(self.text("")),
        };
    }

    fn text(&mut self, old: &str) -> String {
        if let Ok(time) = old.parse::<Timestamp>()
            && self.random.chance(80)
        {
            let days = self.random.within(-9, 9);
            let moved = time.checked_add(SignedDuration::from_hours(24 * days));
            return moved.unwrap_or(Timestamp::MAX).to_string();
        }
        let picked = match self.random.below(5) {
            0 | 1 => self.random.pick(self.pool).cloned(),
            2 => self.random.pick(&ODD).map(|text| (*text).to_owned()),
            3 => Some(format!("{old}-2")),
            _ => {
                let mut chars: Vec<char> = old.chars().collect();
                let at = self.random.below(chars.len());
                if let Some(c) = chars.get_mut(at) {
                    *c = char::from(b'0' + u8::try_from(self.random.below(10)).expect("a digit"));
                }
                Some(chars.into_iter().collect())
            }
        };
        picked.unwrap_or_default()
    }

    /// Returns a random place in a document for which this holds.
    fn place<'v>(
        &mut self,
        document: &'v mut Value,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Option<&'v mut Value> {
        let mut places = Vec::new();
        find(document, &mut String::new(), &is_wanted, &mut places);
        document.pointer_mut(self.random.pick(&places)?)
    }
}

fn is_leaf(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn is_filled_array(value: &Value) -> bool {
    value.as_array().is_some_and(|items| !items.is_empty())
}

/// Adds the JSON pointers of all values for which this holds.
fn find(
    value: &Value,
    at: &mut String,
    is_wanted: &dyn Fn(&Value) -> bool,
    places: &mut Vec<String>,
) {
    if is_wanted(value) {
        places.push(at.clone());
    }
    let length = at.len();
    let mut visit = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        find(value, at, is_wanted, places);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(n, item)| visit(&n.to_string(), item)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| visit(key, value)),
        _ => {}
    }
}

fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = text.replace(from, to),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, from, to)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| replace(value, from, to)),
        _ => {}
    }
}
