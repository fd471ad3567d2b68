//! How AWS is reached, and with which credentials: the `aws_client_config` of one job, global and own settings merged.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::ids::AccountId;

/// A secret part of credentials. Neither `Debug` nor `Serialize` shows it, and its memory is cleared when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Returns a text as a secret. The memory of the text itself is not cleared.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns the text, to be passed to AWS and to nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[secret]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

/// The settings of one job's AWS clients. The SDK's defaults apply to whatever is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct ClientConfig {
    /// The access key id, which is given together with `secret_key`.
    pub access_key: Option<Secret>,
    /// The secret access key.
    pub secret_key: Option<Secret>,
    /// The session token of temporary keys.
    pub session_token: Option<Secret>,
    /// The account that the config says the credentials belong to, which is compared with what STS answers.
    pub account_id: Option<AccountId>,
    /// A profile of the shared AWS config files.
    pub profile: Option<String>,
    /// The role to assume, with the credentials above or those of the default chain.
    pub role_arn: Option<String>,
    /// The external id that the role requires.
    pub external_id: Option<String>,
    /// The session name with which the role is assumed.
    pub role_session_name: Option<String>,
    /// The endpoint of every service, instead of AWS's own.
    pub endpoint_url: Option<String>,
    /// The endpoint of EC2, which takes precedence over that of every service.
    pub ec2_endpoint: Option<String>,
    /// The endpoint of RDS.
    pub rds_endpoint: Option<String>,
    /// The endpoint of STS.
    pub sts_endpoint: Option<String>,
    /// Whether FIPS endpoints are used.
    pub use_fips_endpoint: Option<bool>,
    /// Whether dual-stack (IPv4 and IPv6) endpoints are used.
    pub use_dualstack_endpoint: Option<bool>,
    /// How many times a call is tried, including the first time.
    pub max_attempts: Option<u32>,
    /// How long it may take to connect.
    pub connect_timeout: Option<Duration>,
    /// How long an answer may take.
    pub read_timeout: Option<Duration>,
    /// How long a whole read may take, with all its pages and attempts.
    pub read_deadline: Option<Duration>,
    /// The URL of a proxy, which may contain a password.
    pub http_proxy: Option<Secret>,
    /// The file with the certificates that are trusted, instead of the system's.
    pub ssl_ca_bundle: Option<String>,
}

impl ClientConfig {
    /// Returns true if nothing is set, so that the SDK's default chain decides everything.
    pub fn is_default_chain(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the SHA-256 of every setting that is not a secret, and of which secrets are set, but not of their values. It stays
    /// the same when keys are rotated, and changes with the role, profile, account or endpoint.
    pub fn fingerprint(&self) -> String {
        // Strings, numbers and durations always serialize to JSON.
        let mut settings = serde_json::to_value(self).unwrap_or_default();
        if let Some(settings) = settings.as_object_mut() {
            // A setting that a later version of xrs adds must not change the fingerprint of configs that don't set it.
            settings.retain(|_, value| !value.is_null());
        }
        sha256(settings.to_string().as_bytes())
    }
}

/// Returns true if a text has the form of an access key id, a secret key or a session token. Such a text is never shown, no matter
/// where it is found.
pub fn is_credential(run: &str) -> bool {
    /// Half of the 40 characters of a secret key, so that the halves of a key that is cut by a misplaced quote are recognised too.
    const LEAST: usize = 20;
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    let is_secret = run.len() >= LEAST
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit);
    is_key_id(run) || is_secret
}

/// Returns true if a text has the form of an access key id.
pub fn is_key_id(run: &str) -> bool {
    (run.starts_with("AKIA") || run.starts_with("ASIA"))
        && run.len() >= 16
        && !run.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// Returns true if credentials may contain this character.
pub fn is_credential_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=')
}

/// Returns the SHA-256 of some bytes in the form that plans use: `sha256:` and the hash in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_told_from_other_text() {
        for credential in [
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "FwoGZXIvYXdzEBYaDHhCi1x2y3",
        ] {
            assert!(is_credential(credential), "{credential}");
        }
        for other in [
            "",
            "AKIA",
            "mydatabase",
            "arn:aws:iam::012345678901:role/backup/xrs",
            "1234abcd",
            "ProductionDatabase",
        ] {
            assert!(!is_credential(other), "{other}");
        }
    }
}
