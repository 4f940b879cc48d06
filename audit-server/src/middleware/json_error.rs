//! Conversion of plain-text errors to JSON.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::response::ApiResponse;

/// Replaces a plain-text error response of a library with JSON, so that every error has a
/// `message`.
pub(crate) async fn as_json(response: Response) -> Response {
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if is_json || response.status().is_success() || response.status().is_redirection() {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut json = ApiResponse::message(
        parts.status,
        parts.status.canonical_reason().unwrap_or("Error"),
    )
    .into_response();
    // Keep meaningful headers, such as `Allow`, but not those that describe the replaced body.
    for (name, value) in parts.headers {
        if let Some(name) =
            name.filter(|name| !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH))
        {
            json.headers_mut().insert(name, value);
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderValue, StatusCode};

    use super::*;

    #[tokio::test]
    async fn plain_text_errors_become_json_and_keep_their_headers() {
        let response = (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, HeaderValue::from_static("POST"))],
            Body::from("text"),
        );
        let response = as_json(response.into_response()).await;
        assert_eq!(response.headers()[header::ALLOW], "POST");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/json; charset=utf-8"
        );
    }
}
