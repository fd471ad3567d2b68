//! `plan.json`

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::format::{FORMAT_VERSION, FileKind, not_writable, other_version};
use super::strict_json;
use crate::model::client_config::sha256;
use crate::model::invariants::{broken, conflict_between_jobs};
use crate::model::plan::{ConfigRef, JobPlan, Plan, SavedPlan, Summary};
use crate::model::problem::Problem;

/// The largest plan file that is read. It has room for hundreds of thousands of actions, and limits the use of memory.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The parts of a plan that the digest covers. The rest (when it was made, from which path) may differ between machines.
const COVERED: [&str; 4] = ["format_version", "provider", "selection", "jobs"];

/// The other parts of a plan.
const NOT_COVERED: [&str; 5] = ["xrs_version", "created_at", "digest", "config", "summary"];

const PLAN: FileKind = FileKind {
    noun: "a plan",
    made_by: "plans are written by `xrs plan --out FILE`",
    make_again: "plan again",
};

/// Returns a plan ready to be saved and approved, with its summary and digest. `created_at` is the time by the provider's clock
/// (UTC); `config` is what the plan was made from.
///
/// # Errors
///
/// If the plan has no digest, because it can't be written as JSON.
pub fn seal(plan: Plan, created_at: Timestamp, config: ConfigRef) -> Result<SavedPlan, Problem> {
    let mut saved = SavedPlan {
        format_version: FORMAT_VERSION.to_owned(),
        xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        digest: String::new(),
        provider: plan.provider,
        selection: plan.selection,
        config,
        summary: Summary::of(&plan.jobs),
        jobs: plan.jobs,
    };
    let value = serde_json::to_value(&saved).map_err(not_writable)?;
    saved.digest = digest(&value)?;
    Ok(saved)
}

/// Reads a plan to be applied. Every key must be known, digest and summary must match the content, and the invariants must hold.
///
/// # Errors
///
/// If it is not a plan that can be applied.
pub fn read(bytes: &[u8]) -> Result<SavedPlan, Problem> {
    let value = json(bytes)?;
    let version = PLAN.version(&value)?;
    if version != FORMAT_VERSION {
        return Err(other_version(&version));
    }
    let plan: SavedPlan = PLAN.read(&value)?;
    if let Some(key) = unknown_key(&value) {
        return Err(PLAN.mismatch(format!("it has an unknown key {key}")));
    }
    let damaged = |message: String| Err(Problem::new(message).help(PLAN.made_by));
    let (stated, actual) = (&plan.digest, digest(&value)?);
    if *stated != actual {
        return damaged(format!(
            "its digest is {stated}, but that of its content is {actual}: it was changed after it was made"
        ));
    }
    let alone = |job: &JobPlan| Some((job.name.clone(), broken(job)?));
    let together = || conflict_between_jobs(&plan.jobs).map(|(job, what)| (job.clone(), what));
    if let Some((job, what)) = plan.jobs.iter().find_map(alone).or_else(together) {
        return damaged(format!(
            "it is not a plan that xrs would make: {job}: {what}"
        ));
    }
    if plan.summary != Summary::of(&plan.jobs) {
        return damaged("its summary does not match its jobs".to_owned());
    }
    Ok(plan)
}

/// Reads a plan to be shown. Keys that a newer minor version added are skipped.
///
/// # Errors
///
/// If it is not a plan, or has a different major version.
pub fn open(bytes: &[u8]) -> Result<SavedPlan, Problem> {
    PLAN.read(&json(bytes)?)
}

/// Returns the digest of a plan as it was read: SHA-256 over the canonical JSON (RFC 8785) of what the digest covers.
///
/// # Errors
///
/// If a part that it covers is missing, or has no canonical JSON.
pub fn digest(plan: &Value) -> Result<String, Problem> {
    let mut covered = BTreeMap::new();
    for key in COVERED {
        let missing = || PLAN.mismatch(format!("it has no {key}"));
        covered.insert(key, plan.get(key).ok_or_else(missing)?);
    }
    let canonical = serde_json_canonicalizer::to_vec(&covered).map_err(not_writable)?;
    Ok(sha256(&canonical))
}

/// Returns the JSON of a plan.
fn json(bytes: &[u8]) -> Result<Value, Problem> {
    let value = strict_json::read(bytes).map_err(|error| {
        Problem::new(format!("it is not valid JSON: {error}")).help(PLAN.made_by)
    })?;
    // For a file of a different kind, this is more helpful than saying which key of a plan is missing.
    if value.get("plan_digest").is_some() {
        let kind = "it holds the results of an apply, which `xrs show` shows";
        return Err(PLAN.mismatch(kind));
    }
    if value.get("regions").is_some() {
        return Err(PLAN.mismatch("it is a sandbox, to be passed with --sandbox"));
    }
    Ok(value)
}

/// Returns a top-level key that plans do not have: the digest does not cover it, and nothing would carry it out.
fn unknown_key(value: &Value) -> Option<&String> {
    let is_known = |key: &str| COVERED.contains(&key) || NOT_COVERED.contains(&key);
    value.as_object()?.keys().find(|key| !is_known(key))
}
