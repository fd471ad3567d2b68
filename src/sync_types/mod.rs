//! The types of sync jobs: one file for each, with everything that is special about it. Everything here is pure.
//!
//! A new type is a file beside `ami.rs`, an entry in [`SyncTypeName`](crate::model::kind::SyncTypeName) and in [`SYNC_TYPES`],
//! and, if AWS stores it as a new kind, a row in the table of [`crate::model::kind`].

mod ami;
mod configured_job;
mod db_snapshot;
mod image_filter;
mod option_value;
mod permissions;
mod registry;
mod rules;

pub use ami::AmiOptions;
pub use configured_job::ConfiguredJob;
pub use db_snapshot::DbSnapshotOptions;
pub use option_value::{from_text, refused, whole_number};
pub use permissions::{PolicyStage, Statement, arn, stated_account};
pub use registry::{OptionError, SYNC_TYPES, SyncType, read_options};
pub use rules::{Belonging, CopySettings, SyncJob, SyncTypeRules};
