//! Reads the head of a request and the status of a response.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use audit_core::web::RequestHead;
use http::StatusCode;

/// The head of a request, as the audit core reads it.
pub(crate) struct ActixRequestHead<'a>(pub(crate) &'a ServiceRequest);

impl RequestHead for ActixRequestHead<'_> {
    fn method(&self) -> &str {
        self.0.method().as_str()
    }

    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.headers().get_all(name).map(|value| value.as_bytes())
    }

    fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().map(|peer| peer.ip())
    }
}

/// Converts a status of actix-web, which uses an older version of `http`.
pub(crate) fn status(status: actix_web::http::StatusCode) -> StatusCode {
    // Both versions accept the same numbers, so the fallback is never used.
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
