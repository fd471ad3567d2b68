//! What people read on a terminal, in Terraform's manner.

mod action_lines;
mod plan;
mod progress;
mod results;
mod screen;
mod status;

pub(super) use plan::one_job;
pub use plan::{plan, refused_plan};
pub use progress::{copying, deferred, finished};
pub(super) use results::{one_result, why_not_complete};
pub use results::{results, saved_results};
pub use status::status;
