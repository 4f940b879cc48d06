//! Reading a request's body: JSON, of a bounded size.

use std::time::Duration;

use axum::body::HttpBody;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::app::App;
use crate::response::ApiResponse;

/// The largest body that is read: 1 MiB. The service's own limit is undocumented; users report that
/// there is one.
pub(crate) const BODY_LIMIT: usize = 1_024 * 1_024;

/// How much of a body that is too large is read and thrown away, and for how long, so that a client
/// that is still sending gets to see the answer instead of a closed connection.
const DRAIN_LIMIT: usize = 16 * BODY_LIMIT;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads a whole body of at most [`BODY_LIMIT`] bytes; it is never held in memory beyond that.
///
/// # Errors
/// 413 for one that is larger, and at once if it says so and is too large to be thrown away; 408
/// for one that takes longer than the server's read timeout; 400 for one that ends early.
pub(crate) async fn read(app: &App, body: Body) -> Result<Bytes, ApiResponse> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > BODY_LIMIT + DRAIN_LIMIT {
        return Err(ApiResponse::too_large());
    }
    tokio::time::timeout(app.read_timeout, read_all(body))
        .await
        .unwrap_or_else(|_| {
            Err(ApiResponse::message(
                StatusCode::REQUEST_TIMEOUT,
                "The request's body took too long to arrive.",
            ))
        })
}

async fn read_all(mut body: Body) -> Result<Bytes, ApiResponse> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            ApiResponse::message(StatusCode::BAD_REQUEST, "The request's body ended early.")
        })?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers
        };
        if read.len() + data.len() > BODY_LIMIT {
            drain(body).await;
            return Err(ApiResponse::too_large());
        }
        read.extend_from_slice(&data);
    }
    Ok(read.into())
}

/// Reads what is left of a body and throws it away, within bounds of size and time.
pub(crate) async fn drain(mut body: Body) {
    let discard = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DRAIN_LIMIT {
                break;
            }
        }
    };
    // Whether it was read to its end or given up does not matter: the answer is the same.
    drop(tokio::time::timeout(DRAIN_TIME, discard).await);
}

/// Parses a body that says it is JSON.
///
/// # Errors
/// 415 without `Content-Type: application/json` (or a `+json` type), which also keeps a web page's
/// plain form posts out; 400 for malformed JSON.
pub(crate) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, ApiResponse> {
    if !is_json(headers) {
        let message = "The request's Content-Type has to be application/json.";
        return Err(ApiResponse::message(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            message,
        ));
    }
    // A syntax error of serde_json names line and column, and never quotes the text.
    serde_json::from_slice(bytes).map_err(|error| {
        ApiResponse::message(
            StatusCode::BAD_REQUEST,
            &format!("The request's body is not valid JSON: {error}."),
        )
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(content_type: &str, text: &str) -> Result<Value, StatusCode> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        parse(&headers, text.as_bytes()).map_err(|response| response.status)
    }

    #[test]
    fn a_json_type_is_required() {
        for content_type in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
        ] {
            assert!(status(content_type, "{}").is_ok(), "{content_type}");
        }
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "",
            "text/json",
        ] {
            assert_eq!(
                status(content_type, "{}"),
                Err(StatusCode::UNSUPPORTED_MEDIA_TYPE),
                "{content_type}"
            );
        }
    }

    #[test]
    fn malformed_json_is_a_bad_request() {
        for text in ["", "{", "{}x", "\u{0}", &"[".repeat(1_000)] {
            assert_eq!(
                status("application/json", text),
                Err(StatusCode::BAD_REQUEST)
            );
        }
    }
}
