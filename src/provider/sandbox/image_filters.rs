//! The filters of DescribeImages.

use jiff::Timestamp;

use super::calls::Refusal;
use super::contents::WorldArtifact;
use crate::model::ids::AccountId;
use crate::model::query::ImageFilter;
use crate::model::tags::Tags;
use crate::model::wildcard::matches;

/// The maximum number of values that all filters of one call may have.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
const MAX_VALUES: usize = 200;

/// Refuses filters that EC2 does not know, filters without values, and too many values, counted together with `other_values`.
pub(super) fn check(filters: &[ImageFilter], other_values: usize) -> Result<(), Refusal> {
    let any = WorldArtifact::image("", &AccountId::from(""), "", Timestamp::UNIX_EPOCH);
    for ImageFilter { name, values } in filters {
        if answer(name, &any, &Tags::new()).is_none() {
            return Err(Refusal::invalid(format!("The filter '{name}' is invalid")));
        }
        if values.is_empty() {
            let message = format!("The filter '{name}' has no values");
            return Err(Refusal::invalid(message));
        }
    }
    let values = filters.iter().map(|filter| filter.values.len());
    if values.sum::<usize>() + other_values <= MAX_VALUES {
        return Ok(());
    }
    let message =
        format!("The maximum number of filter values specified on a single call is {MAX_VALUES}");
    Err(Refusal::new("FilterLimitExceeded", message))
}

/// Returns true if an image, with the tags that the caller sees, matches a filter.
pub(super) fn is_met(filter: &ImageFilter, image: &WorldArtifact, tags: &Tags) -> bool {
    let texts = answer(&filter.name, image, tags).unwrap_or_default();
    let is_any = |text: &String| filter.values.iter().any(|value| matches(value, text));
    texts.iter().any(is_any)
}

/// Returns the texts that a filter is compared with, or `None` if EC2 does not know the filter.
fn answer(filter: &str, image: &WorldArtifact, tags: &Tags) -> Option<Vec<String>> {
    let source = image.copied_from.as_ref();
    let text = match filter {
        "tag-key" => return Some(tags.keys().map(str::to_owned).collect()),
        "tag-value" => return Some(tags.iter().map(|(_, value)| value.to_owned()).collect()),
        "block-device-mapping.volume-size" => {
            let disks = image.backing_snapshots.iter();
            return Some(disks.map(|disk| disk.size_gib.to_string()).collect());
        }
        "block-device-mapping.encrypted" => Some(image.encrypted.to_string()),
        "creation-date" => {
            let text = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
            image.created.map(text)
        }
        "description" => Some(image.description.to_string()),
        "image-id" => Some(image.id.to_string()),
        "is-public" => Some(image.public.to_string()),
        "name" => Some(image.name.to_string()),
        "owner-alias" => image.owner_alias.clone(),
        "owner-id" => Some(image.account.to_string()),
        "source-image-id" => source.and_then(|arn| arn.id()).map(str::to_owned),
        "source-image-region" => source.and_then(|arn| arn.region()).map(str::to_owned),
        "state" => Some(image.state.to_string()),
        "state-reason-message" => image.state_reason.clone(),
        name => match name.strip_prefix("tag:") {
            Some("") => return None,
            Some(key) => tags.get(key).map(str::to_owned),
            None => {
                let usual = attribute(name)?;
                let own = image.attributes.get(name).cloned();
                own.or_else(|| Some(usual.to_owned()))
            }
        },
    };
    Some(text.into_iter().collect())
}

/// Returns the value that most images have for a filter on an attribute. An image of the world can have a different one.
pub(super) fn attribute(filter: &str) -> Option<&'static str> {
    Some(match filter {
        "architecture" => "x86_64",
        "block-device-mapping.device-name" | "root-device-name" => "/dev/xvda",
        "block-device-mapping.volume-type" => "gp3",
        "free-tier-eligible" => "false",
        "hypervisor" => "xen",
        "image-type" => "machine",
        "root-device-type" => "ebs",
        "sriov-net-support" => "simple",
        "virtualization-type" => "hvm",
        "block-device-mapping.delete-on-termination" | "ena-support" | "image-allowed" => "true",
        "block-device-mapping.snapshot-id"
        | "kernel-id"
        | "manifest-location"
        | "platform"
        | "product-code"
        | "product-code.type"
        | "ramdisk-id"
        | "source-instance-id"
        | "state-reason-code" => "",
        _ => return None,
    })
}
