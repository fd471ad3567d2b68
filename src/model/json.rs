//! Documents as JSON, printed and saved.

use serde::Serialize;

use super::safe::tricky;

/// A document as indented JSON with a line end. What could trick whoever looks at it is written as an escape, which
/// reads back as the same text.
pub fn document<T: Serialize>(document: &T) -> serde_json::Result<String> {
    let json = serde_json::to_string_pretty(document)?;
    let mut text = String::with_capacity(json.len() + 1);
    for (c, tricky) in tricky(&json) {
        // Outside of strings there is nothing tricky but line ends, and in them there are none.
        if tricky && c != '\n' {
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
    fn what_is_tricky_is_written_as_an_escape_and_read_back() {
        let tricky = "a\u{1b}[31m\u{9b}\u{7f}\u{202e}\nb\u{e0001}\u{301} naïve 日本語 🙂";
        let text = document(&[tricky]).expect("JSON");
        assert_eq!(
            text,
            "[\n  \"a\\u001b[31m\\u009b\\u007f\\u202e\\nb\\udb40\\udc01\\u0301 naïve 日本語 🙂\"\n]\n"
        );
        let read: [String; 1] = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, [tricky]);
    }
}
