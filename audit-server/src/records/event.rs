//! Events as they were received.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::timestamp::Timestamp;

/// Whether the server took an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// Stored, and answered with 200.
    Accepted,
    /// Refused; [`StoredEvent::http_status`] and [`StoredEvent::reasons`] say how and why.
    Rejected,
}

impl EventStatus {
    /// `accepted` or `rejected`.
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

/// One request to create an event, as the server received and answered it.
///
/// Accepted events are kept until their organization's retention ends, for good if none is set. Of
/// the rejected ones the last 1,000 are kept, whatever refused them, a wrong key included. As JSON
/// (`GET /_local/events`) it has the fields `seq`, `received_at`, `idempotency_key`,
/// `organization_id`, `action`, `status`, `http_status`, `response`, `reasons`, `event` and
/// `event_bytes`.
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
    /// The row's number: counts up, is never used twice, and survives a restart on a file.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When the request was received, by the server's [`Clock`](crate::Clock), in whole
    /// milliseconds.
    #[must_use]
    pub fn received_at(&self) -> SystemTime {
        self.received_at.to_system_time()
    }

    /// The `Idempotency-Key` that came with the request.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The body's `organization_id`; `None` if the body was not read or has no such text.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.organization_id.as_deref()
    }

    /// The body's `event.action`; `None` if the body was not read or has no such text.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.action.as_deref()
    }

    /// Whether the event was taken.
    #[must_use]
    pub fn status(&self) -> EventStatus {
        self.status
    }

    /// The status of the HTTP answer.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.http_status
    }

    /// The body of the HTTP answer.
    #[must_use]
    pub fn response(&self) -> Value {
        parse(&self.response)
    }

    /// Why the event was rejected, one sentence for each violation, more telling than the answer's
    /// body; empty for an accepted one.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// The body's `event`; `Value::Null` if there is none, see [`event_json`](Self::event_json).
    /// Parses on each call.
    #[must_use]
    pub fn event(&self) -> Value {
        self.event.as_deref().map_or(Value::Null, parse)
    }

    /// The body's `event`, byte for byte as it was sent.
    ///
    /// `None` if the request had none, was refused before its body was read, or was refused and its
    /// event is larger than 64 KiB.
    #[must_use]
    pub fn event_json(&self) -> Option<&str> {
        self.event.as_deref().map(RawValue::get)
    }

    /// The size of the event as it was sent, in bytes, also where the event itself was not kept; 0
    /// if there was none.
    #[must_use]
    pub fn event_bytes(&self) -> u64 {
        self.event_bytes
    }
}

fn parse(raw: &RawValue) -> Value {
    // A raw value is JSON by construction; only nesting beyond serde_json's limit could fail here,
    // and such a body is refused when read.
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
    fn the_event_is_given_back_as_it_was_sent() {
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
