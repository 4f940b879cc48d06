//! `POST /audit_logs/events`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api_key::KeyHash;
use crate::app::App;
use crate::body;
use crate::records::{EventStatus, StoredEvent};
use crate::response::ApiResponse;
use crate::store::{self, NewEvent, SavedResponse};
use crate::timestamp::{Timestamp, parse_utc_date_time};
use crate::validate_event::{Validation, validate_event};

/// The longest accepted `Idempotency-Key`, in bytes. The service's limit is undocumented; it
/// suggests a UUID.
const MAX_KEY_BYTES: usize = 255;

/// A request that was parsed.
struct Submission {
    key_hash: KeyHash,
    key: Option<String>,
    body: Value,
    event: Option<Box<RawValue>>,
}

/// The result of a request.
enum Processed {
    Recorded(StoredEvent, ApiResponse),
    Replayed(ApiResponse),
}

/// Stores one event, accepted or rejected with the reasons.
///
/// With an `Idempotency-Key`, the response to the first *accepted* event is saved and sent again
/// for 24 hours, even if the later body differs. Rejections are not saved, so that a corrected
/// event may reuse the key of the rejected one; the service's behaviour is undocumented. A request
/// whose body is not JSON is rejected before its key is looked up.
///
/// Everything happens in one transaction of the single connection: of two concurrent requests with
/// the same key, one stores a row and the other gets the saved response.
///
/// # Cancellation
/// A client that disconnects while its event is being stored does not prevent that.
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> ApiResponse {
    let received_at = app.now();
    let (parts, body) = request.into_parts();
    // The body is read before the request can be rejected, so that the client is not disconnected
    // while it is still sending.
    let bytes = body::read(&app, body).await;
    let submission = read_submission(&app, &parts.headers, bytes);
    let shared = Arc::clone(&app);
    let processed = app.store.run_then(
        move |tx| {
            let submission = match submission {
                Ok(submission) => submission,
                Err(mut response) => {
                    let row = RequestRecord {
                        received_at,
                        key: None,
                        body: None,
                        event: None,
                    };
                    let reason = std::mem::take(&mut response.reason);
                    return Ok(Processed::Recorded(
                        store::insert_event(tx, row.rejected(&response, vec![reason]))?,
                        response,
                    ));
                }
            };
            submit(&shared, tx, received_at, submission)
        },
        {
            let app = Arc::clone(&app);
            move |processed| {
                if let Processed::Recorded(event, _) = processed {
                    app.subscribers.publish(event);
                }
            }
        },
    );
    match processed.await {
        Ok(Processed::Recorded(_, response) | Processed::Replayed(response)) => response,
        Err(error) => error.into(),
    }
}

/// Checks the API key, the idempotency key and the JSON, in this order; the first failure is the
/// response.
fn read_submission(
    app: &App,
    headers: &HeaderMap,
    bytes: Result<impl AsRef<[u8]>, ApiResponse>,
) -> Result<Submission, ApiResponse> {
    let key_hash = app
        .keys
        .authorize(headers)
        .ok_or_else(ApiResponse::unauthorized)?;
    let key = idempotency_key(headers)?;
    let bytes = bytes?;
    let body = body::parse(headers, bytes.as_ref())?;
    Ok(Submission {
        key_hash,
        key,
        event: raw_event(bytes.as_ref()),
        body,
    })
}

fn submit(
    app: &App,
    tx: &rusqlite::Transaction<'_>,
    received_at: Timestamp,
    submission: Submission,
) -> rusqlite::Result<Processed> {
    let Submission {
        key_hash,
        key,
        body,
        event,
    } = submission;
    if let Some(key) = &key
        && let Some(SavedResponse {
            http_status,
            response,
        }) = store::find_response(tx, key_hash.as_bytes(), key, received_at)?
    {
        store::count_duplicate(tx)?;
        let status = StatusCode::from_u16(http_status).unwrap_or(StatusCode::OK);
        return Ok(Processed::Replayed(ApiResponse {
            status,
            body: response,
            reason: String::new(),
        }));
    }
    let validation = validate_event(app, tx, &body)?;
    let row = RequestRecord {
        received_at,
        key: key.clone(),
        body: Some(&body),
        event,
    };
    match validation {
        Validation::Accepted(response) => {
            let stored = store::insert_event(
                tx,
                row.new_event(EventStatus::Accepted, &response, Vec::new()),
            )?;
            if let Some(key) = key {
                store::save_response(
                    tx,
                    key_hash.as_bytes(),
                    &key,
                    response.status.as_u16(),
                    &response.body,
                    received_at,
                )?;
            }
            Ok(Processed::Recorded(stored, response))
        }
        Validation::Rejected(response, reasons) => Ok(Processed::Recorded(
            store::insert_event(tx, row.rejected(&response, reasons))?,
            response,
        )),
    }
}

/// The known parts of a request, for its row.
struct RequestRecord<'a> {
    received_at: Timestamp,
    key: Option<String>,
    body: Option<&'a Value>,
    event: Option<Box<RawValue>>,
}

impl RequestRecord<'_> {
    fn rejected(self, response: &ApiResponse, reasons: Vec<String>) -> NewEvent {
        self.new_event(EventStatus::Rejected, response, reasons)
    }

    fn new_event(
        self,
        status: EventStatus,
        response: &ApiResponse,
        reasons: Vec<String>,
    ) -> NewEvent {
        let text = |pointer: &str| {
            self.body
                .and_then(|body| body.pointer(pointer))
                .and_then(Value::as_str)
                .map(ToOwned::to_owned)
        };
        let occurred_at = match status {
            EventStatus::Accepted => {
                text("/event/occurred_at").and_then(|text| parse_utc_date_time(&text))
            }
            EventStatus::Rejected => None,
        };
        NewEvent {
            received_at: self.received_at,
            occurred_at,
            organization_id: text("/organization_id"),
            action: text("/event/action"),
            idempotency_key: self.key,
            status,
            http_status: response.status.as_u16(),
            response: response.body.clone(),
            reasons,
            event: self.event,
        }
    }
}

/// # Errors
/// 400 for a key that is empty, longer than 255 bytes or not visible ASCII, and for more than one
/// key. Whether the service rejects these is undocumented, but a client that sends them has a bug.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiResponse> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) && keys.next().is_none() => {
            Ok(Some(key.to_owned()))
        }
        _ => {
            let message = format!(
                "The Idempotency-Key has to be one header of 1 to {MAX_KEY_BYTES} visible ASCII characters."
            );
            Err(ApiResponse::message(StatusCode::BAD_REQUEST, &message))
        }
    }
}

/// Returns the text of the body's `event`, exactly as sent. Of several `event` fields the last one
/// counts, as in validation.
fn raw_event(bytes: &[u8]) -> Option<Box<RawValue>> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).ok()?;
    fields.remove("event").map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_keeps_its_text() {
        let raw = raw_event(br#"{"organization_id":"o","event":{"n": 1.10,"b":1,"a":2}}"#).unwrap();
        assert_eq!(raw.get(), r#"{"n": 1.10,"b":1,"a":2}"#);
        let twice = raw_event(br#"{"event":{"a":1},"event":{"b":2}}"#).unwrap();
        assert_eq!(twice.get(), r#"{"b":2}"#);
        assert!(raw_event(b"[]").is_none() && raw_event(b"{}").is_none());
    }

    #[test]
    fn idempotency_key_is_one_header_of_bounded_visible_ascii() {
        let key = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", value.parse().unwrap());
            }
            idempotency_key(&headers).map_err(|response| response.status)
        };
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&["k"]), Ok(Some("k".to_owned())));
        assert!(key(&[&"k".repeat(255)]).is_ok());
        for values in [&[""][..], &["a", "b"], &[&"k".repeat(256)], &["ä"]] {
            assert_eq!(key(values), Err(StatusCode::BAD_REQUEST));
        }
    }
}
