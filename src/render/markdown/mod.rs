//! What people read where Markdown is shown: comments on pull requests, summaries of jobs.
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
pub use plan::{plan, refused_plan};
pub use results::results;
pub use status::status;

/// The commands that a plan recommends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// Shows all of the plan.
    pub show: String,
    /// Carries it out, if there is something to carry out.
    pub apply: Option<String>,
}
