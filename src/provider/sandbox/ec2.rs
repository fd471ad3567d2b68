//! EC2: images.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::access::Access;
use super::calls::{Refusal, Reply};
use super::contents::{BackingSnapshot, WorldArtifact};
use super::world::ClientToken;
use super::{image_filters, tag_limits};
use crate::model::action::Copy;
use crate::model::artifact::{Artifact, ArtifactState, UndeletedSnapshot};
use crate::model::client_config::sha256;
use crate::model::ids::{AccountId, Arn, ArtifactId, Region};
use crate::model::kind::Kind;
use crate::model::provider_error::ErrorClass;
use crate::model::query::{ImageFilter, ImageSelector, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, key_on_copy};
use crate::model::tags::Tags;

/// See <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>.
const MAX_TOKEN: usize = 64;
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>.
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;
const MAX_DESCRIPTION: usize = 255;
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html>.
const MAX_REFERENCED: usize = 10;

/// Returns true if a selector finds an image for an account.
pub(super) fn is_selected(image: &WorldArtifact, by: &ImageSelector, account: &AccountId) -> bool {
    let is_owner = match by.owner.as_str() {
        "self" => image.account == *account,
        owner => image.account.as_str() == owner || image.owner_alias.as_deref() == Some(owner),
    };
    let tags = image.tags_of(account);
    let identifier = tags.get(SYNC_IDENTIFIER);
    let mut identifiers = by.sync_identifiers.iter();
    let mut filters = by.filters.iter();
    is_owner
        && image.is_visible_to(account)
        && (by.sync_identifiers.is_empty() || identifiers.any(|text| identifier == Some(text)))
        && filters.all(|filter| image_filters::is_met(filter, image, tags))
}

/// Returns the ids of the sources of an image in a region, as AWS states them and by its sync tag.
fn sources<'i>(image: &'i WorldArtifact, from: &Region) -> impl Iterator<Item = &'i str> {
    let stated = image.copied_from.as_ref();
    let stated = stated.filter(|arn| arn.region() == Some(from.as_str()));
    let tag = image.tags.get(&key_on_copy(from));
    let tagged = tag.map(|tag| tag.rsplit_once(" / ").map_or("", |(_, id)| id));
    stated.and_then(Arn::id).into_iter().chain(tagged)
}

impl Access<'_> {
    /// Answers DescribeImages.
    pub(super) fn describe_images(&self, query: &Query) -> Reply<Vec<Artifact>> {
        let account = &self.account;
        let (filters, other_values): (&[ImageFilter], usize) = match query {
            Query::Matching(selector) => (&selector.filters, selector.sync_identifiers.len()),
            Query::ByIds(ids) => (&[], ids.len()),
            // The region is a value too.
            Query::CopiesOf { ids, .. } => (&[], ids.len() + 1),
            Query::CopiedFrom(_) => (&[], 1),
            Query::Automated(_) | Query::Manual(_) | Query::AllManual => {
                return Err(Refusal::invalid("Images are not snapshots of a database"));
            }
        };
        image_filters::check(filters, other_values)?;
        let is_wanted = |image: &WorldArtifact| match query {
            Query::Matching(selector) => is_selected(image, selector, account),
            Query::ByIds(ids) => image.is_visible_to(account) && ids.contains(&image.id),
            Query::CopiesOf { region, ids } => {
                let is_asked_for = |source| ids.iter().any(|id| id.as_str() == source);
                image.account == *account && sources(image, region).any(is_asked_for)
            }
            Query::CopiedFrom(region) => {
                image.account == *account && sources(image, region).next().is_some()
            }
            _ => false,
        };
        Ok(self.list(Kind::Image, is_wanted))
    }

    /// Answers CopyImage, which goes to the destination.
    pub(super) fn copy_image(&mut self, copy: &Copy, token: Option<&str>) -> Reply<ArtifactId> {
        let name = copy.copy.name.as_deref().unwrap_or_default();
        let description = copy.copy.description.as_deref().unwrap_or_default();
        let tags = copy.all_tags();
        check_request(name, description, token)?;
        tag_limits::check(Kind::Image, &Tags::new(), &tags)?;
        let request = fingerprint(copy);
        if let Some(id) = self.earlier_copy(token, &request)? {
            return Ok(id);
        }
        let source = self.source_image(copy)?.clone();
        self.check_concurrent_copies()?;

        // EC2 looks up the key after it has accepted the copy.
        let key = copy.kms_key_id.as_deref();
        let unknown = key.filter(|key| !self.world.has_kms_key(self.region, key));
        let failure = unknown.map(|_| "Given key ID is not accessible".to_owned());
        let copying = self.world.start_copy(copy, failure);
        let id = self.world.new_image_id();
        let disks = source.backing_snapshots.iter().zip(0..);
        let disks = disks.map(|(disk, n): (_, u8)| BackingSnapshot {
            id: format!("{}{n:x}", id.as_str().replace("ami-0", "snap-")).into(),
            size_gib: disk.size_gib,
            tags: tags.clone(),
        });
        let image = WorldArtifact {
            description: description.into(),
            state: ArtifactState::from("pending"),
            copied_from: Some(Arn::of_image(&copy.source.region, &source.id)),
            copying: Some(copying),
            encrypted: source.encrypted || key.is_some(),
            backing_snapshots: disks.collect(),
            attributes: source.attributes,
            tags,
            ..WorldArtifact::image(id.as_str(), &self.account, name, self.world.now)
        };
        let here = self.world.add_region(self.region);
        here.images.push(image);
        here.client_tokens.extend(token.map(|token| ClientToken {
            token: token.into(),
            account: self.account.clone(),
            request: request.into(),
            image_id: id.clone(),
        }));
        Ok(id)
    }

    /// Returns the copy that an earlier request with the same token made.
    fn earlier_copy(&self, token: Option<&str>, request: &str) -> Reply<Option<ArtifactId>> {
        let here = self.world.region(self.region);
        let mut tokens = here.into_iter().flat_map(|here| &here.client_tokens);
        let is_own = |seen: &ClientToken| seen.account == self.account;
        match tokens.find(|seen| Some(seen.token.as_str()) == token && is_own(seen)) {
            Some(seen) if seen.request != request => {
                let message = "The client token was used before, with other parameters";
                Err(Refusal::new("IdempotentParameterMismatch", message))
            }
            seen => Ok(seen.map(|seen| seen.image_id.clone())),
        }
    }

    /// Returns the image to copy.
    fn source_image(&self, copy: &Copy) -> Reply<&WorldArtifact> {
        let (id, region) = (&copy.source.id, &copy.source.region);
        let Some(there) = self.source_region(region) else {
            let message = format!("The source region '{region}' is not available from here");
            return Err(Refusal::new("InvalidRequest", message));
        };
        let mut images = there.images.iter();
        let source = images.find(|image| image.id == *id && image.is_visible_to(&self.account));
        let source = source.ok_or_else(|| not_found(id))?;
        if source.state.is_available() {
            return Ok(source);
        }
        let state = &source.state;
        let message = format!("The image ID '{id}' is not available; its state is '{state}'");
        Err(Refusal::new("InvalidAMIID.Unavailable", message))
    }

    fn check_concurrent_copies(&self) -> Reply<()> {
        let limit = self.world.quotas.image_copies_in_flight;
        let own = self.own(Kind::Image);
        if own.filter(|image| image.state.is_being_copied()).count() < limit {
            return Ok(());
        }
        let message = format!("Too many image copies in progress. The limit is {limit}.");
        Err(Refusal::new("ResourceLimitExceeded", message))
    }

    /// Answers DescribeImageReferences, which asks about the account's own images.
    pub(super) fn describe_image_references(
        &self,
        ids: &[ArtifactId],
    ) -> Reply<BTreeMap<ArtifactId, Vec<String>>> {
        if !(1..=MAX_REFERENCED).contains(&ids.len()) {
            let message = format!("The number of image IDs must be 1 to {MAX_REFERENCED}");
            return Err(Refusal::invalid(message));
        }
        let users = ids.iter().map(|id| {
            let mut own = self.own(Kind::Image);
            let image = own.find(|image| image.id == *id);
            let image = image.ok_or_else(|| not_found(id))?;
            Ok((id.clone(), image.references.clone()))
        });
        users.collect()
    }

    /// Answers DeregisterImage with DeleteAssociatedSnapshots. Returns the snapshots that are not deleted.
    pub(super) fn deregister_image(&mut self, id: &ArtifactId) -> Reply<Vec<UndeletedSnapshot>> {
        let mut own = self.own(Kind::Image);
        let image = own.find(|image| image.id == *id);
        let image = image.filter(|image| image.state.as_str() != "deregistered");
        let image = image.ok_or_else(|| not_found(id))?.clone();
        drop(own);
        if image.deregistration_protection {
            let message = format!("The image {id} is protected from deregistration");
            return Err(Refusal::new("OperationNotPermitted", message));
        }
        let is_it = |other: &WorldArtifact| other.id == *id && other.account == image.account;
        let images = &mut self.world.add_region(self.region).images;
        images.retain(|other| !is_it(other));
        let disks = image.backing_snapshots.iter();
        let left = disks.filter_map(|disk| {
            let code = self.reason_to_stay(disk)?;
            let id = disk.id.clone();
            Some(UndeletedSnapshot {
                id,
                code: code.into(),
            })
        });
        Ok(left.collect())
    }

    /// Returns AWS's code for why a snapshot is not deleted with its image, if it is not.
    fn reason_to_stay(&mut self, disk: &BackingSnapshot) -> Option<&'static str> {
        let mut others = self
            .own(Kind::Image)
            .flat_map(|image| &image.backing_snapshots);
        if !disk.id.is_empty() && others.any(|other| other.id == disk.id) {
            return Some("skipped");
        }
        drop(others);
        let fault = self.use_fault("DeleteSnapshot")?;
        match ErrorClass::of("DeleteSnapshot", &fault.code, &fault.message) {
            Some(ErrorClass::Denied) => Some("missing-permissions"),
            Some(ErrorClass::Invalid) => Some("client-error"),
            _ => Some("internal-error"),
        }
    }

    /// Answers CreateTags. Nothing is tagged unless everything can be. Other accounts can tag a public or shared image too.
    pub(super) fn tag_image(
        &mut self,
        id: &ArtifactId,
        snapshots: &[SmolStr],
        tags: &Tags,
    ) -> Reply<()> {
        let account = &self.account;
        let mut images = self.world.add_region(self.region).images.iter_mut();
        let image = images.find(|image| image.id == *id && image.is_visible_to(account));
        let image = image.filter(|image| image.state.as_str() != "deregistered");
        let image = image.ok_or_else(|| not_found(id))?;
        tag_limits::check(Kind::Image, image.tags_of(account), tags)?;
        for id in snapshots {
            let mut known = image.backing_snapshots.iter();
            let Some(snapshot) = known.find(|known| known.id == *id) else {
                let message = format!("The snapshot '{id}' does not exist.");
                return Err(Refusal::new("InvalidSnapshot.NotFound", message));
            };
            tag_limits::check(Kind::Image, &snapshot.tags, tags)?;
        }
        image.tags_of_mut(account).extend(tags.iter());
        let backing = image.backing_snapshots.iter_mut();
        for snapshot in backing.filter(|snapshot| snapshots.contains(&snapshot.id)) {
            snapshot.tags.extend(tags.iter());
        }
        Ok(())
    }
}

/// Refuses requests that EC2 refuses, no matter what exists.
fn check_request(name: &str, description: &str, token: Option<&str>) -> Reply<()> {
    let is_token = |token: &str| (1..=MAX_TOKEN).contains(&token.len()) && token.is_ascii();
    if !token.is_none_or(is_token) {
        let message = format!("The client token must have 1 to {MAX_TOKEN} ASCII characters");
        return Err(Refusal::invalid(message));
    }
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if !NAME_LENGTH.contains(&name.chars().count()) || !name.chars().all(is_allowed) {
        let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, spaces, \
                       and the characters ( ) [ ] . / - ' @ _";
        return Err(Refusal::new("InvalidAMIName.Malformed", message));
    }
    if description.chars().count() > MAX_DESCRIPTION {
        let message = format!("The description must have at most {MAX_DESCRIPTION} characters");
        return Err(Refusal::invalid(message));
    }
    Ok(())
}

/// Returns the SHA-256 of what is sent to EC2.
fn fingerprint(copy: &Copy) -> String {
    let (source, new) = (&copy.source, &copy.copy);
    let settings = (&copy.kms_key_id, copy.copy_within_minutes);
    let sent = (source, new, &copy.tags, &copy.sync_tag, settings);
    // Strings and maps of strings always serialise.
    sha256(&serde_json::to_vec(&sent).unwrap_or_default())
}

fn not_found(id: &ArtifactId) -> Refusal {
    let message = format!("The image id '[{id}]' does not exist");
    Refusal::new("InvalidAMIID.NotFound", message)
}
