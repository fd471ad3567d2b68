//! A sandbox that is kept in a file.

use std::fmt;
use std::path::Path;

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::Error;
use crate::files::{self, FileError, Lock};
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::provider::sandbox::{Sandbox, World};

/// The largest sandbox file that is read: years of snapshots of a large account.
pub const MAX_SANDBOX_BYTES: u64 = 256 * 1024 * 1024;

/// The help for a sandbox that does not exist.
const NOT_MADE: &str = "apply makes no sandbox; `xrs plan --sandbox FILE` makes one for the config";

/// A sandbox that nobody else uses while this exists. Its file is written after every change.
pub struct OpenSandbox {
    sandbox: Sandbox,
    new: Option<NewWorld>,
    without_source: Vec<JobName>,
    _lock: Lock,
}

/// What a sandbox that was made for a config lacks.
#[derive(Debug)]
pub struct NewWorld {
    /// The invalid jobs of the config, for which it has nothing.
    pub invalid_jobs: Vec<JobName>,
    /// What its jobs ask for and it does not have.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for OpenSandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSandbox").finish_non_exhaustive()
    }
}

impl OpenSandbox {
    /// Returns the sandbox.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns what it lacks, if it was just made.
    pub fn new_world(&self) -> Option<&NewWorld> {
        self.new.as_ref()
    }

    /// Returns the valid jobs of the config that have no source in a sandbox that was there already.
    pub fn jobs_without_source(&self) -> &[JobName] {
        &self.without_source
    }

    /// Writes the file once more, with the present time of the sandbox.
    ///
    /// # Errors
    ///
    /// If it can't be written, now or at one of the changes before.
    pub fn close(self) -> Result<(), Error> {
        self.sandbox.save().map_err(Error::SandboxSave)
    }
}

/// Returns a world in which every valid job of a config finds something to copy.
///
/// # Errors
///
/// If the config is not valid as a whole.
pub fn example_world(config: &ConfigFile) -> Result<World, Error> {
    Ok(World::example(&config.valid_jobs()?).0)
}

/// Opens the sandbox of a file. If there is no file, a sandbox is made for the jobs of `config`, if that is given. `waiting` is
/// called if another process uses it.
///
/// # Errors
///
/// If the file does not exist and can't be made, can't be read, written or locked, or is not a sandbox.
pub fn open_sandbox(
    path: &Path,
    config: Option<&ConfigFile>,
    waiting: impl FnOnce(),
) -> Result<OpenSandbox, Error> {
    let failed = || Error::file("the sandbox", Some(NOT_MADE));
    let jobs = config
        .map(|config| SelectedJobs::of(config, &[]))
        .transpose()?;
    if !files::is_present(path) {
        match (&jobs, config) {
            (Some(jobs), Some(config)) if jobs.valid.is_empty() => {
                let config = config.path().into_owned();
                let path = path.to_owned();
                return Err(Error::NoValidJob { path, config });
            }
            (Some(_), _) => files::make_folder_of(path).map_err(failed())?,
            (None, _) => {
                return Err(failed()(FileError::Missing(path.to_owned())));
            }
        }
    }
    let lock = files::lock(path, waiting).map_err(failed())?;
    let (mut new, mut without_source) = (None, Vec::new());
    let world = match &jobs {
        // Only now: another process may have made it meanwhile.
        Some(jobs) if !files::is_present(path) => {
            let (world, problems) = World::example(&jobs.valid);
            let invalid_jobs = jobs.invalid().cloned().collect();
            new = Some(NewWorld {
                invalid_jobs,
                problems,
            });
            world
        }
        _ => {
            let bytes = files::read(path, MAX_SANDBOX_BYTES).map_err(failed())?;
            let world = read_world(bytes).map_err(|problem| Error::Sandbox {
                path: path.to_owned(),
                problem,
            })?;
            let jobs = jobs.iter().flat_map(|jobs| &jobs.valid);
            let lacking = jobs.filter(|job| !world.has_source_for(job));
            without_source.extend(lacking.map(|job| job.name.clone()));
            world
        }
    };
    let target = path.to_owned();
    let save = move |world: &World| {
        files::write_whole(&target, world.to_json().as_bytes()).map_err(|error| error.to_string())
    };
    let sandbox = Sandbox::with_save(world, Box::new(save));
    sandbox.save().map_err(Error::SandboxSave)?;
    Ok(OpenSandbox {
        sandbox,
        new,
        without_source,
        _lock: lock,
    })
}

fn read_world(bytes: Vec<u8>) -> Result<World, Problem> {
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::new("it is not UTF-8 text").help(World::WAY_OUT))?;
    World::from_json(&text)
}
