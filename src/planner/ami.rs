//! What is to be done about the image of an `ec2_ami` job.

use jiff::Timestamp;

use super::claims::Claims;
use super::tags::{self, Service};
use super::{Decision, Notes, action_id};
use crate::model::action::{
    Action, CopyId, CopyImage, ExpectedCopy, ExpectedSource, Resource, Tag, TagCopy, TagSource,
};
use crate::model::id::AccountId;
use crate::model::inventory::Image;
use crate::model::job::{AmiJob, SyncJob};
use crate::model::lineage::{copy_named_by_source, is_image_copy};
use crate::model::plan::{Observed, Seen, Subject};
use crate::model::problem::Problem;
use crate::model::sync_tag::{SyncTag, key_on_copy, key_on_source, whole_seconds};
use crate::model::words;

pub(super) fn decide(
    job: &SyncJob,
    ami: &AmiJob,
    account: &AccountId,
    sources: &[Image],
    candidates: &[Image],
    claims: &mut Claims,
    notes: &mut Notes,
) -> Result<Decision, Problem> {
    let image = choose(job, ami, sources, notes)?;
    notes.subject = Some(Subject::Image(image.id.clone()));
    let taken = image.created.map(whole_seconds).ok_or_else(|| {
        Problem::new(format!(
            "AWS does not say when image {} of {} was made",
            image.id, job.name
        ))
    })?;

    let named = copy_named_by_source(image, &job.destination_region);
    let (gone, mut copies): (Vec<&Image>, Vec<&Image>) = candidates
        .iter()
        // The source's tag may name any image at all; a copy of ours is our own.
        .filter(|copy| copy.owner == *account)
        .filter(|copy| is_image_copy(copy, &image.id, &job.source_region, named.as_ref()))
        .partition(|copy| copy.state.is_gone());
    copies.sort_by_key(|copy| (!copy.state.is_available(), copy.created, &copy.id));
    warn_of_failed(job, gone, notes);
    notes.observed = Some(Observed {
        source: Some(seen(image, Some(taken))),
        newest_copy: copies.first().map(|copy| seen(copy, Some(taken))),
        sources: sources.len(),
        copies: copies.len(),
    });

    if let Some(first) = claims.image(account, job, &image.id) {
        if first.kms_key_id != job.kms_key_id {
            return Err(Problem::new(format!(
                "{} and {} come to the same image {} for {}, but with different options kms_key_id",
                first.job, job.name, image.id, job.destination_region
            ))
            .help("an image is copied once: give both jobs the same kms_key_id, or remove one of them"));
        }
        let reason = format!(
            "image {} is synced to {} by {}",
            image.id, job.destination_region, first.job
        );
        return Ok(Decision {
            reason,
            actions: Vec::new(),
        });
    }
    match copies.first() {
        Some(best) => Ok(synced(job, image, taken, best, &copies, notes)),
        None => Ok(copy(job, image, taken, notes)),
    }
}

/// Nobody waits for a copy: that it failed is seen when the next plan is made.
fn warn_of_failed(job: &SyncJob, mut gone: Vec<&Image>, notes: &mut Notes) {
    gone.sort_by_key(|copy| &copy.id);
    for copy in gone.into_iter().filter(|copy| copy.state.is_failed()) {
        let why = copy
            .state_reason
            .as_deref()
            .unwrap_or("AWS does not say why");
        notes.warn(format!(
            "the copy {} in {} is {}: {why}",
            copy.id, job.destination_region, copy.state
        ));
    }
}

/// The one image the job is about.
fn choose<'a>(
    job: &SyncJob,
    ami: &AmiJob,
    images: &'a [Image],
    notes: &mut Notes,
) -> Result<&'a Image, Problem> {
    let from_there = key_on_copy(&job.destination_region);
    let (own, mut returned): (Vec<&Image>, Vec<&Image>) = images
        .iter()
        .partition(|image| !image.tags.contains_key(&from_there));
    let (mut available, mut others): (Vec<&Image>, Vec<&Image>) = own
        .into_iter()
        .partition(|image| image.state.is_available());
    available.sort_by_key(|image| (image.created, &image.id));
    others.sort_by_key(|image| &image.id);
    returned.sort_by_key(|image| &image.id);
    for other in &others {
        notes.warn(format!(
            "image {} matches, but is {}: it is left out",
            other.id, other.state
        ));
    }
    match available.as_slice() {
        [] => Err(none_found(job, ami, &others, &returned)),
        [image] => Ok(image),
        [.., newest] if ami.most_recent => Ok(newest),
        several => {
            let ids = words::list(several.iter().map(|image| &image.id));
            let found = words::count(several.len(), "image matches", "images match");
            Err(Problem::new(format!(
                "{found} {} in {}: {ids}",
                job.name, job.source_region
            ))
            .help(
                "narrow it down to one with sync_identifier and filters, or say most_recent: true",
            ))
        }
    }
}

fn none_found(job: &SyncJob, ami: &AmiJob, others: &[&Image], returned: &[&Image]) -> Problem {
    let mut message = format!(
        "no available image matches {} in {}",
        job.name, job.source_region
    );
    if !others.is_empty() {
        let list = words::list(
            others
                .iter()
                .map(|image| format!("{} ({})", image.id, image.state)),
        );
        message.push_str(&format!("; left out are {list}"));
    }
    if !returned.is_empty() {
        let list = words::list(returned.iter().map(|image| &image.id));
        message.push_str(&format!(
            "; copies that came from {} are no sources: {list}",
            job.destination_region
        ));
    }
    let by_tag = !ami.selector.sync_identifiers.is_empty()
        || ami
            .selector
            .filters
            .iter()
            .any(|filter| filter.name.starts_with("tag"));
    let help = if !others.is_empty() {
        "plan again when it is available"
    } else if by_tag && ami.selector.owner != "self" {
        "tags that other owners gave their images are invisible to you: select an image of another owner by name"
    } else {
        "see that ami_owner, sync_identifier and filters are those of an image in this region; tags of images \
         of other owners are invisible"
    };
    Problem::new(message).help(help)
}

/// There is a copy. All that may be missing is its sync tag, where the older tool was stopped before it wrote one.
fn synced(
    job: &SyncJob,
    image: &Image,
    taken: Timestamp,
    best: &Image,
    copies: &[&Image],
    notes: &mut Notes,
) -> Decision {
    if copies.iter().all(|copy| copy.state.is_disabled()) {
        notes.warn(format!(
            "the copy {} is disabled: nothing can be launched from it until it is enabled",
            best.id
        ));
    }
    let key = key_on_copy(&job.source_region);
    let is_tagged = |copy: &&Image| SyncTag::find(&copy.tags, &key).is_some();
    for copy in copies
        .iter()
        .filter(|copy| copy.tags.contains_key(&key) && !is_tagged(copy))
    {
        notes.warn(format!(
            "the tag {key} of {} cannot be read and counts as none",
            copy.id
        ));
    }
    let place = format!(
        "image {} is in {} as {} ({})",
        image.id, job.destination_region, best.id, best.state
    );
    let ours = copies.iter().find(|copy| copy.name == image.name);
    let (false, Some(copy)) = (copies.iter().any(is_tagged), ours) else {
        return Decision {
            reason: place,
            actions: Vec::new(),
        };
    };
    if !tags::has_room(&copy.tags, &key) {
        notes.warn(format!(
            "{} has no sync tag, and no room for one: remove one of its tags",
            copy.id
        ));
        return Decision {
            reason: place,
            actions: Vec::new(),
        };
    }
    let id = action_id(&job.name, "tag-copy");
    let source = Resource::Image(image.id.clone());
    let tag_copy = TagCopy {
        id: id.clone(),
        reason: format!(
            "{} is a copy of {} without a readable sync tag",
            copy.id, image.id
        ),
        copy: Resource::Image(copy.id.clone()),
        source: source.clone(),
        sync_tag: Tag {
            key: key.clone(),
            value: SyncTag::new(taken, image.id.as_str()).to_string(),
        },
        expects: ExpectedCopy {
            no_tag: key,
            taken: None,
        },
    };
    let tag_source = TagSource {
        id: action_id(&job.name, "tag-source"),
        reason: format!("notes on {} where its copy is", image.id),
        after: id,
        source,
        key: key_on_source(&job.destination_region),
        taken,
        copy: CopyId::Id(copy.id.to_string()),
    };
    let actions = vec![Action::TagCopy(tag_copy), Action::TagSource(tag_source)];
    Decision {
        reason: format!("{place}, without a readable sync tag"),
        actions,
    }
}

fn copy(job: &SyncJob, image: &Image, taken: Timestamp, notes: &mut Notes) -> Decision {
    let (tags, warnings) = tags::for_copy(&image.tags, Service::Ec2);
    notes.warnings.extend(warnings);
    let id = action_id(&job.name, "copy");
    let made = words::utc(taken);
    let reason = format!(
        "image {} ({}) of {made} has no copy in {}",
        image.id, image.name, job.destination_region
    );
    let copy = CopyImage {
        id: id.clone(),
        reason: reason.clone(),
        source_image_id: image.id.clone(),
        source_region: job.source_region.clone(),
        name: image.name.clone(),
        description: image.description.clone(),
        tags,
        sync_tag: Tag {
            key: key_on_copy(&job.source_region),
            value: SyncTag::new(taken, image.id.as_str()).to_string(),
        },
        kms_key_id: job.kms_key_id.clone(),
        size_gib: image.size_gib,
        expects: ExpectedSource {
            state: image.state.to_string(),
            taken,
        },
    };
    let tag_source = TagSource {
        id: action_id(&job.name, "tag-source"),
        reason: format!("notes on {} where its copy is", image.id),
        after: id.clone(),
        source: Resource::Image(image.id.clone()),
        key: key_on_source(&job.destination_region),
        taken,
        copy: CopyId::OfAction(id),
    };
    Decision {
        reason,
        actions: vec![Action::CopyImage(copy), Action::TagSource(tag_source)],
    }
}

fn seen(image: &Image, taken: Option<Timestamp>) -> Seen {
    Seen {
        id: image.id.to_string(),
        taken,
        state: image.state.to_string(),
        size_gib: image.size_gib,
    }
}
