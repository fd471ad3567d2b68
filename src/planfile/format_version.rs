//! The format version of plans and results.

use serde_json::Value;

/// The format that this version writes: `major.minor`. Within a major version keys are only added.
pub const FORMAT_VERSION: &str = "2.0";

const MAJOR: u32 = 2;
const MINOR: u32 = 0;

/// What the format version of a document means to this version of xrs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Every key is known.
    Known,
    /// It may have keys that are not known.
    NewerMinor(String),
    /// Made by an older version of xrs.
    Older,
    /// Made by a newer version of xrs, or by something else.
    Foreign(String),
    /// It states none.
    Missing,
}

impl Format {
    /// Returns the format of a document.
    pub(super) fn of(document: &Value) -> Self {
        let Some(found) = document.get("format_version") else {
            return Self::Missing;
        };
        let found = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        let numbers = found.split_once('.').and_then(|(major, minor)| {
            Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        });
        match numbers {
            Some((MAJOR, MINOR)) => Self::Known,
            Some((MAJOR, _)) => Self::NewerMinor(found),
            Some((1, _)) => Self::Older,
            _ => Self::Foreign(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(version: Value) -> Format {
        Format::of(&serde_json::json!({ "format_version": version }))
    }

    #[test]
    fn versions_are_known_newer_older_or_foreign() {
        assert_eq!(FORMAT_VERSION, format!("{MAJOR}.{MINOR}"));
        assert_eq!(format(FORMAT_VERSION.into()), Format::Known);
        assert_eq!(format("2.7".into()), Format::NewerMinor("2.7".to_owned()));
        assert_eq!(format("1.0".into()), Format::Older);
        assert_eq!(Format::of(&Value::Null), Format::Missing);
        for foreign in ["3.0", "0.9", "two", "2", "2.-1"] {
            assert_eq!(format(foreign.into()), Format::Foreign(foreign.to_owned()));
        }
        assert_eq!(format(2.into()), Format::Foreign("2".to_owned()));
    }
}
