//! Describes each option, based on the schemas of the structs that options are read into.

use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::names::list;
use super::shared_options::{ClientOptions, CommonOptions, DestinationOptions};
use crate::model::kind::SyncTypeName;
use crate::sync_types::options_schema;

/// Marks, in the schema, an option that each destination of a job can set.
pub(super) const PER_DESTINATION: &str = "x-per-destination";

/// Options that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionGroup {
    /// What they are options of, such as "`ec2_ami` jobs".
    pub of: String,
    /// The options, by name.
    pub options: Vec<OptionFacts>,
}

/// The description of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionFacts {
    /// Its name.
    pub name: String,
    /// Other names with the same meaning.
    pub aliases: Vec<String>,
    /// What a value must be, such as "true or false".
    pub must_be: String,
    /// The only possible values, if they are listed.
    pub choices: Vec<String>,
    /// Whether it is required.
    pub is_required: bool,
    /// What it means.
    pub description: String,
    /// Whether a value may be or contain a secret. Messages don't show such values.
    pub is_secret: bool,
    /// Whether each destination of a job can have its own value.
    pub is_per_destination: bool,
}

/// The options of the config.
pub(super) struct Reference {
    pub(super) common: OptionGroup,
    pub(super) types: Vec<(SyncTypeName, OptionGroup)>,
    pub(super) client: OptionGroup,
    /// The options that only an item of `destinations` has.
    pub(super) destination: OptionGroup,
    /// The options of all jobs, and of each type, that an item of `destinations` may have, too.
    pub(super) per_destination: Vec<(Option<SyncTypeName>, OptionGroup)>,
}

pub(super) static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let mut generator = SchemaSettings::draft07().into_generator();
    let common = CommonOptions::json_schema(&mut generator);
    let client = ClientOptions::json_schema(&mut generator);
    let destination = DestinationOptions::json_schema(&mut generator);
    let types = SyncTypeName::ALL.map(|sync_type| {
        let schema = options_schema(sync_type, &mut generator);
        (
            sync_type,
            OptionGroup::new(format!("`{sync_type}` jobs"), schema),
        )
    });
    let common = OptionGroup::new("all jobs", common);
    let of_types = types.iter().map(|(name, group)| (Some(*name), group));
    let all = std::iter::once((None, &common)).chain(of_types);
    Reference {
        per_destination: all
            .map(|(of, group)| (of, group.per_destination()))
            .collect(),
        types: types.into(),
        common,
        client: OptionGroup::new("`aws_client_config`", client),
        destination: OptionGroup::new("`destinations`", destination),
    }
});

/// Returns all options of the config, those of all jobs first.
pub fn reference() -> impl Iterator<Item = &'static OptionGroup> {
    let types = REFERENCE.types.iter().map(|(_, group)| group);
    std::iter::once(&REFERENCE.common)
        .chain(types)
        .chain([&REFERENCE.destination, &REFERENCE.client])
}

impl OptionGroup {
    fn new(of: impl Into<String>, schema: Schema) -> Self {
        let required = texts(schema.get("required"));
        let properties = schema.get("properties").and_then(Value::as_object);
        let options = properties
            .into_iter()
            .flatten()
            .map(|(name, option)| OptionFacts {
                name: name.clone(),
                aliases: texts(option.get("x-aliases")),
                must_be: must_be(option),
                choices: texts(option.get("enum")),
                is_required: required.contains(name),
                description: option
                    .get("description")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                is_secret: option.get("x-secret").is_some(),
                is_per_destination: option.get(PER_DESTINATION).is_some(),
            });
        Self {
            of: of.into(),
            options: options.collect(),
        }
    }

    /// Returns only the options that each destination can set.
    fn per_destination(&self) -> Self {
        let mut group = self.clone();
        group.options.retain(|option| option.is_per_destination);
        group
    }

    /// Returns the option with this name or alias.
    pub(super) fn find(&self, name: &str) -> Option<&OptionFacts> {
        let mut options = self.options.iter();
        options.find(|option| option.names().any(|own| own == name))
    }
}

impl OptionFacts {
    /// Returns its name and its aliases.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.aliases)
            .map(String::as_str)
    }
}

/// Returns what a value must be, according to its type in the schema.
fn must_be(schema: &Value) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("string", "text"),
        ("boolean", "true or false"),
        ("integer", "a whole number"),
        ("number", "a number of seconds"),
        ("array", "a list"),
    ];
    if schema.get("enum").is_some() {
        return format!("one of {}", list(&texts(schema.get("enum"))));
    }
    let types = schema.get("type").map(Value::to_string).unwrap_or_default();
    let found = WORDS.iter().find(|(name, _)| types.contains(name));
    found.map_or("a mapping", |(_, words)| words).to_owned()
}

/// Returns the texts in a list.
pub(super) fn texts(list: Option<&Value>) -> Vec<String> {
    let texts = list.and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}
