//! Times, spans and numbers as people read them; the same wherever they stand.

use jiff::Timestamp;

/// A time in UTC, to the minute: `2026-01-14 05:10 UTC`.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A length of time in its largest fitting unit: `45 s`, `12 min`, `24 h`, `3 days`.
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

/// A number and its noun: `1 copy`, `3 copies`.
pub fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A list for a sentence, cut after so many that nobody would read on: `a, b, c and 12 more`.
pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 20;
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let shown = items
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match items.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_largest_fitting_unit() {
        let told: Vec<String> = [0, 119, 120, 7199, 7200, 86_400, 259_199, 259_200]
            .map(span)
            .to_vec();
        assert_eq!(
            told,
            [
                "0 s", "119 s", "2 min", "119 min", "2 h", "24 h", "71 h", "3 days"
            ]
        );
        assert_eq!(span(-86_400), "24 h");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list([1, 2, 3]), "1, 2, 3");
        assert!(list(0..25).ends_with("18, 19 and 5 more"));
        assert_eq!(list(Vec::<String>::new()), "");
    }
}
