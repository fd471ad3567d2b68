//! Plans and results as files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::error::{Error, Refused};
use crate::files;
use crate::model::id::JobName;
use crate::model::json::document;
use crate::model::plan::SavedPlan;
use crate::model::result::{SavedResults, SyncResult};
use crate::planfile::{self, PlanFileError};

/// The format of results files that this version writes: `major.minor`. Within a major version keys are only added.
const RESULTS_FORMAT_VERSION: &str = "1.0";

/// A file to be shown.
#[derive(Debug)]
pub enum Saved {
    /// A plan, and why it would be refused by apply, if its file already says so.
    Plan(Box<SavedPlan>, Option<Flaw>),
    /// The results of an apply.
    Results(SavedResults),
}

impl Saved {
    /// Refuses to write to a file that the command works from, under whatever name, and to `-`. `inputs` are such
    /// files, with what each is.
    ///
    /// # Errors
    ///
    /// If `output` is one of them.
    pub fn refuse_to_replace(
        option: &'static str,
        output: Option<&Path>,
        inputs: &[(&'static str, Option<&Path>)],
    ) -> Result<(), Error> {
        let Some(output) = output else { return Ok(()) };
        if output == Path::new("-") {
            return Err(Error::NoFile { option });
        }
        let replaced = |(_, input): &&(_, Option<&Path>)| {
            input.is_some_and(|input| files::same(output, input))
        };
        match inputs.iter().find(replaced) {
            Some((what, Some(input))) => Err(Error::Replaces {
                option,
                output: output.to_owned(),
                what,
                input: (*input).to_owned(),
            }),
            _ => Ok(()),
        }
    }
}

/// What keeps a plan that can be shown from being applied.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// What is wrong.
    pub why: String,
    /// The digest of its content, if that is not the one it states.
    pub digest: Option<String>,
    /// Whether it was changed; else this version of xrs is too old for it.
    pub edited: bool,
}

impl Flaw {
    fn of(bytes: &[u8], stated: &str) -> Option<Self> {
        let error = planfile::read(bytes).err()?;
        let actual = planfile::digest(&serde_json::from_slice(bytes).unwrap_or_default());
        let other = actual != stated;
        Some(Self {
            why: error.to_string(),
            edited: other || !matches!(error, PlanFileError::Version { .. }),
            digest: other.then_some(actual),
        })
    }
}

/// Reads a plan that is to be applied.
///
/// # Errors
///
/// If it cannot be read; [`Refused`] if it is no plan of a known format, or was changed after it was made.
pub fn read_plan(path: &Path) -> Result<SavedPlan, Error> {
    let bytes = files::read(path, planfile::MAX_BYTES).map_err(Error::file(
        "the plan",
        Some("plans are written by `xrs plan --out FILE`"),
    ))?;
    planfile::read(&bytes).map_err(|source| {
        Refused::PlanFile {
            path: path.to_owned(),
            source: said_by_its_kind(&bytes, source),
        }
        .into()
    })
}

/// Of a file of another kind, that it is one says more than which key of a plan it lacks.
fn said_by_its_kind(bytes: &[u8], error: PlanFileError) -> PlanFileError {
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    let kind = if value.get("plan_digest").is_some() {
        "it holds the results of an apply, which `xrs show` shows"
    } else if value.get("regions").is_some() {
        "it is a sandbox, to be passed with --sandbox"
    } else {
        return error;
    };
    PlanFileError::NotAPlan(kind.to_owned())
}

/// Writes a plan to a file, whole or not at all.
///
/// # Errors
///
/// If that fails.
pub fn save_plan(path: &Path, plan: &SavedPlan) -> Result<(), Error> {
    files::write_whole(path, planfile::to_text(plan).as_bytes())
        .map_err(Error::file("the plan", None))
}

/// Reads a plan or results, to be shown: keys that are not known are passed over.
///
/// # Errors
///
/// If it cannot be read, or is neither.
pub fn open_saved(path: &Path) -> Result<Saved, Error> {
    const MADE: &str =
        "plans are written by `xrs plan --out FILE`, results by `xrs apply PLAN --results FILE`";
    let bytes =
        files::read(path, planfile::MAX_BYTES).map_err(Error::file("the file", Some(MADE)))?;
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(value) if value.get("plan_digest").is_some() => results(path, value).map(Saved::Results),
        _ => match planfile::open(&bytes) {
            Ok(plan) => {
                let flaw = Flaw::of(&bytes, &plan.digest);
                Ok(Saved::Plan(Box::new(plan), flaw))
            }
            Err(source) => Err(Error::Saved {
                path: path.to_owned(),
                source: said_by_its_kind(&bytes, source),
            }),
        },
    }
}

fn results(path: &Path, value: serde_json::Value) -> Result<SavedResults, Error> {
    let unusable = |why| Error::SavedResults {
        path: path.to_owned(),
        why,
    };
    let version = value
        .get("format_version")
        .and_then(|version| version.as_str())
        .unwrap_or_default();
    if version.split('.').next() != RESULTS_FORMAT_VERSION.split('.').next() {
        return Err(unusable(format!(
            "its format version is {version:?}; this xrs reads {RESULTS_FORMAT_VERSION}"
        )));
    }
    serde_json::from_value(value)
        .map_err(|error| unusable(format!("it is not a results file: {error}")))
}

/// The results of an apply as they come in, and the file they are saved in, each time whole.
#[derive(Debug)]
pub struct ResultsFile {
    /// None if they are not saved.
    path: Option<PathBuf>,
    /// The places of the jobs in the plan.
    order: HashMap<JobName, usize>,
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    results: SavedResults,
    /// Whether a job has come to its end since they were saved.
    is_behind: bool,
}

impl ResultsFile {
    /// Begins the file, without results yet: one that cannot be written shows before anything is applied. Without a
    /// path there is no file.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn begin(
        path: Option<&Path>,
        plan: &SavedPlan,
        started_at: Timestamp,
    ) -> Result<Self, Error> {
        let results = SavedResults {
            format_version: RESULTS_FORMAT_VERSION.to_owned(),
            xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
            plan_digest: plan.digest.clone(),
            started_at,
            complete: false,
            interrupted: false,
            results: Vec::new(),
        };
        let names = plan.jobs.iter().map(|job| job.name.clone());
        let file = Self {
            path: path.map(Path::to_owned),
            order: names.zip(0..).collect(),
            kept: Mutex::new(Kept {
                results,
                is_behind: true,
            }),
        };
        file.save()?;
        Ok(file)
    }

    /// Adds the result of a job, to be saved.
    pub fn add(&self, result: &SyncResult) {
        let mut kept = self.lock();
        let place = |result: &SyncResult| self.order.get(&result.name);
        let results = &mut kept.results.results;
        let at = results.partition_point(|earlier| place(earlier) <= place(result));
        results.insert(at, result.clone());
        kept.is_behind = true;
    }

    /// Saves what has come in since it was last called, if anything has. To be called often: whoever has many jobs ending at
    /// once saves them together.
    ///
    /// # Errors
    ///
    /// If the file cannot be written; that is tried again with the next result.
    pub fn save(&self) -> Result<(), Error> {
        let mut kept = self.lock();
        if std::mem::take(&mut kept.is_behind) {
            self.write(&kept.results)
        } else {
            Ok(())
        }
    }

    /// Ends the file, with all results in it.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(&self, results: &[SyncResult], interrupted: bool) -> Result<(), Error> {
        let mut kept = self.lock();
        kept.results.results = results.to_vec();
        kept.results.complete = true;
        kept.results.interrupted = interrupted;
        self.write(&kept.results)
    }

    /// What is or would be in the file.
    pub fn document(&self) -> SavedResults {
        self.lock().results.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Whoever panicked while holding it left whole results behind: each is put in at once.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, results: &SavedResults) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        // Plain data of strings, numbers and lists always serialises.
        let text = document(results).unwrap_or_default();
        files::write_whole(path, text.as_bytes()).map_err(Error::file("the results file", None))
    }
}
