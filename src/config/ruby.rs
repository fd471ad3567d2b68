//! Options of the Ruby SDK that the older tool passed on, and that have no meaning here.

use super::options::Options;
use crate::model::problem::Problem;

/// Each with what to use in its place.
pub(super) const OPTIONS: &[(&str, &str)] = &[
    (
        "region",
        "a job's regions are its `source_region` and `destination_region`",
    ),
    (
        "ec2_endpoint",
        "for another endpoint than AWS's own, use `endpoint_url`",
    ),
    (
        "rds_endpoint",
        "for another endpoint than AWS's own, use `endpoint_url`",
    ),
    (
        "endpoint",
        "for another endpoint than AWS's own, use `endpoint_url`",
    ),
    (
        "max_retries",
        "use `max_attempts`, which counts the first try, too",
    ),
    (
        "retry_limit",
        "use `max_attempts`, which counts the first try, too",
    ),
    (
        "retry_mode",
        "retries always wait longer and longer; `max_attempts` says how many there are",
    ),
    ("http_open_timeout", "use `connect_timeout`"),
    ("http_read_timeout", "use `read_timeout`"),
    ("http_idle_timeout", NO_EFFECT),
    ("http_continue_timeout", NO_EFFECT),
    ("http_wire_trace", "set XRS_LOG to see more of what is done"),
    ("log_level", "set XRS_LOG to see more of what is done"),
    ("log_formatter", "set XRS_LOG to see more of what is done"),
    ("logger", "set XRS_LOG to see more of what is done"),
    ("ssl_verify_peer", "certificates are always checked"),
    ("ssl_ca_bundle", NO_EFFECT),
    ("ssl_ca_directory", NO_EFFECT),
    ("ssl_ca_file", NO_EFFECT),
    ("ssl_ca_path", NO_EFFECT),
    (
        "use_ssl",
        "calls always use TLS, unless `endpoint_url` starts with http://",
    ),
    ("proxy_uri", NO_EFFECT),
    ("http_proxy", NO_EFFECT),
    ("user_agent_prefix", NO_EFFECT),
    ("user_agent_suffix", NO_EFFECT),
    ("signature_version", NO_EFFECT),
    (
        "stub_requests",
        "to try things without an account, use --sandbox",
    ),
    (
        "stub_responses",
        "to try things without an account, use --sandbox",
    ),
];

const NO_EFFECT: &str = "nothing takes its place; it can be removed";

/// A note for each such option that is given.
pub(super) fn without_effect(options: &mut Options<'_>) -> Vec<Problem> {
    let whose = options.whose().to_owned();
    let note = |(name, instead): &(&'static str, &'static str)| {
        let given = options.accepted(name)?;
        Some(
            Problem::new(format!("`{name}` of {whose} has no effect here"))
                .at(given)
                .help(*instead),
        )
    };
    OPTIONS.iter().filter_map(note).collect()
}
