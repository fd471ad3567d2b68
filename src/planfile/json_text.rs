//! Documents as text.

use serde::Serialize;

use super::plan_file_error::PlanFileError;
use crate::model::json::document;

/// Returns the text of a plan or results file, ending in a newline.
///
/// # Errors
///
/// If the document can't be written as JSON.
pub fn to_text<T: Serialize>(saved: &T) -> Result<String, PlanFileError> {
    document(saved).map_err(|error| PlanFileError::NotWritable(error.to_string()))
}

/// Returns the RFC 8785 canonical JSON of a value.
///
/// # Errors
///
/// If there is none.
pub(super) fn canonical<T: Serialize>(value: &T) -> Result<Vec<u8>, PlanFileError> {
    serde_json_canonicalizer::to_vec(value)
        .map_err(|error| PlanFileError::NotWritable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_hold_is_an_error_and_never_an_empty_text() {
        // A key of an object is a string; a list is not.
        let value = std::collections::BTreeMap::from([(vec![1], 2)]);
        assert!(matches!(
            to_text(&value),
            Err(PlanFileError::NotWritable(_))
        ));
        assert!(matches!(
            canonical(&value),
            Err(PlanFileError::NotWritable(_))
        ));
        assert!(matches!(
            canonical(&f64::NAN),
            Err(PlanFileError::NotWritable(_))
        ));
    }
}
