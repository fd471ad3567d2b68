//! Reads image filters from the config.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_yaml::{Mapping, Value};

use super::option_value::refused;
use super::rules::Finding;
use crate::model::query::ImageFilter;
use crate::model::report::Level;

impl<'de> Deserialize<'de> for ImageFilter {
    /// Reads `name=value`, possibly with blanks around the `=`, or a mapping with a name and values.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let must_be = "`name=value` with one `=`, or {name: …, values: […]}";
        let help = "such as \"tag:Environment=Production\"; if a value is empty or contains a `=`: {name: \"tag:Role\", values: [\"a=b\", \"\"]}";
        let filter = match &Value::deserialize(deserializer)? {
            Value::String(text) => pair(text),
            Value::Mapping(parts) => named(parts),
            _ => None,
        };
        filter.ok_or_else(|| refused(must_be, help))
    }
}

/// Returns a warning about a filter in the form `name=value` if the value may be meant as several values.
pub(super) fn doubtful_comma(item: usize, filter: &str) -> Option<Finding> {
    let help = "for several values, any of which may match, write {name: \"tag:Role\", values: [\"a\", \"b\"]}; for one value, \
                {name: \"tag:Role\", values: [\"a,b\"]}";
    filter.contains(',').then(|| Finding {
        level: Level::Warning,
        option: "filters",
        item: Some(item),
        without: None,
        message: "has one value with a comma in it".to_owned(),
        help: help.to_owned(),
    })
}

/// Returns the value that the first filter with this name requires, if it is a single one without wildcards.
pub(super) fn only_value<'f>(filters: &'f [ImageFilter], name: &str) -> Option<&'f str> {
    let filter = filters.iter().find(|filter| filter.name == name)?;
    match filter.values.as_slice() {
        [value] if !value.contains(['*', '?', '\\']) => Some(value),
        _ => None,
    }
}

fn pair(text: &str) -> Option<ImageFilter> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_valid = !name.is_empty() && !value.is_empty() && !value.contains('=');
    is_valid.then(|| ImageFilter {
        name: name.to_owned(),
        values: vec![value.to_owned()],
    })
}

fn named(parts: &Mapping) -> Option<ImageFilter> {
    let name = parts.get("name")?.as_str()?;
    let values: Vec<String> = match parts.get("values")? {
        Value::Sequence(values) => values.iter().map(filter_value).collect::<Option<_>>()?,
        value => vec![filter_value(value)?],
    };
    let is_valid = !name.trim().is_empty() && !values.is_empty() && parts.len() == 2;
    is_valid.then(|| ImageFilter {
        name: name.to_owned(),
        values,
    })
}

/// Reads a value, which may be empty: AWS then matches tags without a value. Filters have no booleans, so `true` is text.
fn filter_value(value: &Value) -> Option<String> {
    match value {
        Value::Bool(flag) => Some(flag.to_string()),
        value => value.as_str().map(str::to_owned),
    }
}

impl JsonSchema for ImageFilter {
    fn schema_name() -> Cow<'static, str> {
        "Filter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let value = json_schema!({"type": ["string", "integer", "boolean"]});
        json_schema!({"anyOf": [
            {
                "description": "Such as `tag:Environment=Production`.",
                "type": "string",
                "pattern": r"^[^=]*[^=\s][^=]*=[^=]*[^=\s][^=]*$",
            },
            {
                "description": "For several values, any of which may match, and for values that are empty or contain a `=`.",
                "type": "object",
                "properties": {
                    "name": {"description": "Such as `tag:Role`.", "type": ["string", "integer"], "pattern": r"\S"},
                    "values": {
                        "description": "Any of them may match.",
                        "anyOf": [value, {"type": "array", "items": value, "minItems": 1}],
                    },
                },
                "required": ["name", "values"],
                "additionalProperties": false,
            },
        ]})
    }
}
