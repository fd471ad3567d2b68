//! Documents as JSON text, to be printed or saved.

use serde::Serialize;

use super::safe::unprintable;

/// Returns a document as indented JSON that ends with a line break. Invisible characters are written as escapes, which read back as
/// the same text.
///
/// # Errors
///
/// If the document can't be serialised.
pub fn document<T: Serialize>(document: &T) -> serde_json::Result<String> {
    let json = serde_json::to_string_pretty(document)?;
    let mut text = String::with_capacity(json.len() + 1);
    for (c, is_unprintable) in unprintable(&json) {
        // Line breaks are between strings only: serde_json has escaped those in strings.
        if is_unprintable && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unprintable_is_written_as_an_escape_and_read_back() {
        let unprintable = "a\u{1b}[31m\u{9b}\u{7f}\u{202e}\nb\u{e0001}\u{301} naïve 日本語 🙂";
        let text = document(&[unprintable]).expect("JSON");
        assert_eq!(
            text,
            "[\n  \"a\\u001b[31m\\u009b\\u007f\\u202e\\nb\\udb40\\udc01\\u0301 naïve 日本語 🙂\"\n]\n"
        );
        let read: [String; 1] = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, [unprintable]);
    }
}
