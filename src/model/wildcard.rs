//! The wildcards of EC2's filters.

/// A piece of a filter value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This character.
    Is(char),
    /// `?`: one character or none.
    AtMostOne,
    /// `*`: any characters or none.
    Any,
}

/// Cuts a filter value into pieces; a backslash takes the meaning from the character after it.
pub fn pieces(pattern: &str) -> impl Iterator<Item = Piece> {
    let mut rest = pattern.chars();
    std::iter::from_fn(move || {
        Some(match rest.next()? {
            '*' => Piece::Any,
            '?' => Piece::AtMostOne,
            '\\' => Piece::Is(rest.next().unwrap_or('\\')),
            c => Piece::Is(c),
        })
    })
}

/// Whether a text is one that a filter value means: `*` for any characters, `?` for one or none.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let text: Vec<char> = text.chars().collect();
    // reached[n]: the pieces so far can stand for the first n characters.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for piece in pieces(pattern) {
        let mut next = vec![false; reached.len()];
        // Whether any shorter beginning was reached: `*` goes on from it.
        let mut before = false;
        // What stands one character earlier: was it reached, and which character leads here?
        let mut previous: Option<(bool, char)> = None;
        for (n, (slot, here)) in next.iter_mut().zip(&reached).enumerate() {
            let step = previous.is_some_and(|(reached, _)| reached);
            *slot = match piece {
                Piece::Is(wanted) => previous.is_some_and(|(reached, c)| reached && c == wanted),
                Piece::AtMostOne => *here || step,
                Piece::Any => *here || before,
            };
            before |= *here;
            previous = text.get(n).map(|c| (*here, *c));
        }
        reached = next;
    }
    reached.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_mean_what_ec2_says_they_mean() {
        for (pattern, text) in [
            ("web", "web"),
            ("*", ""),
            ("*", "anything at all"),
            ("web-*", "web-2026"),
            ("*-web-*", "my-web-app"),
            ("database?", "database"),
            ("database?", "databases"),
            ("a*b*c", "a-b-b-c"),
            ("\\*amazon\\?\\\\", "*amazon?\\"),
            ("Käse?", "Käse1"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("web", "Web"),
            ("web-*", "web"),
            ("database?", "databasexy"),
            ("a*b", "a-c"),
            ("\\*", "x"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_with_its_special_characters_escaped_matches_itself_alone(
            text in "[ab*?\\\\]{0,8}", other in "[ab*?\\\\]{0,8}",
        ) {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(&escaped, &text));
            prop_assert_eq!(matches(&escaped, &other), text == other);
        }
    }
}
