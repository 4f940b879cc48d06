//! DNS-rebinding protection.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::host::host;
use crate::response::ApiResponse;

/// Rejects a request with a foreign `Host`, or without one, with a 403.
pub(crate) async fn check_host(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let host = host(&request);
    if host.is_some_and(|host| app.hosts.admits(host))
        || (host.is_none() && !app.hosts.is_loopback())
    {
        return next.run(request).await;
    }
    let message = "This local server accepts only the hosts localhost, 127.0.0.1 and [::1].";
    ApiResponse::message(StatusCode::FORBIDDEN, message).into_response()
}
