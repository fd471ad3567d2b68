//! Log lines on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::format::debug_fn;

use super::args;
use super::exit::Failure;
use crate::model::client_config::is_key_id;
use crate::model::safe::safe;

/// Sends log lines to stderr: those that `XRS_LOG` selects, otherwise those that the number of `-v` does.
pub(super) fn set_up(verbose: u8, color: bool) -> Result<(), Failure> {
    let by_count = match verbose {
        0 => "off",
        1 => "aws_xregion_sync=info",
        _ => "info,aws_xregion_sync=debug",
    };
    let filter = match args::environment("XRS_LOG")? {
        Some(filter) => EnvFilter::try_new(&filter).map_err(|error| {
            Failure::usage(
                format!("XRS_LOG is not a log filter: {error}"),
                "use for example XRS_LOG=aws_xregion_sync=debug",
            )
        })?,
        None => EnvFilter::new(by_count),
    };
    // Any value of any crate's events and spans may contain a text from AWS or from a file.
    let fields = debug_fn(|writer, field, value| {
        let value = without_key_ids(&format!("{value:?}"));
        match field.name() {
            "message" => write!(writer, "{}", safe(&value)),
            name => write!(writer, "{name}={}", safe(&value)),
        }
    });
    let to_stderr = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(fields.delimited(" "))
        .with_writer(std::io::stderr)
        // These would also be written to stderr, with a panic if it is closed.
        .log_internal_errors(false);
    // It fails only if a program that calls this function has set up a log already, which is then used.
    let _ = to_stderr.with_ansi(color).try_init();
    Ok(())
}

/// Returns a text without access key ids, which the SDK logs at level trace with each request that it signs.
fn without_key_ids(text: &str) -> String {
    let is_other = |c: char| !c.is_ascii_alphanumeric();
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(is_other) {
        let run = part.trim_end_matches(is_other);
        let rest = part.get(run.len()..).unwrap_or_default();
        shown.push_str(if is_key_id(run) { "[secret]" } else { run });
        shown.push_str(rest);
    }
    shown
}
