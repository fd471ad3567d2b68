//! What the provider logs.

use std::fs;
use std::sync::Arc;

use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::query::Query;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use super::caller::{Caller, copy_of};
use super::world::{EAST, TIME, WEST, World};

/// Returns the log lines of a read, a write, and a write that is refused, from this level on.
async fn log(level: &str) -> Vec<String> {
    let world = World::new();
    world.database(EAST, "mydb", None);
    let source = world.snapshot(EAST, "mydb", TIME, json!({}));
    let file = tempfile::NamedTempFile::new().expect("a file");
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("aws_xregion_sync={level}")))
        .with_ansi(false)
        .with_writer(Arc::new(file.reopen().expect("the file")))
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let west = Caller::new(&world, WEST, Kind::DbSnapshot);
    west.find(Query::AllManual).await;
    let copy = copy_of(Kind::DbSnapshot, &source);
    west.copy(&copy, None).await.expect("a copy");
    west.copy(&copy, None).await.expect_err("the id is taken");
    drop(guard);
    let text = fs::read_to_string(file.path()).expect("the file");
    text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn writes_are_logged_at_level_info_and_reads_at_level_debug() {
    let copy = "INFO aws_xregion_sync::provider::aws: write to AWS call=\"copy\" region=us-west-1 about=arn:aws:rds:us-east-1:";
    let read = "DEBUG aws_xregion_sync::provider::aws: read from AWS call=\"find\" region=us-west-1 about=(DbSnapshot, AllManual)";
    let lines = log("debug").await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (line, expected) in lines.iter().zip([read, copy, copy]) {
        assert!(line.contains(expected) && line.contains("took="), "{line}");
    }
    assert!(
        lines[0].contains("found=0") && !lines[1].contains("error="),
        "{lines:?}"
    );
    let error = "error=CopyDBSnapshot in us-west-1: DBSnapshotAlreadyExists: ";
    assert!(lines[2].contains(error), "{lines:?}");
    assert_eq!(log("info").await.len(), 2, "writes only");
}
