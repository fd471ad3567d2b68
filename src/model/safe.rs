//! Text that others wrote, made fit to be looked at: on a terminal, in a log, in a file.

use std::borrow::Cow;

/// A text from AWS or from a file, with everything escaped that could end the line, move the cursor, hide
/// itself, or turn the order of the letters round.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !tricky(text).any(|(_, tricky)| tricky) {
        return Cow::Borrowed(text);
    }
    let escape = |(c, tricky): (char, bool)| {
        if tricky {
            c.escape_default().collect()
        } else {
            String::from(c)
        }
    };
    Cow::Owned(tricky(text).map(escape).collect())
}

/// The characters of a text, each with whether it does something else than stand there and be seen.
pub fn tricky(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut after_letter = false;
    text.chars().map(move |c| {
        let tricky = if c.is_ascii() {
            c.is_ascii_control()
        } else {
            is_blank(c) || !shows(c, after_letter)
        };
        after_letter = !tricky && (c.is_alphanumeric() || is_mark(c));
        (c, tricky)
    })
}

/// Whether a character is shown on a letter before it only, if at all.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii() && !shows(c, false)
}

/// Whether a character can be seen, by the tables that Rust's Debug goes by: controls, direction marks, foreign
/// spaces and what Unicode leaves open cannot, a combining mark only on the letter that it belongs to.
fn shows(c: char, after_letter: bool) -> bool {
    if after_letter {
        let text = String::from_iter(['a', c]);
        text.escape_debug().eq(text.chars())
    } else {
        c.escape_debug().eq([c])
    }
}

/// What those tables count as letters, marks and symbols, and nobody can see.
fn is_blank(c: char) -> bool {
    matches!(c,
        // Combining grapheme joiner; fillers of Hangul; inherent vowels of Khmer.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
        // Variation selectors, of Mongolian, of all, and their supplement.
        | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        // Blank braille; null note head.
        | '\u{2800}' | '\u{1d159}')
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
    fn no_name_looks_like_another_by_what_cannot_be_seen() {
        for hidden in [
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{180f}',
            '\u{2003}',
            '\u{200c}',
            '\u{200d}',
            '\u{2028}',
            '\u{2029}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d159}',
            '\u{e0001}',
            '\u{e007f}',
            '\u{e0100}',
            '\u{e01ef}',
            '\u{10ffff}',
        ] {
            let escaped = format!("we{}b", hidden.escape_default());
            assert_eq!(safe(&format!("we{hidden}b")), escaped);
        }
    }

    #[test]
    fn a_mark_is_shown_on_its_letter_alone() {
        assert_eq!(safe("e\u{301}\u{323}"), "e\u{301}\u{323}");
        for (marked, shown) in [
            ("\u{301}a", r"\u{301}a"),
            (" \u{301}", r" \u{301}"),
            ("\"\u{301}", r#""\u{301}"#),
            ("-\u{301}\u{301}", r"-\u{301}\u{301}"),
            ("a\u{200b}\u{301}", r"a\u{200b}\u{301}"),
        ] {
            assert_eq!(safe(marked), shown);
        }
    }

    #[test]
    fn words_of_every_language_stay_as_they_are() {
        for text in [
            "Web Application",
            "naïve 日本語 🙂",
            "हिन्दी ภาษาไทย العَرَبِيَّة",
            "\"quoted\" and 'quoted'",
            r"C:\temp",
            "",
        ] {
            assert!(
                matches!(safe(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }
}
