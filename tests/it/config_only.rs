//! The tests of the config alone, while other modules do not compile.

mod config;

#[test]
fn write_schema() {
    if let Ok(path) = std::env::var("WRITE_SCHEMA") {
        let schema = aws_xregion_sync::model::json::document(&aws_xregion_sync::config::schema());
        std::fs::write(path, schema.unwrap()).unwrap();
    }
}
