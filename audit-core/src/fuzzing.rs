//! Entry points of the fuzz targets. Each takes any bytes, and panics if a property is violated.

use std::net::{IpAddr, Ipv4Addr};

use crate::web::TrustedProxies;

/// A client's address: outside the trusted networks, and unlikely in a generated header.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 77));
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

/// Checks the headers that carry the client's address; each line of the input is a header value
/// that a client sent.
///
/// The address that the nearest trusted proxy appends is used, regardless of the values before it.
/// The headers of a peer that is not a trusted proxy are ignored.
pub fn forwarded(bytes: &[u8]) {
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    let networks = ["10.0.0.0/8", "fd00::/8"];
    let single = TrustedProxies::header("x-real-ip", networks);
    let lists = [
        (TrustedProxies::x_forwarded_for(networks), ""),
        (TrustedProxies::forwarded(networks), "for="),
    ];
    for (proxies, before) in lists {
        let Ok(proxies) = proxies else {
            unreachable!("the networks are valid");
        };
        let appended = format!("{before}{CLIENT}");
        let as_a_line = lines.iter().copied().chain([appended.as_bytes()]);
        assert_eq!(proxies.client(PROXY, as_a_line), CLIENT);
        let mut own = lines.clone();
        let last = own.pop().unwrap_or_default();
        let in_the_line = [last, b", ", appended.as_bytes()].concat();
        own.push(&in_the_line);
        assert_eq!(proxies.client(PROXY, own.into_iter()), CLIENT);
        check(&proxies, &lines);
    }
    match single {
        Ok(proxies) => check(&proxies, &lines),
        Err(error) => unreachable!("the networks are valid: {error}"),
    }
}

fn check(proxies: &TrustedProxies, lines: &[&[u8]]) {
    assert_eq!(proxies.client(CLIENT, lines.iter().copied()), CLIENT);
    let found = proxies.client(PROXY, lines.iter().copied());
    assert_eq!(found, found.to_canonical());
}

#[cfg(test)]
mod tests {
    /// Checks the seeds of the target; the fuzzer tries the rest.
    #[test]
    fn invariants_hold_for_plain_input() {
        super::forwarded(b"");
        super::forwarded(b"192.0.2.1, 10.0.0.2\n10.0.0.3");
        super::forwarded(b"for=\"[2001:db8::1]:4711\";proto=https, for=\"");
    }
}
