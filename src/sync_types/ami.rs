//! `ec2_ami`: one image, which the job selects by owner, identifier and filters.

use std::any::Any;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_yaml::{Mapping, Value};

use super::option_value::{account_id, from_text};
use super::permissions::{PolicyStage, Statement, arn};
use super::rules::{Belonging, CopySettings, Finding, SyncJob, SyncTypeRules};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::origin;
use crate::model::ids::Arn;
use crate::model::inventory::Observation;
use crate::model::kind::{Kind, SyncTypeName};
use crate::model::query::{CopiesQuery, ImageFilter, ImageSelector, Queries, Query};
use crate::model::report::Level;
use crate::model::sync_tag::{
    SYNC_IDENTIFIER, is_key_on_copy, is_sync_key, key_on_copy, key_on_source,
};
use crate::model::wildcard::matches;
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
        self.unlimited().into_iter().chain(commas).collect()
    }

    fn queries(&self) -> Queries {
        let selector = ImageSelector {
            owner: self.ami_owner.clone(),
            sync_identifiers: self.sync_identifier.iter().cloned().collect(),
            filters: self.filters.clone(),
        };
        Queries {
            sources: Query::Matching(selector),
            copies: CopiesQuery::BySource,
        }
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
        })
    }

    fn belonging(&self, job: &SyncJob, copy: &Artifact) -> Belonging {
        let Some(origin) = origin(copy, &job.source_region) else {
            return Belonging::OtherJob;
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
            Belonging::OtherJob
        } else if tests.is_empty() || tests.contains(&None) {
            Belonging::Unknown
        } else {
            Belonging::ThisJob
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

    fn permissions(&self, job: &SyncJob, stage: PolicyStage) -> Vec<Statement> {
        let (source, destination) = (&job.source_region, &job.destination_region);
        let read = Statement::read("ReadImages", "ec2:DescribeImages", [source, destination]);
        if stage == PolicyStage::Plan {
            return vec![read];
        }
        // Images and their snapshots have no account in their ARNs.
        let images = |region| arn("ec2", region, "", "image/*");
        let snapshots = |region| arn("ec2", region, "", "snapshot/*");
        let copies = [images(destination), snapshots(destination)];
        let all = copies.iter().cloned();
        let all = all.chain([images(source), snapshots(source)]);
        let tag_source = Statement::new("TagSourceImages", &["ec2:CreateTags"], [images(source)]);
        let keys = [key_on_source(destination)];
        vec![
            read,
            Statement::new("CopyImages", &["ec2:CopyImage"], all),
            Statement::new("TagCopiesOfImages", &["ec2:CreateTags"], copies.clone()),
            tag_source.when("ForAllValues:StringEquals", "aws:TagKeys", keys),
        ]
    }
}

/// The images of the source region that match, each list in a fixed order.
struct Found<'a> {
    /// Oldest first.
    available: Vec<&'a Artifact>,
    /// Available, but deprecated.
    deprecated: Vec<&'a Artifact>,
    unavailable: Vec<&'a Artifact>,
    /// Images that can't be sources because they are copies: otherwise rings of jobs would never end.
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
            message: "names a different account, and no filter limits which of its images are read".to_owned(),
            help: "add a filter such as \"name=web-*\" to `filters`; if the account is your own, write `ami_owner: self`".to_owned(),
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

/// Returns a warning about a filter in the form `name=value` if the value may be meant as several values.
fn doubtful_comma(item: usize, filter: &str) -> Option<Finding> {
    let help = "for several values, any of which may match, write {name: \"tag:Role\", values: [\"a\", \"b\"]}; for one value, \
                {name: \"tag:Role\", values: [\"a,b\"]}";
    filter.contains(',').then(|| Finding {
        level: Level::Warning,
        option: "filters",
        item: Some(item),
        message: "has one value with a comma in it".to_owned(),
        help: help.to_owned(),
    })
}

/// Returns true if copies show whether their source matched a filter.
fn is_testable(filter: &str) -> bool {
    match filter.strip_prefix("tag:") {
        Some(key) => is_copied(key),
        None => matches!(
            filter,
            "tag-key" | "tag-value" | "name" | "description" | "image-id"
        ),
    }
}

/// Returns whether the source of a copy matched a testable filter, or `None` if the copy does not say.
fn was_met(filter: &ImageFilter, copy: &Artifact, source_id: &str) -> Option<bool> {
    let is_any = |text: &str| filter.values.iter().any(|value| matches(value, text));
    match filter.name.as_str() {
        "name" => Some(is_any(copy.name())),
        "description" => Some(is_any(copy.description())),
        "image-id" => Some(is_any(source_id)),
        "tag-key" => had_tag(copy, |key, _| is_any(key)),
        "tag-value" => had_tag(copy, |_, value| is_any(value)),
        name => had_tag(copy, |key, value| {
            name.strip_prefix("tag:") == Some(key) && is_any(value)
        }),
    }
}

/// Returns whether the source of a copy had a tag, or `None` if the copy has no tags from its source. A copy has all of them or
/// none: the gem copied none.
fn had_tag(copy: &Artifact, is_wanted: impl Fn(&str, &str) -> bool) -> Option<bool> {
    let tags = copy.tags.iter();
    let mut copied = tags.filter(|(key, _)| is_copied(key)).peekable();
    copied.peek()?;
    Some(copied.any(|(key, value)| is_wanted(key, value)))
}

/// Returns true if copies get the tags with this key from their sources.
fn is_copied(key: &str) -> bool {
    !is_sync_key(key) && !key.starts_with("aws:")
}
