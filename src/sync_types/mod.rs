//! The types of sync jobs: one file for each, with everything that is special about it. Everything here is pure.
//!
//! A new type is a file beside `ami.rs`, an entry in [`SyncTypeName`](crate::model::kind::SyncTypeName) and in [`SYNC_TYPES`],
//! and, if AWS stores it as a new kind, a row in the table of [`crate::model::kind`].

mod ami;
mod db_snapshot;
mod image_filter;
mod option_value;
mod permissions;
mod rules;

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::model::kind::SyncTypeName;

pub use ami::AmiOptions;
pub use db_snapshot::DbSnapshotOptions;
pub use option_value::{from_text, refused, whole_number};
pub use permissions::{PolicyStage, Statement, arn, stated_account};
pub use rules::{Belonging, ConfiguredJob, CopySettings, SyncJob, SyncTypeRules};

/// Why options can't be read, with the path to the option.
pub type OptionError = serde_path_to_error::Error<serde_yaml::Error>;

/// A sync type, as the config knows it.
#[derive(Clone, Copy, Debug)]
pub struct SyncType {
    /// Its name in the config.
    pub name: SyncTypeName,
    /// Returns the JSON Schema of the options that only this type has.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads these options.
    pub read: fn(Value) -> Result<Arc<dyn SyncTypeRules>, OptionError>,
}

/// Every sync type.
pub const SYNC_TYPES: &[SyncType] = &[
    SyncType::of::<AmiOptions>(SyncTypeName::Ec2Ami),
    SyncType::of::<DbSnapshotOptions>(SyncTypeName::RdsAutomatedSnapshot),
];

impl SyncType {
    const fn of<T>(name: SyncTypeName) -> Self
    where
        T: SyncTypeRules + DeserializeOwned + JsonSchema + 'static,
    {
        Self {
            name,
            schema: T::json_schema,
            read: |options| Ok(Arc::new(read_options::<T>(options)?)),
        }
    }
}

/// Reads options from a mapping.
///
/// # Errors
///
/// If an option is unknown or missing, or has the wrong form.
pub fn read_options<T: DeserializeOwned>(options: Value) -> Result<T, OptionError> {
    serde_path_to_error::deserialize(options)
}
