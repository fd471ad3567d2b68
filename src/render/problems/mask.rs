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
    // The secret before the line: how far its name is indented, and whether there was nothing of its value yet.
    let mut secret: Option<(usize, bool)> = None;
    for line in text.split_inclusive(['\n', '\r']) {
        let is_blank = line.trim().is_empty();
        let hidden_from = match &mut secret {
            Some((name, may_begin)) if is_blank || *may_begin || indent(line) > *name => {
                *may_begin &= is_blank;
                0
            }
            _ => {
                let value = secret_value(line);
                let is_empty = |value| line.get(value..).is_none_or(|v| v.trim().is_empty());
                secret = value.map(|value| (indent(line), is_empty(value)));
                value.unwrap_or(line.len())
            }
        };
        let (before, value) = line.split_at(hidden_from);
        shown.push_str(&without_credentials(before));
        shown.extend(value.chars().map(hidden));
    }
    shown
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
