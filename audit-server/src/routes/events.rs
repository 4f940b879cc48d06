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

/// The longest `Idempotency-Key` that is taken, in bytes. The service's limit is undocumented; its
/// suggestion is a UUID.
const MAX_KEY_BYTES: usize = 255;

/// A request that could be read.
struct Submission {
    key_hash: KeyHash,
    key: Option<String>,
    body: Value,
    event: Option<Box<RawValue>>,
}

/// How a request ended.
enum Processed {
    Recorded(StoredEvent, ApiResponse),
    Replayed(ApiResponse),
}

/// Stores one event, or one row that says why not.
///
/// With an `Idempotency-Key`, the answer to the first event that was *accepted* under it is given
/// again for 24 hours, whatever the later body says. Refusals are not remembered, so that a
/// corrected event may use the key of the refused one; whether the service remembers them is
/// undocumented. A request whose body is not JSON is refused before its key is looked at.
///
/// Everything happens in one transaction of the single writer: of two requests with the same key,
/// however close, one stores a row and the other is told what the first was told.
///
/// # Cancellation
/// A client that hangs up while its event is being stored does not stop it from being stored.
pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> ApiResponse {
    let received_at = app.now();
    let (parts, body) = request.into_parts();
    // The body is read before anything is refused, so that the client is not cut off while it is
    // still sending.
    let bytes = body::read(&app, body).await;
    let read = read_submission(&app, &parts.headers, bytes);
    let shared = Arc::clone(&app);
    let stored = app.store.run_then(
        move |tx| {
            let submission = match read {
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
            move |outcome| {
                if let Processed::Recorded(event, _) = outcome {
                    app.subscribers.publish(event);
                }
            }
        },
    );
    match stored.await {
        Ok(Processed::Recorded(_, response) | Processed::Replayed(response)) => response,
        Err(error) => error.into(),
    }
}

/// Key, form and JSON, in this order; the first that fails is the answer, with a reason in words.
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

/// What is known of a request when its row is written.
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
/// 400 for a key that is empty, longer than 255 bytes or not visible ASCII, and for more than one:
/// whether the service refuses these is undocumented, and a client that sends one has a mistake.
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

/// The text of the body's `event`, exactly as it was sent; `None` if there is none. Of several the
/// last one counts, as it does for the check.
fn raw_event(bytes: &[u8]) -> Option<Box<RawValue>> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).ok()?;
    fields.remove("event").map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_keeps_its_text() {
        let raw = raw_event(br#"{"organization_id":"o","event":{"n": 1.10,"b":1,"a":2}}"#).unwrap();
        assert_eq!(raw.get(), r#"{"n": 1.10,"b":1,"a":2}"#);
        let twice = raw_event(br#"{"event":{"a":1},"event":{"b":2}}"#).unwrap();
        assert_eq!(twice.get(), r#"{"b":2}"#);
        assert!(raw_event(b"[]").is_none() && raw_event(b"{}").is_none());
    }

    #[test]
    fn an_idempotency_key_is_one_visible_text_of_bounded_length() {
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
