//! `results.json`

use serde::Deserialize;

use super::format_version::Format;
use super::plan_file_error::PlanFileError;
use super::strict_json;
use crate::model::result::SavedResults;

/// Reads results to be shown: keys that a newer minor version added are skipped. Nothing if the document is not a results file
/// at all.
///
/// # Errors
///
/// If it is a results file that can't be read.
pub fn open_results(bytes: &[u8]) -> Result<Option<SavedResults>, PlanFileError> {
    let Ok(value) = strict_json::read(bytes) else {
        return Ok(None);
    };
    if value.get("plan_digest").is_none() {
        return Ok(None);
    }
    match Format::of(&value) {
        Format::Known | Format::NewerMinor(_) => {}
        Format::Older => return Err(PlanFileError::OlderResults),
        Format::Foreign(found) => return Err(PlanFileError::Version { found }),
        Format::Missing => {
            let why = "it has no format_version".to_owned();
            return Err(PlanFileError::NotResults(why));
        }
    }
    SavedResults::deserialize(value)
        .map(Some)
        .map_err(|error| PlanFileError::NotResults(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &str) -> Result<Option<SavedResults>, PlanFileError> {
        open_results(text.as_bytes())
    }

    #[test]
    fn results_are_told_from_other_files_and_older_ones_are_refused() {
        for other in ["", "{", "[]", r#"{"format_version": "2.0", "digest": "x"}"#] {
            assert_eq!(open(other), Ok(None), "{other}");
        }
        assert_eq!(
            open(r#"{"plan_digest": "x", "format_version": "1.0"}"#),
            Err(PlanFileError::OlderResults)
        );
        assert_eq!(
            open(r#"{"plan_digest": "x", "format_version": "3.0"}"#),
            Err(PlanFileError::Version {
                found: "3.0".to_owned()
            })
        );
        for damaged in [
            r#"{"plan_digest": "x"}"#,
            r#"{"plan_digest": "x", "format_version": "2.0"}"#,
        ] {
            assert!(
                matches!(open(damaged), Err(PlanFileError::NotResults(_))),
                "{damaged}"
            );
        }
        let whole = r#"{"format_version": "2.1", "xrs_version": "9", "plan_digest": "x", "new": 1,
            "started_at": "2026-01-15T06:00:00Z", "complete": true, "results": []}"#;
        let results = open(whole).expect("readable").expect("results");
        assert!(results.complete && !results.interrupted);
    }
}
