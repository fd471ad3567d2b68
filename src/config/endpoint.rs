//! What an `endpoint_url` must look like: `http` or `https`, a host, perhaps a port and a path.

/// What it must be, if it is not.
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
    let is_sound = is_host_and_port(authority) && rest.chars().all(|c| c.is_ascii_graphic());
    (!is_sound).then_some("a URL with a host, and perhaps a port")
}

fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        // An IPv6 address in brackets; its colons are not that of a port.
        Some(bracketed) => match bracketed.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, port)) => (host, Some(port.strip_prefix(':').unwrap_or_default())),
            None => return false,
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_ipv6 = authority.starts_with('[');
    let host_fits = match is_ipv6 {
        true => host.parse::<std::net::Ipv6Addr>().is_ok(),
        false => host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        }),
    };
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    host_fits && port_fits
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        for good in [
            "http://localhost:5000",
            "https://rds.internal",
            "http://127.0.0.1:4566/aws",
            "http://[::1]:5000",
            "https://vpce-1_a.example.com/",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in [
            "",
            "localhost:5000",
            "ftp://host",
            "http://",
            "http://:80",
            "http://host:",
            "http://host:0",
            "http://host:99999",
            "http://a b",
            "http://[::1",
            "http://[x]",
            "http://user:pw@host",
            "http://host?x=1",
            "http://.host",
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
