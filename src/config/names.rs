//! Formats names and values of a config for messages.

use similar::get_close_matches;

use crate::model::client_config::{is_credential, is_credential_char};

/// Returns a text of the config for a message, escaped and shortened. A text that may contain a secret, because a comma or an
/// indentation is missing, is not shown.
pub(super) fn named(text: &str) -> String {
    const SHOWN: usize = 60;
    if may_contain_secret(text) {
        return "…".to_owned();
    }
    let more = if text.chars().nth(SHOWN).is_some() {
        "…"
    } else {
        ""
    };
    let shown: String = text.chars().take(SHOWN).collect();
    // Debug escapes it, and puts it in quotes.
    let escaped = format!("{shown:?}");
    let escaped = escaped
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    format!("{}{more}", escaped.unwrap_or_default())
}

/// Returns true if a text that should not be a secret may contain a secret.
fn may_contain_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = ["secret", "token", "passw", "credential", "access_key"];
    words.iter().any(|word| lower.contains(word))
        || text.split(|c| !is_credential_char(c)).any(is_credential)
}

/// Returns a key of the config for a message, escaped and cut where a name ends. What follows may be its value, not properly
/// separated from it, and that value may be a secret.
pub(super) fn key(text: &str) -> String {
    const SHOWN: usize = 60;
    let is_name = |c: &char| !c.is_whitespace() && !matches!(c, ':' | '=' | ',');
    let name: String = text.chars().take_while(is_name).take(SHOWN).collect();
    if name.split(|c| !is_credential_char(c)).any(is_credential) {
        return "…".to_owned();
    }
    let more = if name.len() < text.len() { "…" } else { "" };
    format!("{}{more}", name.escape_debug())
}

/// Returns what follows the word `sync` at the start of a key, if the key starts with it, ignoring case.
pub(super) fn after_sync(key: &str) -> Option<&str> {
    let key = key.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_sync = key.get(..4)?.eq_ignore_ascii_case("sync");
    key.get(4..).filter(|_| is_sync)
}

/// Returns the job name that a key is probably meant to be, such as `sync_web` for `sync-web` and `snyc_web`.
pub(super) fn job_name(key: &str) -> String {
    let is_separator = |c: char| !c.is_alphanumeric();
    let misspelt = || {
        let (word, rest) = key.split_once(is_separator)?;
        close_match(word, &["sync"]).map(|_| rest)
    };
    let rest = after_sync(key).or_else(misspelt).unwrap_or(key);
    format!("sync_{}", rest.trim_matches(is_separator).replace('@', "_"))
}

/// Returns the name that is most similar to a misspelt one.
pub(crate) fn close_match<'n>(name: &str, names: &'n [impl AsRef<str>]) -> Option<&'n str> {
    /// The share of letters that two names must have in common.
    const ALIKE: f32 = 0.6;
    /// A longer text is not a misspelt name.
    const LONGEST: usize = 64;
    let name = name.to_lowercase().replace(['-', ' '], "_");
    if name.len() > LONGEST {
        return None;
    }
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    get_close_matches(name.as_str(), &names, 1, ALIKE).pop()
}

/// Returns names for a message: `a`, `b` and `c`.
pub(super) fn list(names: &[impl AsRef<str>]) -> String {
    let quoted = names.iter().map(|name| format!("`{}`", name.as_ref()));
    let joined = quoted.collect::<Vec<_>>().join(", ");
    match joined.rsplit_once(", ") {
        Some((others, last)) => format!("{others} and {last}"),
        None => joined,
    }
}
