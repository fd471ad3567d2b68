//! `plan.json` and `results.json`: documents as text and back, with format version and digest.
//!
//! What a plan file may hold is said in four places: its keys are the fields of [`SavedPlan`] and, for each action, of
//! [`Action`]; which plans are possible at all is in [`invariants`]; which keys the digest covers is in `plan_json.rs`; which
//! versions and which JSON are read is in `format.rs` and `strict_json.rs`. The keys of `results.json` are the fields of
//! [`SavedResults`].
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
