//! The JSON Schema of the config, which editors use to complete and check it.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::legacy::ruby_options;
use super::reference::{PER_DESTINATION, texts};
use super::shared_options::{
    CLIENT_CONFIG, ClientOptions, CommonOptions, DESTINATION_REGION, DESTINATIONS,
    DestinationOptions,
};
use crate::model::kind::SyncTypeName;
use crate::sync_types::options_schema;

/// Returns the schema of a config, in draft 7, which editors support best.
pub fn schema() -> Value {
    const IS_JOB: &str = "^:?[Ss][Yy][Nn][Cc]_";
    const HAS_AT_SIGN: &str = "^:?[Ss][Yy][Nn][Cc]_.*@";
    let mut generator = SchemaSettings::draft07().into_generator();
    let jobs = SyncTypeName::ALL.map(|sync_type| job(sync_type, &mut generator));
    let mut definitions = generator.take_definitions(false);
    definitions.insert("ClientConfig".to_owned(), client(&mut generator).to_value());
    let optional_client =
        json!({"anyOf": [{"$ref": "#/definitions/ClientConfig"}, {"type": "null"}]});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The config of xrs",
        "description": "Every key that starts with `sync_` is a sync job: one image or database, its region, and the region or regions that copies go to.",
        "type": "object",
        "properties": { CLIENT_CONFIG: optional_client },
        "patternProperties": { IS_JOB: {"oneOf": jobs} },
        "propertyNames": { "not": { "pattern": HAS_AT_SIGN } },
        // At least one job.
        "not": { "propertyNames": { "not": { "pattern": IS_JOB } } },
        "definitions": definitions,
    })
}

/// Returns the schema of a job of one type, with the options of all jobs.
fn job(sync_type: SyncTypeName, generator: &mut SchemaGenerator) -> Schema {
    let mut common = CommonOptions::json_schema(generator);
    let mut job = options_schema(sync_type, generator);
    let mut options = options(&mut common);
    options.extend(self::options(&mut job));
    if let Some(Value::Object(name)) = options.get_mut("sync_type") {
        name.retain(|key, _| key == "description");
        name.insert("const".to_owned(), sync_type.as_str().into());
    }
    let destination = destination(&mut options, generator);
    if let Some(Value::Object(list)) = options.get_mut(DESTINATIONS) {
        let region = destination.pointer("/properties/region");
        list.insert("items".to_owned(), json!({"anyOf": [region, destination]}));
    }
    job.insert("properties".to_owned(), options.into());
    // Null counts as not given.
    let given = |name: &str, as_type: &str| json!({"required": [name], "properties": {name: {"type": as_type}}});
    let one_of = [
        given(DESTINATION_REGION, "string"),
        given(DESTINATIONS, "array"),
    ];
    job.insert("oneOf".to_owned(), json!(one_of));
    let required = [&common, &job].map(|schema| texts(schema.get("required")));
    job.insert("required".to_owned(), required.concat().into());
    job
}

/// Returns the schema of an item of `destinations` that is a mapping. Removes the marks from the options in `of_job`.
fn destination(of_job: &mut Map<String, Value>, generator: &mut SchemaGenerator) -> Value {
    let mut destination = DestinationOptions::json_schema(generator);
    let mut options = options(&mut destination);
    for (name, option) in of_job.iter_mut() {
        let Some(facts) = option.as_object_mut() else {
            continue;
        };
        if facts.remove(PER_DESTINATION).is_some() {
            let mut own = facts.clone();
            // A destination without its own value has the job's.
            own.remove("default");
            options.insert(name.clone(), own.into());
        }
    }
    destination.insert("properties".to_owned(), options.into());
    destination.to_value()
}

/// Returns the schema of an `aws_client_config`. Credentials and a profile exclude each other.
fn client(generator: &mut SchemaGenerator) -> Schema {
    let mut client = ClientOptions::json_schema(generator);
    let mut settings = options(&mut client);
    let keys = settings
        .keys()
        .filter(|name| name.contains("key") || name.contains("token"));
    let keys: Vec<Value> = keys.map(|name| json!({"required": [name]})).collect();
    client.insert(
        "dependencies".to_owned(),
        json!({"profile": {"not": {"anyOf": keys}}}),
    );
    for (name, instead) in ruby_options() {
        let description = format!("Has no effect: {instead}.");
        let setting = json!({"description": description, "deprecated": true});
        settings.insert(name.to_owned(), setting);
    }
    client.insert("properties".to_owned(), settings.into());
    client
}

/// Takes the options out of the schema of their struct, in all forms that the config accepts, including their other names.
fn options(schema: &mut Schema) -> Map<String, Value> {
    let mut options = Map::new();
    let required = texts(schema.get("required"));
    let Some(Value::Object(properties)) = schema.remove("properties") else {
        return options;
    };
    for (name, mut option) in properties {
        let Some(facts) = option.as_object_mut() else {
            continue;
        };
        accept_other_types(facts, !required.contains(&name));
        facts.retain(|key, value| {
            !matches!(key.as_str(), "x-secret" | "format") && (key != "default" || !value.is_null())
        });
        for alias in texts(facts.remove("x-aliases").as_ref()) {
            let mut other = facts.clone();
            let description = format!("Another name of `{name}`.");
            other.insert("description".to_owned(), description.into());
            options.insert(alias, other.into());
        }
        options.insert(name, option);
    }
    options
}

/// Accepts integers for text, text for numbers, and null for optional values.
fn accept_other_types(option: &mut Map<String, Value>, is_optional: bool) {
    let mut types = match option.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(name) => vec![name.clone()],
        None => return,
    };
    let (other, pattern) = match types.first().and_then(Value::as_str) {
        Some("string") if !option.contains_key("pattern") => (Some("integer"), None),
        Some("integer") => (Some("string"), Some(r"^\s*(0|[1-9][0-9]*)\s*$")),
        Some("number") => (Some("string"), Some(r"^\s*[0-9.]+\s*$")),
        _ => (None, None),
    };
    let null = is_optional.then_some("null");
    for other in other.into_iter().chain(null) {
        if !types.contains(&other.into()) {
            types.push(other.into());
        }
    }
    option.insert("type".to_owned(), types.into());
    option.extend(pattern.map(|pattern| ("pattern".to_owned(), pattern.into())));
}
