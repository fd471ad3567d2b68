//! The IAM policy that a stage needs for the jobs of a config. It allows the calls that the stage makes, and no others.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::problem::Problem;
use crate::model::words;
use crate::sync_types::{PolicyStage, Statement, SyncJob, arn, stated_account};

/// The greatest length of a managed policy in characters, not counting white space.
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
pub const MOST_CHARACTERS: usize = 6144;

/// An IAM policy, as IAM reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// The version of the policy language.
    pub version: &'static str,
    /// One statement for each purpose.
    pub statement: Vec<Statement>,
}

impl Policy {
    /// Returns its length, as IAM counts it.
    ///
    /// # Errors
    ///
    /// If it can't be written as JSON.
    pub fn characters(&self) -> serde_json::Result<usize> {
        let json = serde_json::to_string(self)?;
        Ok(json.chars().filter(|c| !c.is_whitespace()).count())
    }
}

/// Returns the policy that a stage of these jobs needs.
///
/// # Errors
///
/// If there is no job, or if the jobs are in several partitions: an identity belongs to one partition.
pub fn policy(stage: PolicyStage, jobs: &[SyncJob]) -> Result<Policy, Problem> {
    let partitions = jobs.iter().map(|job| job.destination_region.partition());
    let partitions: BTreeSet<&str> = partitions.collect();
    if jobs.is_empty() {
        return Err(Problem::new("there is no valid job to write a policy for"));
    }
    if partitions.len() > 1 {
        let message = format!(
            "the jobs are in the partitions {}, and a policy belongs to one partition",
            words::list(partitions)
        );
        return Err(Problem::new(message).help("select the jobs of one partition with --job"));
    }
    // The order of the statements, reads first, does not depend on the order of the jobs.
    let mut jobs: Vec<&SyncJob> = jobs.iter().collect();
    jobs.sort_by_key(|job| (job.kind(), &job.source_region));
    let of_stage = |stage| {
        let permissions = move |job: &&SyncJob| job.rules.permissions(job, stage);
        jobs.iter().flat_map(permissions)
    };
    let mut statements: Vec<Statement> = of_stage(PolicyStage::Plan).collect();
    if stage == PolicyStage::Apply {
        statements.extend(of_stage(stage));
        statements.extend(key_permissions(&jobs));
    }
    Ok(Policy {
        version: "2012-10-17",
        statement: merged(statements),
    })
}

/// Merges the statements for each purpose into the first of them.
fn merged(statements: Vec<Statement>) -> Vec<Statement> {
    let mut merged: Vec<Statement> = Vec::new();
    for statement in statements {
        match merged.iter_mut().find(|known| known.sid == statement.sid) {
            Some(known) => known.merge(statement),
            None => merged.push(statement),
        }
    }
    merged
}

/// Returns the permissions for the keys of copies and sources. xrs never calls KMS; EC2 and RDS do so on behalf of the caller that
/// requests a copy.
fn key_permissions(jobs: &[&SyncJob]) -> Vec<Statement> {
    let with_key = jobs
        .iter()
        .filter_map(|job| Some((*job, job.kms_key_id.as_deref()?)));
    let mut encrypted: Vec<(&SyncJob, &str)> = with_key.collect();
    encrypted.sort_by_key(|(_, key)| alias(key).is_some());
    let of_copies = encrypted.iter().flat_map(|(job, key)| copy_key(job, key));
    let of_sources = encrypted.iter().flat_map(|(job, _)| source_key(job));
    of_copies.chain(of_sources).collect()
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

/// Returns statements about the keys that sources may be encrypted with, which no config names.
fn source_key(job: &SyncJob) -> [Statement; 2] {
    const ACTIONS: &[&str] = &["kms:Decrypt", "kms:DescribeKey", "kms:ReEncryptFrom"];
    let account = stated_account(&job.client_config);
    let arn = arn("kms", &job.source_region, account, "key/*");
    key_statements(job, "KeysOfSources", ACTIONS, arn)
}

/// Returns statements that allow the use of keys, and grants for that use, only through the service of a job. Both of its regions
/// are allowed, because AWS does not document which of them uses the key of the source. Host names end differently in each
/// partition.
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

/// Returns the ARN of a key, or, for an alias, a pattern for every key that it may stand for: a policy can't name a key by its
/// alias alone.
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

/// Returns `alias/…` if the key is named by an alias, with or without an ARN.
fn alias(key: &str) -> Option<&str> {
    let name = words::kms_key_name(key);
    name.starts_with("alias/").then_some(name)
}
