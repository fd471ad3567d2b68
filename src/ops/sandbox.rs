//! A sandbox that is kept in a file.

use std::fmt;
use std::path::Path;

use super::config_file::ConfigFile;
use super::error::Error;
use crate::files::{self, FileError, Lock};
use crate::model::id::JobName;
use crate::model::job::ConfiguredJob;
use crate::model::problem::Problem;
use crate::provider::sandbox::{Sandbox, World};

/// The largest sandbox file that is read: years of snapshots of a large account.
pub const MOST_SANDBOX_BYTES: u64 = 256 * 1024 * 1024;

/// The way out of there being no sandbox.
const NONE_MADE: &str =
    "apply makes none; `xrs plan --sandbox FILE` makes one that fits the config";

/// A sandbox whose file nobody else uses while this lives. The file is written after every change.
pub struct OpenSandbox {
    sandbox: Sandbox,
    made: Option<Vec<JobName>>,
    lacking: Vec<JobName>,
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

    /// If there was no file, so that one was made: the broken jobs of the config, which it does not fit.
    pub fn made(&self) -> Option<&[JobName]> {
        self.made.as_deref()
    }

    /// If there was a file: the sound jobs of the config that find nothing in it to look at.
    pub fn lacking(&self) -> &[JobName] {
        &self.lacking
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
/// If the file does not exist and is not to be made or no job is sound, cannot be read, written or locked, or holds
/// no sandbox.
pub fn open_sandbox(
    path: &Path,
    fitting: Option<&ConfigFile>,
    waiting: impl FnOnce(),
) -> Result<OpenSandbox, Error> {
    let failed = || Error::file("the sandbox", Some(NONE_MADE));
    let missing = !files::exists(path);
    let fresh = match fitting {
        Some(config) if missing => Some(fit(config, path)?),
        _ => None,
    };
    if fresh.is_some() {
        files::make_folder_of(path).map_err(failed())?;
    } else if missing {
        return Err(failed()(FileError::Missing {
            path: path.to_owned(),
        }));
    }
    let lock = files::lock(path, waiting).map_err(failed())?;
    let unusable = |problem| Error::Sandbox {
        path: path.to_owned(),
        problem,
    };
    let (world, made) = match fresh {
        // Somebody else may have made it meanwhile.
        Some((world, unfit)) if !files::exists(path) => (world, Some(unfit)),
        _ => {
            let bytes = files::read(path, MOST_SANDBOX_BYTES).map_err(failed())?;
            let text = String::from_utf8(bytes)
                .map_err(|_| unusable(Problem::new("it is not UTF-8 text").help(World::WAY_OUT)))?;
            (World::from_json(&text).map_err(unusable)?, None)
        }
    };
    let lacking = match (fitting, &made) {
        (Some(config), None) => lacking(&world, config)?,
        _ => Vec::new(),
    };
    let target = path.to_owned();
    let save = move |world: &World| {
        files::write_whole(&target, world.to_json().as_bytes()).map_err(|error| error.to_string())
    };
    let sandbox = Sandbox::with_save(world, Box::new(save));
    sandbox.save().map_err(Error::SandboxSave)?;
    Ok(OpenSandbox {
        sandbox,
        made,
        lacking,
        _lock: lock,
    })
}

/// The sound jobs of a config that find nothing in a world to look at.
fn lacking(world: &World, config: &ConfigFile) -> Result<Vec<JobName>, Error> {
    let jobs = config.sound_jobs()?;
    let lacking = jobs.into_iter().filter(|job| world.lacks(job));
    Ok(lacking.map(|job| job.name).collect())
}

/// A world that fits the sound jobs of a config, and its broken ones.
fn fit(config: &ConfigFile, path: &Path) -> Result<(World, Vec<JobName>), Error> {
    let (mut sound, mut broken) = (Vec::new(), Vec::new());
    for job in config.read()?.jobs {
        match job {
            ConfiguredJob::Sound(job) => sound.push(job),
            ConfiguredJob::Broken { name, .. } => broken.push(name),
        }
    }
    if sound.is_empty() {
        let config = config.path().into_owned();
        let path = path.to_owned();
        return Err(Error::NothingToFit { path, config });
    }
    Ok((World::fitting(&sound), broken))
}
