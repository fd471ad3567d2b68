//! The list of all sync types, for the config.

use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::ami::AmiOptions;
use super::db_snapshot::DbSnapshotOptions;
use super::rules::SyncTypeRules;
use crate::model::kind::SyncTypeName;

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

/// Reads a struct of options out of a mapping of them.
///
/// # Errors
///
/// If an option is unknown, missing or has another form.
pub fn read_options<T: DeserializeOwned>(options: Value) -> Result<T, OptionError> {
    serde_path_to_error::deserialize(options)
}
