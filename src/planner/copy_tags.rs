//! Chooses the tags of a copy.

use crate::model::artifact::Artifact;
use crate::model::kind::Kind;
use crate::model::sync_tag::{MAX_TAGS, is_reserved, is_sync_key};
use crate::model::tags::Tags;
use crate::model::words;

/// Returns the tags of a source that its copy gets besides its sync tag, and warnings about those it does not get.
///
/// AWS's own tags and sync tags are not copied, because they describe only the source. Tags that the service refuses are dropped.
/// So are those beyond the limit, starting with the last in key order; there is always room for the sync tag and for tags with the
/// keys in `always`.
pub(super) fn for_copy(source: &Tags, kind: Kind, always: &[&str]) -> (Tags, Vec<String>) {
    let facts = kind.facts();
    let mut warnings = Vec::new();
    let wanted = source
        .iter()
        .filter(|(key, _)| !is_reserved(key) && !is_sync_key(key));
    let (mut accepted, refused): (Vec<_>, Vec<_>) =
        wanted.partition(|(key, value)| facts.tag_rules.can_have(key, value));
    // A stable sort: the others stay in the order of their keys.
    accepted.sort_by_key(|(key, _)| !always.contains(key));
    if !refused.is_empty() {
        let keys = words::list(refused.iter().map(|(key, _)| key));
        let service = facts.service.to_uppercase();
        warnings.push(format!(
            "the copy does not get tags that {service} does not accept: {keys}"
        ));
    }
    let (kept, dropped) = accepted.split_at(accepted.len().min(MAX_TAGS - 1));
    if !dropped.is_empty() {
        let keys = words::list(dropped.iter().map(|(key, _)| key));
        warnings.push(format!(
            "the copy does not get these tags, to leave room for the sync tag: {keys}"
        ));
    }
    (kept.iter().copied().collect(), warnings)
}

/// Returns true if a resource with these tags has room for the others. AWS's own tags do not count.
pub(super) fn has_room(tags: &Tags, others: &Tags) -> bool {
    let new = others.keys().filter(|key| !tags.contains_key(key));
    tags.keys()
        .chain(new)
        .filter(|key| !is_reserved(key))
        .count()
        <= MAX_TAGS
}

/// Returns the tags with these keys that a copy lacks, or that have a different value on its source.
pub(super) fn changed(copy: &Artifact, source: &Tags, keys: &[&str]) -> Tags {
    let rules = copy.kind.facts().tag_rules;
    let of_source = source
        .iter()
        .filter(|(key, value)| keys.contains(key) && rules.can_have(key, value));
    of_source
        .filter(|(key, value)| copy.tags.get(key) != Some(value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn tags_of_aws_and_sync_tags_are_not_copied() {
        let source = tags(&[
            ("aws:backup:source", "x"),
            ("AWS:odd", "x"),
            ("Name", "web"),
            ("Sync-Identifier", "Web Application"),
            ("Sync-us-west-1", "20260101000000+0000 / ami-1"),
            ("Sync-From-eu-west-1", "20260101000000+0000 / ami-2"),
        ]);
        let (copied, warnings) = for_copy(&source, Kind::Image, &[]);
        assert_eq!(
            copied,
            tags(&[("Name", "web"), ("Sync-Identifier", "Web Application")])
        );
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn tags_that_rds_refuses_are_dropped_with_a_warning() {
        let source = tags(&[
            ("Name", "café 2"),
            ("rds:x", "1"),
            ("from", "rds:mydb"),
            ("emoji", "a|b"),
            ("é", "@"),
        ]);
        let (copied, warnings) = for_copy(&source, Kind::DbSnapshot, &[]);
        assert_eq!(copied, tags(&[("Name", "café 2"), ("é", "@")]));
        assert_eq!(
            warnings,
            ["the copy does not get tags that RDS does not accept: emoji, from, rds:x"]
        );
    }

    #[test]
    fn the_sync_tag_always_fits() {
        let source: Tags = (0..50)
            .map(|n| (format!("key-{n:02}"), String::new()))
            .collect();
        let (copied, warnings) = for_copy(&source, Kind::Image, &["key-49"]);
        assert_eq!(copied.len(), 49);
        assert_eq!(copied.get("key-49"), Some(""));
        assert_eq!(
            warnings,
            ["the copy does not get these tags, to leave room for the sync tag: key-48"]
        );
    }
}
