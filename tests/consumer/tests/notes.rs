//! The tests that a service writes with the test kit of the published crates.

use audit_tower::{assert_audited, assert_covered, assert_not_audited, testing};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

fn delete(path: &str) -> Request<Body> {
    let request = Request::delete(path).header("x-user", "ada");
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn deleted_note_leaves_one_event() {
    let capture = testing::capture();
    let app = consumer::app(capture.recorder());
    let response = app.oneshot(delete("/notes/7")).await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);

    let events = capture.events();
    assert_audited!(
        events,
        action = "note.delete",
        target(note = 7),
        actor(user = "ada"),
        outcome = succeeded,
        metadata(reason = "expired")
    );
    assert_covered!(capture.coverage(&[("DELETE", "/notes/{note_id}")]));
}

#[tokio::test]
async fn missing_note_leaves_a_failure() {
    let capture = testing::capture();
    let app = consumer::app(capture.recorder());
    let response = app.oneshot(delete("/notes/0")).await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);

    let events = capture.events();
    assert_audited!(events, action = "note.delete", outcome = failed);
    assert_not_audited!(events, outcome = succeeded);
}
