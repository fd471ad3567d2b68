//! Performs one action: makes its calls, and reads until the outcome is known.
//!
//! If AWS assigns the id of a copy, it makes one copy per client token. The token is derived from the account, the regions and the
//! source, so that every run sends the same one. If a token stands for a copy that has failed or is gone, the next token in the
//! chain is derived from it. If the caller chooses the id, AWS makes no second copy with the same id.

use std::fmt::Display;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use smol_str::SmolStr;

use super::facts::Target;
use super::precondition::source_of;
use crate::model::action::{Action, Copy, Delete, Tag};
use crate::model::artifact::{Artifact, ArtifactRef, UndeletedSnapshot};
use crate::model::client_config::sha256;
use crate::model::identity::origin;
use crate::model::ids::ArtifactId;
use crate::model::inventory::Answer;
use crate::model::kind::{CopyId, Kind};
use crate::model::location::Location;
use crate::model::provider_error::{ErrorClass, ProviderError};
use crate::model::query::Query;
use crate::model::result::ActionOutcome::{self, AlreadyDone, Done};
use crate::model::result::ActionResult;
use crate::model::tags::Tags;
use crate::model::words::list;
use crate::provider::Provider;

/// After this number of tokens, each of which stands for a copy that has failed or was removed, the next one also depends on the
/// day of the plan (UTC). The cause may be fixed one day, so each day has tokens of its own.
const DAY_INDEPENDENT_TOKENS: usize = 8;

/// The number of tokens that are tried.
const MAX_TOKENS: usize = 2 * DAY_INDEPENDENT_TOKENS;

/// The pauses between reads of an artifact that exists but that AWS does not list yet: two and a half minutes in all, which is how
/// long AWS's listings may lag.
const LISTING_PAUSES: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_secs(30))
    .with_max_times(9);

/// The outcome of a call that succeeded, with the id of its artifact.
type Accepted = (ActionOutcome, ArtifactId);

/// Performs an action. `copy` is the copy that the tag of the source will name.
pub(super) async fn perform(
    provider: &dyn Provider,
    target: &Target,
    action: &Action,
    copy: Option<&ArtifactId>,
) -> Answer<ActionResult> {
    let calls = |location| Calls {
        provider,
        location,
        kind: action.kind(),
    };
    let source = calls(&target.request.source);
    let destination = calls(&target.request.destination);
    let (outcome, id) = match action {
        Action::Delete(delete) => {
            let (outcome, left) = destination.delete(delete).await?;
            let result = ActionResult::new(action, outcome).resource(delete.artifact.id.clone());
            let mut result = match left.as_slice() {
                [] => result,
                left => result.detail(format!("snapshots not deleted: {}", list(left))),
            };
            result.undeleted_snapshots = left;
            return Ok(result);
        }
        Action::Copy(copy) => match copy.kind.facts().copy_id {
            CopyId::AssignedByAws => destination.copy_with_token(target, copy).await,
            CopyId::Chosen { .. } => destination.copy_with_id(copy).await,
        },
        Action::TagCopy(tag) => {
            let tags = tag.all_tags();
            destination
                .write_tags(&tag.copy, &tag.snapshots, &tags)
                .await
        }
        Action::TagSource(tag) => match copy {
            Some(copy) => {
                let Tag { key, value } = tag.tag(copy);
                source
                    .write_tags(&tag.source, &[], &Tags::from([(key, value)]))
                    .await
            }
            // The precondition rules this out.
            None => Ok((AlreadyDone, tag.source.id.clone())),
        },
    }?;
    Ok(ActionResult::new(action, outcome).resource(id))
}

/// The calls for artifacts of one kind at one location.
struct Calls<'a> {
    provider: &'a dyn Provider,
    location: &'a Location,
    kind: Kind,
}

impl Calls<'_> {
    async fn copy_with_token(&self, target: &Target, copy: &Copy) -> Answer<Accepted> {
        let account = &target.account;
        let (source, from, to) = (&copy.source.id, &copy.source.region, &self.location.region);
        let mut token = next_token(&format!("{account} {from} {to}"), source);
        for link in 0..MAX_TOKENS {
            if link == DAY_INDEPENDENT_TOKENS {
                token = next_token(&token, target.planned_at.strftime("%F"));
            }
            let answer = self.provider.copy(self.location, copy, Some(&token)).await;
            let (outcome, made) = match answer {
                Ok(id) => {
                    let made = self.until_listed(async || self.by_id(&id).await).await?;
                    (Done, made)
                }
                Err(error) if error.class == ErrorClass::Conflict => {
                    (AlreadyDone, self.copy_of_other_request(copy).await?)
                }
                Err(error) => return Err(error),
            };
            // As in the planner, a copy does not count if someone has tagged it as a copy of a different source.
            let is_copy = |made: &Artifact| {
                let origin = origin(made, from);
                !made.state.is_gone() && origin.is_none_or(|origin| origin.id == source.as_str())
            };
            if let Some(made) = made.filter(is_copy) {
                return Ok((outcome, made.id));
            }
            // The next token can't depend on the id of the copy: AWS does not return that id to a request with other parameters.
            token = next_token(&token, link);
        }
        Err(ProviderError {
            call: "copy",
            region: to.clone(),
            code: "TooManyCopiesGone".to_owned(),
            message: format!(
                "the last {MAX_TOKENS} copies of {source} have failed or were removed"
            ),
            class: ErrorClass::Unknown,
        })
    }

    /// Returns the live copy that another request made from this source with the same token but other tags or another key, if there
    /// is one.
    async fn copy_of_other_request(&self, copy: &Copy) -> Answer<Option<Artifact>> {
        let (region, ids) = (copy.source.region.clone(), vec![copy.source.id.clone()]);
        let query = Query::CopiesOf { region, ids };
        self.until_listed(async || {
            let mut copies = self.provider.find(self.location, self.kind, &query).await?;
            copies.retain(|made| source_of(copy).is_source_of(made) && !made.state.is_gone());
            Ok(copies
                .into_iter()
                .min_by_key(|made| (made.created, made.id.clone())))
        })
        .await
    }

    async fn copy_with_id(&self, copy: &Copy) -> Answer<Accepted> {
        let error = match self.provider.copy(self.location, copy, None).await {
            Ok(id) => return Ok((Done, id)),
            Err(error) => error,
        };
        let id = copy.copy.id.as_ref().unwrap_or(&copy.source.id);
        let holder = match error.class {
            ErrorClass::Conflict => self.holder(id).await?,
            // Perhaps AWS made the copy, and only the answer was lost. If this read fails too, the next apply finds the copy.
            ErrorClass::Unknown => self.by_id(id).await.ok().flatten(),
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
        let what = if is_copy { "a copy" } else { "not a copy" };
        let (kind, before) = (self.kind, &error.message);
        let (state, source) = (&holder.state, &copy.source.id);
        let message = format!("{before}; the {kind} with that id ({state}) is {what} of {source}");
        Err(ProviderError { message, ..error })
    }

    /// Returns the artifact with this id. If that artifact is gone, reads again: the listing may lag, and another artifact may have
    /// taken the id since.
    async fn holder(&self, id: &ArtifactId) -> Answer<Option<Artifact>> {
        let mut gone = None;
        let live = self.until_listed(async || {
            let found = self.by_id(id).await?;
            let (dead, live): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|holder| holder.state.is_gone());
            gone = dead.into_iter().next().or(gone.take());
            Ok(live.into_iter().next())
        });
        Ok(live.await?.or(gone))
    }

    async fn write_tags(
        &self,
        artifact: &ArtifactRef,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Answer<Accepted> {
        let (provider, at) = (self.provider, self.location);
        provider
            .tag(at, self.kind, artifact, snapshots, tags)
            .await?;
        Ok((Done, artifact.id.clone()))
    }

    /// Deletes a copy. Returns the backing snapshots that AWS did not delete with it.
    async fn delete(&self, delete: &Delete) -> Answer<(ActionOutcome, Vec<UndeletedSnapshot>)> {
        let id = &delete.artifact.id;
        let error = match self.provider.delete(self.location, delete).await {
            Ok(left) => return Ok((Done, left)),
            Err(error) => error,
        };
        let is_gone = match error.class {
            ErrorClass::Absent => true,
            // This is AWS's answer to the second of two deletions.
            ErrorClass::Conflict => {
                let copy = self.by_id(id).await;
                copy.is_ok_and(|copy| copy.is_none_or(|copy| copy.state.is_being_deleted()))
            }
            _ => false,
        };
        is_gone.then(|| (AlreadyDone, Vec::new())).ok_or(error)
    }

    async fn by_id(&self, id: &ArtifactId) -> Answer<Option<Artifact>> {
        let query = Query::ByIds(vec![id.clone()]);
        let found = self.provider.find(self.location, self.kind, &query).await?;
        Ok(found.into_iter().find(|artifact| artifact.id == *id))
    }

    /// Repeats the read of an existing artifact until AWS lists it. Returns `None` if AWS does not list it in time. Retries reads
    /// that fail with a transient error.
    async fn until_listed<T>(
        &self,
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
            self.provider.pause(pause).await;
            answer = read().await;
        }
        answer
    }
}

/// Returns the next token. A token has 64 hexadecimal digits, the most that EC2 accepts.
fn next_token(before: &str, what: impl Display) -> String {
    let hash = sha256(format!("{before} {what}").as_bytes());
    hash.trim_start_matches("sha256:").to_owned()
}
