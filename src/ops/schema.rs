//! JSON Schemas of what xrs reads and writes.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::config;
use crate::model::plan::SavedPlan;
use crate::model::report::Report;
use crate::model::result::SavedResults;
use crate::model::status::Status;

/// A document that has a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The config file.
    Config,
    /// A saved plan.
    Plan,
    /// The results of an apply.
    Results,
    /// What the destinations hold.
    Status,
    /// The problems of a config.
    Problems,
}

/// The JSON Schema of a document.
pub fn schema(of: Document) -> Value {
    match of {
        Document::Config => config::schema(),
        Document::Plan => written::<SavedPlan>(),
        Document::Results => written::<SavedResults>(),
        Document::Status => written::<Status>(),
        Document::Problems => written::<Report>(),
    }
}

/// Of a document as it is written: with every key that is always there.
fn written<T: JsonSchema>() -> Value {
    SchemaSettings::draft07()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
