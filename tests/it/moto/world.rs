//! An account of one's own at the moto server: what is in it, what is to go wrong, what was called.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_xregion_sync::model::client_config::{ClientConfig, Place, Secret};
use aws_xregion_sync::model::id::{AccountId, ImageId, Region, SnapshotArn, SnapshotId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::server;

pub(crate) const EAST: &str = "us-east-1";
pub(crate) const WEST: &str = "us-west-1";

/// Never sent, so that it must not turn up anywhere.
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";

static ACCOUNTS: AtomicU64 = AtomicU64::new(100_000_000_000);

/// An account that nobody else uses.
pub(crate) struct World {
    pub(crate) account: AccountId,
}

/// A call as the server saw it.
#[derive(Debug, Deserialize)]
pub(crate) struct Call {
    pub(crate) region: String,
    pub(crate) action: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) agent: String,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            account: AccountId::from(ACCOUNTS.fetch_add(1, Ordering::Relaxed).to_string()),
        }
    }

    /// The access key that belongs to the account.
    pub(crate) fn access_key(&self) -> String {
        format!("AKIAXRS0{}", self.account)
    }

    pub(crate) fn client_config(&self) -> ClientConfig {
        ClientConfig {
            access_key: Some(Secret::new(self.access_key())),
            secret_key: Some(Secret::new(SECRET_KEY)),
            endpoint_url: Some(server::endpoint()),
            ..ClientConfig::default()
        }
    }

    pub(crate) fn at(&self, region: &str) -> Place {
        place(self.client_config(), region)
    }

    /// Has the server do something for this account: see `tests/moto/server.py`.
    pub(crate) fn control(&self, what: &str, mut request: Value) -> Value {
        request["account"] = json!(self.account);
        server::control(what, &request)
    }

    /// Makes an image: `{"name": …}`, and `description`, `tags`, `created`, `size`, `encrypted`, `state`, `owner` if
    /// they matter.
    pub(crate) fn image(&self, region: &str, mut image: Value) -> ImageId {
        image["region"] = json!(region);
        ImageId::from(text(&self.control("image", image), "id"))
    }

    /// Makes a database without snapshots, encrypted if there is a key.
    pub(crate) fn database(&self, region: &str, id: &str, kms_key_id: Option<&str>) {
        self.control(
            "database",
            json!({"region": region, "id": id, "kms_key_id": kms_key_id}),
        );
    }

    /// Makes a snapshot, automated unless `more` says `{"type": "manual"}`, as of a time.
    pub(crate) fn snapshot(
        &self,
        region: &str,
        db: &str,
        created: &str,
        more: Value,
    ) -> (SnapshotId, SnapshotArn) {
        let mut snapshot = json!({"region": region, "db_instance": db, "created": created});
        for (key, value) in more.as_object().expect("an object") {
            snapshot[key] = value.clone();
        }
        let made = self.control("snapshot", snapshot);
        (
            SnapshotId::from(text(&made, "id")),
            SnapshotArn::from(text(&made, "arn")),
        )
    }

    /// Makes a KMS key and gives its ARN.
    pub(crate) fn key(&self, region: &str) -> String {
        text(&self.control("key", json!({"region": region})), "arn").to_owned()
    }

    /// Puts an image or a snapshot into a state.
    pub(crate) fn set_state(&self, region: &str, id: &str, state: &str) {
        self.control("state", json!({"region": region, "id": id, "state": state}));
    }

    /// An image or snapshot as the server keeps it.
    pub(crate) fn look(&self, region: &str, id: &str) -> Value {
        self.control("look", json!({"region": region, "id": id}))
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        serde_json::from_value(self.control("log", json!({}))).expect("a log")
    }

    /// The calls of one action so far.
    pub(crate) fn calls_of(&self, action: &str) -> Vec<Call> {
        self.calls()
            .into_iter()
            .filter(|call| call.action == action)
            .collect()
    }
}

/// As whom, and where.
pub(crate) fn place(config: ClientConfig, region: &str) -> Place {
    Place {
        credentials: Arc::new(config),
        region: Region::from(region),
    }
}

/// How many of these calls were made one after the other at most, each begun when the one before had ended.
pub(crate) fn longest_chain(calls: &[Call]) -> usize {
    let mut calls: Vec<&Call> = calls.iter().collect();
    calls.sort_by(|a, b| a.end.total_cmp(&b.end));
    let mut lengths: Vec<usize> = Vec::with_capacity(calls.len());
    for call in &calls {
        let before = calls
            .iter()
            .zip(&lengths)
            .filter(|(earlier, _)| earlier.end <= call.start);
        lengths.push(1 + before.map(|(_, length)| *length).max().unwrap_or(0));
    }
    lengths.into_iter().max().unwrap_or(0)
}

fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {answer}"))
}
