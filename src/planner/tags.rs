//! Which tags a copy is given.

use crate::model::Tags;
use crate::model::sync_tag::{MAX_TAGS, is_sync_key};
use crate::model::words;

/// The service whose rules the tags have to meet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Rds,
}

/// The tags of a source that its copy gets beside its sync tag, and what to tell about those it does not get.
///
/// AWS's own tags and sync tags belong to the source alone. What RDS refuses is dropped, and what is too much
/// for a resource, from the end in key order: the sync tag always fits.
pub(super) fn for_copy(source: &Tags, service: Service) -> (Tags, Vec<String>) {
    let mut warnings = Vec::new();
    let wanted = source
        .iter()
        .filter(|(key, _)| !is_reserved(key) && !is_sync_key(key));
    let (accepted, refused): (Vec<_>, Vec<_>) =
        wanted.partition(|(key, value)| service == Service::Ec2 || rds_accepts(key, value));
    if !refused.is_empty() {
        let keys = words::list(refused.iter().map(|(key, _)| key));
        warnings.push(format!(
            "tags that RDS does not accept are left off the copy: {keys}"
        ));
    }
    let (kept, dropped) = accepted.split_at(accepted.len().min(MAX_TAGS - 1));
    if !dropped.is_empty() {
        let keys = words::list(dropped.iter().map(|(key, _)| key));
        warnings.push(format!(
            "to make room for the sync tag, tags are left off the copy: {keys}"
        ));
    }
    (kept.iter().copied().collect(), warnings)
}

/// Whether a resource with these tags can be given one under this key; AWS's own do not count.
pub(super) fn has_room(tags: &Tags, key: &str) -> bool {
    tags.contains_key(key) || tags.keys().filter(|key| !is_reserved(key)).count() < MAX_TAGS
}

/// Keys that only AWS may write.
fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Lengths, characters and prefixes that RDS asks for; see
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Tag.html>.
fn rds_accepts(key: &str, value: &str) -> bool {
    let starts = |text: &str, with: &str| {
        text.get(..with.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(with))
    };
    let reserved = |text: &str| starts(text, "aws:") || starts(text, "rds:");
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
    };
    (1..=128).contains(&key.chars().count())
        && value.chars().count() <= 256
        && !reserved(key)
        && !reserved(value)
        && plain(key)
        && plain(value)
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
    fn tags_of_aws_and_of_syncing_stay_behind() {
        let source = tags(&[
            ("aws:backup:source", "x"),
            ("AWS:odd", "x"),
            ("Name", "web"),
            ("Sync-Identifier", "Web Application"),
            ("Sync-us-west-1", "20260101000000+0000 / ami-1"),
            ("Sync-From-eu-west-1", "20260101000000+0000 / ami-2"),
        ]);
        let (copied, warnings) = for_copy(&source, Service::Ec2);
        assert_eq!(
            copied,
            tags(&[("Name", "web"), ("Sync-Identifier", "Web Application")])
        );
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn what_rds_refuses_is_dropped_and_said() {
        let source = tags(&[
            ("Name", "café 2"),
            ("rds:x", "1"),
            ("from", "rds:mydb"),
            ("emoji", "a|b"),
            ("é", "@"),
        ]);
        let (copied, warnings) = for_copy(&source, Service::Rds);
        assert_eq!(copied, tags(&[("Name", "café 2"), ("é", "@")]));
        assert_eq!(
            warnings,
            ["tags that RDS does not accept are left off the copy: emoji, from, rds:x"]
        );
    }

    #[test]
    fn the_sync_tag_always_fits() {
        let source: Tags = (0..50)
            .map(|n| (format!("key-{n:02}"), String::new()))
            .collect();
        let (copied, warnings) = for_copy(&source, Service::Ec2);
        assert_eq!(copied.len(), 49);
        assert_eq!(
            warnings,
            ["to make room for the sync tag, tags are left off the copy: key-49"]
        );
    }
}
