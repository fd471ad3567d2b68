//! The IAM policy that a stage needs for the jobs of a config: the calls that it makes, and no more.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::problem::Problem;
use crate::model::words;
use crate::sync_types::{PolicyStage, Statement, SyncJob, arn, stated_account};

/// IAM takes no managed policy with more characters, white space not counted.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub const MOST_CHARACTERS: usize = 6144;

/// An IAM policy, as IAM takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// The version of the policy language.
    pub version: &'static str,
    /// One statement for each purpose.
    pub statement: Vec<Statement>,
}

impl Policy {
    /// Returns its length as IAM counts it.
    ///
    /// # Errors
    ///
    /// If it can't be written as JSON.
    pub fn characters(&self) -> serde_json::Result<usize> {
        let json = serde_json::to_string(self)?;
        Ok(json.chars().filter(|c| !c.is_whitespace()).count())
    }

    /// Adds a statement, or merges it with the one for the same purpose.
    fn add(&mut self, statement: Statement) {
        let mut known = self.statement.iter_mut();
        match known.find(|known| known.sid == statement.sid) {
            Some(known) => known.merge(statement),
            None => self.statement.push(statement),
        }
    }
}

/// Returns the policy that a stage of these jobs needs.
///
/// # Errors
///
/// If there is no job, or if they are in several partitions: no identity is in two.
pub fn policy(stage: PolicyStage, jobs: &[SyncJob]) -> Result<Policy, Problem> {
    let partitions = jobs.iter().map(|job| job.destination_region.partition());
    let partitions: BTreeSet<String> = partitions.map(|partition| partition.to_string()).collect();
    if jobs.is_empty() {
        return Err(Problem::new("there is no valid job to write a policy for"));
    }
    if partitions.len() > 1 {
        let message = format!(
            "the jobs are in the partitions {}, and a policy belongs to one",
            words::list(partitions)
        );
        return Err(Problem::new(message).help("pick the jobs of one of them with --job"));
    }
    // Statements come in an order that does not depend on that of the jobs: reads first.
    let mut jobs: Vec<&SyncJob> = jobs.iter().collect();
    jobs.sort_by_key(|job| (job.kind(), &job.source_region));
    let mut policy = Policy {
        version: "2012-10-17",
        statement: Vec::new(),
    };
    let reads = jobs
        .iter()
        .flat_map(|job| job.rules.permissions(job, PolicyStage::Plan));
    reads.for_each(|statement| policy.add(statement));
    if stage == PolicyStage::Apply {
        let writes = jobs
            .iter()
            .flat_map(|job| job.rules.permissions(job, PolicyStage::Apply));
        let keys = KeyUse::ALL
            .iter()
            .flat_map(|key_use| jobs.iter().flat_map(|job| key_use.permissions(job)));
        writes
            .chain(keys)
            .for_each(|statement| policy.add(statement));
    }
    Ok(policy)
}

/// A reason to use a key. xrs never calls KMS: EC2 and RDS do, on behalf of the caller that asks them for a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyUse {
    /// Copies are encrypted with the key that the job names by its id or ARN.
    ById,
    /// Copies are encrypted with the key that the job names by an alias.
    ByAlias,
    /// Sources are encrypted with a key that no config names.
    OfSource,
}

impl KeyUse {
    const ALL: [Self; 3] = [Self::ById, Self::ByAlias, Self::OfSource];

    /// Returns what a job needs to be allowed for this reason.
    fn permissions(self, job: &SyncJob) -> Vec<Statement> {
        const USE: &[&str] = &[
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ];
        const USE_SOURCE: &[&str] = &["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"];
        let Some(key) = &job.kms_key_id else {
            return Vec::new();
        };
        let alias = alias(key);
        let account = stated_account(&job.client_config);
        let (purpose, actions, resource) = match (self, alias) {
            (Self::ById, None) => ("Keys", USE, key_arn(job, key)),
            (Self::ByAlias, Some(_)) => ("KeysByAlias", USE, key_arn(job, key)),
            (Self::OfSource, _) => (
                "KeysOfSources",
                USE_SOURCE,
                arn("kms", &job.source_region, account, "key/*"),
            ),
            (Self::ById, Some(_)) | (Self::ByAlias, None) => return Vec::new(),
        };
        let statement = |verb: &str, actions| {
            let sid = format!("{verb}{purpose}");
            let statement = Statement::new(sid, actions, [resource.clone()]).when(
                "StringLike",
                "kms:ViaService",
                services(job),
            );
            match alias {
                Some(alias) if self == Self::ByAlias => statement.when(
                    "ForAnyValue:StringEquals",
                    "kms:ResourceAliases",
                    [alias.to_owned()],
                ),
                _ => statement,
            }
        };
        let only_aws = ["true".to_owned()];
        vec![
            statement("Use", actions),
            statement("Grant", &["kms:CreateGrant"]).when(
                "Bool",
                "kms:GrantIsForAWSResource",
                only_aws,
            ),
        ]
    }
}

/// Returns the ARN of the key that is named, or of every key it may be: no policy can name a key by an alias alone.
fn key_arn(job: &SyncJob, key: &str) -> String {
    let account_of_arn = key.split(':').nth(4);
    let account = account_of_arn.unwrap_or_else(|| stated_account(&job.client_config));
    let region = &job.destination_region;
    match alias(key) {
        Some(_) => arn("kms", region, account, "key/*"),
        None if account_of_arn.is_some() => key.to_owned(),
        None => arn("kms", region, account, &format!("key/{key}")),
    }
}

/// Returns `alias/…`, if the key is named by an alias, with or without an ARN.
fn alias(key: &str) -> Option<&str> {
    let resource = key.rsplit(':').next().unwrap_or(key);
    resource.starts_with("alias/").then_some(resource)
}

/// Returns the services that use keys for a job, in both regions: which of them asks for the key of the source is not documented.
/// What follows the region in their names differs between partitions.
fn services(job: &SyncJob) -> [String; 2] {
    let service = job.kind().facts().service;
    [&job.source_region, &job.destination_region].map(|region| format!("{service}.{region}.*"))
}
