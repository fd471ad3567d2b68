//! A sandbox that is kept in a file.

use std::path::Path;

use super::config_file::{ConfigFile, SelectedJobs};
use super::operation_error::{Error, because};
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
    /// The sandbox.
    pub sandbox: Sandbox,
    /// What it lacks, if it was just made.
    pub new_world: Option<NewWorld>,
    /// The valid jobs of the config that have no source in a sandbox that was there already.
    pub jobs_without_source: Vec<JobName>,
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

impl OpenSandbox {
    /// Writes the file once more, with the present time of the sandbox.
    ///
    /// # Errors
    ///
    /// If it can't be written, now or at one of the changes before.
    pub fn close(self) -> Result<(), Error> {
        save(&self.sandbox)
    }
}

/// Returns a world in which every valid job of a config finds something to copy.
///
/// # Errors
///
/// If the config is not valid as a whole.
pub fn example_world(config: &ConfigFile) -> Result<World, Error> {
    Ok(World::example(&SelectedJobs::of(config, &[])?.valid).0)
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
    let jobs = match config {
        Some(config) => Some(SelectedJobs::of(config, &[])?),
        None => None,
    };
    if !path.exists() {
        let (Some(jobs), Some(config)) = (&jobs, config) else {
            return Err(failed()(FileError::Missing(path.to_owned())));
        };
        if jobs.valid.is_empty() {
            let (path, config) = (path.display(), config.path());
            let message = format!("no sandbox was made in {path}: no job of {config} is valid");
            return Err(Error::other(message, "correct the config, and plan again"));
        }
        files::make_folder_of(path).map_err(failed())?;
    }
    let lock = files::lock(path, waiting).map_err(failed())?;
    let (mut new_world, mut jobs_without_source) = (None, Vec::new());
    let world = match &jobs {
        // Only now: another process may have made it meanwhile.
        Some(jobs) if !path.exists() => {
            let (world, problems) = World::example(&jobs.valid);
            new_world = Some(NewWorld {
                invalid_jobs: jobs.invalid(),
                problems,
            });
            world
        }
        _ => {
            let bytes = files::read(path, MAX_SANDBOX_BYTES).map_err(failed())?;
            let no_text = |_| Problem::new("it is not UTF-8 text").help(World::WAY_OUT);
            let world = String::from_utf8(bytes).map_err(no_text);
            let what = format!("{} is not a valid sandbox", path.display());
            let world = world
                .and_then(|text| World::from_json(&text))
                .map_err(|problem| Error::Other(because(what, problem)))?;
            let jobs = jobs.iter().flat_map(|jobs| &jobs.valid);
            let lacking = jobs.filter(|job| !world.has_source_for(job));
            jobs_without_source.extend(lacking.map(|job| job.name.clone()));
            world
        }
    };
    let target = path.to_owned();
    let write = move |world: &World| {
        files::write_whole(&target, world.to_json().as_bytes()).map_err(|error| error.to_string())
    };
    let sandbox = Sandbox::with_save(world, Box::new(write));
    save(&sandbox)?;
    Ok(OpenSandbox {
        sandbox,
        new_world,
        jobs_without_source,
        _lock: lock,
    })
}

fn save(sandbox: &Sandbox) -> Result<(), Error> {
    let failed = |why| {
        Error::Other(Problem::new(format!(
            "the sandbox could not be saved: {why}"
        )))
    };
    sandbox.save().map_err(failed)
}
