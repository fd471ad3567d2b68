//! The IAM policies against the calls that the SDK makes.

use std::collections::BTreeSet;

use aws_xregion_sync::ConfigFile;
use aws_xregion_sync::model::provider_error::permission;
use aws_xregion_sync::ops::{self, Stage};

use super::program::Site;
use crate::policy::allowed;

/// The IAM actions of the calls so far; to ask who one is needs none.
fn called(site: &Site) -> BTreeSet<String> {
    let calls = site
        .world
        .calls()
        .into_iter()
        .map(|call| permission(&call.action));
    calls
        .filter(|action| action != "sts:GetCallerIdentity")
        .collect()
}

fn of_policy(site: &Site, stage: Stage) -> BTreeSet<String> {
    let config = ConfigFile::open(site.folder.path("xrs.yaml")).expect("the config");
    allowed(&ops::policy(&config, stage, &[]).expect("a policy").policy)
}

#[test]
fn a_policy_allows_the_calls_that_its_stage_makes_and_no_others() {
    let site = Site::new(0);
    site.automated("2026-01-12T05:10:33Z");
    site.plan();
    assert_eq!(called(&site), of_policy(&site, Stage::Plan));
    // With the third copy there is one to delete.
    for taken in [
        "2026-01-13T05:10:33Z",
        "2026-01-14T05:10:33Z",
        "2026-01-15T05:10:33Z",
    ] {
        site.automated(taken);
        site.plan();
        let applied = site.xrs(&["apply", "plan.json"]);
        assert_eq!(applied.code, Some(0), "{applied:?}");
    }
    assert_eq!(called(&site), of_policy(&site, Stage::Apply));
}
