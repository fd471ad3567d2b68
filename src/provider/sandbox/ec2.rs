//! EC2: images.

use std::collections::BTreeMap;

use super::calls::{Answer, Caller, Refusal};
use super::world::{BackingSnapshot, ClientToken, World, WorldImage};
use super::{filters, listing, tags};
use crate::model::Tags;
use crate::model::action::CopyImage;
use crate::model::client_config::sha256;
use crate::model::id::{AccountId, ImageId, Region};
use crate::model::inventory::{Image, ImageRef, State};
use crate::model::job::{ImageFilter, ImageSelector};
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};

/// See <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>.
const MAX_TOKEN: usize = 64;
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;
const MAX_DESCRIPTION: usize = 255;

/// For those who see none.
static NO_TAGS: Tags = Tags::new();

impl WorldImage {
    /// Whether an account can use it.
    pub(super) fn is_visible_to(&self, account: &AccountId) -> bool {
        self.owner == *account || self.public || self.shared_with.contains(account)
    }

    /// Its tags as an account sees them: each account sees those that it gave itself.
    pub(super) fn tags_seen_by(&self, account: &AccountId) -> &Tags {
        if self.owner == *account {
            &self.tags
        } else {
            self.tags_by_others.get(account).unwrap_or(&NO_TAGS)
        }
    }

    /// Whether an account finds it with this selector.
    pub(super) fn is_selected(&self, account: &AccountId, selector: &ImageSelector) -> bool {
        let owned = match selector.owner.as_str() {
            "self" => self.owner == *account,
            owner => self.owner.as_str() == owner || self.owner_alias.as_deref() == Some(owner),
        };
        if !owned || !self.is_visible_to(account) || self.state.is_disabled() {
            return false;
        }
        let tags = self.tags_seen_by(account);
        let identifier = tags.get(SYNC_IDENTIFIER);
        let mut wanted = selector.sync_identifiers.iter();
        let identified =
            selector.sync_identifiers.is_empty() || wanted.any(|wanted| identifier == Some(wanted));
        identified
            && selector
                .filters
                .iter()
                .all(|filter| filters::meets(self, tags, filter))
    }

    fn seen_by(&self, account: &AccountId) -> Image {
        // The disks of an image that is still being copied are not there yet.
        let disks = self.state.as_str() != "pending" && !self.backing_snapshots.is_empty();
        let size = self
            .backing_snapshots
            .iter()
            .fold(0u64, |sum, disk| sum.saturating_add(disk.size_gib));
        Image {
            id: self.id.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            state: self.state.clone(),
            state_reason: self.state_reason.clone(),
            owner: self.owner.clone(),
            created: Some(self.created),
            copied_from: self.copied_from.clone(),
            size_gib: disks.then_some(size),
            encrypted: self.encrypted,
            tags: self.tags_seen_by(account).clone(),
        }
    }
}

/// DescribeImages with owners and filters. Disabled images are left out, as when one does not ask for them.
pub(super) fn selected(
    world: &World,
    caller: &Caller<'_>,
    selector: &ImageSelector,
) -> Answer<Vec<Image>> {
    let of_filters = selector.filters.iter().map(|filter| filter.values.len());
    filters::check(&selector.filters)?;
    filters::check_number(of_filters.sum::<usize>() + selector.sync_identifiers.len())?;
    Ok(describe(world, caller, |image| {
        image.is_selected(&caller.account, selector)
    }))
}

/// DescribeImages with ids, disabled ones included; those that are not there are left out.
pub(super) fn by_id(world: &World, caller: &Caller<'_>, ids: &[ImageId]) -> Answer<Vec<Image>> {
    filters::check_number(ids.len())?;
    Ok(describe(world, caller, |image| {
        ids.contains(&image.id) && image.is_visible_to(&caller.account)
    }))
}

/// DescribeImages of one's own, disabled ones included, with the filters `source-image-region` and `source-image-id`.
pub(super) fn copied_from(
    world: &World,
    caller: &Caller<'_>,
    from: &Region,
    of: &[ImageId],
) -> Answer<Vec<Image>> {
    // The region is a value, too.
    filters::check_number(1 + of.len())?;
    Ok(describe(world, caller, |image| {
        let source = image.copied_from.as_ref();
        image.owner == caller.account
            && source.is_some_and(|source| source.region == *from && of.contains(&source.id))
    }))
}

/// DescribeImages of one's own, disabled ones included, with the filter `tag:Sync-From-<region>` and the values
/// `* / <id>`.
pub(super) fn tagged_from(
    world: &World,
    caller: &Caller<'_>,
    from: &Region,
    of: &[ImageId],
) -> Answer<Vec<Image>> {
    filters::check_number(of.len())?;
    let filter = ImageFilter {
        name: format!("tag:{}", key_on_copy(from)),
        values: of.iter().map(|id| format!("* / {id}")).collect(),
    };
    Ok(own(world, caller, &filter))
}

/// A filter with one value.
pub(super) fn filter(name: &str, value: &str) -> ImageFilter {
    ImageFilter {
        name: name.to_owned(),
        values: vec![value.to_owned()],
    }
}

/// DescribeImages of one's own, disabled ones included, with a filter.
pub(super) fn own(world: &World, caller: &Caller<'_>, filter: &ImageFilter) -> Vec<Image> {
    describe(world, caller, |image| {
        image.owner == caller.account && filters::meets(image, &image.tags, filter)
    })
}

fn describe(
    world: &World,
    caller: &Caller<'_>,
    wanted: impl Fn(&WorldImage) -> bool,
) -> Vec<Image> {
    let images = world
        .region(caller.region)
        .map(|region| region.images.as_slice())
        .unwrap_or_default();
    let found = images
        .iter()
        .filter(|image| wanted(image))
        .map(|image| image.seen_by(&caller.account))
        .collect();
    listing::in_some_order(world.listing_seed, found, |image: &Image| image.id.as_str())
}

/// CopyImage, into the region that is asked.
pub(super) fn copy(
    world: &mut World,
    caller: &Caller<'_>,
    copy: &CopyImage,
    token: &str,
) -> Answer<ImageId> {
    let mut all_tags = copy.tags.clone();
    all_tags.insert(&copy.sync_tag.key, &copy.sync_tag.value);
    check_request(copy, &all_tags, token)?;

    let request = fingerprint(copy);
    let tokens = world
        .region(caller.region)
        .map(|region| region.client_tokens.as_slice())
        .unwrap_or_default();
    if let Some(seen) = tokens
        .iter()
        .find(|seen| seen.token == token && seen.account == caller.account)
    {
        if seen.request == request {
            return Ok(seen.image_id.clone());
        }
        let message = "The client token was used before, with other parameters";
        return Err(Refusal::new("IdempotentParameterMismatch", message));
    }

    let source = source_of(world, caller, copy)?.clone();
    check_in_flight(world, caller)?;
    // EC2 looks for the key after it has accepted the copy.
    let has_key = |key: &String| {
        world
            .region(caller.region)
            .is_some_and(|here| here.has_kms_key(caller.region, key))
    };
    let keyless = copy.kms_key_id.as_ref().is_some_and(|key| !has_key(key));
    let copying = world.start_copy(
        caller.region,
        keyless.then(|| "Given key ID is not accessible".to_owned()),
    );
    let id = world.new_image_id();
    let disks = source.backing_snapshots.iter();
    let image = WorldImage {
        id: id.clone(),
        owner: caller.account.clone(),
        owner_alias: None,
        name: copy.name.clone(),
        description: copy.description.clone(),
        state: State::from("pending"),
        state_reason: None,
        created: world.now,
        copied_from: Some(ImageRef {
            id: source.id.clone(),
            region: copy.source_region.clone(),
        }),
        copying: Some(copying),
        backing_snapshots: disks
            .map(|disk| BackingSnapshot {
                size_gib: disk.size_gib,
                tags: copy.tags.clone(),
            })
            .collect(),
        encrypted: source.encrypted || copy.kms_key_id.is_some(),
        public: false,
        shared_with: Vec::new(),
        tags: all_tags,
        tags_by_others: BTreeMap::new(),
        attributes: source.attributes,
    };
    if let Some(here) = world.region_mut(caller.region) {
        let (token, account) = (token.to_owned(), caller.account.clone());
        here.client_tokens.push(ClientToken {
            token,
            account,
            request,
            image_id: id.clone(),
        });
        here.images.push(image);
    }
    Ok(id)
}

/// What EC2 can refuse without looking at anything but the request.
fn check_request(copy: &CopyImage, all_tags: &Tags, token: &str) -> Answer<()> {
    if token.is_empty() || token.len() > MAX_TOKEN || !token.is_ascii() {
        let message = format!("The client token must have 1 to {MAX_TOKEN} ASCII characters");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if !NAME_LENGTH.contains(&copy.name.chars().count()) || !copy.name.chars().all(allowed) {
        let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, spaces, \
                       and the characters ( ) [ ] . / - ' @ _";
        return Err(Refusal::new("InvalidAMIName.Malformed", message));
    }
    if copy.description.chars().count() > MAX_DESCRIPTION {
        let message =
            format!("The description must not have more than {MAX_DESCRIPTION} characters");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    tags::check_ec2(&Tags::new(), all_tags)?;
    tags::check_ec2(&Tags::new(), &copy.tags)
}

/// The image to copy, if it can be copied.
fn source_of<'a>(
    world: &'a World,
    caller: &Caller<'_>,
    copy: &CopyImage,
) -> Answer<&'a WorldImage> {
    let region = world
        .region(&copy.source_region)
        .filter(|region| region.enabled);
    let region = region.filter(|_| copy.source_region.partition() == caller.region.partition());
    let Some(region) = region else {
        let message = format!(
            "The source region '{}' is not available from {}",
            copy.source_region, caller.region
        );
        return Err(Refusal::new("InvalidRequest", message));
    };
    let id = &copy.source_image_id;
    let source = region
        .images
        .iter()
        .find(|image| image.id == *id && image.is_visible_to(&caller.account));
    let Some(source) = source else {
        return Err(not_found(id));
    };
    if !source.state.is_available() {
        let message = format!(
            "The image ID '{id}' is not available; its state is '{}'",
            source.state
        );
        return Err(Refusal::new("InvalidAMIID.Unavailable", message));
    }
    Ok(source)
}

fn check_in_flight(world: &World, caller: &Caller<'_>) -> Answer<()> {
    let limit = world.quotas.image_copies_in_flight;
    let images = world
        .region(caller.region)
        .map(|region| region.images.as_slice())
        .unwrap_or_default();
    let copying =
        |image: &&WorldImage| image.owner == caller.account && image.state.as_str() == "pending";
    if images.iter().filter(copying).count() >= limit {
        let message = format!(
            "Too many image copies in progress. The limit is {limit} for this destination region."
        );
        return Err(Refusal::new("ResourceLimitExceeded", message));
    }
    Ok(())
}

/// SHA-256 over what is sent to EC2.
fn fingerprint(copy: &CopyImage) -> String {
    let CopyImage {
        source_image_id,
        source_region,
        name,
        description,
        tags,
        sync_tag,
        kms_key_id,
        ..
    } = copy;
    let sent = (
        source_image_id,
        source_region,
        name,
        description,
        tags,
        sync_tag,
        kms_key_id,
    );
    // Strings and maps of strings always serialise.
    sha256(&serde_json::to_vec(&sent).unwrap_or_default())
}

/// CreateTags on an image. What is public or shared can be tagged by others, each for himself.
pub(super) fn tag(world: &mut World, caller: &Caller<'_>, id: &ImageId, new: &Tags) -> Answer<()> {
    let images = world
        .region_mut(caller.region)
        .map(|region| region.images.as_mut_slice())
        .unwrap_or_default();
    let usable = |image: &&mut WorldImage| {
        image.is_visible_to(&caller.account) && image.state.as_str() != "deregistered"
    };
    let Some(image) = images
        .iter_mut()
        .filter(usable)
        .find(|image| image.id == *id)
    else {
        return Err(not_found(id));
    };
    tags::check_ec2(image.tags_seen_by(&caller.account), new)?;
    let tags = if image.owner == caller.account {
        &mut image.tags
    } else {
        image
            .tags_by_others
            .entry(caller.account.clone())
            .or_default()
    };
    tags.extend(new.iter());
    Ok(())
}

fn not_found(id: &ImageId) -> Refusal {
    Refusal::new(
        "InvalidAMIID.NotFound",
        format!("The image id '[{id}]' does not exist"),
    )
}
