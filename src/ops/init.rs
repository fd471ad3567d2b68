//! A config to begin with.

use std::path::Path;

use super::error::Error;
use crate::config;
use crate::files::{self, FileError};

/// Writes a commented config to begin with; never over a file that is there.
///
/// # Errors
///
/// If there is one, or the file cannot be written.
pub fn init(path: &Path) -> Result<(), Error> {
    files::write_new(path, config::STARTER.as_bytes()).map_err(|error| {
        let help = matches!(error, FileError::Exists { .. })
            .then_some("it is left as it is; name another file, or move that one away");
        Error::File {
            what: "the config",
            error,
            help,
        }
    })
}
