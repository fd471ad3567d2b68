//! `copy_image`: one copy, however often it is asked for.
//!
//! EC2 makes one image per client token. The token follows from what is copied to where, so that every run asks
//! with the same one; where it stands for an image that has failed or is gone, the next token in the chain
//! follows from the last and from that image. Tokens are worked out when they are needed and never saved.

use std::cell::Cell;

use super::Written;
use super::look::until_seen;
use super::verdict::{Difference, Known, Verdict, images};
use crate::model::action::CopyImage;
use crate::model::client_config::{Place, sha256};
use crate::model::id::{AccountId, ImageId};
use crate::model::inventory::{Found, Image, Looked};
use crate::model::lineage::{copy_named_by_source, is_image_copy};
use crate::model::provider_error::{ErrorKind, ProviderError};
use crate::model::sync_tag::whole_seconds;
use crate::provider::Provider;

/// Links of the chain that are tried: each is a copy that failed or was removed, and nobody removes eight.
const MOST_LINKS: usize = 8;

pub(super) fn check(copy: &CopyImage, known: Known<'_>, found: &Found) -> Looked<Verdict> {
    let (sources, candidates) = images(found)?;
    let source = sources
        .iter()
        .find(|image| image.id == copy.source_image_id);
    let named = source.and_then(|source| copy_named_by_source(source, known.destination));
    let mut copies =
        copy_in(copy, candidates, named.as_ref()).filter(|image| image.owner == *known.account);
    if let Some(there) = copies.find(|image| !image.state.is_gone()) {
        return Ok(Verdict::AlreadyDone(there.id.to_string()));
    }
    let what = format!("source image {}", copy.source_image_id);
    Ok(match source {
        None => Verdict::Stale(Difference::new(
            what,
            &copy.expects.state,
            "none of that id",
        )),
        Some(source) if source.state.as_str() != copy.expects.state => {
            Verdict::Stale(Difference::new(
                format!("state of {what}"),
                &copy.expects.state,
                &source.state,
            ))
        }
        Some(source) => match source.created.map(whole_seconds) {
            Some(taken) if taken == copy.expects.taken => Verdict::Go,
            Some(taken) => Verdict::Stale(Difference::new(
                format!("creation time of {what}"),
                copy.expects.taken,
                taken,
            )),
            None => Verdict::Stale(Difference::new(
                format!("creation time of {what}"),
                copy.expects.taken,
                "none",
            )),
        },
    })
}

pub(super) async fn carry_out(
    provider: &dyn Provider,
    source: &Place,
    destination: &Place,
    account: &AccountId,
    copy: &CopyImage,
) -> Looked<Written> {
    let mut token = first_token(account, source, destination, &copy.source_image_id);
    let mut links = Vec::new();
    for _ in 0..MOST_LINKS {
        let dead = match provider.copy_image(destination, copy, &token).await {
            Ok(id) => match look_for(provider, destination, &id).await? {
                Some(image) if !image.state.is_gone() => return Ok(Written::Done(id.to_string())),
                _ => id,
            },
            Err(error) if error.code == "IdempotentParameterMismatch" => {
                match asked_differently(provider, source, destination, copy, error, &links).await? {
                    image if image.state.is_gone() => image.id,
                    image => return Ok(Written::AlreadyDone(image.id.to_string())),
                }
            }
            Err(error) => return Err(error),
        };
        token = next_token(&token, &dead);
        links.push(dead);
    }
    Err(ProviderError {
        call: "CopyImage",
        region: destination.region.clone(),
        code: "TooManyCopiesGone".to_owned(),
        message: format!(
            "the last {MOST_LINKS} copies of {} failed or were removed",
            copy.source_image_id
        ),
        kind: ErrorKind::Unknown,
    })
}

/// The image that EC2 has just named, once it can be seen.
async fn look_for(provider: &dyn Provider, at: &Place, id: &ImageId) -> Looked<Option<Image>> {
    until_seen(provider, async || {
        let seen = provider.images(at, std::slice::from_ref(id)).await?;
        Ok(seen.into_iter().find(|image| image.id == *id))
    })
    .await
}

/// The token was used with another request (other tags, another key): the copy that request made, best first.
async fn asked_differently(
    provider: &dyn Provider,
    source: &Place,
    destination: &Place,
    copy: &CopyImage,
    error: ProviderError,
    links: &[ImageId],
) -> Looked<Image> {
    let ids = std::slice::from_ref(&copy.source_image_id);
    let dead = Cell::new(None);
    let live = until_seen(provider, async || {
        let candidates = provider
            .image_copies(destination, &source.region, ids)
            .await?;
        let (gone, live): (Vec<Image>, Vec<Image>) = copy_in(copy, &candidates, None)
            .cloned()
            .partition(|image| image.state.is_gone());
        let next = gone
            .into_iter()
            .filter(|image| !links.contains(&image.id))
            // In the order in which the links were made, as those meet them whose request is the same.
            .min_by_key(|image| (image.created, image.id.clone()));
        dead.set(next.or(dead.take()));
        Ok(live.into_iter().min_by_key(|image| image.id.clone()))
    })
    .await?;
    live.or(dead.into_inner()).ok_or(ProviderError {
        kind: ErrorKind::Unknown,
        ..error
    })
}

fn copy_in<'a>(
    copy: &'a CopyImage,
    candidates: &'a [Image],
    named: Option<&'a ImageId>,
) -> impl Iterator<Item = &'a Image> {
    candidates.iter().filter(move |image| {
        is_image_copy(image, &copy.source_image_id, &copy.source_region, named)
    })
}

fn first_token(
    account: &AccountId,
    source: &Place,
    destination: &Place,
    image: &ImageId,
) -> String {
    token(&format!(
        "{account} {} {} {image}",
        source.region, destination.region
    ))
}

fn next_token(token_before: &str, dead: &ImageId) -> String {
    token(&format!("{token_before} {dead}"))
}

/// 64 hexadecimal digits: the longest token that EC2 takes.
fn token(text: &str) -> String {
    sha256(text.as_bytes())
        .trim_start_matches("sha256:")
        .to_owned()
}
