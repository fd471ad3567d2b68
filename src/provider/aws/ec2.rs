//! The calls to EC2.

use aws_sdk_ec2::operation::describe_images::builders::DescribeImagesFluentBuilder;
use aws_sdk_ec2::types::{Filter, ResourceType, TagSpecification};
use futures::future;
use jiff::Timestamp;

use crate::model::action::Copy;
use crate::model::artifact::Artifact;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::query::{ImageSelector, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};
use crate::model::tags::Tags;

use super::clients::Clients;
use super::convert;
use super::error::Call;
use super::pages::all_pages;

pub(super) const DESCRIBE: &str = "DescribeImages";

/// Images per page: the most that EC2 allows. Without a page size it may time out for large accounts.
const PAGE: i32 = 1000;

/// Returns the images that a query asks for, as they are at this time.
pub(super) async fn find(
    clients: &Clients,
    query: &Query,
    now: Timestamp,
) -> Answer<Vec<Artifact>> {
    match query {
        Query::Matching(selector) => read(clients, matching(clients, selector), now).await,
        // By filter: a request by id fails as a whole if one of them does not exist.
        Query::ByIds(ids) => {
            let request = clients.ec2.describe_images().include_disabled(true);
            read(clients, request.filters(filter("image-id", ids)), now).await
        }
        Query::CopiesOf { region, ids } => {
            let stated = vec![
                filter("source-image-id", ids),
                filter("source-image-region", [region]),
            ];
            let key = format!("tag:{}", key_on_copy(region));
            let values = ids.iter().map(|id| format!("* / {}", literal(id.as_str())));
            own(clients, stated, filter(&key, values), now).await
        }
        Query::CopiedFrom(region) => {
            let stated = vec![filter("source-image-region", [region])];
            own(
                clients,
                stated,
                filter("tag-key", [key_on_copy(region)]),
                now,
            )
            .await
        }
        Query::Automated(_) | Query::Manual(_) | Query::AllManual => {
            Err(Call::new(DESCRIBE, &clients.at).invalid("it is a query for snapshots"))
        }
    }
}

/// Starts a copy. Its tags are part of the call. AWS's own copying of tags stays off, because it would also copy the sync tags of
/// the source.
pub(super) async fn copy(
    clients: &Clients,
    copy: &Copy,
    client_token: Option<&str>,
) -> Answer<ArtifactId> {
    let call = Call::new("CopyImage", &clients.at);
    let name = copy.copy.name.as_deref();
    let description = copy.copy.description.clone();
    let mut request = clients
        .ec2
        .copy_image()
        .source_image_id(copy.source.id.as_str())
        .source_region(copy.source.region.as_str())
        .name(name.ok_or_else(|| call.invalid("the copy has no name"))?)
        .set_description(description.filter(|text| !text.is_empty()))
        .tag_specifications(tag_specification(ResourceType::Image, &copy.all_tags()))
        .set_client_token(client_token.map(str::to_owned));
    // EC2 refuses an empty list.
    if !copy.tags.is_empty() {
        let tags = tag_specification(ResourceType::Snapshot, &copy.tags);
        request = request.tag_specifications(tags);
    }
    // Never `encrypted = false`: an encrypted image can't get an unencrypted copy, and the account may encrypt every copy.
    if let Some(key) = &copy.kms_key_id {
        request = request.encrypted(true).kms_key_id(key);
    }
    let answer = request.send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let id = answer.image_id().map(ArtifactId::from);
    id.ok_or_else(|| call.unreadable("no image id"))
}

/// Writes tags on an image.
pub(super) async fn tag(clients: &Clients, id: &ArtifactId, tags: &Tags) -> Answer<()> {
    let call = Call::new("CreateTags", &clients.at);
    let request = clients.ec2.create_tags().resources(id.as_str());
    let request = request.set_tags(Some(convert::ec2_tags(tags)));
    let answer = request.send().await;
    answer.map(drop).map_err(|error| call.failed(&error))
}

/// Returns a request for the images that a selector matches, in every state, deprecated ones included.
fn matching(clients: &Clients, selector: &ImageSelector) -> DescribeImagesFluentBuilder {
    let mut request = clients.ec2.describe_images().owners(&selector.owner);
    request = request.include_deprecated(true).include_disabled(true);
    for own in &selector.filters {
        request = request.filters(filter(&own.name, &own.values));
    }
    let values = selector.sync_identifiers.iter().map(|text| literal(text));
    if values.len() > 0 {
        let key = format!("tag:{SYNC_IDENTIFIER}");
        request = request.filters(filter(&key, values));
    }
    request
}

/// Returns the caller's own images, disabled ones included, that match what AWS states or a tag. Both are read at the same time;
/// each image is returned once.
async fn own(
    clients: &Clients,
    stated: Vec<Filter>,
    tag: Filter,
    now: Timestamp,
) -> Answer<Vec<Artifact>> {
    let read = |filters| {
        let request = clients.ec2.describe_images().owners("self");
        let request = request.include_disabled(true).set_filters(Some(filters));
        read(clients, request, now)
    };
    let (stated, tagged) = future::join(read(stated), read(vec![tag])).await;
    Ok(convert::each_once(stated?.into_iter().chain(tagged?)))
}

/// Returns what is on all pages of the answer.
async fn read(
    clients: &Clients,
    request: DescribeImagesFluentBuilder,
    now: Timestamp,
) -> Answer<Vec<Artifact>> {
    let call = Call::new(DESCRIBE, &clients.at);
    let page = |token| {
        let request = request.clone().max_results(PAGE);
        request.set_next_token(token).send()
    };
    let pages = all_pages(call, page, |page| page.next_token()).await?;
    let images = pages
        .into_iter()
        .flat_map(|page| page.images.unwrap_or_default());
    let region = &clients.at.region;
    convert::all(
        call,
        images.map(|image| convert::image(&image, region, now)),
    )
}

fn filter(name: &str, values: impl IntoIterator<Item: ToString>) -> Filter {
    let values = values.into_iter().map(|value| value.to_string());
    let filter = Filter::builder().name(name);
    filter.set_values(Some(values.collect())).build()
}

/// Returns the filter value that matches this text only: EC2 reads `*` and `?` as wildcards, and `\` as their escape.
fn literal(text: &str) -> String {
    let value = text.replace('\\', r"\\");
    value.replace('*', r"\*").replace('?', r"\?")
}

fn tag_specification(resource: ResourceType, tags: &Tags) -> TagSpecification {
    let specification = TagSpecification::builder().resource_type(resource);
    specification
        .set_tags(Some(convert::ec2_tags(tags)))
        .build()
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(literal(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literal("ami-0123"), "ami-0123");
    }
}
