//! Plans and results as files.

use std::path::Path;

use super::operation_error::Error;
use super::refused::Refused;
use crate::files;
use crate::model::plan::SavedPlan;
use crate::model::result::SavedResults;
use crate::planfile::{self, PlanFileError};

/// A file to be shown.
#[derive(Debug)]
pub enum Saved {
    /// A plan, and why apply would refuse it, if its file already says so.
    Plan(Box<SavedPlan>, Option<Flaw>),
    /// The results of an apply.
    Results(SavedResults),
}

/// Why a plan that can be shown can't be applied.
#[derive(Clone, Debug)]
pub struct Flaw {
    /// What is wrong.
    pub why: String,
    /// The digest of its content, if that is not the one it states.
    pub digest: Option<String>,
    /// Whether it was changed; otherwise this version of xrs is too old for it.
    pub is_edited: bool,
}

impl Flaw {
    fn of(bytes: &[u8], stated: &str) -> Option<Self> {
        let error = planfile::read(bytes).err()?;
        let value = serde_json::from_slice(bytes).unwrap_or_default();
        let digest = planfile::digest(&value).ok();
        let digest = digest.filter(|actual| actual != stated);
        Some(Self {
            why: error.to_string(),
            is_edited: digest.is_some() || !matches!(error, PlanFileError::Version { .. }),
            digest,
        })
    }
}

/// Refuses an output that is a file which the command reads, under any name, and `-`. `inputs` are these files, with what each is.
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
        return Err(Error::NotAFile { option });
    }
    for (what, input) in inputs {
        if let Some(input) = input.filter(|input| files::is_same(output, input)) {
            return Err(Error::Replaces {
                option,
                output: output.to_owned(),
                what,
                input: input.to_owned(),
            });
        }
    }
    Ok(())
}

/// Reads a plan that is to be applied.
///
/// # Errors
///
/// If it can't be read; [`Refused`] if it is not a plan of a known format, or was changed after it was made.
pub fn read_plan(path: &Path) -> Result<SavedPlan, Error> {
    const MADE_BY: &str = "plans are written by `xrs plan --out FILE`";
    let bytes = files::read(path, planfile::MAX_BYTES);
    let bytes = bytes.map_err(Error::file("the plan", Some(MADE_BY)))?;
    let path = path.to_owned();
    planfile::read(&bytes).map_err(|source| Refused::PlanFile { path, source }.into())
}

/// Writes a plan to a file, whole or not at all.
///
/// # Errors
///
/// If that fails.
pub fn save_plan(path: &Path, plan: &SavedPlan) -> Result<(), Error> {
    let text = planfile::to_text(plan).map_err(Error::NotWritable)?;
    files::write_whole(path, text.as_bytes()).map_err(Error::file("the plan", None))
}

/// Reads a plan or results, to be shown: unknown keys of a newer minor version are skipped.
///
/// # Errors
///
/// If the file can't be read, or is neither.
pub fn open_saved(path: &Path) -> Result<Saved, Error> {
    const MADE_BY: &str =
        "plans are written by `xrs plan --out FILE`, results by `xrs apply PLAN --results FILE`";
    let bytes = files::read(path, planfile::MAX_BYTES);
    let bytes = bytes.map_err(Error::file("the file", Some(MADE_BY)))?;
    let unusable = |source| Error::Saved {
        path: path.to_owned(),
        source,
    };
    if let Some(results) = planfile::open_results(&bytes).map_err(unusable)? {
        return Ok(Saved::Results(results));
    }
    let plan = planfile::open(&bytes).map_err(unusable)?;
    let flaw = Flaw::of(&bytes, &plan.digest);
    Ok(Saved::Plan(Box::new(plan), flaw))
}
