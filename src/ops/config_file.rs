//! The config, as a file that has been read.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use super::operation_error::{ConfigProblems, Error};
use crate::config::{self, Config};
use crate::files::{self, FileError};
use crate::model::client_config::sha256;
use crate::model::ids::JobName;
use crate::model::plan::{ConfigRef, CredentialsFrom, SavedPlan};
use crate::model::problem::Problem;
use crate::model::words;
use crate::sync_types::{ConfiguredJob, SyncJob};

/// A config and where it comes from. It may contain keys, so its Debug output does not show the text.
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

/// The help for a config that does not exist.
const NO_CONFIG: &str = "name one, or set XRS_CONFIG; without either it is xrs.yaml. `xrs init` writes one to start from";

impl ConfigFile {
    /// Reads a config from a file; its content is checked later.
    ///
    /// # Errors
    ///
    /// If the file can't be read, or is too large for a config.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = files::read(path, config::MAX_BYTES);
        let bytes = bytes.map_err(Error::file("the config", Some(NO_CONFIG)))?;
        Ok(Self::from_text(path, bytes))
    }

    /// Reads the config that an apply takes credentials from.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the file can't be read, or is too large for a config.
    pub fn open_for_apply(path: impl AsRef<Path>) -> Result<Self, Error> {
        const HELP: &str = "pass the config that the plan was made from with --config";
        Self::open(path).map_err(|error| match error {
            Error::Other(problem) => Error::Refused(problem.help(HELP)),
            error => error,
        })
    }

    /// Returns a config from a text, with a path by which problems and plans name it.
    pub fn from_text(path: impl Into<PathBuf>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            path: path.into(),
            bytes: text.into(),
        }
    }

    /// Returns its path, as it was given.
    pub fn path(&self) -> Cow<'_, str> {
        self.path.to_string_lossy()
    }

    /// Returns the file itself.
    pub fn file(&self) -> &Path {
        &self.path
    }

    /// Returns its text, for showing where a problem is.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// Returns a warning if it contains keys that others than its owner can read.
    pub fn exposed_keys(&self) -> Option<String> {
        let is_exposed = files::is_readable_by_others(&self.path)
            && self.read().is_ok_and(|config| config.holds_keys);
        let path = self.path();
        is_exposed.then(|| {
            format!("{path} contains AWS keys, and others than its owner can read it: chmod 600 it, or use a profile")
        })
    }

    pub(super) fn read(&self) -> Result<Config, ConfigProblems> {
        config::read(&self.bytes).map_err(|problems| self.problems(problems))
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
fn check_names(jobs: &[ConfiguredJob], names: &[JobName]) -> Result<(), Error> {
    let is_known = |name: &JobName| jobs.iter().any(|job| job.name().is_selected_by(name));
    let Some(name) = names.iter().find(|name| !is_known(name)) else {
        return Ok(());
    };
    let known: Vec<&str> = jobs.iter().map(|job| job.name().as_str()).collect();
    let keys = jobs.iter().map(|job| job.name().key());
    let likely: Vec<&str> = known.iter().copied().chain(keys).collect();
    let help = match config::close_match(name.as_str(), &likely) {
        Some(close) => format!("did you mean {close}?"),
        None => format!("its jobs are {}", words::list(known)),
    };
    let message = format!("the config has no job {name}");
    Err(Error::other(message, &help))
}

/// The jobs of a config that an operation is about.
pub(super) struct SelectedJobs {
    /// The config without the other jobs.
    pub(super) config: Config,
    /// The names of these jobs, in the order of the config; nothing if no names were given, which means all.
    pub(super) names: Option<Vec<JobName>>,
    /// The valid ones, in the order of the config.
    pub(super) valid: Vec<SyncJob>,
    /// The valid jobs that a plan observes, in the order of the config: the selected ones, and those that may need copies that these
    /// may delete.
    pub(super) observed: Vec<SyncJob>,
    /// The invalid jobs that are not selected.
    pub(super) other_invalid_jobs: Vec<JobName>,
}

impl SelectedJobs {
    /// Returns the jobs that these names select, or all jobs if there are no names. Fails if the config is not valid as a whole, or
    /// if a name selects no job.
    pub(super) fn of(file: &ConfigFile, names: &[JobName]) -> Result<Self, Error> {
        let mut config = file.read().map_err(Error::Config)?;
        check_names(&config.jobs, names)?;
        let is_selected = |job: &ConfiguredJob| {
            names.is_empty() || names.iter().any(|name| job.name().is_selected_by(name))
        };
        let all = config.jobs.iter().filter_map(ConfiguredJob::valid);
        let mut all: Vec<SyncJob> = all.cloned().collect();
        let (jobs, others): (Vec<_>, Vec<_>) = config.jobs.into_iter().partition(is_selected);
        config.jobs = jobs;
        let in_order = config.jobs.iter().map(|job| job.name().clone()).collect();
        let valid = config.jobs.iter().filter_map(ConfiguredJob::valid);
        let valid: Vec<SyncJob> = valid.cloned().collect();
        all.retain(|job| {
            names.is_empty()
                || names.iter().any(|name| job.name.is_selected_by(name))
                || valid.iter().any(|other| job.may_need_copies_of(other))
        });
        Ok(Self {
            names: Some(in_order).filter(|_| !names.is_empty()),
            observed: all,
            valid,
            other_invalid_jobs: invalid(&others),
            config,
        })
    }

    /// Returns the names of the invalid ones.
    pub(super) fn invalid(&self) -> Vec<JobName> {
        invalid(&self.config.jobs)
    }

    /// Returns the answers for the valid jobs with those for the invalid ones in between, in the order of the config.
    pub(super) fn in_order<T>(
        &self,
        of_valid: Vec<T>,
        of_invalid: impl Fn(&JobName, &[Problem]) -> T,
    ) -> Vec<T> {
        let mut of_valid = of_valid.into_iter();
        let answer = |job: &ConfiguredJob| match job.valid() {
            Some(_) => of_valid.next(),
            None => Some(of_invalid(job.name(), job.problems())),
        };
        self.config.jobs.iter().filter_map(answer).collect()
    }
}

fn invalid(jobs: &[ConfiguredJob]) -> Vec<JobName> {
    let invalid = jobs.iter().filter(|job| job.valid().is_none());
    invalid.map(|job| job.name().clone()).collect()
}

/// Writes a commented config to start from. An existing file is never overwritten.
///
/// # Errors
///
/// If the file exists, or can't be written.
pub fn init(path: &Path) -> Result<(), Error> {
    const KEPT: &str = "it was not changed; name another file, or move that one away";
    files::write_new(path, config::STARTER.as_bytes()).map_err(|error| match error {
        FileError::Exists(_) => Error::other(format!("the config {error}"), KEPT),
        _ => Error::file("the config", None)(error),
    })
}

/// Returns true if jobs with actions were planned with credentials from a config, so that an apply needs one.
pub fn needs_config(plan: &SavedPlan) -> bool {
    let acting = plan.jobs.iter().filter(|job| !job.actions.is_empty());
    let mut configs = acting.filter_map(|job| job.client_config.as_ref());
    configs.any(|config| config.from == CredentialsFrom::Config)
}

/// Returns a note if the config is not the one that this plan was made from. No more follows from that: the plan is what was
/// approved.
pub fn changed_config(plan: &SavedPlan, config: &ConfigFile) -> Option<String> {
    let path = config.path();
    let difference = if path == plan.config.path.as_str() {
        "has changed since this plan was made"
    } else {
        "is not the config that this plan was made from"
    };
    let is_changed = config.reference().sha256 != plan.config.sha256;
    is_changed.then(|| format!("{path} {difference}; that does not change the plan"))
}
