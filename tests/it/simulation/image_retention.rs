//! An independent, naive restatement of the rules for deleting images, applied to the world itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::rules::{self, copy_tag, is_available, is_dead, is_image_copy, retained};
use crate::support::prelude::*;
use crate::support::selector;

/// Returns the time in the sync tag of an image, if xrs made it for a job from that region and AWS confirms it.
fn time_of_ours(image: &WorldArtifact, job: &SyncJob) -> Option<i64> {
    let (time, id) = copy_tag(image, job)?;
    let end = format!(":{}::image/{id}", job.source_region);
    let is_confirmed = image.copied_from.as_ref()?.as_str().ends_with(&end);
    is_confirmed.then_some(time)
}

fn has_identifier(image: &WorldArtifact, job: &SyncJob) -> bool {
    let identifiers = selector(job).sync_identifiers;
    image.tags.get("Sync-Identifier") == identifiers.first().map(String::as_str)
}

/// Returns true if an instance was launched from an image too recently, counted from the day of this world.
fn was_launched_recently(image: &WorldArtifact, world: &World, job: &SyncJob) -> bool {
    let rules = job.rules.retention();
    let limit = rules.and_then(|rules| rules.keep_launched_within);
    let day = world.now.as_second() / 86_400 * 86_400;
    let since = day - limit.map_or(0, |limit| limit.as_secs());
    image
        .last_launched
        .is_some_and(|time| time.as_second() >= since)
}

fn is_failed(image: &WorldArtifact) -> bool {
    ["failed", "error", "invalid"].contains(&image.state.as_str())
}

/// Returns exactly the images that retention must delete from this world. `source` is the image that the job selects; `is_due` says
/// whether a copy of it is made at the same time.
pub fn due_for_deletion(
    world: &World,
    job: &SyncJob,
    source: &WorldArtifact,
    is_due: bool,
) -> BTreeSet<String> {
    if job.rules.retention().is_none() {
        return BTreeSet::new();
    }
    let is_current = |image: &WorldArtifact| is_image_copy(image, job, source.id.as_str(), None);
    let named = rules::named_copy(source, job);
    let mut current = rules::own_images(world, job);
    let is_tagged = current
        .any(|image| is_current(image) && !is_dead(&image.state) && copy_tag(image, job).is_some());
    // The copy that is about to get its sync tag counts as if it had it.
    let to_tag = |image: &WorldArtifact| {
        let is_named = named.as_deref() == Some(image.id.as_str());
        let is_it = is_named && !is_tagged && is_current(image) && !is_dead(&image.state);
        let time = source
            .created
            .filter(|_| is_it && image.copied_from.is_some());
        time.map(rules::seconds)
    };
    let mut counted: Vec<(i64, &WorldArtifact)> = rules::own_images(world, job)
        .filter(|image| is_current(image) || has_identifier(image, job))
        .filter_map(|image| Some((time_of_ours(image, job).or(to_tag(image))?, image)))
        .collect();
    counted.sort_by_key(|(time, image)| Reverse((*time, image.id.clone())));
    let available = counted.iter().filter(|(_, image)| is_available(image));
    let Some((newest, _)) = available.clone().next() else {
        return BTreeSet::new();
    };
    let is_coming = |(time, image): &(i64, &WorldArtifact)| {
        let is_idle = is_available(image) || image.state.as_str() == "disabled";
        time > newest && !is_idle && !is_dead(&image.state)
    };
    let kept = if is_due || counted.iter().any(is_coming) {
        retained(job).max(1)
    } else {
        retained(job) + 1
    };
    let failed = counted
        .iter()
        .filter(|(time, image)| is_failed(image) && time < newest);
    let due_for_deletion = available.skip(kept).chain(failed);
    due_for_deletion
        .map(|(_, image)| *image)
        .filter(|image| !is_current(image))
        .filter(|image| guard(image, world, job).is_none() && image.references.is_empty())
        .map(|image| image.id.to_string())
        .collect()
}

/// Returns what keeps an image, apart from the resources that use it.
fn guard(image: &WorldArtifact, world: &World, job: &SyncJob) -> Option<&'static str> {
    if image.tags.contains_key("Sync-Keep") {
        Some("it is to be kept")
    } else if image.deregistration_protection {
        Some("it is protected")
    } else if was_launched_recently(image, world, job) {
        Some("it was launched recently")
    } else {
        None
    }
}

/// Returns why a planned deletion must not be performed in this world, if there is a reason other than the users of the image.
pub fn reason_not_to_delete(world: &World, job: &SyncJob, deletion: &Delete) -> Option<String> {
    let id = &deletion.artifact.id;
    let mut images = rules::own_images(world, job);
    let Some(image) = images.find(|image| image.id == *id) else {
        return Some("it is not an image of this account".to_owned());
    };
    let kept = &deletion.expects.kept;
    let wanted = if is_available(image) {
        retained(job).max(1)
    } else {
        1
    };
    let is_there = |id: &ArtifactId| {
        let mut images = rules::own_images(world, job);
        images.any(|image| {
            image.id == *id && is_available(image) && time_of_ours(image, job).is_some()
        })
    };
    let missing = kept.iter().find(|kept| !is_there(&kept.id));
    let why = if job.rules.retention().is_none() {
        "the job deletes no images"
    } else if time_of_ours(image, job).is_none() || !has_identifier(image, job) {
        "it is not one of the job's"
    } else if !is_available(image) && !is_failed(image) {
        "it is neither available nor failed"
    } else if let Some(why) = guard(image, world, job) {
        why
    } else if kept.len() < wanted || missing.is_some() {
        return Some(format!("{wanted} newer ones must be left of {kept:?}"));
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Returns the resources that use an image in this world.
pub fn users(world: &World, job: &SyncJob, id: &ArtifactId) -> Vec<String> {
    let mut images = rules::own_images(world, job);
    let image = images.find(|image| image.id == *id);
    image.map_or_else(Vec::new, |image| image.references.clone())
}
