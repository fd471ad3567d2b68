//! The IAM policy that a stage needs for the jobs of a config: the calls it makes, and no more.
//!
//! Where AWS's documentation leaves open what a call is checked against, both answers are allowed. Facts are from the
//! [Service Authorization Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::id::{AccountId, Region};
use crate::model::job::{JobKind, SnapshotJob, SyncJob};
use crate::model::problem::Problem;
use crate::model::sync_tag::{SYNC_KEEP, key_on_copy, key_on_source};
use crate::model::words;

/// IAM takes no managed policy with more characters, white space not counted.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub const MOST_CHARACTERS: usize = 6144;

/// What is to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading alone.
    Plan,
    /// Reading, copying, tagging and deleting.
    Apply,
}

/// An IAM policy, as IAM takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// Of the policy language.
    pub version: &'static str,
    /// One per purpose.
    pub statement: Vec<Statement>,
}

/// What is allowed for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The purpose.
    pub sid: String,
    /// `Allow`.
    pub effect: &'static str,
    /// Of `service:Action`.
    pub action: Vec<&'static str>,
    /// ARNs, with `*` and `?` as wildcards.
    pub resource: BTreeSet<String>,
    /// By operator, then by condition key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>,
}

impl Statement {
    fn new(
        sid: impl Into<String>,
        action: &[&'static str],
        resource: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            sid: sid.into(),
            effect: "Allow",
            action: action.to_vec(),
            resource: resource.into_iter().collect(),
            condition: BTreeMap::new(),
        }
    }

    fn when(
        mut self,
        operator: &'static str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        self.condition
            .entry(operator)
            .or_default()
            .entry(key.into())
            .or_default()
            .extend(values);
        self
    }
}

impl Policy {
    /// Its length as IAM counts it.
    pub fn characters(&self) -> usize {
        let json = serde_json::to_string(self).unwrap_or_default();
        json.chars().filter(|c| !c.is_whitespace()).count()
    }
}

/// The policy that a stage of these jobs needs.
///
/// # Errors
///
/// If there is no job, or they are in several partitions: no identity is in two.
pub fn policy(stage: Stage, jobs: &[SyncJob]) -> Result<Policy, Problem> {
    let partitions: BTreeSet<String> = jobs.iter().map(partition).collect();
    if jobs.is_empty() {
        return Err(Problem::new("there is no sound job to write a policy for"));
    }
    if partitions.len() > 1 {
        let message = format!(
            "the jobs are in the partitions {}, and a policy belongs to one",
            words::list(partitions)
        );
        return Err(Problem::new(message).help("pick the jobs of one of them with --job"));
    }
    let (images, snapshots): (Vec<&SyncJob>, Vec<&SyncJob>) = jobs
        .iter()
        .partition(|job| matches!(job.kind, JobKind::Ami(_)));
    let mut statement = Vec::new();
    statement.extend(reads("ReadImages", "ec2:DescribeImages", &images));
    statement.extend(reads(
        "ReadSnapshots",
        "rds:DescribeDBSnapshots",
        &snapshots,
    ));
    if stage == Stage::Apply {
        statement.extend(of_images(&images));
        statement.extend(of_snapshots(&snapshots));
        statement.extend(of_keys(jobs));
    }
    Ok(Policy {
        version: "2012-10-17",
        statement,
    })
}

fn partition(job: &SyncJob) -> String {
    job.destination_region.partition().to_string()
}

/// The account of a job, as far as its config tells; else any.
fn account(job: &SyncJob) -> String {
    let stated = job.client_config.account_id.as_ref().map(AccountId::as_str);
    let of_role = || job.client_config.role_arn.as_deref()?.split(':').nth(4);
    stated.or_else(of_role).unwrap_or("*").to_owned()
}

/// Lists are not checked against resources, so that the region is all there is to limit them by.
fn reads(sid: &str, action: &'static str, jobs: &[&SyncJob]) -> Option<Statement> {
    let regions = jobs
        .iter()
        .flat_map(|job| [&job.source_region, &job.destination_region])
        .map(Region::to_string);
    let statement = Statement::new(sid, &[action], ["*".to_owned()]);
    (!jobs.is_empty()).then(|| statement.when("StringEquals", "aws:RequestedRegion", regions))
}

/// Copying images and tagging them. Images and their snapshots have no account in their ARNs.
fn of_images(jobs: &[&SyncJob]) -> Vec<Statement> {
    if jobs.is_empty() {
        return Vec::new();
    }
    let arn = |job: &SyncJob, region: &Region, kind: &str| {
        format!("arn:{}:ec2:{region}::{kind}/*", partition(job))
    };
    let sources = || jobs.iter().map(|job| arn(job, &job.source_region, "image"));
    let copies = || {
        jobs.iter().flat_map(|job| {
            ["image", "snapshot"].map(|kind| arn(job, &job.destination_region, kind))
        })
    };
    let source_snapshots = jobs
        .iter()
        .map(|job| arn(job, &job.source_region, "snapshot"));
    let keys = jobs
        .iter()
        .map(|job| key_on_source(&job.destination_region));
    vec![
        Statement::new(
            "CopyImages",
            &["ec2:CopyImage"],
            sources().chain(source_snapshots).chain(copies()),
        ),
        Statement::new("TagCopiesOfImages", &["ec2:CreateTags"], copies()),
        Statement::new("TagSourceImages", &["ec2:CreateTags"], sources()).when(
            "ForAllValues:StringEquals",
            "aws:TagKeys",
            keys,
        ),
    ]
}

/// Copying DB snapshots, tagging them, and deleting copies that carry a sync tag.
fn of_snapshots(jobs: &[&SyncJob]) -> Vec<Statement> {
    let jobs: Vec<(&SyncJob, &SnapshotJob)> = jobs
        .iter()
        .filter_map(|job| match &job.kind {
            JobKind::Snapshot(options) => Some((*job, options)),
            JobKind::Ami(_) => None,
        })
        .collect();
    if jobs.is_empty() {
        return Vec::new();
    }
    let sources = || {
        jobs.iter()
            .map(|(job, options)| source_snapshots(job, options))
    };
    let copies = || {
        jobs.iter()
            .map(|(job, options)| copied_snapshots(job, options))
    };
    let option_groups = jobs.iter().filter_map(|(job, options)| {
        let group = options.option_group_name.as_ref()?;
        Some(rds_arn(
            job,
            &job.destination_region,
            &format!("og:{group}"),
        ))
    });
    let keys = jobs
        .iter()
        .map(|(job, _)| key_on_source(&job.destination_region));
    let mut statements = vec![
        Statement::new(
            "CopySnapshots",
            &["rds:CopyDBSnapshot"],
            sources().chain(copies()).chain(option_groups),
        ),
        Statement::new("TagCopiesOfSnapshots", &["rds:AddTagsToResource"], copies()),
        Statement::new("TagSourceSnapshots", &["rds:AddTagsToResource"], sources()).when(
            "ForAllValues:StringEquals",
            "aws:TagKeys",
            keys,
        ),
    ];
    // The key of the tag names the region, so that each region has a statement of its own.
    let regions: BTreeSet<&Region> = jobs.iter().map(|(job, _)| &job.source_region).collect();
    for region in regions {
        let copies = jobs
            .iter()
            .filter(|(job, _)| job.source_region == *region)
            .map(|(job, options)| copied_snapshots(job, options));
        let (is_there, is_not) = ("false".to_owned(), "true".to_owned());
        statements.push(
            Statement::new(
                format!("DeleteCopiesFrom{}", in_one_word(region)),
                &["rds:DeleteDBSnapshot"],
                copies,
            )
            .when("Null", resource_tag(&key_on_copy(region)), [is_there])
            .when("Null", resource_tag(SYNC_KEEP), [is_not]),
        );
    }
    statements
}

fn resource_tag(key: &str) -> String {
    format!("aws:ResourceTag/{key}")
}

/// A Sid has letters and digits alone.
fn in_one_word(region: &Region) -> String {
    let mut words = String::new();
    for part in region.as_str().split('-') {
        let mut letters = part.chars();
        words.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        words.push_str(letters.as_str());
    }
    words
}

fn rds_arn(job: &SyncJob, region: &Region, resource: &str) -> String {
    format!(
        "arn:{}:rds:{region}:{}:{resource}",
        partition(job),
        account(job)
    )
}

/// The date and time that RDS ends the identifiers of automated snapshots with: it keeps `orders` apart from `orders-eu`.
const TIME: &str = "????-??-??-??-??";

fn source_snapshots(job: &SyncJob, options: &SnapshotJob) -> String {
    let id = format!("snapshot:rds:{}-{TIME}*", options.db_instance);
    rds_arn(job, &job.source_region, &id)
}

/// By the names that the planner gives; they may end in a region and a number.
fn copied_snapshots(job: &SyncJob, options: &SnapshotJob) -> String {
    let id = format!("snapshot:rds-{}-{TIME}*", options.db_instance);
    rds_arn(job, &job.destination_region, &id)
}

/// Using the keys that copies are encrypted with, and those of their sources, which no config names. xrs never calls
/// KMS: EC2 and RDS do, on behalf of whoever asks them for a copy.
fn of_keys(jobs: &[SyncJob]) -> Vec<Statement> {
    const USE: [&str; 5] = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ];
    const USE_SOURCE: [&str; 3] = ["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"];
    let encrypted: Vec<(&SyncJob, &str)> = jobs
        .iter()
        .filter_map(|job| Some((job, job.kms_key_id.as_deref()?)))
        .collect();
    let (by_alias, by_key): (Vec<_>, Vec<_>) =
        encrypted.iter().partition(|(_, key)| alias(key).is_some());
    let aliases = by_alias
        .iter()
        .filter_map(|(_, key)| alias(key))
        .map(str::to_owned);
    let all: Vec<&SyncJob> = encrypted.iter().map(|(job, _)| *job).collect();
    let sources = all.iter().map(|job| {
        format!(
            "arn:{}:kms:{}:{}:key/*",
            partition(job),
            job.source_region,
            account(job)
        )
    });

    let mut statements = Vec::new();
    for (sid, action, resource, jobs, aliases) in [
        (
            "Keys",
            &USE[..],
            keys(&by_key),
            jobs_of(&by_key),
            Vec::new(),
        ),
        (
            "KeysByAlias",
            &USE[..],
            keys(&by_alias),
            jobs_of(&by_alias),
            aliases.collect(),
        ),
        (
            "KeysOfSources",
            &USE_SOURCE[..],
            sources.collect(),
            all,
            Vec::new(),
        ),
    ] {
        if jobs.is_empty() {
            continue;
        }
        let limited = |statement: Statement| {
            let statement = statement.when("StringLike", "kms:ViaService", services(&jobs));
            if aliases.is_empty() {
                statement
            } else {
                statement.when(
                    "ForAnyValue:StringEquals",
                    "kms:ResourceAliases",
                    aliases.clone(),
                )
            }
        };
        statements.push(limited(Statement::new(
            format!("Use{sid}"),
            action,
            resource.clone(),
        )));
        statements.push(
            limited(Statement::new(
                format!("Grant{sid}"),
                &["kms:CreateGrant"],
                resource,
            ))
            .when("Bool", "kms:GrantIsForAWSResource", ["true".to_owned()]),
        );
    }
    statements
}

fn jobs_of<'a>(encrypted: &[(&'a SyncJob, &str)]) -> Vec<&'a SyncJob> {
    encrypted.iter().map(|(job, _)| *job).collect()
}

/// The ARNs of the keys that are named, or are behind aliases: no policy can name a key by an alias alone.
fn keys(named: &[(&SyncJob, &str)]) -> BTreeSet<String> {
    named
        .iter()
        .map(|(job, key)| match (alias(key), key.split(':').nth(4)) {
            (None, Some(_)) => (*key).to_owned(),
            (of_alias, of_arn) => format!(
                "arn:{}:kms:{}:{}:key/{}",
                partition(job),
                job.destination_region,
                of_arn.map_or_else(|| account(job), str::to_owned),
                of_alias.map_or(*key, |_| "*"),
            ),
        })
        .collect()
}

/// `alias/…`, if the key is named by one, with or without an ARN.
fn alias(key: &str) -> Option<&str> {
    let resource = key.rsplit(':').next().unwrap_or(key);
    resource.starts_with("alias/").then_some(resource)
}

/// The services that use keys for these jobs, in both regions: which of them asks for the source's key is not
/// documented. What follows the region differs between partitions.
fn services(jobs: &[&SyncJob]) -> BTreeSet<String> {
    jobs.iter()
        .flat_map(|job| {
            let service = match job.kind {
                JobKind::Ami(_) => "ec2",
                JobKind::Snapshot(_) => "rds",
            };
            [&job.source_region, &job.destination_region]
                .map(|region| format!("{service}.{region}.*"))
        })
        .collect()
}
