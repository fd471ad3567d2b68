//! The problems of a config for programs.

use aws_xregion_sync::model::report::Report;
use aws_xregion_sync::ops::{self, ConfigFile, Error};

use super::golden;
use crate::support::prelude::*;

fn report(text: &str) -> Report {
    let file = ConfigFile::from_text("xrs.yaml", text);
    let report = match ops::validate(&file, &[]) {
        Ok(config) => Report::new("xrs.yaml", config.jobs)
            .with(Level::Error, &config.errors)
            .with(Level::Warning, &[Problem::new("others can read it")])
            .with(Level::Note, &config.notes),
        Err(Error::Config(config)) => {
            Report::new("xrs.yaml", Vec::new()).with(Level::Error, &config.problems)
        }
        Err(error) => panic!("{error}"),
    };
    Report {
        xrs_version: "0.0.0".to_owned(),
        ..report
    }
}

#[test]
fn problems_of_every_level_with_and_without_a_place() {
    let config = "\
owner: team-a
sync_web: {sync_type: ec2_ami, source_region: us-east-1, destination_region: us-west-1, sync_identifier: web}
sync_database:
  sync_type: rds_automated_snapshot
  source_region: us-east-1
  destination_region: us-west-1
  db_instance: mydatabase
  max_snapshot_to_retain: 5
";
    golden(
        "problems_json",
        "A misspelt option, keys that others can read, and a key without meaning.",
        &document(&report(config)).expect("JSON"),
    );
    golden(
        "problems_no_config_json",
        "A file that is not YAML: no job is known.",
        &document(&report("sync_a: {")).expect("JSON"),
    );
}
