//! The calls to EC2.

use std::collections::BTreeMap;

use aws_sdk_ec2::operation::describe_images::builders::DescribeImagesFluentBuilder;
use aws_sdk_ec2::types::{
    Filter, ImageReference, ResourceType, SnapshotReturnCodes, TagSpecification,
};
use futures::future;
use jiff::Timestamp;
use smol_str::SmolStr;

use crate::model::action::Copy;
use crate::model::artifact::{Artifact, UndeletedSnapshot};
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
pub(super) const REFERENCES: &str = "DescribeImageReferences";

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
        // The sync tag lets a policy allow the deletion of these snapshots and no others.
        .tag_specifications(tag_specification(ResourceType::Snapshot, &copy.all_tags()))
        .set_snapshot_copy_completion_duration_minutes(copy.copy_within_minutes.map(i64::from))
        .set_client_token(client_token.map(str::to_owned));
    // Never `encrypted = false`: an encrypted image can't get an unencrypted copy, and the account may encrypt every copy.
    if let Some(key) = &copy.kms_key_id {
        request = request.encrypted(true).kms_key_id(key);
    }
    let answer = request.send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let id = answer.image_id().map(ArtifactId::from);
    id.ok_or_else(|| call.unreadable("no image id"))
}

/// Adds tags to an image and to backing snapshots.
pub(super) async fn tag(
    clients: &Clients,
    id: &ArtifactId,
    snapshots: &[SmolStr],
    tags: &Tags,
) -> Answer<()> {
    let call = Call::new("CreateTags", &clients.at);
    let ids = [id.as_str()].into_iter();
    let ids = ids.chain(snapshots.iter().map(SmolStr::as_str));
    let ids = ids.map(str::to_owned).collect();
    let request = clients.ec2.create_tags().set_resources(Some(ids));
    let request = request.set_tags(Some(convert::ec2_tags(tags)));
    let answer = request.send().await;
    answer.map(drop).map_err(|error| call.failed(&error))
}

/// Returns the resources that use these images, as text.
pub(super) async fn references(
    clients: &Clients,
    ids: &[ArtifactId],
) -> Answer<BTreeMap<ArtifactId, Vec<String>>> {
    let call = Call::new(REFERENCES, &clients.at);
    let request = clients.ec2.describe_image_references();
    let ids = ids.iter().map(ArtifactId::to_string).collect();
    let request = request.set_image_ids(Some(ids));
    let request = request.include_all_resource_types(true);
    let page = |token| request.clone().set_next_token(token).send();
    let pages = all_pages(call, page, |page| page.next_token()).await?;
    let references = pages
        .into_iter()
        .flat_map(|page| page.image_references.unwrap_or_default());
    let mut users: BTreeMap<ArtifactId, Vec<String>> = BTreeMap::new();
    for reference in references {
        let id = reference.image_id();
        let id = id.ok_or_else(|| call.unreadable("a reference without an image id"))?;
        users.entry(id.into()).or_default().push(user(&reference));
    }
    Ok(users)
}

/// Returns the text for a resource that uses an image: `launch template lt-0123`, from the end of its ARN.
fn user(reference: &ImageReference) -> String {
    let resource = reference.arn().and_then(|arn| arn.splitn(6, ':').nth(5));
    match resource.and_then(|resource| resource.split_once(['/', ':'])) {
        Some((what, id)) => format!("{} {id}", what.replace('-', " ")),
        None => {
            let what = reference.resource_type().map(|what| what.as_str());
            what.or(reference.arn()).unwrap_or("a resource").to_owned()
        }
    }
}

/// Deregisters an image and deletes its snapshots. Returns those that AWS did not delete.
pub(super) async fn delete(clients: &Clients, id: &ArtifactId) -> Answer<Vec<UndeletedSnapshot>> {
    let call = Call::new("DeregisterImage", &clients.at);
    let request = clients.ec2.deregister_image().image_id(id.as_str());
    let answer = request.delete_associated_snapshots(true).send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let results = answer.delete_snapshot_results().iter();
    let left = results.filter_map(|result| {
        let code = result.return_code().map_or("unknown", |code| code.as_str());
        (code != SnapshotReturnCodes::Success.as_str()).then(|| UndeletedSnapshot {
            id: result.snapshot_id().unwrap_or_default().into(),
            code: code.into(),
        })
    });
    Ok(left.collect())
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
    use aws_sdk_ec2::types::{ImageReference, ImageReferenceResourceType};

    use super::{literal, user};

    #[test]
    fn users_of_images_are_named_by_the_end_of_their_arns() {
        for (arn, text) in [
            (
                "arn:aws:ec2:us-west-1:1:launch-template/lt-0123",
                "launch template lt-0123",
            ),
            ("arn:aws:ec2:us-west-1:1:instance/i-0123", "instance i-0123"),
            (
                "arn:aws:ssm:us-west-1:1:parameter/amis/web",
                "parameter amis/web",
            ),
            (
                "arn:aws:imagebuilder:us-west-1:1:image-recipe/web/1.0.0",
                "image recipe web/1.0.0",
            ),
            ("odd", "ec2:Instance"),
        ] {
            let reference = ImageReference::builder().arn(arn);
            let reference = reference.resource_type(ImageReferenceResourceType::Ec2Instance);
            assert_eq!(user(&reference.build()), text);
        }
        assert_eq!(user(&ImageReference::builder().build()), "a resource");
    }

    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(literal(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literal("ami-0123"), "ami-0123");
    }
}
