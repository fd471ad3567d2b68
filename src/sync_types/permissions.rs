//! Parts of an IAM policy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyStage {
    /// Reading only.
    Plan,
    /// Reading, copying, tagging and deleting.
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
}
