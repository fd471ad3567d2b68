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
    let partitions: BTreeSet<&str> = partitions.collect();
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
    let permissions = |stage| {
        jobs.iter()
            .flat_map(move |job| job.rules.permissions(job, stage))
    };
    permissions(PolicyStage::Plan).for_each(|statement| policy.add(statement));
    if stage == PolicyStage::Apply {
        permissions(stage).for_each(|statement| policy.add(statement));
        key_permissions(&jobs).for_each(|statement| policy.add(statement));
    }
    Ok(policy)
}

/// Returns what jobs need to be allowed with the keys of their copies and sources. xrs never calls KMS: EC2 and RDS do, on behalf of
/// the caller that asks them for a copy.
fn key_permissions(jobs: &[&SyncJob]) -> impl Iterator<Item = Statement> {
    let with_key = jobs
        .iter()
        .filter_map(|job| Some((*job, job.kms_key_id.as_deref()?)));
    let mut encrypted: Vec<(&SyncJob, &str)> = with_key.collect();
    encrypted.sort_by_key(|(_, key)| alias(key).is_some());
    let of_copies = encrypted.iter().map(|(job, key)| copy_key(job, key));
    let of_sources = encrypted.iter().map(|(job, _)| source_key(job));
    let statements: Vec<[Statement; 2]> = of_copies.chain(of_sources).collect();
    statements.into_iter().flatten()
}

/// Returns statements about the key that copies are encrypted with.
fn copy_key(job: &SyncJob, key: &str) -> [Statement; 2] {
    const ACTIONS: &[&str] = &[
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ];
    let arn = key_arn(job, key);
    let Some(alias) = alias(key) else {
        return key_statements(job, "Keys", ACTIONS, arn);
    };
    key_statements(job, "KeysByAlias", ACTIONS, arn).map(|statement| {
        let aliases = [alias.to_owned()];
        statement.when("ForAnyValue:StringEquals", "kms:ResourceAliases", aliases)
    })
}

/// Returns statements about the keys that sources may be encrypted with: no config names them.
fn source_key(job: &SyncJob) -> [Statement; 2] {
    const ACTIONS: &[&str] = &["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"];
    let account = stated_account(&job.client_config);
    let arn = arn("kms", &job.source_region, account, "key/*");
    key_statements(job, "KeysOfSources", ACTIONS, arn)
}

/// Returns statements that allow to use keys and to grant that use, through the services of a job only. Both regions count: which
/// of them asks for the key of the source is not documented. What follows the region in their names differs between partitions.
fn key_statements(
    job: &SyncJob,
    keys: &str,
    actions: &[&'static str],
    arn: String,
) -> [Statement; 2] {
    let service = job.kind().facts().service;
    let services =
        [&job.source_region, &job.destination_region].map(|region| format!("{service}.{region}.*"));
    let uses = Statement::new(format!("Use{keys}"), actions, [arn.clone()]);
    let grants = Statement::new(format!("Grant{keys}"), &["kms:CreateGrant"], [arn]);
    let grants = grants.when("Bool", "kms:GrantIsForAWSResource", ["true".to_owned()]);
    [uses, grants].map(|statement| statement.when("StringLike", "kms:ViaService", services.clone()))
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
