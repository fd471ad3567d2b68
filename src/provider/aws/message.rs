//! AWS's messages without secrets, and without what differs from one answer to the next.

use crate::model::client_config::{ClientConfig, Secret};

use super::clients::without_user;

/// The longest message that is kept, in characters.
const LONGEST: usize = 600;

/// A message is cut where one of these starts. What follows is of no use to people or must not be repeated: the canonical string of
/// a refused signature contains the session token, and a credential process may write anything to its standard error.
const ENDS: [&str; 5] = [
    "encoded authorization failure message",
    "the canonical string",
    "the string-to-sign",
    "stderr:",
    "http request:",
];

/// Words before an id that differs in every answer. One that ends like another comes first.
const IDS: [&str; 6] = [
    "extended request id:",
    "request id:",
    "requestid:",
    "request-id:",
    "host id:",
    "correlation id:",
];

/// The starts of messages that contain the current time.
const TIMED: [&str; 3] = [
    "signature expired",
    "signature not yet current",
    "request has expired",
];

/// Returns the message in one line, without any of these secrets and without what would differ the next time.
pub(super) fn cleaned(message: &str, credentials: &ClientConfig) -> String {
    let mut text = message.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets(credentials) {
        text = text.replace(secret, "[secret]");
    }
    if let Some(url) = &credentials.endpoint_url {
        text = text.replace(url.as_str(), &without_user(url));
    }
    for end in ENDS {
        if let Some((before, _)) = split_at(&text, end) {
            text = before.to_owned();
        }
    }
    for start in TIMED {
        if let Some(("", _)) = split_at(&text, start) {
            text.truncate(start.len());
        }
    }
    for word in IDS {
        while let Some((before, after)) = split_at(&text, word) {
            text = without_id(before, after);
        }
    }
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST).chain(['…']).collect();
    }
    text.trim_matches([' ', '.', ',', ';', ':', '(']).to_owned()
}

/// Returns the secrets of credentials, the longest first, because one may be part of another.
fn secrets(credentials: &ClientConfig) -> Vec<&str> {
    let secrets = [
        &credentials.session_token,
        &credentials.http_proxy,
        &credentials.secret_key,
        &credentials.access_key,
    ];
    let mut secrets: Vec<&str> = secrets.into_iter().flatten().map(Secret::expose).collect();
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

/// Returns what is before and after a word, which is in lower case and may be in any case in the text.
fn split_at<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    // ASCII letters only, so that positions are the same in both texts.
    let start = text.to_ascii_lowercase().find(word)?;
    Some((text.get(..start)?, text.get(start + word.len()..)?))
}

/// Returns a text without the id at the start of its second part, and without the brackets around it.
fn without_id(before: &str, after: &str) -> String {
    let after = after.trim_start();
    let end = after.find([' ', ',', ';', ')']);
    let (_, rest) = after.split_at(end.unwrap_or(after.len()));
    let before = before.trim_end_matches([' ', ',', ';']);
    match (before.strip_suffix('('), rest.strip_prefix(')')) {
        (Some(before), Some(rest)) => format!("{}{rest}", before.trim_end()),
        _ => format!("{before}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages, and what is kept of them.
    const CASES: &str = "\
You are not authorized. Encoded authorization failure message: a0BCd-e_f => You are not authorized
An internal error has occurred (Request ID: 0b1c2d3e-1) => An internal error has occurred
Slow down (Status: 503; Extended Request ID: abc; Host ID: xyz=) => Slow down (Status: 503)
Signature expired: 20260114T051033Z is now earlier than 20260114T051533Z => Signature expired
Rate exceeded => Rate exceeded
two  spaces => two spaces
The key arn:aws:kms:us-west-1:123456789012:key/0b1c2d3e is off => The key arn:aws:kms:us-west-1:123456789012:key/0b1c2d3e is off";

    #[test]
    fn what_differs_every_time_is_removed() {
        for case in CASES.lines() {
            let (message, kept) = case.split_once(" => ").expect("two texts");
            assert_eq!(cleaned(message, &ClientConfig::default()), kept);
        }
    }

    #[test]
    fn law_8_a_refused_signature_does_not_reveal_the_token() {
        let message = "The signature does not match. Check your AWS Secret Access Key.\n\nThe Canonical String for this \
                       request should have been\n'POST\n/\n\nx-amz-security-token:FwoGZXIvYXdzE'";
        assert_eq!(
            cleaned(message, &ClientConfig::default()),
            "The signature does not match. Check your AWS Secret Access Key"
        );
    }

    #[test]
    fn law_8_secrets_of_the_config_are_never_repeated() {
        let config = ClientConfig {
            access_key: Some(Secret::new("AKIAEXAMPLE")),
            secret_key: Some(Secret::new("wJalrXUtnFEMI")),
            session_token: Some(Secret::new("FwoGZXIvYXdzE")),
            endpoint_url: Some("http://me:pa55@a b/".to_owned()),
            ..ClientConfig::default()
        };
        let message = "AKIAEXAMPLE, wJalrXUtnFEMI or FwoGZXIvYXdzE at http://me:pa55@a b/";
        assert_eq!(
            cleaned(message, &config),
            "[secret], [secret] or [secret] at http://a b/"
        );
    }
}
