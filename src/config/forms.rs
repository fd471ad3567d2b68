//! Checks the form of certain values: ARNs (`arn:<partition>:<service>:<region>:<account>:<resource>`) and endpoints.

use std::net::Ipv6Addr;

/// Returns true if this is the ARN of an IAM role.
pub(super) fn is_role_arn(arn: &str) -> bool {
    let name = match parts(arn, "iam") {
        Some(("", resource)) => resource.strip_prefix("role/").unwrap_or_default(),
        _ => "",
    };
    !name.is_empty() && !name.ends_with('/') && !name.contains(char::is_whitespace)
}

/// Returns true if this is the ARN of a KMS key or alias, an alias, or the id of a key: hexadecimal digits and hyphens.
pub(super) fn is_kms_key(text: &str) -> bool {
    if text.starts_with("arn:") {
        return kms_key_region(text).is_some();
    }
    let is_made_of = |text: &str, is: fn(u8) -> bool| !text.is_empty() && text.bytes().all(is);
    match text.strip_prefix("alias/") {
        Some(name) => is_made_of(name, |byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-')
        }),
        None => is_made_of(text.strip_prefix("mrk-").unwrap_or(text), |byte| {
            byte.is_ascii_hexdigit() || byte == b'-'
        }),
    }
}

/// Returns the region in the ARN of a KMS key or alias.
pub(super) fn kms_key_region(arn: &str) -> Option<&str> {
    let (region, resource) = parts(arn, "kms")?;
    let is_key = resource.starts_with("key/") || resource.starts_with("alias/");
    is_key.then_some(region)
}

/// Returns the region and the resource in an ARN that has an account.
fn parts<'a>(arn: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, found, region, account, resource]
            if partition.starts_with("aws")
                && *found == service
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some((region, resource))
        }
        _ => None,
    }
}

/// Returns what an endpoint must be, if it is anything but an `http` or `https` URL with a host and, optionally, a port and a path.
pub(super) fn endpoint_fault(url: &str) -> Option<&'static str> {
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
        Some("a URL with a host and, optionally, a port")
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
