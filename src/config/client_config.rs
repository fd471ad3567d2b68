//! `aws_client_config`: what one level of it says, and what both levels come to for a job.

use std::time::Duration;

use super::options::{Given, Options, shown};
use super::yaml::{Data, Entry, Node};
use super::{arn, endpoint, ruby};
use crate::model::client_config::ClientConfig;
use crate::model::id::AccountId;
use crate::model::problem::{Problem, TextPlace};

pub(super) const ACCESS_KEY: &[&str] = &["aws_access_key", "access_key_id", "aws_access_key_id"];
pub(super) const SECRET_KEY: &[&str] = &[
    "aws_secret_key",
    "secret_access_key",
    "aws_secret_access_key",
];
pub(super) const SESSION_TOKEN: &[&str] = &["session_token", "aws_session_token"];
/// The settings that have one name only.
const OTHERS: &[&str] = &[
    "aws_account_id",
    "profile",
    "role_arn",
    "external_id",
    "role_session_name",
    "endpoint_url",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "max_attempts",
    "connect_timeout",
    "read_timeout",
];

/// Whether something is a name of a client setting.
pub(super) fn is_setting(name: &str) -> bool {
    [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, OTHERS]
        .iter()
        .any(|names| names.contains(&name))
}

/// Whether a secret key or a token is given somewhere in here.
pub(super) fn holds_keys(node: &Node) -> bool {
    let is_key = |Entry { key, value }: &Entry| {
        let secret = [SECRET_KEY, SESSION_TOKEN]
            .iter()
            .any(|names| names.contains(&key.text.as_str()));
        secret && !value.is_null()
    };
    match &node.data {
        Data::Scalar { .. } => false,
        Data::List(items) => items.iter().any(|item| holds_keys(item)),
        Data::Mapping(entries) => entries
            .iter()
            .any(|entry| is_key(entry) || holds_keys(&entry.value)),
    }
}

/// What is set at the top of the config, or inside one job.
#[derive(Default)]
pub(super) struct Level {
    /// How messages name it.
    whose: String,
    settings: ClientConfig,
    /// Where the first of keys and token is given.
    keys: Option<TextPlace>,
    /// Where the first of external id and session name is given, and which it is.
    role_words: Option<(&'static str, TextPlace)>,
    problems: Vec<Problem>,
    /// What is accepted and has no effect.
    pub(super) notes: Vec<Problem>,
}

impl Level {
    /// Reads a level; one that is not there, or holds nothing, sets nothing.
    pub(super) fn read(whose: &str, entry: Option<&Entry>) -> Self {
        let level = Self {
            whose: whose.to_owned(),
            ..Self::default()
        };
        match entry {
            Some(entry) => level.filled(entry),
            None => level,
        }
    }

    fn filled(mut self, entry: &Entry) -> Self {
        let place = entry.key.place;
        let entries = match &entry.value.data {
            Data::Mapping(entries) => entries,
            _ if entry.value.is_null() => return self,
            _ => {
                let message = format!(
                    "{} must be a mapping of settings, not {}",
                    self.whose,
                    entry.value.kind()
                );
                self.problems.push(Problem::new(message).at(place));
                return self;
            }
        };
        let mut options = Options::new(self.whose.as_str(), place, entries);
        self.identity(&mut options);
        self.transport(&mut options);
        self.notes = ruby::without_effect(&mut options);
        self.problems = options.finish(|_| None);
        self
    }

    /// As whom AWS is called.
    fn identity(&mut self, options: &mut Options<'_>) {
        let [access_key, secret_key, session_token] =
            [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN].map(|names| {
                let given = options.given(names);
                self.keys = self.keys.or(given.map(|given| given.key));
                given.and_then(|given| options.secret(given))
            });
        let profile = options.given(&["profile"]);
        if let (Some(_), Some(profile)) = (self.keys, profile) {
            let message = format!("{} has both keys and a `profile`", self.whose);
            let help = "give one of them: whose credentials are meant is for you to say";
            options.say(Problem::new(message).at(profile.key).help(help));
        }
        for name in ["external_id", "role_session_name"] {
            let place = options.given(&[name]).map(|given| (name, given.key));
            self.role_words = self.role_words.or(place);
        }
        let mut text = |name| {
            options
                .given(&[name])
                .and_then(|given| options.text(given))
                .map(str::to_owned)
        };
        let [profile, external_id, role_session_name] =
            ["profile", "external_id", "role_session_name"].map(&mut text);
        let account_id = options
            .given(&["aws_account_id"])
            .and_then(|given| account_id(options, given));
        let role_arn = options
            .given(&["role_arn"])
            .and_then(|given| role_arn(options, given));
        self.settings = ClientConfig {
            access_key,
            secret_key,
            session_token,
            account_id,
            profile,
            role_arn,
            external_id,
            role_session_name,
            ..ClientConfig::default()
        };
    }

    /// How AWS is reached.
    fn transport(&mut self, options: &mut Options<'_>) {
        let settings = &mut self.settings;
        settings.endpoint_url = options
            .given(&["endpoint_url"])
            .and_then(|given| endpoint_url(options, given));
        let mut flag = |name| options.given(&[name]).and_then(|given| options.flag(given));
        settings.use_fips_endpoint = flag("use_fips_endpoint");
        settings.use_dualstack_endpoint = flag("use_dualstack_endpoint");
        settings.max_attempts = options
            .given(&["max_attempts"])
            .and_then(|given| options.whole_number(given, 1));
        settings.connect_timeout = options
            .given(&["connect_timeout"])
            .and_then(|given| seconds(options, given));
        settings.read_timeout = options
            .given(&["read_timeout"])
            .and_then(|given| seconds(options, given));
    }
}

/// The settings of a job: the global ones and its own, key by key, its own winning.
pub(super) fn merged(global: &Level, own: &Level) -> Result<ClientConfig, Vec<Problem>> {
    let problems: Vec<Problem> = global
        .problems
        .iter()
        .chain(&own.problems)
        .cloned()
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let merged = overlaid(in_force(&global.settings, &own.settings), &own.settings);
    let whose = if own.keys.is_some() { own } else { global };
    match half(&merged) {
        Some((has, lacks)) => {
            let mut problem = Problem::new(format!("{} has {has} but no {lacks}", whose.whose));
            problem.at = whose.keys;
            Err(vec![problem.help("give both, or neither")])
        }
        None => Ok(merged),
    }
}

/// What only a role makes use of, where there is none.
pub(super) fn without_role(merged: &ClientConfig, global: &Level, own: &Level) -> Option<Problem> {
    if merged.role_arn.is_some() {
        return None;
    }
    let (level, (name, place)) = own
        .role_words
        .map(|words| (own, words))
        .or(global.role_words.map(|words| (global, words)))?;
    let message = format!(
        "`{name}` of {} has no effect without a `role_arn`",
        level.whose
    );
    Some(
        Problem::new(message)
            .at(place)
            .help("give the `role_arn` to assume, or remove it"),
    )
}

/// The global settings without those that a job's own put out of force.
fn in_force(global: &ClientConfig, own: &ClientConfig) -> ClientConfig {
    let own_keys = own.access_key.is_some() || own.secret_key.is_some();
    let own_profile = own.profile.is_some();
    let own_role = own.role_arn.is_some();
    let mut rest = global.clone();
    if own_profile {
        rest.access_key = None;
        rest.secret_key = None;
        rest.session_token = None;
    }
    if own_keys {
        rest.profile = None;
        rest.session_token = None;
    }
    if own_role {
        rest.external_id = None;
        rest.role_session_name = None;
    }
    // As somebody else the job may be in another account.
    if own_keys || own_profile || own_role {
        rest.account_id = None;
    }
    rest
}

/// `own` over `rest`, setting by setting; destructured, so that a new setting is not forgotten.
fn overlaid(rest: ClientConfig, own: &ClientConfig) -> ClientConfig {
    let ClientConfig {
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
    } = own.clone();
    ClientConfig {
        access_key: access_key.or(rest.access_key),
        secret_key: secret_key.or(rest.secret_key),
        session_token: session_token.or(rest.session_token),
        account_id: account_id.or(rest.account_id),
        profile: profile.or(rest.profile),
        role_arn: role_arn.or(rest.role_arn),
        external_id: external_id.or(rest.external_id),
        role_session_name: role_session_name.or(rest.role_session_name),
        endpoint_url: endpoint_url.or(rest.endpoint_url),
        use_fips_endpoint: use_fips_endpoint.or(rest.use_fips_endpoint),
        use_dualstack_endpoint: use_dualstack_endpoint.or(rest.use_dualstack_endpoint),
        max_attempts: max_attempts.or(rest.max_attempts),
        connect_timeout: connect_timeout.or(rest.connect_timeout),
        read_timeout: read_timeout.or(rest.read_timeout),
    }
}

/// What there is of credentials, and what is lacking.
fn half(settings: &ClientConfig) -> Option<(&'static str, &'static str)> {
    let ClientConfig {
        access_key,
        secret_key,
        session_token,
        ..
    } = settings;
    match (access_key, secret_key, session_token) {
        (Some(_), None, _) => Some(("an access key", "secret key")),
        (None, Some(_), _) => Some(("a secret key", "access key")),
        (None, None, Some(_)) => Some(("a session token", "keys")),
        _ => None,
    }
}

/// Twelve digits, however they are grouped.
fn account_id(options: &mut Options<'_>, given: Given<'_>) -> Option<AccountId> {
    let digits: String = options
        .text(given)?
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    if digits.len() != 12 {
        let must = format!("an account id of 12 digits, and has {}", digits.len());
        options.must(
            given,
            &must,
            None,
            Some("hyphens between the digits are fine, as in 1234-5678-9012"),
        );
        return None;
    }
    Some(AccountId::from(digits))
}

fn role_arn(options: &mut Options<'_>, given: Given<'_>) -> Option<String> {
    let text = options.text(given)?;
    if !arn::is_role(text) {
        let help = "such as arn:aws:iam::123456789012:role/xrs";
        options.must(
            given,
            "the ARN of an IAM role",
            Some(shown(given.value)),
            Some(help),
        );
        return None;
    }
    Some(text.to_owned())
}

fn endpoint_url(options: &mut Options<'_>, given: Given<'_>) -> Option<String> {
    let text = options.text(given)?;
    if let Some(must) = endpoint::fault(text) {
        // Not shown: what is wrong with it may be the password in it.
        options.must(given, must, None, Some("such as http://localhost:5000"));
        return None;
    }
    Some(text.to_owned())
}

/// Seconds, fractions allowed.
fn seconds(options: &mut Options<'_>, given: Given<'_>) -> Option<Duration> {
    /// A day: longer is no timeout any more.
    const LONGEST: f64 = 86_400.0;
    let text = match &given.value.data {
        Data::Scalar { text, .. } => text.trim(),
        _ => "",
    };
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| is_number && (0.001..=LONGEST).contains(seconds));
    if seconds.is_none() {
        let must = "a number of seconds, above 0 and at most 86400";
        options.must(given, must, Some(shown(given.value)), None);
    }
    Duration::try_from_secs_f64(seconds?).ok()
}
