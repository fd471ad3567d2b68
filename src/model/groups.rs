//! Groups values by key.

use std::collections::HashMap;
use std::hash::Hash;

/// Groups values with equal keys, in the order in which each key first appears.
pub fn grouped<K: Clone + Eq + Hash, V>(
    values: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    let mut indexes: HashMap<K, usize> = HashMap::new();
    for (key, value) in values {
        let index = *indexes.entry(key.clone()).or_insert(groups.len());
        match groups.get_mut(index) {
            Some((_, group)) => group.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
