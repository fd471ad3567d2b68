//! The parts of an IAM policy: the permissions that jobs need.
//!
//! If AWS's documentation does not say which resources a call is checked against, all of them are allowed. Facts are from the
//! [Service Authorization Reference](https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::client_config::ClientConfig;
use crate::model::ids::{AccountId, Region};
use crate::model::sync_tag::{SYNC_KEEP, key_on_copy};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum PolicyStage {
    /// Only reading; `status` needs the same policy.
    Plan,
    /// Reading, copying, tagging and deleting; `run` needs the same policy.
    Apply,
}

/// What is allowed for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    /// The purpose. Statements of several jobs with the same purpose are merged.
    pub sid: String,
    /// `Allow`.
    pub effect: &'static str,
    /// As `service:Action`.
    pub action: Vec<&'static str>,
    /// ARNs, with `*` and `?` as wildcards.
    pub resource: BTreeSet<String>,
    /// By operator, then by condition key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub condition: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>,
}

impl Statement {
    /// Returns a statement without conditions.
    pub fn new(
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

    /// Returns a statement that allows a read in some regions. List calls can't be limited to resources, only to regions.
    pub fn read<'a>(
        sid: impl Into<String>,
        action: &'static str,
        regions: impl IntoIterator<Item = &'a Region>,
    ) -> Self {
        let regions = regions.into_iter().map(Region::to_string);
        Self::new(sid, &[action], ["*".to_owned()]).when(
            "StringEquals",
            "aws:RequestedRegion",
            regions,
        )
    }

    /// Returns the same statement with a condition.
    #[must_use]
    pub fn when(
        mut self,
        operator: &'static str,
        key: impl Into<String>,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        let keys = self.condition.entry(operator).or_default();
        keys.entry(key.into()).or_default().extend(values);
        self
    }

    /// Limits the statement to copies from a region: those with its sync tag and without `Sync-Keep`.
    #[must_use]
    pub fn only_copies_from(self, source: &Region) -> Self {
        let sync_tag = format!("aws:ResourceTag/{}", key_on_copy(source));
        let to_keep = format!("aws:ResourceTag/{SYNC_KEEP}");
        self.when("Null", sync_tag, ["false".to_owned()])
            .when("Null", to_keep, ["true".to_owned()])
    }

    /// Adds what another statement for the same purpose allows: its resources, and the values of its conditions.
    pub fn merge(&mut self, other: Self) {
        self.resource.extend(other.resource);
        for (operator, keys) in other.condition {
            for (key, values) in keys {
                let known = self.condition.entry(operator).or_default();
                known.entry(key).or_default().extend(values);
            }
        }
    }
}

/// Returns the account that a config states, or else that of its role, or else `*`.
pub fn stated_account(config: &ClientConfig) -> &str {
    let stated = config.account_id.as_ref().map(AccountId::as_str);
    let of_role = || config.role_arn.as_deref()?.split(':').nth(4);
    stated.or_else(of_role).unwrap_or("*")
}

/// Returns an ARN. The resource may contain wildcards.
pub fn arn(service: &str, region: &Region, account: &str, resource: &str) -> String {
    let partition = region.partition();
    format!("arn:{partition}:{service}:{region}:{account}:{resource}")
}

/// Returns the region in a form that a Sid may contain: letters and digits only, such as `UsEast1`.
pub(super) fn in_sid(region: &Region) -> String {
    let mut words = String::new();
    for part in region.as_str().split('-') {
        let mut letters = part.chars();
        words.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        words.push_str(letters.as_str());
    }
    words
}
