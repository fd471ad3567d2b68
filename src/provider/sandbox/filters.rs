//! The filters of DescribeImages.

use crate::model::Tags;
use crate::model::job::ImageFilter;
use crate::model::wildcard::{Piece, pieces};

use super::calls::{Answer, Refusal};
use super::world::WorldImage;

pub(super) use crate::model::wildcard::matches;

/// Values that one call takes in all its filters.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
const MAX_VALUES: usize = 200;

/// The filters of DescribeImages that are facts of their own in a world. `tag:<key>` comes besides.
const FACTS: [&str; 15] = [
    "block-device-mapping.encrypted",
    "block-device-mapping.volume-size",
    "creation-date",
    "description",
    "image-id",
    "is-public",
    "name",
    "owner-alias",
    "owner-id",
    "source-image-id",
    "source-image-region",
    "state",
    "state-reason-message",
    "tag-key",
    "tag-value",
];

/// The others, with what most images answer to them; a world states them as attributes where they differ.
const ATTRIBUTES: [(&str, &str); 22] = [
    ("architecture", "x86_64"),
    ("block-device-mapping.delete-on-termination", "true"),
    ("block-device-mapping.device-name", "/dev/xvda"),
    ("block-device-mapping.snapshot-id", ""),
    ("block-device-mapping.volume-type", "gp3"),
    ("ena-support", "true"),
    ("hypervisor", "xen"),
    ("image-allowed", "true"),
    ("image-type", "machine"),
    ("kernel-id", ""),
    ("manifest-location", ""),
    ("platform", ""),
    ("product-code", ""),
    ("product-code.type", ""),
    ("ramdisk-id", ""),
    ("root-device-name", "/dev/xvda"),
    ("root-device-type", "ebs"),
    ("source-instance-id", ""),
    ("sriov-net-support", "simple"),
    ("state-reason-code", ""),
    ("virtualization-type", "hvm"),
    ("free-tier-eligible", "false"),
];

/// Whether a name is one of an attribute.
pub(super) fn is_attribute(name: &str) -> bool {
    ATTRIBUTES.iter().any(|(known, _)| *known == name)
}

/// Refuses what AWS refuses: filters it does not know, without values, or with too many.
pub(super) fn check(filters: &[ImageFilter]) -> Answer<()> {
    for ImageFilter { name, values } in filters {
        let known = name.strip_prefix("tag:").is_some_and(|key| !key.is_empty())
            || FACTS.contains(&name.as_str())
            || is_attribute(name);
        if !known {
            return Err(Refusal::new(
                "InvalidParameterValue",
                format!("The filter '{name}' is invalid"),
            ));
        }
        if values.is_empty() {
            return Err(Refusal::new(
                "InvalidParameterValue",
                format!("The filter '{name}' has no values"),
            ));
        }
    }
    check_number(filters.iter().map(|filter| filter.values.len()).sum())
}

/// Refuses more values than one call takes.
pub(super) fn check_number(values: usize) -> Answer<()> {
    if values <= MAX_VALUES {
        return Ok(());
    }
    let message =
        format!("The maximum number of filter values specified on a single call is {MAX_VALUES}");
    Err(Refusal::new("FilterLimitExceeded", message))
}

/// Whether an image, whose tags look like this to the caller, matches a filter.
pub(super) fn meets(image: &WorldImage, tags: &Tags, filter: &ImageFilter) -> bool {
    let any = |text: &str| filter.values.iter().any(|pattern| matches(pattern, text));
    if let Some(key) = filter.name.strip_prefix("tag:") {
        return tags.get(key).is_some_and(any);
    }
    match filter.name.as_str() {
        "tag-key" => tags.keys().any(any),
        "tag-value" => tags.values().any(any),
        "name" => any(&image.name),
        "description" => any(&image.description),
        "image-id" => any(image.id.as_str()),
        "state" => any(image.state.as_str()),
        "owner-id" => any(image.owner.as_str()),
        "owner-alias" => image.owner_alias.as_deref().is_some_and(any),
        "is-public" => any(truth(image.public)),
        "block-device-mapping.encrypted" => any(truth(image.encrypted)),
        "block-device-mapping.volume-size" => image
            .backing_snapshots
            .iter()
            .any(|snapshot| any(&snapshot.size_gib.to_string())),
        "source-image-id" => image
            .copied_from
            .as_ref()
            .is_some_and(|from| any(from.id.as_str())),
        "source-image-region" => image
            .copied_from
            .as_ref()
            .is_some_and(|from| any(from.region.as_str())),
        "creation-date" => any(&image.created.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()),
        "state-reason-message" => any(image.state_reason.as_deref().unwrap_or_default()),
        name => image
            .attributes
            .get(name)
            .map(String::as_str)
            .or_else(|| usual(name))
            .is_some_and(any),
    }
}

fn usual(name: &str) -> Option<&'static str> {
    ATTRIBUTES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

fn truth(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// A text that a filter value means: each `?` one character, the last `*` the filler, the others nothing.
pub(super) fn example(pattern: &str, filler: &str) -> String {
    let stars = pieces(pattern).filter(|piece| *piece == Piece::Any).count();
    let mut text = String::new();
    let mut star = 0;
    for piece in pieces(pattern) {
        match piece {
            Piece::Is(c) => text.push(c),
            Piece::AtMostOne => text.push('1'),
            Piece::Any => {
                star += 1;
                if star == stars {
                    text.push_str(filler);
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn filters_that_ec2_does_not_know_are_refused() {
        let filter = |name: &str, values: &[&str]| ImageFilter {
            name: name.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        for bad in [
            filter("tag", &["x"]),
            filter("tag:", &["x"]),
            filter("colour", &["x"]),
            filter("name", &[]),
        ] {
            let refusal = check(std::slice::from_ref(&bad)).expect_err("refused");
            assert_eq!(refusal.code(), "InvalidParameterValue", "{bad:?}");
        }
        for good in FACTS
            .iter()
            .chain(ATTRIBUTES.iter().map(|(name, _)| name))
            .chain(&["tag:Role"])
        {
            assert_eq!(check(&[filter(good, &["x"])]), Ok(()), "{good}");
        }
        let many = ImageFilter {
            name: "name".to_owned(),
            values: vec!["x".to_owned(); 201],
        };
        assert!(check(&[many]).is_err());
    }

    proptest! {
        #[test]
        fn an_example_of_a_pattern_matches_it(pattern in "[ab*?\\\\]{0,12}", filler in "[a-z]{0,4}") {
            prop_assert!(matches(&pattern, &example(&pattern, &filler)));
        }
    }
}
