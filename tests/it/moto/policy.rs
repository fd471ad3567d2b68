//! The IAM policies compared with the calls that the SDK makes.

use std::collections::BTreeSet;

use aws_xregion_sync::ConfigFile;
use aws_xregion_sync::model::provider_error_help::permission;
use aws_xregion_sync::ops::{self, PolicyStage};

use super::site::{Site, on_day};
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
