//! The context headers of a request, kept raw until an event needs them.

use std::net::IpAddr;

use crate::event::{AuditText, Event, MAX_VALUE_CHARS, Text, pieces};

/// The bytes kept of a header: enough for every character that a text of an event can hold.
const MOST_BYTES: usize = 4 * (MAX_VALUE_CHARS + 1);

/// The context headers of a request (user agent, request id, traceparent), kept raw and parsed only
/// if the request produces an event.
///
/// The request id and the user agent are the client's own claims unless a proxy sets them; they
/// serve to correlate log lines and never decide anything. Each is cut at 500 characters, as every
/// text of an event.
#[derive(Debug)]
pub(crate) struct RequestContext {
    address: Option<IpAddr>,
    /// The concatenated values; an empty value counts as absent.
    values: Vec<u8>,
    user_agent_end: usize,
    request_id_end: usize,
}

impl RequestContext {
    /// Keeps the raw values of the three context headers; an absent header is empty.
    pub(crate) fn new(
        address: Option<IpAddr>,
        user_agent: &[u8],
        request_id: &[u8],
        traceparent: &[u8],
    ) -> Self {
        let [user_agent, request_id, parent] = [user_agent, request_id, traceparent]
            .map(|value| &value[..value.len().min(MOST_BYTES)]);
        let request_id_end = user_agent.len() + request_id.len();
        let mut values = Vec::with_capacity(request_id_end + parent.len());
        for value in [user_agent, request_id, parent] {
            values.extend_from_slice(value);
        }
        Self {
            address,
            values,
            user_agent_end: user_agent.len(),
            request_id_end,
        }
    }

    /// Writes the context into an event.
    pub(crate) fn describe(&self, event: &mut Event) {
        match self.address {
            // A dual-stack listener reports IPv4 peers as IPv4-mapped IPv6 addresses.
            Some(address) => event.set_location(&Address(address.to_canonical())),
            None => event.set_location("unknown"),
        }
        let (client, parent) = self.values.split_at(self.request_id_end);
        let (user_agent, request_id) = client.split_at(self.user_agent_end);
        if !user_agent.is_empty() {
            event.set_user_agent(&Escaped(user_agent));
        }
        if !request_id.is_empty() {
            event.push_metadata("request_id", &Escaped(request_id));
        }
        if let Some(id) = trace_id(parent) {
            event.push_metadata("trace_id", id);
        }
    }
}

/// An address, formatted without an intermediate string.
struct Address(IpAddr);

impl AuditText for Address {
    fn audit_text(&self, out: &mut Text<'_>) {
        let address = match self.0 {
            IpAddr::V4(address) => address,
            IpAddr::V6(address) => {
                use std::fmt::Write as _;
                // Writing into a text never fails.
                let _ = write!(out, "{address}");
                return;
            }
        };
        // The formatting machinery costs ten times as much.
        let mut text = [0_u8; 16];
        let mut end = 0;
        for octet in address.octets() {
            for (digit, from) in [(octet / 100, 100), (octet / 10 % 10, 10), (octet % 10, 0)] {
                if octet >= from {
                    text[end] = b'0' + digit;
                    end += 1;
                }
            }
            text[end] = b'.';
            end += 1;
        }
        // Without the last dot.
        let end = end - 1;
        out.push_str(std::str::from_utf8(&text[..end]).unwrap_or_default());
    }
}

/// A header value as text that is safe to print.
///
/// Characters that control a terminal or the direction of text are escaped as `\u{1b}`; invalid
/// UTF-8 becomes the replacement character.
struct Escaped<'a>(&'a [u8]);

impl AuditText for Escaped<'_> {
    fn audit_text(&self, out: &mut Text<'_>) {
        // Nearly always printable ASCII, which needs no escape.
        let is_plain = |plain, byte: &u8| plain & matches!(byte, b' '..=b'~');
        if self.0.iter().fold(true, is_plain)
            && let Ok(text) = std::str::from_utf8(self.0)
        {
            return out.push_str(text);
        }
        for chunk in self.0.utf8_chunks() {
            for (plain, steering) in pieces(chunk.valid()) {
                out.push_str(plain);
                for char in steering.into_iter().flat_map(char::escape_unicode) {
                    char.audit_text(out);
                }
            }
            if !chunk.invalid().is_empty() {
                char::REPLACEMENT_CHARACTER.audit_text(out);
            }
        }
    }
}

/// Returns the trace id of a `traceparent`
/// (<https://www.w3.org/TR/trace-context/#traceparent-header>): the second of the parts separated
/// by dashes, 32 lower-case hex digits that are not all zero.
///
/// All parts have fixed lengths, so nothing is searched.
fn trace_id(traceparent: &[u8]) -> Option<&str> {
    let (known, rest) = traceparent.split_first_chunk::<55>()?;
    let (version, id, parent, flags) = (&known[..2], &known[3..35], &known[36..52], &known[53..]);
    let is_hex = |part: &[u8]| {
        let is_digit = |all, byte: &u8| all & matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        part.iter().fold(true, is_digit)
    };
    let divided = [2, 35, 52].into_iter().all(|at| known[at] == b'-');
    // A later version may append parts.
    let ends = match rest.first() {
        None => true,
        Some(next) => *next == b'-' && version != b"00",
    };
    let well_formed = divided && ends && [version, id, parent, flags].into_iter().all(is_hex);
    let is_some = version != b"ff" && id.iter().any(|digit| *digit != b'0');
    if !(well_formed && is_some) {
        return None;
    }
    std::str::from_utf8(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the event of a request with one header.
    fn event(name: &'static str, value: impl Into<Vec<u8>>) -> Event {
        let mut event = Event::begin("document.delete", 0);
        let value = value.into();
        let of = |header| if header == name { &value[..] } else { &[] };
        let context = RequestContext::new(
            None,
            of("user-agent"),
            of("x-request-id"),
            of("traceparent"),
        );
        context.describe(&mut event);
        event
    }

    /// Returns a value as both free-text headers record it.
    fn shown(value: impl Into<Vec<u8>>) -> String {
        let value = value.into();
        let (agent, id) = (
            event("user-agent", value.clone()),
            event("x-request-id", value),
        );
        let agent = agent.user_agent().unwrap();
        let id = id.metadata_value("request_id").unwrap().to_string();
        assert_eq!(agent, id);
        id
    }

    #[test]
    fn terminal_and_direction_controls_are_escaped() {
        assert_eq!(shown("curl/8"), "curl/8");
        assert_eq!(shown("a\u{1b}[31mred\tb"), r"a\u{1b}[31mred\u{9}b");
        assert_eq!(shown("\u{9b}1m\u{7f}\r\n"), r"\u{9b}1m\u{7f}\u{d}\u{a}");
        assert_eq!(shown("gpj\u{202e}exe"), r"gpj\u{202e}exe");
        assert_eq!(shown("Grüße \u{1f980}"), "Grüße \u{1f980}");
    }

    #[test]
    fn addresses_are_formatted_canonically() {
        let shown = |address: IpAddr| {
            let mut event = Event::begin("a", 0);
            event.set_location(&Address(address));
            event.location().unwrap_or_default().to_owned()
        };
        for octet in 0..=255_u8 {
            let address = IpAddr::from([octet, 255 - octet, octet / 3, octet / 30]);
            assert_eq!(shown(address), address.to_string());
        }
        assert_eq!(shown("2001:db8::1".parse().unwrap()), "2001:db8::1");
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        assert_eq!(shown(b"a\xffb\xe2\x82"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn long_values_are_cut_and_listed() {
        for value in ["x".repeat(100_000), "\u{1b}".repeat(100_000)] {
            let event = event("user-agent", value);
            assert_eq!(event.user_agent().unwrap().chars().count(), 500);
            assert_eq!(
                event.truncated().collect::<Vec<_>>(),
                ["context.user_agent"]
            );
        }
    }

    #[test]
    fn an_empty_header_counts_as_absent() {
        assert_eq!(event("x-request-id", "").metadata_value("request_id"), None);
        assert_eq!(event("user-agent", "").user_agent(), None);
    }

    #[test]
    fn a_trace_id_is_read_from_a_well_formed_traceparent_only() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        let known = format!("00-{id}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(known.as_bytes()), Some(id));
        assert_eq!(
            trace_id(format!("01-{id}-00f067aa0ba902b7-01-more").as_bytes()),
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
            assert_eq!(trace_id(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
