//! A config to start from.

use std::path::Path;

use super::operation_error::Error;
use crate::config;
use crate::files::{self, FileError};

/// Writes a commented config to start from. An existing file is never overwritten.
///
/// # Errors
///
/// If the file exists, or can't be written.
pub fn init(path: &Path) -> Result<(), Error> {
    files::write_new(path, config::STARTER.as_bytes()).map_err(|error| {
        let help = matches!(error, FileError::Exists { .. })
            .then_some("it was not changed; name another file, or move that one away");
        Error::File {
            what: "the config",
            error,
            help,
        }
    })
}
