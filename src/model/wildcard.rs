//! The wildcards of EC2's filters.

/// A part of a filter value.
enum Part {
    /// This character.
    Is(char),
    /// `?`: one character or none.
    AtMostOne,
    /// `*`: any characters or none.
    Any,
}

/// Splits a filter value into its parts. A backslash makes the character after it an ordinary one.
fn parts(pattern: &str) -> impl Iterator<Item = Part> {
    let mut rest = pattern.chars();
    std::iter::from_fn(move || {
        Some(match rest.next()? {
            '*' => Part::Any,
            '?' => Part::AtMostOne,
            '\\' => Part::Is(rest.next().unwrap_or('\\')),
            c => Part::Is(c),
        })
    })
}

/// Returns true if a filter value stands for this text: `*` for any characters, `?` for one or none.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let text: Vec<char> = text.chars().collect();
    // The parts so far can stand for the first n characters where `reached[n]` is true.
    let mut reached = vec![false; text.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in parts(pattern) {
        let before = std::iter::once(&false).chain(&reached);
        reached = match part {
            Part::Is(c) => {
                let is_c = std::iter::once(false).chain(text.iter().map(|other| *other == c));
                before
                    .zip(is_c)
                    .map(|(before, is_c)| *before && is_c)
                    .collect()
            }
            Part::AtMostOne => before
                .zip(&reached)
                .map(|(before, here)| *before || *here)
                .collect(),
            Part::Any => {
                let first = reached.iter().position(|here| *here);
                (0..reached.len())
                    .map(|n| first.is_some_and(|first| n >= first))
                    .collect()
            }
        };
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
