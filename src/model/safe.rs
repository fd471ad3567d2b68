//! Makes text from elsewhere safe to display: on a terminal, in a log, in a file.

use std::borrow::Cow;

/// Returns a text from AWS or from a file, in which every character is escaped that could end the line, move the cursor, be
/// invisible, or change the order of the letters.
pub fn safe(text: &str) -> Cow<'_, str> {
    if !unprintable(text).any(|(_, is_unprintable)| is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::new();
    for (c, is_unprintable) in unprintable(text) {
        if is_unprintable {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Returns the characters of a text, each with whether it must be escaped: it is invisible, or misplaced.
pub fn unprintable(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut is_after_letter = false;
    text.chars().map(move |c| {
        let is_unprintable = if c.is_ascii() {
            c.is_ascii_control()
        } else {
            is_blank(c) || !is_visible(c, is_after_letter)
        };
        is_after_letter = !is_unprintable && (c.is_alphanumeric() || is_mark(c));
        (c, is_unprintable)
    })
}

/// Returns true if a character is visible only on the letter before it, if at all.
pub fn is_mark(c: char) -> bool {
    !c.is_ascii() && !is_visible(c, false)
}

/// Returns true if a character is visible, by the tables that `Debug` uses. Controls, direction marks, spaces other than the
/// ordinary one and unassigned characters are not; a combining mark is, on the letter that it belongs to.
fn is_visible(c: char, is_after_letter: bool) -> bool {
    if is_after_letter {
        let text = String::from_iter(['a', c]);
        text.escape_debug().eq(text.chars())
    } else {
        c.escape_debug().eq([c])
    }
}

/// Returns true for invisible characters that those tables count as letters, marks or symbols.
fn is_blank(c: char) -> bool {
    matches!(c,
        // Combining grapheme joiner; fillers of Hangul; inherent vowels of Khmer.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}'
        // Variation selectors: of Mongolian, general, and their supplement.
        | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'
        // Blank braille; null note head.
        | '\u{2800}' | '\u{1d159}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_changes_the_order_is_escaped() {
        assert_eq!(safe("a\nb\r\t\u{1b}[31m"), r"a\nb\r\t\u{1b}[31m");
        assert_eq!(
            safe("\u{202e}gpj.exe\u{200b}\u{feff}\u{9b}"),
            r"\u{202e}gpj.exe\u{200b}\u{feff}\u{9b}"
        );
    }

    #[test]
    fn what_is_invisible_is_escaped() {
        let hidden = "\u{7f}\u{85}\u{a0}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\
                      \u{180f}\u{2003}\u{200c}\u{200d}\u{2028}\u{2029}\u{2060}\u{2066}\u{206f}\u{2800}\
                      \u{3000}\u{3164}\u{e000}\u{fe00}\u{fe0f}\u{ffa0}\u{fff9}\u{1d159}\u{e0001}\u{e007f}\
                      \u{e0100}\u{e01ef}\u{10ffff}";
        for hidden in hidden.chars() {
            let escaped = format!("we{}b", hidden.escape_default());
            assert_eq!(safe(&format!("we{hidden}b")), escaped);
        }
    }

    #[test]
    fn a_combining_mark_is_shown_only_on_a_letter() {
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
    fn text_in_any_language_stays_as_it_is() {
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
