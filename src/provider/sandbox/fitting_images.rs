//! Images that the selectors of jobs meet.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::filters;
use super::fitting::{NOW, before, pick};
use super::world::{BackingSnapshot, World, WorldImage};
use crate::model::Tags;
use crate::model::id::{AccountId, ImageId, Region};
use crate::model::inventory::ImageRef;
use crate::model::job::{AmiJob, ImageSelector, JobKind, SyncJob};
use crate::model::sync_tag::SYNC_IDENTIFIER;

/// The account behind an alias such as `amazon`.
const ALIASED_ACCOUNT: &str = "137112412989";

/// The day in the names of images.
const DAY: &str = "2026-01-14";

/// So many values of one filter are tried; no image can meet more than all the filters ask for.
const MAX_TRIED: usize = 20;

/// Makes the images that the jobs look for, one for each selector that none meets yet.
pub(super) fn fit(world: &mut World, jobs: &[SyncJob]) {
    let mut wanted: Vec<(&SyncJob, &AmiJob)> = Vec::new();
    for job in jobs {
        if let JobKind::Ami(options) = &job.kind {
            wanted.push((job, options));
        }
    }
    // Those that ask for most come first, so that those that ask for less can share what was made for them.
    wanted.sort_by_key(|(_, options)| {
        Reverse(
            options.selector.filters.len()
                + usize::from(!options.selector.sync_identifiers.is_empty()),
        )
    });
    for (job, options) in wanted {
        let account = world.account_at(&job.source());
        let Some(region) = world.region(&job.source_region) else {
            continue;
        };
        let met = |image: &WorldImage| {
            image.state.is_available() && image.is_selected(&account, &options.selector)
        };
        if !region.images.iter().any(met) {
            let image = image_for(world, job, &options.selector, &account);
            world.add_image(&job.source_region, image);
        }
    }
}

/// An image that meets a selector, as far as one can: a filter that EC2 does not know cannot be met.
fn image_for(
    world: &mut World,
    job: &SyncJob,
    selector: &ImageSelector,
    account: &AccountId,
) -> WorldImage {
    let wish = Wish { selector };
    let fresh = world.new_image_id();
    let id = wish
        .text("image-id", fresh.as_str())
        .filter(|text| !text.is_empty())
        .map(ImageId::from);
    let id = id
        .filter(|id| world.image(&job.source_region, id).is_none())
        .unwrap_or(fresh);
    let made = world
        .region(&job.source_region)
        .map_or(0, |region| region.images.len());
    let made = i64::try_from(made).unwrap_or(0);

    let (owner, alias) = owner_of(&wish, account);
    let name = wish.text("name", DAY).unwrap_or_else(|| name_for(job));
    let created = before(NOW, SignedDuration::from_hours(8 + made));
    let mut image = WorldImage::new(
        id.as_str(),
        &owner,
        &name,
        wish.created().unwrap_or(created),
    );
    image.description = wish
        .text("description", "")
        .unwrap_or_else(|| format!("Image for {}", job.name));
    image.encrypted = wish
        .truth("block-device-mapping.encrypted")
        .unwrap_or(job.kms_key_id.is_some());
    image.public = wish.truth("is-public").unwrap_or(alias.is_some());
    image.owner_alias = alias;
    image.copied_from = wish.copied_from(&job.source_region);
    let size = wish
        .text("block-device-mapping.volume-size", "8")
        .and_then(|size| size.parse().ok());
    let size_gib = size.unwrap_or_else(|| pick(&[8, 16, 30, 100], &name));
    image.backing_snapshots = vec![BackingSnapshot {
        size_gib,
        tags: Tags::new(),
    }];
    for filter in selector
        .filters
        .iter()
        .filter(|filter| filters::is_attribute(&filter.name))
    {
        if !filters::meets(&image, &Tags::new(), filter)
            && let Some(value) = wish.text(&filter.name, "1")
        {
            image.attributes.insert(filter.name.clone(), value);
        }
    }
    let tags = wish.tags(&name);
    if owner == *account {
        image.tags = tags;
    } else {
        image.shared_with = vec![account.clone()];
        image.tags_by_others.insert(account.clone(), tags);
    }
    image
}

/// Who owns it, and the alias of that owner.
fn owner_of(wish: &Wish<'_>, account: &AccountId) -> (AccountId, Option<String>) {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match wish.selector.owner.as_str() {
        "self" => (account.clone(), None),
        owner if digits(owner) => (AccountId::from(owner), wish.text("owner-alias", "")),
        alias => {
            let owner = wish
                .text("owner-id", ALIASED_ACCOUNT)
                .filter(|text| !text.is_empty());
            (
                owner.map_or_else(|| AccountId::from(ALIASED_ACCOUNT), AccountId::from),
                Some(alias.to_owned()),
            )
        }
    }
}

/// `sync_my_web_app` gives `my-web-app-2026-01-14`.
fn name_for(job: &SyncJob) -> String {
    let name = job.name.as_str();
    let name = name
        .get(..5)
        .filter(|start| start.eq_ignore_ascii_case("sync_"))
        .and(name.get(5..))
        .unwrap_or(name);
    let plain = name
        .chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    format!("{}-{DAY}", plain.collect::<String>())
}

/// What a selector asks for.
struct Wish<'a> {
    selector: &'a ImageSelector,
}

impl Wish<'_> {
    /// The values of each filter of this name.
    fn values(&self, name: &str) -> Vec<&[String]> {
        let filters = self
            .selector
            .filters
            .iter()
            .filter(|filter| filter.name == name && !filter.values.is_empty());
        filters.map(|filter| filter.values.as_slice()).collect()
    }

    /// A text that every filter of this name matches, if there is such a filter: the first text found, or else the
    /// first that was tried.
    fn text(&self, name: &str, filler: &str) -> Option<String> {
        text_for(&self.values(name), filler)
    }

    fn truth(&self, name: &str) -> Option<bool> {
        match self.text(name, "")?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A time that the filters of the creation date match: their beginning, and the end of a usual one.
    fn created(&self) -> Option<Timestamp> {
        const USUAL: &str = "2026-01-14T08:00:00.000Z";
        let values = self.values("creation-date");
        (0..USUAL.len()).find_map(|from| {
            let text = text_for(&values, USUAL.get(from..)?)?;
            text.parse()
                .ok()
                .filter(|_| values.iter().all(|values| any_matches(values, &text)))
        })
    }

    fn copied_from(&self, here: &Region) -> Option<ImageRef> {
        let (id, region) = (
            self.text("source-image-id", "1"),
            self.text("source-image-region", "1"),
        );
        if id.is_none() && region.is_none() {
            return None;
        }
        let id = ImageId::from(id.unwrap_or_else(|| "ami-0fedcba9876543210".to_owned()));
        Some(ImageRef {
            id,
            region: region.map_or_else(|| here.clone(), Region::from),
        })
    }

    /// The tags that are asked for, and a `Name`.
    fn tags(&self, name: &str) -> Tags {
        let mut tags = Tags::new();
        if let Some(identifier) = self.selector.sync_identifiers.first() {
            tags.insert(SYNC_IDENTIFIER, identifier);
        }
        for filter in &self.selector.filters {
            if let Some(key) = filter.name.strip_prefix("tag:")
                && !tags.contains_key(key)
                && let Some(value) = self.text(&filter.name, "1")
            {
                tags.insert(key, value);
            }
        }
        for values in self.values("tag-key") {
            if !tags.keys().any(|key| any_matches(values, key))
                && let Some(key) = text_for(&[values], "Key")
            {
                tags.insert(key, "yes");
            }
        }
        for values in self.values("tag-value") {
            if !tags.values().any(|value| any_matches(values, value))
                && let Some(value) = text_for(&[values], "1")
            {
                tags.insert(free_key(&tags), value);
            }
        }
        if !tags.contains_key("Name") {
            tags.insert("Name", name);
        }
        tags
    }
}

/// A key that no tag has yet.
fn free_key(tags: &Tags) -> String {
    let mut key = "Purpose".to_owned();
    // Ends: there are fewer tags than numbers.
    for n in 2..tags.len() + 3 {
        if !tags.contains_key(&key) {
            break;
        }
        key = format!("Purpose-{n}");
    }
    key
}

/// A text that one value of each filter matches. Tried are an example of each value, and of each value with another
/// one in place of its last `*`, for `web-*` and `*-prod` together.
fn text_for(filters: &[&[String]], filler: &str) -> Option<String> {
    let values = || {
        filters
            .iter()
            .flat_map(|values| values.iter().take(MAX_TRIED))
    };
    let plain = values().map(|value| filters::example(value, filler));
    let nested = values().flat_map(|value| {
        values().map(move |inner| filters::example(value, &filters::example(inner, "")))
    });
    let fits = |text: &String| filters.iter().all(|values| any_matches(values, text));
    // Tried first: the filler as it is, for it is the most natural text.
    let first = (!filters.is_empty())
        .then(|| filler.to_owned())
        .filter(|text| !text.is_empty());
    first
        .into_iter()
        .chain(plain)
        .chain(nested)
        .find(fits)
        .or_else(|| values().next().map(|value| filters::example(value, filler)))
}

fn any_matches(patterns: &[String], text: &str) -> bool {
    patterns
        .iter()
        .any(|pattern| filters::matches(pattern, text))
}
