//! `plan.json` and `results.json`: documents as text and back, with format version and digest.

mod error;
mod plan;
mod results;
mod strict_json;
mod text;
mod version;

pub use error::PlanFileError;
pub use plan::{Header, MAX_BYTES, digest, open, read, seal};
pub use results::open_results;
pub use text::to_text;
pub use version::FORMAT_VERSION;
