//! The IAM policies allow the calls that are made and no others, on the artifacts of the jobs and nothing else.

use std::collections::BTreeSet;

use aws_xregion_sync::model::provider_error_help::permission;
use aws_xregion_sync::ops::{self, PolicyStage};
use aws_xregion_sync::policy::Policy;
use aws_xregion_sync::{ConfigFile, Options};

use crate::support::prelude::*;
use crate::support::{assert_says, block_on, no_failures};

const SEED: &str = include_str!("../../testdata/config/seed.yaml");
/// This call needs no permission, and no policy can deny it.
const FREE: &str = "sts:GetCallerIdentity";

fn config(text: &str) -> ConfigFile {
    ConfigFile::from_text("xrs.yaml", text)
}

fn policy(text: &str, stage: PolicyStage) -> Policy {
    ops::policy(&config(text), stage, &[])
        .expect("a policy")
        .policy
}

/// Returns the actions that a policy allows, except those of KMS, which EC2 and RDS call.
pub fn allowed(policy: &Policy) -> BTreeSet<String> {
    let actions = policy
        .statement
        .iter()
        .flat_map(|statement| &statement.action);
    actions
        .filter(|action| !action.starts_with("kms:"))
        .map(|action| (*action).to_owned())
        .collect()
}

fn called(sandbox: &Sandbox) -> BTreeSet<String> {
    let calls = sandbox
        .calls()
        .into_iter()
        .map(|call| permission(call.call));
    calls.filter(|action| action != FREE).collect()
}

#[test]
fn the_policy_of_planning_allows_the_status() {
    let config = config(SEED);
    let sandbox = Sandbox::new(ops::example_world(&config).expect("a world"));
    let options = Options::default();
    let _ = block_on(ops::status(&config, &sandbox, &options)).expect("a status");
    let allowed = allowed(&policy(SEED, PolicyStage::Plan));
    assert!(called(&sandbox).is_subset(&allowed), "{allowed:?}");
}

/// Plans and applies the gem's example. Returns the plan and the actions that each stage needed.
fn planned_and_applied() -> (SavedPlan, BTreeSet<String>, BTreeSet<String>) {
    let config = config(SEED);
    let sandbox = Sandbox::new(ops::example_world(&config).expect("a world"));
    let options = Options::default();
    block_on(async {
        let plan = ops::plan(&config, &sandbox, &options)
            .await
            .expect("a plan");
        let to_plan = called(&sandbox);
        let results = ops::apply(&sandbox, &plan, Some(&config), &options).await;
        no_failures(&results.expect("results"));
        (plan, to_plan, called(&sandbox))
    })
}

#[test]
fn a_policy_allows_the_calls_that_its_stage_makes_and_no_others() {
    let (_, mut to_plan, mut to_apply) = planned_and_applied();
    // In the example, no snapshot has an option group of its own, none is listed without tags, and every database has snapshots.
    for needed in [&mut to_plan, &mut to_apply] {
        needed.insert("rds:DescribeOptionGroups".to_owned());
        needed.insert("rds:ListTagsForResource".to_owned());
        needed.insert("rds:DescribeDBInstances".to_owned());
    }
    assert_eq!(allowed(&policy(SEED, PolicyStage::Plan)), to_plan);
    assert_eq!(allowed(&policy(SEED, PolicyStage::Apply)), to_apply);
}

/// Returns true if an IAM pattern matches: `*` is any text, `?` any single character.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            matches(rest, text) || matches!(text, [_, text @ ..] if matches(pattern, text))
        }
        ([b'?', pattern @ ..], [_, text @ ..]) => matches(pattern, text),
        ([p, pattern @ ..], [t, text @ ..]) => p == t && matches(pattern, text),
        _ => false,
    }
}

fn allows(policy: &Policy, action: &str, arn: &str) -> bool {
    policy.statement.iter().any(|statement| {
        let resources = &statement.resource;
        statement.action.contains(&action)
            && resources
                .iter()
                .any(|r| matches(r.as_bytes(), arn.as_bytes()))
    })
}

/// Returns what an action of the gem's example needs permission for, and on which resources.
fn needs(action: &Action, account: &AccountId) -> Vec<(&'static str, String)> {
    let image = "arn:aws:ec2:us-west-1::image/ami-1".to_owned();
    let backing = "arn:aws:ec2:us-west-1::snapshot/snap-1".to_owned();
    match (action.kind(), action) {
        (Kind::Image, Action::Copy(copy)) => vec![
            ("ec2:CopyImage", copy.source.arn.to_string()),
            ("ec2:CopyImage", image.clone()),
            ("ec2:CopyImage", backing.clone()),
            ("ec2:CreateTags", image),
            ("ec2:CreateTags", backing),
        ],
        (Kind::DbSnapshot, Action::Copy(copy)) => {
            let id = copy.copy.id.as_ref().expect("an id");
            let target = format!("arn:aws:rds:us-west-1:{account}:snapshot:{id}");
            vec![
                ("rds:CopyDBSnapshot", copy.source.arn.to_string()),
                ("rds:CopyDBSnapshot", target.clone()),
                ("rds:AddTagsToResource", target),
            ]
        }
        (Kind::Image, Action::TagSource(tag)) => {
            vec![("ec2:CreateTags", tag.source.arn.to_string())]
        }
        (Kind::DbSnapshot, Action::TagSource(tag)) => {
            vec![("rds:AddTagsToResource", tag.source.arn.to_string())]
        }
        (Kind::DbSnapshot, Action::Delete(delete)) => {
            vec![("rds:DeleteDBSnapshot", delete.artifact.arn.to_string())]
        }
        (kind, other) => panic!("the example has no such action of {kind}: {other:?}"),
    }
}

#[test]
fn a_policy_allows_what_a_plan_lists_on_what_it_lists() {
    let policy = policy(SEED, PolicyStage::Apply);
    let (plan, ..) = planned_and_applied();
    let mut seen = BTreeSet::new();
    for job in &plan.jobs {
        let account = job.account_id.as_ref().expect("an account");
        for action in &job.actions {
            seen.insert(format!("{:?} {}", action.name(), action.kind()));
            for (permission, arn) in needs(action, account) {
                assert!(allows(&policy, permission, &arn), "{permission} {arn}");
            }
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    for (action, arn) in [
        (
            "rds:DeleteDBSnapshot",
            "us-east-1:432143214321:snapshot:rds-mydatabase-2026-01-14-05-10",
        ),
        (
            "rds:DeleteDBSnapshot",
            "us-west-1:432143214321:snapshot:rds-mydatabase-eu-2026-01-14-05-10",
        ),
        (
            "rds:DeleteDBSnapshot",
            "us-west-1:432143214321:snapshot:mydatabase-final",
        ),
        (
            "rds:DeleteDBSnapshot",
            "us-west-1:123412341234:snapshot:rds-mydatabase-2026-01-14-05-10",
        ),
        (
            "rds:CopyDBSnapshot",
            "us-east-1:432143214321:snapshot:rds:other-2026-01-14-05-10",
        ),
        ("ec2:CreateTags", "eu-west-1::image/ami-1"),
        ("ec2:CreateTags", "us-east-1:432143214321:instance/i-1"),
    ] {
        let (service, _) = action.split_once(':').expect("a service");
        let arn = format!("arn:aws:{service}:{arn}");
        assert!(!allows(&policy, action, &arn), "{action} {arn}");
    }
}

#[test]
fn the_policies_of_every_option() {
    let text = include_str!("../../testdata/config/all_options.yaml");
    for (name, stage) in [("plan", PolicyStage::Plan), ("apply", PolicyStage::Apply)] {
        insta::assert_snapshot!(name, document(&policy(text, stage)).expect("JSON"));
    }
}

fn snapshot_job(source: &str, destination: &str, more: &str) -> String {
    format!(
        "{{sync_type: rds_automated_snapshot, source_region: {source}, destination_region: {destination}, db_instance: a{more}}}"
    )
}

#[test]
fn a_policy_is_of_the_partition_of_its_regions() {
    let china = snapshot_job("cn-north-1", "cn-northwest-1", ", kms_key_id: 1234abcd");
    let gov = snapshot_job("us-gov-west-1", "us-gov-east-1", "");
    for (job, partition) in [(&china, "aws-cn"), (&gov, "aws-us-gov")] {
        let policy = policy(&format!("sync_a: {job}"), PolicyStage::Apply);
        let start = format!("arn:{partition}:");
        let mut arns = policy
            .statement
            .iter()
            .flat_map(|statement| &statement.resource);
        assert!(
            arns.all(|arn| arn == "*" || arn.starts_with(&start)),
            "{policy:?}"
        );
    }
    let both = config(&format!("sync_a: {china}\nsync_b: {gov}"));
    let error = ops::policy(&both, PolicyStage::Plan, &[]).expect_err("two partitions");
    assert!(error.to_string().contains("aws-cn, aws-us-gov"), "{error}");
    let picked = ops::policy(&both, PolicyStage::Plan, &[JobName::from("sync_b")]);
    let picked = document(&picked.expect("one").policy).expect("JSON");
    assert_says(&picked, "us-gov-east-1");
}

#[test]
fn keys_are_named_by_arns_of_the_destination() {
    let keys = |more: &str| -> Vec<String> {
        let job = snapshot_job("us-east-1", "us-west-1", more);
        let policy = policy(&format!("sync_a: {job}"), PolicyStage::Apply);
        let of_use = policy
            .statement
            .iter()
            .filter(|statement| statement.sid.starts_with("UseKeys"));
        of_use
            .flat_map(|statement| statement.resource.clone())
            .collect()
    };
    let account = "aws_client_config: {aws_account_id: 1234-5678-9012}";
    let role = "aws_client_config: {role_arn: 'arn:aws:iam::210987654321:role/xrs'}";
    assert_eq!(keys(""), Vec::<String>::new());
    for (key, more, arn) in [
        ("1234abcd", "", "*:key/1234abcd"),
        ("1234abcd", account, "123456789012:key/1234abcd"),
        ("mrk-1", role, "210987654321:key/mrk-1"),
        ("alias/copies", account, "123456789012:key/*"),
        (
            "'arn:aws:kms:us-west-1:555555555555:key/k'",
            account,
            "555555555555:key/k",
        ),
        (
            "'arn:aws:kms:us-west-1:555555555555:alias/k'",
            account,
            "555555555555:key/*",
        ),
    ] {
        let key = format!(", kms_key_id: {key}, {more}");
        let arn = format!("arn:aws:kms:us-west-1:{arn}");
        assert_eq!(keys(&key)[0], arn);
    }
}

#[test]
fn statements_have_ids_of_their_own_that_iam_takes() {
    let jobs = ["us-east-1", "us-east-2", "eu-west-1"].map(|source| {
        let job = snapshot_job(source, "us-west-1", ", kms_key_id: alias/a");
        format!("sync_{source}: {job}\n")
    });
    let policy = policy(&jobs.concat(), PolicyStage::Apply);
    let ids: BTreeSet<&str> = policy.statement.iter().map(|s| s.sid.as_str()).collect();
    assert_eq!(ids.len(), policy.statement.len());
    let is_taken = |id: &&str| id.bytes().all(|b| b.is_ascii_alphanumeric());
    assert!(ids.iter().all(is_taken), "{ids:?}");
    assert!(ids.contains("DeleteCopiesFromUsEast2"), "{ids:?}");
}
