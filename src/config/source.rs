//! Turns the bytes of a config file into text.

use crate::model::problem::{Problem, TextPlace};

/// A larger config is refused. A job takes about 300 bytes, so this is enough for tens of thousands of jobs. A file that is passed
/// by mistake, such as a log or a dump, is refused before it is read into memory.
pub const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Returns the bytes as text, without a byte order mark. Fails if they are not text that YAML allows.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("the config is larger than {MAX_BYTES} bytes");
        return Err(Problem::new(message).help("check that this file is the config"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // YAML allows these only as escapes. A NUL could even end the text for a parser and hide the rest.
    let is_forbidden = |c: char| is_control(c) && !matches!(c, '\t' | '\n' | '\r');
    match text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        Some((at, c)) => Err(control_character(text, at, c)),
        None => Ok(text),
    }
}

/// Returns true for a control character or a line break. Parsers disagree on whether the last two end a line.
pub(super) fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Returns true if a text contains a placeholder that another program should have filled in.
pub(super) fn is_template(text: &str) -> bool {
    ["<%", "{{", "${"].iter().any(|mark| text.contains(mark))
}

fn not_utf8(bytes: &[u8], at: usize) -> Problem {
    let (valid, rest) = bytes.split_at_checked(at).unwrap_or((bytes, &[]));
    let place = place_after(&String::from_utf8_lossy(valid));
    let (line, byte) = (place.line, rest.first().copied().unwrap_or_default());
    let message = format!(
        "the config is not UTF-8: byte {at} (0x{byte:02x}), on line {line}, is not part of a character"
    );
    let is_utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    let help = match is_utf16 {
        true => "this is UTF-16; save the file as UTF-8",
        false => "save the file as UTF-8",
    };
    Problem::new(message).at(place).help(help)
}

fn control_character(text: &str, at: usize, c: char) -> Problem {
    let what = match c {
        '\0' => "a NUL byte".to_owned(),
        c => format!("the control character U+{:04X}", c as u32),
    };
    let message = format!("the config contains {what}, which YAML does not allow");
    let place = place_after(text.get(..at).unwrap_or(text));
    let help = "remove it; inside double quotes, write an escape such as \\t";
    Problem::new(message).at(place).help(help)
}

/// Returns the place of the character that follows `before`.
fn place_after(before: &str) -> TextPlace {
    let lines = before.replace("\r\n", "\n").replace('\r', "\n");
    let last = lines.rsplit('\n').next().unwrap_or_default();
    TextPlace {
        line: 1 + lines.matches('\n').count(),
        column: 1 + last.chars().count(),
        length: 1,
    }
}
