//! What a request's head says about where it comes from.

use std::net::IpAddr;

use crate::Context;

/// The head of a request, as a framework has it.
pub trait Head {
    /// The method, such as `DELETE`.
    fn method(&self) -> &str;

    /// The values of a header, one for each line of that name, in their order. The name is in lower case.
    fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]>;

    /// The address of the other end of the connection, if the server knows it.
    fn peer(&self) -> Option<IpAddr>;
}

/// The context of a request from an address.
///
/// The request id and the user agent are the client's words unless something in front sets them; they serve to find
/// related lines, not to decide anything.
pub(super) fn context(head: &impl Head, address: Option<IpAddr>) -> Context {
    let mut context = match address {
        // A dual-stack listener sees IPv4 peers as mapped addresses, which nobody would search for.
        Some(address) => Context::new().location(address.to_canonical().to_string()),
        None => Context::new().location("unknown"),
    };
    if let Some(user_agent) = head.header("user-agent").next() {
        context = context.user_agent(String::from_utf8_lossy(user_agent));
    }
    if let Some(id) = text(head, "x-request-id").filter(|id| !id.is_empty()) {
        context = context.request_id(id);
    }
    if let Some(id) = text(head, "traceparent").and_then(trace_id) {
        context = context.trace_id(id);
    }
    context
}

fn text<'a>(head: &'a impl Head, name: &'static str) -> Option<&'a str> {
    let value = std::str::from_utf8(head.header(name).next()?).ok()?;
    value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~'))
        .then_some(value)
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
