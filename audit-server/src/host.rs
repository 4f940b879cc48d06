//! The accepted `Host` names: DNS-rebinding protection.
//!
//! A web page can point its own name at 127.0.0.1 and then call a server there as its own origin
//! (DNS rebinding). Its requests carry that name in `Host`, so a server on loopback accepts only
//! loopback names.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::header;
use axum::http::uri::Authority;

/// The names that the server accepts in `Host`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hosts {
    bound: SocketAddr,
}

impl Hosts {
    pub(crate) fn new(bound: SocketAddr) -> Self {
        Self { bound }
    }

    pub(crate) fn is_loopback(self) -> bool {
        self.bound.ip().is_loopback()
    }

    /// Returns `true` if the name is accepted. A server that is bound to a non-loopback address
    /// accepts any name.
    pub(crate) fn admits(self, host: &str) -> bool {
        if !self.is_loopback() {
            return true;
        }
        let name = without_port(host);
        name.eq_ignore_ascii_case("localhost")
            || matches!(name, "127.0.0.1" | "[::1]")
            || name
                .parse::<IpAddr>()
                .is_ok_and(|address| address == self.bound.ip())
    }

    /// Returns the base URL that the client used to reach the server.
    ///
    /// A link built from it works from the client's side: on the same machine, through a forwarded
    /// port, or from another container.
    pub(crate) fn base_url(self, request: &Request) -> String {
        let host = host(request)
            .filter(|host| host.parse::<Authority>().is_ok())
            .map_or_else(|| self.bound.to_string(), ToOwned::to_owned);
        format!("http://{host}")
    }
}

/// Returns `name:4100` and `[::1]:4100` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Returns the host that a request names. The authority of an absolute-form target takes precedence
/// (RFC 9112, section 3.2.2).
pub(crate) fn host(request: &Request) -> Option<&str> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(bound: &str, host: &str) -> bool {
        Hosts::new(SocketAddr::new(bound.parse().unwrap(), 4100)).admits(host)
    }

    #[test]
    fn loopback_names_are_admitted_with_any_port() {
        for host in [
            "localhost",
            "LOCALHOST:4100",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:4100",
        ] {
            assert!(admits("127.0.0.1", host), "{host}");
        }
        assert!(
            admits("127.0.0.2", "127.0.0.2:4100"),
            "the address it is bound to"
        );
    }

    #[test]
    fn other_names_are_rejected_on_loopback() {
        let hosts = [
            "evil.example",
            "evil.example:4100",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "",
            ":4100",
            "127.0.0.2",
            "::1",
        ];
        for host in hosts {
            assert!(!admits("127.0.0.1", host), "{host}");
        }
    }

    #[test]
    fn server_on_another_address_accepts_any_name() {
        assert!(admits("0.0.0.0", "audit.internal:4100"));
    }
}
