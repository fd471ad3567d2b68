//! The config: what is accepted, what is refused, and the messages.

mod bad;
mod bad_destinations;
mod client_config;
mod destinations;
mod good;
mod options;
mod schema;
mod screens;

use aws_xregion_sync::config::{self, Config};
use aws_xregion_sync::render::problems::{WIDTH, diagnostics};
use aws_xregion_sync::sync_types::ConfiguredJob;
use proptest::prelude::*;

use crate::support::prelude::*;
use crate::support::{assert_says, each, rows};

const SEED: &str = include_str!("../../testdata/config/seed.yaml");
const ALL_OPTIONS: &str = include_str!("../../testdata/config/all_options.yaml");
const ANCHORS: &str = include_str!("../../testdata/config/anchors.yaml");

/// The required options of an image job, and those of a database job without its database.
const AMI: &str = "sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1";
const DATABASE: &str =
    "sync_type: rds_automated_snapshot, source_region: us-east-1, destination_region: us-west-1";
const CLUSTER: &str = "sync_type: rds_automated_cluster_snapshot, source_region: us-east-1, destination_region: us-west-1, \
                       db_cluster: c";

fn read(text: &str) -> Config {
    config::read(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", screen(text, &problems)))
}

/// Returns the jobs of a config without problems.
fn valid(text: &str) -> Vec<SyncJob> {
    let config = read(text);
    assert_eq!(screen(text, &config.problems()), "");
    let valid = |job| match job {
        ConfiguredJob::Valid(job) => job,
        ConfiguredJob::Invalid { name, .. } => panic!("{name} is invalid"),
    };
    config.jobs.into_iter().map(valid).collect()
}

fn screen(text: &str, problems: &[Problem]) -> String {
    diagnostics("xrs.yaml", text, problems, Level::Error, false, WIDTH)
}

/// Returns all problems of a config as a user sees them.
fn whole_screen(text: &str) -> String {
    match config::read(text.as_bytes()) {
        Ok(config) => {
            let show = |problems: &[Problem], level| {
                diagnostics("xrs.yaml", text, problems, level, false, WIDTH)
            };
            let warnings = show(&config.warnings, Level::Warning);
            let notes = show(&config.notes, Level::Note);
            format!("{}{warnings}{notes}", screen(text, &config.problems()))
        }
        Err(problems) => screen(text, &problems),
    }
}

/// Returns what is wrong with a file as a whole.
fn refused(bytes: impl AsRef<[u8]>) -> Problem {
    let problems = config::read(bytes.as_ref()).expect_err("refused");
    problems.into_iter().next().expect("never empty")
}

/// Returns the messages about one job with these options, written in flow style.
fn messages(options: &str) -> Vec<String> {
    let problems = read(&format!("{{sync_x: {{{options}}}}}")).problems();
    problems
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn ami(options: &str) -> Vec<String> {
    messages(&format!("{AMI}, {options}"))
}

fn database(options: &str) -> Vec<String> {
    messages(&format!("{DATABASE}, db_instance: mydatabase, {options}"))
}

/// Returns the settings of one job, with these global settings and these of its own.
fn merged(global: &str, own: &str) -> Result<ClientConfig, Vec<Problem>> {
    let text =
        format!("{{aws_client_config: {{{global}}}, sync_x: {{aws_client_config: {{{own}}}}}}}");
    let mut all = read(&text).client_configs;
    all.remove(&JobName::from("sync_x")).expect("its job")
}
