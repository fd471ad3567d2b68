//! Checks, by the copies of images, whether the sources of these copies met the conditions of a job.

use crate::model::artifact::Artifact;
use crate::model::query::ImageFilter;
use crate::model::sync_tag::is_sync_key;
use crate::model::wildcard::matches;

/// Returns true if copies show whether their source matched a filter.
pub(super) fn is_testable(filter: &str) -> bool {
    match filter.strip_prefix("tag:") {
        Some(key) => is_copied(key),
        None => matches!(
            filter,
            "tag-key" | "tag-value" | "name" | "description" | "image-id"
        ),
    }
}

/// Returns whether the source of a copy matched a testable filter, or `None` if the copy does not say.
pub(super) fn was_met(filter: &ImageFilter, copy: &Artifact, source_id: &str) -> Option<bool> {
    let is_any = |text: &str| filter.values.iter().any(|value| matches(value, text));
    match filter.name.as_str() {
        "name" => Some(is_any(copy.name())),
        "description" => Some(is_any(copy.description())),
        "image-id" => Some(is_any(source_id)),
        "tag-key" => had_tag(copy, |key, _| is_any(key)),
        "tag-value" => had_tag(copy, |_, value| is_any(value)),
        name => had_tag(copy, |key, value| {
            name.strip_prefix("tag:") == Some(key) && is_any(value)
        }),
    }
}

/// Returns whether the source of a copy had a tag, or `None` if the copy has no tags from its source. A copy has all of them or
/// none: the gem copied none.
pub(super) fn had_tag(copy: &Artifact, is_wanted: impl Fn(&str, &str) -> bool) -> Option<bool> {
    let tags = copy.tags.iter();
    let mut copied = tags.filter(|(key, _)| is_copied(key)).peekable();
    copied.peek()?;
    Some(copied.any(|(key, value)| is_wanted(key, value)))
}

/// Returns true if copies get the tags with this key from their sources.
fn is_copied(key: &str) -> bool {
    !is_sync_key(key) && !key.starts_with("aws:")
}
