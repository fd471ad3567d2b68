//! The options that are the same for every sync type, as serde reads them and schemars describes them.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::forms;
use crate::model::client_config::{ClientConfig, Secret};
use crate::model::ids::{AccountId, Region};
use crate::model::kind::SyncTypeName;
use crate::sync_types::{from_text, refused, whole_number};

/// The key of client settings, of a job or of all jobs.
pub(super) const CLIENT_CONFIG: &str = "aws_client_config";

/// The name of the option that lists several destinations.
pub(super) const DESTINATIONS: &str = "destinations";
/// The name of the option that gives one destination.
pub(super) const DESTINATION_REGION: &str = "destination_region";

/// The maximum number of destinations of a job. AWS has some forty regions.
pub(super) const MAX_DESTINATIONS: usize = 100;

/// The code of a region. New regions come every year, so there is no list of them.
const REGION: &str = "^[a-z]{2,}(-[a-z]{2,})+-[0-9]{1,2}$";

/// The options that jobs of every type have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommonOptions {
    /// The type of the job: what is synced.
    #[serde(rename = "sync_type")]
    #[schemars(with = "String", extend("enum" = SyncTypeName::ALL))]
    _sync_type: SyncTypeName,
    /// The region that the image or database is in, such as us-east-1.
    #[serde(deserialize_with = "region")]
    #[schemars(with = "String", regex(pattern = REGION), length(max = 32))]
    pub(super) source_region: Region,
    /// The region that copies go to, such as us-west-1: another region of the same partition.
    #[serde(default, deserialize_with = "region")]
    #[schemars(with = "String", regex(pattern = REGION), length(max = 32))]
    pub(super) destination_region: Option<Region>,
    /// Several regions that copies go to, in place of `destination_region`. Each item is a region, or a mapping with a `region` and
    /// the options that differ there, and becomes a separate job, such as sync_web@us-west-1.
    // Read separately, because each destination has its own problems.
    #[serde(rename = "destinations")]
    #[schemars(with = "Option<Vec<serde_json::Value>>", length(min = 1, max = MAX_DESTINATIONS))]
    _destinations: Option<IgnoredAny>,
    /// A KMS key of the destination region to encrypt copies with; needed if the source is an encrypted snapshot.
    #[serde(default, deserialize_with = "kms_key")]
    #[schemars(extend("x-per-destination" = true, "anyOf" = [
        {"pattern": "^(alias/[A-Za-z0-9/_-]+|(mrk-)?[0-9A-Fa-f-]+)$"},
        {"pattern": "^arn:aws[^:]*:kms:[^:]+:[0-9]{12}:(key|alias)/"},
    ]))]
    pub(super) kms_key_id: Option<String>,
    /// How AWS is reached and with which credentials, for this job; merged with the global settings, key by key.
    // Read separately, because apply needs it even for invalid jobs.
    #[serde(rename = "aws_client_config")]
    #[schemars(with = "Option<ClientOptions>")]
    _client_config: Option<IgnoredAny>,
}

/// A region that copies go to, with the options that differ there.
// The options that may differ are those of the other structs with the mark `x-per-destination`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationOptions {
    /// The region that these copies go to, such as us-west-1: another region of the same partition.
    #[serde(deserialize_with = "region")]
    #[schemars(with = "String", regex(pattern = REGION), length(max = 32))]
    pub(super) region: Region,
}

/// How AWS is reached and with which credentials. By default, the same as with the AWS CLI.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ClientConfig")]
pub(super) struct ClientOptions {
    /// Access key id. Prefer a profile, a role or the environment.
    #[schemars(extend("x-aliases" = ["access_key_id", "aws_access_key_id"], "x-secret" = true))]
    aws_access_key: Option<String>,
    /// Secret access key.
    #[schemars(extend("x-aliases" = ["secret_access_key", "aws_secret_access_key"], "x-secret" = true))]
    aws_secret_key: Option<String>,
    /// Session token of temporary keys.
    #[schemars(extend("x-aliases" = ["aws_session_token"], "x-secret" = true))]
    session_token: Option<String>,
    /// The account that these settings should belong to; checked against STS.
    #[serde(default, deserialize_with = "account_id")]
    #[schemars(with = "String", extend(
        "type" = ["string", "integer"],
        "pattern" = "^[^0-9]*([0-9][^0-9]*){12}$",
        "minimum" = 0,
        "maximum" = 999_999_999_999_u64,
    ))]
    aws_account_id: Option<AccountId>,
    /// A profile of the shared AWS config files.
    profile: Option<String>,
    /// A role to assume, with the credentials that are available.
    #[serde(default, deserialize_with = "role_arn")]
    #[schemars(regex(pattern = r"^arn:aws[^:]*:iam::[0-9]{12}:role/\S*[^/\s]$"))]
    role_arn: Option<String>,
    /// The external id that the role asks for.
    external_id: Option<String>,
    /// The session name to assume the role with.
    role_session_name: Option<String>,
    /// An endpoint to use instead of AWS's own, for every service.
    // An invalid URL may contain a password.
    #[serde(default, deserialize_with = "endpoint_url")]
    #[schemars(regex(pattern = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"), extend("x-secret" = true))]
    endpoint_url: Option<String>,
    /// An endpoint for EC2 only.
    #[serde(default, deserialize_with = "endpoint_url")]
    #[schemars(regex(pattern = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"), extend("x-secret" = true))]
    ec2_endpoint: Option<String>,
    /// An endpoint for RDS only.
    #[serde(default, deserialize_with = "endpoint_url")]
    #[schemars(regex(pattern = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"), extend("x-secret" = true))]
    rds_endpoint: Option<String>,
    /// An endpoint for STS only.
    #[serde(default, deserialize_with = "endpoint_url")]
    #[schemars(regex(pattern = r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"), extend("x-secret" = true))]
    sts_endpoint: Option<String>,
    /// Use FIPS endpoints.
    use_fips_endpoint: Option<bool>,
    /// Use dual-stack endpoints (IPv4 and IPv6).
    use_dualstack_endpoint: Option<bool>,
    /// The maximum number of attempts per call.
    #[serde(default, deserialize_with = "attempts")]
    #[schemars(range(min = 1, max = u32::MAX), extend("default" = 3))]
    max_attempts: Option<u32>,
    /// How long it may take to connect, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(with = "f64", range(min = 0.001, max = 86_400), extend("default" = 5))]
    connect_timeout: Option<Duration>,
    /// How long an answer may take, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(with = "f64", range(min = 0.001, max = 86_400), extend("default" = 30))]
    read_timeout: Option<Duration>,
    /// How long a whole read may take, with all its pages and attempts, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    #[schemars(with = "f64", range(min = 0.001, max = 86_400), extend("default" = 120))]
    read_deadline: Option<Duration>,
    /// The URL of a proxy for all calls, optionally with user and password. Default: HTTPS_PROXY and NO_PROXY.
    #[serde(default, deserialize_with = "proxy_url")]
    #[schemars(regex(pattern = r"^https?://([^/?#@\s]+@)?[^/?#@\s]+/?$"), extend("x-secret" = true))]
    http_proxy: Option<String>,
    /// A file of certificates in PEM format to trust instead of the system's.
    ssl_ca_bundle: Option<String>,
}

impl From<ClientOptions> for ClientConfig {
    fn from(options: ClientOptions) -> Self {
        Self {
            access_key: options.aws_access_key.map(|key| Secret::new(key.trim())),
            secret_key: options.aws_secret_key.map(|key| Secret::new(key.trim())),
            session_token: options.session_token.map(|token| Secret::new(token.trim())),
            account_id: options.aws_account_id,
            profile: options.profile,
            role_arn: options.role_arn,
            external_id: options.external_id,
            role_session_name: options.role_session_name,
            endpoint_url: options.endpoint_url,
            ec2_endpoint: options.ec2_endpoint,
            rds_endpoint: options.rds_endpoint,
            sts_endpoint: options.sts_endpoint,
            use_fips_endpoint: options.use_fips_endpoint,
            use_dualstack_endpoint: options.use_dualstack_endpoint,
            max_attempts: options.max_attempts,
            connect_timeout: options.connect_timeout,
            read_timeout: options.read_timeout,
            read_deadline: options.read_deadline,
            http_proxy: options.http_proxy.map(Secret::new),
            ssl_ca_bundle: options.ssl_ca_bundle,
        }
    }
}

fn region<'de, D: Deserializer<'de>, R: From<Region>>(deserializer: D) -> Result<R, D::Error> {
    let text = String::deserialize(deserializer)?;
    if Region::is_well_formed(&text) {
        return Ok(R::from(Region::from(text)));
    }
    let lower = text.trim().to_lowercase().replace(['_', ' '], "-");
    let without_zone = lower.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let help = if Region::is_well_formed(&lower) {
        format!("did you mean {lower}?")
    } else if Region::is_well_formed(without_zone) {
        format!("{lower} is an availability zone; its region is {without_zone}")
    } else {
        "write it as in us-east-1".to_owned()
    };
    Err(refused("the code of a region", &help))
}

fn kms_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let must_be = "the id, the alias or the ARN of a KMS key";
    let help = "an alias starts with alias/, as in alias/copies; remove the option if there is no key to name";
    from_text(deserializer, must_be, help, |text| {
        forms::is_kms_key(text).then(|| Some(text.to_owned()))
    })
}

/// Reads an account id, possibly with hyphens between its digits.
fn account_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AccountId>, D::Error> {
    let help = "hyphens between the digits are fine, as in 1234-5678-9012";
    from_text(deserializer, "an account id of 12 digits", help, |text| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        (digits.len() == 12).then(|| Some(AccountId::from(digits)))
    })
}

fn role_arn<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let help = "such as arn:aws:iam::123456789012:role/xrs";
    from_text(deserializer, "the ARN of an IAM role", help, |text| {
        forms::is_role_arn(text).then(|| Some(text.to_owned()))
    })
}

fn endpoint_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    match forms::endpoint_fault(&text) {
        Some(must_be) => Err(refused(must_be, "such as http://localhost:5000")),
        None => Ok(Some(text)),
    }
}

/// Reads the URL of a proxy: an endpoint that may have a user and a password before its host.
fn proxy_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let (scheme, rest) = text.split_once("://").unwrap_or(("", &text));
    let (user, host) = rest.rsplit_once('@').unwrap_or(("user", rest));
    let is_user = !user.is_empty() && !user.contains(['/', '?', '#', '@']);
    let is_host = !host.trim_end_matches('/').contains('/');
    let fault = forms::endpoint_fault(&format!("{scheme}://{host}"));
    if is_user && is_host && fault.is_none() && rest.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(Some(text));
    }
    let must_be = "the URL of a proxy, optionally with user and password";
    Err(refused(must_be, "such as http://proxy.example.com:3128"))
}

fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole_number::<1, D>(deserializer).map(Some)
}

/// Reads a number of seconds, possibly in quotes.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let seconds = match Value::deserialize(deserializer)? {
        Value::String(text) => text.trim().parse().unwrap_or_default(),
        number => number.as_f64().unwrap_or_default(),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if (0.001..=86_400.0).contains(&seconds) => Ok(Some(duration)),
        _ => Err(refused(
            "a number of seconds, above 0 and at most 86400",
            "",
        )),
    }
}
