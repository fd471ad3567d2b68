//! Resource tags.

use std::collections::BTreeMap;
use std::fmt;

use litemap::LiteMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Resource tags, in the order of their keys, so that whatever is made from them is deterministic.
///
/// An inventory has the tags of many thousands of artifacts, so they use little memory: one allocation for all tags of an artifact,
/// and none for short texts.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
// An object in JSON; `LiteMap` itself turns an empty map into an array.
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
#[schemars(inline)]
pub struct Tags(LiteMap<SmolStr, SmolStr>);

impl Tags {
    /// Returns no tags.
    pub const fn new() -> Self {
        Self(LiteMap::new_vec())
    }

    /// Returns the value of the tag with this key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(SmolStr::as_str)
    }

    /// Returns true if there is a tag with this key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Adds a tag, or replaces the one with the same key.
    pub fn insert(&mut self, key: impl Into<SmolStr>, value: impl Into<SmolStr>) {
        self.0.insert(key.into(), value.into());
    }

    /// Removes all tags.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Removes the tags for which `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.0.retain(|key, value| keep(key, value));
    }

    /// Returns the number of tags.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns the keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }
}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<SmolStr>, V: Into<SmolStr>> Extend<(K, V)> for Tags {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, tags: T) {
        let tags = tags.into_iter();
        self.0
            .extend(tags.map(|(key, value)| (key.into(), value.into())));
    }
}

impl<K: Into<SmolStr>, V: Into<SmolStr>> FromIterator<(K, V)> for Tags {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(tags: T) -> Self {
        let tags = tags.into_iter();
        Self(
            tags.map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<SmolStr>, V: Into<SmolStr>, const N: usize> From<[(K, V); N]> for Tags {
    fn from(tags: [(K, V); N]) -> Self {
        tags.into_iter().collect()
    }
}

impl From<BTreeMap<String, String>> for Tags {
    fn from(tags: BTreeMap<String, String>) -> Self {
        tags.into_iter().collect()
    }
}

impl From<Tags> for BTreeMap<String, String> {
    fn from(tags: Tags) -> Self {
        let tags = tags.0.into_iter();
        tags.map(|(key, value)| (key.into(), value.into()))
            .collect()
    }
}
