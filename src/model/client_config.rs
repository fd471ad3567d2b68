//! How to reach AWS and as whom: the `aws_client_config` of one job, global and own settings merged.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::ids::AccountId;

/// A part of somebody's credentials. Says nothing of itself, and its memory is cleared.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text in; the caller's copy is its own business.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself, for handing it to AWS and for nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
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

/// The settings of one job's AWS clients. Whatever is `None` is left to the SDK's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ClientConfig {
    /// Access key id; given together with `secret_key`.
    pub access_key: Option<Secret>,
    /// Secret access key.
    pub secret_key: Option<Secret>,
    /// Session token of temporary keys.
    pub session_token: Option<Secret>,
    /// The account these settings are said to belong to; checked against STS.
    pub account_id: Option<AccountId>,
    /// A profile of the shared AWS config files.
    pub profile: Option<String>,
    /// A role to assume, with the credentials above or those of the default chain.
    pub role_arn: Option<String>,
    /// The external id the role asks for.
    pub external_id: Option<String>,
    /// The session name to assume the role with.
    pub role_session_name: Option<String>,
    /// An endpoint in place of AWS's own, for every service.
    pub endpoint_url: Option<String>,
    /// FIPS endpoints.
    pub use_fips_endpoint: Option<bool>,
    /// Dual-stack (IPv4 and IPv6) endpoints.
    pub use_dualstack_endpoint: Option<bool>,
    /// How often a call is tried in all.
    pub max_attempts: Option<u32>,
    /// How long a connection may take to be made.
    pub connect_timeout: Option<Duration>,
    /// How long an answer may keep one waiting.
    pub read_timeout: Option<Duration>,
}

impl ClientConfig {
    /// Whether nothing is set, so that the SDK's default chain decides everything.
    pub fn is_default_chain(&self) -> bool {
        *self == Self::default()
    }

    /// Returns SHA-256 over every setting that is not a secret, and over which secrets are set (not their values): the same
    /// for rotated keys, a different value for another role, profile, account or endpoint.
    pub fn fingerprint(&self) -> String {
        // Destructured without `..`: a new setting does not compile until someone decides whether it is a secret.
        let Self {
            access_key,
            secret_key,
            session_token,
            account_id,
            profile,
            role_arn,
            external_id,
            role_session_name,
            endpoint_url,
            use_fips_endpoint,
            use_dualstack_endpoint,
            max_attempts,
            connect_timeout,
            read_timeout,
        } = self;
        let has_keys = access_key.is_some() || secret_key.is_some();
        let milliseconds = |time: &Option<Duration>| time.map(|time| time.as_millis().to_string());
        let covered = [
            ("keys", Some(has_keys.to_string())),
            ("session_token", Some(session_token.is_some().to_string())),
            ("account_id", account_id.as_ref().map(ToString::to_string)),
            ("profile", profile.clone()),
            ("role_arn", role_arn.clone()),
            ("external_id", external_id.clone()),
            ("role_session_name", role_session_name.clone()),
            ("endpoint_url", endpoint_url.clone()),
            (
                "use_fips_endpoint",
                use_fips_endpoint.map(|on| on.to_string()),
            ),
            (
                "use_dualstack_endpoint",
                use_dualstack_endpoint.map(|on| on.to_string()),
            ),
            (
                "max_attempts",
                max_attempts.map(|number| number.to_string()),
            ),
            ("connect_timeout_ms", milliseconds(connect_timeout)),
            ("read_timeout_ms", milliseconds(read_timeout)),
        ];
        // Each value is preceded by its length, so that no two different configs give the same text.
        let given = covered
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let text: String = given
            .map(|(name, value)| format!("{name}={}:{value}\n", value.len()))
            .collect();
        sha256(text.as_bytes())
    }
}

/// Whether a run of such characters has the form of a part of AWS credentials: of an access key id, or of a secret
/// key or session token. What has it is shown to nobody, wherever it stands.
pub fn is_credential(run: &str) -> bool {
    /// Half of the 40 characters of a secret key, so that one that is torn by a misplaced quote is known, too.
    const LEAST: usize = 20;
    let has = |is: fn(&u8) -> bool| run.as_bytes().iter().any(is);
    let is_key_id = (run.starts_with("AKIA") || run.starts_with("ASIA"))
        && run.len() >= 16
        && !has(u8::is_ascii_lowercase);
    let is_secret = run.len() >= LEAST
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit);
    is_key_id || is_secret
}

/// Whether credentials are made of such characters.
pub fn is_credential_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '=')
}

/// `sha256:` and the hash in hexadecimal, the form in which plans state hashes.
pub fn sha256(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_keys(access: &str) -> ClientConfig {
        ClientConfig {
            access_key: Some(Secret::new(access)),
            secret_key: Some(Secret::new("wJalrXUtnFEMI")),
            ..ClientConfig::default()
        }
    }

    #[test]
    fn law_8_debug_output_holds_no_secret() {
        let config = ClientConfig {
            session_token: Some(Secret::new("FwoGZXIvYXdzE")),
            ..with_keys("AKIAEXAMPLE")
        };
        let shown = format!("{config:?}");
        for secret in ["AKIAEXAMPLE", "wJalrXUtnFEMI", "FwoGZXIvYXdzE"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }

    #[test]
    fn credentials_have_a_form_that_other_words_have_not() {
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

    #[test]
    fn the_fingerprint_outlives_rotated_keys_but_not_another_role() {
        assert_eq!(
            with_keys("AKIAOLD").fingerprint(),
            with_keys("AKIANEW").fingerprint()
        );
        let role = Some("arn:aws:iam::123456789012:role/xrs".to_owned());
        let other = ClientConfig {
            role_arn: role,
            ..with_keys("AKIAOLD")
        };
        assert_ne!(with_keys("AKIAOLD").fingerprint(), other.fingerprint());
        assert_ne!(
            with_keys("AKIAOLD").fingerprint(),
            ClientConfig::default().fingerprint()
        );
    }
}
