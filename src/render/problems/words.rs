//! Which words of a config stand for secrets, and which values are none.

use crate::model::id::Region;
use crate::model::job::SyncType;

/// Options whose values are no secrets.
const HARMLESS: &[&str] = &[
    "ami_owner",
    "aws_account_id",
    "aws_client_config",
    "connect_timeout",
    "db_instance",
    "destination_region",
    "filters",
    "kms_key_id",
    "max_attempts",
    "max_snapshots_to_retain",
    "most_recent",
    "name",
    "option_group_name",
    "owner_id",
    "profile",
    "read_timeout",
    "region",
    "role_arn",
    "role_session_name",
    "source_region",
    "sync_identifier",
    "sync_type",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
    "values",
];

/// What makes a word the name of a secret.
const SECRET: &[&str] = &[
    "secret",
    "token",
    "passw",
    "credential",
    "access_key",
    "accesskey",
    "access-key",
];

/// What a word says of the value after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// An option that is no secret.
    Harmless,
    /// The name of a secret, rightly spelt or not.
    Secret,
    /// Neither: perhaps the name of a secret, badly misspelt.
    Unknown,
}

impl Word {
    pub(super) fn of(word: &str) -> Self {
        let word = word.to_ascii_lowercase();
        if HARMLESS.contains(&word.as_str()) {
            Self::Harmless
        } else if !word.starts_with("sync_") && SECRET.iter().any(|part| word.contains(part)) {
            Self::Secret
        } else {
            Self::Unknown
        }
    }
}

/// Whether a value tells no secret, whatever it is the value of.
pub(super) fn looks_harmless(value: &str) -> bool {
    /// Longer numbers than account ids are not known here.
    const DIGITS: usize = 12;
    let value = value.trim();
    let is_number = value.len() <= DIGITS && value.bytes().all(|b| b.is_ascii_digit());
    let types = [SyncType::Ec2Ami, SyncType::RdsAutomatedSnapshot];
    let is_endpoint = value.starts_with("http") && !value.contains(['@', '?']);
    is_number
        || is_endpoint
        || matches!(value, "true" | "false" | "yes" | "no" | "~" | "null")
        || Region::is_well_formed(value)
        || types.iter().any(|word| word.as_str() == value)
}
