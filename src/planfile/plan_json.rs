//! `plan.json`

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::format_version::{FORMAT_VERSION, Format};
use super::json_text::canonical;
use super::plan_file_error::PlanFileError;
use super::strict_json;
use crate::model::client_config::sha256;
use crate::model::invariants::{broken, broken_together};
use crate::model::plan::{ConfigRef, JobPlan, Plan, SavedPlan, Summary};

/// The largest plan file that is read: room for some hundred thousand actions, and a bound on memory.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The parts of a plan that the digest covers. The rest (when it was made, from which path) may differ between machines.
const COVERED: [&str; 4] = ["format_version", "provider", "selection", "jobs"];

/// The other parts of a plan.
const NOT_COVERED: [&str; 5] = ["xrs_version", "created_at", "digest", "config", "summary"];

/// What a plan file states beside the plan.
#[derive(Clone, Debug)]
pub struct Header {
    /// When the plan was made (UTC), by the provider's clock.
    pub created_at: Timestamp,
    /// The config it was made from.
    pub config: ConfigRef,
}

/// Returns a plan ready to be saved and approved: with its summary and its digest.
///
/// # Errors
///
/// If the plan has no digest, because it can't be written as JSON.
pub fn seal(plan: Plan, header: Header) -> Result<SavedPlan, PlanFileError> {
    let Plan {
        provider,
        selection,
        jobs,
    } = plan;
    let Header { created_at, config } = header;
    let mut saved = SavedPlan {
        format_version: FORMAT_VERSION.to_owned(),
        xrs_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at,
        digest: String::new(),
        provider,
        selection,
        config,
        summary: Summary::of(&jobs),
        jobs,
    };
    let value = serde_json::to_value(&saved)
        .map_err(|error| PlanFileError::NotWritable(error.to_string()))?;
    saved.digest = digest(&value)?;
    Ok(saved)
}

/// Reads a plan to be applied: every key is known, and digest, summary and invariants are those of its content.
///
/// # Errors
///
/// If it is not a plan that can be applied.
pub fn read(bytes: &[u8]) -> Result<SavedPlan, PlanFileError> {
    let value = json(bytes)?;
    if let Format::NewerMinor(found) = Format::of(&value) {
        return Err(PlanFileError::Version { found });
    }
    let plan = plan(&value)?;
    if let Some(key) = unknown_key(&value) {
        return Err(PlanFileError::NotAPlan(format!(
            "it has an unknown key {key}"
        )));
    }
    let actual = digest(&value)?;
    if plan.digest != actual {
        return Err(PlanFileError::Digest {
            stated: plan.digest,
            actual,
        });
    }
    let alone = |job: &JobPlan| Some((job.name.clone(), broken(job)?));
    let together = || broken_together(&plan.jobs).map(|(job, what)| (job.clone(), what));
    if let Some((job, what)) = plan.jobs.iter().find_map(alone).or_else(together) {
        return Err(PlanFileError::Invalid { job, what });
    }
    let summary = Summary::of(&plan.jobs);
    if plan.summary != summary {
        let (stated, actual) = (plan.summary.to_string(), summary.to_string());
        return Err(PlanFileError::Summary { stated, actual });
    }
    Ok(plan)
}

/// Reads a plan to be shown: keys that a newer minor version added are skipped.
///
/// # Errors
///
/// If it is not a plan, or a plan of another major version.
pub fn open(bytes: &[u8]) -> Result<SavedPlan, PlanFileError> {
    plan(&json(bytes)?)
}

/// Returns the digest of a plan as it was read: SHA-256 over the canonical JSON of what the digest covers.
///
/// # Errors
///
/// If a part that it covers is missing, or has no canonical JSON.
pub fn digest(plan: &Value) -> Result<String, PlanFileError> {
    let mut covered = BTreeMap::new();
    for key in COVERED {
        let missing = || PlanFileError::NotAPlan(format!("it has no {key}"));
        covered.insert(key, plan.get(key).ok_or_else(missing)?);
    }
    Ok(sha256(&canonical(&covered)?))
}

fn json(bytes: &[u8]) -> Result<Value, PlanFileError> {
    strict_json::read(bytes).map_err(|error| PlanFileError::NotJson(error.to_string()))
}

fn plan(value: &Value) -> Result<SavedPlan, PlanFileError> {
    // For a file of another kind, this says more than which key of a plan is missing.
    let other_kind = if value.get("plan_digest").is_some() {
        Some("it holds the results of an apply, which `xrs show` shows")
    } else if value.get("regions").is_some() {
        Some("it is a sandbox, to be passed with --sandbox")
    } else {
        None
    };
    if let Some(kind) = other_kind {
        return Err(PlanFileError::NotAPlan(kind.to_owned()));
    }
    match Format::of(value) {
        Format::Known | Format::NewerMinor(_) => {}
        Format::Older => return Err(PlanFileError::OlderPlan),
        Format::Foreign(found) => return Err(PlanFileError::Version { found }),
        Format::Missing => {
            let why = "it has no format_version".to_owned();
            return Err(PlanFileError::NotAPlan(why));
        }
    }
    SavedPlan::deserialize(value).map_err(|error| PlanFileError::NotAPlan(error.to_string()))
}

/// Returns a key at the top that is not one of a plan: no digest covers it, and nobody would carry it out.
fn unknown_key(value: &Value) -> Option<&String> {
    let is_known = |key: &str| COVERED.contains(&key) || NOT_COVERED.contains(&key);
    value.as_object()?.keys().find(|key| !is_known(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::ProviderKind;
    use crate::planfile::json_text::to_text;

    fn saved() -> SavedPlan {
        let plan = Plan {
            provider: ProviderKind::Sandbox,
            selection: None,
            jobs: Vec::new(),
        };
        let config = ConfigRef {
            path: "xrs.yaml".to_owned(),
            sha256: sha256(b""),
        };
        let created_at = "2026-01-15T06:00:00Z".parse().expect("a time");
        seal(plan, Header { created_at, config }).expect("a digest")
    }

    fn text() -> String {
        to_text(&saved()).expect("JSON")
    }

    fn edited(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = serde_json::to_value(saved()).expect("a value");
        edit(&mut value);
        serde_json::to_vec(&value).expect("text")
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        assert_eq!(read(text().as_bytes()), Ok(saved()));
    }

    #[test]
    fn the_digest_covers_decisions_and_leaves_out_when_and_where() {
        let elsewhere = edited(|plan| {
            plan["created_at"] = "2026-02-01T00:00:00Z".into();
            plan["config"]["path"] = "elsewhere.yaml".into();
        });
        assert!(read(&elsewhere).is_ok());
        for (key, other) in [
            ("selection", serde_json::json!(["sync_a"])),
            ("provider", "aws".into()),
        ] {
            let other = edited(|plan| plan[key] = other);
            assert!(
                matches!(read(&other), Err(PlanFileError::Digest { .. })),
                "{key}"
            );
        }
    }

    #[test]
    fn a_plan_that_lacks_what_the_digest_covers_has_none() {
        assert!(digest(&Value::Null).is_err());
        for key in COVERED {
            let mut value = serde_json::to_value(saved()).expect("a value");
            assert!(digest(&value).is_ok());
            value.as_object_mut().expect("an object").remove(key);
            let expected = PlanFileError::NotAPlan(format!("it has no {key}"));
            assert_eq!(digest(&value), Err(expected));
        }
    }

    #[test]
    fn what_no_digest_covers_is_checked_all_the_same() {
        let text = edited(|plan| plan["summary"]["delete"] = 3.into());
        assert!(matches!(read(&text), Err(PlanFileError::Summary { .. })));
        let text = edited(|plan| plan["keep"] = "all".into());
        let expected = PlanFileError::NotAPlan("it has an unknown key keep".to_owned());
        assert_eq!(read(&text), Err(expected));
        assert!(open(&text).is_ok());
    }

    #[test]
    fn other_versions_are_refused_for_apply_and_newer_minors_shown() {
        let versioned = |version: &str| {
            edited(|plan| {
                plan["format_version"] = version.into();
                plan["new_key"] = 1.into();
            })
        };
        let refused = |found: &str| PlanFileError::Version {
            found: found.to_owned(),
        };
        assert_eq!(read(&versioned("2.7")), Err(refused("2.7")));
        assert!(open(&versioned("2.7")).is_ok());
        for (version, error) in [("1.0", PlanFileError::OlderPlan), ("3.0", refused("3.0"))] {
            assert_eq!(read(&versioned(version)), Err(error.clone()));
            assert_eq!(open(&versioned(version)), Err(error));
        }
        assert!(
            PlanFileError::OlderPlan
                .to_string()
                .ends_with("made by an older version of xrs: plan again")
        );
    }

    #[test]
    fn what_is_not_a_plan_says_so() {
        for text in ["", "{", "[]", "{}", "null", "{\"format_version\": \"2.0\"}"] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
            assert!(open(text.as_bytes()).is_err(), "{text:?}");
        }
        let text = text();
        let cut = &text.as_bytes()[..text.len() / 2];
        assert!(matches!(read(cut), Err(PlanFileError::NotJson(_))));
        let twice = text.replacen("\"digest\"", "\"digest\": \"x\", \"digest\"", 1);
        assert!(matches!(
            read(twice.as_bytes()),
            Err(PlanFileError::NotJson(_))
        ));
        for (other, kind) in [
            ("{\"plan_digest\": \"x\"}", "results"),
            ("{\"regions\": {}}", "sandbox"),
        ] {
            let error = read(other.as_bytes()).expect_err("not a plan").to_string();
            assert!(error.contains(kind), "{error}");
        }
    }
}
