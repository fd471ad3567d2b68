//! The config: what is accepted, what is refused, and how that is said.

mod bad;
mod client_config;
mod good;
mod options;
mod screens;

use std::time::Duration;

use aws_xregion_sync::config::{self, Config};
use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::id::{AccountId, DbInstance, JobName, Region};
use aws_xregion_sync::model::job::{
    AmiJob, ConfiguredJob, ImageFilter, ImageSelector, JobKind, SnapshotJob, SyncJob,
};
use aws_xregion_sync::model::problem::{AwsFailure, Problem, TextPlace};
use aws_xregion_sync::model::report::Level;
use aws_xregion_sync::render::problems::{WIDTH, diagnostics};
use proptest::prelude::*;

const SEED: &str = include_str!("../../testdata/config/seed.yaml");
const ALL_OPTIONS: &str = include_str!("../../testdata/config/all_options.yaml");
const ANCHORS: &str = include_str!("../../testdata/config/anchors.yaml");

fn read(text: &str) -> Config {
    config::read(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", screen(text, &problems)))
}

/// The jobs of a config that has no problem.
fn sound(text: &str) -> Vec<SyncJob> {
    let config = read(text);
    assert_eq!(screen(text, &config.problems()), "");
    let sound = |job| match job {
        ConfiguredJob::Sound(job) => job,
        ConfiguredJob::Broken { name, .. } => panic!("{name} is broken"),
    };
    config.jobs.into_iter().map(sound).collect()
}

fn screen(text: &str, problems: &[Problem]) -> String {
    diagnostics("xrs.yaml", text, problems, Level::Error, false, WIDTH)
}

/// All there is to say about a config, as a user sees it.
fn whole_screen(text: &str) -> String {
    match config::read(text.as_bytes()) {
        Ok(config) => {
            let notes = diagnostics("xrs.yaml", text, &config.notes, Level::Note, false, WIDTH);
            format!("{}{notes}", screen(text, &config.problems()))
        }
        Err(problems) => screen(text, &problems),
    }
}

/// What is wrong with a file as a whole.
fn refused(bytes: impl AsRef<[u8]>) -> Problem {
    let problems = config::read(bytes.as_ref()).expect_err("refused");
    assert_eq!(
        config::client_configs(bytes.as_ref()).expect_err("refused, too"),
        problems
    );
    problems.into_iter().next().expect("never empty")
}

/// The problems of one job of this type with these options, written in flow style.
fn problems_of(sync_type: &str, options: &str) -> Vec<String> {
    let common =
        format!("sync_type: {sync_type}, source_region: us-east-1, destination_region: us-west-1");
    let text = format!("{{sync_x: {{{common}, {options}}}}}");
    read(&text)
        .problems()
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn ami(options: &str) -> Vec<String> {
    problems_of("ec2_ami", options)
}

fn snapshot(options: &str) -> Vec<String> {
    problems_of(
        "rds_automated_snapshot",
        &format!("db_instance: mydatabase, {options}"),
    )
}

/// The settings of one job, with these at the top and these of its own.
fn merged(global: &str, own: &str) -> Result<ClientConfig, Vec<Problem>> {
    let text =
        format!("{{aws_client_config: {{{global}}}, sync_x: {{aws_client_config: {{{own}}}}}}}");
    let mut all = config::client_configs(text.as_bytes()).expect("a config");
    all.remove(&JobName::from("sync_x")).expect("its job")
}
