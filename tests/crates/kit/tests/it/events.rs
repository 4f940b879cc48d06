//! The events that the service records.

use audit_tests_kit::app;
use audit_tower::web::OnUnaudited;
use audit_tower::{assert_audited, assert_not_audited, testing};
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use tower::ServiceExt as _;

use crate::support::call;

/// The example of the front page.
#[tokio::test]
async fn deleting_a_document_is_audited() {
    let capture = testing::capture();
    let request = Request::delete("/documents/42").header("x-user", "ada");
    let request = request.body(Body::empty()).unwrap();
    let app = app(capture.recorder(), OnUnaudited::Fail);
    assert_eq!(app.oneshot(request).await.unwrap().status(), 204);

    let events = capture.events();
    assert_audited!(
        events,
        action = "document.delete",
        target(document = 42),
        actor(user = "ada")
    );
    assert_not_audited!(events, action = "document.share");
}

#[tokio::test]
async fn events_of_requests_over_a_socket_are_captured_in_order() {
    let capture = testing::capture();
    let calls = [
        ("DELETE", "/documents/1"),
        ("DELETE", "/documents/0"),
        ("GET", "/documents"),
    ];
    assert_eq!(call(&capture, &calls).await, [204, 404, 200]);

    let events = capture.take();
    assert_eq!(events.actions(), ["document.delete", "document.delete"]);
    assert_audited!(
        events,
        target = 1,
        outcome = succeeded,
        metadata(status = 204)
    );
    assert_audited!(
        events,
        target = 0,
        outcome = failed,
        metadata(status = 404, error = None::<&str>)
    );
    assert_audited!(events, actor = "ada", count = 2);
    assert_not_audited!(capture.events());
}

#[tokio::test]
async fn snapshot_of_events_is_stable() {
    let capture = testing::capture();
    call(&capture, &[("DELETE", "/documents/42")]).await;
    assert_eq!(
        serde_json::to_value(capture.events()).unwrap(),
        json!([{
            "id": "event-1",
            "event": {
                "action": "document.delete",
                "occurred_at": "[time]",
                "actor": { "id": "ada", "type": "user" },
                "targets": [{ "id": "42", "type": "document" }],
                "context": { "location": "unknown" },
                "metadata": { "outcome": "succeeded", "status": 204 }
            }
        }])
    );
}

#[tokio::test]
#[should_panic = "POST /documents/{doc_id}/archive succeeded and left no audit event"]
async fn unaudited_change_panics_if_configured() {
    let capture = testing::capture();
    let request = Request::post("/documents/42/archive");
    let request = request.body(Body::empty()).unwrap();
    let app = app(capture.recorder(), OnUnaudited::Fail);
    drop(app.oneshot(request).await);
}
