//! What an `endpoint_url` must look like: `http` or `https`, a host, perhaps a port and a path.

use std::net::Ipv6Addr;

/// Returns what a URL must be, if it is not.
pub(super) fn fault(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Some("a URL that starts with http:// or https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // The colons of an IPv6 address in brackets do not separate a port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "443"),
    };
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0) && !port.starts_with('+');
    if authority.contains('@') {
        Some("a URL without user and password")
    } else if rest.contains(['?', '#']) {
        Some("a URL without a query")
    } else if !is_host(host) || !is_port || !rest.chars().all(|c| c.is_ascii_graphic()) {
        Some("a URL with a host, and perhaps a port")
    } else {
        None
    }
}

fn is_host(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_letter)),
    }
}
