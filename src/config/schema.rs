//! The config as a JSON Schema, with which editors complete and check it.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::legacy::ruby_options;
use super::options::{CLIENT_CONFIG, ClientOptions, CommonOptions};
use crate::sync_types::{SYNC_TYPES, SyncType};

const IS_JOB: &str = "^[Ss][Yy][Nn][Cc]_";

/// Returns the schema of a config, in draft 7, which editors know best.
pub fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(publish));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value();
    if let Some(client) = schema.pointer_mut("/definitions/ClientConfig") {
        add_exclusions(client);
    }
    schema
}

/// The whole file.
struct Config;

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "The config of xrs",
            "description": "Every key that starts with `sync_` is a sync job.",
            "type": "object",
            "properties": { CLIENT_CONFIG: generator.subschema_for::<Option<ClientOptions>>() },
            "patternProperties": { IS_JOB: generator.subschema_for::<Job>() },
            // One job at least.
            "not": { "propertyNames": { "not": { "pattern": IS_JOB } } },
        })
    }
}

/// A job of any type.
struct Job;

impl JsonSchema for Job {
    fn schema_name() -> Cow<'static, str> {
        "Job".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let types = SYNC_TYPES.iter().map(|sync_type| job(sync_type, generator));
        json_schema!({
            "description": "A sync job: one image or database, one source region, one destination region.",
            "oneOf": types.collect::<Vec<_>>(),
        })
    }
}

/// Returns the schema of a job of one type, with the options of all jobs.
fn job(sync_type: &SyncType, generator: &mut SchemaGenerator) -> Schema {
    let mut job = (sync_type.schema)(generator);
    let common = CommonOptions::json_schema(generator).to_value();
    if let (Some(Value::Object(own)), Value::Object(common)) =
        (job.get_mut("properties"), &common["properties"])
    {
        own.extend(common.clone());
    }
    if let Value::Array(common) = &common["required"] {
        let own = job
            .ensure_object()
            .entry("required")
            .or_insert_with(|| json!([]));
        own.as_array_mut()
            .into_iter()
            .for_each(|own| own.extend(common.clone()));
    }
    if let Some(Value::Object(name)) = job.pointer_mut("/properties/sync_type") {
        name.remove("enum");
        name.insert("const".to_owned(), sync_type.name.as_str().into());
    }
    job
}

/// Turns a struct of options into what the config accepts: aliases, null where an option is not required, integers for text, text for
/// numbers.
fn publish(schema: &mut Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let is_required = |name: &String| {
        required
            .as_array()
            .is_some_and(|names| names.iter().any(|own| own == name))
    };
    let Some(Value::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    let mut others = Map::new();
    for (name, property) in properties.iter_mut() {
        let Some(option) = property.as_object_mut() else {
            continue;
        };
        accept(option, is_required(name));
        let aliases = option.remove("x-aliases");
        for alias in aliases
            .iter()
            .filter_map(Value::as_array)
            .flatten()
            .filter_map(Value::as_str)
        {
            let mut other = option.clone();
            other.insert(
                "description".to_owned(),
                format!("Another name of `{name}`.").into(),
            );
            others.insert(alias.to_owned(), other.into());
        }
    }
    properties.extend(others);
}

/// Accepts other types of values for an option.
fn accept(option: &mut Map<String, Value>, is_required: bool) {
    option.remove("x-secret");
    option.remove("format");
    if option.get("default") == Some(&Value::Null) {
        option.remove("default");
    }
    let mut types: Vec<Value> = match option.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(name) => vec![name.clone()],
        None => return,
    };
    types.retain(|name| name != "null");
    let mut pattern = option
        .get("pattern")
        .and_then(Value::as_str)
        .map(str::to_owned);
    match types.first().and_then(Value::as_str) {
        Some("string") if pattern.is_none() && !option.contains_key("const") => {
            types.push("integer".into())
        }
        Some("integer") => {
            types.push("string".into());
            let zero = if option["minimum"] == 0 { "0|" } else { "" };
            pattern = Some(format!(r"^\s*({zero}[1-9][0-9]{{0,9}})\s*$"));
        }
        Some("number") => {
            types.push("string".into());
            pattern = Some(r"^\s*[0-9.]+\s*$".to_owned());
        }
        _ => {}
    }
    if !is_required {
        types.push("null".into());
        pattern = pattern.map(|pattern| format!(r"^\s*$|{pattern}"));
    }
    option.insert("type".to_owned(), types.into());
    if let Some(pattern) = pattern {
        option.insert("pattern".to_owned(), pattern.into());
    }
}

/// Adds that credentials and a profile exclude each other, and the settings that only the gem used.
fn add_exclusions(client: &mut Value) {
    let Some(Value::Object(properties)) = client.get_mut("properties") else {
        return;
    };
    let is_key = |name: &&String| name.contains("key") || name.contains("token");
    let keys = properties
        .keys()
        .filter(is_key)
        .map(|name| json!({"required": [name]}));
    let keys: Vec<Value> = keys.collect();
    for (name, instead) in ruby_options() {
        let description = format!("Has no effect: {instead}.");
        let option = json!({"description": description, "deprecated": true});
        properties.insert(name.to_owned(), option);
    }
    client["dependencies"] = json!({"profile": {"not": {"anyOf": keys}}});
}
