//! The types of sync jobs: one file for each, with everything that is specific to it. Everything here is pure.
//!
//! A new type needs a file next to `ami.rs`, a variant of [`SyncTypeName`], and an arm in each `match` below. If AWS stores it as a
//! new kind, it also needs a row in the table of [`crate::model::kind`], and code in both providers. In the schema, options that are
//! about the copies, not about the source, have the mark `x-per-destination`: each destination of a job may have its own value.

mod ami;
mod automated;
mod db_cluster_snapshot;
mod db_snapshot;
mod image_filter;
mod image_permissions;
mod option_value;
mod permissions;
mod rules;
mod source_conditions;

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::model::kind::SyncTypeName;

pub use ami::AmiOptions;
pub use db_cluster_snapshot::DbClusterSnapshotOptions;
pub use db_snapshot::DbSnapshotOptions;
pub use option_value::{from_text, refused, whole_number};
pub use permissions::{PolicyStage, Statement, arn, stated_account};
pub use rules::{
    ConfiguredJob, CopyOwner, CopySettings, Finding, RetentionRules, SyncJob, SyncTypeRules,
};

/// Why options can't be read, with the path to the option.
pub type OptionError = serde_path_to_error::Error<serde_yaml::Error>;

/// Returns the JSON Schema of the options that only jobs of this type have.
pub fn options_schema(of: SyncTypeName, generator: &mut SchemaGenerator) -> Schema {
    match of {
        SyncTypeName::Ec2Ami => AmiOptions::json_schema(generator),
        SyncTypeName::RdsAutomatedSnapshot => DbSnapshotOptions::json_schema(generator),
        SyncTypeName::RdsAutomatedClusterSnapshot => {
            DbClusterSnapshotOptions::json_schema(generator)
        }
    }
}

/// Reads these options.
///
/// # Errors
///
/// See [`read_options`].
pub fn read_rules(of: SyncTypeName, options: Value) -> Result<Arc<dyn SyncTypeRules>, OptionError> {
    Ok(match of {
        SyncTypeName::Ec2Ami => Arc::new(read_options::<AmiOptions>(options)?),
        SyncTypeName::RdsAutomatedSnapshot => Arc::new(read_options::<DbSnapshotOptions>(options)?),
        SyncTypeName::RdsAutomatedClusterSnapshot => {
            Arc::new(read_options::<DbClusterSnapshotOptions>(options)?)
        }
    })
}

/// Reads options from a mapping.
///
/// # Errors
///
/// If an option is unknown or missing, or has the wrong form.
pub fn read_options<T: DeserializeOwned>(options: Value) -> Result<T, OptionError> {
    serde_path_to_error::deserialize(options)
}
