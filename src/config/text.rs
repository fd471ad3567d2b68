//! The bytes of a config file as text, and places in it.

use super::yaml::Step;
use crate::model::client_config::{is_credential, is_credential_char};
use crate::model::problem::{Problem, TextPlace};

/// A config larger than this is refused. A job takes some three hundred bytes, so this is room for thousands,
/// while whatever else is passed by mistake (a log, a dump) is told apart before it is read into memory.
pub const MAX_BYTES: u64 = 1024 * 1024;

/// The bytes as text without a byte order mark, if it is text that YAML allows.
pub(super) fn text(bytes: &[u8]) -> Step<&str> {
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("the config is larger than {MAX_BYTES} bytes");
        let help = "see that this file is the config, and not something else";
        return Err(Problem::new(message).help(help));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        Some((at, c)) => Err(control_character(text, at, c)),
        None => Ok(text),
    }
}

/// What YAML allows nowhere outside an escape. A NUL would even end the text for a parser, and hide the rest.
/// The other line breaks of Unicode are refused with them: parsers do not agree whether they end a line.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a name or a value holds what would garble a screen or a log: a control character, a line break.
pub(super) fn holds_control(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

fn not_utf8(bytes: &[u8], offset: usize) -> Problem {
    let (valid, rest) = bytes.split_at_checked(offset).unwrap_or((bytes, &[]));
    let place = place_after(&String::from_utf8_lossy(valid));
    let byte = rest
        .first()
        .map_or_else(String::new, |byte| format!(" (0x{byte:02x})"));
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = if is_utf16 {
        "this is UTF-16; save the file as UTF-8"
    } else {
        "save the file as UTF-8"
    };
    let message = format!(
        "the config is not UTF-8: byte {offset}{byte}, on line {}, belongs to no character",
        place.line
    );
    Problem::new(message).at(place).help(help)
}

fn control_character(text: &str, at: usize, c: char) -> Problem {
    let what = match c {
        '\0' => "a NUL byte".to_owned(),
        c => format!("the control character U+{:04X}", c as u32),
    };
    let place = place_after(text.get(..at).unwrap_or(text));
    Problem::new(format!(
        "the config holds {what}, which YAML does not allow"
    ))
    .at(place)
    .help("remove it; inside double quotes, an escape such as \\t stands for one that is meant")
}

/// The place of the character that follows `before`.
pub(super) fn place_after(before: &str) -> TextPlace {
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let breaks = before.matches('\n').count() + before.replace("\r\n", "\n").matches('\r').count();
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    TextPlace {
        line: breaks + 1,
        column,
        length: 1,
    }
}

/// A text of the config for a message: quoted, escaped, and cut where nobody would read on. A value that took in
/// a secret, because a comma or an indentation is missing, is not shown.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    if may_hold_secret(text) {
        return "\"…\"".to_owned();
    }
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// Whether a text that is no secret by its place may hold one all the same.
fn may_hold_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    let names_one = ["secret", "token", "passw", "credential", "access_key"]
        .iter()
        .any(|word| lower.contains(word));
    names_one || text.split(|c| !is_credential_char(c)).any(is_credential)
}

/// The same without the quotes.
pub(super) fn named(text: &str) -> String {
    let quoted = quoted(text);
    quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(&quoted)
        .to_owned()
}

/// A key of the config for a message: escaped, and cut where no name goes on. What follows may be its value, not
/// parted from it as YAML wants it, and that value may be a secret.
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
