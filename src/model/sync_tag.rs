//! The tags that tie a copy to its source, as the older tool wrote them.

use std::fmt;

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::ids::Region;
use super::tags::Tags;

/// The tag a source AMI is found by when the job says `sync_identifier`.
pub const SYNC_IDENTIFIER: &str = "Sync-Identifier";
/// A copy that carries this tag, whatever its value, is never deleted.
pub const SYNC_KEEP: &str = "Sync-Keep";

/// Tags that AWS allows on one resource, its own `aws:` tags not counted.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>; RDS has the same limit.
pub const MAX_TAGS: usize = 50;

const FORMAT: &str = "%Y%m%d%H%M%S%z";

/// The key of the sync tag on a copy made from `source`.
pub fn key_on_copy(source: &Region) -> String {
    format!("Sync-From-{source}")
}

/// The key of the sync tag on a source that was copied to `destination`.
pub fn key_on_source(destination: &Region) -> String {
    format!("Sync-{destination}")
}

/// Whether a key is one of a sync tag, for whatever region: such tags say something about one resource
/// and are never carried over to its copy.
pub fn is_sync_key(key: &str) -> bool {
    key.strip_prefix("Sync-From-").is_some()
        || key
            .strip_prefix("Sync-")
            .is_some_and(Region::is_well_formed)
}

/// The value of a sync tag: when the source was made (UTC, whole seconds) and the id of the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncTag {
    /// The creation time of the source.
    pub time: Timestamp,
    /// On a copy the id of its source; on a source the id of its copy.
    pub other_end: String,
}

impl SyncTag {
    /// A sync tag for these two facts; fractions of a second are dropped, for the tag has no room for them.
    pub fn new(time: Timestamp, other_end: impl Into<String>) -> Self {
        Self {
            time: whole_seconds(time),
            other_end: other_end.into(),
        }
    }

    /// Reads a tag's value; `None` if it is not `YYYYmmddHHMMSS+0000 / <id>`.
    pub fn parse(value: &str) -> Option<Self> {
        let (time, other_end) = value.split_once(" / ")?;
        let time = strtime::parse(FORMAT, time.trim())
            .ok()?
            .to_timestamp()
            .ok()?;
        let other_end = other_end.trim();
        (!other_end.is_empty()).then(|| Self::new(time, other_end))
    }

    /// The sync tag under `key`, if there is one that can be read.
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

/// A time without its fraction of a second: sync tags hold none, so none is ever compared.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    // Within jiff's range for every time that is in it already.
    Timestamp::from_second(time.as_millisecond().div_euclid(1000)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_the_older_tool_is_read_and_written_back_the_same() {
        let value = "20131201000000+0000 / ami-0123456789abcdef0";
        let tag = SyncTag::parse(value).expect("readable");
        assert_eq!(tag.time.to_string(), "2013-12-01T00:00:00Z");
        assert_eq!(tag.other_end, "ami-0123456789abcdef0");
        assert_eq!(tag.to_string(), value);
    }

    #[test]
    fn another_offset_is_turned_into_utc() {
        let tag =
            SyncTag::parse("20131201020000+0200 / rds:mydb-2013-12-01-00-00").expect("readable");
        assert_eq!(tag.time.to_string(), "2013-12-01T00:00:00Z");
    }

    #[test]
    fn an_unreadable_tag_is_no_tag() {
        for bad in [
            "",
            " / ",
            "20131201 / ami-1",
            "20131201000000+0000 / ",
            "20131301000000+0000 / ami-1",
            "yes",
        ] {
            assert_eq!(SyncTag::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn fractions_of_a_second_are_dropped() {
        let time: Timestamp = "2026-01-14T05:10:33.987Z".parse().expect("a time");
        assert_eq!(
            SyncTag::new(time, "x").time.to_string(),
            "2026-01-14T05:10:33Z"
        );
    }

    #[test]
    fn only_keys_of_sync_tags_are_sync_keys() {
        assert!(is_sync_key("Sync-us-west-1"));
        assert!(is_sync_key("Sync-From-us-east-1"));
        assert!(!is_sync_key("Sync-Identifier"));
        assert!(!is_sync_key("Sync-Keep"));
        assert!(!is_sync_key("Environment"));
    }
}
