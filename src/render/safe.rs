//! Text that others wrote, made fit for a terminal.

use std::borrow::Cow;

/// A text from AWS or from a file, with everything escaped that could end the line, move the cursor, hide
/// itself, or turn the order of the letters round.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_tricky) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| {
        if is_tricky(c) {
            c.escape_default().collect()
        } else {
            String::from(c)
        }
    };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Whether a character does something else than stand there.
fn is_tricky(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, Arabic letter mark, Hangul fillers, Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Zero-width and direction marks; line and paragraph separators; bidirectional embeddings.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Invisible operators and bidirectional isolates; byte order mark; interlinear annotations.
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tag characters.
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_hides_or_turns_is_escaped() {
        assert_eq!(safe("a\nb\r\t\u{1b}[31m"), r"a\nb\r\t\u{1b}[31m");
        assert_eq!(
            safe("\u{202e}gpj.exe\u{200b}\u{feff}\u{9b}"),
            r"\u{202e}gpj.exe\u{200b}\u{feff}\u{9b}"
        );
    }

    #[test]
    fn words_of_every_language_stay_as_they_are() {
        for text in ["Web Application", "naïve 日本語 🙂", r"C:\temp", ""] {
            assert!(
                matches!(safe(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
