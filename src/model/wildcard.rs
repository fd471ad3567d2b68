//! The wildcards of EC2's filters.

use std::collections::BTreeSet;

/// A part of a filter value.
enum Part {
    /// Exactly this character.
    Is(char),
    /// `?`: zero or one character.
    AtMostOne,
    /// `*`: any number of characters.
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

/// Returns true if a filter value matches this text: `*` matches any number of characters, `?` zero or one.
pub fn matches(pattern: &str, text: &str) -> bool {
    if !pattern.contains(['*', '?', '\\']) {
        return pattern == text;
    }
    let text: Vec<char> = text.chars().collect();
    // The lengths of the prefixes of the text that the parts so far can match.
    let mut reached = BTreeSet::from([0]);
    for part in parts(pattern) {
        let before = reached.iter().copied();
        reached = match part {
            Part::Is(c) => before
                .filter(|n| text.get(*n) == Some(&c))
                .map(|n| n + 1)
                .collect(),
            Part::AtMostOne => before
                .flat_map(|n| [n, n + 1])
                .filter(|n| *n <= text.len())
                .collect(),
            Part::Any => before.min().map_or(0..0, |n| n..text.len() + 1).collect(),
        };
    }
    reached.contains(&text.len())
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
