//! The config, as a file that has been read.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::{ConfigProblems, Error, Refused};
use crate::config::{self, Config};
use crate::files::{self, FileError};
use crate::model::client_config::sha256;
use crate::model::id::JobName;
use crate::model::job::{ConfiguredJob, SyncJob};
use crate::model::plan::{ConfigRef, CredentialsFrom, SavedPlan};
use crate::model::problem::Problem;
use crate::model::words;

/// A config and where it is from. It may hold keys, so its Debug output does not show the text.
pub struct ConfigFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// The way out of there being no config.
const NO_CONFIG: &str = "name one, or set XRS_CONFIG; without either it is xrs.yaml. `xrs init` writes one to begin with";

impl ConfigFile {
    /// Reads a config from a file; what it says is looked at later.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is larger than any config.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of(path.as_ref()).map_err(Error::file("the config", Some(NO_CONFIG)))
    }

    fn of(path: &Path) -> Result<Self, FileError> {
        Ok(Self {
            path: path.to_owned(),
            bytes: files::read(path, config::MAX_BYTES)?,
        })
    }

    /// A config from a text, with a path by which problems and plans name it.
    pub fn from_text(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: text.into(),
        }
    }

    /// Its path, as it was given.
    pub fn path(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    /// The file itself.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Its text, for showing where a problem is.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Its jobs, the broken ones with their problems.
    ///
    /// # Errors
    ///
    /// If it is no config at all.
    pub fn read(&self) -> Result<Config, Error> {
        config::read(&self.bytes).map_err(|problems| Error::Config(self.problems(problems)))
    }

    /// Its jobs without the broken ones.
    ///
    /// # Errors
    ///
    /// If it is no config at all.
    pub fn sound_jobs(&self) -> Result<Vec<SyncJob>, Error> {
        let sound = |job| match job {
            ConfiguredJob::Sound(job) => Some(job),
            ConfiguredJob::Broken { .. } => None,
        };
        Ok(self.read()?.jobs.into_iter().filter_map(sound).collect())
    }

    /// Whether it holds keys that others than its owner can read.
    pub fn exposes_keys(&self) -> bool {
        config::holds_keys(&self.bytes) && files::readable_by_others(&self.path)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn problems(&self, problems: Vec<Problem>) -> ConfigProblems {
        ConfigProblems {
            path: self.path().into_owned(),
            text: self.text().into_owned(),
            problems,
        }
    }

    pub(super) fn reference(&self) -> ConfigRef {
        ConfigRef {
            path: self.path().into_owned(),
            sha256: sha256(&self.bytes),
        }
    }
}

/// Refuses names that no job has.
pub(super) fn check_names(jobs: &[ConfiguredJob], names: &[JobName]) -> Result<(), Error> {
    let known: Vec<&str> = jobs.iter().map(|job| job.name().as_str()).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Error::UnknownJob {
            name: name.clone(),
            help: did_you_mean(name.as_str(), &known),
        }),
        None => Ok(()),
    }
}

/// The jobs of these names, in the order of the config, and their names for the plan; all, if none is named.
pub(super) fn select(
    jobs: Vec<ConfiguredJob>,
    names: &[JobName],
) -> (Vec<ConfiguredJob>, Option<Vec<JobName>>) {
    if names.is_empty() {
        return (jobs, None);
    }
    let chosen: Vec<ConfiguredJob> = jobs
        .into_iter()
        .filter(|job| names.contains(job.name()))
        .collect();
    let names = chosen.iter().map(|job| job.name().clone()).collect();
    (chosen, Some(names))
}

fn did_you_mean(name: &str, known: &[&str]) -> String {
    /// Less alike than this, a name was not misspelt but made up.
    const ALIKE: f32 = 0.6;
    match similar::get_close_matches(name, known, 1, ALIKE).first() {
        Some(close) => format!("did you mean {close}?"),
        None => format!("its jobs are {}", words::list(known)),
    }
}

/// The config that a plan's credentials come from: the one given, else the noted one if it lies inside the folder
/// that apply is run in. None, if the plan needs none.
///
/// # Errors
///
/// [`Refused`] if the plan needs one and there is none, or it cannot be read.
pub fn config_for(
    plan: &SavedPlan,
    given: Option<&Path>,
    folder: &Path,
) -> Result<Option<ConfigFile>, Error> {
    if let Some(given) = given {
        return Ok(Some(ConfigFile::of(given).map_err(Refused::ConfigFile)?));
    }
    let needs = |from: &CredentialsFrom| *from == CredentialsFrom::Config;
    let acting = plan.jobs.iter().filter(|job| !job.actions.is_empty());
    if !acting
        .filter_map(|job| job.client_config.as_ref())
        .any(|config| needs(&config.from))
    {
        return Ok(None);
    }
    let noted = folder.join(&plan.config.path);
    if !files::exists(&noted) {
        return Err(Refused::NoConfig {
            path: plan.config.path.clone(),
            why: "does not exist",
        }
        .into());
    }
    if !files::lies_inside(&noted, folder) {
        return Err(Refused::NoConfig {
            path: plan.config.path.clone(),
            why: "lies outside this folder",
        }
        .into());
    }
    // Under the name it was planned with, which is how people know it.
    let config = ConfigFile::of(&noted).map_err(Refused::ConfigFile)?;
    Ok(Some(ConfigFile {
        path: PathBuf::from(&plan.config.path),
        ..config
    }))
}

/// What to say where the config is not what it was when this plan was made: the one that is used, else the noted one
/// if it is a file inside the folder that apply is run in. It is said and no more, for the plan is what was approved.
pub fn changed_config(
    plan: &SavedPlan,
    used: Option<&ConfigFile>,
    folder: &Path,
) -> Option<String> {
    let noted = &plan.config.path;
    let (path, sha256) = match used {
        Some(used) => (used.path(), used.reference().sha256),
        None => {
            let file = folder.join(noted);
            if !files::is_file(&file) || !files::lies_inside(&file, folder) {
                return None;
            }
            let sha256 = ConfigFile::of(&file).ok()?.reference().sha256;
            (Cow::from(noted), sha256)
        }
    };
    let differs = if path == noted.as_str() {
        "has changed since this plan was made"
    } else {
        "is not the config that this plan was made from"
    };
    (sha256 != plan.config.sha256)
        .then(|| format!("{path} {differs}; the plan is applied as it was approved"))
}
