//! The library's operations. Each is a short path through the other modules.

mod apply;
mod approval;
mod config_file;
mod operation_error;
mod operation_options;
mod plan;
mod policy;
mod results_file;
mod sandbox;
mod saved;
mod schemas;
mod status;
mod validate;

pub use crate::executor::{Event, Wait};
pub use apply::{apply, carry_out, run};
pub use approval::{Approved, approve, refuse_other_provider};
pub use config_file::{ConfigFile, changed_config, init, needs_config};
pub use operation_error::{ConfigProblems, Error};
pub use operation_options::{DEFAULT_PARALLELISM, Options};
pub use plan::{plan, plan_with_inventory, sync_required};
pub use policy::{MAX_POLICY_CHARACTERS, PolicyStage, WrittenPolicy, policy};
pub use results_file::ResultsFile;
pub use sandbox::{MAX_SANDBOX_BYTES, NewWorld, OpenSandbox, example_world, open_sandbox};
pub use saved::{Flaw, Saved, open_saved, read_plan, refuse_to_replace, save_plan};
pub use schemas::{Document, schema};
pub use status::status;
pub use validate::{Validated, validate};
