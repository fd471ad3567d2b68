//! Formats times, numbers and lists the same way in every message.

use jiff::Timestamp;

/// Returns a time in UTC, to the minute: `2026-01-14 05:10 UTC`.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Returns a duration in a suitable unit: `45 s`, `12 min`, `24 h`, `3 days`.
pub fn span(seconds: i64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds.unsigned_abs() {
        s if s < 2 * MINUTE => format!("{s} s"),
        s if s < 2 * HOUR => format!("{} min", s / MINUTE),
        s if s < 3 * DAY => format!("{} h", s / HOUR),
        s => format!("{} days", s / DAY),
    }
}

/// Returns a number and its noun: `1 copy`, `3 copies`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Returns a list for a sentence, shortened if it is too long to read: `a, b, c and 12 more`.
pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 20;
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.get(..SHOWN) {
        Some(shown) if items.len() > SHOWN => {
            format!("{} and {} more", shown.join(", "), items.len() - SHOWN)
        }
        _ => items.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_that_fits() {
        let spans = [0, 119, 120, 7199, 7200, 86_400, 259_199, 259_200, -86_400].map(span);
        let expected = "0 s, 119 s, 2 min, 119 min, 2 h, 24 h, 71 h, 3 days, 24 h";
        assert_eq!(list(spans), expected);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list([1, 2, 3]), "1, 2, 3");
        assert!(list(0..25).ends_with("18, 19 and 5 more"));
        assert_eq!(list(Vec::<String>::new()), "");
    }
}
