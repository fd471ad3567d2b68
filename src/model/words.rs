//! Formats times, numbers and lists the same way in every message, and parses durations.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

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
        s if s < 2 * HOUR && s != HOUR => format!("{} min", s / MINUTE),
        s if s < 3 * DAY => format!("{} h", s / HOUR),
        s => format!("{} days", s / DAY),
    }
}

/// Parses a duration such as `24h`, `90m`, `2d` or `1d 12h`; a day is 24 hours.
pub fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text
        .parse()
        .map_err(|_| "use a duration such as 24h, 90m or 2d".to_owned())?;
    match span.to_duration(SpanRelativeTo::days_are_24_hours()) {
        Ok(duration) if duration.is_positive() => Ok(duration),
        Ok(_) => Err("it must be longer than 0".to_owned()),
        Err(_) => Err("use weeks, days, hours, minutes and seconds".to_owned()),
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

/// Returns the short name of a KMS key: its id or alias, which may be given as an ARN.
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>.
pub fn kms_key_name(key: &str) -> &str {
    let name = key.rsplit(':').next().unwrap_or(key);
    name.strip_prefix("key/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_unit_that_fits() {
        let spans = [
            0, 119, 120, 3600, 7199, 7200, 86_400, 259_199, 259_200, -86_400,
        ]
        .map(span);
        let expected = "0 s, 119 s, 2 min, 1 h, 119 min, 2 h, 24 h, 71 h, 3 days, 24 h";
        assert_eq!(list(spans), expected);
    }

    #[test]
    fn durations_are_parsed() {
        let hours = |text| duration(text).map(|length| length.as_hours());
        assert_eq!(
            ["24h", "1d 12h", "1w"].map(hours),
            [Ok(24), Ok(36), Ok(168)]
        );
        assert_eq!(duration("90m"), Ok(SignedDuration::from_mins(90)));
        let huge = "99999999999999999999h";
        for bad in ["", "24", "h", "0h", "-3h", "3 months", "tomorrow", huge] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_have_short_names() {
        let keys = [
            "arn:aws:kms:us-west-1:123456789012:key/1234abcd",
            "arn:aws:kms:us-west-1:123456789012:alias/team/copies",
            "1234abcd",
            "alias/copies",
            "",
        ];
        let names = keys.map(kms_key_name);
        let expected = [
            "1234abcd",
            "alias/team/copies",
            "1234abcd",
            "alias/copies",
            "",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(list([1, 2, 3]), "1, 2, 3");
        assert!(list(0..25).ends_with("18, 19 and 5 more"));
        assert_eq!(list(Vec::<String>::new()), "");
    }
}
