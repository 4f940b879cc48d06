//! API key checks.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::response::ApiResponse;

/// Rejects a request without an accepted API key with a 401.
pub(crate) async fn require_key(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    match app.keys.authorize(request.headers()) {
        Some(_) => next.run(request).await,
        None => ApiResponse::unauthorized().into_response(),
    }
}

/// As [`require_key`] if other machines can reach the server; on loopback the server's own routes
/// need no key.
pub(crate) async fn require_key_if_remote(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    if app.hosts.is_loopback() || app.keys.authorize(request.headers()).is_some() {
        next.run(request).await
    } else {
        ApiResponse::unauthorized().into_response()
    }
}
