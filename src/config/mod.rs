//! Reads the config file: turns YAML into sync jobs, and reports every problem with its line and column.
//!
//! | file | does |
//! |---|---|
//! | `source`, `names` | bytes to text; names and values as messages show them |
//! | `document`, `syntax` | text to a tree with lines and columns, within limits; errors of YAML itself |
//! | `shared_options` | the structs of options, except those of the sync types |
//! | `forms` | the form of certain values |
//! | `section` | reads options into the structs; "did you mean" |
//! | `job`, `destinations`, `client` | a job; its destinations; its client settings, merged with those of all jobs |
//! | `legacy` | what the gem accepted |
//! | `conflicts` | problems between jobs |
//! | `reference`, `schema` | the structs of options as a reference and as a JSON Schema |

mod client;
mod conflicts;
mod destinations;
mod document;
mod forms;
mod job;
mod legacy;
mod names;
mod reference;
mod schema;
mod section;
mod shared_options;
mod source;
mod syntax;

use std::collections::BTreeMap;

pub(crate) use names::close_match;
pub use reference::{OptionFacts, OptionGroup, reference};
pub use schema::schema;
pub use source::MAX_BYTES;

use crate::model::client_config::ClientConfig;
use crate::model::ids::JobName;
use crate::model::problem::Problem;
use crate::sync_types::ConfiguredJob;
use client::Level;
use document::{Data, EXAMPLE, Entry, Node};
use reference::REFERENCE;
use shared_options::CLIENT_CONFIG;

/// A commented config to start from, valid as it is.
pub const STARTER: &str = include_str!("starter.yaml");

/// The contents of a config file.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its jobs, in the order of the file.
    pub jobs: Vec<ConfiguredJob>,
    /// The client settings of each job, or what is wrong with them. A job with other options that are invalid still has them.
    pub client_configs: BTreeMap<JobName, Result<ClientConfig, Vec<Problem>>>,
    /// Problems with what is accepted but likely to be a mistake, each with its place.
    pub warnings: Vec<Problem>,
    /// Problems with what is accepted but has no effect, each with its place.
    pub notes: Vec<Problem>,
    /// Whether the file contains a secret key or a token, even if no job uses it.
    pub holds_keys: bool,
}

impl Config {
    /// Returns all problems of all jobs, in the order of the file and without duplicates: a problem with the global settings is a
    /// problem of every job.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.jobs.iter().flat_map(ConfiguredJob::problems);
        in_order(problems.cloned().collect())
    }
}

/// Reads a config. A job with problems is invalid; the others are not affected.
///
/// # Errors
///
/// What makes the file as a whole unusable; never empty.
pub fn read(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    let root = document::read(bytes)?;
    let refused = |message: &str| vec![Problem::new(message).at(root.place).help(EXAMPLE)];
    let Data::Mapping(entries) = &root.data else {
        let message = format!("the config must be a mapping of jobs, not {}", root.noun());
        return Err(refused(&message));
    };
    let (entries, others): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| legacy::is_job(&entry.key));
    let mut warnings: Vec<Problem> = Vec::new();
    let (global, others): (Vec<&Entry>, Vec<&Entry>) = others
        .into_iter()
        .partition(|entry| entry.key == CLIENT_CONFIG);
    let mut notes = Vec::new();
    for entry in others {
        match likely_job(entry) {
            Some(warning) => warnings.push(warning),
            None => notes.push(ignored(entry)),
        }
    }
    if entries.is_empty() {
        let message = "the config has no sync job: no top-level key starts with `sync_`";
        return Err([refused(message), warnings].concat());
    }
    let owner = format!("the global {CLIENT_CONFIG}");
    let mut global = Level::read(&owner, root.place, global.first().copied());
    notes.append(&mut global.notes);
    let mut jobs = Vec::with_capacity(entries.len());
    let mut client_configs = BTreeMap::new();
    for entry in entries {
        let (client_config, of_job) = job::client_config(entry, &global);
        notes.extend(of_job);
        for job in job::read(entry, &client_config, &mut warnings) {
            client_configs.insert(job.name().clone(), client_config.clone());
            jobs.push((job, entry.place));
        }
    }
    conflicts::check(&mut jobs);
    conflicts::check_identifiers(&mut jobs);
    conflicts::check_cycles(&mut jobs);
    Ok(Config {
        jobs: jobs.into_iter().map(|(job, _)| job).collect(),
        client_configs,
        warnings: in_order(warnings),
        notes: in_order(notes),
        holds_keys: has_key(&root),
    })
}

fn has_key(node: &Node) -> bool {
    let is_key = |entry: &Entry| {
        let option = REFERENCE.client.find(&entry.key);
        let is_key = option.is_some_and(|option| {
            ["aws_secret_key", "session_token"].contains(&option.name.as_str())
        });
        is_key && !entry.node.is_blank() || has_key(&entry.node)
    };
    match &node.data {
        Data::Scalar { .. } => false,
        Data::List(items) => items.iter().any(|item| has_key(item)),
        Data::Mapping(entries) => entries.iter().any(is_key),
    }
}

/// Returns a warning about a top-level key that is not a job but is probably meant as one, judging by its name, or by its content
/// unless that is a template for other jobs.
fn likely_job(entry: &Entry) -> Option<Problem> {
    let (is_mapping, has_type) = match &entry.node.data {
        Data::Mapping(options) => (true, options.iter().any(|option| option.key == "sync_type")),
        _ => (false, false),
    };
    let has_name = names::after_sync(&entry.key)
        .is_some_and(|rest| is_mapping || !rest.starts_with(char::is_alphanumeric));
    if entry.key.starts_with('.') || !has_name && (!has_type || entry.node.is_anchored) {
        return None;
    }
    let (key, meant) = (names::key(&entry.key), names::job_name(&entry.key));
    let message = format!("the top-level key `{key}` is ignored, though it looks like a job");
    let help = format!(
        "the keys of jobs start with `sync_`: write `{}`, if it is one",
        names::named(&meant)
    );
    Some(Problem::new(message).at(entry.place).help(help))
}

/// Returns a note about a top-level key that is not a job.
fn ignored(entry: &Entry) -> Problem {
    let help = match close_match(&entry.key, &[CLIENT_CONFIG]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "the keys of jobs start with `sync_`".to_owned(),
    };
    let message = format!("the top-level key `{}` is ignored", names::key(&entry.key));
    Problem::new(message).at(entry.place).help(help)
}

/// Returns problems in the order of the file, without duplicates.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|one, two| (one.at, &one.message).cmp(&(two.at, &two.message)));
    problems.dedup();
    problems
}
