//! Rate limiting per API key.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::body;
use crate::own_path::is_own_path;
use crate::response::ApiResponse;

/// Rejects a request that exceeds its key's limit with a 429. Requests without a known key are left
/// to the key check.
pub(crate) async fn limit_rate(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let exceeded = app
        .rate_limit
        .as_ref()
        .filter(|_| !is_own_path(request.uri().path()))
        .zip(app.keys.authorize(request.headers()))
        .and_then(|(limit, key_hash)| limit.admit(key_hash, app.now()).err());
    let Some(wait) = exceeded else {
        return next.run(request).await;
    };
    body::drain(request.into_body()).await;
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    let mut response = ApiResponse::too_many_requests().into_response();
    if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
