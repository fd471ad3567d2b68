//! `ec2_ami`: one image, which the job selects by owner, identifier and filters.

use schemars::JsonSchema;
use serde::Deserialize;

use super::image_filter::Filter;
use super::permissions::{PolicyStage, Statement, arn};
use super::rules::{Belonging, CopySettings, Retention, SyncJob, SyncTypeRules};
use crate::model::artifact::Artifact;
use crate::model::fail_reason::FailReason;
use crate::model::identity::origin;
use crate::model::ids::ParentId;
use crate::model::kind::{Kind, SyncTypeName};
use crate::model::query::{CopiesQuery, ImageFilter, ImageSelector, Queries, Query};
use crate::model::sync_tag::{SYNC_IDENTIFIER, is_sync_key, key_on_copy, key_on_source};
use crate::model::wildcard::matches;
use crate::model::words::count;

/// The owner that stands for the account of the credentials.
const OWN_ACCOUNT: &str = "self";

/// Keeps a copy of one EC2 image in the destination region.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AmiConfig {
    /// The account id of the image's owner, `self` or `amazon`.
    #[serde(default = "own_account")]
    #[schemars(extend("x-aliases" = ["owner_id"]))]
    ami_owner: String,
    /// The image has the tag `Sync-Identifier` with this value.
    sync_identifier: Option<String>,
    /// Filters of DescribeImages, all of which must match, such as `["tag:Environment=Production"]`.
    #[serde(default)]
    filters: Vec<Filter>,
    /// Take the newest image where several match, instead of failing the job.
    #[serde(default)]
    most_recent: bool,
}

fn own_account() -> String {
    OWN_ACCOUNT.to_owned()
}

impl From<AmiConfig> for AmiOptions {
    fn from(config: AmiConfig) -> Self {
        Self {
            selector: ImageSelector {
                owner: config.ami_owner,
                sync_identifiers: config.sync_identifier.into_iter().collect(),
                filters: config.filters.into_iter().map(|filter| filter.0).collect(),
            },
            most_recent: config.most_recent,
        }
    }
}

/// The options of an `ec2_ami` job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(from = "AmiConfig")]
#[schemars(with = "AmiConfig")]
pub struct AmiOptions {
    /// Which images are selected.
    pub selector: ImageSelector,
    /// Whether the newest is taken where several match, instead of failing.
    pub most_recent: bool,
}

impl SyncTypeRules for AmiOptions {
    fn sync_type(&self) -> SyncTypeName {
        SyncTypeName::Ec2Ami
    }

    fn queries(&self) -> Queries {
        Queries {
            sources: Query::Matching(self.selector.clone()),
            copies: CopiesQuery::BySource,
        }
    }

    fn parent(&self) -> Option<&ParentId> {
        None
    }

    fn choose_source<'a>(
        &self,
        job: &SyncJob,
        sources: &'a [Artifact],
        warnings: &mut Vec<String>,
    ) -> Result<&'a Artifact, FailReason> {
        let found = Found::new(job, sources);
        warnings.extend(found.unavailable.iter().map(|image| {
            format!(
                "image {} matches, but is {}, so it is not considered",
                image.id, image.state
            )
        }));
        match found.available.as_slice() {
            [] => Err(self.no_source(job, &found)),
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
        let available = Found::new(job, sources).available;
        if available.len() > 1 && !self.most_recent {
            let images = count(available.len(), "image matches", "images match");
            warnings.push(format!(
                "{images} in {}, so that none is copied: the newest is assumed here",
                job.source_region
            ));
        }
        available.last().copied()
    }

    fn copy_settings(&self, _: &SyncJob, source: &Artifact) -> Result<CopySettings, FailReason> {
        Ok(CopySettings {
            name: Some(source.name().to_owned()),
            description: Some(source.description().to_owned()).filter(|text| !text.is_empty()),
            option_group_name: None,
        })
    }

    fn can_adopt(&self, _: &SyncJob, source: &Artifact, copy: &Artifact) -> bool {
        copy.name() == source.name()
    }

    fn belonging(&self, job: &SyncJob, copy: &Artifact) -> Belonging {
        if origin(copy, &job.source_region).is_none() {
            return Belonging::OtherJob;
        }
        let filters = self.selector.filters.iter();
        let mut tests: Vec<Test> = filters
            .map(|filter| test_filter(filter, copy, job))
            .collect();
        let identifiers = &self.selector.sync_identifiers;
        if !identifiers.is_empty() {
            let is_met = |value: &str| identifiers.iter().any(|known| known == value);
            tests.push(test_tag(copy, SYNC_IDENTIFIER, is_met));
        }
        if tests.contains(&Test::NotMet) {
            Belonging::OtherJob
        } else if tests.contains(&Test::Lost) || !tests.contains(&Test::Met) {
            Belonging::Unknown
        } else {
            Belonging::ThisJob
        }
    }

    fn untestable_conditions(&self) -> Vec<&str> {
        let names = self
            .selector
            .filters
            .iter()
            .map(|filter| filter.name.as_str());
        names.filter(|name| !is_testable(name)).collect()
    }

    fn retention(&self) -> Option<Retention> {
        None
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
    unavailable: Vec<&'a Artifact>,
    /// Copies that came from the job's destination. They are never sources, or jobs there and back would never end.
    returned: Vec<&'a Artifact>,
}

impl<'a> Found<'a> {
    fn new(job: &SyncJob, sources: &'a [Artifact]) -> Self {
        let key = key_on_copy(&job.destination_region);
        let (mut returned, own): (Vec<&Artifact>, Vec<&Artifact>) = sources
            .iter()
            .partition(|image| image.tags.contains_key(&key));
        let (mut available, mut unavailable): (Vec<&Artifact>, Vec<&Artifact>) = own
            .into_iter()
            .partition(|image| image.state.is_available());
        available.sort_by_key(|image| (image.created, &image.id));
        unavailable.sort_by_key(|image| &image.id);
        returned.sort_by_key(|image| &image.id);
        Self {
            available,
            unavailable,
            returned,
        }
    }
}

impl AmiOptions {
    fn no_source(&self, job: &SyncJob, found: &Found<'_>) -> FailReason {
        let unavailable = found.unavailable.iter();
        let unavailable = unavailable.map(|image| format!("{} ({})", image.id, image.state));
        let returned = found
            .returned
            .iter()
            .map(|image| format!("{} (a copy from {})", image.id, job.destination_region));
        let is_by_tag = !self.selector.sync_identifiers.is_empty()
            || self
                .selector
                .filters
                .iter()
                .any(|filter| filter.name.starts_with("tag"));
        let help = if !found.unavailable.is_empty() {
            "plan again when it is available"
        } else if is_by_tag && self.selector.owner != OWN_ACCOUNT {
            "tags that other accounts gave their images are not visible to you: select their images by name"
        } else {
            "check that ami_owner, sync_identifier and filters match an image in this region; tags of images of other \
             accounts are not visible"
        };
        FailReason::NoSource {
            what: "available image".to_owned(),
            instead: unavailable.chain(returned).collect(),
            region: job.source_region.clone(),
            help: help.to_owned(),
        }
    }
}

/// What a copy says about one condition that its source was selected by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Test {
    /// Its source met the condition.
    Met,
    /// Its source did not.
    NotMet,
    /// It would be on the copy, if the copy had any tags of its source.
    Lost,
    /// Copies have nothing that says.
    Impossible,
}

impl From<bool> for Test {
    fn from(is_met: bool) -> Self {
        if is_met { Self::Met } else { Self::NotMet }
    }
}

fn test_filter(filter: &ImageFilter, copy: &Artifact, job: &SyncJob) -> Test {
    let is_any = |text: &str| filter.values.iter().any(|value| matches(value, text));
    if let Some(key) = filter.name.strip_prefix("tag:") {
        return test_tag(copy, key, is_any);
    }
    let test_tags = |is_met: &dyn Fn(&str, &str) -> bool| {
        if user_tags(copy).any(|(key, value)| is_met(key, value)) {
            Test::Met
        } else {
            without_tag(copy)
        }
    };
    match filter.name.as_str() {
        "tag-key" => test_tags(&|key, _| is_any(key)),
        "tag-value" => test_tags(&|_, value| is_any(value)),
        "name" => is_any(copy.name()).into(),
        "description" => is_any(copy.description()).into(),
        "image-id" => origin(copy, &job.source_region)
            .map_or(Test::Impossible, |origin| is_any(&origin.id).into()),
        _ => Test::Impossible,
    }
}

/// Returns true if copies have something that says whether their source met a filter.
fn is_testable(filter: &str) -> bool {
    match filter.strip_prefix("tag:") {
        Some(key) => !key.starts_with("aws:"),
        None => matches!(
            filter,
            "tag-key" | "tag-value" | "name" | "description" | "image-id"
        ),
    }
}

fn test_tag(copy: &Artifact, key: &str, is_met: impl Fn(&str) -> bool) -> Test {
    match copy.tags.get(key) {
        _ if key.starts_with("aws:") => Test::Impossible,
        Some(value) => is_met(value).into(),
        None => without_tag(copy),
    }
}

/// Returns what it means that a copy lacks a tag. A copy has all user tags of its source, or none: the gem gave none.
fn without_tag(copy: &Artifact) -> Test {
    if user_tags(copy).next().is_some() {
        Test::NotMet
    } else {
        Test::Lost
    }
}

/// Returns the tags that a copy has from its source.
fn user_tags(copy: &Artifact) -> impl Iterator<Item = (&str, &str)> {
    let is_users = |(key, _): &(&str, &str)| !is_sync_key(key) && !key.starts_with("aws:");
    copy.tags.iter().filter(is_users)
}
