//! The calls to EC2.

use aws_sdk_ec2::operation::describe_images::builders::DescribeImagesFluentBuilder;
use aws_sdk_ec2::types::{Filter, ResourceType, TagSpecification};
use futures::future;

use crate::model::Tags;
use crate::model::action::CopyImage;
use crate::model::client_config::Place;
use crate::model::id::{ImageId, Region};
use crate::model::inventory::{Image, Looked};
use crate::model::job::{ImageFilter, ImageSelector};
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};

use super::clients::Clients;
use super::convert;
use super::error::{all_pages, failed, unreadable};

const DESCRIBE: &str = "DescribeImages";

/// Images on one page: the most that EC2 gives. Without a page size it may answer with a time-out for large accounts.
const PAGE: i32 = 1000;

/// The images that a selector meets, in every state that is listed by itself (disabled ones are not).
pub(super) async fn source_images(
    clients: &Clients,
    at: &Place,
    selector: &ImageSelector,
) -> Looked<Vec<Image>> {
    let own = |filter: &ImageFilter| among(&filter.name, filter.values.clone());
    let mut filters: Vec<Filter> = selector.filters.iter().map(own).collect();
    if !selector.sync_identifiers.is_empty() {
        let identifiers = selector.sync_identifiers.iter();
        filters.push(among(
            &format!("tag:{SYNC_IDENTIFIER}"),
            identifiers.map(|value| literally(value)).collect(),
        ));
    }
    let request = clients.ec2.describe_images().owners(&selector.owner);
    read(at, request.set_filters(some(filters))).await
}

/// Images by id, whoever owns them. Asked for by filter, for a request by id fails as a whole if one is not there.
pub(super) async fn images(clients: &Clients, at: &Place, ids: &[ImageId]) -> Looked<Vec<Image>> {
    let request = clients.ec2.describe_images().include_disabled(true);
    let ids = ids.iter().map(|id| id.as_str().to_owned());
    read(at, request.filters(among("image-id", ids.collect()))).await
}

/// The caller's own images that AWS or their sync tag ties to one of these: two questions, asked side by side.
pub(super) async fn image_copies(
    clients: &Clients,
    at: &Place,
    from: &Region,
    of: &[ImageId],
) -> Looked<Vec<Image>> {
    let ids = of.iter().map(|id| id.as_str().to_owned());
    let stated = own(clients)
        .filters(among("source-image-id", ids.collect()))
        .filters(among("source-image-region", vec![from.as_str().to_owned()]));
    let tags = of
        .iter()
        .map(|id| format!("* / {}", literally(id.as_str())));
    let tagged = own(clients).filters(among(&format!("tag:{}", key_on_copy(from)), tags.collect()));
    either(at, stated, tagged).await
}

/// The caller's own images that AWS or the key of their sync tag says come from this region.
pub(super) async fn images_from(
    clients: &Clients,
    at: &Place,
    from: &Region,
) -> Looked<Vec<Image>> {
    let region = vec![from.as_str().to_owned()];
    let stated = own(clients).filters(among("source-image-region", region));
    let tagged = own(clients).filters(among("tag-key", vec![key_on_copy(from)]));
    either(at, stated, tagged).await
}

/// Has an image copied into the region `at`. Tags go into the call itself, and AWS's own copying of tags stays off:
/// it would carry the source's sync tags over.
pub(super) async fn copy_image(
    clients: &Clients,
    at: &Place,
    copy: &CopyImage,
    token: &str,
) -> Looked<ImageId> {
    const CALL: &str = "CopyImage";
    let mut tags = copy.tags.clone();
    tags.insert(&copy.sync_tag.key, &copy.sync_tag.value);
    let specifications = [
        tagging(ResourceType::Image, &tags),
        tagging(ResourceType::Snapshot, &copy.tags),
    ]
    .into_iter()
    .flatten();
    let mut request = clients
        .ec2
        .copy_image()
        .source_image_id(copy.source_image_id.as_str())
        .source_region(copy.source_region.as_str())
        .name(&copy.name)
        .set_description(Some(copy.description.clone()).filter(|text| !text.is_empty()))
        .set_tag_specifications(some(specifications.collect()))
        .client_token(token);
    // Never `encrypted = false`: the copy of an encrypted image cannot be unencrypted, and the account may encrypt all.
    if let Some(key) = &copy.kms_key_id {
        request = request.encrypted(true).kms_key_id(key);
    }
    let answer = request
        .send()
        .await
        .map_err(|error| failed(CALL, at, &error))?;
    answer
        .image_id()
        .map(ImageId::from)
        .ok_or_else(|| unreadable(CALL, at, "no image id"))
}

/// Writes tags on an image.
pub(super) async fn tag(clients: &Clients, at: &Place, id: &ImageId, tags: &Tags) -> Looked<()> {
    let request = clients
        .ec2
        .create_tags()
        .resources(id.as_str())
        .set_tags(Some(convert::ec2_tags(tags)));
    request
        .send()
        .await
        .map(|_| ())
        .map_err(|error| failed("CreateTags", at, &error))
}

/// The caller's own images, disabled ones among them.
fn own(clients: &Clients) -> DescribeImagesFluentBuilder {
    let request = clients.ec2.describe_images();
    request.owners("self").include_disabled(true)
}

/// What two requests find, asked side by side; each image once.
async fn either(
    at: &Place,
    one: DescribeImagesFluentBuilder,
    other: DescribeImagesFluentBuilder,
) -> Looked<Vec<Image>> {
    let (one, other) = future::join(read(at, one), read(at, other)).await;
    let found = one?.into_iter().chain(other?);
    Ok(convert::each_once(found, |image| image.id.clone()))
}

/// Every page of the answer.
async fn read(at: &Place, request: DescribeImagesFluentBuilder) -> Looked<Vec<Image>> {
    let pages = request.into_paginator().page_size(PAGE).send();
    let pages: Vec<_> = pages
        .try_collect()
        .await
        .map_err(|error| failed(DESCRIBE, at, &error))?;
    all_pages(
        DESCRIBE,
        at,
        pages.last().and_then(|page| page.next_token()),
    )?;
    let listed = pages
        .into_iter()
        .flat_map(|page| page.images.unwrap_or_default());
    convert::images(DESCRIBE, at, listed.collect())
}

fn among(name: &str, values: Vec<String>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values))
        .build()
}

/// The value that matches this text alone: EC2 takes `*` and `?` for wildcards and `\` for their escape.
fn literally(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

fn tagging(resource: ResourceType, tags: &Tags) -> Option<TagSpecification> {
    let of = TagSpecification::builder().resource_type(resource);
    (!tags.is_empty()).then(|| of.set_tags(Some(convert::ec2_tags(tags))).build())
}

/// A list, unless it is empty: EC2 takes an empty parameter for a wrong one.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::literally;

    #[test]
    fn wildcards_lose_their_power() {
        assert_eq!(literally(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literally("ami-0123"), "ami-0123");
    }
}
