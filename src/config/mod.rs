//! The config file: YAML in, sync jobs out, every problem with its line and column.
//!
//! | file | does |
//! |---|---|
//! | `source`, `names` | bytes to text; names and values as messages show them |
//! | `document`, `syntax` | text to a tree with lines and columns, within limits; errors of YAML itself |
//! | `options` | the structs of options, beside those of the sync types |
//! | `arn`, `endpoint` | the form of certain values |
//! | `section` | reads options into the structs; "did you mean" |
//! | `job`, `client` | a job; the settings of all jobs merged with those of one |
//! | `legacy` | what the gem accepted |
//! | `conflicts` | problems between jobs |
//! | `reference`, `schema` | the structs of options as a reference and as a JSON Schema |

mod arn;
mod client;
mod conflicts;
mod document;
mod endpoint;
mod job;
mod legacy;
mod names;
mod options;
mod reference;
mod schema;
mod section;
mod source;
mod syntax;

use std::collections::BTreeMap;

pub use reference::{OptionFacts, OptionGroup, reference};
pub use schema::schema;
pub use source::MAX_BYTES;

use crate::model::client_config::ClientConfig;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::sync_types::ConfiguredJob;
use client::Level;
use document::{Data, EXAMPLE, Entry, Node};
use options::CLIENT_CONFIG;
use reference::Reference;

/// A commented config to begin with, valid as it is.
pub const STARTER: &str = include_str!("starter.yaml");

/// What a config file says.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its jobs, in the order of the file.
    pub jobs: Vec<ConfiguredJob>,
    /// What is accepted and has no effect, each with its place.
    pub notes: Vec<Problem>,
}

impl Config {
    /// Returns all problems of all jobs, in the order of the file, each once: a problem of the settings of all jobs is one of every
    /// job.
    pub fn problems(&self) -> Vec<Problem> {
        let of_job = |job: &ConfiguredJob| match job {
            ConfiguredJob::Valid(_) => Vec::new(),
            ConfiguredJob::Invalid { problems, .. } => problems.clone(),
        };
        in_order(self.jobs.iter().flat_map(of_job).collect())
    }
}

/// Reads a config. A job with problems is invalid; the others are not affected.
///
/// # Errors
///
/// What makes the file useless as a whole; never empty.
pub fn read(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    let root = document::read(bytes)?;
    let reference = Reference::new();
    let (entries, global, mut notes) = top(&root, &reference)?;
    let mut jobs = Vec::with_capacity(entries.len());
    for entry in entries {
        let (job, of_job) = job::read(entry, &global, &reference);
        notes.extend(of_job);
        jobs.push((job, entry.place));
    }
    notes.extend(global.notes);
    conflicts::check(&mut jobs);
    Ok(Config {
        jobs: jobs.into_iter().map(|(job, _)| job).collect(),
        notes: in_order(notes),
    })
}

/// The client settings of each job, or what is wrong with them.
pub type ClientConfigs = BTreeMap<JobName, Result<ClientConfig, Vec<Problem>>>;

/// Reads only the client settings of each job, for apply: a job whose other options are invalid still has them.
///
/// # Errors
///
/// What makes the file useless as a whole; never empty.
pub fn client_configs(bytes: &[u8]) -> Result<ClientConfigs, Vec<Problem>> {
    let root = document::read(bytes)?;
    let reference = Reference::new();
    let (entries, global, _) = top(&root, &reference)?;
    let of_job = |entry: &&Entry| {
        let (settings, _) = job::client_config(entry, &global, &reference);
        (job::name(entry), settings)
    };
    Ok(entries.iter().map(of_job).collect())
}

/// Returns true if the file contains a secret key or a token, even if no job uses it.
pub fn holds_keys(bytes: &[u8]) -> bool {
    let client = Reference::new().client;
    let is_secret =
        |option: &&OptionFacts| ["aws_secret_key", "session_token"].contains(&option.name.as_str());
    let names = client
        .options
        .iter()
        .filter(is_secret)
        .flat_map(|option| option.names());
    let names: Vec<&str> = names.collect();
    document::read(bytes).is_ok_and(|root| has_value(&root, &names))
}

fn has_value(node: &Node, keys: &[&str]) -> bool {
    let is_meant = |entry: &Entry| {
        keys.contains(&entry.key.as_str()) && !entry.node.is_blank() || has_value(&entry.node, keys)
    };
    match &node.data {
        Data::Scalar { .. } => false,
        Data::List(items) => items.iter().any(|item| has_value(item, keys)),
        Data::Mapping(entries) => entries.iter().any(is_meant),
    }
}

/// Splits the top level of a config into jobs, the settings of all jobs, and notes on keys without meaning.
fn top<'d>(
    root: &'d Node,
    reference: &Reference,
) -> Result<(Vec<&'d Entry>, Level, Vec<Problem>), Vec<Problem>> {
    let refused = |message: &str| vec![Problem::new(message).at(root.place).help(EXAMPLE)];
    let Some(entries) = root.entries() else {
        let message = format!("the config must be a mapping of jobs, not {}", root.noun());
        return Err(refused(&message));
    };
    let (jobs, others): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| legacy::is_job(&entry.key));
    if jobs.is_empty() {
        return Err(refused(
            "the config has no sync job: no top-level key starts with `sync_`",
        ));
    }
    let (globals, others): (Vec<&Entry>, Vec<&Entry>) = others
        .into_iter()
        .partition(|entry| entry.key == CLIENT_CONFIG);
    let owner = format!("the global {CLIENT_CONFIG}");
    let global = Level::read(&owner, globals.first().copied(), &reference.client);
    Ok((jobs, global, others.into_iter().map(ignored).collect()))
}

fn ignored(entry: &Entry) -> Problem {
    let help = match names::close_match(&entry.key, &[CLIENT_CONFIG]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "the keys of jobs start with `sync_`".to_owned(),
    };
    let message = format!("the top-level key `{}` is ignored", names::key(&entry.key));
    Problem::new(message).at(entry.place).help(help)
}

/// Returns problems in the order of the file, each once.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|one, two| (one.at, &one.message).cmp(&(two.at, &two.message)));
    problems.dedup();
    problems
}
