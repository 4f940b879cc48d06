//! Events as they were received.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::timestamp::Timestamp;

/// The result of a request to create an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// Accepted with a 200.
    Accepted,
    /// Rejected; see [`StoredEvent::http_status`] and [`StoredEvent::reasons`].
    Rejected,
}

impl EventStatus {
    /// Returns `accepted` or `rejected`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "accepted" => Some(Self::Accepted),
            "rejected" => Some(Self::Rejected),
            _ => None,
        }
    }
}

/// One request to create an event, with the server's response.
///
/// Accepted events are kept until their organization's retention ends, or forever if none is set.
/// The last 1,000 rejected ones are kept, whatever the reason, including a wrong key. As JSON (`GET
/// /_local/events`) it has the fields `seq`, `received_at`, `idempotency_key`, `organization_id`,
/// `action`, `status`, `http_status`, `response`, `reasons`, `event` and `event_bytes`.
#[derive(Clone, Debug, Serialize)]
pub struct StoredEvent {
    pub(crate) seq: u64,
    pub(crate) received_at: Timestamp,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) status: EventStatus,
    pub(crate) http_status: u16,
    pub(crate) response: Box<RawValue>,
    pub(crate) reasons: Vec<String>,
    pub(crate) event: Option<Box<RawValue>>,
    pub(crate) event_bytes: u64,
}

impl StoredEvent {
    /// Returns the row number, which increases, is never reused, and survives a restart on a file.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the time the request was received, by the server's [`Clock`](crate::Clock), in whole
    /// milliseconds.
    #[must_use]
    pub fn received_at(&self) -> SystemTime {
        self.received_at.to_system_time()
    }

    /// Returns the `Idempotency-Key` of the request.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// Returns the body's `organization_id`; `None` if the body was not read or has no such string.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.organization_id.as_deref()
    }

    /// Returns the body's `event.action`; `None` if the body was not read or has no such string.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Returns whether the event was accepted or rejected.
    #[must_use]
    pub fn status(&self) -> EventStatus {
        self.status
    }

    /// Returns the status of the HTTP response.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// Returns the body of the HTTP response.
    #[must_use]
    pub fn response(&self) -> Value {
        parse(&self.response)
    }

    /// Returns the reasons of the rejection, one sentence for each violation, more detailed than
    /// the response; empty for an accepted event.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Returns the body's `event`, or `Value::Null`; see [`event_json`](Self::event_json). Parses
    /// on each call.
    #[must_use]
    pub fn event(&self) -> Value {
        self.event.as_deref().map_or(Value::Null, parse)
    }

    /// Returns the body's `event`, byte for byte as it was sent.
    ///
    /// `None` if the request had none, was rejected before its body was read, or was rejected with
    /// an event larger than 64 KiB.
    #[must_use]
    pub fn event_json(&self) -> Option<&str> {
        self.event.as_deref().map(RawValue::get)
    }

    /// Returns the size of the event as it was sent, in bytes, even if the event itself was not
    /// kept; 0 if there was none.
    #[must_use]
    pub fn event_bytes(&self) -> u64 {
        self.event_bytes
    }
}

fn parse(raw: &RawValue) -> Value {
    // A raw value is JSON by construction. Only nesting beyond serde_json's limit could fail here,
    // and such a body is rejected when it is parsed.
    serde_json::from_str(raw.get()).unwrap_or(Value::Null)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn stored(seq: u64) -> StoredEvent {
        StoredEvent {
            seq,
            received_at: Timestamp::from_millis(0),
            idempotency_key: None,
            organization_id: Some("org_1".to_owned()),
            action: Some("a.b".to_owned()),
            status: EventStatus::Accepted,
            http_status: 200,
            response: RawValue::from_string(r#"{"success":true}"#.to_owned()).unwrap(),
            reasons: Vec::new(),
            event: Some(
                RawValue::from_string(r#"{ "big": 123456789012345678901234567890 }"#.to_owned())
                    .unwrap(),
            ),
            event_bytes: 41,
        }
    }

    #[test]
    fn event_is_returned_as_it_was_sent() {
        let json = serde_json::to_string(&stored(3)).unwrap();
        assert!(
            json.contains(r#""event":{ "big": 123456789012345678901234567890 }"#),
            "{json}"
        );
        assert!(
            json.contains(r#""received_at":"1970-01-01T00:00:00.000Z""#),
            "{json}"
        );
        assert_eq!(stored(3).response()["success"], true);
    }
}
