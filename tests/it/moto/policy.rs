//! The IAM policies compared with the calls that the SDK makes.

use std::collections::BTreeSet;

use aws_xregion_sync::ConfigFile;
use aws_xregion_sync::model::provider_error_help::permission;
use aws_xregion_sync::ops::{self, PolicyStage};
use serde_json::json;

use super::site::{Site, on_day, regions};
use super::world::EAST;
use crate::policy::allowed;

/// The IAM actions of the calls so far, without the one that needs no permission.
fn called(site: &Site) -> BTreeSet<String> {
    let calls = site.world.calls().into_iter();
    let mut called: BTreeSet<String> = calls.map(|call| permission(&call.action)).collect();
    called.remove("sts:GetCallerIdentity");
    called
}

/// Adds the calls that are only made for option groups that are not default ones, for copies that are listed without tags, and for
/// databases without snapshots.
fn with_rare(mut called: BTreeSet<String>) -> BTreeSet<String> {
    let rare = [
        "rds:DescribeDBInstances",
        "rds:DescribeOptionGroups",
        "rds:ListTagsForResource",
    ];
    called.extend(rare.map(str::to_owned));
    called
}

fn of_policy(site: &Site, stage: PolicyStage) -> BTreeSet<String> {
    let config = ConfigFile::open(site.folder.path("xrs.yaml")).expect("the config");
    allowed(&ops::policy(&config, stage, &[]).expect("a policy").policy)
}

#[test]
fn a_policy_allows_the_calls_that_its_stage_makes_and_no_others() {
    let site = Site::new(0);
    site.automated(&on_day(12));
    site.plan();
    assert_eq!(
        with_rare(called(&site)),
        of_policy(&site, PolicyStage::Plan)
    );
    // When the third copy is made, there is one to delete.
    for day in 13..16 {
        site.automated(&on_day(day));
        site.plan_and_apply();
    }
    assert_eq!(
        with_rare(called(&site)),
        of_policy(&site, PolicyStage::Apply)
    );
}

/// Adds the calls that EC2 makes on behalf of the caller, to find what uses images.
fn with_calls_of_ec2(mut called: BTreeSet<String>) -> BTreeSet<String> {
    let calls = [
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "imagebuilder:GetContainerRecipe",
        "imagebuilder:ListContainerRecipes",
        "imagebuilder:ListImageRecipes",
        "ssm:DescribeParameters",
        "ssm:GetParameters",
    ];
    called.extend(calls.map(str::to_owned));
    called
}

#[test]
fn a_policy_for_jobs_that_delete_images_allows_just_their_calls() {
    let site = Site::new(0);
    site.configure(&format!(
        "sync_app: {{sync_type: ec2_ami, {}, sync_identifier: app, most_recent: true, max_images_to_retain: 0}}\n",
        regions()
    ));
    site.plan_and_apply();
    let tags = json!({"Sync-Identifier": "app"});
    let newer = json!({"name": "app-2", "created": "2026-01-15T22:00:00Z", "tags": tags});
    site.world.image(EAST, newer);
    site.plan_and_apply();
    site.world.reset();

    // There is one to delete.
    site.plan();
    let planning = with_calls_of_ec2(called(&site));
    assert_eq!(planning, of_policy(&site, PolicyStage::Plan));
    let newest = json!({"name": "app-3", "created": "2026-01-16T22:00:00Z", "tags": tags});
    site.world.image(EAST, newest);
    site.plan_and_apply();
    let mut applying = with_calls_of_ec2(called(&site));
    // EC2 deletes the snapshots when the image is deregistered.
    applying.insert("ec2:DeleteSnapshot".to_owned());
    assert_eq!(applying, of_policy(&site, PolicyStage::Apply));
}
