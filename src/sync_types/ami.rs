//! `ec2_ami`: one image, which the job selects by owner, identifier and filters.

use std::any::Any;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_yaml::{Mapping, Value};

use super::image_filter::{doubtful_comma, only_value};
use super::image_permissions;
use super::option_value::{
    account_id, completion_time, from_text, optional_duration, whole_number,
};
use super::permissions::{PolicyStage, Statement};
use super::rules::{CopyOwner, CopySettings, Finding, RetentionRules, SyncJob, SyncTypeRules};
use super::source_conditions::{had_tag, is_testable, was_met};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::origin;
use crate::model::ids::Arn;
use crate::model::inventory::Observation;
use crate::model::kind::{Kind, SyncTypeName};
use crate::model::query::{CopiesQuery, ImageFilter, ImageSelector, Queries, Query};
use crate::model::report::Level;
use crate::model::sync_tag::{SYNC_IDENTIFIER, is_key_on_copy, key_on_copy};
use crate::model::words::count;

/// The owner that stands for the account of the credentials.
const OWN_ACCOUNT: &str = "self";
/// The owners that EC2 knows by name, and the owner in the gem's example, which must work unchanged.
const OWNERS: [&str; 5] = [
    OWN_ACCOUNT,
    "amazon",
    "aws-marketplace",
    "aws-backup-vault",
    "12345678910123",
];
/// Filters that most images of other accounts match.
const BROAD_FILTERS: [&str; 4] = ["is-public", "owner-alias", "owner-id", "state"];

/// The options of an `ec2_ami` job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AmiOptions {
    /// The image's owner: an account id, `self`, `amazon`, `aws-marketplace` or `aws-backup-vault`. With any owner but `self`, a
    /// filter must limit which images are read.
    #[serde(default = "own_account", deserialize_with = "owner")]
    #[schemars(extend("x-aliases" = ["owner_id"]))]
    pub ami_owner: String,
    /// The image has the tag `Sync-Identifier` with this value.
    pub sync_identifier: Option<String>,
    /// Filters of DescribeImages, all of which must match, such as `["tag:Environment=Production"]`.
    #[serde(default)]
    pub filters: Vec<ImageFilter>,
    /// Take the newest image if several match, instead of failing the job.
    #[serde(default)]
    pub most_recent: bool,
    /// Also take images that are copies themselves, for a chain of regions, but never those that came from the destination.
    #[serde(default)]
    pub include_copies: bool,
    /// How many existing copies to keep besides the one being made. Older ones that nothing uses are deregistered, with their
    /// snapshots. Without it, xrs deletes no images. It needs a `sync_identifier`.
    #[serde(default, deserialize_with = "max_retained")]
    #[schemars(with = "Option<u32>", range(min = 0, max = u32::MAX), extend("x-per-destination" = true))]
    pub max_images_to_retain: Option<u32>,
    /// How long a copy is kept after an instance was last launched from it, such as `30d`, which is the default.
    #[serde(default, deserialize_with = "optional_duration")]
    #[schemars(with = "Option<String>", extend("x-per-destination" = true))]
    pub keep_launched_within: Option<SignedDuration>,
    /// How soon a copy must be complete, such as `30m`: from 15 minutes to 48 hours, in steps of 15 minutes. AWS charges
    /// per GiB for this.
    #[serde(default, deserialize_with = "completion_time")]
    #[schemars(with = "Option<String>", extend("x-per-destination" = true))]
    pub copy_within: Option<SignedDuration>,
}

/// The option for how many copies to keep.
const MAX_RETAINED: &str = "max_images_to_retain";
/// The default of `keep_launched_within`.
const KEEP_LAUNCHED_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

fn max_retained<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number::<0, D>(deserializer).map(Some)
}

fn own_account() -> String {
    OWN_ACCOUNT.to_owned()
}

/// Reads an owner: a name, ignoring case, or an account id, possibly with hyphens between its digits.
fn owner<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let must_be =
        "an account id of 12 digits, or `self`, `amazon`, `aws-marketplace` or `aws-backup-vault`";
    let help = "if the images are your own, write self or remove the option; keep the leading 0 of an account id";
    from_text(deserializer, must_be, help, |text| {
        let word = text.trim().to_ascii_lowercase();
        let is_known = OWNERS.contains(&word.as_str());
        is_known.then_some(word).or_else(|| account_id(text))
    })
}

impl SyncTypeRules for AmiOptions {
    fn sync_type(&self) -> SyncTypeName {
        SyncTypeName::Ec2Ami
    }

    fn check(&self, given: &Mapping) -> Vec<Finding> {
        let commas = given.get("filters").and_then(Value::as_sequence);
        let commas = commas.into_iter().flatten().enumerate();
        let commas = commas.filter_map(|(item, filter)| doubtful_comma(item, filter.as_str()?));
        let findings = [
            self.unlimited(),
            self.unidentified(),
            self.without_retention(),
        ];
        findings.into_iter().flatten().chain(commas).collect()
    }

    fn queries(&self) -> Queries {
        let selector = ImageSelector {
            owner: self.ami_owner.clone(),
            sync_identifiers: self.sync_identifier.iter().cloned().collect(),
            filters: self.filters.clone(),
        };
        // Copies of earlier images have the identifier of the job, too.
        let earlier = self.retention().map(|_| ImageSelector {
            owner: own_account(),
            filters: Vec::new(),
            ..selector.clone()
        });
        let earlier = earlier.map(Query::Matching);
        Queries {
            copies: earlier.map_or(CopiesQuery::BySource, CopiesQuery::BySourceAnd),
            sources: Query::Matching(selector),
        }
    }

    fn identifier(&self) -> Option<&str> {
        let by_filter = || only_value(&self.filters, &format!("tag:{SYNC_IDENTIFIER}"));
        self.sync_identifier.as_deref().or_else(by_filter)
    }

    fn choose_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Result<&'a Artifact, FailReason> {
        let found = Found::new(self, job, sources);
        warnings.extend(found.unavailable.iter().map(|image| {
            let (id, state) = (&image.id, &image.state);
            format!("image {id} matches, but is {state}, so it is not considered")
        }));
        match found.available.as_slice() {
            [] => match found.deprecated.as_slice() {
                [image] => {
                    warnings.push(format!(
                        "image {} is deprecated, and no other image matches",
                        image.id
                    ));
                    Ok(image)
                }
                _ => Err(self.no_source(job, &found)),
            },
            [image] => Ok(image),
            [.., newest] if self.most_recent => Ok(newest),
            several => {
                let ids = several.iter().map(|image| image.id.clone());
                Err(FailReason::SeveralSources {
                    kind: Kind::Image,
                    ids: ids.collect(),
                    region: job.source_region.clone(),
                })
            }
        }
    }

    fn newest_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Option<&'a Artifact> {
        let available = Found::new(self, job, sources).available;
        if available.len() > 1 && !self.most_recent {
            let images = count(available.len(), "image matches", "images match");
            let region = &job.source_region;
            warnings.push(format!(
                "{images} in {region}, so none is copied; this status assumes the newest"
            ));
        }
        available.last().copied()
    }

    fn can_be_source(&self, job: &SyncJob, image: &Artifact) -> bool {
        let destination = &job.destination_region;
        let from = image.copied_from.as_ref().and_then(Arn::region);
        let is_returned = from == Some(destination.as_str())
            || image.tags.contains_key(&key_on_copy(destination));
        let is_copy = image.tags.keys().any(is_key_on_copy);
        !is_returned && (self.include_copies || !is_copy)
    }

    fn takes_copies_of(&self, other: &dyn SyncTypeRules) -> bool {
        let other: &dyn Any = other;
        let other = other.downcast_ref::<Self>().filter(|_| self.include_copies);
        other.is_some_and(|other| {
            let identifiers = self
                .sync_identifier
                .as_ref()
                .zip(other.sync_identifier.as_ref());
            identifiers.is_none_or(|(own, others)| own == others)
        })
    }

    fn copy_settings(
        &self,
        _: &SyncJob,
        source: &Artifact,
        _: &Observation,
        _: &mut Vec<String>,
    ) -> Result<CopySettings, FailReason> {
        Ok(CopySettings {
            name: Some(source.name().to_owned()),
            description: Some(source.description().to_owned()).filter(|text| !text.is_empty()),
            option_group_name: None,
            copy_within: self.copy_within,
        })
    }

    fn copy_owner(&self, job: &SyncJob, copy: &Artifact) -> CopyOwner {
        let Some(origin) = origin(copy, &job.source_region) else {
            return CopyOwner::OtherJob;
        };
        let filters = self.filters.iter();
        let filters = filters.filter(|filter| is_testable(&filter.name));
        let filters = filters.map(|filter| was_met(filter, copy, &origin.id));
        let identifier = self.sync_identifier.as_ref().map(|identifier| {
            had_tag(copy, |key, value| {
                key == SYNC_IDENTIFIER && value == identifier
            })
        });
        let tests: Vec<Option<bool>> = filters.chain(identifier).collect();
        if tests.contains(&Some(false)) {
            CopyOwner::OtherJob
        } else if tests.is_empty() || tests.contains(&None) {
            CopyOwner::Unknown
        } else {
            CopyOwner::ThisJob
        }
    }

    fn untestable_conditions(&self) -> Vec<&str> {
        let filters = self.filters.iter();
        let names = filters.map(|filter| filter.name.as_str());
        names.filter(|name| !is_testable(name)).collect()
    }

    fn selecting_keys(&self) -> Vec<&str> {
        let keys = self.filters.iter();
        let keys = keys.filter_map(|filter| filter.name.strip_prefix("tag:"));
        keys.chain([SYNC_IDENTIFIER]).collect()
    }

    fn retention(&self) -> Option<RetentionRules> {
        // Without an identifier, it is uncertain which copies of earlier images belong to the job.
        let max_retained = self.max_images_to_retain;
        let max_retained = max_retained.filter(|_| self.sync_identifier.is_some())?;
        let keep = self.keep_launched_within.unwrap_or(KEEP_LAUNCHED_WITHIN);
        Some(RetentionRules {
            option: MAX_RETAINED,
            max_retained,
            earlier_parents: None,
            keep_launched_within: Some(keep),
        })
    }

    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement> {
        image_permissions::permissions(job, stage, self.retention().is_some())
    }
}

/// The images of the source region that match, each list in a fixed order.
struct Found<'a> {
    /// Oldest first.
    available: Vec<&'a Artifact>,
    /// Available, but deprecated.
    deprecated: Vec<&'a Artifact>,
    unavailable: Vec<&'a Artifact>,
    /// Images that can't be sources because they are copies: otherwise jobs in a ring would copy images forever.
    copies: Vec<&'a Artifact>,
}

impl<'a> Found<'a> {
    fn new(options: &AmiOptions, job: &SyncJob, sources: &'a [Artifact]) -> Self {
        let mut images: Vec<&Artifact> = sources.iter().collect();
        images.sort_by_key(|image| &image.id);
        let (own, copies): (Vec<_>, Vec<_>) = images
            .into_iter()
            .partition(|image| options.can_be_source(job, image));
        let (available, unavailable): (Vec<_>, Vec<_>) = own
            .into_iter()
            .partition(|image| image.state.is_available());
        let (deprecated, mut available): (Vec<_>, Vec<_>) = available
            .into_iter()
            .partition(|image| image.is_deprecated());
        available.sort_by_key(|image| image.created);
        Self {
            available,
            deprecated,
            unavailable,
            copies,
        }
    }
}

impl AmiOptions {
    /// Returns an error if every public image of another owner would be read.
    fn unlimited(&self) -> Option<Finding> {
        let is_any =
            |value: &String| value.contains('*') && value.chars().all(|c| matches!(c, '*' | '?'));
        let is_narrow = |filter: &ImageFilter| {
            !BROAD_FILTERS.contains(&filter.name.as_str()) && !filter.values.iter().any(is_any)
        };
        let is_limited = self.ami_owner == OWN_ACCOUNT
            || self
                .sync_identifier
                .as_ref()
                .is_some_and(|value| !is_any(value))
            || self.filters.iter().any(is_narrow);
        (!is_limited).then(|| Finding {
            level: Level::Error,
            option: "ami_owner",
            item: None,
            without: None,
            message: "names a different account, and no filter limits which of its images are read".to_owned(),
            help: "add a filter such as \"name=web-*\" to `filters`; if the account is your own, write `ami_owner: self`".to_owned(),
        })
    }

    /// Returns an error if copies are to be deleted, but it is uncertain which copies belong to the job.
    fn unidentified(&self) -> Option<Finding> {
        let is_unidentified = self.max_images_to_retain.is_some() && self.sync_identifier.is_none();
        is_unidentified.then(|| Finding {
            level: Level::Error,
            option: MAX_RETAINED,
            item: None,
            without: None,
            message: "needs a `sync_identifier`".to_owned(),
            help: "add `sync_identifier`, with the value of the image's tag Sync-Identifier: the same tag on its copies shows that they \
                   belong to this job, even when the image is gone"
                .to_owned(),
        })
    }

    /// Returns an error if there is a rule for keeping copies, but none for deleting them.
    fn without_retention(&self) -> Option<Finding> {
        let is_unused = self.keep_launched_within.is_some() && self.max_images_to_retain.is_none();
        is_unused.then(|| Finding {
            level: Level::Error,
            option: "keep_launched_within",
            item: None,
            without: Some(MAX_RETAINED),
            message: format!("has no effect without `{MAX_RETAINED}`"),
            help: format!(
                "remove it, or add `{MAX_RETAINED}`: without that, xrs deletes no images"
            ),
        })
    }

    fn no_source(&self, job: &SyncJob, found: &Found<'_>) -> FailReason {
        let unavailable = found.unavailable.iter();
        let unavailable = unavailable.map(|image| format!("{} ({})", image.id, image.state));
        let deprecated = found.deprecated.iter();
        let deprecated = deprecated.map(|image| format!("{} (deprecated)", image.id));
        let copies = found.copies.iter();
        let copies = copies.map(|image| format!("{} (a copy)", image.id));
        let mut filters = self.filters.iter();
        let is_by_tag =
            self.sync_identifier.is_some() || filters.any(|filter| filter.name.starts_with("tag"));
        let help = if !found.unavailable.is_empty() {
            "plan again when it is available"
        } else if !found.copies.is_empty() {
            "copies are not used as sources; for a chain of regions, set include_copies: true, which still excludes copies from the \
             destination"
        } else if is_by_tag && self.ami_owner != OWN_ACCOUNT {
            "tags that other accounts gave their images are not visible: select these images by name"
        } else {
            "check that ami_owner, sync_identifier and filters match an image in this region; tags on images of other \
             accounts are not visible"
        };
        FailReason::NoSource {
            what: "available image".to_owned(),
            instead: unavailable.chain(deprecated).chain(copies).collect(),
            region: job.source_region.clone(),
            help: help.to_owned(),
        }
    }
}
