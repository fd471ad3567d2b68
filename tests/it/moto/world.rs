//! An account at the moto server: what it contains, which of its calls fail, and which were made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_xregion_sync::model::artifact::ArtifactRef;
use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::ids::{AccountId, Arn, ArtifactId, ParentId, Region};
use aws_xregion_sync::model::location::Location;
use serde::Deserialize;
use serde_json::{Value, json};

use super::server;

pub(crate) const EAST: &str = "us-east-1";
pub(crate) const WEST: &str = "us-west-1";

/// When a snapshot was created, where the time does not matter.
pub(crate) const TIME: &str = "2026-01-14T05:10:33Z";

/// It must not appear anywhere, in requests neither.
pub(crate) const SECRET_KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00";

static ACCOUNTS: AtomicU64 = AtomicU64::new(100_000_000_000);

/// An account that no other test uses.
pub(crate) struct World {
    pub(crate) account: AccountId,
}

/// A call as the server received it.
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

    /// The access key by which the server knows the account.
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

    pub(crate) fn at(&self, region: &str) -> Location {
        location(self.client_config(), region)
    }

    /// Uses a control of the server for this account: see `tests/moto/server.py`.
    pub(crate) fn control(&self, what: &str, mut request: Value) -> Value {
        request["account"] = json!(self.account);
        server::control(what, &request)
    }

    /// Changes settings of the server: see `DEFAULTS` in `tests/moto/patches.py`.
    pub(crate) fn settings(&self, settings: Value) {
        self.control("settings", settings);
    }

    /// Makes calls fail.
    pub(crate) fn fail(&self, error: Value) {
        self.control("errors", error);
    }

    /// Drops the log of the calls, the errors and the settings.
    pub(crate) fn reset(&self) {
        self.control("reset", json!({}));
    }

    /// Creates an image: `{"name": …}`, with `description`, `tags`, `created`, `size`, `encrypted`, `state`, `owner` if they
    /// matter.
    pub(crate) fn image(&self, region: &str, mut image: Value) -> ArtifactRef {
        image["region"] = json!(region);
        let created = self.control("image", image);
        let (region, id) = (Region::from(region), ArtifactId::from(text(&created, "id")));
        ArtifactRef {
            arn: Arn::of_image(&region, &id),
            region,
            id,
            parent: None,
        }
    }

    /// Creates a database without snapshots, encrypted if there is a key.
    pub(crate) fn database(&self, region: &str, id: &str, kms_key_id: Option<&str>) {
        let database = json!({"region": region, "id": id, "kms_key_id": kms_key_id});
        self.control("database", database);
    }

    /// Creates a snapshot, automated unless `more` says `{"type": "manual"}`.
    pub(crate) fn snapshot(
        &self,
        region: &str,
        db: &str,
        created: &str,
        more: Value,
    ) -> ArtifactRef {
        let mut snapshot = json!({"region": region, "db_instance": db, "created": created});
        for (key, value) in more.as_object().expect("an object") {
            snapshot[key] = value.clone();
        }
        let created = self.control("snapshot", snapshot);
        ArtifactRef {
            region: Region::from(region),
            id: ArtifactId::from(text(&created, "id")),
            arn: Arn::from(text(&created, "arn")),
            parent: Some(ParentId::from(db)),
        }
    }

    /// Creates a manual snapshot.
    pub(crate) fn manual(&self, region: &str, db: &str, id: &str) {
        self.snapshot(region, db, TIME, json!({"type": "manual", "id": id}));
    }

    /// Creates a KMS key and returns its ARN.
    pub(crate) fn key(&self, region: &str) -> String {
        text(&self.control("key", json!({"region": region})), "arn").to_owned()
    }

    /// Sets the state of an image or snapshot.
    pub(crate) fn set_state(&self, region: &str, id: &str, state: &str) {
        self.control("state", json!({"region": region, "id": id, "state": state}));
    }

    /// An image or snapshot as the server stores it.
    pub(crate) fn stored(&self, region: &str, id: &str) -> Value {
        self.control("stored", json!({"region": region, "id": id}))
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        serde_json::from_value(self.control("log", json!({}))).expect("a log")
    }

    /// The calls of one action so far.
    pub(crate) fn calls_of(&self, action: &str) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(|call| call.action == action);
        calls
    }
}

/// A region, reached with this configuration.
pub(crate) fn location(config: ClientConfig, region: &str) -> Location {
    Location {
        credentials: Arc::new(config),
        region: Region::from(region),
    }
}

/// The most calls that were made one after the other, each started when the one before had ended.
pub(crate) fn longest_chain(calls: &[Call]) -> usize {
    let mut calls: Vec<&Call> = calls.iter().collect();
    calls.sort_by(|a, b| a.end.total_cmp(&b.end));
    let mut lengths: Vec<usize> = Vec::with_capacity(calls.len());
    for call in &calls {
        let before = calls.iter().zip(&lengths);
        let before = before.filter(|(earlier, _)| earlier.end <= call.start);
        lengths.push(1 + before.map(|(_, length)| *length).max().unwrap_or(0));
    }
    lengths.into_iter().max().unwrap_or(0)
}

fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    let text = answer[key].as_str();
    text.unwrap_or_else(|| panic!("{key} in {answer}"))
}
