//! Plans and results as files.

use std::path::Path;

use super::operation_error::{Error, because};
use crate::files;
use crate::model::plan::SavedPlan;
use crate::model::result::SavedResults;
use crate::planfile;

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
    fn of(bytes: &[u8], plan: &SavedPlan) -> Option<Self> {
        let problem = planfile::read(bytes).err()?;
        let value = serde_json::from_slice(bytes).unwrap_or_default();
        let digest = planfile::digest(&value).ok();
        let digest = digest.filter(|actual| *actual != plan.digest);
        Some(Self {
            why: problem.message,
            is_edited: digest.is_some() || plan.format_version == planfile::FORMAT_VERSION,
            digest,
        })
    }
}

/// Refuses an output that is a file which the command reads, under any name, or the sandbox or its lock, and `-`. `inputs` are the
/// files that it reads, with what each is.
///
/// # Errors
///
/// If `output` is one of them.
pub fn refuse_to_replace(
    option: &str,
    output: Option<&Path>,
    inputs: &[(&str, &Path)],
    sandbox: Option<&Path>,
) -> Result<(), Error> {
    let Some(output) = output else { return Ok(()) };
    if output == Path::new("-") {
        let help = match option {
            "--out" => "--format json prints to stdout",
            _ => "name a file; `xrs show FILE --format json` prints it",
        };
        return Err(Error::other(format!("{option} takes a file, not -"), help));
    }
    let lock = sandbox.map(files::lock_path);
    let of_sandbox = sandbox.map(|path| ("the sandbox", path));
    let of_lock = lock
        .as_deref()
        .map(|path| ("the lock of the sandbox", path));
    for (what, input) in inputs.iter().copied().chain(of_sandbox).chain(of_lock) {
        if files::is_same(output, input) {
            let (output, input) = (output.display(), input.display());
            let message = format!("{option} {output} would replace {what} {input}");
            return Err(Error::other(message, "name another file"));
        }
    }
    Ok(())
}

/// Reads a plan that is to be applied.
///
/// # Errors
///
/// If it can't be read; [`Error::Refused`] if it is not a plan of a known format, or was changed after it was made.
pub fn read_plan(path: &Path) -> Result<SavedPlan, Error> {
    const MADE_BY: &str = "plans are written by `xrs plan --out FILE`";
    let bytes = files::read(path, planfile::MAX_BYTES);
    let bytes = bytes.map_err(Error::file("the plan", Some(MADE_BY)))?;
    let what = format!("{} cannot be applied", path.display());
    planfile::read(&bytes).map_err(|problem| Error::Refused(because(what, problem)))
}

/// Writes a plan to a file, whole or not at all.
///
/// # Errors
///
/// If that fails.
pub fn save_plan(path: &Path, plan: &SavedPlan) -> Result<(), Error> {
    let text = planfile::to_text(plan).map_err(Error::Other)?;
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
    let what = format!("{} cannot be shown", path.display());
    let unusable = |problem| Error::Other(because(&what, problem));
    if let Some(results) = planfile::open_results(&bytes).map_err(unusable)? {
        return Ok(Saved::Results(results));
    }
    let plan = planfile::open(&bytes).map_err(unusable)?;
    let flaw = Flaw::of(&bytes, &plan);
    Ok(Saved::Plan(Box::new(plan), flaw))
}
