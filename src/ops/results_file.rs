//! The results of an apply as a file, which is complete after each job.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::operation_error::Error;
use crate::files;
use crate::model::ids::JobName;
use crate::model::plan::SavedPlan;
use crate::model::result::{SavedResults, SyncResult};
use crate::planfile::{FORMAT_VERSION, to_text};

/// The results of an apply as they come in, and the file that they are saved in.
#[derive(Debug)]
pub struct ResultsFile {
    /// Nothing if they are not saved.
    path: Option<PathBuf>,
    /// The position of each job in the plan.
    positions: HashMap<JobName, usize>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    results: SavedResults,
    /// Whether a result was added since they were saved.
    is_behind: bool,
}

impl ResultsFile {
    /// Starts the file, without results yet: an unwritable file is noticed before anything is applied. Without a path there is no
    /// file.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn begin(
        path: Option<&Path>,
        plan: &SavedPlan,
        started_at: Timestamp,
    ) -> Result<Self, Error> {
        let results = SavedResults {
            format_version: FORMAT_VERSION.to_owned(),
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
            positions: names.zip(0..).collect(),
            state: Mutex::new(State {
                results,
                is_behind: true,
            }),
        };
        file.save()?;
        Ok(file)
    }

    /// Adds the result of a job, to be saved.
    pub fn add(&self, result: &SyncResult) {
        let mut state = self.lock();
        let position = |result: &SyncResult| self.positions.get(&result.name);
        let results = &mut state.results.results;
        let at = results.partition_point(|earlier| position(earlier) <= position(result));
        results.insert(at, result.clone());
        state.is_behind = true;
    }

    /// Saves the results if any were added since the last time. To be called often: many jobs that end at once are saved
    /// together.
    ///
    /// # Errors
    ///
    /// If the file can't be written; that is tried again with the next result.
    pub fn save(&self) -> Result<(), Error> {
        let mut state = self.lock();
        if std::mem::take(&mut state.is_behind) {
            self.write(&state.results)
        } else {
            Ok(())
        }
    }

    /// Completes the file, with all results in it.
    ///
    /// # Errors
    ///
    /// If it can't be written.
    pub fn finish(&self, results: &[SyncResult], interrupted: bool) -> Result<(), Error> {
        let mut state = self.lock();
        state.results.results = results.to_vec();
        state.results.complete = true;
        state.results.interrupted = interrupted;
        self.write(&state.results)
    }

    /// Returns what is or would be in the file.
    pub fn document(&self) -> SavedResults {
        self.lock().results.clone()
    }

    /// Locks the state. Each result is added in one step, so the state can be used even if somebody panicked while holding it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, results: &SavedResults) -> Result<(), Error> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = to_text(results).map_err(Error::Other)?;
        files::write_whole(path, text.as_bytes()).map_err(Error::file("the results file", None))
    }
}
