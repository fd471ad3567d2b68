//! What the gem accepted, and what replaces it.

use super::document::Entry;
use crate::model::problem::Problem;

/// Client settings of the Ruby SDK, each group with its replacement.
const RUBY_OPTIONS: &[(&str, &str)] = &[
    (
        "region",
        "a job's regions are its `source_region` and `destination_region`",
    ),
    ("endpoint", "use `endpoint_url`"),
    ("proxy_uri", "use `http_proxy`"),
    (
        "ssl_ca_directory ssl_ca_file ssl_ca_path",
        "use `ssl_ca_bundle`",
    ),
    (
        "max_retries retry_limit",
        "use `max_attempts`, which includes the first try",
    ),
    (
        "retry_mode",
        "the pauses between retries always grow; `max_attempts` limits their number",
    ),
    ("http_open_timeout", "use `connect_timeout`"),
    ("http_read_timeout", "use `read_timeout`"),
    (
        "http_wire_trace log_level log_formatter logger",
        "set XRS_LOG to log more",
    ),
    ("ssl_verify_peer", "certificates are always verified"),
    (
        "use_ssl",
        "calls always use TLS, unless `endpoint_url` starts with http://",
    ),
    (
        "stub_requests stub_responses",
        "use --sandbox to try xrs without an account",
    ),
    (
        "http_idle_timeout http_continue_timeout \
         user_agent_prefix user_agent_suffix signature_version",
        "there is no replacement; it can be removed",
    ),
];

/// Returns the client settings that only the gem used, and what to use instead.
pub(super) fn ruby_options() -> impl Iterator<Item = (&'static str, &'static str)> {
    let group = |(names, instead): &(&'static str, &'static str)| {
        let instead = *instead;
        names.split(' ').map(move |name| (name, instead))
    };
    RUBY_OPTIONS.iter().flat_map(group)
}

/// Returns a note about a client setting, if only the gem used it.
pub(super) fn note(setting: &Entry, owner: &str) -> Option<Problem> {
    let (name, instead) = ruby_options().find(|(name, _)| *name == setting.key)?;
    let problem = Problem::new(format!("`{name}` of {owner} has no effect"));
    Some(problem.at(setting.place).help(instead))
}

/// Returns true if a top-level key is that of a job. Case is ignored.
pub(super) fn is_job(key: &str) -> bool {
    let start = key.get(..5);
    start.is_some_and(|start| start.eq_ignore_ascii_case("sync_"))
}
