//! Performs one action: the calls that it takes, until what is there is known.
//!
//! Where AWS assigns the id of a copy, it makes one copy per client token. The token follows from what is copied where, so that
//! every run asks with the same one; where it stands for a copy that has failed or is gone, the next token follows from it and
//! from that copy. Where the caller chooses the id, AWS makes no second copy of the same id.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::precondition::{Target, source_of, to_delete};
use crate::model::action::{Action, Copy, Delete, Tag};
use crate::model::artifact::{Artifact, ArtifactRef};
use crate::model::client_config::sha256;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::kind::{CopyId, Kind};
use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::query::Query;
use crate::model::result::ActionOutcome::{self, AlreadyDone, Done};
use crate::model::result::ActionResult;
use crate::model::tags::Tags;
use crate::provider::Provider;

/// How many tokens are tried: each stands for a copy that has failed or was removed.
const MAX_TOKENS: usize = 8;

/// The pauses between reads of what AWS has mentioned but does not list yet: two and a half minutes in all, which is as long as
/// its listings may lag.
const LISTING_PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_max_times(9);

/// What AWS's acceptance came to, with the artifact that it is about.
type Accepted = (ActionOutcome, ArtifactId);

/// Performs an action. `copy` is the copy that a source is to name.
pub(super) async fn perform(
    provider: &dyn Provider,
    target: &Target,
    action: &Action,
    copy: Option<&ArtifactId>,
) -> Answer<ActionResult> {
    let (source, destination) = (&target.request.source, &target.request.destination);
    let (outcome, id) = match action {
        Action::Copy(copy) => match copy.kind.facts().copy_id {
            CopyId::AssignedByAws => copy_with_token(provider, target, copy).await,
            CopyId::Chosen { .. } => copy_with_id(provider, destination, copy).await,
        },
        Action::TagCopy(tag) => {
            write_tag(provider, destination, tag.kind, &tag.copy, &tag.sync_tag).await
        }
        Action::TagSource(tag) => match copy {
            Some(copy) => write_tag(provider, source, tag.kind, &tag.source, &tag.tag(copy)).await,
            // The precondition excludes this.
            None => Ok((AlreadyDone, tag.source.id.clone())),
        },
        Action::Delete(action) => delete(provider, destination, action).await,
    }?;
    Ok(ActionResult::new(action, outcome).resource(id))
}

async fn copy_with_token(
    provider: &dyn Provider,
    target: &Target,
    copy: &Copy,
) -> Answer<Accepted> {
    let destination = &target.request.destination;
    let mut token = next_token(
        &format!(
            "{} {} {}",
            target.account, copy.source.region, destination.region
        ),
        &copy.source.id,
    );
    let mut gone = Vec::new();
    for _ in 0..MAX_TOKENS {
        let id = match provider.copy(destination, copy, Some(&token)).await {
            Ok(id) => match until_listed(provider, async || {
                by_id(provider, destination, copy.kind, &id).await
            })
            .await?
            {
                Some(image) if !image.state.is_gone() => return Ok((Done, id)),
                Some(_) | None => id,
            },
            Err(error) if error.class == ErrorClass::Conflict => {
                match copy_of_other_request(provider, destination, copy, &gone).await? {
                    Some(image) if !image.state.is_gone() => {
                        return Ok((AlreadyDone, image.id));
                    }
                    Some(image) => image.id,
                    None => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        token = next_token(&token, &id);
        gone.push(id);
    }
    Err(ProviderError {
        call: "copy",
        region: destination.region.clone(),
        code: "TooManyCopiesGone".to_owned(),
        message: format!(
            "the last {MAX_TOKENS} copies of {} have failed or were removed",
            copy.source.id
        ),
        class: ErrorClass::Unknown,
    })
}

/// Returns the token that follows. A token has 64 hexadecimal digits, the most that EC2 accepts.
fn next_token(before: &str, id: &ArtifactId) -> String {
    let hash = sha256(format!("{before} {id}").as_bytes());
    hash.trim_start_matches("sha256:").to_owned()
}

/// Returns the copy that was made with this token by a request with other tags or another key: a live one if there is one, else
/// the oldest that is gone and not known yet. The chain of tokens has them in that order.
async fn copy_of_other_request(
    provider: &dyn Provider,
    at: &Location,
    copy: &Copy,
    known: &[ArtifactId],
) -> Answer<Option<Artifact>> {
    let query = Query::CopiesOf {
        region: copy.source.region.clone(),
        ids: vec![copy.source.id.clone()],
    };
    let mut next_gone = None;
    let live = until_listed(provider, async || {
        let mut copies = provider.find(at, copy.kind, &query).await?;
        copies.retain(|image| source_of(copy).is_source_of(image));
        let (gone, live): (Vec<_>, Vec<_>) =
            copies.into_iter().partition(|image| image.state.is_gone());
        let gone = gone.into_iter().filter(|image| !known.contains(&image.id));
        next_gone = gone
            .min_by_key(|image| (image.created, image.id.clone()))
            .or(next_gone.take());
        Ok(live.into_iter().min_by_key(|image| image.id.clone()))
    })
    .await?;
    Ok(live.or(next_gone))
}

async fn copy_with_id(provider: &dyn Provider, at: &Location, copy: &Copy) -> Answer<Accepted> {
    let error = match provider.copy(at, copy, None).await {
        Ok(id) => return Ok((Done, id)),
        Err(error) => error,
    };
    let Some(id) = &copy.copy.id else {
        return Err(error);
    };
    let read = async || by_id(provider, at, copy.kind, id).await;
    let holder = match error.class {
        ErrorClass::Conflict => until_listed(provider, read).await?,
        // Perhaps only the answer was lost. If that can't be told now, the next apply finds the copy.
        ErrorClass::Unknown => read().await.ok().flatten(),
        _ => None,
    };
    let Some(holder) = holder else {
        return Err(error);
    };
    let is_copy = source_of(copy).is_source_of(&holder);
    if is_copy && !holder.state.is_gone() {
        return Ok((AlreadyDone, holder.id));
    }
    if error.class != ErrorClass::Conflict {
        return Err(error);
    }
    let what = if is_copy { "a copy" } else { "no copy" };
    let message = format!(
        "{}; what has that id ({}) is {what} of {}",
        error.message, holder.state, copy.source.id
    );
    Err(ProviderError { message, ..error })
}

async fn write_tag(
    provider: &dyn Provider,
    at: &Location,
    kind: Kind,
    artifact: &ArtifactRef,
    tag: &Tag,
) -> Answer<Accepted> {
    let tags = Tags::from([(&tag.key, &tag.value)]);
    provider.tag(at, kind, artifact, &tags).await?;
    Ok((Done, artifact.id.clone()))
}

async fn delete(provider: &dyn Provider, at: &Location, delete: &Delete) -> Answer<Accepted> {
    let id = &delete.artifact.id;
    let error = match provider.delete(at, delete).await {
        Ok(()) => return Ok((Done, id.clone())),
        Err(error) => error,
    };
    let is_gone = match error.class {
        ErrorClass::Absent => true,
        // AWS answers the second of two deletions like this.
        ErrorClass::Conflict => {
            let query = Query::ByIds(vec![id.clone()]);
            let copies = provider.find(at, delete.kind, &query).await;
            copies.is_ok_and(|copies| to_delete(delete, &copies).is_none())
        }
        _ => false,
    };
    if is_gone {
        Ok((AlreadyDone, id.clone()))
    } else {
        Err(error)
    }
}

async fn by_id(
    provider: &dyn Provider,
    at: &Location,
    kind: Kind,
    id: &ArtifactId,
) -> Answer<Option<Artifact>> {
    let query = Query::ByIds(vec![id.clone()]);
    let found = provider.find(at, kind, &query).await?;
    Ok(found.into_iter().find(|artifact| artifact.id == *id))
}

/// Reads what AWS has mentioned until it is listed; nothing if it is not listed in time. Reads that fail for the moment are
/// made again.
async fn until_listed<T>(
    provider: &dyn Provider,
    mut read: impl AsyncFnMut() -> Answer<Option<T>>,
) -> Answer<Option<T>> {
    let mut answer = read().await;
    for pause in LISTING_PAUSES.build() {
        let is_final = match &answer {
            Ok(found) => found.is_some(),
            Err(error) => !error.class.is_transient(),
        };
        if is_final {
            break;
        }
        provider.pause(pause).await;
        answer = read().await;
    }
    answer
}
