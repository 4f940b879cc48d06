//! What a request's head says about where it comes from.

use audit_core::Context;
use http::HeaderName;
use http::header::USER_AGENT;
use http::request::Parts;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The context of a request, and whether the client's address is known.
///
/// The request id and the user agent are the client's words unless something in front sets them; they serve to find
/// related lines, not to decide anything.
pub(crate) fn context(parts: &Parts) -> (Context, bool) {
    let address = peer_address(parts);
    let mut context = match &address {
        Some(address) => Context::new().location(address),
        None => Context::new().location("unknown"),
    };
    if let Some(user_agent) = parts.headers.get(USER_AGENT) {
        context = context.user_agent(String::from_utf8_lossy(user_agent.as_bytes()));
    }
    if let Some(id) = parts
        .headers
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty())
    {
        context = context.request_id(id);
    }
    if let Some(id) = parts
        .headers
        .get(TRACEPARENT)
        .and_then(|value| trace_id(value.to_str().ok()?))
    {
        context = context.trace_id(id);
    }
    (context, address.is_some())
}

/// The address of the peer of the connection.
#[cfg(feature = "axum")]
fn peer_address(parts: &Parts) -> Option<String> {
    let peer = parts
        .extensions
        .get::<axum::extract::ConnectInfo<std::net::SocketAddr>>()?;
    // A dual-stack listener sees IPv4 peers as mapped addresses, which nobody would search for.
    Some(peer.0.ip().to_canonical().to_string())
}

#[cfg(not(feature = "axum"))]
fn peer_address(_: &Parts) -> Option<String> {
    None
}

/// The trace id of a `traceparent` (<https://www.w3.org/TR/trace-context/#traceparent-header>): the second of the parts
/// that dashes divide, 32 lower-case hex digits that are not all zero.
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let well_formed =
        hex(version, 2) && version != "ff" && hex(id, 32) && hex(parent, 16) && hex(flags, 2);
    let ends = parts.next().is_none() || version != "00";
    (well_formed && ends && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_read_from_a_well_formed_traceparent_only() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        assert_eq!(
            trace_id(&format!("01-{id}-00f067aa0ba902b7-01-more")),
            Some(id)
        );
        for wrong in [
            String::new(),
            id.to_owned(),
            format!("00-{id}"),
            format!("ff-{id}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{id}-00f067aa0ba902b7-01-more"),
        ] {
            assert_eq!(trace_id(&wrong), None, "{wrong}");
        }
    }
}
