//! The tags that tie a copy to its source, in the format of the gem.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::ids::Region;
use super::tags::Tags;

/// The key of the tag that an image must have if its job has the option `sync_identifier`.
pub const SYNC_IDENTIFIER: &str = "Sync-Identifier";
/// The key of the tag that protects a copy from deletion, regardless of its value.
pub const SYNC_KEEP: &str = "Sync-Keep";

/// How many tags AWS allows on one resource, not counting its own `aws:` tags.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>; RDS has the same limit.
pub const MAX_TAGS: usize = 50;

const FORMAT: &str = "%Y%m%d%H%M%S%z";

/// Returns the key of the sync tag on a copy from `source`.
pub fn key_on_copy(source: &Region) -> String {
    format!("Sync-From-{source}")
}

/// Returns the key of the sync tag on a source that was copied to `destination`.
pub fn key_on_source(destination: &Region) -> String {
    format!("Sync-{destination}")
}

/// Returns true if a key is that of the sync tag on a copy, from any region.
pub fn is_key_on_copy(key: &str) -> bool {
    key.starts_with("Sync-From-")
}

/// Returns true if a key is that of a sync tag, for any region. Such a tag is about one resource, so its copies don't get it.
pub fn is_sync_key(key: &str) -> bool {
    is_key_on_copy(key)
        || key
            .strip_prefix("Sync-")
            .is_some_and(Region::is_well_formed)
}

/// Returns true for the key of a tag that only AWS may write.
pub fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// The value of a sync tag: when the data of the source was captured (UTC, whole seconds), and the id of the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncTag {
    /// When the data of the source was captured (UTC, whole seconds).
    pub time: Timestamp,
    /// On a copy, the id of its source; on a source, the id of its copy.
    pub other_end: String,
}

impl SyncTag {
    /// Returns a sync tag. Fractions of a second are dropped, because the tag has no room for them.
    pub fn new(time: Timestamp, other_end: impl Into<String>) -> Self {
        Self {
            time: whole_seconds(time),
            other_end: other_end.into(),
        }
    }

    /// Parses the value of a tag. Returns `None` if it is not `YYYYmmddHHMMSS+0000 / <id>`.
    pub fn parse(value: &str) -> Option<Self> {
        let (time, other_end) = value.split_once(" / ")?;
        let time = strtime::parse(FORMAT, time.trim())
            .ok()?
            .to_timestamp()
            .ok()?;
        let other_end = other_end.trim();
        (!other_end.is_empty()).then(|| Self::new(time, other_end))
    }

    /// Returns the sync tag with this key, if there is a readable one.
    pub fn find(tags: &Tags, key: &str) -> Option<Self> {
        tags.get(key).and_then(Self::parse)
    }
}

impl fmt::Display for SyncTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}+0000 / {}",
            self.time.strftime("%Y%m%d%H%M%S"),
            self.other_end
        )
    }
}

/// Returns a time without its fraction of a second. Sync tags have no fractions, so fractions are never compared.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_millisecond().div_euclid(1000)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_the_gem_is_read_and_written_back_the_same() {
        let value = "20131201000000+0000 / ami-0123456789abcdef0";
        let tag = SyncTag::parse(value).expect("readable");
        assert_eq!(tag.time.to_string(), "2013-12-01T00:00:00Z");
        assert_eq!(tag.other_end, "ami-0123456789abcdef0");
        assert_eq!(tag.to_string(), value);
        let other_offset = "20131201020000+0200 / ami-0123456789abcdef0";
        assert_eq!(SyncTag::parse(other_offset), Some(tag));
    }

    #[test]
    fn an_unreadable_tag_is_no_tag() {
        let no_id = "20131201000000+0000 / ";
        let no_month = "20131301000000+0000 / ami-1";
        for bad in ["", " / ", "20131201 / ami-1", no_id, no_month, "yes"] {
            assert_eq!(SyncTag::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn fractions_of_a_second_are_dropped() {
        let time: Timestamp = "2026-01-14T05:10:33.987Z".parse().expect("a time");
        let tag = SyncTag::new(time, "x");
        assert_eq!(tag.time.to_string(), "2026-01-14T05:10:33Z");
    }

    #[test]
    fn only_keys_of_sync_tags_are_sync_keys() {
        assert!(
            ["Sync-us-west-1", "Sync-From-us-east-1"]
                .into_iter()
                .all(is_sync_key)
        );
        assert!(
            !["Sync-Identifier", "Sync-Keep", "Environment"]
                .into_iter()
                .any(is_sync_key)
        );
    }
}
