//! The problems of a config for programs.

use aws_xregion_sync::config;
use aws_xregion_sync::model::json::document;
use aws_xregion_sync::model::problem::Problem;
use aws_xregion_sync::model::report::{Level, Report};

use super::golden;

fn report(text: &str) -> Report {
    let report = match config::read(text.as_bytes()) {
        Ok(config) => Report::new("xrs.yaml", &config.jobs)
            .with(Level::Error, &config.problems())
            .with(Level::Warning, &[Problem::new("others may read it")])
            .with(Level::Note, &config.notes),
        Err(problems) => Report::new("xrs.yaml", &[]).with(Level::Error, &problems),
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
        "An option that is misspelt, keys that others may read, and a key that means nothing.",
        &document(&report(config)).expect("JSON"),
    );
    golden(
        "problems_no_config_json",
        "A file that is no YAML: not one job can be told.",
        &document(&report("sync_a: {")).expect("JSON"),
    );
}
