//! `plan.json` and `results.json`: documents as text and back, with format version and digest.

mod format_version;
mod json_text;
mod plan_file_error;
mod plan_json;
mod results_json;
mod strict_json;

pub use format_version::FORMAT_VERSION;
pub use json_text::to_text;
pub use plan_file_error::PlanFileError;
pub use plan_json::{Header, MAX_BYTES, digest, open, read, seal};
pub use results_json::open_results;
