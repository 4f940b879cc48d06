//! Reads the head of a request and of its response.

use std::net::IpAddr;

use audit_core::web::{RequestHead, grpc};
use http::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use http::request::Parts;
use http::{Response, StatusCode, Uri};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// Longest path that is taken as that of a gRPC method, in bytes.
const MAX_METHOD_BYTES: usize = 250;

/// The head of a request, as the audit core reads it.
pub(crate) struct HttpRequestHead<'a>(pub(crate) &'a Parts);

impl RequestHead for HttpRequestHead<'_> {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        // The names that every request asks for need no parsing.
        let values = match name {
            "user-agent" => self.0.headers.get_all(USER_AGENT),
            "x-request-id" => self.0.headers.get_all(X_REQUEST_ID),
            "traceparent" => self.0.headers.get_all(TRACEPARENT),
            _ => self.0.headers.get_all(name),
        };
        values.into_iter().map(|value| value.as_bytes())
    }

    fn peer(&self) -> Option<IpAddr> {
        peer(self.0)
    }
}

/// Returns the HTTP status of a response, or the one that its gRPC status corresponds to.
///
/// The HTTP status of every gRPC response is 200. The gRPC status is in the head only if the
/// response has no body, as when a call failed. In trailers it is not seen, and the value that the
/// function returned decides alone.
pub(crate) fn status<R>(response: &Response<R>) -> StatusCode {
    let headers = response.headers();
    let content_type = headers.get(CONTENT_TYPE);
    match headers.get(GRPC_STATUS) {
        Some(code) if content_type.is_some_and(|value| grpc::is_grpc(value.as_bytes())) => {
            grpc::status_of(code.as_bytes())
        }
        _ => response.status(),
    }
}

/// The route that a request matched, as reports name it.
#[derive(Debug)]
pub(crate) struct Route {
    #[cfg(feature = "axum")]
    matched: Option<axum::extract::MatchedPath>,
    /// The URI of a gRPC call, whose path serves as the route.
    method: Option<Uri>,
}

impl Route {
    pub(crate) fn of(parts: &Parts) -> Self {
        let content_type = parts.headers.get(CONTENT_TYPE);
        let is_grpc = content_type.is_some_and(|value| grpc::is_grpc(value.as_bytes()))
            && is_method(parts.uri.path());
        Self {
            #[cfg(feature = "axum")]
            matched: parts.extensions.get().cloned(),
            method: is_grpc.then(|| parts.uri.clone()),
        }
    }

    /// Returns the route that the router matched, or the path of a gRPC method.
    pub(crate) fn as_str(&self) -> Option<&str> {
        #[cfg(feature = "axum")]
        if let Some(matched) = &self.matched {
            return Some(matched.as_str());
        }
        self.method.as_ref().map(Uri::path)
    }
}

/// Returns `true` if a path has the form of a gRPC method, `/package.Service/Method`.
///
/// Such a path holds no ids. The check keeps a client that only claims to send gRPC from putting
/// an id into a report.
fn is_method(path: &str) -> bool {
    let is_name = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let parts = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    path.len() <= MAX_METHOD_BYTES
        && parts.is_some_and(|(service, method)| service.split('.').all(is_name) && is_name(method))
}

/// Returns the address of the connection's peer, from the extension of the server in use.
fn peer(parts: &Parts) -> Option<IpAddr> {
    #[cfg(feature = "axum")]
    if let Some(peer) = parts
        .extensions
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()
    {
        return Some(peer.0.ip());
    }
    #[cfg(feature = "tonic")]
    if let Some(peer) = tonic_peer(&parts.extensions) {
        return Some(peer);
    }
    // Unused without the feature of a server.
    let _: &Parts = parts;
    None
}

/// Returns the peer of a connection to tonic's server, with or without TLS.
#[cfg(feature = "tonic")]
fn tonic_peer(extensions: &http::Extensions) -> Option<IpAddr> {
    use tonic::metadata::MetadataMap;
    use tonic::transport::server::TcpConnectInfo;

    let address = match extensions.get::<TcpConnectInfo>() {
        Some(connection) => connection.remote_addr(),
        // The extension of a TLS connection is a type that tonic exports only under a feature for
        // one TLS backend, which is the application's choice. tonic's own lookup knows the type,
        // but needs a request.
        None => {
            tonic::Request::from_parts(MetadataMap::new(), extensions.clone(), ()).remote_addr()
        }
    };
    Some(address?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_grpc_method_is_a_route() {
        for path in [
            "/documents.v1.Documents/Delete",
            "/Documents/Delete_1",
            "/_a/_b",
        ] {
            assert!(is_method(path), "{path}");
        }
        for path in [
            "",
            "/",
            "/documents",
            "documents/delete",
            "/documents/42",
            "/documents/delete/42",
            "/documents//",
            "/documents..v1/Delete",
            "/documents/b7f0-11",
            "/42/Delete",
        ] {
            assert!(!is_method(path), "{path}");
        }
        assert!(!is_method(&format!(
            "/{}/Delete",
            "a".repeat(MAX_METHOD_BYTES)
        )));
    }
}
