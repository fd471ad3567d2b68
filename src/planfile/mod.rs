//! `plan.json`: a plan as text and back, with its format version and its digest.

mod json;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::model::client_config::sha256;
use crate::model::id::JobName;
use crate::model::invariants::{broken, broken_together};
use crate::model::json::document;
use crate::model::plan::{ConfigRef, JobPlan, Plan, SavedPlan, Summary};

/// The format this version writes: `major.minor`. Within a major version keys are only added.
pub const FORMAT_VERSION: &str = "1.0";

/// The largest plan file that is read: room for some hundred thousand actions, and a bound on memory.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The parts of a plan that the digest covers. What else is in the file (when it was made, from which path)
/// may differ between machines.
const COVERED: [&str; 4] = ["format_version", "provider", "selection", "jobs"];

/// What a plan file says beside the plan.
#[derive(Clone, Debug)]
pub struct Header {
    /// When the plan was made (UTC), by the provider's clock.
    pub created_at: Timestamp,
    /// The config it was made from.
    pub config: ConfigRef,
}

/// Why a file is no plan that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanFileError {
    /// It is no JSON, or it ends too early.
    #[error("it is not valid JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(String),
    /// It has another format than this version of xrs reads.
    #[error("its format version is {found}; this xrs reads {FORMAT_VERSION}")]
    Version {
        /// What the file says.
        found: String,
    },
    /// It was changed after it was made.
    #[error(
        "its digest is {stated}, but its content has {actual}: it was changed after it was made"
    )]
    Digest {
        /// What the file says.
        stated: String,
        /// What it should say.
        actual: String,
    },
    /// It breaks what holds of every plan that xrs makes.
    #[error("it is no plan that xrs would make: {job}: {what}")]
    Unsound {
        /// The job.
        job: JobName,
        /// What does not hold.
        what: String,
    },
    /// Its summary tells something else than its jobs.
    #[error("its summary is not what its jobs come to: {stated}, but the jobs give {actual}")]
    Summary {
        /// What the file says.
        stated: String,
        /// What it should say.
        actual: String,
    },
}

impl PlanFileError {
    /// The way out.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotJson(_) | Self::NotAPlan(_) => "plans are written by `xrs plan --out FILE`",
            Self::Version { .. } => {
                "make the plan anew with this version of xrs, or apply it with the one that made it"
            }
            Self::Digest { .. } | Self::Unsound { .. } | Self::Summary { .. } => {
                "make the plan anew with `xrs plan --out FILE`"
            }
        }
    }
}

/// Makes a plan ready to be saved and approved: with its summary and its digest.
pub fn seal(plan: Plan, header: Header) -> SavedPlan {
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
    // A plan is plain data of strings, numbers and lists, which always serialises; were it ever not to, the digest
    // of nothing would be refused by whoever reads the file.
    saved.digest = digest(&serde_json::to_value(&saved).unwrap_or_default());
    saved
}

/// The text of a plan file, ending in a newline.
pub fn to_text(plan: &SavedPlan) -> String {
    document(plan).unwrap_or_default()
}

/// Reads a plan to be applied: its format version is known, its digest and its summary are those of its content.
///
/// # Errors
///
/// If it is not such a plan.
pub fn read(bytes: &[u8]) -> Result<SavedPlan, PlanFileError> {
    let value = json(bytes)?;
    let (major, minor, found) = version(&value)?;
    if major != this_version().0 || minor > this_version().1 {
        return Err(PlanFileError::Version { found });
    }
    let plan = plan(&value)?;
    let actual = digest(&value);
    if plan.digest != actual {
        return Err(PlanFileError::Digest {
            stated: plan.digest,
            actual,
        });
    }
    let alone = |job: &JobPlan| Some((job.name.clone(), broken(job)?));
    let together = || broken_together(&plan.jobs).map(|(job, what)| (job.clone(), what));
    if let Some((job, what)) = plan.jobs.iter().find_map(alone).or_else(together) {
        return Err(PlanFileError::Unsound { job, what });
    }
    let summary = Summary::of(&plan.jobs);
    if plan.summary != summary {
        let (stated, actual) = (plan.summary.to_string(), summary.to_string());
        return Err(PlanFileError::Summary { stated, actual });
    }
    Ok(plan)
}

/// Reads a plan to be shown: keys that a newer minor version added are passed over.
///
/// # Errors
///
/// If it is no plan, or one of another major version.
pub fn open(bytes: &[u8]) -> Result<SavedPlan, PlanFileError> {
    let value = json(bytes)?;
    let (major, _, found) = version(&value)?;
    if major != this_version().0 {
        return Err(PlanFileError::Version { found });
    }
    plan(&value)
}

/// The digest of a plan as it was read: SHA-256 over the RFC 8785 canonical JSON of what it covers.
pub fn digest(plan: &Value) -> String {
    let covered: serde_json::Map<String, Value> = COVERED
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), plan.get(key)?.clone())))
        .collect();
    sha256(&serde_json_canonicalizer::to_vec(&covered).unwrap_or_default())
}

fn json(bytes: &[u8]) -> Result<Value, PlanFileError> {
    json::read(bytes).map_err(|error| PlanFileError::NotJson(error.to_string()))
}

fn plan(value: &Value) -> Result<SavedPlan, PlanFileError> {
    // `Value` as a deserializer names no line, but the key that does not fit.
    serde::Deserialize::deserialize(value)
        .map_err(|error: serde_json::Error| PlanFileError::NotAPlan(error.to_string()))
}

/// Major and minor format version, and both as written.
fn version(value: &Value) -> Result<(u32, u32, String), PlanFileError> {
    let Some(found) = value.get("format_version") else {
        return Err(PlanFileError::NotAPlan(
            "it has no format_version".to_owned(),
        ));
    };
    let text = found
        .as_str()
        .map_or_else(|| found.to_string(), str::to_owned);
    let parsed = text
        .split_once('.')
        .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match parsed {
        Some((major, minor)) => Ok((major, minor, text)),
        None => Err(PlanFileError::Version { found: text }),
    }
}

fn this_version() -> (u32, u32) {
    (1, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::ProviderKind;

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
        seal(plan, Header { created_at, config })
    }

    fn edited(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut value = serde_json::to_value(saved()).expect("a value");
        edit(&mut value);
        serde_json::to_vec(&value).expect("text")
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        let plan = saved();
        assert_eq!(read(to_text(&plan).as_bytes()), Ok(plan));
    }

    #[test]
    fn this_version_is_the_format_version() {
        let (major, minor) = this_version();
        assert_eq!(FORMAT_VERSION, format!("{major}.{minor}"));
    }

    #[test]
    fn the_digest_covers_decisions_and_leaves_out_when_and_where() {
        let elsewhere = edited(|plan| {
            plan["created_at"] = "2026-02-01T00:00:00Z".into();
            plan["config"]["path"] = "elsewhere.yaml".into();
        });
        assert!(read(&elsewhere).is_ok());
        let other_jobs = edited(|plan| plan["selection"] = serde_json::json!(["sync_a"]));
        assert!(matches!(
            read(&other_jobs),
            Err(PlanFileError::Digest { .. })
        ));
        let added = edited(|plan| plan["provider"] = "aws".into());
        assert!(matches!(read(&added), Err(PlanFileError::Digest { .. })));
    }

    #[test]
    fn an_edited_summary_is_found_though_no_digest_covers_it() {
        let text = edited(|plan| plan["summary"]["delete_snapshot"] = 3.into());
        assert!(matches!(read(&text), Err(PlanFileError::Summary { .. })));
    }

    #[test]
    fn other_versions_are_refused_for_apply_and_newer_minors_shown() {
        let newer_minor = edited(|plan| {
            plan["format_version"] = "1.7".into();
            plan["new_key"] = 1.into();
        });
        assert!(
            matches!(read(&newer_minor), Err(PlanFileError::Version { found }) if found == "1.7")
        );
        assert!(open(&newer_minor).is_ok());
        for version in ["2.0", "0.9", "one"] {
            let text = edited(|plan| plan["format_version"] = version.into());
            assert!(
                matches!(read(&text), Err(PlanFileError::Version { found }) if found == version)
            );
            assert!(open(&text).is_err());
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let text = to_text(&saved()).replacen("\"digest\"", "\"digest\": \"x\", \"digest\"", 1);
        assert!(matches!(
            read(text.as_bytes()),
            Err(PlanFileError::NotJson(_))
        ));
    }

    #[test]
    fn what_is_no_plan_says_so() {
        for text in ["", "{", "[]", "{}", "null", "{\"format_version\": \"1.0\"}"] {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
            assert!(open(text.as_bytes()).is_err(), "{text:?}");
        }
        let cut = to_text(&saved());
        assert!(matches!(
            read(&cut.as_bytes()[..cut.len() / 2]),
            Err(PlanFileError::NotJson(_))
        ));
    }
}
