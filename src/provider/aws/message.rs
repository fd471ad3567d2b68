//! AWS's messages without what differs from one answer to the next, and without secrets.

use crate::model::client_config::{ClientConfig, Secret};

use super::clients::without_user;

/// The longest message that is kept, in characters.
const LONGEST: usize = 600;

/// From here on a message says nothing that people can read, or what must not be repeated: the canonical string of a
/// refused signature holds the session token, a credential process may write anything to its standard error.
const ENDS: [&str; 5] = [
    "encoded authorization failure message",
    "the canonical string",
    "the string-to-sign",
    "stderr:",
    "http request:",
];

/// Words before an id that belongs to one answer alone.
const IDS: [&str; 6] = [
    "request id:",
    "requestid:",
    "request-id:",
    "extended request id:",
    "host id:",
    "correlation id:",
];

/// Messages that hold the time of day, by their beginnings.
const TIMED: [&str; 3] = [
    "signature expired",
    "signature not yet current",
    "request has expired",
];

/// The message in one line, as it would be the next time, and without any of these secrets.
pub(super) fn cleaned(message: &str, credentials: &ClientConfig) -> String {
    let mut text = message.split_whitespace().collect::<Vec<_>>().join(" ");
    // The longest first, should one be part of another.
    let mut secrets: Vec<&str> = [
        &credentials.session_token,
        &credentials.secret_key,
        &credentials.access_key,
    ]
    .into_iter()
    .filter_map(|secret| secret.as_ref().map(Secret::expose))
    .filter(|secret| !secret.is_empty())
    .collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in secrets {
        text = text.replace(secret, "[secret]");
    }
    if let Some(url) = &credentials.endpoint_url {
        text = text.replace(url.as_str(), &without_user(url));
    }
    // Lower case by ASCII alone, so that places in it are places in the text.
    let end = ENDS
        .iter()
        .filter_map(|end| text.to_ascii_lowercase().find(end))
        .min();
    if let Some(before) = end.and_then(|end| text.get(..end)) {
        text = before.to_owned();
    }
    if let Some(begin) = TIMED
        .iter()
        .find(|begin| text.to_ascii_lowercase().starts_with(**begin))
    {
        text.truncate(begin.len());
    }
    text = without_ids(&text);
    if text.chars().count() > LONGEST {
        text = text.chars().take(LONGEST).chain(['…']).collect();
    }
    text.trim_matches([' ', '.', ',', ';', ':', '(']).to_owned()
}

/// The message without the ids that follow their words, and without the brackets around them.
fn without_ids(text: &str) -> String {
    let mut text = text.to_owned();
    // Each turn takes one away, so there are no more turns than words.
    for _ in 0..text.len() {
        let lower = text.to_ascii_lowercase();
        let Some((start, word)) = IDS
            .iter()
            .filter_map(|word| lower.find(word).map(|at| (at, word)))
            .min()
        else {
            break;
        };
        let (Some(before), Some(after)) = (text.get(..start), text.get(start + word.len()..))
        else {
            break;
        };
        let after = after.trim_start();
        let rest = after
            .get(after.find([' ', ',', ';', ')']).unwrap_or(after.len())..)
            .unwrap_or_default();
        let before = before.trim_end_matches([' ', ',', ';']);
        let (before, rest) = match (before.strip_suffix('('), rest.strip_prefix(')')) {
            (Some(before), Some(rest)) => (before.trim_end(), rest),
            _ => (before, rest),
        };
        text = format!("{before}{rest}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(message: &str) -> String {
        cleaned(message, &ClientConfig::default())
    }

    #[test]
    fn what_differs_every_time_is_left_out() {
        let cases = [
            (
                "You are not authorized to perform this operation. Encoded authorization failure message: a0BCd-e_f",
                "You are not authorized to perform this operation",
            ),
            (
                "An internal error has occurred (Request ID: 0b1c2d3e-1)",
                "An internal error has occurred",
            ),
            (
                "Slow down (Status: 503; Request ID: abc; Host ID: xyz=)",
                "Slow down (Status: 503)",
            ),
            (
                "Signature expired: 20260114T051033Z is now earlier than 20260114T051533Z",
                "Signature expired",
            ),
            ("Rate exceeded", "Rate exceeded"),
            ("two\n  lines", "two lines"),
        ];
        for (message, expected) in cases {
            assert_eq!(plain(message), expected);
        }
    }

    #[test]
    fn law_8_a_refused_signature_does_not_give_the_token_away() {
        let message = "The request signature we calculated does not match the signature you provided. \
            Check your AWS Secret Access Key.\n\nThe Canonical String for this request should have been\n\
            'POST\n/\n\nx-amz-security-token:FwoGZXIvYXdzE'";
        let shown = plain(message);
        assert!(
            shown.ends_with("Check your AWS Secret Access Key"),
            "{shown}"
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
        let shown = cleaned(
            "no AKIAEXAMPLE, wJalrXUtnFEMI or FwoGZXIvYXdzE at http://me:pa55@a b/",
            &config,
        );
        assert_eq!(shown, "no [secret], [secret] or [secret] at http://a b/");
    }

    #[test]
    fn keys_that_are_no_ids_of_an_answer_stay() {
        let message = "The key arn:aws:kms:us-west-1:123456789012:key/0b1c2d3e-0000-1111-2222-333344445555 is disabled";
        assert_eq!(plain(message), message);
    }
}
