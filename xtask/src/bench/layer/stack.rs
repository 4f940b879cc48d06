//! A stack of layers, and the request that it serves.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

/// A service in some layers.
pub(super) struct Stack {
    pub(super) label: &'static str,
    /// Each request leaves an event.
    pub(super) audited: bool,
    /// Serves this many requests, and returns the time that it took.
    pub(super) batch: Box<dyn Fn(u32) -> Measured>,
}

pub(super) type Measured = Pin<Box<dyn Future<Output = Duration>>>;

/// The headers that our layers read.
pub(super) const HEADERS: [(&str, &str); 3] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"),
    ("x-request-id", "01HX7Q6Z3F9WJ6V0D2M5T8K4RB"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];
pub(super) const PEER: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)), 4711);
