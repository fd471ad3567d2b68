//! `results.json`

use super::format::FileKind;
use super::strict_json;
use crate::model::problem::Problem;
use crate::model::result::SavedResults;

const RESULTS: FileKind = FileKind {
    noun: "a results file",
    made_by: MADE_BY,
    make_again: "apply again",
};

const MADE_BY: &str = "results are written by `xrs apply PLAN --results FILE`";

/// Reads results to be shown. Keys that a newer minor version added are skipped. Returns `None` if the document is not a results
/// file.
///
/// # Errors
///
/// If it is a results file that can't be read.
pub fn open_results(bytes: &[u8]) -> Result<Option<SavedResults>, Problem> {
    match strict_json::read(bytes) {
        Ok(value) if value.get("plan_digest").is_some() => RESULTS.read(&value).map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_from_other_files() {
        for other in ["", "{", "[]", r#"{"format_version": "2.0", "digest": "x"}"#] {
            assert_eq!(open_results(other.as_bytes()), Ok(None), "{other}");
        }
        let without_version = open_results(br#"{"plan_digest": "x"}"#).expect_err("damaged");
        assert!(without_version.message.starts_with("it is not a results"));
        let newer = br#"{"format_version": "2.1", "xrs_version": "9", "plan_digest": "x", "new": 1,
            "started_at": "2026-01-15T06:00:00Z", "complete": true, "results": []}"#;
        let results = open_results(newer).expect("readable").expect("results");
        assert!(results.complete && !results.interrupted);
    }
}
