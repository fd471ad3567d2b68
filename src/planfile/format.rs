//! What plan files and results files have in common: the format version and the text.

use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::json::document;
use crate::model::problem::Problem;

/// The format that this version writes: `major.minor`. Within a major version keys are only added.
pub const FORMAT_VERSION: &str = "2.0";

const MAJOR: u32 = 2;

/// A kind of file: plans or results.
pub(super) struct FileKind {
    /// One of them, as messages name it.
    pub(super) noun: &'static str,
    /// The help for a file of another kind.
    pub(super) made_by: &'static str,
    /// What to do about a file in an older format.
    pub(super) make_again: &'static str,
}

impl FileKind {
    /// Returns why a file is not of this kind.
    pub(super) fn mismatch(&self, why: impl Display) -> Problem {
        Problem::new(format!("it is not {}: {why}", self.noun)).help(self.made_by)
    }

    /// Returns the format version of a document. Fails unless it has the major version that this version of xrs reads.
    pub(super) fn version(&self, document: &Value) -> Result<String, Problem> {
        let Some(found) = document.get("format_version") else {
            return Err(self.mismatch("it has no format_version"));
        };
        let text = found.as_str().map(str::to_owned);
        let found = text.unwrap_or_else(|| found.to_string());
        match major(&found) {
            Some(MAJOR) => Ok(found),
            Some(1) => {
                let again = self.make_again;
                let message = format!("it was made by an older version of xrs; {again}");
                Err(Problem::new(message).help(self.made_by))
            }
            _ => Err(other_version(&found)),
        }
    }

    /// Reads a document to be shown. Keys that a newer minor version added are skipped.
    pub(super) fn read<T: DeserializeOwned>(&self, document: &Value) -> Result<T, Problem> {
        self.version(document)?;
        T::deserialize(document).map_err(|error| self.mismatch(error))
    }
}

fn major(version: &str) -> Option<u32> {
    let (major, minor) = version.split_once('.')?;
    minor.parse::<u32>().ok()?;
    major.parse().ok()
}

/// Returns the problem of a document whose format version this version of xrs does not read.
pub(super) fn other_version(found: &str) -> Problem {
    let message =
        format!("its format version is {found}; this version of xrs reads {FORMAT_VERSION}");
    Problem::new(message)
        .help("plan again with this version of xrs, or use the version that made the file")
}

/// Returns the text of a plan or results file, ending in a newline.
///
/// # Errors
///
/// If the document can't be written as JSON.
pub fn to_text<T: Serialize>(saved: &T) -> Result<String, Problem> {
    document(saved).map_err(not_writable)
}

/// Returns the problem of a document that can't be turned into JSON.
pub(super) fn not_writable(error: impl Display) -> Problem {
    let message = format!("it could not be written as JSON: {error}");
    Problem::new(message).help("this is a bug in xrs; please report it")
}
