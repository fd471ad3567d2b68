//! The config file: YAML text in, sync jobs out, every problem with its place.
//!
//! | file | does |
//! |---|---|
//! | `text` | bytes to text; names and values as messages show them |
//! | `yaml`, `loader` | text to a tree whose nodes know their place, within bounds |
//! | `options` | reads one mapping option by option; "did you mean" |
//! | `job` | what all jobs have in common, and the table of types |
//! | `ami`, `snapshot` | a type of job each |
//! | `client_config` | the settings of both levels, and what they come to |
//! | `arn`, `endpoint`, `ruby` | what certain values and older options mean |
//! | `repeats` | jobs that do the same |
//! | `schema` | the same rules for editors, as far as they go |

mod ami;
mod arn;
mod client_config;
mod endpoint;
mod job;
mod loader;
mod namesakes;
mod options;
mod repeats;
mod ruby;
mod schema;
mod snapshot;
mod text;
mod yaml;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use schema::schema;
pub use text::MAX_BYTES;

use crate::model::client_config::ClientConfig;
use crate::model::id::JobName;
use crate::model::job::ConfiguredJob;
use crate::model::problem::Problem;
use client_config::Level;
use yaml::{Data, Entry, Node};

/// The top-level key of the settings that all jobs share.
const CLIENT_CONFIG: &str = "aws_client_config";

/// What a config without jobs may begin with.
const EXAMPLE: &str = "a job looks like this:\n\
    sync_my_database:\n  sync_type: rds_automated_snapshot\n  source_region: us-east-1\n  \
    destination_region: us-west-1\n  db_instance: mydatabase";

/// A commented config to begin with, sound as it stands.
pub const STARTER: &str = include_str!("starter.yaml");

/// What a config file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its jobs, in the order of the file.
    pub jobs: Vec<ConfiguredJob>,
    /// What is accepted and has no effect, each with its place.
    pub notes: Vec<Problem>,
}

impl Config {
    /// All problems of all jobs, in the order of the file, each once: what is wrong with the settings that jobs
    /// share is a problem of every job.
    pub fn problems(&self) -> Vec<Problem> {
        let of_job = |job: &ConfiguredJob| match job {
            ConfiguredJob::Sound(_) => Vec::new(),
            ConfiguredJob::Broken { problems, .. } => problems.clone(),
        };
        in_order(self.jobs.iter().flat_map(of_job).collect())
    }
}

/// Reads a config. A job with problems is reported as broken, and the others stand.
///
/// # Errors
/// What makes the file as a whole of no use: never empty.
pub fn read(bytes: &[u8]) -> Result<Config, Vec<Problem>> {
    let root = parse(bytes)?;
    let top = Top::of(&root)?;
    let mut notes = top.notes;
    let mut jobs = Vec::with_capacity(top.jobs.len());
    for entry in top.jobs {
        let (job, job_notes) = job::read(entry, &top.global);
        notes.extend(job_notes);
        jobs.push((job, entry));
    }
    notes.extend(top.global.notes);
    Ok(Config {
        jobs: namesakes::mark(repeats::refuse(jobs)),
        notes: in_order(notes),
    })
}

/// The client settings of each job alone, for apply: a job whose other options are broken still has them.
///
/// # Errors
/// What makes the file as a whole of no use: never empty.
pub fn client_configs(bytes: &[u8]) -> Result<ClientConfigs, Vec<Problem>> {
    let root = parse(bytes)?;
    let top = Top::of(&root)?;
    let of_job = |entry: &&Entry| (job::name(entry), job::client_config(entry, &top.global).0);
    Ok(top.jobs.iter().map(of_job).collect())
}

/// The client settings of each job, or what is wrong with them.
pub type ClientConfigs = BTreeMap<JobName, Result<ClientConfig, Vec<Problem>>>;

/// Whether the file holds a secret key or a token, also where no job uses it, or the one that would is broken.
pub fn holds_keys(bytes: &[u8]) -> bool {
    parse(bytes).is_ok_and(|root| client_config::holds_keys(&root))
}

fn parse(bytes: &[u8]) -> Result<Rc<Node>, Vec<Problem>> {
    let text = text::text(bytes).map_err(|problem| vec![problem])?;
    yaml::parse(text)
}

/// The top level of a config.
struct Top<'a> {
    jobs: Vec<&'a Entry>,
    global: Level,
    /// Keys that mean nothing.
    notes: Vec<Problem>,
}

impl<'a> Top<'a> {
    fn of(root: &'a Node) -> Result<Self, Vec<Problem>> {
        let Data::Mapping(entries) = &root.data else {
            let message = format!("the config must be a mapping of jobs, not {}", root.kind());
            return Err(vec![Problem::new(message).at(root.place).help(EXAMPLE)]);
        };
        let (jobs, others): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .partition(|entry| job::is_job(&entry.key.text));
        if jobs.is_empty() {
            let message = "the config has no sync job: no top-level key starts with `sync_`";
            return Err(vec![Problem::new(message).at(root.place).help(EXAMPLE)]);
        }
        let global = others
            .iter()
            .find(|entry| entry.key.text == CLIENT_CONFIG)
            .copied();
        let notes = others
            .iter()
            .filter(|entry| entry.key.text != CLIENT_CONFIG)
            .map(|entry| ignored(entry))
            .collect();
        Ok(Self {
            jobs,
            global: Level::read("the global aws_client_config", global),
            notes,
        })
    }
}

fn ignored(entry: &Entry) -> Problem {
    let name = entry.key.text.as_str();
    let help = match options::did_you_mean(name, &[CLIENT_CONFIG]) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "the keys of jobs start with `sync_`".to_owned(),
    };
    Problem::new(format!(
        "the top-level key `{}` is ignored",
        text::key(name)
    ))
    .at(entry.key.place)
    .help(help)
}

/// In the order of the file, each once.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.at);
    let mut ordered: Vec<Problem> = Vec::with_capacity(problems.len());
    for problem in problems {
        // The same ones have the same place, so they are neighbours but for others of that place.
        let same_place = ordered
            .iter()
            .rev()
            .take_while(|other| other.at == problem.at);
        if !same_place.into_iter().any(|other| *other == problem) {
            ordered.push(problem);
        }
    }
    ordered
}
