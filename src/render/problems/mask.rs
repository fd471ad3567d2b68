//! Hides secrets in the text of a config, so that its lines can be shown.
//!
//! The text may be broken YAML, so it is not parsed. When in doubt, more is hidden: after the name of a secret, the rest of
//! its line and the lines that belong to it; everywhere, what has the form of a credential.

use crate::model::client_config::{is_credential, is_credential_char};

/// What the name of a secret contains, in lower case and without underscores and the like: `aws_secret_access_key`,
/// `SecretAccessKey`, `:session_token`, also misspelt.
const SECRET: [&str; 5] = ["key", "secret", "token", "passw", "credential"];
/// What names contain that are not those of secrets: of KMS keys, and of jobs, which have many lines.
const NOT_SECRET: [&str; 2] = ["kms", "sync"];

/// Returns the text with secrets hidden; lines and columns stay as they are.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::new();
    let mut secret: Option<Secret> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let hidden_from = match &mut secret {
            Some(secret) if secret.has(line) => {
                secret.may_begin &= line.trim().is_empty();
                Some(0)
            }
            _ => {
                let value = secret_value(line);
                secret = value.map(|value| Secret::new(line, value));
                value
            }
        };
        let (before, value) = line.split_at(hidden_from.unwrap_or(line.len()));
        shown.push_str(&without_credentials(before));
        shown.extend(value.chars().map(hidden));
    }
    shown
}

/// A secret whose value may go on over lines.
struct Secret {
    /// How far its name is indented.
    indent: usize,
    /// Whether its value may begin on the next line, since there was nothing of it yet.
    may_begin: bool,
}

impl Secret {
    fn new(line: &str, value: usize) -> Self {
        Self {
            indent: indent(line),
            may_begin: line
                .get(value..)
                .is_none_or(|value| value.trim().is_empty()),
        }
    }

    /// Returns true if a line after the name belongs to the value.
    fn has(&self, line: &str) -> bool {
        line.trim().is_empty() || self.may_begin || indent(line) > self.indent
    }
}

/// Returns how far a line is indented; the dash of a list item counts as a part of the indent.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}

/// Returns where in a line the value of a secret begins, if its name is there.
fn secret_value(line: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut end = 0;
    for word in line.split_inclusive(|c| !is_word(c)) {
        end += word.len();
        let name: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        let name = name.to_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        if has(&SECRET) && !has(&NOT_SECRET) {
            let rest = line.get(end..).unwrap_or_default();
            let value = rest.trim_start_matches([' ', '\t', ':', '=', '"', '\'']);
            return Some(line.len() - value.len());
        }
    }
    None
}

/// Returns a text with everything hidden that has the form of a credential, or is the user and password of a URL.
fn without_credentials(text: &str) -> String {
    if let Some((before, url)) = text.split_once("://")
        && let Some((user, after)) = url.rsplit_once('@')
    {
        let user: String = user.chars().map(hidden).collect();
        return format!(
            "{}://{user}@{}",
            without_credentials(before),
            without_credentials(after)
        );
    }
    let mut shown = String::new();
    for part in text.split_inclusive(|c| !is_credential_char(c)) {
        let run = part.trim_end_matches(|c| !is_credential_char(c));
        if is_credential(run) {
            shown.extend(run.chars().map(hidden));
        } else {
            shown.push_str(run);
        }
        shown.push_str(part.get(run.len()..).unwrap_or_default());
    }
    shown
}

fn hidden(c: char) -> char {
    if matches!(c, '\n' | '\r') { c } else { '*' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_value_of_a_secret_is_hidden() {
        for (text, shown) in [
            (
                "aws_secret_key: abc # abc\nregion: x",
                "aws_secret_key: *********\nregion: x",
            ),
            (
                "  - :secret_key: 'a\n     b'\n    c: d",
                "  - :secret_key: '*\n*******\n    c: d",
            ),
            ("sessionToken:\n\nabc\nx: 1", "sessionToken:\n\n***\nx: 1"),
            (
                "{\"SecretAccessKey\":\"abc\"}",
                "{\"SecretAccessKey\":\"*****",
            ),
            (
                "sync_token_db: {kms_key_id: k}",
                "sync_token_db: {kms_key_id: k}",
            ),
            ("url: http://me:abc@host/x", "url: http://******@host/x"),
            (
                "profile: AKIAIOSFODNN7EXAMPLE, x",
                "profile: ********************, x",
            ),
        ] {
            assert_eq!(masked(text), shown);
        }
    }
}
