//! Documents as JSON, as they stand in their files.

use serde::Serialize;

/// A document as indented JSON with a line end.
pub fn document<T: Serialize>(document: &T) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}
