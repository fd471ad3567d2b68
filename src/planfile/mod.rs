//! `plan.json` and `results.json`: conversion to and from text, with format version and digest.
//!
//! Four places define what a plan file may hold. Its keys are the fields of [`SavedPlan`] and, for each action, of [`Action`].
//! [`invariants`] says which plans are possible, `plan_json.rs` which keys the digest covers, and `format.rs` and `strict_json.rs`
//! which versions and which JSON are read. The keys of `results.json` are the fields of [`SavedResults`].
//!
//! [`SavedPlan`]: crate::model::plan::SavedPlan
//! [`Action`]: crate::model::action::Action
//! [`invariants`]: crate::model::invariants
//! [`SavedResults`]: crate::model::result::SavedResults

mod format;
mod plan_json;
mod results_json;
mod strict_json;

pub use format::{FORMAT_VERSION, to_text};
pub use plan_json::{MAX_BYTES, digest, open, read, seal};
pub use results_json::open_results;
