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
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Document {
    /// The config file, xrs.yaml.
    Config,
    /// The plan that `xrs plan --out` saves.
    Plan,
    /// The results that `xrs apply --results` saves.
    Results,
    /// The status that `xrs status --format json` prints.
    Status,
    /// The problems that `xrs validate --format json` prints.
    Problems,
}

/// Returns the JSON Schema of a document.
pub fn schema(of: Document) -> Value {
    match of {
        Document::Config => config::schema(),
        Document::Plan => written::<SavedPlan>(),
        Document::Results => written::<SavedResults>(),
        Document::Status => written::<Status>(),
        Document::Problems => written::<Report>(),
    }
}

/// Returns the schema of a document as it is written: keys that are always there are required.
fn written<T: JsonSchema>() -> Value {
    SchemaSettings::draft07()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
