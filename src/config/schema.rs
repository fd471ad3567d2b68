//! The config as a JSON Schema, by which editors complete and check it.
//!
//! Its types are never filled: the reader of this module reads the file itself, to say more than a schema can. A test
//! compares both, option by option.

#![expect(
    dead_code,
    reason = "the fields are there for what the schema says of them"
)]

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::client_config::{ACCESS_KEY, SECRET_KEY, SESSION_TOKEN};
use super::{CLIENT_CONFIG, ruby};

/// The schema of a config. Draft 7, for that is what editors know best.
pub fn schema() -> Value {
    SchemaSettings::draft07()
        .with_transform(RecursiveTransform(without_default))
        .into_generator()
        .into_root_schema_for::<Config>()
        .to_value()
}

/// The whole file.
struct Config;

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let job = generator.subschema_for::<Job>();
        let client_config = generator.subschema_for::<Option<ClientConfig>>();
        json_schema!({
            "title": "The config of xrs",
            "description": "Every key that starts with `sync_` is a sync job.",
            "type": "object",
            "properties": { CLIENT_CONFIG: client_config },
            "patternProperties": { "^[Ss][Yy][Nn][Cc]_": job },
            // One job at least.
            "not": { "propertyNames": { "not": { "pattern": "^[Ss][Yy][Nn][Cc]_" } } },
        })
    }
}

/// A sync job: one resource, one source region, one destination region.
#[derive(JsonSchema)]
#[schemars(tag = "sync_type", rename_all = "snake_case", transform = with_type)]
enum Job {
    /// Keeps a copy of an EC2 image in the destination region.
    Ec2Ami(AmiJob),
    /// Keeps copies of the newest automated snapshots of an RDS DB instance in the destination region.
    RdsAutomatedSnapshot(SnapshotJob),
}

/// The options of an `ec2_ami` job.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AmiJob {
    #[schemars(flatten)]
    common: Common,
    /// Account id of the image's owner, `amazon` or `self`; `self` unless given.
    #[schemars(default, schema_with = "owner")]
    ami_owner: Option<String>,
    /// The older name of `ami_owner`.
    #[schemars(default, schema_with = "owner")]
    owner_id: Option<String>,
    /// The image carries the tag `Sync-Identifier` with this value.
    #[schemars(default, schema_with = "text")]
    sync_identifier: Option<String>,
    /// Filters of DescribeImages, all of which must match.
    #[schemars(default)]
    filters: Vec<Filter>,
    /// Take the newest image where several match; otherwise that fails the job.
    #[schemars(default, schema_with = "flag")]
    most_recent: Option<bool>,
}

/// The options of an `rds_automated_snapshot` job.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct SnapshotJob {
    #[schemars(flatten)]
    common: Common,
    /// The identifier of the DB instance in the source region.
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9-]{0,62}$"))]
    db_instance: String,
    /// How many existing copies are kept beside the one being made; 2 unless given.
    #[schemars(default, schema_with = "number_from_0")]
    max_snapshots_to_retain: Option<u32>,
    /// An option group of the destination, needed where the snapshot's own is not a default one.
    #[schemars(default, schema_with = "text")]
    option_group_name: Option<String>,
}

/// What all jobs have in common.
#[derive(JsonSchema)]
struct Common {
    /// The region that the image or database is in.
    #[schemars(schema_with = "region")]
    source_region: String,
    /// The region that copies go to: another one of the same partition.
    #[schemars(schema_with = "region")]
    destination_region: String,
    /// A KMS key of the destination region to encrypt copies with; needed where the source is an encrypted snapshot.
    #[schemars(default, schema_with = "kms_key")]
    kms_key_id: Option<String>,
    /// Whom to act as and how AWS is reached, for this job: merged with the global settings, key by key.
    aws_client_config: Option<ClientConfig>,
}

/// A filter of DescribeImages: any of its values may match.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Filter {
    /// Such as `tag:Environment=Production`.
    Pair(#[schemars(regex(pattern = r"^[^=]*[^=\s][^=]*=[^=]+$"))] String),
    /// For several values, and for those that hold a `=`.
    Parts(FilterParts),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FilterParts {
    /// Such as `tag:Role`.
    #[schemars(schema_with = "text")]
    name: String,
    /// The values of which any may match.
    #[schemars(schema_with = "filter_values")]
    values: Vec<String>,
}

/// Whom to act as and how AWS is reached. Nothing given means what the AWS CLI would use.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = other_names)]
struct ClientConfig {
    /// Access key id. Prefer a profile, a role or the environment.
    #[schemars(default, schema_with = "secret")]
    aws_access_key: Option<String>,
    /// Secret access key.
    #[schemars(default, schema_with = "secret")]
    aws_secret_key: Option<String>,
    /// Session token of temporary keys.
    #[schemars(default, schema_with = "secret")]
    session_token: Option<String>,
    /// The account these settings should belong to; checked against STS.
    #[schemars(default, schema_with = "account")]
    aws_account_id: Option<String>,
    /// A profile of the shared AWS config files.
    #[schemars(default, schema_with = "text")]
    profile: Option<String>,
    /// A role to assume, with whatever credentials there are.
    #[schemars(default, schema_with = "role")]
    role_arn: Option<String>,
    /// The external id that the role asks for.
    #[schemars(default, schema_with = "text")]
    external_id: Option<String>,
    /// The session name to assume the role with.
    #[schemars(default, schema_with = "text")]
    role_session_name: Option<String>,
    /// An endpoint in place of AWS's own, for every service.
    #[schemars(default, schema_with = "endpoint")]
    endpoint_url: Option<String>,
    /// Use FIPS endpoints.
    #[schemars(default, schema_with = "flag")]
    use_fips_endpoint: Option<bool>,
    /// Use dual-stack endpoints (IPv4 and IPv6).
    #[schemars(default, schema_with = "flag")]
    use_dualstack_endpoint: Option<bool>,
    /// How often a call is tried in all; 3 unless given.
    #[schemars(default, schema_with = "number_from_1")]
    max_attempts: Option<u32>,
    /// How long a connection may take to be made, in seconds; 5 unless given.
    #[schemars(default, schema_with = "seconds")]
    connect_timeout: Option<f64>,
    /// How long an answer may take, in seconds; 30 unless given.
    #[schemars(default, schema_with = "seconds")]
    read_timeout: Option<f64>,
}

/// What may be left out has no value of its own that an editor should fill in.
fn without_default(schema: &mut Schema) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
}

/// Says what the type is there for.
fn with_type(schema: &mut Schema) {
    let types = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    for of_type in types.into_iter().flatten() {
        if let Some(sync_type) = of_type.pointer_mut("/properties/sync_type") {
            let description =
                "What is synced: `ec2_ami` for an image, `rds_automated_snapshot` for a database.";
            describe(sync_type, description.to_owned());
        }
    }
}

fn describe(schema: &mut Value, description: String) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), description.into());
    }
}

/// Adds the other names of keys, what the older tool passed on, and that keys and a profile exclude each other.
fn other_names(schema: &mut Schema) {
    let keys = [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN];
    let given: Vec<Value> = keys
        .concat()
        .iter()
        .map(|key| json!({"required": [key]}))
        .collect();
    schema.insert(
        "dependencies".to_owned(),
        json!({"profile": {"not": {"anyOf": given}}}),
    );
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for names in keys {
        if let [name, others @ ..] = names {
            let mut other = properties.get(*name).cloned().unwrap_or_default();
            describe(&mut other, format!("Another name of `{name}`."));
            properties.extend(
                others
                    .iter()
                    .map(|name| ((*name).to_owned(), other.clone())),
            );
        }
    }
    let without_effect = ruby::OPTIONS.iter().map(|(name, instead)| {
        let description = format!("Has no effect here: {instead}.");
        (
            (*name).to_owned(),
            json!({"description": description, "deprecated": true}),
        )
    });
    properties.extend(without_effect);
}

/// A text as the reader takes it: a number keeps the text it is written with.
fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number"], "pattern": r"\S"})
}

fn owner(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number", "null"]})
}

fn secret(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number", "boolean"], "minLength": 1})
}

fn flag(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "boolean"})
}

fn number_from_0(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "string"], "minimum": 0, "maximum": u32::MAX, "pattern": r"^\s*(0|[1-9][0-9]{0,9})\s*$"})
}

fn number_from_1(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "string"], "minimum": 1, "maximum": u32::MAX, "pattern": r"^\s*[1-9][0-9]{0,9}\s*$"})
}

fn seconds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string"], "minimum": 0.001, "maximum": 86_400, "pattern": r"^\s*[0-9.]+\s*$"})
}

fn account(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "integer"],
        "pattern": "^[^0-9]*([0-9][^0-9]*){12}$",
        "minimum": 0,
        "maximum": 999_999_999_999_u64,
    })
}

/// New regions come every year, so there is no list of them.
fn region(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^[a-z]{2,}(-[a-z]{2,})+-[0-9]{1,2}$",
        "maxLength": 32,
        "examples": ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1"],
    })
}

fn kms_key(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["string", "number"],
        "anyOf": [
            {"pattern": r"\S", "not": {"pattern": "^arn:"}},
            {"pattern": "^arn:aws[^:]*:kms:[^:]+:[0-9]{12}:(key|alias)/"},
        ],
    })
}

fn role(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"^arn:aws[^:]*:iam::[0-9]{12}:role/\S*[^/\s]$"})
}

fn endpoint(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "pattern": r"^https?://[^/?#@\s]+(/[^?#\s]*)?$"})
}

fn filter_values(_: &mut SchemaGenerator) -> Schema {
    let value = json!({"type": ["string", "number", "boolean"]});
    json_schema!({"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]})
}
