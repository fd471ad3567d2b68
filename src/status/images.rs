//! Copies of images: of those that the source has, and of those that it no longer has or does not tell of, which the
//! job's own selectors know by what the copies carry.

use jiff::Timestamp;

use super::{Copy, Facts, source_newest};
use crate::model::id::{AccountId, ImageId};
use crate::model::inventory::{Image, Looked};
use crate::model::job::{AmiJob, ImageFilter, SyncJob};
use crate::model::lineage::{copy_named_by_source, image_origin, is_image_copy};
use crate::model::status::SourceNewest;
use crate::model::sync_tag::{SYNC_IDENTIFIER, is_sync_key, key_on_copy, whole_seconds};
use crate::model::wildcard::matches;
use crate::model::words::{count, list};

pub(super) fn facts<'a>(
    job: &SyncJob,
    ami: &AmiJob,
    account: &AccountId,
    looked: &Looked<Vec<Image>>,
    from: &'a [Image],
    named: &'a [Image],
) -> Facts<'a> {
    let from_there = key_on_copy(&job.destination_region);
    // What came from the destination is no source: see the planner.
    let sources: Vec<&Image> = looked
        .iter()
        .flatten()
        .filter(|image| !image.tags.contains_key(&from_there))
        .collect();
    let mut warnings = Vec::new();
    let available: Vec<&Image> = sources
        .iter()
        .copied()
        .filter(|image| image.state.is_available())
        .collect();
    if available.len() > 1 && !ami.most_recent {
        let images = count(available.len(), "image matches", "images match");
        warnings.push(format!(
            "{images} in {}, so that none is copied: the newest is taken here",
            job.source_region
        ));
    }
    let source = source_newest(job, "for its source image", looked, |_| {
        let newest = available
            .iter()
            .max_by_key(|image| (image.created, &image.id))?;
        Some((newest.id.to_string(), newest.created.map(whole_seconds)))
    });

    let mut copies = Vec::new();
    let mut untold: Vec<&ImageId> = Vec::new();
    let sources: Vec<(&Image, Option<ImageId>)> = sources
        .into_iter()
        .map(|source| {
            (
                source,
                copy_named_by_source(source, &job.destination_region),
            )
        })
        .collect();
    let only_named = named
        .iter()
        .filter(|image| from.iter().all(|other| other.id != image.id));
    // The source's tag may name any image at all; a copy of ours is our own.
    let own = from.iter().chain(only_named);
    for image in own.filter(|image| image.owner == *account) {
        let told = match of_a_source(job, image, &sources) {
            Some(taken) => Told::Ours(taken),
            None => told(ami, image, job),
        };
        let taken = match told {
            Told::Ours(taken) => taken,
            Told::Open if !image.state.is_gone() => {
                untold.push(&image.id);
                continue;
            }
            Told::Open | Told::Others => continue,
        };
        if image.state.is_disabled() {
            warnings.push(format!(
                "the copy {} is disabled: nothing can be launched from it until it is enabled",
                image.id
            ));
        }
        copies.push(Copy {
            id: image.id.as_str(),
            taken,
            state: &image.state,
            percent: None,
            failure: image.state_reason.as_deref(),
        });
    }
    warnings.sort();
    untold.sort();
    let unseen = unseen(ami);
    if looked.is_err() && !copies.is_empty() && !unseen.is_empty() {
        warnings.push(format!(
            "copies do not tell {}, so that copies of other images may be among these",
            list(unseen)
        ));
    }
    // While the source has an image, that tells which are ours; the others are those of other jobs.
    if !matches!(source, SourceNewest::Present { .. }) && !untold.is_empty() {
        warnings.push(format!(
            "{} from {} may be of this job, which nothing on them tells: {}",
            count(untold.len(), "image", "images"),
            job.source_region,
            list(untold)
        ));
    }
    Facts {
        source,
        copies,
        warnings,
    }
}

/// Whose copy an image is.
enum Told {
    /// This job's, of a source that was made at this time, where that is known.
    Ours(Option<Timestamp>),
    /// Another's, or none.
    Others,
    /// Nothing tells.
    Open,
}

/// Whether an image is a copy of one that the source has; if so, when that was made.
fn of_a_source(
    job: &SyncJob,
    image: &Image,
    sources: &[(&Image, Option<ImageId>)],
) -> Option<Option<Timestamp>> {
    let (source, _) = sources.iter().find(|(source, named)| {
        is_image_copy(image, &source.id, &job.source_region, named.as_ref())
    })?;
    let tagged = || image_origin(image, &job.source_region).and_then(|(_, taken)| taken);
    Some(source.created.map(whole_seconds).or_else(tagged))
}

/// What a copy tells of one thing that its source was selected by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Its source met that.
    Met,
    /// Its source did not.
    NotMet,
    /// It would be on the copy, had the copy been given any tags.
    Lost,
    /// Nothing of that kind is on copies, or can be seen there.
    Never,
}

impl Word {
    fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::NotMet }
    }
}

/// Whether the job's selectors would have met the source of a copy, by what the copy has from it: tags, name,
/// description, and the source's id.
fn told(ami: &AmiJob, copy: &Image, job: &SyncJob) -> Told {
    let identifiers = &ami.selector.sync_identifiers;
    let by_identifier = || {
        let met = |identifier: &str| identifiers.iter().any(|known| known == identifier);
        tag_word(copy, SYNC_IDENTIFIER, met)
    };
    let identified = (!identifiers.is_empty()).then(by_identifier);
    if identified == Some(Word::NotMet) {
        return Told::Others;
    }
    let Some((_, taken)) = image_origin(copy, &job.source_region) else {
        return Told::Others;
    };
    let filters = ami.selector.filters.iter();
    let words: Vec<Word> = filters
        .map(|filter| filter_word(filter, copy, job))
        .chain(identified)
        .collect();
    if words.contains(&Word::NotMet) {
        Told::Others
    } else if words.contains(&Word::Lost) || !words.contains(&Word::Met) {
        Told::Open
    } else {
        Told::Ours(taken)
    }
}

fn filter_word(filter: &ImageFilter, copy: &Image, job: &SyncJob) -> Word {
    let any = |text: &str| filter.values.iter().any(|value| matches(value, text));
    if let Some(key) = filter.name.strip_prefix("tag:") {
        return tag_word(copy, key, any);
    }
    let among_tags = |met: &dyn Fn(&str, &str) -> bool| {
        if users_tags(copy).any(|(key, value)| met(key, value)) {
            Word::Met
        } else {
            without_tag(copy)
        }
    };
    match filter.name.as_str() {
        "tag-key" => among_tags(&|key, _| any(key)),
        "tag-value" => among_tags(&|_, value| any(value)),
        "name" => Word::of(any(&copy.name)),
        "description" => Word::of(any(&copy.description)),
        "image-id" => image_origin(copy, &job.source_region)
            .map_or(Word::Never, |(id, _)| Word::of(any(id.as_str()))),
        _ => Word::Never,
    }
}

fn tag_word(copy: &Image, key: &str, met: impl Fn(&str) -> bool) -> Word {
    match copy.tags.get(key) {
        _ if key.starts_with("aws:") => Word::Never,
        Some(value) => Word::of(met(value)),
        None => without_tag(copy),
    }
}

/// What it means that a copy lacks a tag: it has all user tags of its source, or none, for the older tool gave none.
fn without_tag(copy: &Image) -> Word {
    if users_tags(copy).next().is_some() {
        Word::NotMet
    } else {
        Word::Lost
    }
}

/// The tags that a copy has from its source.
fn users_tags(copy: &Image) -> impl Iterator<Item = (&str, &str)> {
    let is_users = |(key, _): &(&str, &str)| !is_sync_key(key) && !key.starts_with("aws:");
    copy.tags.iter().filter(is_users)
}

/// The filters that nothing on a copy answers.
fn unseen(ami: &AmiJob) -> Vec<&str> {
    let is_seen = |name: &str| match name.strip_prefix("tag:") {
        Some(key) => !key.starts_with("aws:"),
        None => matches!(
            name,
            "tag-key" | "tag-value" | "name" | "description" | "image-id"
        ),
    };
    let names = ami
        .selector
        .filters
        .iter()
        .map(|filter| filter.name.as_str());
    names.filter(|name| !is_seen(name)).collect()
}
