//! The DB instances and clusters of a sandbox.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::model::ids::{AccountId, ParentId};

/// A DB instance or cluster. xrs reads only its snapshots, and the cluster of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct WorldDatabase {
    /// Its identifier, in lower case.
    pub id: ParentId,
    /// The account that owns it.
    pub account: AccountId,
    /// When it was created (UTC).
    pub created: Timestamp,
    /// The size of its storage.
    pub size_gib: u32,
    /// The key that it is encrypted with, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Its engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<SmolStr>,
    /// Its option group.
    pub option_group_name: SmolStr,
    /// The cluster that a DB instance is a member of. A member has no snapshots of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ParentId>,
}

impl WorldDatabase {
    /// Returns an unencrypted database of 20 GiB with the default option group.
    pub fn new(id: &str, account: &AccountId, created: Timestamp) -> Self {
        Self {
            id: ParentId::from(id),
            account: account.clone(),
            created,
            size_gib: 20,
            kms_key_id: None,
            engine: None,
            option_group_name: SmolStr::new_static("default:postgres-16"),
            cluster: None,
        }
    }
}
