//! What people read where Markdown is shown: comments on pull requests, summaries of CI jobs.
//!
//! Written for GitHub. Elsewhere its alerts are plain quotes, and a drawing is its few lines of text.

mod alert;
mod drawing;
mod escape;
mod fit;
mod plan;
mod results;
mod status;

pub use fit::MAX_BYTES;
pub use plan::{Commands, plan, refused_plan};
pub use results::results;
pub use status::status;
