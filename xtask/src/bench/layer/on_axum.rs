//! The stacks of axum.

use std::hint::black_box;
use std::time::{Duration, Instant};

use audit_tower::web::OnUnaudited;
use audit_tower::{Actor, AuditLayer, AuditRoute, Recorder, action, audited, path};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::routing::{MethodRouter, delete};
use tower_http::trace::TraceLayer;
use tower_service::Service;

use super::stack::{HEADERS, PEER, Stack};

async fn plain_delete(Path(id): Path<u64>) -> StatusCode {
    black_box(id);
    StatusCode::NO_CONTENT
}

#[audited(action = "document.delete", target = "id")]
async fn audited_delete(Path(id): Path<u64>) -> StatusCode {
    black_box(id);
    StatusCode::NO_CONTENT
}

pub(super) fn stacks(recorder: &Recorder) -> Vec<Stack> {
    let app = |route: MethodRouter| Router::new().route("/documents/{id}", route);
    let layer = AuditLayer::new(recorder.clone())
        .principal_with(|_| Some(Actor::user("user_1").name("Ada Lovelace")))
        .on_unaudited(OnUnaudited::Ignore);
    let by_route = AuditRoute::new(action!("document.delete")).target("document", path("id"));
    let stack = |label, audited, app: Router| Stack {
        label,
        audited,
        batch: Box::new(move |requests| Box::pin(batch(app.clone(), requests))),
    };
    vec![
        stack("plain", false, app(delete(plain_delete))),
        stack(
            "TraceLayer, no subscriber",
            false,
            app(delete(plain_delete)).layer(TraceLayer::new_for_http()),
        ),
        stack(
            "AuditLayer, no event",
            false,
            app(delete(plain_delete)).layer(layer.clone()),
        ),
        stack(
            "AuditLayer and #[audited]: one event",
            true,
            app(delete(audited_delete)).layer(layer.clone()),
        ),
        stack(
            "AuditLayer and AuditRoute: one event",
            true,
            app(delete(plain_delete).layer(by_route)).layer(layer),
        ),
    ]
}

async fn batch(mut app: Router, requests: u32) -> Duration {
    let requests: Vec<_> = (0..requests).map(|_| request()).collect();
    let started = Instant::now();
    for request in requests {
        black_box(app.call(request).await.map(drop)).unwrap_or_else(|never| match never {});
    }
    started.elapsed()
}

/// Returns a request with everything that the layer reads.
fn request() -> Request {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::DELETE;
    *request.uri_mut() = Uri::from_static("/documents/42");
    for (name, value) in HEADERS {
        let (name, value) = (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
        request.headers_mut().insert(name, value);
    }
    request.extensions_mut().insert(ConnectInfo(PEER));
    request
}
