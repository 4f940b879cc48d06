//! What a request's head says, as this crate's middleware reads it.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use audit_core::web::RequestHead;
use http::StatusCode;

/// A request's head.
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

/// A status of actix-web, whose `http` is an older one.
pub(crate) fn status(status: actix_web::http::StatusCode) -> StatusCode {
    // Both take the same numbers, so that the fallback stands for nothing that occurs.
    StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
