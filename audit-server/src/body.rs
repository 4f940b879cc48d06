//! Reading of request bodies: JSON, of a bounded size.

use std::time::Duration;

use axum::body::HttpBody;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::app::App;
use crate::response::ApiResponse;

/// The largest accepted body: 1 MiB. The service's own limit is undocumented; users report that
/// there is one.
pub(crate) const BODY_LIMIT: usize = 1_024 * 1_024;

/// The limits for discarding the rest of a body that is too large: a client that is still sending
/// then receives the response instead of a closed connection.
const DRAIN_LIMIT: usize = 16 * BODY_LIMIT;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Reads a whole body of at most [`BODY_LIMIT`] bytes; never buffers more than that.
///
/// # Errors
/// 413 for a larger body, at once if its announced length is too large to be discarded; 408 for one
/// that exceeds the server's read timeout; 400 for one that ends early.
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

/// Reads and discards the rest of a body, within limits of size and time.
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
    // The result does not matter: the response is the same.
    drop(tokio::time::timeout(DRAIN_TIME, discard).await);
}

/// Parses a JSON body.
///
/// # Errors
/// 415 without `Content-Type: application/json` (or a `+json` type), which also blocks the plain
/// form posts of a web page; 400 for malformed JSON.
pub(crate) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Value, ApiResponse> {
    if !is_json(headers) {
        let message = "The request's Content-Type has to be application/json.";
        return Err(ApiResponse::message(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            message,
        ));
    }
    // A syntax error of serde_json contains line and column, and never quotes the text.
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
    fn json_content_type_is_required() {
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
