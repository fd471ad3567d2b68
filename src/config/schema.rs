//! The config as a JSON Schema, with which editors complete and check it.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::legacy::ruby_options;
use super::shared_options::{CLIENT_CONFIG, ClientOptions, CommonOptions};
use crate::sync_types::{SYNC_TYPES, SyncType};

/// Returns the schema of a config, in draft 7, which editors know best.
pub fn schema() -> Value {
    const IS_JOB: &str = "^[Ss][Yy][Nn][Cc]_";
    let mut generator = SchemaSettings::draft07().into_generator();
    let jobs: Vec<Value> = SYNC_TYPES
        .iter()
        .map(|sync_type| job(sync_type, &mut generator))
        .collect();
    let mut definitions = generator.take_definitions(false);
    let client = ClientOptions::json_schema(&mut generator).to_value();
    definitions.insert(
        "ClientConfig".to_owned(),
        with_exclusions(published(client)),
    );
    let optional_client =
        json!({"anyOf": [{"$ref": "#/definitions/ClientConfig"}, {"type": "null"}]});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The config of xrs",
        "description": "Every key that starts with `sync_` is a sync job: one image or database, one source region, one destination region.",
        "type": "object",
        "properties": { CLIENT_CONFIG: optional_client },
        "patternProperties": { IS_JOB: {"oneOf": jobs} },
        // One job at least.
        "not": { "propertyNames": { "not": { "pattern": IS_JOB } } },
        "definitions": definitions,
    })
}

/// Returns the schema of a job of one type, with the options of all jobs.
fn job(sync_type: &SyncType, generator: &mut SchemaGenerator) -> Value {
    let mut job = CommonOptions::json_schema(generator).to_value();
    let mut of_type = (sync_type.schema)(generator).to_value();
    job["description"] = of_type["description"].take();
    for (name, option) in of_type["properties"].as_object().into_iter().flatten() {
        job["properties"][name] = option.clone();
    }
    if let (Value::Array(job), Value::Array(of_type)) =
        (&mut job["required"], &mut of_type["required"])
    {
        job.append(of_type);
    }
    let name = &mut job["properties"]["sync_type"];
    *name = json!({"const": sync_type.name, "description": name["description"]});
    published(job)
}

/// Turns the schema of a struct of options into that of what the config accepts.
fn published(mut schema: Value) -> Value {
    let mut others = Map::new();
    let properties = schema["properties"].as_object_mut();
    for (name, option) in properties.into_iter().flatten() {
        let Some(option) = option.as_object_mut() else {
            continue;
        };
        accept_other_types(option);
        option.retain(|key, value| {
            !matches!(key.as_str(), "x-secret" | "format") && (key != "default" || !value.is_null())
        });
        if let Some(Value::Array(aliases)) = option.remove("x-aliases") {
            let mut other = option.clone();
            other.insert(
                "description".to_owned(),
                format!("Another name of `{name}`.").into(),
            );
            let names = aliases.iter().filter_map(Value::as_str);
            others.extend(names.map(|alias| (alias.to_owned(), other.clone().into())));
        }
    }
    for (name, option) in others {
        schema["properties"][name] = option;
    }
    schema
}

/// Accepts integers for text, and text for numbers.
fn accept_other_types(option: &mut Map<String, Value>) {
    let types = option.get("type").cloned().unwrap_or_default();
    let mut types = match types {
        Value::Array(types) => types,
        name => vec![name],
    };
    let (other, pattern) = match types.first().and_then(Value::as_str) {
        Some("string") if !option.contains_key("pattern") => ("integer", None),
        Some("integer") => ("string", Some(r"^\s*(0|[1-9][0-9]*)\s*$")),
        Some("number") => ("string", Some(r"^\s*[0-9.]+\s*$")),
        _ => return,
    };
    types.push(other.into());
    option.insert("type".to_owned(), types.into());
    if let Some(pattern) = pattern {
        option.insert("pattern".to_owned(), pattern.into());
    }
}

/// Adds that credentials and a profile exclude each other, and the settings that only the gem used.
fn with_exclusions(mut client: Value) -> Value {
    let keys = client["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name);
    let keys = keys.filter(|name| name.contains("key") || name.contains("token"));
    let keys: Vec<Value> = keys.map(|name| json!({"required": [name]})).collect();
    client["dependencies"] = json!({"profile": {"not": {"anyOf": keys}}});
    for (name, instead) in ruby_options() {
        let description = format!("Has no effect: {instead}.");
        client["properties"][name] = json!({"description": description, "deprecated": true});
    }
    client
}
