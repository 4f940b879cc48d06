//! Audit by route: the fields that come from the request, and exempt routes.

use audit_tower::web::OnUnaudited;
use audit_tower::{AuditRoute, RequestValue, Scope, Value, action, path, unrecorded};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{delete, post};
use http::StatusCode;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::Harness;

fn audit() -> AuditRoute {
    AuditRoute::new(action!("document.delete"))
}

/// Sends a request to an audited route `/{org_id}/{doc_id}`, and returns the status.
async fn send(harness: &Harness, audit: AuditRoute, path: &str) -> StatusCode {
    let routes = Router::new().route("/{org_id}/{doc_id}", delete(|| async {}).layer(audit));
    let request = Request::delete(path).body(Body::empty()).unwrap();
    let app = routes.layer(harness.layer());
    app.oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn fields_of_the_event_come_from_the_request() {
    let harness = Harness::new();
    let header =
        |parts: &http::request::Parts| Some(parts.headers.get("x-none")?.to_str().ok()?.to_owned());
    let audit = audit()
        .named_target(
            "document",
            path("doc_id"),
            RequestValue::with(|parts| Some(parts.method.to_string())),
        )
        .target("folder", RequestValue::with(|_| Some("f1".to_owned())))
        .target("none", RequestValue::with(header))
        .metadata("organization", path("org_id"))
        .metadata("absent", RequestValue::with(header));
    send(&harness, audit, "/org_7/b%2F7").await;
    let event = harness.event().await;
    let targets: Vec<_> = event
        .targets()
        .map(|target| (target.kind(), target.id(), target.name()))
        .collect();
    assert_eq!(
        targets,
        [("document", "b/7", Some("DELETE")), ("folder", "f1", None)]
    );
    assert_eq!(
        event.metadata_value("organization"),
        Some(Value::Text("org_7"))
    );
    assert_eq!(event.metadata_value("absent"), None);
}

#[tokio::test]
async fn missing_path_parameter_is_an_unresolved_target() {
    let harness = Harness::new();
    let audit = audit()
        .target("document", path("document_id"))
        .metadata("key", path("no_such"));
    assert_eq!(send(&harness, audit, "/org_7/42").await, StatusCode::OK);
    let event = harness.event().await;
    let target = event.targets().next().unwrap();
    assert_eq!((target.kind(), target.id()), ("document", "unresolved"));
    assert_eq!(event.metadata_value("key"), None);
}

#[tokio::test]
async fn path_parameter_that_is_not_utf_8_is_an_unresolved_target() {
    let harness = Harness::new();
    send(
        &harness,
        audit().target("document", path("doc_id")),
        "/org_7/%ff",
    )
    .await;
    let event = harness.event().await;
    assert_eq!(event.targets().next().unwrap().id(), "unresolved");
}

#[tokio::test]
async fn request_without_a_layer_is_counted_as_unrecorded() {
    let before = unrecorded();
    let app = Router::new().route("/", delete(|| async {}).layer(audit()));
    let request = Request::delete("/").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::OK);
    assert_eq!(unrecorded(), before + 1);
}

#[tokio::test]
async fn scope_in_the_extensions_is_found_in_another_task() {
    let harness = Harness::new();
    let service = audit().layer(service_fn(|_: Request| async {
        Ok::<_, &str>(http::Response::new(()))
    }));
    // As with a buffer between the layer and the route: the task has no scope.
    let other_task = service_fn(move |request: Request| {
        let service = service.clone();
        async { tokio::spawn(service.oneshot(request)).await.unwrap() }
    });
    let request = Request::delete("/").body(Body::empty()).unwrap();
    harness
        .layer()
        .layer(other_task)
        .oneshot(request)
        .await
        .unwrap();
    assert_eq!(harness.event().await.action(), "document.delete");
    assert!(Scope::current().is_none());
}

#[tokio::test]
async fn exempt_route_is_not_reported_as_unaudited() {
    let harness = Harness::new();
    let app = Router::new()
        .route(
            "/search",
            post(|| async {}).layer(AuditRoute::exempt("reads only")),
        )
        .route("/forgotten", post(|| async {}))
        .layer(harness.layer().on_unaudited(OnUnaudited::Ignore));
    for (path, unaudited) in [("/search", 0), ("/forgotten", 1)] {
        let request = Request::post(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(harness.recorder.stats().unaudited, unaudited, "{path}");
    }
    assert!(harness.events().await.is_empty());
}
