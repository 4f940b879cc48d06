//! Fault injection.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::body;
use crate::connection::ConnectionCutter;
use crate::fault::{Effect, ExportFails, Fault};
use crate::own_path::is_own_path;
use crate::response::ApiResponse;

/// Applies the oldest fault that matches the request.
pub(crate) async fn inject_fault(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if is_own_path(path) {
        return next.run(request).await;
    }
    let Some(Fault { delay, effect, .. }) = app.faults.take(request.method().as_str(), path) else {
        return next.run(request).await;
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let cutter = request.extensions().get::<ConnectionCutter>().cloned();
    match effect {
        Effect::Nothing => next.run(request).await,
        Effect::Status {
            status,
            retry_after,
        } => {
            // Read first, so that the client is not disconnected while it is still sending.
            body::drain(request.into_body()).await;
            status_response(status, retry_after)
        }
        Effect::Reset => {
            if let Some(cutter) = cutter {
                cutter.reset();
            }
            // Never sent: its first byte resets the connection.
            Response::new(Body::empty())
        }
        Effect::CutAfter(bytes) => {
            let response = next.run(request).await;
            if let Some(cutter) = cutter {
                cutter.cut_after(bytes);
            }
            response
        }
        Effect::ExportFails => {
            request.extensions_mut().insert(ExportFails);
            next.run(request).await
        }
    }
}

fn status_response(status: u16, retry_after: Option<String>) -> Response {
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| (200..600).contains(&status.as_u16()))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = if status == StatusCode::TOO_MANY_REQUESTS {
        ApiResponse::too_many_requests()
    } else {
        ApiResponse::message(status, "This response was injected by a fault.")
    };
    let mut response = body.into_response();
    if let Some(value) = retry_after.and_then(|text| HeaderValue::try_from(text).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}
