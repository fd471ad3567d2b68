//! What an `endpoint_url` must look like: `http` or `https`, a host, perhaps a port and a path.

use std::net::Ipv6Addr;

/// Returns what a URL must be, if it is not.
pub(super) fn fault(url: &str) -> Option<&'static str> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Some("a URL that starts with http:// or https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("a URL without user and password");
    }
    if rest.contains(['?', '#']) {
        return Some("a URL without a query");
    }
    let is_valid = is_host_and_port(authority) && rest.chars().all(|c| c.is_ascii_graphic());
    (!is_valid).then_some("a URL with a host, and perhaps a port")
}

fn is_host_and_port(authority: &str) -> bool {
    // The colons of an IPv6 address in brackets do not separate a port.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    is_host(host) && port.is_none_or(is_port)
}

fn is_host(host: &str) -> bool {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if let Some(address) = address {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    host.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(is_letter))
}
