//! A sandbox that is kept in a file.

use std::fmt;
use std::path::Path;

use super::config_file::ConfigFile;
use super::error::Error;
use crate::files::{self, Lock};
use crate::model::problem::Problem;
use crate::provider::sandbox::{Sandbox, World};

/// The largest sandbox file that is read: years of snapshots of a large account.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// A sandbox whose file nobody else uses while this lives. The file is written after every change.
pub struct OpenSandbox {
    sandbox: Sandbox,
    made: bool,
    _lock: Lock,
}

impl fmt::Debug for OpenSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSandbox").finish_non_exhaustive()
    }
}

impl OpenSandbox {
    /// The world.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Whether there was no file, so that one was made.
    pub fn made(&self) -> bool {
        self.made
    }

    /// Writes the file once more, with the world's clock as it stands.
    ///
    /// # Errors
    ///
    /// If it cannot be written, now or at one of the changes before.
    pub fn close(self) -> Result<(), Error> {
        self.sandbox.save().map_err(Error::SandboxSave)
    }
}

/// Opens the sandbox of a file. If there is no file, one is made that fits the jobs of `fitting`, if that is given.
/// `waiting` is called if somebody else uses it.
///
/// # Errors
///
/// If the file does not exist and is not to be made, cannot be read, written or locked, or holds no sandbox.
pub fn open_sandbox(
    path: &Path,
    fitting: Option<&ConfigFile>,
    waiting: impl FnOnce(),
) -> Result<OpenSandbox, Error> {
    if fitting.is_some() {
        files::make_folder_of(path)?;
    } else if !files::exists(path) {
        return Err(files::FileError::Missing {
            path: path.to_owned(),
        }
        .into());
    }
    let lock = files::lock(path, waiting)?;
    let unusable = |problem| Error::Sandbox {
        path: path.to_owned(),
        problem,
    };
    let made = !files::exists(path);
    let world = match fitting {
        Some(config) if made => World::fitting(&config.sound_jobs()?),
        _ => {
            let text = String::from_utf8(files::read(path, MAX_BYTES)?)
                .map_err(|_| unusable(Problem::new("it is not UTF-8 text")))?;
            World::from_json(&text).map_err(unusable)?
        }
    };
    let target = path.to_owned();
    let save = move |world: &World| {
        files::write_whole(&target, world.to_json().as_bytes())
            .map_err(|error| with_sources(&error))
    };
    let sandbox = Sandbox::with_save(world, Box::new(save));
    sandbox.save().map_err(Error::SandboxSave)?;
    Ok(OpenSandbox {
        sandbox,
        made,
        _lock: lock,
    })
}

fn with_sources(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
