//! What a request's head says, as this crate's layer reads it.

use std::net::IpAddr;

use audit_core::web::Head;
use http::request::Parts;

/// A request's head.
pub(crate) struct RequestHead<'a>(pub(crate) &'a Parts);

impl Head for RequestHead<'_> {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .headers
            .get_all(name)
            .into_iter()
            .map(|value| value.as_bytes())
    }

    fn peer(&self) -> Option<IpAddr> {
        peer(self.0)
    }
}

/// The route that a request matched, if the router says so.
#[derive(Debug)]
pub(crate) struct Route {
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
}

impl Route {
    #[cfg(feature = "axum")]
    pub(crate) fn of(parts: &Parts) -> Self {
        Self {
            matched: parts.extensions.get().cloned(),
        }
    }

    #[cfg(not(feature = "axum"))]
    pub(crate) fn of(_: &Parts) -> Self {
        Self {}
    }

    #[cfg(feature = "axum")]
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.matched
            .as_ref()
            .map(axum::extract::MatchedPath::as_str)
    }

    #[cfg(not(feature = "axum"))]
    pub(crate) fn as_str(&self) -> Option<&str> {
        None
    }
}

/// The address of the peer of the connection.
#[cfg(feature = "axum")]
fn peer(parts: &Parts) -> Option<IpAddr> {
    let peer = parts
        .extensions
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()?;
    Some(peer.0.ip())
}

#[cfg(not(feature = "axum"))]
fn peer(_: &Parts) -> Option<IpAddr> {
    None
}
