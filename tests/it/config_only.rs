//! The tests of the config alone, while other modules do not compile.

mod config;

#[test]
fn write_schema() {
    if let Ok(path) = std::env::var("WRITE_SCHEMA") {
        let schema = aws_xregion_sync::model::json::document(&aws_xregion_sync::config::schema());
        std::fs::write(path, schema.unwrap()).unwrap();
    }
}

#[test]
fn timing() {
    let mut text = String::new();
    for n in 0..3500 {
        text.push_str(&format!("sync_{n}:\n  sync_type: rds_automated_snapshot\n  source_region: us-east-1\n  destination_region: us-west-1\n  db_instance: d{n}\n  max_snapshots_to_retain: 5\n  aws_client_config:\n    profile: p{n}\n    max_attempts: 5\n    read_timeout: 2.5\n"));
    }
    let start = std::time::Instant::now();
    let config = aws_xregion_sync::config::read(text.as_bytes()).unwrap();
    println!("{} bytes {} jobs {:?}", text.len(), config.jobs.len(), start.elapsed());
    assert!(config.problems().is_empty());
}
